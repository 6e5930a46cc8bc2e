//! schemathesis: requests made from an OpenAPI schema.

use astgen_pyast::{Import, import_module};

astgen_pyast::vocabulary! {
    "schemathesis": AuthContext, Case, HookContext, Response;
    "schemathesis.core.failures": Failure;
    "schemathesis.core.jsonschema.types": JsonValue;
    "schemathesis.core.parameters": ParameterLocation;
    "schemathesis.generation.meta": TestPhase;
    "schemathesis.openapi.checks": RejectedPositiveData;
}

/// `import schemathesis`
#[allow(non_upper_case_globals, reason = "a Python name is spelled as Python spells it")]
pub const schemathesis: Import = import_module("schemathesis");
