//! `backend/app/schemas/health.py`: responses about the state of the application.

use crate::python::builtins::{dict, float, str};
use crate::python::standard::Literal;
use crate::schemas::base::ResponseModel;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.health": State, Liveness, Readiness, Health;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.health").docstring("Responses about the state of the application.").body(
        block![
            assign(State, py!(Literal[("ok", "degraded", "failed")])),
            liveness_class(),
            readiness_class(),
            health_class()
        ],
    )
}

fn liveness_class() -> ClassDef {
    names!(status);
    class(Liveness)
        .base(ResponseModel)
        .body(block![docstring("The process answers."), ann_assign(status, State, "ok")])
}

fn readiness_class() -> ClassDef {
    names!(status, checks);
    class(Readiness).base(ResponseModel).body(block![
        docstring("Whether requests can be served, and which part says no."),
        annotate(status, State),
        annotate(checks, py!(dict[(str, State)]))
    ])
}

fn health_class() -> ClassDef {
    names!(name, version, uptime_seconds);
    class(Health).base(Readiness).body(block![
        docstring("The state of the application in more words."),
        annotate(name, str),
        annotate(version, str),
        annotate(uptime_seconds, float)
    ])
}
