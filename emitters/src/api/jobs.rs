//! `backend/app/api/jobs.py`: what happens in the background for an organization.

use crate::core::api_keys::keyed_router;
use crate::core::pagination::PageRequestDep;
use crate::core::roles::required;
use crate::guards::{guarded, served_unpaid};
use crate::models::job::JobStatus;
use crate::python::standard::UUID;
use crate::schemas::job::{JobPage, JobRead};
use crate::services::job_service::JobServiceDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.jobs": router, list_jobs, get_job, retry_job, cancel_job;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(JOBS_READ, JOBS_MANAGE);
    let managers = required(&spec.organizations.managers());
    module("app.api.jobs").docstring("What happens in the background for an organization.").body(
        block![
            assign(
                router,
                keyed_router(
                    spec,
                    "/organizations/{organization_id}/jobs",
                    "jobs",
                    [JOBS_READ, JOBS_MANAGE],
                    []
                )
            ),
            guarded(list_jobs_def(), &managers),
            guarded(get_job_def(), &managers),
            guarded(retry_job_def(), &managers),
            served_unpaid(spec, guarded(cancel_job_def(), &managers))
        ],
    )
}

fn list_jobs_def() -> FunctionDef {
    names!(page, jobs, status);
    async_def(list_jobs)
        .decorator(py!(router.get("")))
        .params([
            param(page, PageRequestDep),
            param(jobs, JobServiceDep),
            param(status, py!(JobStatus | None)).default(none()),
        ])
        .returns(JobPage)
        .body(block![
            docstring("List jobs, newest first; `status=dead` lists those that have given up."),
            return_(py!(JobPage.model_validate(jobs.page(page, status).await)))
        ])
}

fn get_job_def() -> FunctionDef {
    names!(job_id, jobs);
    async_def(get_job)
        .decorator(py!(router.get("/{job_id}")))
        .params([param(job_id, UUID), param(jobs, JobServiceDep)])
        .returns(JobRead)
        .body(block![
            docstring("Return a job."),
            return_(py!(JobRead.model_validate(jobs.get(job_id).await)))
        ])
}

fn retry_job_def() -> FunctionDef {
    names!(job_id, jobs);
    async_def(retry_job)
        .decorator(py!(router.post("/{job_id}/retry")))
        .params([param(job_id, UUID), param(jobs, JobServiceDep)])
        .returns(JobRead)
        .body(block![
            docstring("Have a dead job tried again."),
            return_(py!(JobRead.model_validate(jobs.retry(job_id).await)))
        ])
}

fn cancel_job_def() -> FunctionDef {
    names!(job_id, jobs);
    async_def(cancel_job)
        .decorator(py!(router.post("/{job_id}/cancel")))
        .params([param(job_id, UUID), param(jobs, JobServiceDep)])
        .returns(JobRead)
        .body(block![
            docstring("Call off a job that does not run yet."),
            return_(py!(JobRead.model_validate(jobs.cancel(job_id).await)))
        ])
}
