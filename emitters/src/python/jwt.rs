//! PyJWT.

use astgen_pyast::{Import, import_module};

/// `import jwt`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const jwt: Import = import_module("jwt");
