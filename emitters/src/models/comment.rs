//! `backend/app/models/comment.py`: comments.

use crate::models::base::{Base, TenantScoped};
use crate::python::builtins::str;
use crate::python::sqlalchemy::{ForeignKeyConstraint, Index, Mapped, String, mapped_column};
use crate::python::standard::UUID;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.comment": Comment;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.comment").docstring("Comments.").body(block![comment_class()])
}

fn comment_class() -> ClassDef {
    names!(__tablename__, __table_args__, task_id, body);
    class(Comment).base(TenantScoped).base(Base).body(block![
        docstring("A comment of an organization."),
        assign(__tablename__, "comments"),
        assign(
            __table_args__,
            py!((
                Index(None, "organization_id", "created_at", "id"),
                ForeignKeyConstraint(
                    ["organization_id", "task_id"],
                    ["tasks.organization_id", "tasks.id"],
                    ondelete = "CASCADE"
                ),
                Index(None, "organization_id", "task_id")
            ))
        ),
        ann_assign(task_id, py!(Mapped[UUID]), py!(mapped_column())).paragraph(),
        ann_assign(body, py!(Mapped[str]), py!(mapped_column(String(5000))))
    ])
}
