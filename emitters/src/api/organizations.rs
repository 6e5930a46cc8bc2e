//! `backend/app/api/organizations.py`: organizations of the caller, and their members.

use crate::core::org_rbac::PrincipalDep;
use crate::core::pagination::PageRequestDep;
use crate::core::rbac::CurrentUserDep;
use crate::core::roles::required;
use crate::guards::guarded;
use crate::python::fastapi::{APIRouter, status};
use crate::schemas::organization::{
    MemberPage, OrganizationCreate, OrganizationMembership, OrganizationMembershipPage,
};
use crate::services::organization_service::OrganizationServiceDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.organizations": router, organization_router, create_organization, list_organizations,
        read_organization, list_members;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let members = required(&spec.organizations.roles);
    module("app.api.organizations")
        .docstring("Organizations of the caller, and their members.")
        .body(block![
            assign(router, py!(APIRouter(prefix = "/organizations", tags = ["organizations"]))),
            assign(
                organization_router,
                py!(APIRouter(
                    prefix = "/organizations/{organization_id}",
                    tags = ["organizations"]
                ))
            ),
            create_organization_def(),
            list_organizations_def(),
            guarded(read_organization_def(), &members),
            guarded(list_members_def(), &members)
        ])
}

fn create_organization_def() -> FunctionDef {
    names!(payload, user, organizations, membership);
    async_def(create_organization)
        .decorator(py!(router.post("", status_code = status.HTTP_201_CREATED)))
        .params([
            param(payload, OrganizationCreate),
            param(user, CurrentUserDep),
            param(organizations, OrganizationServiceDep),
        ])
        .returns(OrganizationMembership)
        .body(block![
            docstring("Found an organization; the caller owns it."),
            assign(membership, py!(organizations.create(user, payload.name).await)),
            return_(py!(OrganizationMembership.model_validate(membership)))
        ])
}

fn list_organizations_def() -> FunctionDef {
    names!(user, page, organizations, memberships);
    async_def(list_organizations)
        .decorator(py!(router.get("")))
        .params([
            param(user, CurrentUserDep),
            param(page, PageRequestDep),
            param(organizations, OrganizationServiceDep),
        ])
        .returns(OrganizationMembershipPage)
        .body(block![
            docstring("List the organizations that the caller belongs to."),
            assign(memberships, py!(organizations.memberships_of(user, page).await)),
            return_(py!(OrganizationMembershipPage.model_validate(memberships)))
        ])
}

fn read_organization_def() -> FunctionDef {
    names!(principal);
    async_def(read_organization)
        .decorator(py!(organization_router.get("")))
        .params([param(principal, PrincipalDep)])
        .returns(OrganizationMembership)
        .body(block![
            docstring("Return an organization, and the caller's role in it."),
            return_(py!(OrganizationMembership.model_validate(principal)))
        ])
}

fn list_members_def() -> FunctionDef {
    names!(principal, page, organizations, members);
    async_def(list_members)
        .decorator(py!(organization_router.get("/members")))
        .params([
            param(principal, PrincipalDep),
            param(page, PageRequestDep),
            param(organizations, OrganizationServiceDep),
        ])
        .returns(MemberPage)
        .body(block![
            docstring("List the members of an organization."),
            assign(members, py!(organizations.members_of(principal, page).await)),
            return_(py!(MemberPage.model_validate(members)))
        ])
}
