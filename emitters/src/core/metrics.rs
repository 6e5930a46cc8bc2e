//! `backend/app/core/metrics.py`: metrics for Prometheus: what was asked, how it was answered, how long it took.

use crate::core::connections::{most_connections, watch_connections};
use crate::core::database::Database;
use crate::core::errors::UnauthorizedError;
use crate::core::operators::may_read;
use crate::core::request_labels::{RouteLabels, UNMATCHED, method_of};
use crate::core::settings::Settings;
use crate::core::work_metrics::WorkMetrics;
use crate::python::asgi;
use crate::python::builtins::{
    PermissionError, ProcessLookupError, bool, dict, float, int, str, tuple,
};
use crate::python::fastapi::{ASGIApp, FastAPI, Request, Response};
use crate::python::prometheus::{
    CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, MultiProcessCollector,
    generate_latest,
};
use crate::python::standard::{HTTPStatus, Path, dataclass, os, perf_counter};
use crate::services::backlog::read_backlog;
use crate::spec::Observability;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.metrics": AnswerMetrics, Metrics, MetricsMiddleware, FOLDER, init_metrics, read_metrics, counted,
        forget_the_dead, is_alive;
}

/// The requests that were answered.
pub const REQUESTS: &str = "http_requests";
/// Those of them that were answered with an error.
pub const ERRORS: &str = "http_error_responses";
/// How long the answers took.
pub const SECONDS: &str = "http_request_duration_seconds";
/// The requests that are being answered.
pub const IN_FLIGHT: &str = "http_requests_in_flight";

/// The connections to the database that are in use, in all processes.
pub const CONNECTIONS: &str = "database_connections_in_use";
/// The connections that there may be.
pub const MOST_CONNECTIONS: &str = "database_connections_limit";

/// The folder in which the processes of a server count together.
pub const FOLDER_VARIABLE: &str = "PROMETHEUS_MULTIPROC_DIR";

/// The module.
#[must_use]
pub fn emit(observability: &Observability) -> Module {
    module("app.core.metrics")
        .docstring("Metrics for Prometheus: what was asked, how it was answered, how long it took.")
        .body(block![
            assign(FOLDER, FOLDER_VARIABLE),
            answer_metrics_class(),
            metrics_class(),
            metrics_middleware_class(),
            init_metrics_def(observability),
            read_metrics_def(observability.has_token()),
            counted_def(),
            forget_the_dead_def(),
            is_alive_def()
        ])
}

fn answer_metrics_class() -> ClassDef {
    names!(requests, seconds, errors);
    class(AnswerMetrics).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(
            "What counts the answers of one kind.\n\
             \n\
             To find a metric by its labels takes longer than to count."
        ),
        annotate(requests, Counter),
        annotate(seconds, Histogram),
        annotate(errors, py!(Counter | None))
    ])
}

fn metrics_class() -> ClassDef {
    class(Metrics).body(block![
        docstring("The metrics of one application."),
        metrics_init(),
        metrics_count(),
        metrics_find_answers()
    ])
}

fn metrics_init() -> FunctionDef {
    names!(work);
    def("__init__").params([untyped("self"), param(work, WorkMetrics)]).returns(none()).body(
        block![
            docstring("Register every metric beside those of what no request waits for."),
            assign(py!(self.work), work),
            assign(py!(self.registry), py!(work.registry)),
            assign(
                py!(self.requests),
                py!(Counter(
                    REQUESTS,
                    "Requests that were answered.",
                    ["method", "route", "status"],
                    registry = self.registry
                ))
            ),
            assign(
                py!(self.errors),
                py!(Counter(
                    ERRORS,
                    "Requests that were answered with an error.",
                    ["route", "status"],
                    registry = self.registry
                ))
            ),
            assign(
                py!(self.seconds),
                py!(Histogram(
                    SECONDS,
                    "Time from the request to the end of the answer.",
                    ["method", "route"],
                    registry = self.registry
                ))
            ),
            ann_assign(
                py!(self.answers),
                py!(dict[(tuple[(str, str, int)], AnswerMetrics)]),
                py!(dict!())
            ),
            assign(py!(self.in_flight), gauge(IN_FLIGHT, "Requests that are being answered.")),
            do_(py!(self.in_flight.set(0))),
            assign(
                py!(self.connections),
                gauge(CONNECTIONS, "Connections to the database that are in use.")
            ),
            assign(
                py!(self.most_connections),
                gauge(MOST_CONNECTIONS, "Connections to the database that there may be.")
            )
        ],
    )
}

/// A gauge that all processes that are there add to.
fn gauge(name: &str, documentation: &str) -> Expr {
    py!(Gauge(name, documentation, multiprocess_mode = "livesum", registry = self.registry))
}

fn metrics_count() -> FunctionDef {
    names!(method, route, status, seconds, answers);
    def("count")
        .params([
            untyped("self"),
            param(method, str),
            param(route, str),
            param(status, int),
            param(seconds, float),
        ])
        .returns(none())
        .body(block![
            docstring("Count one request."),
            assign(
                answers,
                py!(self.answers.get((method, route, status))
                    || self.find_answers(method, route, status))
            ),
            do_(py!(answers.requests.inc())),
            do_(py!(answers.seconds.observe(seconds))),
            if_(py!(answers.errors != None), [do_(py!(answers.errors.inc()))])
        ])
}

fn metrics_find_answers() -> FunctionDef {
    names!(method, route, status, errors, answers);
    def("find_answers")
        .params([untyped("self"), param(method, str), param(route, str), param(status, int)])
        .returns(AnswerMetrics)
        .body(block![
            docstring("Find the metrics of answers of one kind, for all that come."),
            assign(
                errors,
                py!(if status >= HTTPStatus.BAD_REQUEST {
                    self.errors.labels(route, status)
                } else {
                    None
                })
            ),
            assign(
                answers,
                py!(AnswerMetrics(
                    self.requests.labels(method, route, status),
                    self.seconds.labels(method, route),
                    errors
                ))
            ),
            assign(py!(self.answers[(method, route, status)]), answers),
            return_(answers)
        ])
}

fn metrics_middleware_class() -> ClassDef {
    class(MetricsMiddleware).body(block![
        docstring("Count requests by the template of their route, never by their path."),
        metrics_middleware_init(),
        metrics_middleware_call()
    ])
}

fn metrics_middleware_init() -> FunctionDef {
    names!(app, metrics);
    def("__init__")
        .params([untyped("self"), param(app, ASGIApp), star(), param(metrics, Metrics)])
        .returns(none())
        .body(block![
            docstring("Wrap an application."),
            assign(py!(self.app), app),
            assign(py!(self.metrics), metrics),
            assign(py!(self.labels), py!(RouteLabels()))
        ])
}

fn metrics_middleware_call() -> FunctionDef {
    names!(scope, receive, status, send_counted, started, route, seconds);
    asgi::call().body(block![
        docstring("Count a request, also when it fails."),
        asgi::pass_on(),
        ann_assign(status, int, py!(HTTPStatus.INTERNAL_SERVER_ERROR)),
        asgi::noting_status(send_counted),
        assign(started, py!(perf_counter())),
        do_(py!(self.metrics.in_flight.inc())),
        try_([do_(py!(self.app(scope, receive, send_counted).await))]).finally(block![
            do_(py!(self.metrics.in_flight.dec())),
            assign(route, py!(self.labels.template(scope) || UNMATCHED)),
            assign(seconds, py!(perf_counter() - started)),
            do_(py!(self.metrics.count(method_of(scope), route, status, seconds)))
        ])
    ])
}

fn init_metrics_def(observability: &Observability) -> FunctionDef {
    names!(app, work, metrics, database);
    let route = || do_(py!(app.add_api_route("/metrics", read_metrics, include_in_schema = false)));
    def(init_metrics).params([param(app, FastAPI), param(work, WorkMetrics)]).returns(none()).body(
        block![
            docstring(match observability.is_public() {
                true => "Count every request and serve the counts at /metrics.",
                false => "Count every request; the counts have a port of their own.",
            }),
            assign(metrics, py!(Metrics(work))),
            ann_assign(database, Database, py!(app.state.database)),
            do_(py!(watch_connections(database.engines, metrics.connections))),
            do_(py!(metrics.most_connections.set(most_connections(database.engines)))),
            assign(py!(app.state.metrics), metrics),
            do_(py!(app.add_middleware(MetricsMiddleware, metrics = metrics))),
            observability.is_public().then(route)
        ],
    )
}

fn read_metrics_def(has_token: bool) -> FunctionDef {
    names!(request, settings, metrics, database, waiting);
    let check = || {
        block![
            ann_assign(settings, Settings, py!(request.app.state.settings)),
            if_(
                py!(!may_read(request, settings.metrics_token, settings)),
                [raise(py!(UnauthorizedError("The metrics need their token.")))]
            )
        ]
    };
    async_def(read_metrics).params([param(request, Request)]).returns(Response).body(block![
        docstring("Write the metrics in the text format of Prometheus."),
        has_token.then(check),
        ann_assign(metrics, Metrics, py!(request.app.state.metrics)),
        ann_assign(database, Database, py!(request.app.state.database)),
        assign(waiting, py!(CollectorRegistry())),
        do_(py!(waiting.register(read_backlog(database).await))),
        return_(py!(Response(
            generate_latest(counted(metrics)) + generate_latest(waiting),
            media_type = CONTENT_TYPE_LATEST
        )))
    ])
}

fn counted_def() -> FunctionDef {
    names!(metrics, folder, registry);
    def(counted).params([param(metrics, Metrics)]).returns(CollectorRegistry).body(block![
        docstring(
            "Return what this process counted, or all that share a folder.\n\
             \n\
             The library of Prometheus reads the name of the folder from the environment, when it\n\
             is imported; it has to be there, and empty when the server starts."
        ),
        assign(folder, py!(os.environ.get(FOLDER))),
        if_(py!(folder == None), [return_(py!(metrics.registry))]),
        do_(py!(forget_the_dead(Path(folder)))),
        assign(registry, py!(CollectorRegistry())),
        do_(py!(MultiProcessCollector(registry)))
            .trailing_comment("type: ignore[no-untyped-call]  # the library types none of it"),
        return_(registry)
    ])
}

fn forget_the_dead_def() -> FunctionDef {
    names!(folder, file, process);
    def(forget_the_dead).params([param(folder, Path)]).returns(none()).body(block![
        docstring("Forget the requests that a process had when it was killed."),
        for_(
            file,
            py!(folder.glob("gauge_live*_*.db")),
            block![
                assign(process, py!(int(file.stem.rsplit("_", 1)[1]))),
                if_(py!(!is_alive(process)), [do_(py!(file.unlink(missing_ok = true)))])
            ]
        )
    ])
}

fn is_alive_def() -> FunctionDef {
    names!(process);
    def(is_alive).params([param(process, int)]).returns(bool).body(block![
        docstring("Tell whether there is such a process; signal 0 is sent to nobody."),
        try_([do_(py!(os.kill(process, 0)))])
            .except(ProcessLookupError, [return_(false)])
            .except(PermissionError, [return_(true)]),
        return_(true)
    ])
}
