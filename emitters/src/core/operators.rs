//! `backend/app/core/operators.py`: what only those who run the application may read.

use crate::core::settings::{Environment, Settings};
use crate::python::builtins::bool;
use crate::python::fastapi::Request;
use crate::python::pydantic::SecretStr;
use crate::python::standard::hmac;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.operators": may_read;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.operators")
        .docstring("What only those who run the application may read.")
        .body([may_read_def()])
}

fn may_read_def() -> FunctionDef {
    names!(request, token, settings, expected, sent);
    def(may_read)
        .params([
            param(request, Request),
            param(token, py!(SecretStr | None)),
            param(settings, Settings),
        ])
        .returns(bool)
        .body(block![
            docstring(
                "Compare the token of a request; with none to compare, production is closed."
            ),
            if_(
                py!(token == None),
                [return_(py!(is_not!(settings.environment, Environment.PRODUCTION)))]
            ),
            assign(expected, py!(f!("Bearer {}", token.get_secret_value()))),
            assign(sent, py!(request.headers.get("Authorization", ""))),
            return_(py!(hmac.compare_digest(sent.encode(), expected.encode())))
        ])
}
