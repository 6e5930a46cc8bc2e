//! `backend/app/schemas/job.py`: responses about jobs.

use crate::models::job::JobStatus;
use crate::python::builtins::{int, str};
use crate::python::standard::{UUID, datetime};
use crate::schemas::base::{Page, ResponseModel};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.job": JobRead, JobPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.job")
        .docstring("Responses about jobs.")
        .body(block![job_read_class(), job_page_class()])
}

fn job_read_class() -> ClassDef {
    names!(
        id,
        created_at,
        kind,
        status,
        attempts,
        max_attempts,
        run_at,
        finished_at,
        error,
        request_id
    );
    class(JobRead).base(ResponseModel).body(block![
        docstring("A job; what it was told and what it works with stay inside."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(kind, str),
        annotate(status, JobStatus),
        annotate(attempts, int),
        annotate(max_attempts, int),
        annotate(run_at, datetime),
        annotate(finished_at, py!(datetime | None)),
        annotate(error, py!(str | None)),
        annotate(request_id, str)
    ])
}

fn job_page_class() -> ClassDef {
    class(JobPage).base(py!(Page[JobRead])).body([docstring("A part of the list of jobs.")])
}
