//! `backend/app/services/job_service.py`: the jobs of an organization: seen, tried again, called off.

use crate::core::database::SessionDep;
use crate::core::errors::{ConflictError, NotFoundError};
use crate::core::jobs::dispatch_after_commit;
use crate::core::org_rbac::PrincipalDep;
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::models::base::utcnow;
use crate::models::job::{Job, JobStatus};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::services::job_control::{call_off, revive};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_service": JobService, JobServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.job_service")
        .docstring("The jobs of an organization: seen, tried again, called off.")
        .body(block![
            job_service_class(),
            assign(JobServiceDep, py!(Annotated[(JobService, Depends(JobService))]))
        ])
}

fn job_service_class() -> ClassDef {
    names!(session, principal);
    class(JobService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for jobs."),
        annotate(session, SessionDep),
        annotate(principal, PrincipalDep),
        job_service_page(),
        job_service_get(),
        job_service_retry(),
        job_service_cancel()
    ])
}

fn job_service_page() -> FunctionDef {
    names!(page, status, organization_id, statement);
    async_def(page)
        .params([untyped("self"), param(page, PageRequest), param(status, py!(JobStatus | None))])
        .returns(py!(Slice[Job]))
        .body(block![
            docstring("List jobs, newest first."),
            assign(organization_id, py!(self.principal.organization.id)),
            assign(statement, py!(select(Job).r#where(Job.organization_id == organization_id))),
            if_(
                py!(status != None),
                [assign(statement, py!(statement.r#where(Job.status == status)))]
            ),
            return_(py!(fetch_page(self.session, statement, Job, page).await))
        ])
}

fn job_service_get() -> FunctionDef {
    names!(job_id, job);
    async_def("get").params([untyped("self"), param(job_id, UUID)]).returns(Job).body(block![
        docstring("Return a job, or answer 404."),
        assign(
            job,
            py!(self
                .session
                .scalar(select(Job).r#where(
                    Job.id == job_id,
                    Job.organization_id == self.principal.organization.id
                ))
                .await)
        ),
        if_(py!(job == None), [raise(py!(NotFoundError("There is no such job.")))]),
        return_(job)
    ])
}

fn job_service_retry() -> FunctionDef {
    names!(job_id, job, queued);
    async_def("retry").params([untyped("self"), param(job_id, UUID)]).returns(Job).body(block![
        docstring("Have a dead job tried again, as often as a new one."),
        assign(job, py!(self.get(job_id).await)),
        assign(queued, py!(revive(self.session, job.id, dispatched_at = utcnow()).await)),
        if_(
            py!(queued == None),
            [raise(py!(ConflictError("Only a dead job can be tried again.")))]
        ),
        do_(py!(dispatch_after_commit(self.session, queued))),
        return_(queued)
    ])
}

fn job_service_cancel() -> FunctionDef {
    names!(job_id, job, canceled);
    async_def("cancel").params([untyped("self"), param(job_id, UUID)]).returns(Job).body(block![
        docstring("Call off a job that does not run yet, or one that has given up."),
        assign(job, py!(self.get(job_id).await)),
        assign(canceled, py!(call_off(self.session, job.id).await)),
        if_(
            py!(canceled == None),
            [raise(py!(ConflictError("Only a job that waits or is dead can be called off.")))]
        ),
        return_(canceled)
    ])
}
