"""The routes of invoices."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from app.core.closed_books import require_open_books
from app.core.concurrency import IfMatch, set_etag
from app.core.org_rbac import require_org_roles
from app.core.pagination import PageRequestDep
from app.core.roles import Role
from app.schemas.invoice import (
    InvoiceCreate,
    InvoicePage,
    InvoiceQuery,
    InvoiceRead,
    InvoiceUpdate,
)
from app.services.invoice_service import InvoiceServiceDep

router = APIRouter(
    prefix="/organizations/{organization_id}/invoices", tags=["invoices"]
)


# astgen:begin api.invoices.list_invoices 7096bb7215f1
@router.get(
    "", dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN, Role.MEMBER))]
)
async def list_invoices(
    query: Annotated[InvoiceQuery, Query()],
    page: PageRequestDep,
    invoices: InvoiceServiceDep,
) -> InvoicePage:
    """List invoices, newest first unless another order is asked for."""
    return InvoicePage.model_validate(await invoices.page(query, page))
    # astgen:end api.invoices.list_invoices


# astgen:begin api.invoices.create_invoice 2e7374cc9bf0
@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN)),
        Depends(require_open_books),
    ],
)
async def create_invoice(
    payload: InvoiceCreate, invoices: InvoiceServiceDep, response: Response
) -> InvoiceRead:
    """Add an invoice."""
    invoice = await invoices.create(payload)
    set_etag(response, invoice)
    return InvoiceRead.model_validate(invoice)
    # astgen:end api.invoices.create_invoice


# astgen:begin api.invoices.read_invoice 4c982af05a50
@router.get(
    "/{invoice_id:uuid}",
    dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN, Role.MEMBER))],
)
async def read_invoice(
    invoice_id: UUID, invoices: InvoiceServiceDep, response: Response
) -> InvoiceRead:
    """Return an invoice."""
    invoice = await invoices.get(invoice_id)
    set_etag(response, invoice)
    return InvoiceRead.model_validate(invoice)
    # astgen:end api.invoices.read_invoice


# astgen:begin api.invoices.update_invoice ad4026b14e69
@router.patch(
    "/{invoice_id:uuid}",
    dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN))],
)
async def update_invoice(
    invoice_id: UUID,
    payload: InvoiceUpdate,
    invoices: InvoiceServiceDep,
    response: Response,
    if_match: IfMatch = None,
) -> InvoiceRead:
    """Change an invoice; what the body leaves out stays as it is."""
    invoice = await invoices.update(invoice_id, payload, if_match)
    set_etag(response, invoice)
    return InvoiceRead.model_validate(invoice)
    # astgen:end api.invoices.update_invoice


# astgen:begin api.invoices.delete_invoice 3a7279ed6502
@router.delete(
    "/{invoice_id:uuid}",
    status_code=status.HTTP_204_NO_CONTENT,
    # Only the owner, since LED-23.
    dependencies=[
        Depends(require_org_roles(Role.OWNER)),
        Depends(require_open_books),
    ],
)
async def delete_invoice(
    invoice_id: UUID, invoices: InvoiceServiceDep, if_match: IfMatch = None
) -> None:
    """Remove an invoice."""
    await invoices.delete(invoice_id, if_match)
    # astgen:end api.invoices.delete_invoice
