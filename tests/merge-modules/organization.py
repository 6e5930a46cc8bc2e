"""Requests and responses about organizations and their members."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.core.plans import PlanName
from app.core.roles import Role
from app.schemas.base import Page, RequestModel, ResponseModel
from app.schemas.fields import NO_NUL

OrganizationName = Annotated[str, Field(min_length=1, max_length=120, pattern=NO_NUL)]


class OrganizationCreate(RequestModel):
    """A new organization, owned by the caller."""

    name: OrganizationName


class OrganizationRead(ResponseModel):
    """An organization."""

    id: UUID
    created_at: datetime
    name: str
    plan: PlanName


class OrganizationMembership(ResponseModel):
    """An organization of the caller, and their role in it."""

    role: Role
    organization: OrganizationRead


class OrganizationMembershipPage(Page[OrganizationMembership]):
    """A part of the list of the caller's organizations."""


class MemberUser(ResponseModel):
    """A member, as the other members see them."""

    id: UUID
    email: str


class MemberRead(ResponseModel):
    """A membership in an organization."""

    id: UUID
    created_at: datetime
    role: Role
    user: MemberUser


class MemberPage(Page[MemberRead]):
    """A part of the list of members."""
