//! `backend/app/schemas/health.py`: responses about the state of the application.

use crate::python::builtins::{dict, float, str};
use crate::python::standard::Literal;
use crate::schemas::base::ResponseModel;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.health": State, Liveness, Health, Readiness, Report;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.health").docstring("Responses about the state of the application.").body(
        block![
            assign(State, py!(Literal[("ok", "degraded", "failed")])),
            liveness_class(),
            health_class(),
            readiness_class(),
            report_class()
        ],
    )
}

fn liveness_class() -> ClassDef {
    names!(status);
    class(Liveness)
        .base(ResponseModel)
        .body(block![docstring("The process answers."), ann_assign(status, State, "ok")])
}

fn health_class() -> ClassDef {
    names!(status);
    class(Health).base(ResponseModel).body(block![
        docstring("The state of the application, in a word: that is for everybody."),
        annotate(status, State)
    ])
}

fn readiness_class() -> ClassDef {
    names!(checks);
    class(Readiness).base(Health).body(block![
        docstring("Whether requests can be served, and which part says no."),
        annotate(checks, py!(dict[(str, State)]))
    ])
}

fn report_class() -> ClassDef {
    names!(name, version, uptime_seconds);
    class(Report).base(Readiness).body(block![
        docstring("The state of the application in more words."),
        annotate(name, str),
        annotate(version, str),
        annotate(uptime_seconds, float)
    ])
}
