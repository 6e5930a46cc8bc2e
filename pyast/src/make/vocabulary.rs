//! Declaring the names that a Python library defines.

/// Constants for names that Python modules define, spelled as Python spells them: a vocabulary.
///
/// ```
/// mod fastapi {
///     astgen_pyast::vocabulary! {
///         "fastapi": APIRouter, Depends;
///         "fastapi.responses": JSONResponse;
///     }
/// }
/// assert_eq!(fastapi::JSONResponse.module, "fastapi.responses");
/// ```
#[macro_export]
macro_rules! vocabulary {
    ($($module:literal: $($id:ident $(as $alias:ident)?),* $(,)?;)*) => {
        $($($crate::vocabulary!(@name $module, $id $(as $alias)?);)*)*
    };
    (@name $module:literal, $id:ident) => {
        #[doc = concat!("`from ", $module, " import ", stringify!($id), "`")]
        #[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
        pub const $id: $crate::Import = $crate::import($module, $crate::name::unraw(stringify!($id)));
    };
    (@name $module:literal, $id:ident as $alias:ident) => {
        #[doc = concat!("`from ", $module, " import ", stringify!($id), " as ", stringify!($alias), "`")]
        #[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
        pub const $alias: $crate::Import =
            $crate::import($module, $crate::name::unraw(stringify!($id))).named($crate::name(stringify!($alias)));
    };
}
