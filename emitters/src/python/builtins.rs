//! Python's built-in names: they need no import.

use astgen_pyast::{Name, name};

macro_rules! builtins {
    ($($id:ident),* $(,)?) => {
        $(
            #[doc = concat!("`", stringify!($id), "`")]
            #[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
            pub const $id: Name = name(stringify!($id));
        )*
    };
}

builtins! {
    BaseException, Exception, KeyError, LookupError, OverflowError, RuntimeError, TypeError,
    UnicodeDecodeError, ValueError, __file__, __name__, all, any, bool, bytes, callable, classmethod, dict,
    enumerate, float, frozenset, getattr, hasattr, int, isinstance, issubclass, iter, len, list, max, min,
    next, object, print, property, range, repr, reversed, set, sorted, staticmethod, str, sum, tuple,
    zip,
}

/// `type`, a keyword of Rust.
pub const TYPE: Name = name("type");
