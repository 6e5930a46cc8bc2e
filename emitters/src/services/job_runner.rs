//! `backend/app/services/job_runner.py`: how a job runs: claimed by one, tried again with growing pauses, dead in the end.

use crate::core::jobs::JobAbortedError;
use crate::core::log_context::working_for;
use crate::core::pauses::pause_after;
use crate::core::tracing::{mark_failed, traced_job};
use crate::models::base::utcnow;
use crate::models::job::{Job, JobStatus};
use crate::python::builtins::{__name__, Exception, TYPE, int, isinstance, object, str};
use crate::python::pydantic::ValidationError;
use crate::python::sqlalchemy::update;
use crate::python::standard::{UUID, asyncio, logging, timedelta};
use crate::services::job_context::JobContext;
use crate::services::job_registry::HANDLERS;
use crate::services::resources::Resources;
use crate::spec::Observability;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_runner": logger, LEASE_MARGIN_SECONDS, DEFAULT_TIMEOUT_SECONDS, CLOCK_SKEW,
        JobRunner, timeout_seconds, describe;
}

/// The module.
#[must_use]
pub fn emit(observability: &Observability) -> Module {
    module("app.services.job_runner")
        .docstring(
            "How a job runs: claimed by one, tried again with growing pauses, dead in the end.",
        )
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(LEASE_MARGIN_SECONDS, 30).paragraph(),
            assign(DEFAULT_TIMEOUT_SECONDS, 60),
            assign(CLOCK_SKEW, py!(timedelta(seconds = 5))).paragraph(),
            job_runner_class(observability),
            timeout_seconds_def(),
            describe_def()
        ])
}

fn job_runner_class(observability: &Observability) -> ClassDef {
    class(JobRunner).body(block![
        docstring("Runs jobs by their ids, in whatever process it is."),
        job_runner_init(),
        job_runner_run(observability),
        job_runner_claim(),
        job_runner_call(),
        job_runner_fail(observability.metrics),
        job_runner_finish(observability.metrics),
        job_runner_note()
    ])
}

fn job_runner_init() -> FunctionDef {
    names!(resources);
    def("__init__").params([untyped("self"), param(resources, Resources)]).returns(none()).body(
        block![docstring("Take what jobs work with."), assign(py!(self.resources), resources)],
    )
}

fn job_runner_run(observability: &Observability) -> FunctionDef {
    names!(job_id, job);
    let working = py!(working_for(job.organization_id, job.request_id));
    let attempt = with(working, attempted(job, observability));
    let attempt = match observability.tracing {
        true => {
            let (number, traceparent) = (py!(job.attempts), py!(job.traceparent));
            let traced = py!(traced_job(
                job.kind,
                job.id,
                attempt = { number },
                traceparent = { traceparent }
            ));
            attempt.and_as(traced, name("span"))
        }
        false => attempt,
    };
    async_def("run").params([untyped("self"), param(job_id, UUID)]).returns(none()).body(block![
        docstring(
            "Run a job, unless somebody else does or it is not to be run.\n\
             \n\
             Whatever the job raises is noted in its row and goes no further."
        ),
        assign(job, py!(self.claim(job_id).await)),
        if_(py!(job == None), [return_none()]),
        attempt
    ])
}

/// Does the job, and notes in its row what came of it.
fn attempted(job: Name, observability: &Observability) -> Vec<Stmt> {
    names!(span, error);
    let mark = || observability.tracing.then(|| do_(py!(mark_failed(span, error))));
    let call =
        async_with(py!(asyncio.timeout(timeout_seconds(job))), [do_(py!(self.call(job).await))]);
    let call = match observability.metrics {
        true => with(py!(self.resources.work.seconds.labels(job.kind).time()), [call]),
        false => call,
    };
    let tried = try_([call])
        .except_as(
            py!((JobAbortedError, ValidationError)),
            error,
            block![
                mark(),
                do_(py!(self.finish(job, JobStatus.DEAD, describe(error)).await)),
                do_(py!(logger.exception("Job %s (%s) is dead", job.id, job.kind)))
            ],
        )
        .except_as(
            Exception,
            error,
            block![
                mark(),
                do_(py!(logger.exception("Job %s (%s) failed", job.id, job.kind))),
                do_(py!(self.fail(job, describe(error)).await))
            ],
        )
        .else_([do_(py!(self.finish(job, JobStatus.SUCCEEDED).await))]);
    block![tried]
}

fn job_runner_claim() -> FunctionDef {
    names!(job_id, now, due, session, job, lease, claim, claimed);
    async_def(claim).params([untyped("self"), param(job_id, UUID)]).returns(py!(Job | None)).body(
        block![
            docstring("Take a job that is due; of many who try, one gets it."),
            assign(now, py!(utcnow())),
            assign(
                due,
                py!((
                    Job.id == job_id,
                    Job.status == JobStatus.QUEUED,
                    Job.run_at <= now + CLOCK_SKEW
                ))
            ),
            async_with_as(
                py!(self.resources.database.session()),
                session,
                block![
                    assign(job, py!(session.get(Job, job_id).await)),
                    if_(py!(job == None), [return_(none())]),
                    assign(
                        lease,
                        py!(timedelta(seconds = timeout_seconds(job) + LEASE_MARGIN_SECONDS))
                    ),
                    assign(
                        claim,
                        py!(update(Job).r#where(*due).values(
                            status = JobStatus.RUNNING,
                            attempts = Job.attempts + 1,
                            leased_until = now + lease
                        ))
                    ),
                    assign(claimed, py!(session.scalar(claim.returning(Job)).await)),
                    do_(py!(session.commit().await)),
                    return_(claimed)
                ]
            )
        ],
    )
}

fn job_runner_call() -> FunctionDef {
    names!(job, handler, context);
    async_def("call").params([untyped("self"), param(job, Job)]).returns(none()).body(block![
        docstring("Do what the job is about."),
        assign(handler, py!(HANDLERS.get(job.kind))),
        if_(py!(handler == None), [raise(py!(JobAbortedError("There is no such kind of job")))]),
        assign(context, py!(JobContext(self.resources, job.id, job.organization_id, job.attempts))),
        do_(py!(handler.run(context, job.payload).await))
    ])
}

fn job_runner_fail(is_measured: bool) -> FunctionDef {
    names!(job, error);
    async_def("fail")
        .params([untyped("self"), param(job, Job), param(error, str)])
        .returns(none())
        .body(block![
            docstring("Try again later, or give up."),
            if_(
                py!(job.attempts >= job.max_attempts),
                block![do_(py!(self.finish(job, JobStatus.DEAD, error).await)), return_none()]
            ),
            is_measured.then(|| count(py!(job.kind), "retried".into_expr())),
            do_(py!(self
                .note(
                    job,
                    status = JobStatus.QUEUED,
                    run_at = utcnow() + pause_after(job.attempts),
                    dispatched_at = None,
                    leased_until = None,
                    error = error
                )
                .await))
        ])
}

fn job_runner_finish(is_measured: bool) -> FunctionDef {
    names!(job, status, error);
    async_def("finish")
        .params([
            untyped("self"),
            param(job, Job),
            param(status, JobStatus),
            param(error, py!(str | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Note how a job has ended."),
            is_measured.then(|| count(py!(job.kind), status.into_expr())),
            do_(py!(self
                .note(
                    job,
                    status = status,
                    finished_at = utcnow(),
                    leased_until = None,
                    error = error
                )
                .await))
        ])
}

/// Counts an attempt by how it ended, before others can see in the row that it has.
fn count(kind: Expr, outcome: Expr) -> Stmt {
    do_(py!(self.resources.work.jobs.labels({ kind }, { outcome }).inc()))
}

fn job_runner_note() -> FunctionDef {
    names!(job, values, ours, session);
    async_def("note")
        .params([untyped("self"), param(job, Job), kwargs(values, object)])
        .returns(none())
        .body(block![
            docstring("Write into the row of a job, if this attempt is still the one that counts."),
            assign(
                ours,
                py!((
                    Job.id == job.id,
                    Job.status == JobStatus.RUNNING,
                    Job.attempts == job.attempts
                ))
            ),
            async_with_as(
                py!(self.resources.database.session()),
                session,
                block![
                    do_(py!(session.execute(update(Job).r#where(*ours).values(values)).await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn timeout_seconds_def() -> FunctionDef {
    names!(job, handler);
    def(timeout_seconds).params([param(job, Job)]).returns(int).body(block![
        docstring("Return how long a job may take."),
        assign(handler, py!(HANDLERS.get(job.kind))),
        return_(py!(if handler == None {
            DEFAULT_TIMEOUT_SECONDS
        } else {
            handler.kind.timeout_seconds
        }))
    ])
}

fn describe_def() -> FunctionDef {
    names!(error);
    def(describe).params([param(error, Exception)]).returns(str).body(block![
        docstring("Say what went wrong, without the values that the message of an error may hold."),
        if_(py!(isinstance(error, JobAbortedError)), [return_(py!(str(error)))]),
        return_(py!(TYPE(error).__name__))
    ])
}
