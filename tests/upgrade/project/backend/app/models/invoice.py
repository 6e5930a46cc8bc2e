"""Invoices."""

from decimal import Decimal
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, Versioned
from app.models.types import ExactDecimal


# astgen:begin models.invoice.Invoice ba381dedb0f9
class Invoice(Versioned, Base):
    """An invoice of an organization."""

    __tablename__ = "invoices"
    __table_args__ = (
        Index(None, "organization_id", "created_at", "id"),
        ForeignKeyConstraint(
            ["organization_id", "client_id"],
            ["clients.organization_id", "clients.id"],
            ondelete="CASCADE",
        ),
        Index(None, "organization_id", "client_id"),
    )

    client_id: Mapped[UUID] = mapped_column()
    number: Mapped[str] = mapped_column(String(40))
    total: Mapped[Decimal] = mapped_column(ExactDecimal(12, 2))
    paid: Mapped[bool] = mapped_column(default=False)
    # What the customer wants to read on the invoice, see ticket LED-17.
    customer_note: Mapped[str | None] = mapped_column(Text)
    dunning_level: Mapped[int] = mapped_column(default=0)
    # astgen:end models.invoice.Invoice
