//! `backend/app/services/task_service.py`: tasks of the bound tenant.

use crate::core::database::flush;
use crate::core::errors::{ConflictError, NotFoundError};
use crate::core::org_rbac::TenantSessionDep;
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::models::project::Project;
use crate::models::task::Task;
use crate::python::builtins::setattr;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::schemas::task::{TaskCreate, TaskUpdate};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.task_service": CONFLICT, TaskService, TaskServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.task_service").docstring("Tasks of the bound tenant.").body(block![
        assign(CONFLICT, "There is no such project."),
        task_service_class(),
        assign(TaskServiceDep, py!(Annotated[(TaskService, Depends(TaskService))]))
    ])
}

fn task_service_class() -> ClassDef {
    names!(session);
    class(TaskService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for tasks."),
        annotate(session, TenantSessionDep),
        task_service_page(),
        task_service_create(),
        task_service_get(),
        task_service_update(),
        task_service_delete(),
        task_service_require_project()
    ])
}

fn task_service_page() -> FunctionDef {
    names!(page);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[Task]))
        .body(block![
            docstring("List tasks, newest first."),
            return_(py!(fetch_page(self.session, select(Task), Task, page).await))
        ])
}

fn task_service_create() -> FunctionDef {
    names!(payload, task);
    async_def("create").params([untyped("self"), param(payload, TaskCreate)]).returns(Task).body(
        block![
            docstring("Add a task."),
            do_(py!(self.require_project(payload.project_id).await)),
            assign(task, py!(Task(**payload.model_dump()))),
            do_(py!(self.session.add(task))),
            do_(py!(flush(self.session, conflict = CONFLICT).await)),
            return_(task)
        ],
    )
}

fn task_service_get() -> FunctionDef {
    names!(task_id, task);
    async_def("get").params([untyped("self"), param(task_id, UUID)]).returns(Task).body(block![
        docstring("Return a task, or answer 404."),
        assign(task, py!(self.session.get(Task, task_id).await)),
        if_(py!(task == None), [raise(py!(NotFoundError("There is no such task.")))]),
        return_(task)
    ])
}

fn task_service_update() -> FunctionDef {
    names!(task_id, payload, task, name, value);
    async_def("update")
        .params([untyped("self"), param(task_id, UUID), param(payload, TaskUpdate)])
        .returns(Task)
        .body(block![
            docstring("Change what the payload names."),
            assign(task, py!(self.get(task_id).await)),
            if_(
                py!(in_!("project_id", payload.model_fields_set)),
                [do_(py!(self.require_project(payload.project_id).await))]
            ),
            for_(
                py!((name, value)),
                py!(payload.model_dump(exclude_unset = true).items()),
                [do_(py!(setattr(task, name, value)))]
            ),
            do_(py!(flush(self.session, conflict = CONFLICT).await)),
            return_(task)
        ])
}

fn task_service_delete() -> FunctionDef {
    names!(task_id);
    async_def("delete").params([untyped("self"), param(task_id, UUID)]).returns(none()).body(
        block![
            docstring("Remove a task and what belongs to it."),
            do_(py!(self.session.delete(self.get(task_id).await).await))
        ],
    )
}

fn task_service_require_project() -> FunctionDef {
    names!(project_id);
    async_def("require_project")
        .params([untyped("self"), param(project_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Refuse a reference to a project that the tenant does not have."),
            if_(
                py!(self.session.get(Project, project_id).await == None),
                [raise(py!(ConflictError(
                    "There is no such project.",
                    code = "reference_missing"
                )))]
            )
        ])
}
