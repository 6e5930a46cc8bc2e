//! `backend/app/core/jobs.py`: work that no request waits for: asked for in a transaction, run once it committed.

use crate::core::database::Database;
use crate::core::log_context::current_request_id;
use crate::core::tenancy::{TenantSession, bound_tenant};
use crate::core::tracing::current_traceparent;
use crate::models::base::utcnow;
use crate::models::job::Job;
use crate::python::builtins::{Exception, TYPE, int, isinstance, list, str};
use crate::python::pydantic::BaseModel;
use crate::python::sqlalchemy::{AsyncSession, Session, event};
use crate::python::standard::{
    Generic, NamedTuple, Protocol, Sequence, TypeVar, UUID, dataclass, timedelta, uuid4,
};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.jobs": ASKED_FOR, DISPATCHER, NOW, PayloadT, JobAbortedError, JobKind, Ticket,
        Dispatcher, dispatch_through, enqueue, dispatch_after_commit, dispatch_jobs, forget_jobs;
}

/// The module.
#[must_use]
pub fn emit(is_traced: bool) -> Module {
    module("app.core.jobs")
        .docstring(
            "Work that no request waits for: asked for in a transaction, run once it committed.",
        )
        .body(block![
            assign(ASKED_FOR, "jobs"),
            assign(DISPATCHER, "dispatcher"),
            assign(NOW, py!(timedelta())),
            assign(PayloadT, py!(TypeVar("PayloadT", bound = BaseModel))).paragraph(),
            job_aborted_error_class(),
            job_kind_class(),
            ticket_class(),
            dispatcher_class(),
            dispatch_through_def(),
            enqueue_def(is_traced),
            dispatch_after_commit_def(),
            dispatch_jobs_def(),
            forget_jobs_def()
        ])
}

fn job_aborted_error_class() -> ClassDef {
    class(JobAbortedError)
        .base(Exception)
        .body([docstring("A job cannot succeed, however often it is tried.")])
}

fn job_kind_class() -> ClassDef {
    names!(name, payload, max_attempts, timeout_seconds);
    class(JobKind).decorator(py!(dataclass(frozen = true))).base(py!(Generic[PayloadT])).body(
        block![
            docstring("A kind of job: what it is told, and how hard it is tried."),
            annotate(name, str),
            annotate(payload, py!(TYPE[PayloadT])),
            ann_assign(max_attempts, int, 8),
            ann_assign(timeout_seconds, int, 60)
        ],
    )
}

fn ticket_class() -> ClassDef {
    names!(job_id, attempts);
    class(Ticket).base(NamedTuple).body(block![
        docstring("What a queue carries: which job, and how often it has been tried."),
        annotate(job_id, UUID),
        annotate(attempts, int)
    ])
}

fn dispatcher_class() -> ClassDef {
    class(Dispatcher).base(Protocol).body(block![
        docstring("Something that has jobs run."),
        dispatcher_dispatch(),
        dispatcher_drain(),
        dispatcher_close()
    ])
}

fn dispatcher_dispatch() -> FunctionDef {
    names!(tickets);
    def("dispatch")
        .params([untyped("self"), param(tickets, py!(Sequence[Ticket]))])
        .returns(none())
        .body(block![
            docstring("Have jobs run soon. This never waits, and what gets lost is found again."),
            do_(py!(ellipsis!()))
        ])
}

fn dispatcher_drain() -> FunctionDef {
    async_def("drain")
        .params([untyped("self")])
        .returns(none())
        .body(block![docstring("Wait for what was dispatched so far."), do_(py!(ellipsis!()))])
}

fn dispatcher_close() -> FunctionDef {
    async_def("close").params([untyped("self")]).returns(none()).body(block![
        docstring("Stop, soon; what is left undone is found again."),
        do_(py!(ellipsis!()))
    ])
}

fn dispatch_through_def() -> FunctionDef {
    names!(database, dispatcher);
    def(dispatch_through)
        .params([param(database, Database), param(dispatcher, Dispatcher)])
        .returns(none())
        .body(block![
            docstring(
                "Have the jobs of every session of a database run as soon as they are stored."
            ),
            do_(py!(database.sessions.configure(info = dict!(DISPATCHER => dispatcher))))
        ])
}

fn enqueue_def(is_traced: bool) -> FunctionDef {
    let traceparent = is_traced.then(|| kw("traceparent", py!(current_traceparent())));
    names!(session, kind, payload, delay, unique_key, inner, now, job);
    def(enqueue)
        .params([
            param(session, py!(AsyncSession | Session)),
            param(kind, py!(JobKind[PayloadT])),
            param(payload, PayloadT),
            star(),
            param(delay, timedelta).default(NOW),
            param(unique_key, py!(str | None)).default(none()),
        ])
        .returns(Job)
        .body(block![
            docstring(
                "Ask for a job, in the name of the tenant that the session is bound to.\n\
                 \n\
                 It is stored with the transaction and lost with it. It may run more than once, so\n\
                 what it does must bear that; of the jobs with one unique key there is only one."
            ),
            assign(
                inner,
                py!(if isinstance(session, AsyncSession) { session.sync_session } else { session })
            ),
            assign(now, py!(utcnow())),
            assign(
                job,
                py!(Job(
                    id = uuid4(),
                    organization_id = bound_tenant(inner),
                    kind = kind.name,
                    payload = payload.model_dump(mode = "json"),
                    max_attempts = kind.max_attempts,
                    run_at = now + delay,
                    dispatched_at = if delay { None } else { now },
                    request_id = current_request_id.get(),
                    ..traceparent,
                    unique_key = unique_key
                ))
            ),
            do_(py!(session.add(job))),
            if_(py!(!delay), [do_(py!(dispatch_after_commit(session, job)))]),
            return_(job)
        ])
}

fn dispatch_after_commit_def() -> FunctionDef {
    names!(session, job);
    def(dispatch_after_commit)
        .params([param(session, py!(AsyncSession | Session)), param(job, Job)])
        .returns(none())
        .body(block![
            docstring("Have a job run as soon as the transaction has committed."),
            do_(py!(session.info.setdefault(ASKED_FOR, []).append(Ticket(job.id, 0))))
        ])
}

fn dispatch_jobs_def() -> FunctionDef {
    names!(session, tickets, dispatcher);
    def(dispatch_jobs)
        .decorator(py!(event.listens_for(TenantSession, "after_commit")))
        .params([param(session, Session)])
        .returns(none())
        .body(block![
            docstring("Have the jobs run that the transaction has stored."),
            ann_assign(tickets, py!(list[Ticket]), py!(session.info.pop(ASKED_FOR, []))),
            ann_assign(dispatcher, py!(Dispatcher | None), py!(session.info.get(DISPATCHER))),
            if_(py!(tickets && dispatcher != None), [do_(py!(dispatcher.dispatch(tickets)))])
        ])
}

fn forget_jobs_def() -> FunctionDef {
    names!(session);
    def(forget_jobs)
        .decorator(py!(event.listens_for(TenantSession, "after_rollback")))
        .params([param(session, Session)])
        .returns(none())
        .body(block![
            docstring("Forget the jobs of a transaction that came to nothing."),
            do_(py!(session.info.pop(ASKED_FOR, None)))
        ])
}
