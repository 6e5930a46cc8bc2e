//! `backend/app/api/organizations.py`: organizations of the caller.

use crate::core::api_keys::keyed_router;
use crate::core::idempotency::{IdempotentRoute, claim_own_key};
use crate::core::org_rbac::{PrincipalDep, only_people, require_fresh_session, require_permission};
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::core::rbac::CurrentUserDep;
use crate::guards::{guarded, served_unpaid};
use crate::python::fastapi::{APIRouter, status};
use crate::schemas::organization::{
    OrganizationCreate, OrganizationMembership, OrganizationMembershipPage, OrganizationUpdate,
};
use crate::services::organization_service::OrganizationServiceDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.organizations": router, organization_router, create_organization, list_organizations,
        read_organization, rename_organization, delete_organization, switch_organization;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(ORGANIZATION_READ, ORGANIZATION_UPDATE);
    let read = py!(require_permission(Permission.ORGANIZATION_READ));
    let update = py!(require_permission(Permission.ORGANIZATION_UPDATE));
    let delete = py!(require_permission(Permission.ORGANIZATION_DELETE));
    let deletion = guarded(delete_organization_def(spec.billing.is_some()), &delete);
    module("app.api.organizations").docstring("Organizations of the caller.").body(block![
        assign(
            router,
            py!(APIRouter(
                prefix = "/organizations",
                tags = ["organizations"],
                route_class = IdempotentRoute
            ))
        ),
        assign(
            organization_router,
            keyed_router(
                spec,
                "/organizations/{organization_id}",
                "organizations",
                [ORGANIZATION_READ, ORGANIZATION_UPDATE],
                []
            )
        ),
        guarded(create_organization_def(), &claim_own_key.into_expr()),
        list_organizations_def(),
        guarded(read_organization_def(), &read),
        guarded(rename_organization_def(), &update),
        guarded(deletion, &require_fresh_session.into_expr()),
        served_unpaid(spec, only_people(spec, guarded(switch_organization_def(), &read)))
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

fn rename_organization_def() -> FunctionDef {
    names!(payload, principal, organizations);
    async_def(rename_organization)
        .decorator(py!(organization_router.patch("")))
        .params([
            param(payload, OrganizationUpdate),
            param(principal, PrincipalDep),
            param(organizations, OrganizationServiceDep),
        ])
        .returns(OrganizationMembership)
        .body(block![
            docstring("Give an organization another name."),
            do_(py!(organizations.rename(principal, payload.name).await)),
            return_(py!(OrganizationMembership.model_validate(principal)))
        ])
}

fn delete_organization_def(bills: bool) -> FunctionDef {
    names!(principal, organizations);
    async_def(delete_organization)
        .decorator(py!(organization_router.delete("", status_code = status.HTTP_204_NO_CONTENT)))
        .params([param(principal, PrincipalDep), param(organizations, OrganizationServiceDep)])
        .returns(none())
        .body(block![
            docstring(if bills {
                "Delete an organization and all that it has; not while it pays."
            } else {
                "Delete an organization and all that it has."
            }),
            do_(py!(organizations.delete(principal).await))
        ])
}

fn switch_organization_def() -> FunctionDef {
    names!(principal, organizations);
    async_def(switch_organization)
        .decorator(py!(organization_router.post("/switch")))
        .params([param(principal, PrincipalDep), param(organizations, OrganizationServiceDep)])
        .returns(OrganizationMembership)
        .body(block![
            docstring("Remember that this session works for the organization from now on."),
            do_(py!(organizations.switch(principal).await)),
            return_(py!(OrganizationMembership.model_validate(principal)))
        ])
}
