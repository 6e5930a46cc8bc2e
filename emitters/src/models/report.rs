//! `backend/app/models/report.py`: reports.

use crate::models::base::{Base, TenantScoped};
use crate::python::builtins::{dict, str};
use crate::python::sqlalchemy::{Index, JSON, Mapped, String, mapped_column};
use crate::python::standard::{Any, date};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.report": Report;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.report").docstring("Reports.").body(block![report_class()])
}

fn report_class() -> ClassDef {
    names!(__tablename__, __table_args__, title, period_start, period_end, parameters);
    class(Report).base(TenantScoped).base(Base).body(block![
        docstring("A report of an organization."),
        assign(__tablename__, "reports"),
        assign(__table_args__, py!((Index(None, "organization_id", "created_at", "id"),))),
        ann_assign(title, py!(Mapped[str]), py!(mapped_column(String(200)))).paragraph(),
        ann_assign(period_start, py!(Mapped[date]), py!(mapped_column())),
        ann_assign(period_end, py!(Mapped[date]), py!(mapped_column())),
        ann_assign(
            parameters,
            py!(Mapped[dict[(str, Any)] | None]),
            py!(mapped_column(JSON(none_as_null = true)))
        )
    ])
}
