//! `backend/app/services/invitation_reply_service.py`: what invited people do: look, accept, decline.

use crate::core::database::{SessionDep, flush};
use crate::core::errors::{ForbiddenError, GoneError, NotFoundError};
use crate::core::permissions::{Permission, ROLE_PERMISSIONS};
use crate::core::plans::limits_members;
use crate::core::security::{Purpose, SignerDep};
use crate::models::base::utcnow;
use crate::models::invitation::{Invitation, InvitationStatus};
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{bool, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, dataclass};
use crate::schemas::invitation::InvitationPreview;
use crate::services::invitation_service::{enforce_payment, enforce_seats, seats_taken};
use crate::spec::{Billing, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.invitation_reply_service": InvitationReplyService, masked,
        InvitationReplyServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.invitation_reply_service")
        .docstring("What invited people do: look, accept, decline.")
        .body(block![
            invitation_reply_service_class(spec.billing.as_ref()),
            masked_def(),
            assign(
                InvitationReplyServiceDep,
                py!(Annotated[(InvitationReplyService, Depends(InvitationReplyService))])
            )
        ])
}

fn invitation_reply_service_class(billing: Option<&Billing>) -> ClassDef {
    names!(session, signer);
    class(InvitationReplyService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for who holds the token of an invitation."),
        annotate(session, SessionDep),
        annotate(signer, SignerDep),
        preview(),
        accept(billing),
        decline(),
        is_invited(),
        find(),
        find_open(),
        refuse_others(),
        claim(),
        enter(),
        stands()
    ])
}

fn preview() -> FunctionDef {
    names!(token, invitation, statement, name, inviter_email);
    async_def("preview")
        .params([untyped("self"), param(token, str)])
        .returns(InvitationPreview)
        .body(block![
            docstring("Tell what an invitation is to; one that is dead does not exist."),
            assign(invitation, py!(self.find_open(token).await)),
            if_(
                py!(invitation == None || !self.stands(invitation).await),
                [raise(py!(NotFoundError("There is no such invitation.")))]
            ),
            assign(
                statement,
                py!(select(Organization.name, User.email)
                    .join(User, User.id == invitation.inviter_id)
                    .r#where(Organization.id == invitation.organization_id))
            ),
            assign(py!((name, inviter_email)), py!(self.session.execute(statement).await.one())),
            return_(py!(InvitationPreview(
                organization_name = name,
                inviter_email = masked(inviter_email),
                email = masked(invitation.email),
                role = invitation.role,
                expires_at = invitation.expires_at
            )))
        ])
}

fn accept(billing: Option<&Billing>) -> FunctionDef {
    names!(user, token, invitation, organization, seats, membership);
    let seat_check = billing.map(|billing| match limits_members(billing) {
        true => enforce_seats(billing, organization, seats, seats_taken),
        false => enforce_payment(billing, organization),
    });
    async_def("accept")
        .params([untyped("self"), param(user, User), param(token, str)])
        .returns(Membership)
        .body(block![
            docstring(
                "Join the organization that the token invites to.\n\
                 \n\
                 The user has to have shown that the invited address is theirs: the token alone\n\
                 may have been passed on."
            ),
            assign(invitation, py!(self.find(token).await)),
            do_(py!(self.refuse_others(user, invitation))),
            if_(
                py!(user.email_verified_at == None),
                [raise(py!(ForbiddenError(
                    "Confirm your address first.",
                    code = "email_not_verified"
                )))]
            ),
            assign(organization, py!(self.enter(invitation).await)),
            do_(py!(self.claim(invitation, InvitationStatus.ACCEPTED).await)),
            seat_check,
            assign(
                membership,
                py!(Membership(
                    organization_id = organization.id,
                    user_id = user.id,
                    role = invitation.role
                ))
            ),
            do_(py!(self.session.add(membership))),
            do_(py!(flush(self.session, conflict = "You are a member already.").await)),
            return_(membership)
        ])
}

fn decline() -> FunctionDef {
    names!(user, token, invitation);
    async_def("decline")
        .params([untyped("self"), param(user, User), param(token, str)])
        .returns(none())
        .body(block![
            docstring("Turn an invitation down."),
            assign(invitation, py!(self.find(token).await)),
            do_(py!(self.refuse_others(user, invitation))),
            do_(py!(self.claim(invitation, InvitationStatus.DECLINED).await))
        ])
}

fn is_invited() -> FunctionDef {
    names!(email, token, invitation);
    async_def("is_invited")
        .params([untyped("self"), param(email, str), param(token, str)])
        .returns(bool)
        .body(block![
            docstring("Tell whether a token was mailed to an address and is still good."),
            assign(invitation, py!(self.find_open(token).await)),
            return_(py!(invitation != None && invitation.email == email))
        ])
}

fn find() -> FunctionDef {
    names!(token, token_hashes, statement, invitation);
    async_def("find").params([untyped("self"), param(token, str)]).returns(Invitation).body(block![
        docstring("Find an invitation by its token, dead or alive."),
        assign(token_hashes, py!(self.signer.digests(Purpose.INVITATION, token))),
        assign(statement, py!(select(Invitation).r#where(Invitation.token_hash.in_(token_hashes)))),
        assign(invitation, py!(self.session.scalar(statement).await)),
        if_(py!(invitation == None), [raise(py!(NotFoundError("There is no such invitation.")))]),
        return_(invitation)
    ])
}

fn find_open() -> FunctionDef {
    names!(token, token_hashes, statement);
    async_def("find_open")
        .params([untyped("self"), param(token, str)])
        .returns(py!(Invitation | None))
        .body(block![
            docstring("Find an invitation that can still be accepted."),
            assign(token_hashes, py!(self.signer.digests(Purpose.INVITATION, token))),
            assign(
                statement,
                py!(select(Invitation).r#where(
                    Invitation.token_hash.in_(token_hashes),
                    Invitation.status == InvitationStatus.PENDING,
                    Invitation.expires_at > utcnow()
                ))
            ),
            return_(py!(self.session.scalar(statement).await))
        ])
}

fn refuse_others() -> FunctionDef {
    names!(user, invitation);
    def("refuse_others")
        .params([untyped("self"), param(user, User), param(invitation, Invitation)])
        .returns(none())
        .body(block![
            docstring("Refuse everybody whose address is another, without a word about it."),
            if_(
                py!(invitation.email != user.email),
                [raise(py!(ForbiddenError("This invitation is not for you.")))]
            )
        ])
}

fn claim() -> FunctionDef {
    names!(invitation, status, statement, claimed);
    async_def("claim")
        .params([untyped("self"), param(invitation, Invitation), param(status, InvitationStatus)])
        .returns(none())
        .body(block![
            docstring("Use the invitation up; of two requests at once only one gets through."),
            assign(
                statement,
                py!(select(Invitation)
                    .r#where(
                        Invitation.id == invitation.id,
                        Invitation.status == InvitationStatus.PENDING,
                        Invitation.token_hash == invitation.token_hash,
                        Invitation.expires_at > utcnow()
                    )
                    .with_for_update()
                    .execution_options(populate_existing = true))
            ),
            assign(claimed, py!(self.session.scalar(statement).await)),
            if_(
                py!(claimed == None),
                [raise(py!(GoneError("This invitation was used or has run out.")))]
            ),
            assign(py!(claimed.status), status),
            if_(
                py!(is_!(status, InvitationStatus.ACCEPTED)),
                [assign(py!(claimed.accepted_at), py!(utcnow()))]
            ),
            do_(py!(self.session.flush().await))
        ])
}

fn enter() -> FunctionDef {
    names!(invitation, organization, locked);
    async_def("enter")
        .params([untyped("self"), param(invitation, Invitation)])
        .returns(Organization)
        .body(block![
            docstring("Lock the organization, if the inviter could still invite to it."),
            assign(
                locked,
                py!(select(Organization)
                    .r#where(Organization.id == invitation.organization_id)
                    .with_for_update(key_share = true))
            ),
            assign(organization, py!(self.session.scalar(locked).await)),
            if_(
                py!(organization == None || !self.stands(invitation).await),
                [raise(py!(GoneError("Who invited you cannot do so any more.")))]
            ),
            return_(organization)
        ])
}

fn stands() -> FunctionDef {
    names!(invitation, inviter, role);
    async_def("stands").params([untyped("self"), param(invitation, Invitation)]).returns(bool).body(
        block![
            docstring("Tell whether who invited could still do so."),
            assign(
                inviter,
                py!(select(Membership.role).join(User, User.id == Membership.user_id).r#where(
                    Membership.organization_id == invitation.organization_id,
                    Membership.user_id == invitation.inviter_id,
                    User.is_active
                ))
            ),
            assign(role, py!(self.session.scalar(inviter).await)),
            return_(py!(role != None
                && !invitation.role.outranks(role)
                && in_!(Permission.INVITATIONS_MANAGE, ROLE_PERMISSIONS[role])))
        ],
    )
}

fn masked_def() -> FunctionDef {
    names!(email, local, domain);
    def(masked).params([param(email, str)]).returns(str).body(block![
        docstring("Show enough of an address to recognize it, and not more: `a***@example.com`."),
        assign(py!((local, domain)), py!(email.rsplit("@", maxsplit = 1))),
        return_(py!(f!("{}***@{}", local[..1], domain)))
    ])
}
