//! `backend/app/core/request_labels.py`: what metrics and traces call a request: never by its path.

use crate::python::builtins::{dict, frozenset, object, str};
use crate::python::fastapi::{FastAPI, iter_route_contexts};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.request_labels": METHODS, route_templates;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.request_labels")
        .docstring("What metrics and traces call a request: never by its path.")
        .body(block![
            assign(
                METHODS,
                py!(frozenset(set!("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")))
            ),
            route_templates_def()
        ])
}

fn route_templates_def() -> FunctionDef {
    names!(app);
    def(route_templates).params([param(app, FastAPI)]).returns(py!(dict[(object, str)])).body(
        block![
            docstring(
                "Find the whole path of each route; a route itself knows its last part only."
            ),
            return_(py!(dict!(
                context.endpoint => context.path_format
                for context in iter_route_contexts(app.routes)
                if context.path_format != None
            )))
        ],
    )
}
