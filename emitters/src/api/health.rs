//! `backend/app/api/health.py`: whether the application is alive, and whether it can serve.

use crate::core::database::{Database, DatabaseDep};
use crate::python::anyio::fail_after;
use crate::python::builtins::{__name__, OSError, dict, float, round, str};
use crate::python::fastapi::{APIRouter, Request, Response, status};
use crate::python::sqlalchemy::SQLAlchemyError;
use crate::python::standard::{logging, monotonic};
use crate::schemas::health::{Health, Liveness, Readiness, State};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.health": logger, PROBE_SECONDS, router, read_health, read_liveness, read_readiness,
        probe, probe_database, worst;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.api.health")
        .docstring("Whether the application is alive, and whether it can serve.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(PROBE_SECONDS, py!(2.0)).paragraph(),
            assign(router, py!(APIRouter(prefix = "/health", tags = ["health"]))).paragraph(),
            read_health_def(),
            read_liveness_def(),
            read_readiness_def(),
            probe_def(),
            probe_database_def(),
            worst_def()
        ])
}

fn read_health_def() -> FunctionDef {
    names!(request, database, checks, started_at);
    async_def(read_health)
        .decorator(py!(router.get("")))
        .params([param(request, Request), param(database, DatabaseDep)])
        .returns(Health)
        .body(block![
            docstring(
                "Return the state of the application; the status is 200 even when it is bad."
            ),
            assign(checks, py!(probe(database).await)),
            ann_assign(started_at, float, py!(request.app.state.started_at)),
            return_(py!(Health(
                status = worst(checks),
                checks = checks,
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
    names!(response, database, checks, state);
    async_def(read_readiness)
        .decorator(py!(router.get(
            "/ready",
            responses = dict!(status.HTTP_503_SERVICE_UNAVAILABLE => dict!("model" => Readiness))
        )))
        .params([param(response, Response), param(database, DatabaseDep)])
        .returns(Readiness)
        .body(block![
            docstring("Answer 503 while something that requests need does not work."),
            assign(checks, py!(probe(database).await)),
            assign(state, py!(worst(checks))),
            if_(
                py!(state == "failed"),
                [assign(py!(response.status_code), py!(status.HTTP_503_SERVICE_UNAVAILABLE))]
            ),
            return_(py!(Readiness(status = state, checks = checks)))
        ])
}

fn probe_def() -> FunctionDef {
    names!(database);
    async_def(probe).params([param(database, Database)]).returns(py!(dict[(str, State)])).body(
        block![
            docstring("Try everything that requests need."),
            return_(py!(dict!("database" => probe_database(database).await)))
        ],
    )
}

fn probe_database_def() -> FunctionDef {
    names!(database);
    async_def(probe_database).params([param(database, Database)]).returns(State).body(block![
        docstring("Ask the database for an answer, and not for long."),
        try_(with(py!(fail_after(PROBE_SECONDS)), [do_(py!(database.ping().await))])).except(
            py!((SQLAlchemyError, OSError)),
            block![
                do_(py!(logger.warning("The database does not answer", exc_info = true))),
                return_("failed")
            ]
        ),
        return_("ok")
    ])
}

fn worst_def() -> FunctionDef {
    names!(checks);
    def(worst).params([param(checks, py!(dict[(str, State)]))]).returns(State).body(block![
        docstring("Sum the checks up."),
        return_(py!(if in_!("failed", checks.values()) { "failed" } else { "ok" }))
    ])
}
