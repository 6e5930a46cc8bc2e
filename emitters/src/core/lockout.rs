//! `backend/app/core/lockout.py`: accounts that somebody guesses at are locked, for longer each time.

use crate::core::errors::{TooManyRequestsError, UnavailableError};
use crate::core::rate_limit::RateLimiterDep;
use crate::python::builtins::{__name__, int, max, min, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::limits::StorageError;
use crate::python::standard::{Annotated, dataclass, logging, math, sha256, time};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.lockout": logger, MAX_FAILURES, FIRST_LOCK, LONGEST_LOCK, MEMORY, Lockout, LockoutDep,
        keys_of;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.lockout")
        .docstring("Accounts that somebody guesses at are locked, for longer each time.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(MAX_FAILURES, 10).comment(
                "Wrong passwords and codes in a row, from everywhere (NIST SP 800-63B 5.2.2)."
            ),
            assign(FIRST_LOCK, 900)
                .comment("In seconds; each wrong try after it doubles the lock."),
            assign(LONGEST_LOCK, 86_400),
            assign(MEMORY, 2_592_000),
            lockout_class(),
            keys_of_def(),
            assign(LockoutDep, py!(Annotated[(Lockout, Depends(Lockout))]))
        ])
}

fn lockout_class() -> ClassDef {
    names!(limiter);
    class(Lockout).decorator(py!(dataclass(frozen = true))).body(block![
        docstring(
            "Counts wrong tries by the address that is typed in, on whichever factor.\n\
             \n\
             An address that nobody has is locked like any other. A reset of the password,\n\
             which needs the mailbox, lifts the lock."
        ),
        annotate(limiter, RateLimiterDep),
        enter(),
        lift(),
        count()
    ])
}

fn enter() -> FunctionDef {
    names!(email, seconds, error);
    async_def("enter").params([untyped("self"), param(email, str)]).returns(none()).body(block![
        docstring("Count a try, which is wrong until the lock is lifted, or answer 429."),
        if_(py!(!self.limiter.is_on), [return_none()]),
        try_([assign(seconds, py!(self.count(email).await))]).except_as(
            StorageError,
            error,
            block![
                do_(py!(logger.exception("Wrong tries cannot be counted"))),
                raise_from(py!(UnavailableError("Try again in a moment.")), error)
            ]
        ),
        if_(
            py!(seconds > 0),
            [raise(py!(TooManyRequestsError(
                "There were too many wrong tries.",
                code = "account_locked",
                retry_after = seconds
            )))]
        )
    ])
}

fn lift() -> FunctionDef {
    names!(email, key);
    async_def("lift").params([untyped("self"), param(email, str)]).returns(none()).body(block![
        docstring("Forget the tries: the caller has shown who they are."),
        if_(py!(!self.limiter.is_on), [return_none()]),
        try_([for_(key, py!(keys_of(email)), [do_(py!(self.limiter.storage.clear(key).await))])])
            .except(StorageError, [do_(py!(logger.exception("A lock cannot be lifted")))])
    ])
}

fn count() -> FunctionDef {
    names!(email, tries, lock, storage, failures, seconds);
    async_def("count").params([untyped("self"), param(email, str)]).returns(int).body(block![
        docstring("Count a try and return for how many seconds there can be none."),
        assign(storage, py!(self.limiter.storage)),
        assign(py!((tries, lock)), py!(keys_of(email))),
        if_(
            py!(storage.get(lock).await > 0),
            [return_(py!(max(1, math.ceil(storage.get_expiry(lock).await - time.time()))))]
        ),
        assign(failures, py!(storage.incr(tries, MEMORY).await)),
        if_(
            py!(failures >= MAX_FAILURES),
            block![
                assign(seconds, py!(FIRST_LOCK * pow!(2, failures - MAX_FAILURES))),
                do_(py!(storage.incr(lock, min(seconds, LONGEST_LOCK)).await))
            ]
        )
        .comment("Counted before it is judged, so that a burst gets no more tries."),
        return_(0)
    ])
}

fn keys_of_def() -> FunctionDef {
    names!(email, account);
    def(keys_of).params([param(email, str)]).returns(py!(tuple[(str, str)])).body(block![
        docstring("Name the counter and the lock of an account; no address is stored as it is."),
        assign(account, py!(sha256(email.encode()).hexdigest())),
        return_(py!((f!("tries/{}", account), f!("locked/{}", account))))
    ])
}
