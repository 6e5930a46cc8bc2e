//! `backend/tests/test_server.py`: the server as it runs: in processes of its own, under load, and told to stop.

use crate::core::draining::draining;
use crate::core::settings::Settings;
use crate::models::base::Record;
use crate::models::package::{Email, Job, User};
use crate::python::builtins::{TYPE, bytes, int, len, list, range, set, str, tuple};
use crate::python::httpx2::AsyncClient;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{func, make_url, select};
use crate::python::standard::{
    AsyncGenerator, FrameType, Path, asynccontextmanager, asyncio, signal, subprocess, time, uuid4,
};
use crate::spec::Spec;
use crate::tests::databases::{SERVER_URL, execute};
use crate::tests::servers::{
    LOCALHOST, START_SECONDS, answers, free_port, process, python, wait_until,
};
use crate::tests::world::{PASSWORD, World, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_server": CLIENTS, TERMINATE, ALLOW, serving, ask, register, count_rows, count_writers;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_measured = spec.observability.metrics;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'";
    module("tests.test_server")
        .docstring("The server as it runs: in processes of its own, under load, told to stop.")
        .body(block![
            assign(CLIENTS, 4),
            assign(TERMINATE, terminate),
            assign(ALLOW, "ALTER DATABASE \"{}\" ALLOW_CONNECTIONS {}"),
            serving_def(spec),
            ask_def(),
            register_def(),
            count_rows_def(),
            is_measured.then(|| block![
                count_writers_def(),
                test_processes_count_together(spec.observability.has_port())
            ]),
            test_a_server_that_is_told_to_stop_says_so_first(),
            test_told_again_it_stops_at_once(),
            test_a_database_that_restarts_is_no_failure(),
            test_a_database_that_is_away_for_a_while()
        ])
}

fn serving_def(spec: &Spec) -> FunctionDef {
    names!(settings, options, port, variables, others, command, running, http, drain_seconds);
    let billing = spec.billing.as_ref().map(|_| ("BILLING_WORKER", string("false")));
    let environment = [
        ("ENVIRONMENT", string("test")),
        ("DATABASE_URL", py!(settings.database_url)),
        ("SECRET_KEY", py!(settings.secret_key.get_secret_value())),
        ("JOB_POLL_SECONDS", string("0")),
        ("DRAIN_SECONDS", py!(str(drain_seconds))),
        ("LOG_LEVEL", string("WARNING")),
        ("RATE_LIMITING", string("false")),
        ("PASSWORD_TIME_COST", string("1")),
        ("PASSWORD_MEMORY_KIB", string("8")),
    ];
    let environment = astgen_pyast::make::dict(environment.into_iter().chain(billing));
    let program = match spec.observability.metrics {
        true => py!(python("app.serve")),
        false => py!([*python("uvicorn"), "--factory", "app.main:create_app"]),
    };
    async_def(serving)
        .decorator(asynccontextmanager)
        .params([
            param(settings, Settings),
            star(),
            param(options, py!(tuple[(str, ellipsis!())])).default(py!(())),
            param(drain_seconds, int).default(0),
            kwargs(others, str),
        ])
        .returns(py!(AsyncGenerator[(tuple[(AsyncClient, subprocess.Popen[bytes])], None)]))
        .body(block![
            docstring("Start a server, and make sure that all of its processes end."),
            assign(port, py!(free_port())),
            assign(variables, py!({ environment } | others)),
            assign(command, py!([*{ program }, "--port", str(port)])),
            with_as(
                py!(process([*command, "--log-level", "warning", *options], variables)),
                running,
                block![
                    do_(py!(wait_until(|| answers(port)))),
                    async_with_as(
                        py!(AsyncClient(base_url = f!("http://{}:{}", LOCALHOST, port))),
                        http,
                        [do_(py!(yield_!((http, running))))]
                    ),
                    do_(py!(running.terminate())),
                    do_(py!(running.wait(START_SECONDS)))
                ]
            )
        ])
}

fn ask_def() -> FunctionDef {
    names!(http, path, status);
    async_def(ask).params([param(http, AsyncClient), param(path, str)]).returns(int).body(block![
        docstring("Send a request and return the status of the answer."),
        ann_assign(status, int, py!(http.get(path).await.status_code)),
        return_(status)
    ])
}

fn count_writers_def() -> FunctionDef {
    names!(folder);
    def(count_writers).params([param(folder, Path)]).returns(int).body(block![
        docstring("Count the processes that have counted something."),
        return_(py!(len([*folder.glob("counter_*.db")])))
    ])
}

fn test_processes_count_together(has_port: bool) -> FunctionDef {
    names!(settings, tmp_path, http, _running, sent, labels, lines, reads, counted, asked, options);
    names!(stale, folder, port, reader);
    // Who reads at the port of the application is counted, and not who reads at that of the metrics.
    let in_flight =
        if has_port { "http_requests_in_flight 0.0" } else { "http_requests_in_flight 1.0" };
    let at_port = has_port.then(|| kw("METRICS_PORT", py!(str(port))));
    let client = if has_port { reader } else { http };
    let read = [for_(
        reads,
        py!(range(5)),
        block![
            assign(lines, py!(client.get("/metrics").await.text.splitlines())),
            assert_that(py!(in_!(counted, lines)), reads),
            assert_that(py!(in_!(in_flight, lines)), reads)
        ],
    )];
    let read = match has_port {
        true => block![async_with_as(
            py!(AsyncClient(base_url = f!("http://{}:{}", LOCALHOST, port))),
            reader,
            read
        )],
        false => block![read],
    };
    async_def("test_processes_count_together")
        .params([param(settings, Settings), param(tmp_path, Path)])
        .returns(none())
        .body(block![
            docstring("What is in the folder from an earlier start is not counted."),
            assign(stale, py!(tmp_path / "counter_1.db")),
            do_(py!(stale.write_text("left behind"))),
            assign(sent, 0),
            assign(options, py!(("--workers", "2"))),
            has_port.then(|| assign(port, py!(free_port()))),
            assign(folder, py!(str(tmp_path))),
            async_with_as(
                py!(serving(
                    settings,
                    options = options,
                    PROMETHEUS_MULTIPROC_DIR = folder,
                    ..at_port
                )),
                py!((http, _running)),
                block![
                    assert_(py!(!stale.exists())),
                    while_(
                        py!(count_writers(tmp_path) < 2),
                        block![
                            assign(asked, py!(list!(ask(http, "/health/live") for _ in range(50)))),
                            assert_(py!(set(asyncio.gather(*asked).await) == set!(200))),
                            aug_assign(sent, Operator::Add, 50)
                        ]
                    ),
                    assign(labels, "method=\"GET\",route=\"/health/live\",status=\"200\""),
                    assign(counted, py!(f!("http_requests_total{{{}}} {:.1f}", labels, sent))),
                    read
                ]
            )
        ])
}

fn test_a_server_that_is_told_to_stop_says_so_first() -> FunctionDef {
    names!(world, settings, http, running, statuses, told, load, watch, clients);
    names!(ready, started, lasted, model);
    world_test("test_a_server_that_is_told_to_stop_says_so_first")
        .params([param(settings, Settings)])
        .body(block![
            docstring(
                "Whoever sends it requests stops then; up to that, each is answered.\n\
                 \n\
                 What they ask for is there afterwards, once."
            ),
            ann_assign(statuses, py!(list[int]), py!([])),
            assign(told, py!(asyncio.Event())),
            async_with_as(
                py!(serving(settings, drain_seconds = 2)),
                py!((http, running)),
                block![
                    async_def(load).returns(none()).body([while_(
                        py!(!told.is_set()),
                        [do_(py!(statuses.append(register(http).await)))]
                    )]),
                    async_def(watch).returns(none()).body(block![
                        assign(ready, 200),
                        while_(
                            py!(ready == 200),
                            [assign(ready, py!(ask(http, "/health/ready").await))]
                        ),
                        assert_(py!(ready == 503)),
                        do_(py!(told.set()))
                    ]),
                    assign(
                        clients,
                        py!(list!(asyncio.create_task(load()) for _ in range(CLIENTS)))
                    ),
                    do_(py!(asyncio.sleep(1).await)),
                    assign(started, py!(time.monotonic())),
                    do_(py!(running.terminate())),
                    do_(py!(asyncio.gather(watch(), *clients).await)),
                    assert_(py!(running.poll() == None)),
                    do_(py!(running.wait(START_SECONDS))),
                    assign(lasted, py!(time.monotonic() - started))
                ]
            ),
            assert_(py!(set(statuses) == set!(202))),
            assert_(py!(len(statuses) > CLIENTS)),
            assert_(py!(lasted >= 2)),
            assert_(py!(in_!(running.returncode, set!(0, -signal.SIGTERM)))),
            for_(
                model,
                py!((User, Email, Job)),
                [assert_(py!(count_rows(world, model).await == len(statuses)))]
            )
            .paragraph()
        ])
}

fn register_def() -> FunctionDef {
    names!(http, body, status);
    async_def(register).params([param(http, AsyncClient)]).returns(int).body(block![
        docstring("Add an account, which is sent a mail, and return the status of the answer."),
        assign(
            body,
            py!(dict!("email" => f!("{}@example.com", uuid4().hex), "password" => PASSWORD))
        ),
        ann_assign(status, int, py!(http.post("/auth/register", json = body).await.status_code)),
        return_(status)
    ])
}

fn count_rows_def() -> FunctionDef {
    names!(world, model, session, count);
    async_def(count_rows)
        .params([param(world, World), param(model, py!(TYPE[Record]))])
        .returns(int)
        .body(block![
            docstring("Count what the database holds."),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(count, py!(session.scalar(select(func.count()).select_from(model)).await))]
            ),
            return_(py!(count || 0))
        ])
}

/// The tests of a database that can be restarted are skipped without a server.
fn restarting(test: &'static str) -> FunctionDef {
    names!(settings);
    let reason = "a file of SQLite is not restarted";
    world_test(test)
        .decorator(py!(pytest.mark.skipif(SERVER_URL == None, reason = reason)))
        .params([param(settings, Settings)])
}

fn test_a_database_that_is_away_for_a_while() -> FunctionDef {
    names!(world, settings, server, database, during, after, model);
    let switch = |allowed: &str| {
        let allowed = py!(ALLOW.format(database, allowed));
        do_(py!(execute(server, allowed).await))
    };
    restarting("test_a_database_that_is_away_for_a_while").body(block![
        docstring("Who is told so has nothing; who is answered has what was asked for."),
        assert_(py!(SERVER_URL != None)),
        assign(
            py!((server, database)),
            py!((make_url(SERVER_URL), make_url(settings.database_url).database))
        ),
        switch("false"),
        try_(block![
            do_(py!(execute(server, TERMINATE.format(database)).await)),
            assign(during, py!(register(world.http).await)),
            assert_(py!(ask(world.http, "/health/ready").await == 503)),
            assert_(py!(ask(world.http, "/health/live").await == 200))
        ])
        .finally([switch("true")]),
        assign(after, py!(register(world.http).await)),
        assert_(py!(during >= 500)).paragraph(),
        assert_(py!(after == 202)),
        for_(model, py!((User, Email, Job)), [assert_(py!(count_rows(world, model).await == 1))])
    ])
}

fn test_a_database_that_restarts_is_no_failure() -> FunctionDef {
    names!(world, settings, ada, database, before);
    restarting("test_a_database_that_restarts_is_no_failure").body(block![
        assert_(py!(SERVER_URL != None)),
        assign(ada, py!(world.sign_up("ada@example.com").await)),
        assign(before, py!(ada.organization().await)),
        assign(database, py!(make_url(settings.database_url).database)),
        do_(py!(execute(make_url(SERVER_URL), TERMINATE.format(database)).await)),
        assert_(py!(ada.organization().await == before))
    ])
}

fn test_told_again_it_stops_at_once() -> FunctionDef {
    names!(heard, before, number, _frame, stop);
    let tell = || do_(py!(signal.raise_signal(signal.SIGTERM)));
    async_def("test_told_again_it_stops_at_once").returns(none()).body(block![
        ann_assign(heard, py!(list[str]), py!([])),
        def(stop)
            .params([param(number, int), param(_frame, py!(FrameType | None))])
            .returns(none())
            .body([do_(py!(heard.append(f!("stop {}", number))))]),
        assign(before, py!(signal.signal(signal.SIGTERM, stop))),
        try_(block![
            with(
                py!(draining(|| heard.append("not ready"), seconds = 0.05)),
                block![
                    tell(),
                    assert_(py!(heard == ["not ready"])),
                    do_(py!(asyncio.sleep(0.2).await)),
                    assert_(py!(heard == ["not ready", "stop 15"])),
                    tell(),
                    assert_(py!(heard == ["not ready", "stop 15", "stop 15"]))
                ]
            ),
            assert_(py!(is_!(signal.getsignal(signal.SIGTERM), stop)))
        ])
        .finally([do_(py!(signal.signal(signal.SIGTERM, before)))])
    ])
}
