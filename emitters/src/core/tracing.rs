//! `backend/app/core/tracing.py`: traces for OpenTelemetry: requests, and what came of them elsewhere.

use crate::core::request_labels::{RouteLabels, method_of};
use crate::core::settings::Settings;
use crate::python::anyio::to_thread;
use crate::python::asgi;
use crate::python::builtins::{BaseException, Exception, TYPE, any, bool, dict, int, object, str};
use crate::python::fastapi::{ASGIApp, Headers, Scope, TelemetryConfig};
use crate::python::opentelemetry::{
    BatchSpanProcessor, Context, OTLPSpanExporter, Resource, Span, SpanKind, StatusCode,
    TraceContextTextMapPropagator, TracerProvider, format_span_id, format_trace_id,
    get_current_span, get_tracer, set_tracer_provider,
};
use crate::python::sqlalchemy::{
    AsyncEngine, Connection, ExceptionContext, ExecutionContext, event,
};
use crate::python::standard::{
    AbstractContextManager, Generator, HTTPStatus, Mapping, Thread, UUID, WeakKeyDictionary,
    contextmanager,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.tracing": FLUSH_SECONDS, UNTRACED, TELEMETRY, tracer, propagator, spans, TracingMiddleware,
        traces_endpoint, start_tracing, stop_tracing, trace_requests, trace_statements, begin_statement, end_statement,
        fail_statement, traced, traced_job, traced_call, note_status, mark_failed, current_traceparent, trace_ids,
        is_untraced, inbound;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.core.tracing")
        .docstring(
            "Traces for OpenTelemetry: requests, and what came of them elsewhere.\n\
             \n\
             Nothing is traced unless a collector is named. A span holds no path, no query, no\n\
             value of a statement and no message of an error: tokens and people may be in them.",
        )
        .body(block![
            assign(FLUSH_SECONDS, 5),
            assign(UNTRACED, untraced(spec)),
            ann_assign(TELEMETRY, TelemetryConfig, no_telemetry())
                .comment(
                    "What FastAPI traces by itself has paths, queries, and messages of errors."
                )
                .paragraph(),
            assign(tracer, py!(get_tracer("app"))).paragraph(),
            assign(propagator, py!(TraceContextTextMapPropagator())),
            ann_assign(
                spans,
                py!(WeakKeyDictionary[(ExecutionContext, Span)]),
                py!(WeakKeyDictionary())
            )
            .comment("The statements that are being executed."),
            traces_endpoint_def(),
            start_tracing_def(),
            stop_tracing_def(),
            trace_requests_def(),
            tracing_middleware_class(),
            is_untraced_def(),
            inbound_def(),
            trace_statements_def(),
            begin_statement_def(),
            end_statement_def(),
            fail_statement_def(),
            traced_def(),
            traced_job_def(),
            spec.webhooks.enabled.then(|| [traced_call_def(), note_status_def()]),
            mark_failed_def(),
            current_traceparent_def(),
            trace_ids_def()
        ])
}

/// What asks how the application is: many times a minute, and never of interest.
fn untraced(spec: &Spec) -> Expr {
    let metrics = spec.observability.is_public().then_some("/metrics");
    tuple(["/health"].into_iter().chain(metrics))
}

/// What FastAPI itself should tell of requests: nothing.
fn no_telemetry() -> Expr {
    let switches = ["tracing", "metrics", "logs", "auto_configure"];
    astgen_pyast::make::dict(switches.map(|switch| (switch, false)))
}

fn traces_endpoint_def() -> FunctionDef {
    names!(settings, endpoint, base);
    def(traces_endpoint).params([param(settings, Settings)]).returns(py!(str | None)).body(block![
        docstring("Return where traces go, as the variables of OpenTelemetry tell it."),
        assign(endpoint, py!(settings.otel_exporter_otlp_traces_endpoint)),
        assign(base, py!(settings.otel_exporter_otlp_endpoint)),
        if_(py!(endpoint != None || base == None), [return_(endpoint)]),
        return_(py!(f!("{}/v1/traces", base.rstrip("/"))))
    ])
}

fn start_tracing_def() -> FunctionDef {
    names!(settings, endpoint, resource, provider);
    def(start_tracing).params([param(settings, Settings)]).returns(py!(TracerProvider | None)).body(
        block![
            docstring(
                "Begin to send traces, if a collector is named: once in a process.\n\
                 \n\
                 The headers, the sampler and the limits are in variables that the library reads\n\
                 from the environment of the process."
            ),
            assign(endpoint, py!(traces_endpoint(settings))),
            if_(py!(endpoint == None), [return_(none())]),
            assign(
                resource,
                py!(Resource.create(dict!(
                    "service.name" => settings.otel_service_name,
                    "deployment.environment.name" => settings.environment.value
                )))
            ),
            assign(provider, py!(TracerProvider(resource = resource, shutdown_on_exit = false))),
            do_(py!(provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint))))),
            do_(py!(set_tracer_provider(provider))),
            return_(provider)
        ],
    )
}

fn stop_tracing_def() -> FunctionDef {
    names!(provider, flush);
    async_def(stop_tracing)
        .params([param(provider, py!(TracerProvider | None))])
        .returns(none())
        .body(block![
            docstring("Send what is left, but not for long: the collector may be away."),
            if_(py!(provider == None), [return_none()]),
            assign(flush, py!(Thread(target = provider.shutdown, daemon = true))),
            do_(py!(flush.start())),
            do_(py!(to_thread.run_sync(flush.join, FLUSH_SECONDS).await))
        ])
}

fn trace_requests_def() -> FunctionDef {
    names!(app, settings);
    def(trace_requests)
        .params([param(app, ASGIApp), param(settings, Settings)])
        .returns(ASGIApp)
        .body(block![
            docstring("Trace every request, if a collector is named."),
            if_(py!(traces_endpoint(settings) == None), [return_(app)]),
            return_(py!(TracingMiddleware(app)))
        ])
}

fn tracing_middleware_class() -> ClassDef {
    class(TracingMiddleware).body(block![
        docstring("Traces requests by the template of their route, never by their path."),
        tracing_middleware_init(),
        tracing_middleware_call(),
        tracing_middleware_describe()
    ])
}

fn tracing_middleware_init() -> FunctionDef {
    asgi::wrap_app([assign(py!(self.labels), py!(RouteLabels()))])
}

fn tracing_middleware_call() -> FunctionDef {
    names!(scope, receive, status, send_noted, method, attributes, span);
    asgi::call().body(block![
        docstring("Trace a request, also when it fails, as a part of what the caller traces."),
        asgi::pass_on_if(py!(scope["type"] != "http" || is_untraced(scope["path"]))),
        ann_assign(status, int, py!(HTTPStatus.INTERNAL_SERVER_ERROR)),
        asgi::noting_status(send_noted),
        assign(method, py!(method_of(scope))),
        assign(attributes, py!(dict!("http.request.method" => method))),
        with_as(
            py!(traced(method, SpanKind.SERVER, attributes, inbound(scope))),
            span,
            [try_([do_(py!(self.app(scope, receive, send_noted).await))])
                .finally([do_(py!(self.describe(span, scope, method, status)))])]
        )
    ])
}

fn tracing_middleware_describe() -> FunctionDef {
    names!(span, scope, method, status, template);
    def("describe")
        .params([
            untyped("self"),
            param(span, Span),
            param(scope, Scope),
            param(method, str),
            param(status, int),
        ])
        .returns(none())
        .body(block![
            docstring("Say which route has answered, and how; what no route matches has no name."),
            assign(template, py!(self.labels.template(scope))),
            if_(
                py!(template != None),
                block![
                    do_(py!(span.update_name(f!("{} {}", method, template)))),
                    do_(py!(span.set_attribute("http.route", template)))
                ]
            ),
            do_(py!(span.set_attribute("http.response.status_code", status))),
            if_(
                py!(status >= HTTPStatus.INTERNAL_SERVER_ERROR),
                [do_(py!(span.set_status(StatusCode.ERROR)))]
            )
        ])
}

fn is_untraced_def() -> FunctionDef {
    names!(path, probe);
    def(is_untraced).params([param(path, str)]).returns(bool).body(block![
        docstring("Tell whether a path asks how the application is."),
        return_(py!(any(generator!(
            path == probe || path.startswith(f!("{}/", probe)) for probe in UNTRACED
        ))))
    ])
}

fn inbound_def() -> FunctionDef {
    names!(scope, headers);
    def(inbound).params([param(scope, Scope)]).returns(Context).body(block![
        docstring("Return what the caller traces, if it says so: `traceparent`."),
        assign(headers, py!(Headers(scope = scope))),
        return_(py!(propagator.extract(dict(headers))))
    ])
}

fn trace_statements_def() -> FunctionDef {
    names!(engine, settings, target);
    def(trace_statements)
        .params([param(engine, AsyncEngine), param(settings, Settings)])
        .returns(none())
        .body(block![
            docstring("Trace what a request or a job asks of a database, if a collector is named."),
            if_(py!(traces_endpoint(settings) == None), [return_none()]),
            assign(target, py!(engine.sync_engine)),
            do_(py!(event.listen(target, "before_cursor_execute", begin_statement))),
            do_(py!(event.listen(target, "after_cursor_execute", end_statement))),
            do_(py!(event.listen(target, "handle_error", fail_statement)))
        ])
}

fn begin_statement_def() -> FunctionDef {
    names!(connection, _cursor, statement, _parameters, context, _rest, operation);
    def(begin_statement)
        .params([
            param(connection, Connection),
            param(_cursor, object),
            param(statement, str),
            param(_parameters, object),
            param(context, ExecutionContext),
            varargs(_rest, object),
        ])
        .returns(none())
        .body(block![
            docstring("Begin a span; the clock and the probes have none that it would belong to."),
            if_(py!(!get_current_span().is_recording()), [return_none()]),
            assign(operation, py!(statement.split(maxsplit = 1)[0].upper())),
            assign(
                py!(spans[context]),
                py!(tracer.start_span(
                    operation,
                    kind = SpanKind.CLIENT,
                    attributes = dict!(
                        "db.system.name" => connection.dialect.name,
                        "db.operation.name" => operation,
                        "db.query.text" => statement
                    )
                ))
            )
        ])
}

fn end_statement_def() -> FunctionDef {
    names!(_connection, _cursor, _statement, _parameters, context, _rest, span);
    def(end_statement)
        .params([
            param(_connection, Connection),
            param(_cursor, object),
            param(_statement, str),
            param(_parameters, object),
            param(context, ExecutionContext),
            varargs(_rest, object),
        ])
        .returns(none())
        .body(block![
            docstring("End the span of a statement."),
            assign(span, py!(spans.pop(context, None))),
            if_(py!(span != None), [do_(py!(span.end()))])
        ])
}

fn fail_statement_def() -> FunctionDef {
    names!(failure, context, span);
    def(fail_statement).params([param(failure, ExceptionContext)]).returns(none()).body(block![
        docstring("End the span of a statement that failed."),
        assign(context, py!(failure.execution_context)),
        assign(span, py!(if context { spans.pop(context, None) } else { None })),
        if_(
            py!(span != None),
            block![do_(py!(mark_failed(span, failure.original_exception))), do_(py!(span.end()))]
        )
    ])
}

fn traced_def() -> FunctionDef {
    names!(name, kind, attributes, parent, span, error);
    def(traced)
        .decorator(contextmanager)
        .params([
            param(name, str),
            param(kind, SpanKind),
            param(attributes, py!(Mapping[(str, str | int)])),
            param(parent, py!(Context | None)).default(none()),
        ])
        .returns(py!(Generator[(Span, None, None)]))
        .body(block![
            docstring("Trace a piece of work, as a part of what goes on unless a parent is given."),
            with_as(
                py!(tracer.start_as_current_span(
                    name,
                    parent,
                    kind,
                    attributes,
                    record_exception = false,
                    set_status_on_exception = false
                )),
                span,
                [try_([do_(py!(yield_!(span)))]).except_as(
                    Exception,
                    error,
                    block![do_(py!(mark_failed(span, error))), reraise()]
                )]
            )
        ])
}

fn traced_job_def() -> FunctionDef {
    names!(kind, job_id, attempt, traceparent, parent, attributes);
    let given = py!(propagator.extract(dict!("traceparent" => traceparent)));
    def(traced_job)
        .params([
            param(kind, str),
            param(job_id, UUID),
            star(),
            param(attempt, int),
            param(traceparent, py!(str | None)),
        ])
        .returns(py!(AbstractContextManager[Span]))
        .body(block![
            docstring("Trace a job as a part of what has asked for it, however long ago."),
            assign(parent, py!(if traceparent { { given } } else { None })),
            ann_assign(
                attributes,
                py!(dict[(str, str | int)]),
                py!(dict!(
                    "app.job.kind" => kind,
                    "app.job.id" => str(job_id),
                    "app.job.attempt" => attempt
                ))
            ),
            return_(py!(traced(f!("run {}", kind), SpanKind.CONSUMER, attributes, parent)))
        ])
}

fn traced_call_def() -> FunctionDef {
    names!(method, host, attributes);
    def(traced_call)
        .params([param(method, str), param(host, str)])
        .returns(py!(AbstractContextManager[Span]))
        .body(block![
            docstring("Trace a request to somebody else, who is told nothing of our traces."),
            assign(
                attributes,
                py!(dict!("http.request.method" => method, "server.address" => host))
            ),
            return_(py!(traced(method, SpanKind.CLIENT, attributes)))
        ])
}

fn note_status_def() -> FunctionDef {
    names!(span, status);
    def(note_status).params([param(span, Span), param(status, int)]).returns(none()).body(block![
        docstring("Note how somebody else has answered."),
        do_(py!(span.set_attribute("http.response.status_code", status))),
        if_(py!(status >= HTTPStatus.BAD_REQUEST), [do_(py!(span.set_status(StatusCode.ERROR)))])
    ])
}

fn mark_failed_def() -> FunctionDef {
    names!(span, error);
    def(mark_failed).params([param(span, Span), param(error, BaseException)]).returns(none()).body(
        block![
            docstring("Mark a span as failed, by the type of the error alone."),
            do_(py!(span.set_attribute("error.type", TYPE(error).__qualname__))),
            do_(py!(span.set_status(StatusCode.ERROR)))
        ],
    )
}

fn current_traceparent_def() -> FunctionDef {
    names!(carrier);
    def(current_traceparent).returns(py!(str | None)).body(block![
        docstring("Return what goes on here, for others to be a part of it."),
        ann_assign(carrier, py!(dict[(str, str)]), py!(dict!())),
        do_(py!(propagator.inject(carrier))),
        return_(py!(carrier.get("traceparent")))
    ])
}

fn trace_ids_def() -> FunctionDef {
    names!(context);
    def(trace_ids).returns(py!(dict[(str, str)])).body(block![
        docstring("Return the ids of what goes on here, for the log."),
        assign(context, py!(get_current_span().get_span_context())),
        if_(py!(!context.is_valid), [return_(py!(dict!()))]),
        return_(py!(dict!(
            "trace_id" => format_trace_id(context.trace_id),
            "span_id" => format_span_id(context.span_id)
        )))
    ])
}
