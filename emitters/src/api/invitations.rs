//! `backend/app/api/invitations.py`: invitations: made and listed in an organization, accepted by token.

use crate::core::org_rbac::{PrincipalDep, require_permission};
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::core::rbac::CurrentUserDep;
use crate::guards::guarded;
use crate::python::fastapi::{APIRouter, status};
use crate::schemas::invitation::{
    InvitationAccept, InvitationCreate, InvitationPage, InvitationRead, MembershipRead,
};
use crate::services::invitation_service::InvitationServiceDep;
use crate::services::outbox::OutboxDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.invitations": organization_router, router, create_invitation, list_pending_invitations,
        accept_invitation;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let inviters = py!(require_permission(Permission.INVITATIONS_MANAGE));
    module("app.api.invitations")
        .docstring("Invitations: made and listed in an organization, accepted by token.")
        .body(block![
            assign(
                organization_router,
                py!(APIRouter(
                    prefix = "/organizations/{organization_id}/invitations",
                    tags = ["invitations"]
                ))
            ),
            assign(router, py!(APIRouter(prefix = "/invitations", tags = ["invitations"]))),
            guarded(create_invitation_def(), &inviters),
            guarded(list_pending_invitations_def(), &inviters),
            accept_invitation_def()
        ])
}

fn create_invitation_def() -> FunctionDef {
    names!(payload, principal, invitations, outbox, invitation, mail);
    async_def(create_invitation)
        .decorator(py!(organization_router.post("", status_code = status.HTTP_201_CREATED)))
        .params([
            param(payload, InvitationCreate),
            param(principal, PrincipalDep),
            param(invitations, InvitationServiceDep),
            param(outbox, OutboxDep),
        ])
        .returns(InvitationRead)
        .body(block![
            docstring("Invite an address to the organization; the token goes there by mail."),
            assign(py!((invitation, mail)), py!(invitations.create(principal, payload).await)),
            do_(py!(outbox.add(mail))),
            return_(py!(InvitationRead.model_validate(invitation)))
        ])
}

fn list_pending_invitations_def() -> FunctionDef {
    names!(principal, page, invitations, pending);
    async_def(list_pending_invitations)
        .decorator(py!(organization_router.get("/pending")))
        .params([
            param(principal, PrincipalDep),
            param(page, PageRequestDep),
            param(invitations, InvitationServiceDep),
        ])
        .returns(InvitationPage)
        .body(block![
            docstring("List the invitations that can still be accepted."),
            assign(pending, py!(invitations.pending(principal, page).await)),
            return_(py!(InvitationPage.model_validate(pending)))
        ])
}

fn accept_invitation_def() -> FunctionDef {
    names!(payload, user, invitations, membership);
    async_def(accept_invitation)
        .decorator(py!(router.post("/accept", status_code = status.HTTP_201_CREATED)))
        .params([
            param(payload, InvitationAccept),
            param(user, CurrentUserDep),
            param(invitations, InvitationServiceDep),
        ])
        .returns(MembershipRead)
        .body(block![
            docstring("Join the organization that the token invites the caller to."),
            assign(membership, py!(invitations.accept(user, payload.token).await)),
            return_(py!(MembershipRead.model_validate(membership)))
        ])
}
