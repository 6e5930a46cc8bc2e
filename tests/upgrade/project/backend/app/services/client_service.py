"""Clients of the bound tenant."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from sqlalchemy import func, select

from app.core.billing import enforce_limit
from app.core.concurrency import require_match
from app.core.database import flush
from app.core.errors import NotFoundError
from app.core.filters import equals, mentions, where
from app.core.org_rbac import PrincipalDep, TenantSessionDep
from app.core.pagination import PageRequest, Slice, fetch_page
from app.core.plans import Limit
from app.models.client import Client
from app.schemas.client import ClientCreate, ClientQuery, ClientUpdate

CONFLICT = "There is a client with the same name already."


@dataclass(frozen=True)
class ClientService:
    """The rules for clients."""

    session: TenantSessionDep
    principal: PrincipalDep

    async def page(self, query: ClientQuery, page: PageRequest) -> Slice[Client]:
        """List the clients that a query asks for."""
        statement = where(
            select(Client),
            equals(Client.name, query.name),
            equals(Client.status, query.status),
            mentions(query.search, Client.name),
        )
        return await fetch_page(self.session, statement, Client, page, query.sort)

    async def create(self, payload: ClientCreate) -> Client:
        """Add a client."""
        await self.ensure_room(adding=1)
        client = Client(**payload.model_dump())
        self.session.add(client)
        await flush(self.session, conflict=CONFLICT)
        return client

    async def get(self, client_id: UUID, *, lock: bool = False) -> Client:
        """Return a client, locked if asked, or answer 404."""
        client = await self.session.get(Client, client_id, with_for_update=lock)
        if client is None:
            raise NotFoundError("There is no such client.")
        return client

    async def update(
        self, client_id: UUID, payload: ClientUpdate, if_match: str | None
    ) -> Client:
        """Change what the payload names."""
        client = await self.get(client_id, lock=True)
        require_match(client, if_match)
        for name, value in payload.model_dump(exclude_unset=True).items():
            setattr(client, name, value)
        await flush(self.session, conflict=CONFLICT)
        return client

    async def delete(self, client_id: UUID, if_match: str | None) -> None:
        """Remove a client and what belongs to it."""
        client = await self.get(client_id, lock=True)
        require_match(client, if_match)
        await self.session.delete(client)

    async def ensure_room(self, *, adding: int) -> None:
        """Refuse to go past the limit of the plan."""
        used = select(func.count()).select_from(Client)
        organization = self.principal.organization
        await enforce_limit(
            self.session, organization, Limit.CLIENTS, used, adding=adding
        )


ClientServiceDep = Annotated[ClientService, Depends(ClientService)]
