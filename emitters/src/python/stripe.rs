//! The Stripe library.

use astgen_pyast::{Import, import_module};

/// `import stripe`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const stripe: Import = import_module("stripe");
