//! httpx2: the HTTP client of the tests.

use astgen_pyast::{Import, import_module};

astgen_pyast::vocabulary! {
    "httpx2": ASGITransport, AsyncClient, Response;
}

/// `import httpx2`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const httpx2: Import = import_module("httpx2");
