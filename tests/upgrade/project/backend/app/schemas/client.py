"""Requests and responses about clients."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from app.models.client import ClientStatus
from app.schemas.base import Page, RequestModel, ResponseModel, absent
from app.schemas.fields import NO_NUL, Search

ClientName = Annotated[str, Field(min_length=1, max_length=120, pattern=NO_NUL)]


class ClientCreate(RequestModel):
    """A new client."""

    name: ClientName
    status: ClientStatus = ClientStatus.ACTIVE


class ClientUpdate(RequestModel):
    """A change of a client; what is left out stays as it is."""

    name: ClientName = Field(default_factory=absent)
    status: ClientStatus = Field(default_factory=absent)


class ClientSort(StrEnum):
    """The orders of a list of clients."""

    CREATED_AT = "created_at"
    CREATED_AT_REVERSED = "-created_at"
    NAME = "name"
    NAME_REVERSED = "-name"
    STATUS = "status"
    STATUS_REVERSED = "-status"


class ClientQuery(BaseModel):
    """Which clients are listed, in which order."""

    name: ClientName | None = None
    status: ClientStatus | None = None
    search: Search | None = Field(default=None, description="Words that occur in name.")
    sort: ClientSort = Field(
        default=ClientSort.CREATED_AT_REVERSED,
        description="`-` is for the reverse order.",
    )


class ClientRead(ResponseModel):
    """A client, as our customers see it."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    name: str
    status: ClientStatus


class ClientPage(Page[ClientRead]):
    """A part of the list of clients."""
