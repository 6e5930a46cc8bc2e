"""One session, one tenant: what it may read, write and be asked.

A session of this application must be bound to an organization before it touches a
table whose model is `TenantScoped`. From then on every query is filtered by it, every
new row is stamped with it, and what cannot be filtered is refused. On PostgreSQL
row-level security says the same once more, inside the database.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, event, false, inspect, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import (
    ORMExecuteState,
    Session,
    SessionTransaction,
    UOWTransaction,
    with_loader_criteria,
)

from app.core.tenant_statements import (
    TENANT,
    TenancyError,
    guard_parts,
    guard_write,
    names_tenant_table,
)
from app.models.base import TenantScoped

ALL_TENANTS = "all_tenants"


class TenantSession(Session):
    """A session that sees the rows of one tenant and of no other."""

    def connection(
        self,
        bind_arguments: dict[str, Any] | None = None,
        execution_options: Mapping[str, Any] | None = None,
    ) -> Connection:
        """Refuse to hand out what nobody filters, but for work across tenants."""
        if not sees_all_tenants(self):
            raise TenancyError("A connection cannot be filtered by tenant")
        return super().connection(bind_arguments, execution_options)

    def bulk_save_objects(self, *_arguments: object, **_options: object) -> None:
        """Refuse to write past the guards."""
        raise TenancyError("Add rows to the session instead of writing them in bulk")

    def bulk_insert_mappings(self, *_arguments: object, **_options: object) -> None:
        """Refuse to write past the guards."""
        raise TenancyError("Add rows to the session instead of writing them in bulk")

    def bulk_update_mappings(self, *_arguments: object, **_options: object) -> None:
        """Refuse to write past the guards."""
        raise TenancyError("Add rows to the session instead of writing them in bulk")


async def bind_tenant(session: AsyncSession, organization_id: UUID) -> None:
    """Bind the session to a tenant, once its caller is known to belong to it."""
    if sees_all_tenants(session.sync_session):
        raise TenancyError("The session is for work across tenants")
    if session.info.setdefault(TENANT, organization_id) != organization_id:
        raise TenancyError("The session is bound to another tenant")
    await session.run_sync(announce_tenant)


def bound_tenant(session: Session) -> UUID | None:
    """Return the tenant of the session, if it has one."""
    tenant: UUID | None = session.info.get(TENANT)
    return tenant


def sees_all_tenants(session: Session) -> bool:
    """Tell whether the session was opened for work across tenants."""
    return bool(session.info.get(ALL_TENANTS, False))


def announce_tenant(session: Session) -> None:
    """Tell PostgreSQL which tenant the transaction belongs to, if one has begun."""
    transaction = session.get_transaction()
    if transaction is not None:
        tell_tenant(transaction.connection(None), bound_tenant(session))


def tell_tenant(connection: Connection, tenant: UUID | None) -> None:
    """Set the value that the row-level security policies compare with."""
    if tenant is None or connection.dialect.name != "postgresql":
        return
    connection.execute(
        text("SELECT set_config('app.tenant_id', :tenant, true)"),
        {"tenant": str(tenant)},
    )


@event.listens_for(TenantSession, "after_begin")
def tell_tenant_at_begin(
    session: Session, _transaction: SessionTransaction, connection: Connection
) -> None:
    """Announce the tenant again in each transaction; the last one forgot it."""
    tell_tenant(connection, bound_tenant(session))


@event.listens_for(TenantSession, "do_orm_execute")
def guard_statement(state: ORMExecuteState) -> None:
    """Filter what can be filtered by tenant and refuse the rest."""
    if sees_all_tenants(state.session):
        return
    if not state.is_orm_statement or state.is_from_statement:
        raise TenancyError("Only ORM statements can be filtered by tenant")
    if not (state.is_column_load or state.is_relationship_load):
        guard_parts(state.statement)
    if not state.is_select:
        guard_write(state)
    if state.is_insert:
        return
    tenant = bound_tenant(state.session)
    if tenant is None:
        guard_unbound(state)
        return
    state.statement = state.statement.options(
        with_loader_criteria(
            TenantScoped,
            lambda model: model.organization_id == tenant,
            include_aliases=True,
        )
    )


def guard_unbound(state: ORMExecuteState) -> None:
    """Refuse tenant tables without a tenant, and load nothing from them."""
    if names_tenant_table(state.statement):
        raise TenancyError("No tenant is bound to the session")
    state.statement = state.statement.options(
        with_loader_criteria(TenantScoped, no_row, include_aliases=True)
    )


def no_row(_model: type[TenantScoped]) -> ColumnElement[bool]:
    """Match nothing."""
    return false()


@event.listens_for(TenantSession, "before_flush")
def guard_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    """Stamp new rows with the tenant and refuse to write another tenant's."""
    if sees_all_tenants(session):
        return
    tenant = bound_tenant(session)
    for row in tenant_rows(session.new):
        stamp(row, tenant)
        guard_row(row, tenant)
    for row in tenant_rows([*session.dirty, *session.deleted]):
        guard_row(row, tenant)
        if inspect(row).attrs.organization_id.history.deleted:
            raise TenancyError("A row cannot be moved to another tenant")


def tenant_rows(rows: Iterable[object]) -> Iterator[TenantScoped]:
    """Select the rows that belong to a tenant."""
    for row in rows:
        if isinstance(row, TenantScoped):
            yield row


def stamp(row: TenantScoped, tenant: UUID | None) -> None:
    """Give a new row to the tenant, unless it names one itself."""
    named = inspect(row).attrs.organization_id.history.added
    if tenant is not None and not named:
        row.organization_id = tenant


def guard_row(row: TenantScoped, tenant: UUID | None) -> None:
    """Refuse a row that is not the tenant's."""
    if tenant is None:
        raise TenancyError("No tenant is bound to the session")
    if row.organization_id != tenant:
        raise TenancyError("The row belongs to another tenant")
