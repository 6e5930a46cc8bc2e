"""Clients."""

from enum import StrEnum

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Versioned
from app.models.types import text_enum


class ClientStatus(StrEnum):
    """The values of `Client.status`."""

    ACTIVE = "active"
    FORMER = "former"


# astgen:begin models.client.Client bd5b3acbb3ff
class Client(Versioned, Base):
    """A client of an organization; the register of companies has long names."""

    __tablename__ = "clients"
    __table_args__ = (
        UniqueConstraint("organization_id", "id"),
        Index(None, "organization_id", "created_at", "id"),
        UniqueConstraint("organization_id", "name"),
        Index(None, "organization_id", "status"),
    )

    name: Mapped[str] = mapped_column(String(200))
    status: Mapped[ClientStatus] = mapped_column(
        text_enum(ClientStatus), default=ClientStatus.ACTIVE
    )
    # astgen:end models.client.Client
