//! `backend/app/services/invitation_service.py`: invitations: who may ask whom into an organization, and how they accept.

use crate::core::billing::enforce_limit;
use crate::core::database::{SessionDep, flush};
use crate::core::errors::{ConflictError, ForbiddenError, GoneError, NotFoundError};
use crate::core::org_rbac::Principal;
use crate::core::pagination::{PageRequest, Slice, fetch_page};
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
use crate::python::sqlalchemy::{Select, func, select, update};
use crate::python::standard::{Annotated, dataclass, secrets, timedelta};
use crate::schemas::invitation::InvitationCreate;
use crate::services::email_service::{Mail, invitation_mail};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.invitation_service": TOKEN_BYTES, InvitationService, seats_taken, seats_promised,
        InvitationServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let limited = spec.billing.as_ref().is_some_and(limits_members);
    module("app.services.invitation_service")
        .docstring("Invitations: who may ask whom into an organization, and how they accept.")
        .body(block![
            assign(TOKEN_BYTES, 32),
            invitation_service_class(limited),
            limited.then(|| [seats_taken_def(), seats_promised_def()]),
            assign(
                InvitationServiceDep,
                py!(Annotated[(InvitationService, Depends(InvitationService))])
            )
        ])
}

fn invitation_service_class(limited: bool) -> ClassDef {
    names!(session, settings, signer);
    class(InvitationService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for invitations."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(signer, SignerDep),
        invitation_service_create(limited),
        invitation_service_pending(),
        invitation_service_accept(limited),
        invitation_service_refuse_member(),
        invitation_service_expire(),
        invitation_service_find(),
        invitation_service_claim(),
        invitation_service_organization_of()
    ])
}

fn invitation_service_create(limited: bool) -> FunctionDef {
    names!(principal, payload, organization, seats, token, invitation);
    let seat_check = limited.then(|| enforce_seats(organization, seats, seats_promised));
    async_def("create")
        .params([untyped("self"), param(principal, Principal), param(payload, InvitationCreate)])
        .returns(py!(tuple[(Invitation, Mail)]))
        .body(block![
            docstring(
                "Invite someone; the mail that is returned holds the only copy of the token.\n\
                 \n\
                 Nobody invites above their own rank, nor a member, nor the same address twice."
            ),
            assign(organization, py!(principal.organization)),
            if_(
                py!(payload.role.outranks(principal.role)),
                [raise(py!(ForbiddenError("You cannot invite above your own role.")))]
            ),
            do_(py!(self.refuse_member(organization, payload.email).await)),
            do_(py!(self.expire(organization, payload.email).await)),
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

fn invitation_service_accept(limited: bool) -> FunctionDef {
    names!(user, token, invitation, organization, seats, membership);
    let seat_check = limited.then(|| enforce_seats(organization, seats, seats_taken));
    async_def("accept")
        .params([untyped("self"), param(user, User), param(token, str)])
        .returns(Membership)
        .body(block![
            docstring(
                "Join the organization that the token invites to.\n\
                 \n\
                 The token was mailed to the invited address, so who presents it has shown that\n\
                 the address is theirs."
            ),
            assign(invitation, py!(self.find(token).await)),
            if_(
                py!(invitation.email != user.email),
                [raise(py!(ForbiddenError("This invitation is not for you.")))]
            ),
            do_(py!(self.claim(invitation).await)),
            assign(organization, py!(self.organization_of(invitation).await)),
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
            assign(py!(user.email_verified_at), py!(user.email_verified_at || utcnow())),
            do_(py!(flush(self.session, conflict = "You are a member already.").await)),
            return_(membership)
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
    names!(organization, email);
    async_def("expire")
        .params([untyped("self"), param(organization, Organization), param(email, str)])
        .returns(none())
        .body(block![
            docstring("Put away an invitation that ran out, so that a new one can be made."),
            do_(py!(self
                .session
                .execute(
                    update(Invitation)
                        .r#where(
                            Invitation.organization_id == organization.id,
                            Invitation.email == email,
                            Invitation.status == InvitationStatus.PENDING,
                            Invitation.expires_at <= utcnow()
                        )
                        .values(status = InvitationStatus.EXPIRED)
                )
                .await))
        ])
}

fn invitation_service_find() -> FunctionDef {
    names!(token, token_hashes, statement, invitation);
    async_def("find").params([untyped("self"), param(token, str)]).returns(Invitation).body(block![
        docstring("Find an invitation by its token."),
        assign(token_hashes, py!(self.signer.digests(Purpose.INVITATION, token))),
        assign(statement, py!(select(Invitation).r#where(Invitation.token_hash.in_(token_hashes)))),
        assign(invitation, py!(self.session.scalar(statement).await)),
        if_(py!(invitation == None), [raise(py!(NotFoundError("There is no such invitation.")))]),
        return_(invitation)
    ])
}

fn invitation_service_claim() -> FunctionDef {
    names!(invitation, claimed);
    async_def("claim")
        .params([untyped("self"), param(invitation, Invitation)])
        .returns(none())
        .body(block![
            docstring("Use the invitation up; of two requests at once only one gets through."),
            assign(
                claimed,
                py!(self
                    .session
                    .scalar(
                        update(Invitation)
                            .r#where(
                                Invitation.id == invitation.id,
                                Invitation.status == InvitationStatus.PENDING,
                                Invitation.expires_at > utcnow()
                            )
                            .values(status = InvitationStatus.ACCEPTED, accepted_at = utcnow())
                            .returning(Invitation.id)
                    )
                    .await)
            ),
            if_(
                py!(claimed == None),
                [raise(py!(GoneError("This invitation was used or has run out.")))]
            )
        ])
}

fn invitation_service_organization_of() -> FunctionDef {
    names!(invitation, statement, found);
    async_def("organization_of")
        .params([untyped("self"), param(invitation, Invitation)])
        .returns(Organization)
        .body(block![
            docstring("Return the organization, if the inviter could still invite to it."),
            assign(
                statement,
                py!(select(Membership.role, Organization).join(Membership.organization).r#where(
                    Membership.organization_id == invitation.organization_id,
                    Membership.user_id == invitation.inviter_id
                ))
            ),
            assign(found, py!(self.session.execute(statement).await.one_or_none())),
            if_(
                py!(found == None || invitation.role.outranks(found[0])),
                [raise(py!(GoneError("Who invited you cannot do so any more.")))]
            ),
            return_(py!(found[1]))
        ])
}

/// Refuses one member more than the plan allows; `counted` says what counts as a seat.
fn enforce_seats(organization: Name, seats: Name, counted: Import) -> [Stmt; 2] {
    [
        assign(seats, py!(counted(organization))),
        do_(py!(enforce_limit(self.session, organization, Limit.MEMBERS, seats).await)),
    ]
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
    names!(organization, invited, members);
    def(seats_promised).params([param(organization, Organization)]).returns(py!(Select[int])).body(
        block![
            docstring("Count the members and those who are invited."),
            assign(
                invited,
                py!(select(func.count()).select_from(Invitation).r#where(
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
