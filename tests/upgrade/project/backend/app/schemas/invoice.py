"""Requests and responses about invoices."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictBool,
    WithJsonSchema,
)

from app.schemas.base import Page, RequestModel, ResponseModel, absent
from app.schemas.fields import NO_NUL, QueryBoolean, scaled, text_of_decimal

InvoiceNumber = Annotated[str, Field(min_length=1, max_length=40, pattern=NO_NUL)]
InvoiceTotal = Annotated[
    Decimal,
    BeforeValidator(text_of_decimal),
    Field(max_digits=12, decimal_places=2),
    AfterValidator(scaled(2)),
    WithJsonSchema({"type": "string", "pattern": "^-?[0-9]{1,10}([.][0-9]{1,2})?$"}),
]


class InvoiceCreate(RequestModel):
    """A new invoice."""

    client_id: UUID
    number: InvoiceNumber
    total: InvoiceTotal
    paid: StrictBool = False


class InvoiceUpdate(RequestModel):
    """A change of an invoice; what is left out stays as it is."""

    client_id: UUID = Field(default_factory=absent)
    number: InvoiceNumber = Field(default_factory=absent)
    total: InvoiceTotal = Field(default_factory=absent)
    paid: StrictBool = Field(default_factory=absent)


class InvoiceSort(StrEnum):
    """The orders of a list of invoices."""

    CREATED_AT = "created_at"
    CREATED_AT_REVERSED = "-created_at"


class InvoiceQuery(BaseModel):
    """Which invoices are listed, in which order."""

    client_id: UUID | None = None
    paid: QueryBoolean | None = None
    sort: InvoiceSort = Field(
        default=InvoiceSort.CREATED_AT_REVERSED,
        description="`-` is for the reverse order.",
    )


class InvoiceRead(ResponseModel):
    """An invoice."""

    id: UUID
    created_at: datetime
    updated_at: datetime
    client_id: UUID
    number: str
    total: Decimal
    paid: bool
    customer_note: str | None
    dunning_level: int


class InvoicePage(Page[InvoiceRead]):
    """A part of the list of invoices."""
