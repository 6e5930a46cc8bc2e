"""Invitations: who may ask whom into an organization, and how they accept."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Select, func, select, update

from app.core.billing import enforce_limit
from app.core.database import SessionDep, flush
from app.core.errors import ConflictError, ForbiddenError, GoneError, NotFoundError
from app.core.org_rbac import Principal
from app.core.pagination import PageRequest, Slice, fetch_page
from app.core.plans import Limit
from app.core.security import Purpose, SignerDep
from app.core.settings import SettingsDep
from app.models.base import utcnow
from app.models.invitation import Invitation, InvitationStatus
from app.models.membership import Membership
from app.models.organization import Organization
from app.models.user import User
from app.schemas.invitation import InvitationCreate
from app.services.email_service import Mail, invitation_mail

TOKEN_BYTES = 32


@dataclass(frozen=True)
class InvitationService:
    """The rules for invitations."""

    session: SessionDep
    settings: SettingsDep
    signer: SignerDep

    async def create(
        self, principal: Principal, payload: InvitationCreate
    ) -> tuple[Invitation, Mail]:
        """Invite someone; the mail that is returned holds the only copy of the token.

        Nobody invites above their own rank, nor a member, nor the same address twice.
        """
        organization = principal.organization
        if payload.role.outranks(principal.role):
            raise ForbiddenError("You cannot invite above your own role.")
        await self.refuse_member(organization, payload.email)
        await self.expire(organization, payload.email)
        seats = seats_promised(organization)
        await enforce_limit(self.session, organization, Limit.MEMBERS, seats)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        invitation = Invitation(
            organization_id=organization.id,
            inviter_id=principal.user.id,
            email=payload.email,
            role=payload.role,
            token_hash=self.signer.digest(Purpose.INVITATION, token),
            expires_at=utcnow() + timedelta(seconds=self.settings.invitation_seconds),
        )
        self.session.add(invitation)
        await flush(self.session, conflict="This address is invited already.")
        return invitation, invitation_mail(invitation, organization, token)

    async def pending(
        self, principal: Principal, page: PageRequest
    ) -> Slice[Invitation]:
        """List the invitations of an organization that can still be accepted."""
        statement = select(Invitation).where(
            Invitation.organization_id == principal.organization.id,
            Invitation.status == InvitationStatus.PENDING,
            Invitation.expires_at > utcnow(),
        )
        return await fetch_page(self.session, statement, Invitation, page)

    async def accept(self, user: User, token: str) -> Membership:
        """Join the organization that the token invites to.

        The token was mailed to the invited address, so who presents it has shown that
        the address is theirs.
        """
        invitation = await self.find(token)
        if invitation.email != user.email:
            raise ForbiddenError("This invitation is not for you.")
        await self.claim(invitation)
        organization = await self.organization_of(invitation)
        seats = seats_taken(organization)
        await enforce_limit(self.session, organization, Limit.MEMBERS, seats)
        membership = Membership(
            organization_id=organization.id, user_id=user.id, role=invitation.role
        )
        self.session.add(membership)
        user.email_verified_at = user.email_verified_at or utcnow()
        await flush(self.session, conflict="You are a member already.")
        return membership

    async def refuse_member(self, organization: Organization, email: str) -> None:
        """Refuse to invite someone who is a member."""
        member = (
            select(Membership.id)
            .join(Membership.user)
            .where(Membership.organization_id == organization.id, User.email == email)
        )
        if await self.session.scalar(member) is not None:
            raise ConflictError("This address belongs to a member already.")

    async def expire(self, organization: Organization, email: str) -> None:
        """Put away an invitation that ran out, so that a new one can be made."""
        await self.session.execute(
            update(Invitation)
            .where(
                Invitation.organization_id == organization.id,
                Invitation.email == email,
                Invitation.status == InvitationStatus.PENDING,
                Invitation.expires_at <= utcnow(),
            )
            .values(status=InvitationStatus.EXPIRED)
        )

    async def find(self, token: str) -> Invitation:
        """Find an invitation by its token."""
        token_hashes = self.signer.digests(Purpose.INVITATION, token)
        statement = select(Invitation).where(Invitation.token_hash.in_(token_hashes))
        invitation = await self.session.scalar(statement)
        if invitation is None:
            raise NotFoundError("There is no such invitation.")
        return invitation

    async def claim(self, invitation: Invitation) -> None:
        """Use the invitation up; of two requests at once only one gets through."""
        claimed = await self.session.scalar(
            update(Invitation)
            .where(
                Invitation.id == invitation.id,
                Invitation.status == InvitationStatus.PENDING,
                Invitation.expires_at > utcnow(),
            )
            .values(status=InvitationStatus.ACCEPTED, accepted_at=utcnow())
            .returning(Invitation.id)
        )
        if claimed is None:
            raise GoneError("This invitation was used or has run out.")

    async def organization_of(self, invitation: Invitation) -> Organization:
        """Return the organization, if the inviter could still invite to it."""
        statement = (
            select(Membership.role, Organization)
            .join(Membership.organization)
            .where(
                Membership.organization_id == invitation.organization_id,
                Membership.user_id == invitation.inviter_id,
            )
        )
        found = (await self.session.execute(statement)).one_or_none()
        if found is None or invitation.role.outranks(found[0]):
            raise GoneError("Who invited you cannot do so any more.")
        return found[1]


def seats_taken(organization: Organization) -> Select[int]:
    """Count the members."""
    return (
        select(func.count())
        .select_from(Membership)
        .where(Membership.organization_id == organization.id)
    )


def seats_promised(organization: Organization) -> Select[int]:
    """Count the members and those who are invited."""
    invited = (
        select(func.count())
        .select_from(Invitation)
        .where(
            Invitation.organization_id == organization.id,
            Invitation.status == InvitationStatus.PENDING,
            Invitation.expires_at > utcnow(),
        )
    )
    members = seats_taken(organization)
    return select(members.scalar_subquery() + invited.scalar_subquery())


InvitationServiceDep = Annotated[InvitationService, Depends(InvitationService)]
