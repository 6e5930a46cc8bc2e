//! `backend/app/main.py`: the application: `uvicorn --factory app.main:create_app`.

use crate::api::routers::ROUTERS;
use crate::core::access_log::AccessLogMiddleware;
use crate::core::body_limit::BodyLimitMiddleware;
use crate::core::concurrency::document_if_match;
use crate::core::database::Database;
use crate::core::draining::draining;
use crate::core::errors::{EXCEPTION_HANDLERS, PROBLEM_RESPONSES, document_problems};
use crate::core::jobs::{Dispatcher, dispatch_through};
use crate::core::logging::configure_logging;
use crate::core::metrics::init_metrics;
use crate::core::metrics_port::serving_metrics;
use crate::core::passwords::PasswordHasher;
use crate::core::protection::{TrustedHostMiddleware, protect};
use crate::core::rate_limit::RateLimiter;
use crate::core::request_id::RequestIdMiddleware;
use crate::core::security::Signer;
use crate::core::settings::Settings;
use crate::core::tracing::{TELEMETRY, start_tracing, stop_tracing, trace_requests};
use crate::python::builtins::{dict, str, tuple};
use crate::python::fastapi::{APIRoute, ASGIApp, FastAPI, iter_route_contexts};
use crate::python::sqlalchemy::configure_mappers;
use crate::python::standard::{Any, AsyncGenerator, asynccontextmanager, gc, monotonic};
use crate::services::billing_connection::connect_provider;
use crate::services::billing_worker::{BillingWorker, run_billing};
use crate::services::job_clock::JobClock;
use crate::services::job_dispatcher::build_dispatcher;
use crate::services::probes::Probes;
use crate::services::resources::Resources;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.main": TITLE, VERSION, Application, create_app, lifespan, operation_id, settle;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.main").docstring("The application: `uvicorn --factory app.main:create_app`.").body(
        block![
            assign(TITLE, spec.project.title.as_str()),
            assign(VERSION, "0.1.0"),
            application_class(spec),
            create_app_def(spec),
            lifespan_def(spec),
            settle_def(),
            operation_id_def()
        ],
    )
}

fn application_class(spec: &Spec) -> ClassDef {
    class(Application).base(FastAPI).body(block![
        docstring("FastAPI, with errors documented as what they are."),
        application_openapi(spec.entities.iter().any(|entity| entity.requires_if_match)),
        application_build_middleware_stack(spec.observability.tracing)
    ])
}

fn application_openapi(requires_if_match: bool) -> FunctionDef {
    names!(schema);
    let if_match = requires_if_match.then(|| do_(py!(document_if_match(schema))));
    def("openapi").params([untyped("self")]).returns(py!(dict[(str, Any)])).body(block![
        docstring("Build the schema, once."),
        if_(
            py!(self.openapi_schema == None),
            block![
                assign(schema, py!(super().openapi())),
                do_(py!(document_problems(schema))),
                if_match
            ]
        ),
        return_(py!(super().openapi()))
    ])
}

fn application_build_middleware_stack(is_traced: bool) -> FunctionDef {
    names!(app);
    let protected = py!(protect(super().build_middleware_stack(), self.state.settings));
    def("build_middleware_stack").params([untyped("self")]).returns(ASGIApp).body(block![
        docstring("Protect every answer, that of the handler of last resort too."),
        match is_traced {
            true => block![
                assign(app, protected),
                return_(py!(trace_requests(app, self.state.settings)))
            ],
            false => block![return_(protected)],
        }
    ])
}

fn create_app_def(spec: &Spec) -> FunctionDef {
    names!(settings, app, resources, dispatcher, router);
    let queue = spec.jobs.has_workers().then(|| arg(dispatcher));
    let telemetry = spec.observability.tracing.then(|| kw("telemetry", TELEMETRY));
    let probes = py!(Probes(resources, ..queue));
    def(create_app)
        .params([param(settings, py!(Settings | None)).default(none())])
        .returns(FastAPI)
        .body(block![
            docstring("Create the application, from the environment unless settings are given."),
            assign(settings, py!(settings || Settings())),
            do_(py!(configure_logging(settings))),
            assign(
                app,
                py!(Application(
                    title = TITLE,
                    version = VERSION,
                    lifespan = lifespan,
                    responses = PROBLEM_RESPONSES,
                    exception_handlers = EXCEPTION_HANDLERS,
                    generate_unique_id_function = operation_id,
                    ..telemetry
                ))
            ),
            assign(py!(app.state.settings), settings),
            assign(resources, py!(Resources.build(settings))),
            assign(dispatcher, py!(build_dispatcher(resources))),
            do_(py!(dispatch_through(resources.database, dispatcher))),
            assign(py!(app.state.database), py!(resources.database)),
            assign(py!(app.state.sealer), py!(resources.sealer)),
            assign(py!(app.state.mailer), py!(resources.mailer)),
            spec.storage.is_on().then(|| assign(py!(app.state.storage), py!(resources.storage))),
            assign(py!(app.state.dispatcher), dispatcher),
            assign(
                py!(app.state.clock),
                py!(JobClock(resources, dispatcher, poll_seconds = settings.job_poll_seconds))
            ),
            assign(py!(app.state.password_hasher), py!(PasswordHasher(settings))),
            assign(py!(app.state.signer), py!(Signer(settings))),
            assign(py!(app.state.rate_limiter), py!(RateLimiter(settings))),
            spec.billing.as_ref().map(|_| billing_of(app, settings, resources)),
            assign(py!(app.state.probes), probes),
            assign(py!(app.state.started_at), py!(monotonic())),
            for_(router, ROUTERS, [do_(py!(app.include_router(router)))]),
            do_(py!(app.add_middleware(BodyLimitMiddleware, max_bytes = settings.max_body_bytes))),
            do_(py!(
                app.add_middleware(TrustedHostMiddleware, allowed_hosts = settings.allowed_hosts)
            )),
            if_(py!(settings.access_log), [do_(py!(app.add_middleware(AccessLogMiddleware)))]),
            spec.observability.metrics.then(|| do_(py!(init_metrics(app, resources.work)))),
            do_(py!(app.add_middleware(RequestIdMiddleware))),
            return_(app)
        ])
}

/// Who takes the money, and who processes its events.
fn billing_of(app: Name, settings: Name, resources: Name) -> [Stmt; 2] {
    [
        assign(py!(app.state.billing_provider), py!(connect_provider(settings))),
        assign(
            py!(app.state.billing_worker),
            py!(BillingWorker(resources, app.state.billing_provider)),
        ),
    ]
}

fn lifespan_def(spec: &Spec) -> FunctionDef {
    let row_level_security = spec.tenancy.row_level_security;
    let is_traced = spec.observability.tracing;
    names!(app, database, dispatcher, settings, clock, probes, traces);
    let ticking = py!(clock.ticking());
    let mut run = async_with(ticking, [do_(yield_(None))]);
    if spec.billing.is_some() {
        run = run.and(py!(run_billing(app)));
    }
    if spec.observability.has_port() {
        run = run.and(py!(serving_metrics(app)));
    }
    async_def(lifespan)
        .decorator(asynccontextmanager)
        .params([param(app, FastAPI)])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring(if row_level_security {
                "Check the database role before the first request, hang up after the last."
            } else {
                "Hang up after the last request."
            }),
            ann_assign(database, Database, py!(app.state.database)),
            ann_assign(dispatcher, Dispatcher, py!(app.state.dispatcher)),
            ann_assign(settings, Settings, py!(app.state.settings)),
            ann_assign(probes, Probes, py!(app.state.probes)),
            ann_assign(clock, JobClock, py!(app.state.clock)),
            is_traced.then(|| assign(traces, py!(start_tracing(settings)))),
            row_level_security.then(|| do_(py!(database.check_role().await))),
            do_(py!(settle(app))),
            with(py!(draining(probes.stop, seconds = settings.drain_seconds)), [run]),
            do_(py!(dispatcher.close().await)),
            do_(py!(database.close().await)),
            is_traced.then(|| do_(py!(stop_tracing(traces).await)))
        ])
}

fn settle_def() -> FunctionDef {
    names!(app);
    def(settle).params([param(app, FastAPI)]).returns(none()).body(block![
        docstring(
            "Make what the first request would have to, and let no collection go through it.\n\
             \n\
             A full collection of the application takes long enough for everybody to notice."
        ),
        do_(py!(tuple(iter_route_contexts(app.routes)))),
        do_(py!(configure_mappers())),
        do_(py!(gc.freeze()))
    ])
}

fn operation_id_def() -> FunctionDef {
    names!(route);
    def(operation_id).params([param(route, APIRoute)]).returns(str).body(block![
        docstring("Name an operation after its function, so that clients keep their names."),
        return_(py!(route.name))
    ])
}
