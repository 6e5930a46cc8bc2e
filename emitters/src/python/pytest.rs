//! pytest.

use astgen_pyast::{Import, import_module};

/// `import pytest`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const pytest: Import = import_module("pytest");
