//! `backend/app/core/access_log.py`: a record of each request.

use crate::core::logging::VERBATIM;
use crate::core::request_labels::{RouteLabels, UNMATCHED, method_of};
use crate::python::asgi;
use crate::python::builtins::{__file__, __name__, float, int, round};
use crate::python::fastapi::Scope;
use crate::python::standard::{HTTPStatus, logging, perf_counter};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.access_log": logger, QUIET, AccessLogMiddleware;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.access_log")
        .docstring(
            "A record of each request: what was asked, how it was answered, how long it took.",
        )
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(QUIET, py!(("/health", "/metrics")))
                .comment("What somebody asks every few seconds."),
            access_log_middleware_class()
        ])
}

fn access_log_middleware_class() -> ClassDef {
    class(AccessLogMiddleware).body(block![
        docstring("Logs requests by the template of their route, never by their path."),
        access_log_middleware_init(),
        access_log_middleware_call(),
        access_log_middleware_log()
    ])
}

fn access_log_middleware_init() -> FunctionDef {
    asgi::wrap_app([assign(py!(self.labels), py!(RouteLabels()))])
}

fn access_log_middleware_call() -> FunctionDef {
    names!(scope, receive, status, send_noted, started);
    asgi::call().body(block![
        docstring("Log a request once it is answered, also when it fails."),
        asgi::pass_on(),
        ann_assign(status, int, py!(HTTPStatus.INTERNAL_SERVER_ERROR)),
        asgi::noting_status(send_noted),
        assign(started, py!(perf_counter())),
        try_([do_(py!(self.app(scope, receive, send_noted).await))]).finally([do_(py!(self.log(
            scope,
            status,
            perf_counter() - started
        )))])
    ])
}

fn access_log_middleware_log() -> FunctionDef {
    names!(scope, status, seconds, route, level, method, request, record);
    def("log")
        .params([untyped("self"), param(scope, Scope), param(status, int), param(seconds, float)])
        .returns(none())
        .body(block![
            docstring("Write the record, without a search for who writes it."),
            assign(route, py!(self.labels.template(scope) || UNMATCHED)),
            assign(level, py!(if route.startswith(QUIET) { logging.DEBUG } else { logging.INFO })),
            if_(py!(!logger.isEnabledFor(level)), [return_none()]),
            assign(method, py!(method_of(scope))),
            assign(
                request,
                py!(dict!(
                    "method" => method,
                    "route" => route,
                    "status" => status,
                    "milliseconds" => round(seconds * 1000, 1)
                ))
            ),
            assign(
                record,
                py!(logger.makeRecord(
                    logger.name,
                    level,
                    __file__,
                    0,
                    "%s %s %d",
                    (method, route, status),
                    None,
                    extra = VERBATIM | dict!("request" => request)
                ))
            ),
            do_(py!(logger.handle(record)))
        ])
}
