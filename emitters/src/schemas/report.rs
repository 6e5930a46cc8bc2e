//! `backend/app/schemas/report.py`: requests and responses about reports.

use crate::python::builtins::{dict, str};
use crate::python::pydantic::{Field, JsonValue};
use crate::python::standard::{Annotated, UUID, date, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel, absent};
use crate::schemas::fields::{IsoDate, JsonObject, NO_NUL};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.report": ReportTitle, ReportCreate, ReportUpdate, ReportRead, ReportPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.report").docstring("Requests and responses about reports.").body(block![
        assign(
            ReportTitle,
            py!(Annotated[(str, Field(min_length = 1, max_length = 200, pattern = NO_NUL))])
        ),
        report_create_class(),
        report_update_class(),
        report_read_class(),
        report_page_class()
    ])
}

fn report_create_class() -> ClassDef {
    names!(title, period_start, period_end, parameters);
    class(ReportCreate).base(RequestModel).body(block![
        docstring("A new report."),
        annotate(title, ReportTitle),
        annotate(period_start, IsoDate),
        annotate(period_end, IsoDate),
        ann_assign(parameters, py!(JsonObject | None), none())
    ])
}

fn report_update_class() -> ClassDef {
    names!(title, period_start, period_end, parameters);
    class(ReportUpdate).base(RequestModel).body(block![
        docstring("A change of a report; what is left out stays as it is."),
        ann_assign(title, ReportTitle, py!(Field(default_factory = absent))),
        ann_assign(period_start, IsoDate, py!(Field(default_factory = absent))),
        ann_assign(period_end, IsoDate, py!(Field(default_factory = absent))),
        ann_assign(parameters, py!(JsonObject | None), none())
    ])
}

fn report_read_class() -> ClassDef {
    names!(id, created_at, updated_at, title, period_start, period_end, parameters);
    class(ReportRead).base(ResponseModel).body(block![
        docstring("A report."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(updated_at, datetime),
        annotate(title, str),
        annotate(period_start, date),
        annotate(period_end, date),
        annotate(parameters, py!(dict[(str, JsonValue)] | None))
    ])
}

fn report_page_class() -> ClassDef {
    class(ReportPage)
        .base(py!(Page[ReportRead]))
        .body(block![docstring("A part of the list of reports.")])
}
