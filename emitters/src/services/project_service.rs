//! `backend/app/services/project_service.py`: projects of the bound tenant.

use crate::core::billing::enforce_limit;
use crate::core::database::flush;
use crate::core::errors::NotFoundError;
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::plans::Limit;
use crate::models::project::Project;
use crate::python::builtins::setattr;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{func, select};
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::schemas::project::{ProjectCreate, ProjectUpdate};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.project_service": CONFLICT, ProjectService, ProjectServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.project_service").docstring("Projects of the bound tenant.").body(block![
        assign(CONFLICT, "There is a project with the same name already."),
        project_service_class(),
        assign(ProjectServiceDep, py!(Annotated[(ProjectService, Depends(ProjectService))]))
    ])
}

fn project_service_class() -> ClassDef {
    names!(session, principal);
    class(ProjectService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for projects."),
        annotate(session, TenantSessionDep),
        annotate(principal, PrincipalDep),
        project_service_page(),
        project_service_create(),
        project_service_get(),
        project_service_update(),
        project_service_delete()
    ])
}

fn project_service_page() -> FunctionDef {
    names!(page);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[Project]))
        .body(block![
            docstring("List projects, newest first."),
            return_(py!(fetch_page(self.session, select(Project), Project, page).await))
        ])
}

fn project_service_create() -> FunctionDef {
    names!(payload, used, organization, project);
    async_def("create")
        .params([untyped("self"), param(payload, ProjectCreate)])
        .returns(Project)
        .body(block![
            docstring("Add a project."),
            assign(used, py!(select(func.count()).select_from(Project))),
            assign(organization, py!(self.principal.organization)),
            do_(py!(enforce_limit(self.session, organization, Limit.PROJECTS, used).await)),
            assign(project, py!(Project(**payload.model_dump()))),
            do_(py!(self.session.add(project))),
            do_(py!(flush(self.session, conflict = CONFLICT).await)),
            return_(project)
        ])
}

fn project_service_get() -> FunctionDef {
    names!(project_id, project);
    async_def("get").params([untyped("self"), param(project_id, UUID)]).returns(Project).body(
        block![
            docstring("Return a project, or answer 404."),
            assign(project, py!(self.session.get(Project, project_id).await)),
            if_(py!(project == None), [raise(py!(NotFoundError("There is no such project.")))]),
            return_(project)
        ],
    )
}

fn project_service_update() -> FunctionDef {
    names!(project_id, payload, project, name, value);
    async_def("update")
        .params([untyped("self"), param(project_id, UUID), param(payload, ProjectUpdate)])
        .returns(Project)
        .body(block![
            docstring("Change what the payload names."),
            assign(project, py!(self.get(project_id).await)),
            for_(
                py!((name, value)),
                py!(payload.model_dump(exclude_unset = true).items()),
                [do_(py!(setattr(project, name, value)))]
            ),
            do_(py!(flush(self.session, conflict = CONFLICT).await)),
            return_(project)
        ])
}

fn project_service_delete() -> FunctionDef {
    names!(project_id);
    async_def("delete").params([untyped("self"), param(project_id, UUID)]).returns(none()).body(
        block![
            docstring("Remove a project and what belongs to it."),
            do_(py!(self.session.delete(self.get(project_id).await).await))
        ],
    )
}
