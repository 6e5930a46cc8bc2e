//! `backend/tests/test_worker.py`: jobs that wait in Redis, and workers in processes of their own.

use crate::app_main::create_app;
use crate::core::database::Database;
use crate::core::jobs::{JobKind, Ticket, enqueue};
use crate::core::metrics::Metrics;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::email::EmailStatus;
use crate::models::job::JobStatus;
use crate::models::package::{Email, Job};
use crate::python::aiosmtpd::Controller;
use crate::python::anyio::{anyio, to_thread};
use crate::python::builtins::{TimeoutError, dict, int, list, object, range, set, sorted, str};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::{ASGITransport, AsyncClient};
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::rq::{JSONSerializer, Worker, send_kill_horse_command};
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{
    AsyncGenerator, Generator, Path, asynccontextmanager, contextmanager, socket, timedelta, uuid4,
};
use crate::services::job_clock::JobClock;
use crate::services::job_context::JobContext;
use crate::services::job_registry::{HANDLERS, Handler};
use crate::services::maintenance::{Nothing, PRUNE};
use crate::services::outbox::DELIVER_EMAIL;
use crate::services::rq_dispatcher::{RqDispatcher, THREADS};
use crate::spec::{EmailBackend, Spec};
use crate::tests::servers::{
    LOCALHOST, START_SECONDS, free_port, process, python, redis_server, wait_until,
};
use crate::tests::test_smtp::Postbox;
use crate::tests::world::{PASSWORD, World};
use crate::worker::{WorkerSettingsError, queue_url, work_off};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services": rq_dispatcher;
    "tests.test_worker": PATIENCE_SECONDS, ASKING, redis_url, running, queueing, variables,
        register, statuses_of_jobs, status_of_job, wait_for, change_job, tick, kill_job, silent_server;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let sends_mail = spec.email.backend == EmailBackend::Smtp;
    module("tests.test_worker")
        .docstring("Jobs that wait in Redis, and workers in processes of their own.")
        .body(block![
            assign(PATIENCE_SECONDS, 30)
                .paragraph()
                .comment("RQ and redis leave some of their types open.")
                .comment("pyright: reportUnknownMemberType=false"),
            assign(ASKING, py!(JobKind("asking", Nothing))),
            redis_url_def(),
            running_def(),
            queueing_def(),
            variables_def(),
            register_def(),
            statuses_of_jobs_def(),
            status_of_job_def(),
            wait_for_def(),
            change_job_def(),
            tick_def(),
            silent_server_def(),
            sends_mail.then(kill_job_def),
            test_a_worker_runs_what_the_queue_holds(),
            spec.observability.metrics.then(|| block![
                test_a_worker_tells_what_its_jobs_were(),
                test_a_worker_that_nobody_asks_leaves_no_files()
            ]),
            test_a_job_is_in_the_queue_once(),
            sends_mail.then(|| {
                test_a_job_of_a_worker_that_was_killed_is_done_once(spec.observability.metrics)
            }),
            test_without_redis_requests_answer_and_jobs_wait(),
            test_redis_can_be_gone_for_a_while(),
            test_a_redis_that_hangs_holds_nobody_up(),
            test_a_job_hands_over_the_jobs_that_it_asks_for(),
            test_a_worker_needs_a_queue()
        ])
}

fn redis_url_def() -> FunctionDef {
    names!(tmp_path, url);
    def(redis_url)
        .decorator(py!(pytest.fixture))
        .params([param(tmp_path, Path)])
        .returns(py!(Generator[(str, None, None)]))
        .body([with_as(py!(redis_server(tmp_path, free_port())), url, [do_(py!(yield_!(url)))])])
}

fn running_def() -> FunctionDef {
    names!(settings, url, app);
    async_def(running)
        .decorator(asynccontextmanager)
        .params([param(settings, Settings), param(redis_url, str)])
        .returns(py!(AsyncGenerator[(FastAPI, None)]))
        .body(block![
            docstring("Run the application with a queue."),
            assign(url, py!(SecretStr(redis_url))),
            assign(app, py!(create_app(settings.model_copy(update = dict!("redis_url" => url))))),
            async_with(py!(app.router.lifespan_context(app)), [do_(py!(yield_!(app)))])
        ])
}

fn queueing_def() -> FunctionDef {
    names!(settings, app);
    async_def(queueing)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings), param(redis_url, str)])
        .returns(py!(AsyncGenerator[(FastAPI, None)]))
        .body([async_with_as(py!(running(settings, redis_url)), app, [do_(py!(yield_!(app)))])])
}

fn variables_def() -> FunctionDef {
    names!(app, others, settings);
    def(variables)
        .params([param(app, FastAPI), kwargs(others, str)])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Return the environment of a worker."),
            ann_assign(settings, Settings, py!(app.state.settings)),
            assign(redis_url, py!(settings.redis_url)),
            assert_(py!(redis_url != None)),
            return_(py!(dict!(
                "ENVIRONMENT" => "test",
                "DATABASE_URL" => settings.database_url,
                "SECRET_KEY" => settings.secret_key.get_secret_value(),
                "REDIS_URL" => redis_url.get_secret_value(),
                **others
            )))
        ])
}

fn register_def() -> FunctionDef {
    names!(app, email, transport, body, http, response);
    async_def(register).params([param(app, FastAPI), param(email, str)]).returns(none()).body(
        block![
            docstring("Register an account, which asks for a mail."),
            assign(transport, py!(ASGITransport(app))),
            assign(body, py!(dict!("email" => email, "password" => PASSWORD))),
            async_with_as(
                py!(AsyncClient(transport = transport, base_url = "http://test")),
                http,
                [assign(response, py!(http.post("/auth/register", json = body).await))]
            ),
            assert_(py!(response.status_code == 202)),
            do_(py!(app.state.dispatcher.drain().await))
        ],
    )
}

fn statuses_of_jobs_def() -> FunctionDef {
    names!(app, database, session);
    async_def(statuses_of_jobs).params([param(app, FastAPI)]).returns(py!(set[JobStatus])).body(
        block![
            docstring("Return the statuses that jobs have."),
            ann_assign(database, Database, py!(app.state.database)),
            async_with_as(
                py!(database.session()),
                session,
                [return_(py!(set(session.scalars(select(Job.status)).await)))]
            )
        ],
    )
}

fn status_of_job_def() -> FunctionDef {
    names!(app, status);
    async_def(status_of_job).params([param(app, FastAPI)]).returns(JobStatus).body(block![
        docstring("Return the status of the one job."),
        assign(py!((status,)), py!(statuses_of_jobs(app).await)),
        return_(status)
    ])
}

fn wait_for_def() -> FunctionDef {
    names!(app, status);
    async_def(wait_for)
        .params([param(app, FastAPI), param(status, JobStatus)])
        .returns(none())
        .body(block![
            docstring("Wait until every job has a status."),
            for_(
                name("_"),
                py!(range(PATIENCE_SECONDS * 20)),
                block![
                    if_(py!(statuses_of_jobs(app).await == set!(status)), [return_none()]),
                    do_(py!(anyio.sleep(0.05).await))
                ]
            ),
            raise(py!(TimeoutError(status)))
        ])
}

fn change_job_def() -> FunctionDef {
    names!(app, values, database, session);
    async_def(change_job)
        .params([param(app, FastAPI), kwargs(values, object)])
        .returns(none())
        .body(block![
            docstring("Change every job behind the back of the application."),
            ann_assign(database, Database, py!(app.state.database)),
            async_with_as(
                py!(database.session()),
                session,
                block![
                    do_(py!(session.execute(update(Job).values(values)).await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn tick_def() -> FunctionDef {
    names!(app, clock);
    async_def(tick).params([param(app, FastAPI)]).returns(none()).body(block![
        docstring("Let the clock find what got lost."),
        ann_assign(clock, JobClock, py!(app.state.clock)),
        do_(py!(clock.revive().await)),
        do_(py!(clock.dispatcher.dispatch(clock.take_due().await))),
        do_(py!(app.state.dispatcher.drain().await))
    ])
}

fn kill_job_def() -> FunctionDef {
    names!(app, dispatcher, busy);
    def(kill_job).params([param(app, FastAPI)]).returns(none()).body(block![
        docstring("Kill the process that runs the job, without a warning."),
        ann_assign(dispatcher, RqDispatcher, py!(app.state.dispatcher)),
        assign(
            py!((busy,)),
            py!(Worker.all(connection = dispatcher.redis, serializer = JSONSerializer))
        ),
        do_(py!(send_kill_horse_command(dispatcher.redis, busy.name))),
        do_(py!(wait_until(|| dispatcher.queue.failed_job_registry.count == 1)))
    ])
}

fn silent_server_def() -> FunctionDef {
    names!(server, port);
    def(silent_server).decorator(contextmanager).returns(py!(Generator[(int, None, None)])).body(
        block![
            docstring("Listen, and never say a word; return the port."),
            with_as(
                py!(socket.create_server((LOCALHOST, 0))),
                server,
                block![
                    ann_assign(port, int, py!(server.getsockname()[1])),
                    do_(py!(yield_!(port)))
                ]
            )
        ],
    )
}

fn test_a_worker_runs_what_the_queue_holds() -> FunctionDef {
    names!(started, session);
    async_def("test_a_worker_runs_what_the_queue_holds")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(queueing, FastAPI)])
        .returns(none())
        .body(block![
            do_(py!(register(queueing, "ada@example.com").await)),
            assert_(py!(is_!(status_of_job(queueing).await, JobStatus.QUEUED))),
            with_as(
                py!(process(python("app.worker"), variables(queueing))),
                started,
                block![
                    do_(py!(wait_for(queueing, JobStatus.SUCCEEDED).await)),
                    do_(py!(started.terminate())),
                    assert_(py!(anyio.to_thread.run_sync(started.wait, START_SECONDS).await == 0))
                ]
            ),
            async_with_as(
                py!(queueing.state.database.session()),
                session,
                [assert_(py!(
                    list(session.scalars(select(Email.status)).await) == [EmailStatus.SENT]
                ))]
            )
        ])
}

fn test_a_worker_tells_what_its_jobs_were() -> FunctionDef {
    names!(email, port, started, http, answer, labels, text);
    let environment = py!(variables(queueing, WORKER_METRICS_PORT = str(port)));
    async_def("test_a_worker_tells_what_its_jobs_were")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(queueing, FastAPI)])
        .returns(none())
        .body(block![
            docstring("Each job has a process of its own, and all count together."),
            for_(
                email,
                py!(("ada@example.com", "eve@example.com")),
                [do_(py!(register(queueing, email).await))]
            ),
            assign(port, py!(free_port())),
            with_as(
                py!(process(python("app.worker"), { environment })),
                started,
                block![
                    do_(py!(wait_for(queueing, JobStatus.SUCCEEDED).await)),
                    async_with_as(
                        py!(AsyncClient()),
                        http,
                        [assign(
                            answer,
                            py!(http.get(f!("http://{}:{}/metrics", LOCALHOST, port)).await)
                        )]
                    ),
                    do_(py!(started.terminate())),
                    assert_(py!(anyio.to_thread.run_sync(started.wait, START_SECONDS).await == 0))
                ]
            ),
            assign(text, py!(answer.text)),
            assign(labels, py!(f!("kind=\"{}\"", DELIVER_EMAIL.name))),
            assert_(py!(in_!(f!("background_job_duration_seconds_count{{{}}} 2.0", labels), text))),
            assign(labels, py!(f!("{},outcome=\"succeeded\"", labels))),
            assert_(py!(in_!(f!("background_job_attempts_total{{{}}} 2.0", labels), text)))
        ])
}

fn test_a_worker_that_nobody_asks_leaves_no_files() -> FunctionDef {
    names!(tmp_path, folder);
    let environment = py!(variables(queueing, PROMETHEUS_MULTIPROC_DIR = str(folder)));
    async_def("test_a_worker_that_nobody_asks_leaves_no_files")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(queueing, FastAPI), param(tmp_path, Path)])
        .returns(none())
        .body(block![
            assign(folder, py!(tmp_path / "metrics")),
            do_(py!(folder.mkdir())),
            do_(py!(register(queueing, "ada@example.com").await)),
            with(
                py!(process(python("app.worker"), { environment })),
                [do_(py!(wait_for(queueing, JobStatus.SUCCEEDED).await))]
            ),
            assert_(py!(list(folder.iterdir()) == []))
        ])
}

fn test_a_job_is_in_the_queue_once() -> FunctionDef {
    names!(dispatcher);
    async_def("test_a_job_is_in_the_queue_once")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(queueing, FastAPI)])
        .returns(none())
        .body(block![
            ann_assign(dispatcher, RqDispatcher, py!(queueing.state.dispatcher)),
            do_(py!(register(queueing, "ada@example.com").await)),
            for_(
                name("_"),
                py!(range(3)),
                block![
                    do_(py!(change_job(
                        queueing,
                        dispatched_at = utcnow() - timedelta(minutes = 5)
                    )
                    .await)),
                    do_(py!(tick(queueing).await))
                ]
            ),
            assert_(py!(dispatcher.queue.count == 1))
        ])
}

fn test_a_job_of_a_worker_that_was_killed_is_done_once(is_measured: bool) -> FunctionDef {
    names!(silent, mail, stuck, started, postbox, controller, metrics, lost);
    let labels = py!(dict!("kind" => DELIVER_EMAIL.name, "outcome" => "lost"));
    let read = py!(metrics.registry.get_sample_value("background_job_attempts_total", { labels }));
    let counted = is_measured.then(|| {
        block![
            ann_assign(metrics, Metrics, py!(queueing.state.metrics)),
            assign(lost, read),
            assert_(py!(lost == 1))
        ]
    });
    async_def("test_a_job_of_a_worker_that_was_killed_is_done_once")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(queueing, FastAPI)])
        .returns(none())
        .body(block![
            with_as(
                py!(silent_server()),
                silent,
                block![
                    assign(mail, py!(dict!("SMTP_HOST" => LOCALHOST, "SMTP_SECURITY" => "none"))),
                    assign(stuck, py!(variables(queueing, **mail, SMTP_PORT = str(silent)))),
                    assign(py!(stuck["ENVIRONMENT"]), "development"),
                    do_(py!(register(queueing, "ada@example.com").await)),
                    with_as(
                        py!(process(python("app.worker"), stuck)),
                        started,
                        block![
                            do_(py!(wait_for(queueing, JobStatus.RUNNING).await)),
                            do_(py!(kill_job(queueing))),
                            do_(py!(started.kill()))
                        ]
                    )
                ]
            ),
            assign(postbox, py!(Postbox())).paragraph(),
            assign(controller, py!(Controller(postbox, hostname = LOCALHOST, port = free_port()))),
            do_(py!(controller.start())),
            do_(py!(change_job(queueing, leased_until = utcnow() - timedelta(seconds = 1)).await)),
            do_(py!(tick(queueing).await)),
            with(
                py!(process(
                    python("app.worker"),
                    dict!(**stuck, "SMTP_PORT" => str(controller.port))
                )),
                [do_(py!(wait_for(queueing, JobStatus.SUCCEEDED).await))]
            ),
            do_(py!(controller.stop())),
            assert_(py!(
                list!(message["To"] for message in postbox.messages) == ["ada@example.com"]
            )),
            counted
        ])
}

fn test_without_redis_requests_answer_and_jobs_wait() -> FunctionDef {
    names!(settings, world, nowhere, app, long_ago);
    async_def("test_without_redis_requests_answer_and_jobs_wait")
        .params([param(settings, Settings), param(world, World)])
        .returns(none())
        .body(block![
            assign(nowhere, py!(f!("redis://{}:{}", LOCALHOST, free_port()))),
            async_with_as(
                py!(running(settings, nowhere)),
                app,
                block![
                    do_(py!(register(app, "ada@example.com").await)),
                    assert_(py!(is_!(status_of_job(app).await, JobStatus.QUEUED))),
                    assign(long_ago, py!(utcnow() - timedelta(minutes = 5))),
                    do_(py!(change_job(app, dispatched_at = long_ago).await))
                ]
            ),
            do_(py!(tick(world.app).await)),
            assert_(py!(list!(message["To"] for message in world.outbox) == ["ada@example.com"]))
        ])
}

fn test_a_redis_that_hangs_holds_nobody_up() -> FunctionDef {
    names!(monkeypatch, port, dispatcher, everybody);
    async_def("test_a_redis_that_hangs_holds_nobody_up")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            do_(py!(monkeypatch.setattr(rq_dispatcher, "ANSWER_SECONDS", 0.5))),
            assign(everybody, py!(to_thread.current_default_thread_limiter())),
            with_as(
                py!(silent_server()),
                port,
                block![
                    assign(dispatcher, py!(RqDispatcher(f!("redis://{}:{}", LOCALHOST, port)))),
                    for_(
                        name("_"),
                        py!(range(THREADS)),
                        [do_(py!(dispatcher.dispatch([Ticket(uuid4(), 0)])))]
                    ),
                    do_(py!(anyio.sleep(0.1).await)),
                    assert_(py!(dispatcher.limiter.borrowed_tokens == THREADS)),
                    assert_(py!(everybody.borrowed_tokens == 0)),
                    do_(py!(dispatcher.close().await))
                ]
            )
        ])
}

fn test_redis_can_be_gone_for_a_while() -> FunctionDef {
    names!(settings, tmp_path, port, app, long_ago, session, sent);
    let redis = || py!(redis_server(tmp_path, port));
    async_def("test_redis_can_be_gone_for_a_while")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(settings, Settings), param(tmp_path, Path)])
        .returns(none())
        .body(block![
            docstring("It forgets what it had, and every job is done once all the same."),
            assign(port, py!(free_port())),
            async_with_as(
                py!(running(settings, f!("redis://{}:{}", LOCALHOST, port))),
                app,
                block![
                    with(redis(), [do_(py!(register(app, "ada@example.com").await))]),
                    do_(py!(register(app, "eve@example.com").await)),
                    assert_(py!(statuses_of_jobs(app).await == set!(JobStatus.QUEUED))).paragraph(),
                    assign(long_ago, py!(utcnow() - timedelta(minutes = 5))).paragraph(),
                    do_(py!(change_job(app, dispatched_at = long_ago).await)),
                    with(
                        redis(),
                        block![
                            do_(py!(tick(app).await)),
                            with(
                                py!(process(python("app.worker"), variables(app))),
                                [do_(py!(wait_for(app, JobStatus.SUCCEEDED).await))]
                            )
                        ]
                    ),
                    async_with_as(
                        py!(app.state.database.session()),
                        session,
                        [assign(
                            sent,
                            py!(session.execute(select(Email.recipient, Email.status)).await.all())
                        )]
                    )
                ]
            ),
            assert_(py!(sorted(sent)
                == [("ada@example.com", EmailStatus.SENT), ("eve@example.com", EmailStatus.SENT)]))
        ])
}

fn test_a_job_hands_over_the_jobs_that_it_asks_for() -> FunctionDef {
    names!(monkeypatch, ask, context, _payload, session, dispatcher, job);
    async_def("test_a_job_hands_over_the_jobs_that_it_asks_for")
        .decorator(py!(pytest.mark.usefixtures("world")))
        .params([param(queueing, FastAPI), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            async_def(ask)
                .params([param(context, JobContext), param(_payload, Nothing)])
                .returns(none())
                .body([async_with_as(
                    py!(context.session()),
                    session,
                    [do_(py!(enqueue(session, PRUNE, Nothing())))]
                )]),
            do_(py!(monkeypatch.setitem(HANDLERS, ASKING.name, Handler(ASKING, ask)))),
            ann_assign(dispatcher, RqDispatcher, py!(queueing.state.dispatcher)),
            async_with_as(
                py!(queueing.state.database.session()),
                session,
                block![
                    assign(job, py!(enqueue(session, ASKING, Nothing()))),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(dispatcher.drain().await)),
            do_(py!(work_off(queueing.state.settings, job.id).await)),
            assert_(py!(dispatcher.queue.count == 2))
        ])
}

fn test_a_worker_needs_a_queue() -> FunctionDef {
    def("test_a_worker_needs_a_queue").returns(none()).body([with(
        py!(pytest.raises(WorkerSettingsError, r#match = "REDIS_URL")),
        [do_(py!(queue_url(Settings())))],
    )])
}
