//! `backend/app/api/health.py`: whether the application is alive, and whether it can serve.

use crate::core::operators::may_read;
use crate::core::settings::SettingsDep;
use crate::python::builtins::{float, round};
use crate::python::fastapi::{APIRouter, Request, Response, status};
use crate::python::standard::monotonic;
use crate::schemas::health::{Health, Liveness, Readiness, Report};
use crate::services::probes::ProbesDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.health": router, read_health, read_liveness, read_readiness;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.api.health")
        .docstring("Whether the application is alive, and whether it can serve.")
        .body(block![
            assign(router, py!(APIRouter(prefix = "/health", tags = ["health"]))),
            read_health_def(),
            read_liveness_def(),
            read_readiness_def()
        ])
}

fn read_health_def() -> FunctionDef {
    names!(request, probes, settings, found, started_at);
    async_def(read_health)
        .decorator(py!(router.get("")))
        .params([param(request, Request), param(probes, ProbesDep), param(settings, SettingsDep)])
        .returns(py!(Report | Health))
        .body(block![
            docstring(
                "Return the state of the application; the status is 200 even when it is bad."
            ),
            assign(found, py!(probes.check().await)),
            if_(
                py!(!may_read(request, settings.health_token, settings)),
                [return_(py!(Health(status = found.status)))]
            ),
            ann_assign(started_at, float, py!(request.app.state.started_at)),
            return_(py!(Report(
                status = found.status,
                checks = found.checks,
                name = request.app.title,
                version = request.app.version,
                uptime_seconds = round(monotonic() - started_at, 3)
            )))
        ])
}

fn read_liveness_def() -> FunctionDef {
    async_def(read_liveness)
        .decorator(py!(router.get("/live")))
        .returns(Liveness)
        .body(block![docstring("Answer, without asking anything else."), return_(py!(Liveness()))])
}

fn read_readiness_def() -> FunctionDef {
    names!(request, response, probes, settings, found);
    async_def(read_readiness)
        .decorator(py!(router.get(
            "/ready",
            responses = dict!(
                status.HTTP_503_SERVICE_UNAVAILABLE => dict!("model" => Readiness | Health)
            )
        )))
        .params([
            param(request, Request),
            param(response, Response),
            param(probes, ProbesDep),
            param(settings, SettingsDep),
        ])
        .returns(py!(Readiness | Health))
        .body(block![
            docstring("Answer 503 while something that requests need does not work."),
            assign(found, py!(probes.check().await)),
            if_(
                py!(found.status == "failed"),
                [assign(py!(response.status_code), py!(status.HTTP_503_SERVICE_UNAVAILABLE))]
            ),
            if_(py!(may_read(request, settings.health_token, settings)), [return_(found)]),
            return_(py!(Health(status = found.status)))
        ])
}
