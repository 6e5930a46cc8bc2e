//! `backend/tests/test_metrics.py`: metrics.

use crate::app_main::create_app;
use crate::core::connections::most_connections;
use crate::core::database::Database;
use crate::core::jobs::{JobAbortedError, JobKind, enqueue};
use crate::core::metrics::{Metrics, forget_the_dead, read_metrics};
use crate::core::plans::SubscriptionStatus;
use crate::core::settings::{Environment, Settings};
use crate::models::base::utcnow;
use crate::models::job::{Job, JobStatus};
use crate::python::builtins::{
    Exception, OSError, RuntimeError, any, float, list, range, set, str,
};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::AsyncClient;
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::update;
use crate::python::standard::{AsyncGenerator, Path, os, subprocess, sys, timedelta, uuid4};
use crate::services::job_clock::JobClock;
use crate::services::job_context::JobContext;
use crate::services::job_dispatcher::InlineDispatcher;
use crate::services::job_registry::{HANDLERS, Handler};
use crate::services::maintenance::{Nothing, PRUNE};
use crate::spec::{EntityNames, Spec};
use crate::tests::servers::{LOCALHOST, answers, free_port, serving};
use crate::tests::world::{sign_up, world_test};
use crate::tests::world_billing::find_payer;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_metrics": PROBE, measured, http, fail, lines;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let create = readable(spec);
    module("tests.test_metrics").docstring("Metrics.").body(block![
        assign(PROBE, py!(JobKind("measured", Nothing, max_attempts = 2))),
        spec.observability.has_port().then(measured_def),
        http_def(create),
        fail_def(),
        lines_def(),
        test_requests_are_counted_by_the_template_of_their_route(spec),
        test_successes_are_no_errors(),
        test_unknown_paths_and_methods_share_a_label(),
        test_the_request_for_the_metrics_is_in_flight(),
        test_connections_are_counted_while_they_are_in_use(create),
        test_a_defect_is_counted(create),
        spec.observability.has_token().then(|| block![
            test_the_metrics_can_ask_for_a_token(),
            test_without_a_token_production_shows_no_metrics()
        ]),
        spec.observability.has_port().then(test_the_metrics_have_a_port),
        test_applications_do_not_share_metrics(),
        test_what_waits_is_counted(create, spec.billing.is_some()),
        spec.billing.as_ref().map(|_| test_what_a_person_has_to_look_at_is_counted(create)),
        test_jobs_are_counted_by_how_they_end(),
        test_jobs_of_a_worker_that_was_lost_are_counted(),
        test_without_a_database_the_rest_is_measured(create),
        test_a_process_that_was_killed_is_forgotten()
    ])
}

/// What makes an application whose clients can read its metrics.
fn readable(spec: &Spec) -> Import {
    if spec.observability.has_port() { measured } else { create_app }
}

fn measured_def() -> FunctionDef {
    names!(settings, app);
    def(measured).params([param(settings, Settings)]).returns(FastAPI).body(block![
        docstring("Create an application that shows its metrics to visitors too."),
        assign(app, py!(create_app(settings))),
        do_(py!(app.add_api_route("/metrics", read_metrics, include_in_schema = false))),
        return_(app)
    ])
}

/// `async with serving(…) as http: found = await lines(http)`, of an application on the database of the test.
fn find_lines(create: Import) -> With {
    names!(world, found);
    async_with_as(
        py!(serving(create(world.app.state.settings))),
        http,
        [assign(found, py!(lines(http).await))],
    )
}

fn http_def(create: Import) -> FunctionDef {
    names!(settings);
    async_def(http)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings)])
        .returns(py!(AsyncGenerator[(AsyncClient, None)]))
        .body(block![async_with_as(
            py!(serving(create(settings))),
            http,
            [do_(py!(yield_!(http)))]
        )])
}

fn fail_def() -> FunctionDef {
    async_def(fail)
        .returns(none())
        .body(block![docstring("Fail in a way that nobody foresaw."), raise(RuntimeError)])
}

fn lines_def() -> FunctionDef {
    async_def(lines).params([param(http, AsyncClient)]).returns(py!(list[str])).body(block![
        docstring("Read the metrics."),
        return_(py!(http.get("/metrics").await.text.splitlines()))
    ])
}

fn test_requests_are_counted_by_the_template_of_their_route(spec: &Spec) -> FunctionDef {
    names!(name, found, route, labels, errors, timed);
    let organization = || [string("/organizations/"), formatted(name)].into_iter();
    let (path, template) = match spec.entities.first().map(|entity| &entity.names) {
        Some(EntityNames { path, id, .. }) => (
            organization().chain([string(format!("/{path}/")), formatted(py!(uuid4()))]).collect(),
            format!("/organizations/{{organization_id}}/{path}/{{{id}}}"),
        ),
        None => (organization().collect::<Vec<_>>(), "/organizations/{organization_id}".to_owned()),
    };
    async_def("test_requests_are_counted_by_the_template_of_their_route")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            for_(name, py!(("one", "two")), [do_(py!(http.get({ f_string(path) }).await))]),
            assign(found, py!(lines(http).await)),
            assign(route, template),
            assign(labels, py!(f!("method=\"GET\",route=\"{}\",status=\"401\"", route))),
            assert_(py!(in_!(f!("http_requests_total{{{}}} 2.0", labels), found))),
            assign(errors, py!(f!("route=\"{}\",status=\"401\"", route))),
            assert_(py!(in_!(f!("http_error_responses_total{{{}}} 2.0", errors), found))),
            assign(timed, py!(f!("method=\"GET\",route=\"{}\"", route))),
            assert_(py!(in_!(f!("http_request_duration_seconds_count{{{}}} 2.0", timed), found)))
        ])
}

fn test_successes_are_no_errors() -> FunctionDef {
    names!(found, labels);
    async_def("test_successes_are_no_errors")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            do_(py!(http.get("/health/live").await)),
            assign(found, py!(lines(http).await)),
            assign(labels, "method=\"GET\",route=\"/health/live\",status=\"200\""),
            assert_(py!(in_!(f!("http_requests_total{{{}}} 1.0", labels), found))),
            assert_(py!(!any(
                generator!(line.startswith("http_error_responses_total{") for line in found)
            )))
        ])
}

fn test_unknown_paths_and_methods_share_a_label() -> FunctionDef {
    names!(name, labels);
    async_def("test_unknown_paths_and_methods_share_a_label")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            for_(
                name,
                py!(("one", "two")),
                [do_(py!(http.request(name.upper(), f!("/{}", name)).await))]
            ),
            assign(labels, "method=\"_OTHER\",route=\"unmatched\",status=\"404\""),
            assert_(py!(in_!(f!("http_requests_total{{{}}} 2.0", labels), lines(http).await)))
        ])
}

fn test_the_request_for_the_metrics_is_in_flight() -> FunctionDef {
    async_def("test_the_request_for_the_metrics_is_in_flight")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            assert_(py!(in_!("http_requests_in_flight 1.0", lines(http).await))),
            assert_(py!(in_!("http_requests_in_flight 1.0", lines(http).await)))
        ])
}

fn test_connections_are_counted_while_they_are_in_use(create: Import) -> FunctionDef {
    names!(settings, app, database, during, after, most);
    let in_use = |count: &str| format!("database_connections_in_use {count}.0");
    async_def("test_connections_are_counted_while_they_are_in_use")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(app, py!(create(settings))),
            ann_assign(database, Database, py!(app.state.database)),
            async_with_as(
                py!(serving(app)),
                http,
                block![
                    async_with(
                        py!(database.engine.connect()),
                        [assign(during, py!(lines(http).await))]
                    ),
                    assign(after, py!(lines(http).await))
                ]
            ),
            assert_(py!(in_!({ in_use("1") }, during))),
            assert_(py!(in_!({ in_use("0") }, after))),
            assign(most, py!(most_connections(database.engines))),
            assert_(py!(in_!(f!("database_connections_limit {}.0", most), after)))
        ])
}

fn test_a_defect_is_counted(create: Import) -> FunctionDef {
    names!(settings, app, labels);
    async_def("test_a_defect_is_counted").params([param(settings, Settings)]).returns(none()).body(
        block![
            assign(app, py!(create(settings))),
            do_(py!(app.add_api_route("/tests/fail", fail))),
            async_with_as(
                py!(serving(app)),
                http,
                block![
                    do_(py!(http.get("/tests/fail").await)),
                    assign(labels, "method=\"GET\",route=\"/tests/fail\",status=\"500\""),
                    assert_(py!(in_!(
                        f!("http_requests_total{{{}}} 1.0", labels),
                        lines(http).await
                    )))
                ]
            )
        ],
    )
}

fn test_the_metrics_can_ask_for_a_token() -> FunctionDef {
    names!(settings, token, app, wrong, right);
    async_def("test_the_metrics_can_ask_for_a_token")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(token, py!(SecretStr("a token"))),
            assign(
                app,
                py!(create_app(settings.model_copy(update = dict!("metrics_token" => token))))
            ),
            async_with_as(
                py!(serving(app)),
                http,
                block![
                    assert_(py!(http.get("/metrics").await.status_code == 401)),
                    assign(wrong, py!(dict!("Authorization" => "Bearer another"))),
                    assert_(py!(http.get("/metrics", headers = wrong).await.status_code == 401)),
                    assign(right, py!(dict!("Authorization" => "Bearer a token"))),
                    assert_(py!(http.get("/metrics", headers = right).await.status_code == 200))
                ]
            )
        ])
}

fn test_without_a_token_production_shows_no_metrics() -> FunctionDef {
    names!(settings, production, app);
    async_def("test_without_a_token_production_shows_no_metrics")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(production, py!(dict!("environment" => Environment.PRODUCTION))),
            assign(app, py!(create_app(settings.model_copy(update = production)))),
            async_with_as(
                py!(serving(app)),
                http,
                [assert_(py!(http.get("/metrics").await.status_code == 401))]
            )
        ])
}

/// Two applications listen, as two workers do; the connections to the port go to one or the other.
fn test_the_metrics_have_a_port() -> FunctionDef {
    names!(settings, port, chosen, one, other, reader, found);
    async_def("test_the_metrics_have_a_port")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(port, py!(free_port())),
            assign(chosen, py!(settings.model_copy(update = dict!("metrics_port" => port)))),
            assign(py!((one, other)), py!((create_app(chosen), create_app(chosen)))),
            async_with(
                py!(one.router.lifespan_context(one)),
                block![
                    assert_(py!(http.get("/metrics").await.status_code == 404)),
                    async_with_as(
                        py!(AsyncClient(base_url = f!("http://{}:{}", LOCALHOST, port))),
                        reader,
                        [assign(found, py!(lines(reader).await))]
                    ),
                    assert_(py!(in_!("http_requests_in_flight 0.0", found)))
                ]
            )
            .and(py!(other.router.lifespan_context(other)))
            .and_as(py!(serving(one)), http),
            assert_(py!(!answers(port)))
        ])
}

fn test_applications_do_not_share_metrics() -> FunctionDef {
    names!(settings, first, second);
    def("test_applications_do_not_share_metrics")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            ann_assign(first, Metrics, py!(create_app(settings).state.metrics)),
            ann_assign(second, Metrics, py!(create_app(settings).state.metrics)),
            assert_(py!(is_not!(first.registry, second.registry)))
        ])
}

fn test_jobs_are_counted_by_how_they_end() -> FunctionDef {
    names!(
        world,
        monkeypatch,
        ends,
        act,
        session,
        job_id,
        dispatcher,
        metrics,
        read,
        outcome,
        timed
    );
    names!(_context, _payload);
    let kind = py!(dict!("kind" => PROBE.name));
    let act_def = async_def(act)
        .params([param(_context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body([if_(py!(ends), [raise(py!(ends.pop()))])]);
    let due = py!(update(Job).r#where(Job.kind == PROBE.name, Job.status == JobStatus.QUEUED));
    let due = py!({ due }.values(run_at = utcnow()).returning(Job.id));
    world_test("test_jobs_are_counted_by_how_they_end")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            docstring("One job fails, comes again and succeeds; another one is given up."),
            ann_assign(ends, py!(list[Exception]), py!([JobAbortedError("no use"), OSError()])),
            act_def,
            do_(py!(monkeypatch.setitem(HANDLERS, PROBE.name, Handler(PROBE, act)))),
            ann_assign(dispatcher, InlineDispatcher, py!(world.app.state.dispatcher)),
            ann_assign(metrics, Metrics, py!(world.app.state.metrics)),
            for_(
                name("_"),
                py!(range(2)),
                [async_with_as(
                    py!(world.database.session()),
                    session,
                    block![
                        do_(py!(enqueue(session, PROBE, Nothing()))),
                        do_(py!(session.commit().await)),
                        do_(py!(dispatcher.drain().await))
                    ]
                )]
            ),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(job_id, py!(session.scalar({ due }).await)),
                    do_(py!(session.commit().await))
                ]
            ),
            assert_(py!(job_id != None)),
            do_(py!(dispatcher.runner.run(job_id).await)),
            assign(read, py!(metrics.registry.get_sample_value)),
            for_(
                outcome,
                py!(("succeeded", "retried", "dead")),
                [assert_(py!(read(
                    "background_job_attempts_total",
                    dict!("kind" => PROBE.name, "outcome" => outcome)
                ) == 1))]
            ),
            assign(timed, py!(read("background_job_duration_seconds_count", { kind }))),
            assert_(py!(timed == 3))
        ])
}

fn test_jobs_of_a_worker_that_was_lost_are_counted() -> FunctionDef {
    names!(world, clock, metrics, past, number, session, job, read, lost);
    let labels = py!(dict!("kind" => PROBE.name, "outcome" => "lost"));
    world_test("test_jobs_of_a_worker_that_was_lost_are_counted").body(block![
        docstring("One may be tried again, another one was on its last attempt."),
        ann_assign(clock, JobClock, py!(world.app.state.clock)),
        ann_assign(metrics, Metrics, py!(world.app.state.metrics)),
        assign(past, py!(utcnow() - timedelta(seconds = 1))),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                for_(
                    number,
                    py!((1, PROBE.max_attempts)),
                    block![
                        assign(
                            job,
                            py!(enqueue(session, PROBE, Nothing(), delay = timedelta(hours = 1)))
                        ),
                        assign(py!((job.status, job.attempts)), py!((JobStatus.RUNNING, number))),
                        assign(py!(job.leased_until), past)
                    ]
                ),
                do_(py!(session.commit().await))
            ]
        ),
        do_(py!(clock.revive().await)),
        do_(py!(clock.revive().await)),
        assign(read, py!(metrics.registry.get_sample_value)),
        assign(lost, py!(read("background_job_attempts_total", { labels }))),
        assert_(py!(lost == 2))
    ])
}

fn test_what_waits_is_counted(create: Import, bills: bool) -> FunctionDef {
    names!(world, hour, status, session, job, found, waited, text);
    names!(state, count, labels);
    let no_events = "billing_events_unhandled{status=\"failed\"} 0.0";
    world_test("test_what_waits_is_counted").body(block![
        assign(hour, py!(timedelta(hours = 1))),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                for_(
                    status,
                    py!((JobStatus.QUEUED, JobStatus.DEAD, JobStatus.SUCCEEDED)),
                    block![
                        assign(job, py!(enqueue(session, PRUNE, Nothing(), delay = hour))),
                        assign(py!((job.status, job.run_at)), py!((status, utcnow() - hour)))
                    ]
                ),
                do_(py!(session.commit().await))
            ]
        ),
        find_lines(create),
        for_(
            py!((state, count)),
            py!((("queued", 1), ("running", 0), ("dead", 1))),
            block![
                assign(labels, py!(f!("kind=\"prune\",status=\"{}\"", state))),
                assert_(py!(in_!(f!("background_jobs{{{}}} {:.1f}", labels, count), found)))
            ]
        ),
        assign(
            py!([text]),
            py!(list!(line for line in found
                if line.startswith("background_jobs_oldest_due_seconds ")))
        ),
        assign(waited, py!(float(text.split()[1]))),
        assert_(py!(chain!(hour.total_seconds(), "<=", waited, "<", 2 * hour.total_seconds()))),
        bills.then(|| assert_(py!(in_!(no_events, found))))
    ])
}

fn test_what_a_person_has_to_look_at_is_counted(create: Import) -> FunctionDef {
    names!(world, ada, session, payer, found, reason, labels);
    world_test("test_what_a_person_has_to_look_at_is_counted").body(block![
        sign_up(world, ada),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(payer, py!(find_payer(session, ada.organization().await).await)),
                assign(py!(payer.price_is_unknown), true),
                assign(py!(payer.subscription_status), py!(SubscriptionStatus.UNKNOWN)),
                do_(py!(session.commit().await))
            ]
        ),
        find_lines(create),
        for_(
            reason,
            py!(("status", "price")),
            block![
                assign(labels, py!(f!("reason=\"{}\"", reason))),
                assert_(py!(in_!(f!("billing_subscriptions_unclear{{{}}} 1.0", labels), found)))
            ]
        )
    ])
}

fn test_without_a_database_the_rest_is_measured(create: Import) -> FunctionDef {
    names!(settings, nowhere, app, found);
    let url = "sqlite+aiosqlite:////nowhere/at/all.db";
    async_def("test_without_a_database_the_rest_is_measured")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(nowhere, py!(settings.model_copy(update = dict!("database_url" => url)))),
            assign(app, py!(create(nowhere))),
            async_with_as(py!(serving(app)), http, [assign(found, py!(lines(http).await))]),
            assert_(py!(in_!("http_requests_in_flight 1.0", found))),
            assert_(py!(!any(generator!(line.startswith("background_jobs") for line in found))))
        ])
}

fn test_a_process_that_was_killed_is_forgotten() -> FunctionDef {
    names!(tmp_path, ended, process, alive, dead, total, file);
    def("test_a_process_that_was_killed_is_forgotten")
        .params([param(tmp_path, Path)])
        .returns(none())
        .body(block![
            docstring("What it had in flight, that is; what it answered was answered."),
            assign(ended, py!(subprocess.Popen([sys.executable, "-c", ""]))),
            do_(py!(ended.wait())),
            assign(
                py!([alive, dead]),
                py!(list!(tmp_path / f!("gauge_livesum_{}.db", process)
                    for process in (os.getpid(), ended.pid)))
            ),
            assign(total, py!(tmp_path / f!("counter_{}.db", ended.pid))),
            for_(file, py!((alive, dead, total)), [do_(py!(file.touch()))]),
            do_(py!(forget_the_dead(tmp_path))),
            assert_(py!(set(tmp_path.iterdir()) == set!(alive, total)))
        ])
}
