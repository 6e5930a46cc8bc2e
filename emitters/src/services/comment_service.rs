//! `backend/app/services/comment_service.py`: comments of the bound tenant.

use crate::core::database::flush;
use crate::core::errors::{ConflictError, NotFoundError};
use crate::core::org_rbac::TenantSessionDep;
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::models::comment::Comment;
use crate::models::task::Task;
use crate::python::builtins::setattr;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::schemas::comment::{CommentCreate, CommentUpdate};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.comment_service": CONFLICT, CommentService, CommentServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.comment_service").docstring("Comments of the bound tenant.").body(block![
        assign(CONFLICT, "There is no such task."),
        comment_service_class(),
        assign(CommentServiceDep, py!(Annotated[(CommentService, Depends(CommentService))]))
    ])
}

fn comment_service_class() -> ClassDef {
    names!(session);
    class(CommentService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for comments."),
        annotate(session, TenantSessionDep),
        comment_service_page(),
        comment_service_create(),
        comment_service_get(),
        comment_service_update(),
        comment_service_delete(),
        comment_service_require_task()
    ])
}

fn comment_service_page() -> FunctionDef {
    names!(page);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[Comment]))
        .body(block![
            docstring("List comments, newest first."),
            return_(py!(fetch_page(self.session, select(Comment), Comment, page).await))
        ])
}

fn comment_service_create() -> FunctionDef {
    names!(payload, comment);
    async_def("create")
        .params([untyped("self"), param(payload, CommentCreate)])
        .returns(Comment)
        .body(block![
            docstring("Add a comment."),
            do_(py!(self.require_task(payload.task_id).await)),
            assign(comment, py!(Comment(**payload.model_dump()))),
            do_(py!(self.session.add(comment))),
            do_(py!(flush(self.session, conflict = CONFLICT).await)),
            return_(comment)
        ])
}

fn comment_service_get() -> FunctionDef {
    names!(comment_id, comment);
    async_def("get").params([untyped("self"), param(comment_id, UUID)]).returns(Comment).body(
        block![
            docstring("Return a comment, or answer 404."),
            assign(comment, py!(self.session.get(Comment, comment_id).await)),
            if_(py!(comment == None), [raise(py!(NotFoundError("There is no such comment.")))]),
            return_(comment)
        ],
    )
}

fn comment_service_update() -> FunctionDef {
    names!(comment_id, payload, comment, name, value);
    async_def("update")
        .params([untyped("self"), param(comment_id, UUID), param(payload, CommentUpdate)])
        .returns(Comment)
        .body(block![
            docstring("Change what the payload names."),
            assign(comment, py!(self.get(comment_id).await)),
            if_(
                py!(in_!("task_id", payload.model_fields_set)),
                [do_(py!(self.require_task(payload.task_id).await))]
            ),
            for_(
                py!((name, value)),
                py!(payload.model_dump(exclude_unset = true).items()),
                [do_(py!(setattr(comment, name, value)))]
            ),
            do_(py!(flush(self.session, conflict = CONFLICT).await)),
            return_(comment)
        ])
}

fn comment_service_delete() -> FunctionDef {
    names!(comment_id);
    async_def("delete").params([untyped("self"), param(comment_id, UUID)]).returns(none()).body(
        block![
            docstring("Remove a comment."),
            do_(py!(self.session.delete(self.get(comment_id).await).await))
        ],
    )
}

fn comment_service_require_task() -> FunctionDef {
    names!(task_id);
    async_def("require_task").params([untyped("self"), param(task_id, UUID)]).returns(none()).body(
        block![
            docstring("Refuse a reference to a task that the tenant does not have."),
            if_(
                py!(self.session.get(Task, task_id).await == None),
                [raise(py!(ConflictError("There is no such task.", code = "reference_missing")))]
            )
        ],
    )
}
