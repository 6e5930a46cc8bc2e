//! `backend/tests/servers.py`: servers and processes that tests start and stop.

use crate::core::database::Database;
use crate::python::aiohttp::web;
use crate::python::builtins::{__file__, bool, bytes, dict, int, list, str};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::{ASGITransport, AsyncClient};
use crate::python::pytest::pytest;
use crate::python::standard::{
    AsyncGenerator, Callable, Generator, Path, asynccontextmanager, contextmanager, os, shutil,
    socket, subprocess, sys, time,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.servers": LOCALHOST, BACKEND, START_SECONDS, free_port, answers, wait_until, process,
        redis_server, python, serving, hosting;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_stand_ins =
        spec.billing.is_some() || spec.webhooks.enabled || spec.observability.tracing;
    module("tests.servers").docstring("Servers and processes that tests start and stop.").body(
        block![
            assign(LOCALHOST, "127.0.0.1"),
            assign(BACKEND, py!(Path(__file__).parent.parent)),
            assign(START_SECONDS, 60),
            free_port_def(),
            answers_def(),
            wait_until_def(),
            process_def(),
            spec.jobs.has_workers().then(redis_server_def),
            python_def(),
            serving_def(),
            has_stand_ins.then(hosting_def)
        ],
    )
}

fn free_port_def() -> FunctionDef {
    names!(found, port);
    def(free_port).returns(int).body(block![
        docstring("Find a port that nobody listens on."),
        with_as(
            py!(socket.socket()),
            found,
            block![
                do_(py!(found.bind((LOCALHOST, 0)))),
                ann_assign(port, int, py!(found.getsockname()[1])),
                return_(port)
            ]
        )
    ])
}

fn answers_def() -> FunctionDef {
    names!(port, client);
    def(answers).params([param(port, int)]).returns(bool).body(block![
        docstring("Tell whether somebody listens on a port."),
        with_as(
            py!(socket.socket()),
            client,
            [return_(py!(client.connect_ex((LOCALHOST, port)) == 0))]
        )
    ])
}

fn wait_until_def() -> FunctionDef {
    names!(holds, deadline);
    def(wait_until).params([param(holds, py!(Callable[([], bool)]))]).returns(none()).body(block![
        docstring("Wait, but not forever."),
        assign(deadline, py!(time.monotonic() + START_SECONDS)),
        while_(
            py!(!holds()),
            block![
                assert_that(py!(time.monotonic() < deadline), "this takes too long"),
                do_(py!(time.sleep(0.05)))
            ]
        )
    ])
}

fn process_def() -> FunctionDef {
    names!(command, environment, variables, running);
    def(process)
        .decorator(contextmanager)
        .params([
            param(command, py!(list[str])),
            param(environment, py!(dict[(str, str)] | None)).default(none()),
        ])
        .returns(py!(Generator[(subprocess.Popen[bytes], None, None)]))
        .body(block![
            docstring("Start a process in the folder of the backend, and make sure that it ends."),
            assign(variables, py!(dict!(**os.environ, **(environment || dict!())))),
            assign(
                running,
                py!(subprocess.Popen(
                    command,
                    cwd = BACKEND,
                    env = variables,
                    start_new_session = true
                ))
            ),
            try_([do_(py!(yield_!(running)))])
                .finally(block![do_(py!(running.kill())), do_(py!(running.wait()))])
        ])
}

fn redis_server_def() -> FunctionDef {
    names!(folder, program, port, quiet, command);
    def(redis_server)
        .decorator(contextmanager)
        .params([param(folder, Path), param(port, int)])
        .returns(py!(Generator[(str, None, None)]))
        .body(block![
            docstring("Start a Redis that keeps nothing, and return its URL."),
            assign(program, py!(shutil.which("redis-server"))),
            if_(py!(program == None), [do_(py!(pytest.skip("redis-server is not installed")))]),
            assign(quiet, py!(["--save", "", "--appendonly", "no", "--loglevel", "warning"])),
            assign(
                command,
                py!([program, "--port", str(port), "--bind", LOCALHOST, "--dir", str(folder)])
            ),
            with(
                py!(process([*command, *quiet])),
                block![
                    do_(py!(wait_until(|| answers(port)))),
                    do_(py!(yield_!(f!("redis://{}:{}", LOCALHOST, port))))
                ]
            )
        ])
}

fn python_def() -> FunctionDef {
    names!(module);
    def(python).params([param(module, str)]).returns(py!(list[str])).body(block![
        docstring("Return the command that runs a module."),
        return_(py!([sys.executable, "-m", module]))
    ])
}

fn hosting_def() -> FunctionDef {
    names!(app, runner, site, port);
    async_def(hosting)
        .decorator(asynccontextmanager)
        .params([param(app, py!(web.Application))])
        .returns(py!(AsyncGenerator[(str, None)]))
        .body(block![
            docstring("Serve what stands in for others on a free port, and say where."),
            assign(runner, py!(web.AppRunner(app))),
            do_(py!(runner.setup().await)),
            assign(site, py!(web.TCPSite(runner, LOCALHOST, 0))),
            do_(py!(site.start().await)),
            assign(py!((_, port)), py!(runner.addresses[0])),
            do_(py!(yield_!(f!("http://{}:{}", LOCALHOST, port)))),
            do_(py!(runner.cleanup().await))
        ])
}

fn serving_def() -> FunctionDef {
    names!(app, transport, http, database);
    async_def(serving)
        .decorator(asynccontextmanager)
        .params([param(app, FastAPI)])
        .returns(py!(AsyncGenerator[(AsyncClient, None)]))
        .body(block![
            docstring("Talk to an application that is not started, and hang up in the end."),
            assign(transport, py!(ASGITransport(app, raise_app_exceptions = false))),
            async_with_as(
                py!(AsyncClient(transport = transport, base_url = "http://test")),
                http,
                [do_(py!(yield_!(http)))]
            ),
            ann_assign(database, Database, py!(app.state.database)),
            do_(py!(database.close().await))
        ])
}
