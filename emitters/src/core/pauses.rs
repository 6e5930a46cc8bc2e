//! `backend/app/core/pauses.py`: how long to wait before something is tried again.

use crate::python::builtins::{int, min};
use crate::python::standard::{SystemRandom, timedelta};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.pauses": FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, jitter, pause_after;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.pauses").docstring("How long to wait before something is tried again.").body(
        block![
            assign(FIRST_PAUSE_SECONDS, 10),
            assign(LONGEST_PAUSE_SECONDS, 3600),
            assign(jitter, py!(SystemRandom())).paragraph(),
            pause_after_def()
        ],
    )
}

fn pause_after_def() -> FunctionDef {
    names!(attempts, longest);
    def(pause_after).params([param(attempts, int)]).returns(timedelta).body(block![
        docstring("Return a pause that doubles, with jitter, so that retries do not come at once."),
        assign(
            longest,
            py!(min(FIRST_PAUSE_SECONDS * pow!(2, attempts - 1), LONGEST_PAUSE_SECONDS))
        ),
        return_(py!(timedelta(seconds = jitter.uniform(longest / 2, longest))))
    ])
}
