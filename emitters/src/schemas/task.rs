//! `backend/app/schemas/task.py`: requests and responses about tasks.

use crate::python::builtins::{bool, int, str};
use crate::python::pydantic::{Field, StrictBool, StrictInt};
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel, absent};
use crate::schemas::fields::{NO_NUL, UtcDatetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.task": TaskTitle, TaskPriority, TaskCreate, TaskUpdate, TaskRead, TaskPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.task").docstring("Requests and responses about tasks.").body(block![
        assign(
            TaskTitle,
            py!(Annotated[(str, Field(min_length = 1, max_length = 200, pattern = NO_NUL))])
        ),
        assign(TaskPriority, py!(Annotated[(StrictInt, Field(ge = 1, le = 5))])),
        task_create_class(),
        task_update_class(),
        task_read_class(),
        task_page_class()
    ])
}

fn task_create_class() -> ClassDef {
    names!(project_id, title, done, priority, due_at);
    class(TaskCreate).base(RequestModel).body(block![
        docstring("A new task."),
        annotate(project_id, UUID),
        annotate(title, TaskTitle),
        ann_assign(done, StrictBool, false),
        ann_assign(priority, TaskPriority, 3),
        ann_assign(due_at, py!(UtcDatetime | None), none())
    ])
}

fn task_update_class() -> ClassDef {
    names!(project_id, title, done, priority, due_at);
    class(TaskUpdate).base(RequestModel).body(block![
        docstring("A change of a task; what is left out stays as it is."),
        ann_assign(project_id, UUID, py!(Field(default_factory = absent))),
        ann_assign(title, TaskTitle, py!(Field(default_factory = absent))),
        ann_assign(done, StrictBool, py!(Field(default_factory = absent))),
        ann_assign(priority, TaskPriority, py!(Field(default_factory = absent))),
        ann_assign(due_at, py!(UtcDatetime | None), none())
    ])
}

fn task_read_class() -> ClassDef {
    names!(id, created_at, updated_at, project_id, title, done, priority, due_at);
    class(TaskRead).base(ResponseModel).body(block![
        docstring("A task."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(updated_at, datetime),
        annotate(project_id, UUID),
        annotate(title, str),
        annotate(done, bool),
        annotate(priority, int),
        annotate(due_at, py!(datetime | None))
    ])
}

fn task_page_class() -> ClassDef {
    class(TaskPage)
        .base(py!(Page[TaskRead]))
        .body(block![docstring("A part of the list of tasks.")])
}
