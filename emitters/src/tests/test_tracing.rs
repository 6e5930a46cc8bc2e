//! `backend/tests/test_tracing.py`: traces: what is told of a request, and what never is.

use crate::app_main::create_app;
use crate::core::database::Database;
use crate::core::jobs::{JobKind, enqueue};
use crate::core::logging::JsonFormatter;
use crate::core::outbound::Outbound;
use crate::core::settings::Settings;
use crate::core::tracing::{start_tracing, traced, traces_endpoint};
use crate::python::aiohttp::{ClientError, web};
use crate::python::anyio::to_thread;
use crate::python::builtins::{
    RuntimeError, any, bytes, dict, int, list, object, property, str, tuple as tuple_of,
};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::AsyncClient;
use crate::python::opentelemetry::{
    ExportTraceServiceRequest, InMemorySpanExporter, ReadableSpan, SimpleSpanProcessor, SpanKind,
    StatusCode, TracerProvider,
};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{SQLAlchemyError, text};
use crate::python::standard::{
    Any, AsyncGenerator, asynccontextmanager, dataclass, field, json, logging, uuid4,
};
use crate::services::job_context::JobContext;
use crate::services::job_registry::{HANDLERS, Handler};
use crate::services::maintenance::Nothing;
use crate::spec::Spec;
use crate::tests::receiver::Receiver;
use crate::tests::servers::{
    LOCALHOST, START_SECONDS, answers, free_port, hosting, process, python, serving, wait_until,
};
use crate::tests::world::PASSWORD;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_tracing": TRACE, PARENT, TRACEPARENT, WATCHED, Recorder, Collector, ids_of, attributes_of,
        register, fail, fail_as_job;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_tracing")
        .docstring("Traces: what is told of a request, and what never is.")
        .body(block![
            assign(TRACE, "0af7651916cd43dd8448eb211c80319c"),
            assign(PARENT, "b7ad6b7169203331"),
            assign(TRACEPARENT, py!(f!("00-{}-{}-01", TRACE, PARENT))),
            assign(
                WATCHED,
                py!(dict!("otel_exporter_otlp_endpoint" => "http://collector.invalid"))
            ),
            recorder_class(),
            collector_class(),
            ids_of_def(),
            attributes_of_def(),
            recorder_def(),
            watched_def(),
            http_def(),
            register_def(),
            fail_def(),
            fail_as_job_def(),
            test_a_request_is_named_by_its_route(),
            test_what_no_route_matches_has_no_name(),
            test_statements_are_told_without_their_values(),
            test_a_statement_that_fails_is_told_by_the_type_of_its_error(),
            test_a_job_is_a_part_of_the_request_that_asked_for_it(),
            test_a_job_that_fails_is_told_by_the_type_of_its_error(),
            test_a_defect_is_told_by_its_type(),
            test_what_asks_how_it_is_leaves_no_trace(spec),
            spec.webhooks
                .enabled
                .then(|| [test_a_webhook_is_told_by_its_host(), test_a_webhook_that_fails()]),
            test_a_record_of_the_log_names_the_span(),
            test_without_a_collector_nothing_is_traced(),
            test_the_collector_is_named_as_elsewhere(),
            test_a_server_sends_its_traces_before_it_ends(spec)
        ])
}

fn recorder_class() -> ClassDef {
    names!(exporter, span, found);
    class(Recorder).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Keeps what is traced in memory."),
        annotate(exporter, InMemorySpanExporter),
        def("spans")
            .decorator(property)
            .params([untyped("self")])
            .returns(py!(tuple_of[(ReadableSpan, ellipsis!())]))
            .body(block![
                docstring("Return the spans that have ended."),
                return_(py!(self.exporter.get_finished_spans()))
            ]),
        def("of").params([untyped("self"), param(name("name"), str)]).returns(ReadableSpan).body(
            block![
                docstring("Return the one span of a name."),
                assign(
                    py!([found]),
                    py!(list!(span for span in self.spans if span.name == { name("name") }))
                ),
                return_(found)
            ]
        ),
        def("written").decorator(property).params([untyped("self")]).returns(str).body(block![
            docstring("Return everything that would be sent."),
            return_(py!("".join(generator!(span.to_json() for span in self.spans))))
        ])
    ])
}

fn ids_of_def() -> FunctionDef {
    names!(span, context);
    def(ids_of).params([param(span, ReadableSpan)]).returns(py!(tuple_of[(int, int)])).body(block![
        docstring("Return the id of the trace of a span, and its own."),
        assign(context, py!(span.context)),
        assert_(py!(context != None)),
        return_(py!((context.trace_id, context.span_id)))
    ])
}

fn attributes_of_def() -> FunctionDef {
    names!(span);
    def(attributes_of).params([param(span, ReadableSpan)]).returns(py!(dict[(str, object)])).body(
        block![
            docstring("Return what is told of a span."),
            return_(py!(dict(span.attributes || dict!())))
        ],
    )
}

fn collector_class() -> ClassDef {
    names!(bodies, keys, app);
    class(Collector).decorator(dataclass).body(block![
        docstring("Takes traces, as a collector does."),
        ann_assign(bodies, py!(list[bytes]), py!(field(default_factory = list[bytes]))),
        ann_assign(keys, py!(list[str]), py!(field(default_factory = list[str]))),
        collector_take(),
        collector_resources(),
        collector_spans(),
        async_def("serving")
            .decorator(asynccontextmanager)
            .params([untyped("self")])
            .returns(py!(AsyncGenerator[(str, None)]))
            .body(block![
                docstring("Serve on a free port, and say where."),
                assign(app, py!(web.Application())),
                do_(py!(app.router.add_post("/v1/traces", self.take))),
                async_with_as(
                    py!(hosting(app)),
                    name("url"),
                    [do_(py!(yield_!({ name("url").into_expr() })))]
                )
            ])
    ])
}

fn collector_take() -> FunctionDef {
    names!(request);
    async_def("take")
        .params([untyped("self"), param(request, py!(web.Request))])
        .returns(py!(web.Response))
        .body(block![
            docstring("Take a request."),
            do_(py!(self.bodies.append(request.read().await))),
            do_(py!(self.keys.append(request.headers.get("api-key", "")))),
            return_(py!(web.Response(content_type = "application/x-protobuf")))
        ])
}

fn collector_resources() -> FunctionDef {
    names!(body, resource);
    def("resources").decorator(property).params([untyped("self")]).returns(py!(list[Any])).body(
        block![
            docstring("Read what has come in."),
            return_(py!(list!(
                resource for body in self.bodies
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            )))
        ],
    )
}

fn collector_spans() -> FunctionDef {
    names!(resource, scope, span);
    def("spans").decorator(property).params([untyped("self")]).returns(py!(dict[(str, Any)])).body(
        block![
            docstring("Return the spans by their names."),
            return_(py!(dict!(
                span.name => span for resource in self.resources
                for scope in resource.scope_spans
                for span in scope.spans
            )))
        ],
    )
}

fn recorder_def() -> FunctionDef {
    names!(monkeypatch, exporter, provider);
    def("recorder")
        .decorator(py!(pytest.fixture))
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(Recorder)
        .body(block![
            assign(exporter, py!(InMemorySpanExporter())),
            assign(provider, py!(TracerProvider(shutdown_on_exit = false))),
            do_(py!(provider.add_span_processor(SimpleSpanProcessor(exporter)))),
            do_(py!(monkeypatch.setattr("app.core.tracing.tracer", provider.get_tracer("tests")))),
            return_(py!(Recorder(exporter)))
        ])
}

fn watched_def() -> FunctionDef {
    names!(settings);
    def("watched")
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings)])
        .returns(FastAPI)
        .body(block![
            docstring("Create an application that has a collector."),
            return_(py!(create_app(settings.model_copy(update = WATCHED))))
        ])
}

fn http_def() -> FunctionDef {
    names!(watched, client);
    async_def("http")
        .decorator(py!(pytest.fixture))
        .params([param(watched, FastAPI)])
        .returns(py!(AsyncGenerator[(AsyncClient, None)]))
        .body(async_with_as(py!(serving(watched)), client, [do_(py!(yield_!(client)))]))
}

fn register_def() -> FunctionDef {
    names!(http, body, headers, response);
    async_def(register).params([param(http, AsyncClient)]).returns(none()).body(block![
        docstring("Register an account, which asks for a mail."),
        assign(body, py!(dict!("email" => "ada@example.com", "password" => PASSWORD))),
        assign(headers, py!(dict!("traceparent" => TRACEPARENT))),
        assign(response, py!(http.post("/auth/register", json = body, headers = headers).await)),
        assert_(py!(response.status_code == 202))
    ])
}

fn fail_def() -> FunctionDef {
    async_def(fail).returns(none()).body(block![
        docstring("Fail in a way that nobody foresaw."),
        raise(py!(RuntimeError("a secret")))
    ])
}

fn fail_as_job_def() -> FunctionDef {
    names!(_context, _payload);
    async_def(fail_as_job)
        .params([param(_context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![docstring("Fail as a job."), do_(py!(fail().await))])
}

/// `async def test_…(http: AsyncClient, recorder: Recorder) -> None: …`
fn traced_test(test: &'static str) -> FunctionDef {
    async_def(test)
        .params([param("http", AsyncClient), param("recorder", Recorder)])
        .returns(none())
}

fn test_a_request_is_named_by_its_route() -> FunctionDef {
    names!(http, recorder, path, span, headers);
    traced_test("test_a_request_is_named_by_its_route").body(block![
        assign(path, py!(f!("/organizations/{}?token=a-secret", uuid4()))),
        assign(headers, py!(dict!("traceparent" => TRACEPARENT, "user-agent" => "a-secret"))),
        do_(py!(http.get(path, headers = headers).await)),
        assign(py!([span]), py!(recorder.spans)),
        assert_(py!(span.name == "GET /organizations/{organization_id}")),
        assert_(py!(is_!(span.kind, SpanKind.SERVER))),
        assert_(py!(span.attributes
            == dict!(
                "http.request.method" => "GET",
                "http.route" => "/organizations/{organization_id}",
                "http.response.status_code" => 401
            ))),
        assert_(py!(ids_of(span)[0] == int(TRACE, 16))),
        assert_(py!(span.parent != None)),
        assert_(py!(span.parent.span_id == int(PARENT, 16))),
        assert_(py!(is_!(span.status.status_code, StatusCode.UNSET))),
        assert_(py!(not_in!("a-secret", recorder.written)))
    ])
}

fn test_what_no_route_matches_has_no_name() -> FunctionDef {
    names!(http, recorder, span);
    traced_test("test_what_no_route_matches_has_no_name").body(block![
        do_(py!(http.request("BREW", "/a-secret").await)),
        assign(py!([span]), py!(recorder.spans)),
        assert_(py!(span.name == "_OTHER")),
        assert_(py!(not_in!("a-secret", recorder.written)))
    ])
}

fn test_statements_are_told_without_their_values() -> FunctionDef {
    names!(http, recorder, watched, request, statements, span);
    traced_test("test_statements_are_told_without_their_values")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(watched, FastAPI)])
        .body(block![
            do_(py!(register(http).await)),
            do_(py!(watched.state.dispatcher.drain().await)),
            assign(request, py!(recorder.of("POST /auth/register"))),
            assign(
                statements,
                py!(list!(
                    span for span in recorder.spans
                    if is_!(span.kind, SpanKind.CLIENT) && span.parent == request.context
                ))
            ),
            assert_(py!(in_!("INSERT", set!(span.name for span in statements)))),
            assert_(py!(any(generator!(
                in_!("INSERT INTO users", str(attributes_of(span)["db.query.text"]))
                for span in statements
            )))),
            assert_(py!(not_in!("ada@example.com", recorder.written))),
            assert_(py!(not_in!(PASSWORD, recorder.written)))
        ])
}

fn test_a_statement_that_fails_is_told_by_the_type_of_its_error() -> FunctionDef {
    names!(recorder, settings, database, connection, span);
    async_def("test_a_statement_that_fails_is_told_by_the_type_of_its_error")
        .params([param(recorder, Recorder), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(database, py!(Database(settings.model_copy(update = WATCHED)))),
            with(
                py!(traced("work", SpanKind.INTERNAL, dict!())),
                [async_with_as(
                    py!(database.engine.connect()),
                    connection,
                    [with(
                        py!(pytest.raises(SQLAlchemyError)),
                        [do_(py!(connection.execute(text("SELECT * FROM nowhere")).await))]
                    )]
                )]
            ),
            do_(py!(database.close().await)),
            assign(span, py!(recorder.of("SELECT"))),
            assert_(py!(is_!(span.status.status_code, StatusCode.ERROR))),
            assert_(py!(in_!("error.type", attributes_of(span)))),
            assert_(py!(span.events == ()))
        ])
}

fn test_a_job_is_a_part_of_the_request_that_asked_for_it() -> FunctionDef {
    names!(http, recorder, watched, request, job);
    traced_test("test_a_job_is_a_part_of_the_request_that_asked_for_it")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(watched, FastAPI)])
        .body(block![
            do_(py!(register(http).await)),
            do_(py!(watched.state.dispatcher.drain().await)),
            assign(request, py!(recorder.of("POST /auth/register"))),
            assign(job, py!(recorder.of("run deliver_email"))),
            assert_(py!(job.name == "run deliver_email")),
            assert_(py!(ids_of(job)[0] == int(TRACE, 16))),
            assert_(py!(job.parent != None)),
            assert_(py!((job.parent.trace_id, job.parent.span_id) == ids_of(request))),
            assert_(py!(is_!(job.status.status_code, StatusCode.UNSET)))
        ])
}

fn test_a_job_that_fails_is_told_by_the_type_of_its_error() -> FunctionDef {
    names!(watched, recorder, monkeypatch, kind, database, session, span);
    async_def("test_a_job_that_fails_is_told_by_the_type_of_its_error")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([
            param(watched, FastAPI),
            param(recorder, Recorder),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(none())
        .body(block![
            assign(kind, py!(JobKind("failing", Nothing))),
            do_(py!(monkeypatch.setitem(HANDLERS, kind.name, Handler(kind, fail_as_job)))),
            ann_assign(database, Database, py!(watched.state.database)),
            async_with_as(
                py!(database.session()),
                session,
                block![
                    do_(py!(enqueue(session, kind, Nothing()))),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(watched.state.dispatcher.drain().await)),
            do_(py!(database.close().await)),
            assign(span, py!(recorder.of("run failing"))),
            assert_(py!(span.parent == None)),
            assert_(py!(is_!(span.status.status_code, StatusCode.ERROR))),
            assert_(py!(attributes_of(span)["error.type"] == "RuntimeError")),
            assert_(py!(not_in!("a secret", recorder.written)))
        ])
}

fn test_a_defect_is_told_by_its_type() -> FunctionDef {
    names!(http, recorder, watched, span);
    traced_test("test_a_defect_is_told_by_its_type").params([param(watched, FastAPI)]).body(block![
        do_(py!(watched.add_api_route("/tests/fail", fail))),
        assert_(py!(http.get("/tests/fail").await.status_code == 500)),
        assign(span, py!(recorder.of("GET /tests/fail"))),
        assert_(py!(is_!(span.status.status_code, StatusCode.ERROR))),
        assert_(py!(attributes_of(span)["error.type"] == "RuntimeError")),
        assert_(py!(span.events == ())),
        assert_(py!(not_in!("a secret", recorder.written)))
    ])
}

fn test_what_asks_how_it_is_leaves_no_trace(spec: &Spec) -> FunctionDef {
    names!(http, recorder, path);
    let metrics = spec.observability.is_public().then_some("/metrics");
    let paths = ["/health", "/health/live", "/health/ready"].into_iter().chain(metrics);
    traced_test("test_what_asks_how_it_is_leaves_no_trace").body(block![
        for_(path, tuple(paths), [assert_(py!(http.get(path).await.status_code == 200))]),
        assert_(py!(recorder.spans == ()))
    ])
}

fn test_a_webhook_is_told_by_its_host() -> FunctionDef {
    names!(recorder, settings, receiver, url, span, received);
    async_def("test_a_webhook_is_told_by_its_host")
        .params([param(recorder, Recorder), param(settings, Settings), param(receiver, Receiver)])
        .returns(none())
        .body(block![
            assign(url, py!(f!("{}/a-secret?token=a-secret", receiver.url))),
            do_(py!(Outbound(settings).post(url, "a-secret", dict!()).await)),
            assign(py!([span]), py!(recorder.spans)),
            assert_(py!(is_!(span.kind, SpanKind.CLIENT))),
            assert_(py!(span.attributes
                == dict!(
                    "http.request.method" => "POST",
                    "server.address" => LOCALHOST,
                    "http.response.status_code" => 204
                ))),
            assert_(py!(not_in!("a-secret", recorder.written))),
            assign(py!([received]), py!(receiver.received)),
            assert_(py!(not_in!("traceparent", received.headers)))
        ])
}

fn test_a_webhook_that_fails() -> FunctionDef {
    names!(recorder, settings, receiver, span, url);
    async_def("test_a_webhook_that_is_not_taken_has_failed")
        .params([param(recorder, Recorder), param(settings, Settings), param(receiver, Receiver)])
        .returns(none())
        .body(block![
            do_(py!(receiver.answers.append(500))),
            do_(py!(Outbound(settings).post(receiver.url, "", dict!()).await)),
            assign(url, py!(f!("http://{}:{}", LOCALHOST, free_port()))),
            with(
                py!(pytest.raises(ClientError)),
                [do_(py!(Outbound(settings).post(url, "", dict!()).await))]
            ),
            assert_(py!(list!(span.status.status_code for span in recorder.spans)
                == [StatusCode.ERROR, StatusCode.ERROR]))
        ])
}

fn test_a_record_of_the_log_names_the_span() -> FunctionDef {
    names!(recorder, record, inside, outside, span, trace_id, span_id);
    def("test_a_record_of_the_log_names_the_span")
        .params([param(recorder, Recorder)])
        .returns(none())
        .body(block![
            assign(
                record,
                py!(logging.LogRecord("app.tests", logging.INFO, "tests", 1, "words", None, None))
            ),
            with(
                py!(traced("work", SpanKind.INTERNAL, dict!())),
                [assign(inside, py!(json.loads(JsonFormatter().format(record))))]
            ),
            assign(py!([span]), py!(recorder.spans)),
            assign(py!((trace_id, span_id)), py!(ids_of(span))),
            assert_(py!(inside["trace_id"] == f!("{:032x}", trace_id))),
            assert_(py!(inside["span_id"] == f!("{:016x}", span_id))),
            assign(outside, py!(json.loads(JsonFormatter().format(record)))),
            assert_(py!(not_in!("trace_id", outside)))
        ])
}

fn test_without_a_collector_nothing_is_traced() -> FunctionDef {
    names!(recorder, settings, app, client);
    async_def("test_without_a_collector_nothing_is_traced")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(recorder, Recorder), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(app, py!(create_app(settings))),
            async_with_as(
                py!(serving(app)),
                client,
                block![
                    do_(py!(register(client).await)),
                    do_(py!(app.state.dispatcher.drain().await))
                ]
            ),
            assert_(py!(start_tracing(settings) == None)),
            assert_(py!(list!(
                span for span in recorder.spans if is_not!(span.kind, SpanKind.CONSUMER)
            ) == []))
        ])
}

fn test_the_collector_is_named_as_elsewhere() -> FunctionDef {
    names!(base, whole, expected, settings);
    def("test_the_collector_is_named_as_elsewhere")
        .decorator(py!(pytest.mark.parametrize(
            ("base", "whole", "expected"),
            [
                (None, None, None),
                ("http://one:4318", None, "http://one:4318/v1/traces"),
                ("http://one:4318/", None, "http://one:4318/v1/traces"),
                ("http://one:4318", "http://two/in", "http://two/in"),
                (None, "http://two/in", "http://two/in")
            ]
        )))
        .params([
            param(base, py!(str | None)),
            param(whole, py!(str | None)),
            param(expected, py!(str | None)),
        ])
        .returns(none())
        .body(block![
            assign(
                settings,
                py!(Settings(
                    otel_exporter_otlp_endpoint = base,
                    otel_exporter_otlp_traces_endpoint = whole
                ))
            ),
            assert_(py!(traces_endpoint(settings) == expected))
        ])
}

fn test_a_server_sends_its_traces_before_it_ends(spec: &Spec) -> FunctionDef {
    let service = spec.project.name.as_str();
    names!(settings, collector, port, variables, url, running, client, spans, request, job);
    names!(resource, attributes, one, command);
    let billing = spec.billing.as_ref().map(|_| ("BILLING_WORKER".into_expr(), string("false")));
    let environment = [
        ("ENVIRONMENT", string("test")),
        ("DATABASE_URL", py!(settings.database_url)),
        ("SECRET_KEY", py!(settings.secret_key.get_secret_value())),
        ("JOB_POLL_SECONDS", string("0")),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.into_expr()),
        ("OTEL_EXPORTER_OTLP_HEADERS", string("api-key=a-key")),
        ("OTEL_BSP_SCHEDULE_DELAY", string("60000")),
    ];
    let environment = environment.map(|(variable, value)| (string(variable), value));
    async_def("test_a_server_sends_its_traces_before_it_ends")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(collector, py!(Collector())),
            assign(port, py!(free_port())),
            assign(
                command,
                py!([*python("uvicorn"), "--factory", "app.main:create_app", "--port", str(port)])
            ),
            async_with_as(
                py!(collector.serving()),
                url,
                block![
                    assign(
                        variables,
                        astgen_pyast::make::dict(environment.into_iter().chain(billing))
                    ),
                    with_as(
                        py!(process(command, variables)),
                        running,
                        block![
                            do_(py!(wait_until(|| answers(port)))),
                            async_with_as(
                                py!(AsyncClient(base_url = f!("http://{}:{}", LOCALHOST, port))),
                                client,
                                block![
                                    do_(py!(register(client).await)),
                                    do_(py!(client.get("/a-secret?token=a-secret").await))
                                ]
                            ),
                            do_(py!(running.terminate())),
                            do_(py!(to_thread.run_sync(running.wait, START_SECONDS).await))
                        ]
                    )
                ]
            ),
            assert_(py!(set!(*collector.keys) == set!("a-key"))),
            assert_(py!(not_in!(
                { astgen_pyast::make::bytes(b"a-secret") },
                { astgen_pyast::make::bytes(b"") }.join(collector.bodies)
            ))),
            assign(spans, py!(collector.spans)),
            assign(
                py!((request, job)),
                py!((spans["POST /auth/register"], spans["run deliver_email"]))
            ),
            assert_(py!(request.trace_id.hex() == TRACE)),
            assert_(py!(request.parent_span_id.hex() == PARENT)),
            assert_(py!((job.trace_id, job.parent_span_id) == (request.trace_id, request.span_id))),
            assert_(py!(spans["INSERT"].trace_id == request.trace_id)),
            assert_(py!(not_in!("fastapi.endpoint", spans))),
            assign(resource, py!(collector.resources[0].resource)),
            assign(
                attributes,
                py!(dict!(one.key => one.value.string_value for one in resource.attributes))
            ),
            assert_(py!(attributes["service.name"] == service))
        ])
}
