//! uvicorn: the server.

use astgen_pyast::{Import, import_module};

astgen_pyast::vocabulary! {
    "uvicorn": Config, Server;
}

/// `import uvicorn`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const uvicorn: Import = import_module("uvicorn");
