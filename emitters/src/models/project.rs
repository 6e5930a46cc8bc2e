//! `backend/app/models/project.py`: projects.

use crate::models::base::{Base, TenantScoped};
use crate::models::types::{ExactDecimal, text_enum};
use crate::python::builtins::str;
use crate::python::sqlalchemy::{Index, Mapped, String, UniqueConstraint, mapped_column};
use crate::python::standard::{Decimal, StrEnum, date};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.project": ProjectStatus, Project;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.project")
        .docstring("Projects.")
        .body(block![project_status_class(), project_class()])
}

fn project_status_class() -> ClassDef {
    names!(ACTIVE, PAUSED, ARCHIVED);
    class(ProjectStatus).base(StrEnum).body(block![
        docstring("The values of `Project.status`."),
        assign(ACTIVE, "active"),
        assign(PAUSED, "paused"),
        assign(ARCHIVED, "archived")
    ])
}

fn project_class() -> ClassDef {
    names!(__tablename__, __table_args__, name, description, status, budget, starts_on);
    class(Project).base(TenantScoped).base(Base).body(block![
        docstring("A project of an organization."),
        assign(__tablename__, "projects"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("organization_id", "id"),
                Index(None, "organization_id", "created_at", "id"),
                UniqueConstraint("organization_id", "name"),
                Index(None, "organization_id", "status")
            ))
        ),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(120)))).paragraph(),
        ann_assign(description, py!(Mapped[str]), py!(mapped_column(String(4000), default = ""))),
        ann_assign(
            status,
            py!(Mapped[ProjectStatus]),
            py!(mapped_column(text_enum(ProjectStatus), default = ProjectStatus.ACTIVE))
        ),
        ann_assign(budget, py!(Mapped[Decimal | None]), py!(mapped_column(ExactDecimal(12, 2)))),
        ann_assign(starts_on, py!(Mapped[date | None]), py!(mapped_column()))
    ])
}
