//! `backend/app/api/invitations.py`: invitations: managed in an organization, answered by token.

use crate::core::api_keys::keyed_router;
use crate::core::idempotency::{IdempotentRoute, claim_key};
use crate::core::org_rbac::{PrincipalDep, require_permission};
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::core::rate_limit::{AttemptsDep, INVITATIONS};
use crate::core::rbac::CurrentUserDep;
use crate::guards::guarded;
use crate::python::fastapi::{APIRouter, status};
use crate::python::standard::UUID;
use crate::schemas::invitation::{
    InvitationCreate, InvitationPage, InvitationPreview, InvitationRead, InvitationToken,
    MembershipRead,
};
use crate::services::invitation_reply_service::InvitationReplyServiceDep;
use crate::services::invitation_service::InvitationServiceDep;
use crate::services::outbox::OutboxDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.invitations": organization_router, router, create_invitation, list_pending_invitations,
        resend_invitation, revoke_invitation, preview_invitation, accept_invitation,
        decline_invitation;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(INVITATIONS_MANAGE);
    let inviters = py!(require_permission(Permission.INVITATIONS_MANAGE));
    module("app.api.invitations")
        .docstring("Invitations: managed in an organization, answered by token.")
        .body(block![
            assign(
                organization_router,
                keyed_router(
                    spec,
                    "/organizations/{organization_id}/invitations",
                    "invitations",
                    [INVITATIONS_MANAGE, INVITATIONS_MANAGE],
                    [kw("route_class", IdempotentRoute)]
                )
            ),
            assign(router, py!(APIRouter(prefix = "/invitations", tags = ["invitations"]))),
            guarded(guarded(create_invitation_def(), &claim_key.into_expr()), &inviters),
            guarded(list_pending_invitations_def(), &inviters),
            guarded(resend_invitation_def(), &inviters),
            guarded(revoke_invitation_def(), &inviters),
            preview_invitation_def(),
            accept_invitation_def(),
            decline_invitation_def()
        ])
}

fn create_invitation_def() -> FunctionDef {
    names!(attempts, payload, principal, invitations, outbox, invitation, mail);
    async_def(create_invitation)
        .decorator(py!(organization_router.post("", status_code = status.HTTP_201_CREATED)))
        .params([
            param(payload, InvitationCreate),
            param(principal, PrincipalDep),
            param(invitations, InvitationServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(InvitationRead)
        .body(block![
            docstring("Invite an address to the organization; the token goes there by mail."),
            do_(py!(attempts.spend_as(INVITATIONS, principal.user.id).await)),
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

fn resend_invitation_def() -> FunctionDef {
    names!(attempts, invitation_id, principal, invitations, outbox, invitation, mail);
    async_def(resend_invitation)
        .decorator(py!(organization_router.post("/{invitation_id:uuid}/resend")))
        .params([
            param(invitation_id, UUID),
            param(principal, PrincipalDep),
            param(invitations, InvitationServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(InvitationRead)
        .body(block![
            docstring("Send an invitation again; only the token in the last mail is good."),
            do_(py!(attempts.spend_as(INVITATIONS, principal.user.id).await)),
            assign(
                py!((invitation, mail)),
                py!(invitations.resend(principal, invitation_id).await)
            ),
            do_(py!(outbox.add(mail))),
            return_(py!(InvitationRead.model_validate(invitation)))
        ])
}

fn revoke_invitation_def() -> FunctionDef {
    names!(invitation_id, principal, invitations);
    async_def(revoke_invitation)
        .decorator(py!(organization_router
            .delete("/{invitation_id:uuid}", status_code = status.HTTP_204_NO_CONTENT)))
        .params([
            param(invitation_id, UUID),
            param(principal, PrincipalDep),
            param(invitations, InvitationServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("Take an invitation back that was not accepted."),
            do_(py!(invitations.revoke(principal, invitation_id).await))
        ])
}

fn preview_invitation_def() -> FunctionDef {
    names!(payload, replies);
    async_def(preview_invitation)
        .decorator(py!(router.post("/preview")))
        .params([param(payload, InvitationToken), param(replies, InvitationReplyServiceDep)])
        .returns(InvitationPreview)
        .body(block![
            docstring("Tell who holds a token what it is for, before they have an account."),
            return_(py!(replies.preview(payload.token).await))
        ])
}

fn accept_invitation_def() -> FunctionDef {
    names!(payload, user, replies, membership);
    async_def(accept_invitation)
        .decorator(py!(router.post("/accept", status_code = status.HTTP_201_CREATED)))
        .params([
            param(payload, InvitationToken),
            param(user, CurrentUserDep),
            param(replies, InvitationReplyServiceDep),
        ])
        .returns(MembershipRead)
        .body(block![
            docstring("Join the organization that the token invites the caller to."),
            assign(membership, py!(replies.accept(user, payload.token).await)),
            return_(py!(MembershipRead.model_validate(membership)))
        ])
}

fn decline_invitation_def() -> FunctionDef {
    names!(payload, user, replies);
    async_def(decline_invitation)
        .decorator(py!(router.post("/decline", status_code = status.HTTP_204_NO_CONTENT)))
        .params([
            param(payload, InvitationToken),
            param(user, CurrentUserDep),
            param(replies, InvitationReplyServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("Turn an invitation down that was sent to the caller."),
            do_(py!(replies.decline(user, payload.token).await))
        ])
}
