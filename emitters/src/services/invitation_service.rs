//! `backend/app/services/invitation_service.py`: invitations: who may ask whom into an organization.

use crate::core::access::{access_of, refuse_unpaid};
use crate::core::billing::consume_limit;
use crate::core::database::{SessionDep, flush};
use crate::core::errors::{ConflictError, ForbiddenError, NotFoundError, TooManyRequestsError};
use crate::core::org_rbac::{Principal, guard_grant, lock_organization};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::payers::payer_of;
use crate::core::permissions::Permission;
use crate::core::plans::Limit;
use crate::core::plans::limits_members;
use crate::core::security::{Purpose, SignerDep};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::invitation::{Invitation, InvitationStatus};
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{int, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{Select, and_, func, select};
use crate::python::standard::{Annotated, UUID, dataclass, math, secrets, timedelta};
use crate::schemas::invitation::InvitationCreate;
use crate::services::email_service::{Mail, invitation_mail};
use crate::spec::{Billing, Payer, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.invitation_service": TOKEN_BYTES, MAX_PENDING, RESEND_COOLDOWN, InvitationService, seats_taken, seats_promised,
        InvitationServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let limited = spec.billing.as_ref().filter(|billing| limits_members(billing));
    module("app.services.invitation_service")
        .docstring("Invitations: who may ask whom into an organization.")
        .body(block![
            assign(TOKEN_BYTES, 32),
            assign(MAX_PENDING, 100),
            assign(RESEND_COOLDOWN, py!(timedelta(minutes = 1))),
            invitation_service_class(limited, spec.organizations.roles.len() > 1),
            limited.map(|_| [seats_taken_def(), seats_promised_def()]),
            assign(
                InvitationServiceDep,
                py!(Annotated[(InvitationService, Depends(InvitationService))])
            )
        ])
}

fn invitation_service_class(limited: Option<&Billing>, guards_grants: bool) -> ClassDef {
    names!(session, settings, signer);
    class(InvitationService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for invitations."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(signer, SignerDep),
        invitation_service_create(limited, guards_grants),
        invitation_service_pending(),
        invitation_service_resend(limited, guards_grants),
        invitation_service_revoke(),
        invitation_service_find_in(),
        invitation_service_refuse_member(),
        invitation_service_refuse_too_many(),
        invitation_service_expire()
    ])
}

fn invitation_service_create(limited: Option<&Billing>, guards_grants: bool) -> FunctionDef {
    names!(principal, payload, organization, seats, token, invitation);
    let seat_check =
        limited.map(|billing| enforce_seats(billing, organization, seats, seats_promised));
    async_def("create")
        .params([untyped("self"), param(principal, Principal), param(payload, InvitationCreate)])
        .returns(py!(tuple[(Invitation, Mail)]))
        .body(block![
            docstring(
                "Invite someone; the mail that is returned holds the only copy of the token.\n\
                 \n\
                 Nobody invites above their own rank, nor a member, nor the same address twice."
            ),
            do_(py!(
                lock_organization(self.session, principal, Permission.INVITATIONS_MANAGE).await
            )),
            assign(organization, py!(principal.organization)),
            if_(
                py!(payload.role.outranks(principal.role)),
                [raise(py!(ForbiddenError("You cannot invite above your own role.")))]
            ),
            guards_grants.then(|| do_(py!(guard_grant(principal, payload.role, self.settings)))),
            do_(py!(self.refuse_member(organization, payload.email).await)),
            do_(py!(self.expire(organization, payload.email).await)),
            do_(py!(self.refuse_too_many(organization).await)),
            seat_check,
            assign(token, py!(secrets.token_urlsafe(TOKEN_BYTES))),
            assign(
                invitation,
                py!(Invitation(
                    organization_id = organization.id,
                    inviter_id = principal.user.id,
                    email = payload.email,
                    role = payload.role,
                    token_hash = self.signer.digest(Purpose.INVITATION, token),
                    expires_at = utcnow() + timedelta(seconds = self.settings.invitation_seconds)
                ))
            ),
            do_(py!(self.session.add(invitation))),
            do_(py!(flush(self.session, conflict = "This address is invited already.").await)),
            return_(py!((invitation, invitation_mail(invitation, organization, token))))
        ])
}

fn invitation_service_pending() -> FunctionDef {
    names!(principal, page, statement);
    async_def("pending")
        .params([untyped("self"), param(principal, Principal), param(page, PageRequest)])
        .returns(py!(Slice[Invitation]))
        .body(block![
            docstring("List the invitations of an organization that can still be accepted."),
            assign(
                statement,
                py!(select(Invitation).r#where(
                    Invitation.organization_id == principal.organization.id,
                    Invitation.status == InvitationStatus.PENDING,
                    Invitation.expires_at > utcnow()
                ))
            ),
            return_(py!(fetch_page(self.session, statement, Invitation, page).await))
        ])
}

fn invitation_service_resend(limited: Option<&Billing>, guards_grants: bool) -> FunctionDef {
    names!(principal, invitation_id, invitation, now, again_at, organization, token, seats);
    let seat_check =
        limited.map(|billing| enforce_seats(billing, organization, seats, seats_promised));
    let reopen = if_(
        py!(invitation.expires_at <= now),
        block![do_(py!(self.refuse_too_many(organization).await)), seat_check],
    );
    async_def("resend")
        .params([untyped("self"), param(principal, Principal), param(invitation_id, UUID)])
        .returns(py!(tuple[(Invitation, Mail)]))
        .body(block![
            docstring(
                "Send an invitation again, with a new token; the one in the last mail is void.\n\
                 \n\
                 The caller is the inviter from now on: it stands and falls with them."
            ),
            assign(
                invitation,
                py!(self.find_in(principal, invitation_id, InvitationStatus.PENDING).await)
            ),
            guards_grants.then(|| do_(py!(guard_grant(principal, invitation.role, self.settings)))),
            assign(py!((organization, now)), py!((principal.organization, utcnow()))),
            assign(again_at, py!(invitation.last_sent_at + RESEND_COOLDOWN)),
            if_(
                py!(now < again_at),
                [raise(py!(TooManyRequestsError(
                    "This invitation was sent a moment ago.",
                    retry_after = math.ceil((again_at - now).total_seconds())
                )))]
            ),
            reopen,
            assign(token, py!(secrets.token_urlsafe(TOKEN_BYTES))),
            assign(py!(invitation.token_hash), py!(self.signer.digest(Purpose.INVITATION, token))),
            assign(
                py!(invitation.expires_at),
                py!(now + timedelta(seconds = self.settings.invitation_seconds))
            ),
            assign(
                py!((invitation.inviter_id, invitation.last_sent_at)),
                py!((principal.user.id, now))
            ),
            aug_assign(py!(invitation.sent_count), Operator::Add, 1),
            do_(py!(self.session.flush().await)),
            return_(py!((invitation, invitation_mail(invitation, organization, token))))
        ])
}

fn invitation_service_revoke() -> FunctionDef {
    names!(principal, invitation_id, invitation);
    async_def("revoke")
        .params([untyped("self"), param(principal, Principal), param(invitation_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Take an invitation back; one that ended otherwise stays what it is."),
            assign(invitation, py!(self.find_in(principal, invitation_id).await)),
            if_(
                py!(is_!(invitation.status, InvitationStatus.ACCEPTED)),
                [raise(py!(ConflictError("This invitation was accepted.")))]
            ),
            if_(
                py!(is_!(invitation.status, InvitationStatus.PENDING)),
                [assign(py!(invitation.status), py!(InvitationStatus.REVOKED))]
            ),
            do_(py!(self.session.flush().await))
        ])
}

fn invitation_service_find_in() -> FunctionDef {
    names!(principal, invitation_id, statuses, statement, invitation);
    async_def("find_in")
        .params([
            untyped("self"),
            param(principal, Principal),
            param(invitation_id, UUID),
            varargs(statuses, InvitationStatus),
        ])
        .returns(Invitation)
        .body(block![
            docstring("Find an invitation of the caller's organization that is theirs to change."),
            do_(py!(
                lock_organization(self.session, principal, Permission.INVITATIONS_MANAGE).await
            )),
            assign(
                statement,
                py!(select(Invitation).r#where(
                    Invitation.id == invitation_id,
                    Invitation.organization_id == principal.organization.id
                ))
            ),
            if_(
                statuses,
                [assign(statement, py!(statement.r#where(Invitation.status.in_(statuses))))]
            ),
            assign(invitation, py!(self.session.scalar(statement.with_for_update()).await)),
            if_(
                py!(invitation == None),
                [raise(py!(NotFoundError("There is no such invitation.")))]
            ),
            if_(
                py!(invitation.role.outranks(principal.role)),
                [raise(py!(ForbiddenError("This invitation is to a role above your own.")))]
            ),
            return_(invitation)
        ])
}

fn invitation_service_refuse_too_many() -> FunctionDef {
    names!(organization, pending);
    async_def("refuse_too_many")
        .params([untyped("self"), param(organization, Organization)])
        .returns(none())
        .body(block![
            docstring("Refuse to send more invitations than anyone needs."),
            assign(
                pending,
                py!(select(func.count()).select_from(Invitation).r#where(
                    Invitation.organization_id == organization.id,
                    Invitation.status == InvitationStatus.PENDING,
                    Invitation.expires_at > utcnow()
                ))
            ),
            if_(
                py!((self.session.scalar(pending).await || 0) >= MAX_PENDING),
                [raise(py!(ConflictError(
                    "Too many invitations are open already.",
                    code = "too_many_invitations"
                )))]
            )
        ])
}

fn invitation_service_refuse_member() -> FunctionDef {
    names!(organization, email, member);
    async_def("refuse_member")
        .params([untyped("self"), param(organization, Organization), param(email, str)])
        .returns(none())
        .body(block![
            docstring("Refuse to invite someone who is a member."),
            assign(
                member,
                py!(select(Membership.id)
                    .join(Membership.user)
                    .r#where(Membership.organization_id == organization.id, User.email == email))
            ),
            if_(
                py!(self.session.scalar(member).await != None),
                [raise(py!(ConflictError("This address belongs to a member already.")))]
            )
        ])
}

fn invitation_service_expire() -> FunctionDef {
    names!(organization, email, old, invitation);
    async_def("expire")
        .params([untyped("self"), param(organization, Organization), param(email, str)])
        .returns(none())
        .body(block![
            docstring("Put away an invitation that ran out, so that a new one can be made."),
            assign(
                old,
                py!(select(Invitation).r#where(
                    Invitation.organization_id == organization.id,
                    Invitation.email == email,
                    Invitation.status == InvitationStatus.PENDING,
                    Invitation.expires_at <= utcnow()
                ))
            ),
            for_(
                invitation,
                py!(self.session.scalars(old.with_for_update()).await.all()),
                [assign(py!(invitation.status), py!(InvitationStatus.EXPIRED))]
            ),
            do_(py!(self.session.flush().await))
        ])
}

/// Refuses one member more than the plan allows; `counted` says what counts as a seat.
pub fn enforce_seats(
    billing: &Billing,
    organization: Name,
    seats: Name,
    counted: Import,
) -> Vec<Stmt> {
    let (asked, payer) = payer_asked_for(billing, organization);
    block![
        assign(seats, py!(counted(organization))),
        asked,
        do_(py!(consume_limit(self.session, payer, Limit.MEMBERS, seats).await))
    ]
}

/// Refuses a member while a payment is missing, where no limit of a plan does.
pub fn enforce_payment(billing: &Billing, organization: Name) -> Vec<Stmt> {
    let (asked, payer) = payer_asked_for(billing, organization);
    block![asked, do_(py!(refuse_unpaid(access_of(payer, utcnow()))))]
}

/// Who pays for an organization, asked for if that is somebody else.
fn payer_asked_for(billing: &Billing, organization: Name) -> (Option<Stmt>, Name) {
    names!(payer);
    match billing.payer {
        Payer::Organization => (None, organization),
        Payer::User => {
            (Some(assign(payer, py!(payer_of(self.session, organization).await))), payer)
        }
    }
}

fn seats_taken_def() -> FunctionDef {
    names!(organization);
    def(seats_taken).params([param(organization, Organization)]).returns(py!(Select[int])).body(
        block![
            docstring("Count the members."),
            return_(py!(select(func.count())
                .select_from(Membership)
                .r#where(Membership.organization_id == organization.id)))
        ],
    )
}

fn seats_promised_def() -> FunctionDef {
    names!(organization, invited, members, of_inviter);
    def(seats_promised).params([param(organization, Organization)]).returns(py!(Select[int])).body(
        block![
            docstring("Count the members, and those whom a member has invited."),
            assign(
                of_inviter,
                py!(and_(
                    Membership.organization_id == Invitation.organization_id,
                    Membership.user_id == Invitation.inviter_id
                ))
            ),
            assign(
                invited,
                py!(select(func.count())
                    .select_from(Invitation)
                    .join(Membership, of_inviter)
                    .r#where(
                        Invitation.organization_id == organization.id,
                        Invitation.status == InvitationStatus.PENDING,
                        Invitation.expires_at > utcnow()
                    ))
            ),
            assign(members, py!(seats_taken(organization))),
            return_(py!(select(members.scalar_subquery() + invited.scalar_subquery())))
        ],
    )
}
