//! `backend/app/schemas/project.py`: requests and responses about projects.

use crate::models::project::ProjectStatus;
use crate::python::builtins::str;
use crate::python::pydantic::{AfterValidator, BeforeValidator, Field, WithJsonSchema};
use crate::python::standard::{Annotated, Decimal, UUID, date, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel, absent};
use crate::schemas::fields::{IsoDate, NO_NUL, scaled, text_of_decimal};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.project": ProjectName, ProjectDescription, ProjectBudget, ProjectCreate, ProjectUpdate, ProjectRead, ProjectPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.project").docstring("Requests and responses about projects.").body(block![
        assign(
            ProjectName,
            py!(Annotated[(str, Field(min_length = 1, max_length = 120, pattern = NO_NUL))])
        ),
        assign(
            ProjectDescription,
            py!(Annotated[(str, Field(max_length = 4000, pattern = NO_NUL))])
        ),
        assign(
            ProjectBudget,
            py!(Annotated[(
                Decimal,
                BeforeValidator(text_of_decimal),
                Field(max_digits = 12, decimal_places = 2),
                AfterValidator(scaled(2)),
                WithJsonSchema(
                    dict!("type" => "string", "pattern" => "^-?[0-9]{1,10}([.][0-9]{1,2})?$")
                )
            )])
        ),
        project_create_class(),
        project_update_class(),
        project_read_class(),
        project_page_class()
    ])
}

fn project_create_class() -> ClassDef {
    names!(name, description, status, budget, starts_on);
    class(ProjectCreate).base(RequestModel).body(block![
        docstring("A new project."),
        annotate(name, ProjectName),
        ann_assign(description, ProjectDescription, ""),
        ann_assign(status, ProjectStatus, py!(ProjectStatus.ACTIVE)),
        ann_assign(budget, py!(ProjectBudget | None), none()),
        ann_assign(starts_on, py!(IsoDate | None), none())
    ])
}

fn project_update_class() -> ClassDef {
    names!(name, description, status, budget, starts_on);
    class(ProjectUpdate).base(RequestModel).body(block![
        docstring("A change of a project; what is left out stays as it is."),
        ann_assign(name, ProjectName, py!(Field(default_factory = absent))),
        ann_assign(description, ProjectDescription, py!(Field(default_factory = absent))),
        ann_assign(status, ProjectStatus, py!(Field(default_factory = absent))),
        ann_assign(budget, py!(ProjectBudget | None), none()),
        ann_assign(starts_on, py!(IsoDate | None), none())
    ])
}

fn project_read_class() -> ClassDef {
    names!(id, created_at, updated_at, name, description, status, budget, starts_on);
    class(ProjectRead).base(ResponseModel).body(block![
        docstring("A project."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(updated_at, datetime),
        annotate(name, str),
        annotate(description, str),
        annotate(status, ProjectStatus),
        annotate(budget, py!(Decimal | None)),
        annotate(starts_on, py!(date | None))
    ])
}

fn project_page_class() -> ClassDef {
    class(ProjectPage)
        .base(py!(Page[ProjectRead]))
        .body(block![docstring("A part of the list of projects.")])
}
