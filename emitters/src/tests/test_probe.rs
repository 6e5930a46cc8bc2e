//! `backend/tests/test_probe.py`: the health check of the image.

use crate::python::builtins::{dict, int, str};
use crate::python::standard::{Path, os, subprocess};
use crate::tests::servers::{BACKEND, answers, free_port, process, python, wait_until};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_probe": probe;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_probe")
        .docstring("The health check of the image.")
        .body(block![probe_def(), test_a_server_is_alive_until_it_stops()])
}

fn probe_def() -> FunctionDef {
    names!(environment);
    def(probe).params([param(environment, py!(dict[(str, str)]))]).returns(int).body(block![
        docstring("Run the check as the image does, and return its exit code."),
        return_(py!(subprocess
            .run(
                python("app.probe"),
                cwd = BACKEND,
                env = dict!(**os.environ, **environment),
                check = false
            )
            .returncode))
    ])
}

fn test_a_server_is_alive_until_it_stops() -> FunctionDef {
    names!(tmp_path, port, environment, server);
    def("test_a_server_is_alive_until_it_stops")
        .params([param(tmp_path, Path)])
        .returns(none())
        .body(block![
            assign(port, py!(free_port())),
            assign(
                environment,
                py!(dict!(
                    "UVICORN_PORT" => str(port),
                    "DATABASE_URL" => f!("sqlite+aiosqlite:///{}", tmp_path / "probe.db"),
                    "JOB_POLL_SECONDS" => "0"
                ))
            ),
            assign(server, py!([*python("uvicorn"), "--factory", "app.main:create_app"])),
            with(
                py!(process(server, environment)),
                block![
                    do_(py!(wait_until(|| answers(port)))),
                    assert_(py!(probe(environment) == 0))
                ]
            ),
            assert_(py!(probe(environment) == 1))
        ])
}
