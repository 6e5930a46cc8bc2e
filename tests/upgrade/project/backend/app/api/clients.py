"""The routes of clients."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response, status

from app.core.concurrency import IfMatch, set_etag
from app.core.org_rbac import require_fresh_session, require_org_roles
from app.core.pagination import PageRequestDep
from app.core.roles import Role
from app.models.client import ClientStatus
from app.schemas.client import (
    ClientCreate,
    ClientPage,
    ClientQuery,
    ClientRead,
    ClientUpdate,
)
from app.services.client_service import ClientServiceDep

router = APIRouter(prefix="/organizations/{organization_id}/clients", tags=["clients"])


# astgen:begin api.clients.list_clients 4db60811cb99
@router.get(
    "", dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN, Role.MEMBER))]
)
async def list_clients(
    query: Annotated[ClientQuery, Query()],
    page: PageRequestDep,
    clients: ClientServiceDep,
    response: Response,
) -> ClientPage:
    """List clients; the header says how many of them we still work for."""
    found = ClientPage.model_validate(await clients.page(query, page))
    still_ours = [item for item in found.items if item.status is ClientStatus.ACTIVE]
    response.headers["X-Active-Clients"] = str(len(still_ours))
    return found
    # astgen:end api.clients.list_clients


# astgen:begin api.clients.create_client 20383f6d6596
@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN))],
)
async def create_client(
    payload: ClientCreate, clients: ClientServiceDep, response: Response
) -> ClientRead:
    """Add a client."""
    client = await clients.create(payload)
    set_etag(response, client)
    return ClientRead.model_validate(client)
    # astgen:end api.clients.create_client


# astgen:begin api.clients.read_client 8723647ceb1a
@router.get(
    "/{client_id:uuid}",
    dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN, Role.MEMBER))],
)
async def read_client(
    client_id: UUID, clients: ClientServiceDep, response: Response
) -> ClientRead:
    """Return a client."""
    client = await clients.get(client_id)
    set_etag(response, client)
    return ClientRead.model_validate(client)
    # astgen:end api.clients.read_client


# astgen:begin api.clients.update_client 3d92ba673d33
@router.patch(
    "/{client_id:uuid}",
    dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN))],
)
async def update_client(
    client_id: UUID,
    payload: ClientUpdate,
    clients: ClientServiceDep,
    response: Response,
    if_match: IfMatch = None,
) -> ClientRead:
    """Change a client; what the body leaves out stays as it is."""
    client = await clients.update(client_id, payload, if_match)
    set_etag(response, client)
    return ClientRead.model_validate(client)
    # astgen:end api.clients.update_client


# astgen:begin api.clients.delete_client c8715ac657c8
@router.delete(
    "/{client_id:uuid}",
    status_code=status.HTTP_204_NO_CONTENT,
    dependencies=[
        Depends(require_org_roles(Role.OWNER, Role.ADMIN)),
        Depends(require_fresh_session),
    ],
)
async def delete_client(
    client_id: UUID, clients: ClientServiceDep, if_match: IfMatch = None
) -> None:
    """Remove a client."""
    await clients.delete(client_id, if_match)
    # astgen:end api.clients.delete_client


@router.get(
    "/{client_id:uuid}/label",
    dependencies=[Depends(require_org_roles(Role.OWNER, Role.ADMIN))],
)
async def read_label(client_id: UUID, clients: ClientServiceDep) -> dict[str, str]:
    """Return what is printed on the folder of a client."""
    client = await clients.get(client_id)
    return {"label": client.name.upper()}
