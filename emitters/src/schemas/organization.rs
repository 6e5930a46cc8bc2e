//! `backend/app/schemas/organization.py`: requests and responses about organizations and their members.

use crate::core::plans::PlanName;
use crate::core::roles::Role;
use crate::python::builtins::str;
use crate::python::pydantic::Field;
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::NO_NUL;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.organization": OrganizationName, OrganizationCreate, OrganizationRead,
        OrganizationMembership, OrganizationMembershipPage, MemberUser, MemberRead, MemberPage;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.schemas.organization")
        .docstring("Requests and responses about organizations and their members.")
        .body(block![
            assign(
                OrganizationName,
                py!(Annotated[(str, Field(min_length = 1, max_length = 120, pattern = NO_NUL))])
            ),
            organization_create_class(),
            organization_read_class(spec),
            organization_membership_class(),
            organization_membership_page_class(),
            member_user_class(),
            member_read_class(),
            member_page_class()
        ])
}

fn organization_create_class() -> ClassDef {
    names!(name);
    class(OrganizationCreate).base(RequestModel).body(block![
        docstring("A new organization, owned by the caller."),
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
        spec.billing.is_some().then(|| annotate(plan, PlanName))
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

fn member_user_class() -> ClassDef {
    names!(id, email);
    class(MemberUser).base(ResponseModel).body(block![
        docstring("A member, as the other members see them."),
        annotate(id, UUID),
        annotate(email, str)
    ])
}

fn member_read_class() -> ClassDef {
    names!(id, created_at, role, user);
    class(MemberRead).base(ResponseModel).body(block![
        docstring("A membership in an organization."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(role, Role),
        annotate(user, MemberUser)
    ])
}

fn member_page_class() -> ClassDef {
    class(MemberPage)
        .base(py!(Page[MemberRead]))
        .body(block![docstring("A part of the list of members.")])
}
