//! `backend/app/core/draining.py`: how the server stops: it says so first, and serves on for a while.

use crate::python::builtins::{callable, float, int};
use crate::python::standard::{Callable, FrameType, Generator, asyncio, contextmanager, signal};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.draining": draining;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.draining")
        .docstring("How the server stops: it says so first, and serves on for a while.")
        .body([draining_def()])
}

fn draining_def() -> FunctionDef {
    names!(say, seconds, stop, is_draining, drain, number, frame);
    let loop_ = name("loop");
    def(draining)
        .decorator(contextmanager)
        .params([param(say, py!(Callable[([], None)])), star(), param(seconds, float)])
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring(
                "When told to stop, say that we are not ready, and stop only some seconds later.\n\
                 \n\
                 Whoever sends requests here needs that time to hear of it; those that still come\n\
                 are answered. Told a second time, the server stops at once."
            ),
            assign(stop, py!(signal.getsignal(signal.SIGTERM))),
            if_(py!(seconds == 0 || !callable(stop)), block![do_(yield_(None)), return_none()]),
            assign(loop_, py!(asyncio.get_running_loop())),
            assign(is_draining, false),
            def(drain)
                .params([param(number, int), param(frame, py!(FrameType | None))])
                .returns(none())
                .body(block![
                    nonlocal([is_draining]),
                    if_(is_draining, block![do_(py!(stop(number, frame))), return_none()]),
                    assign(is_draining, true),
                    do_(py!(say())),
                    do_(py!(loop_.call_soon_threadsafe(
                        loop_.call_later,
                        seconds,
                        stop,
                        number,
                        frame
                    )))
                ]),
            do_(py!(signal.signal(signal.SIGTERM, drain))),
            try_([do_(yield_(None))]).finally([do_(py!(signal.signal(signal.SIGTERM, stop)))])
        ])
}
