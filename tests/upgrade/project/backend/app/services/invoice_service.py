"""Invoices of the bound tenant."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import select

from app.core.concurrency import require_match
from app.core.database import flush
from app.core.errors import ConflictError, NotFoundError
from app.core.filters import equals, where
from app.core.org_rbac import TenantSessionDep
from app.core.pagination import PageRequest, Slice, fetch_page
from app.models.client import Client
from app.models.invoice import Invoice
from app.schemas.invoice import InvoiceCreate, InvoiceQuery, InvoiceUpdate

CONFLICT = 'There is no such client.'


@dataclass(frozen=True)
class InvoiceService:
    """The rules for invoices."""

    session: TenantSessionDep

    async def page(self, query: InvoiceQuery, page: PageRequest) -> Slice[Invoice]:
        """List the invoices that a query asks for."""
        statement = where(select(Invoice), equals(Invoice.client_id, query.client_id), equals(Invoice.paid, query.paid))
        return await fetch_page(self.session, statement, Invoice, page, query.sort)

    async def create(self, payload: InvoiceCreate) -> Invoice:
        """Add an invoice."""
        await self.require_client(payload.client_id)
        invoice = Invoice(**payload.model_dump())
        self.session.add(invoice)
        await flush(self.session, conflict=CONFLICT)
        return invoice

    async def get(self, invoice_id: UUID, *, lock: bool = False) -> Invoice:
        """Return an invoice, locked if asked, or answer 404."""
        invoice = await self.session.get(Invoice, invoice_id, with_for_update=lock)
        if invoice is None:
            raise NotFoundError('There is no such invoice.')
        return invoice

    async def update(self, invoice_id: UUID, payload: InvoiceUpdate, if_match: str | None) -> Invoice:
        """Change what the payload names."""
        invoice = await self.get(invoice_id, lock=True)
        require_match(invoice, if_match)
        if 'client_id' in payload.model_fields_set:
            await self.require_client(payload.client_id)
        for name, value in payload.model_dump(exclude_unset=True).items():
            setattr(invoice, name, value)
        await flush(self.session, conflict=CONFLICT)
        return invoice

    async def delete(self, invoice_id: UUID, if_match: str | None) -> None:
        """Remove an invoice."""
        invoice = await self.get(invoice_id, lock=True)
        require_match(invoice, if_match)
        if invoice.paid:
            raise ConflictError('A paid invoice stays.', code='invoice_paid')
        await self.session.delete(invoice)

    async def require_client(self, client_id: UUID) -> None:
        """Refuse a reference to a client that the tenant does not have."""
        found = await self.session.get(Client, client_id)
        if found is None:
            raise ConflictError('There is no such client.', code='reference_missing')


InvoiceServiceDep = Annotated[InvoiceService, Depends(InvoiceService)]
