//! `backend/app/services/job_context.py`: what a job finds when it runs.

use crate::core::tenancy::bind_tenant;
use crate::python::builtins::int;
use crate::python::sqlalchemy::AsyncSession;
use crate::python::standard::{AsyncGenerator, UUID, asynccontextmanager, dataclass};
use crate::services::resources::Resources;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_context": JobContext;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.job_context")
        .docstring("What a job finds when it runs.")
        .body(block![job_context_class()])
}

fn job_context_class() -> ClassDef {
    names!(resources, job_id, organization_id, attempt);
    class(JobContext).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Which job runs, for whom, and with what."),
        annotate(resources, Resources),
        annotate(job_id, UUID),
        annotate(organization_id, py!(UUID | None)),
        annotate(attempt, int),
        job_context_session()
    ])
}

fn job_context_session() -> FunctionDef {
    names!(session);
    async_def(session)
        .decorator(asynccontextmanager)
        .params([untyped("self")])
        .returns(py!(AsyncGenerator[(AsyncSession, None)]))
        .body(block![
            docstring(
                "Open a session that is bound to the job's tenant, and commit it in the end.\n\
                 \n\
                 No job should hold it while it waits for something outside of the database."
            ),
            async_with_as(
                py!(self.resources.database.session()),
                session,
                block![
                    if_(
                        py!(self.organization_id != None),
                        [do_(py!(bind_tenant(session, self.organization_id).await))]
                    ),
                    do_(py!(yield_!(session))),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}
