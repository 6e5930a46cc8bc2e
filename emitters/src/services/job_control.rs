//! `backend/app/services/job_control.py`: what people do about jobs.

use crate::models::base::utcnow;
use crate::models::job::{Job, JobStatus};
use crate::python::sqlalchemy::{AsyncSession, update};
use crate::python::standard::{UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_control": CANCELABLE, revive, call_off;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.job_control")
        .docstring("What people do about jobs: have them tried again, call them off.")
        .body(block![
            assign(CANCELABLE, py!((JobStatus.QUEUED, JobStatus.DEAD))),
            revive_def(),
            call_off_def()
        ])
}

fn revive_def() -> FunctionDef {
    names!(session, job_id, dispatched_at, revived);
    async_def(revive)
        .params([
            param(session, AsyncSession),
            param(job_id, UUID),
            star(),
            param(dispatched_at, py!(datetime | None)),
        ])
        .returns(py!(Job | None))
        .body(block![
            docstring(
                "Have a dead job tried again, as often as a new one.\n\
                 \n\
                 The clock of the jobs hands it to a worker, unless the caller does at that time."
            ),
            assign(
                revived,
                py!(update(Job)
                    .r#where(Job.id == job_id, Job.status == JobStatus.DEAD)
                    .values(
                        status = JobStatus.QUEUED,
                        attempts = 0,
                        run_at = utcnow(),
                        dispatched_at = dispatched_at,
                        finished_at = None
                    )
                    .returning(Job))
            ),
            return_(py!(session.scalar(revived).await))
        ])
}

fn call_off_def() -> FunctionDef {
    names!(session, job_id, called_off);
    async_def(call_off)
        .params([param(session, AsyncSession), param(job_id, UUID)])
        .returns(py!(Job | None))
        .body(block![
            docstring("Call off a job that does not run yet, or one that has given up."),
            assign(
                called_off,
                py!(update(Job)
                    .r#where(Job.id == job_id, Job.status.in_(CANCELABLE))
                    .values(status = JobStatus.CANCELED, finished_at = utcnow())
                    .returning(Job))
            ),
            return_(py!(session.scalar(called_off).await))
        ])
}
