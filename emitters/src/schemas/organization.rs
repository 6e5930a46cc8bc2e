//! `backend/app/schemas/organization.py`: requests and responses about organizations.

use crate::core::plans::PlanName;
use crate::core::roles::Role;
use crate::python::builtins::str;
use crate::python::pydantic::Field;
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::NO_NUL;
use crate::spec::{Payer, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.organization": OrganizationName, OrganizationCreate, OrganizationUpdate,
        OrganizationRead, OrganizationMembership, OrganizationMembershipPage;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.schemas.organization")
        .docstring("Requests and responses about organizations.")
        .body(block![
            assign(
                OrganizationName,
                py!(Annotated[(str, Field(min_length = 1, max_length = 120, pattern = NO_NUL))])
            ),
            organization_create_class(),
            organization_update_class(),
            organization_read_class(spec),
            organization_membership_class(),
            organization_membership_page_class()
        ])
}

fn organization_create_class() -> ClassDef {
    names!(name);
    class(OrganizationCreate).base(RequestModel).body(block![
        docstring("A new organization, owned by the caller."),
        annotate(name, OrganizationName)
    ])
}

fn organization_update_class() -> ClassDef {
    names!(name);
    class(OrganizationUpdate).base(RequestModel).body(block![
        docstring("What an organization is called from now on."),
        annotate(name, OrganizationName)
    ])
}

fn organization_read_class(spec: &Spec) -> ClassDef {
    names!(id, created_at, name, plan);
    class(OrganizationRead).base(ResponseModel).body(block![
        docstring("An organization."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(name, str),
        spec.has_payer(Payer::Organization).then(|| annotate(plan, PlanName))
    ])
}

fn organization_membership_class() -> ClassDef {
    names!(role, organization);
    class(OrganizationMembership).base(ResponseModel).body(block![
        docstring("An organization of the caller, and their role in it."),
        annotate(role, Role),
        annotate(organization, OrganizationRead)
    ])
}

fn organization_membership_page_class() -> ClassDef {
    class(OrganizationMembershipPage)
        .base(py!(Page[OrganizationMembership]))
        .body(block![docstring("A part of the list of the caller's organizations.")])
}
