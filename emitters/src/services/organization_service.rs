//! `backend/app/services/organization_service.py`: organizations and who belongs to them.

use crate::core::database::SessionDep;
use crate::core::org_rbac::Principal;
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::plans::{SubscriptionStatus, TRIAL_PERIOD, TRIAL_PLAN};
use crate::core::roles::Role;
use crate::models::base::utcnow;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{bool, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{joinedload, select};
use crate::python::standard::{Annotated, dataclass};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.organization_service": OrganizationService, OrganizationServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.organization_service")
        .docstring("Organizations and who belongs to them.")
        .body(block![
            organization_service_class(),
            assign(
                OrganizationServiceDep,
                py!(Annotated[(OrganizationService, Depends(OrganizationService))])
            )
        ])
}

fn organization_service_class() -> ClassDef {
    names!(session);
    class(OrganizationService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for organizations."),
        annotate(session, SessionDep),
        organization_service_create(),
        organization_service_owns_any(),
        organization_service_memberships_of(),
        organization_service_members_of()
    ])
}

fn organization_service_create() -> FunctionDef {
    names!(owner, name, organization, membership);
    async_def("create")
        .params([untyped("self"), param(owner, User), param(name, str)])
        .returns(Membership)
        .body(block![
            docstring("Found an organization; the first one of an owner starts with a trial."),
            assign(organization, py!(Organization(name = name))),
            if_(
                py!(!self.owns_any(owner).await),
                block![
                    assign(py!(organization.plan), py!(TRIAL_PLAN.name)),
                    assign(py!(organization.subscription_status), py!(SubscriptionStatus.TRIALING)),
                    assign(py!(organization.trial_ends_at), py!(utcnow() + TRIAL_PERIOD))
                ]
            ),
            assign(
                membership,
                py!(Membership(organization = organization, user = owner, role = Role.OWNER))
            ),
            do_(py!(self.session.add(membership))),
            do_(py!(self.session.flush().await)),
            return_(membership)
        ])
}

fn organization_service_owns_any() -> FunctionDef {
    names!(user, owned);
    async_def("owns_any").params([untyped("self"), param(user, User)]).returns(bool).body(block![
        docstring("Tell whether the user owns an organization."),
        assign(
            owned,
            py!(select(Membership.id)
                .r#where(Membership.user_id == user.id, Membership.role == Role.OWNER)
                .limit(1))
        ),
        return_(py!(self.session.scalar(owned).await != None))
    ])
}

fn organization_service_memberships_of() -> FunctionDef {
    names!(user, page, statement);
    async_def("memberships_of")
        .params([untyped("self"), param(user, User), param(page, PageRequest)])
        .returns(py!(Slice[Membership]))
        .body(block![
            docstring("List the organizations of a user."),
            assign(
                statement,
                py!(select(Membership)
                    .r#where(Membership.user_id == user.id)
                    .options(joinedload(Membership.organization)))
            ),
            return_(py!(fetch_page(self.session, statement, Membership, page).await))
        ])
}

fn organization_service_members_of() -> FunctionDef {
    names!(principal, page, statement);
    async_def("members_of")
        .params([untyped("self"), param(principal, Principal), param(page, PageRequest)])
        .returns(py!(Slice[Membership]))
        .body(block![
            docstring("List the members of the caller's organization."),
            assign(
                statement,
                py!(select(Membership)
                    .r#where(Membership.organization_id == principal.organization.id)
                    .options(joinedload(Membership.user)))
            ),
            return_(py!(fetch_page(self.session, statement, Membership, page).await))
        ])
}
