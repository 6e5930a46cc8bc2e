//! `backend/app/core/request_labels.py`: what logs, metrics and traces call a request: never by its path.

use crate::python::builtins::{dict, frozenset, object, str};
use crate::python::fastapi::{FastAPI, Scope, iter_route_contexts};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.request_labels": METHODS, UNMATCHED, RouteLabels, route_templates, method_of;
}

/// The module. What another method than HTTP's own is called, is for OpenTelemetry to say where requests are traced.
#[must_use]
pub fn emit() -> Module {
    names!(OTHER);
    module("app.core.request_labels")
        .docstring("What logs, metrics and traces call a request: never by its path.")
        .body(block![
            assign(
                METHODS,
                py!(frozenset(set!("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")))
            ),
            assign(OTHER, "_OTHER"),
            assign(UNMATCHED, "unmatched"),
            route_labels_class(),
            route_templates_def(),
            method_of_def(OTHER)
        ])
}

fn route_labels_class() -> ClassDef {
    class(RouteLabels).body(block![
        docstring("Finds the template of the route that has answered a request."),
        route_labels_init(),
        route_labels_template()
    ])
}

fn route_labels_init() -> FunctionDef {
    def("__init__").params([untyped("self")]).returns(none()).body(block![
        docstring("Begin with nothing: the routes are there with the first request."),
        ann_assign(py!(self.templates), py!(dict[(object, str)] | None), none())
    ])
}

fn route_labels_template() -> FunctionDef {
    names!(scope);
    def("template").params([untyped("self"), param(scope, Scope)]).returns(py!(str | None)).body(
        block![
            docstring("Return the template, if a route has answered."),
            if_(
                py!(self.templates == None),
                [assign(py!(self.templates), py!(route_templates(scope["app"])))]
            ),
            return_(py!(self.templates.get(scope.get("endpoint"))))
        ],
    )
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

fn method_of_def(other: Name) -> FunctionDef {
    names!(scope, method);
    def(method_of).params([param(scope, Scope)]).returns(str).body(block![
        docstring("Return the method of a request, if it is one of HTTP's own."),
        ann_assign(method, str, py!(scope["method"])),
        return_(py!(if in_!(method, METHODS) { method } else { other }))
    ])
}
