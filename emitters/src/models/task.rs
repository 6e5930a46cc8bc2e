//! `backend/app/models/task.py`: tasks.

use crate::models::base::{Base, TenantScoped};
use crate::models::types::UTCDateTime;
use crate::python::builtins::{bool, int, str};
use crate::python::sqlalchemy::{
    ForeignKeyConstraint, Index, Mapped, String, UniqueConstraint, mapped_column,
};
use crate::python::standard::{UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.task": Task;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.task").docstring("Tasks.").body(block![task_class()])
}

fn task_class() -> ClassDef {
    names!(__tablename__, __table_args__, project_id, title, done, priority, due_at);
    class(Task).base(TenantScoped).base(Base).body(block![
        docstring("A task of an organization."),
        assign(__tablename__, "tasks"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("organization_id", "id"),
                Index(None, "organization_id", "created_at", "id"),
                ForeignKeyConstraint(
                    ["organization_id", "project_id"],
                    ["projects.organization_id", "projects.id"],
                    ondelete = "CASCADE"
                ),
                Index(None, "organization_id", "project_id"),
                Index(None, "organization_id", "due_at")
            ))
        ),
        ann_assign(project_id, py!(Mapped[UUID]), py!(mapped_column())).paragraph(),
        ann_assign(title, py!(Mapped[str]), py!(mapped_column(String(200)))),
        ann_assign(done, py!(Mapped[bool]), py!(mapped_column(default = false))),
        ann_assign(priority, py!(Mapped[int]), py!(mapped_column(default = 3))),
        ann_assign(due_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}
