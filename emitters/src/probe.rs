//! `backend/app/probe.py`: the health check of the image: is the server of this container alive?

use crate::python::builtins::{__name__, OSError, bool, int, str};
use crate::python::standard::{HTTPConnection, HTTPStatus, os, sys};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.probe": ANSWER_SECONDS, main, is_alive;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.probe")
        .docstring("The health check of the image: `python -m app.probe` exits with 0 or 1.")
        .body(block![
            assign(ANSWER_SECONDS, 3),
            main_def(),
            is_alive_def(),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}

fn main_def() -> FunctionDef {
    names!(port);
    def(main).returns(none()).body(block![
        docstring("Ask the server on this machine."),
        assign(port, py!(int(os.environ.get("UVICORN_PORT", "8000")))),
        do_(py!(sys.exit(if is_alive("127.0.0.1", port) { 0 } else { 1 })))
    ])
}

fn is_alive_def() -> FunctionDef {
    names!(host, port, connection);
    def(is_alive).params([param(host, str), param(port, int)]).returns(bool).body(block![
        docstring("Tell whether a server answers, and says that it is alive."),
        assign(connection, py!(HTTPConnection(host, port, timeout = ANSWER_SECONDS))),
        try_(block![
            do_(py!(connection.request("GET", "/health/live"))),
            return_(py!(connection.getresponse().status == HTTPStatus.OK))
        ])
        .except(OSError, [return_(false)])
        .finally([do_(py!(connection.close()))])
    ])
}
