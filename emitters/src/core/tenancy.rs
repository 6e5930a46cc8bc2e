//! `backend/app/core/tenancy.py`: one session, one tenant: what it may read, write and be asked.

use crate::models::base::{Base, TenantScoped};
use crate::python::builtins::{
    RuntimeError, TYPE, bool, frozenset, isinstance, issubclass, object, str,
};
use crate::python::sqlalchemy::{
    AsyncSession, ClauseElement, Column, ColumnElement, Connection, Executable, ORMExecuteState,
    Session, SessionTransaction, Table, UOWTransaction, Update, event, r#false, inspect, iterate,
    text, with_loader_criteria,
};
use crate::python::standard::{Iterable, Iterator, UUID, cache};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.tenancy": TENANT, ALL_TENANTS, TenancyError, TenantSession, bind_tenant, bound_tenant,
        sees_all_tenants, announce_tenant, tell_tenant, tell_tenant_at_begin, guard_statement,
        writes_in_bulk, guard_bulk_write, sets_tenant, guard_unbound, no_row, tenant_tables, tables,
        guard_flush, tenant_rows, stamp, guard_row;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let row_level_security = spec.tenancy.row_level_security;
    module("app.core.tenancy")
        .docstring(if row_level_security {
            "One session, one tenant: what it may read, write and be asked.\n\
             \n\
             A session of this application must be bound to an organization before it touches a\n\
             table whose model is `TenantScoped`. From then on every query is filtered by it, every\n\
             new row is stamped with it, and what cannot be filtered is refused. On PostgreSQL\n\
             row-level security says the same once more, inside the database."
        } else {
            "One session, one tenant: what it may read, write and be asked.\n\
             \n\
             A session of this application must be bound to an organization before it touches a\n\
             table whose model is `TenantScoped`. From then on every query is filtered by it, every\n\
             new row is stamped with it, and what cannot be filtered is refused."
        })
        .body(block![
            assign(TENANT, "organization_id"),
            assign(ALL_TENANTS, "all_tenants"),
            tenancy_error_class(),
            tenant_session_class(),
            bind_tenant_def(row_level_security),
            bound_tenant_def(),
            sees_all_tenants_def(),
            row_level_security
                .then(|| [announce_tenant_def(), tell_tenant_def(), tell_tenant_at_begin_def()]),
            guard_statement_def(),
            writes_in_bulk_def(),
            guard_bulk_write_def(),
            sets_tenant_def(),
            guard_unbound_def(),
            no_row_def(),
            tenant_tables_def(),
            tables_def(),
            guard_flush_def(),
            tenant_rows_def(),
            stamp_def(),
            guard_row_def()
        ])
}

fn tenancy_error_class() -> ClassDef {
    class(TenancyError)
        .base(RuntimeError)
        .body(block![docstring("The code tried to cross the border between two tenants.")])
}

fn tenant_session_class() -> ClassDef {
    class(TenantSession)
        .base(Session)
        .body(block![docstring("A session that sees the rows of one tenant and of no other.")])
}

fn bind_tenant_def(row_level_security: bool) -> FunctionDef {
    names!(session, organization_id);
    async_def(bind_tenant)
        .params([param(session, AsyncSession), param(organization_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Bind the session to a tenant, once its caller is known to belong to it."),
            if_(
                py!(session.info.setdefault(TENANT, organization_id) != organization_id),
                [raise(py!(TenancyError("The session is bound to another tenant")))]
            ),
            row_level_security.then(|| {
                if_(
                    py!(session.in_transaction()),
                    [do_(py!(session.run_sync(announce_tenant).await))],
                )
            })
        ])
}

fn bound_tenant_def() -> FunctionDef {
    names!(session, tenant);
    def(bound_tenant).params([param(session, Session)]).returns(py!(UUID | None)).body(block![
        docstring("Return the tenant of the session, if it has one."),
        ann_assign(tenant, py!(UUID | None), py!(session.info.get(TENANT))),
        return_(tenant)
    ])
}

fn sees_all_tenants_def() -> FunctionDef {
    names!(session);
    def(sees_all_tenants).params([param(session, Session)]).returns(bool).body(block![
        docstring("Tell whether the session was opened for work across tenants."),
        return_(py!(bool(session.info.get(ALL_TENANTS, false))))
    ])
}

fn announce_tenant_def() -> FunctionDef {
    names!(session);
    def(announce_tenant).params([param(session, Session)]).returns(none()).body(block![
        docstring("Tell PostgreSQL which tenant this transaction belongs to."),
        do_(py!(tell_tenant(session.connection(), bound_tenant(session))))
    ])
}

fn tell_tenant_def() -> FunctionDef {
    names!(connection, tenant);
    def(tell_tenant)
        .params([param(connection, Connection), param(tenant, py!(UUID | None))])
        .returns(none())
        .body(block![
            docstring("Set the value that the row-level security policies compare with."),
            if_(py!(tenant == None || connection.dialect.name != "postgresql"), [return_none()]),
            do_(py!(connection.execute(
                text("SELECT set_config('app.tenant_id', :tenant, true)"),
                dict!("tenant" => str(tenant))
            )))
        ])
}

fn tell_tenant_at_begin_def() -> FunctionDef {
    names!(session, _transaction, connection);
    def(tell_tenant_at_begin)
        .decorator(py!(event.listens_for(TenantSession, "after_begin")))
        .params([
            param(session, Session),
            param(_transaction, SessionTransaction),
            param(connection, Connection),
        ])
        .returns(none())
        .body(block![
            docstring("Announce the tenant again in each transaction; the last one forgot it."),
            do_(py!(tell_tenant(connection, bound_tenant(session))))
        ])
}

fn guard_statement_def() -> FunctionDef {
    names!(state, tenant);
    def(guard_statement)
        .decorator(py!(event.listens_for(TenantSession, "do_orm_execute")))
        .params([param(state, ORMExecuteState)])
        .returns(none())
        .body(block![
            docstring("Filter what can be filtered by tenant and refuse the rest."),
            if_(py!(sees_all_tenants(state.session)), [return_none()]),
            if_(
                py!(!state.is_orm_statement || state.is_from_statement),
                [raise(py!(TenancyError("Only ORM statements can be filtered by tenant")))]
            ),
            if_(py!(writes_in_bulk(state)), [do_(py!(guard_bulk_write(state)))]),
            if_(py!(state.is_insert), [return_none()]),
            assign(tenant, py!(bound_tenant(state.session))),
            if_(py!(tenant == None), block![do_(py!(guard_unbound(state))), return_none()]),
            assign(
                py!(state.statement),
                py!(state.statement.options(with_loader_criteria(
                    TenantScoped,
                    |model| model.organization_id == tenant,
                    include_aliases = true
                )))
            )
        ])
}

fn writes_in_bulk_def() -> FunctionDef {
    names!(state, mapper);
    def(writes_in_bulk).params([param(state, ORMExecuteState)]).returns(bool).body(block![
        docstring("Tell whether the statement writes tenant rows without loading them."),
        assign(mapper, py!(state.bind_mapper)),
        if_(py!(state.is_select || mapper == None), [return_(false)]),
        return_(py!(issubclass(mapper.class_, TenantScoped)))
    ])
}

fn guard_bulk_write_def() -> FunctionDef {
    names!(state);
    def(guard_bulk_write).params([param(state, ORMExecuteState)]).returns(none()).body(block![
        docstring("Refuse the bulk writes that no criterion can hold to one tenant."),
        if_(
            py!(state.is_insert),
            [raise(py!(TenancyError("Add tenant rows to the session instead of inserting them")))]
        ),
        if_(
            py!(state.is_executemany),
            [raise(py!(TenancyError("Rows of a tenant cannot be changed by a list of keys")))]
        ),
        if_(
            py!(sets_tenant(state)),
            [raise(py!(TenancyError("A row cannot be moved to another tenant")))]
        )
    ])
}

fn sets_tenant_def() -> FunctionDef {
    names!(state, compiled);
    def(sets_tenant).params([param(state, ORMExecuteState)]).returns(bool).body(block![
        docstring("Tell whether an UPDATE gives rows to a tenant."),
        if_(py!(!isinstance(state.statement, Update)), [return_(false)]),
        assign(compiled, py!(state.statement.compile(dialect = state.session.get_bind().dialect))),
        return_(py!(in_!(f!("{}=", TENANT), str(compiled))))
            .comment("SQLAlchemy writes `a=b` in SET and `a = b` in every comparison.")
    ])
}

fn guard_unbound_def() -> FunctionDef {
    names!(state);
    def(guard_unbound).params([param(state, ORMExecuteState)]).returns(none()).body(block![
        docstring("Refuse tenant tables without a tenant, and load nothing from them."),
        if_(
            py!(!tenant_tables().isdisjoint(tables(state.statement))),
            [raise(py!(TenancyError("No tenant is bound to the session")))]
        ),
        assign(
            py!(state.statement),
            py!(state.statement.options(with_loader_criteria(
                TenantScoped,
                no_row,
                include_aliases = true
            )))
        )
    ])
}

fn no_row_def() -> FunctionDef {
    names!(_model);
    def(no_row)
        .params([param(_model, py!(TYPE[TenantScoped]))])
        .returns(py!(ColumnElement[bool]))
        .body(block![docstring("Match nothing."), return_(py!(r#false()))])
}

fn tenant_tables_def() -> FunctionDef {
    def(tenant_tables).decorator(cache).returns(py!(frozenset[object])).body(block![docstring("Return the tables whose rows belong to a tenant."), return_(py!(frozenset(generator!(mapper.local_table for mapper in Base.registry.mappers if issubclass(mapper.class_, TenantScoped)))))])
}

fn tables_def() -> FunctionDef {
    names!(statement, element);
    def(tables).params([param(statement, Executable)]).returns(py!(Iterator[object])).body(block![
        docstring("Find the tables that a statement names."),
        if_(py!(!isinstance(statement, ClauseElement)), [return_none()]),
        for_(
            element,
            py!(iterate(statement)),
            if_(py!(isinstance(element, Table)), [do_(py!(yield_!(element)))])
                .elif(py!(isinstance(element, Column)), [do_(py!(yield_!(element.table)))])
        )
    ])
}

fn guard_flush_def() -> FunctionDef {
    names!(session, _context, _instances, tenant, row);
    def(guard_flush)
        .decorator(py!(event.listens_for(TenantSession, "before_flush")))
        .params([
            param(session, Session),
            param(_context, UOWTransaction),
            param(_instances, object),
        ])
        .returns(none())
        .body(block![
            docstring("Stamp new rows with the tenant and refuse to write another tenant's."),
            if_(py!(sees_all_tenants(session)), [return_none()]),
            assign(tenant, py!(bound_tenant(session))),
            for_(
                row,
                py!(tenant_rows(session.new)),
                block![do_(py!(stamp(row, tenant))), do_(py!(guard_row(row, tenant)))]
            ),
            for_(
                row,
                py!(tenant_rows([*session.dirty, *session.deleted])),
                block![
                    do_(py!(guard_row(row, tenant))),
                    if_(
                        py!(inspect(row).attrs.organization_id.history.deleted),
                        [raise(py!(TenancyError("A row cannot be moved to another tenant")))]
                    )
                ]
            )
        ])
}

fn tenant_rows_def() -> FunctionDef {
    names!(rows, row);
    def(tenant_rows)
        .params([param(rows, py!(Iterable[object]))])
        .returns(py!(Iterator[TenantScoped]))
        .body(block![
            docstring("Select the rows that belong to a tenant."),
            for_(row, rows, if_(py!(isinstance(row, TenantScoped)), [do_(py!(yield_!(row)))]))
        ])
}

fn stamp_def() -> FunctionDef {
    names!(row, tenant, named);
    def(stamp)
        .params([param(row, TenantScoped), param(tenant, py!(UUID | None))])
        .returns(none())
        .body(block![
            docstring("Give a new row to the tenant, unless it names one itself."),
            assign(named, py!(inspect(row).attrs.organization_id.history.added)),
            if_(py!(tenant != None && !named), [assign(py!(row.organization_id), tenant)])
        ])
}

fn guard_row_def() -> FunctionDef {
    names!(row, tenant);
    def(guard_row)
        .params([param(row, TenantScoped), param(tenant, py!(UUID | None))])
        .returns(none())
        .body(block![
            docstring("Refuse a row that is not the tenant's."),
            if_(
                py!(tenant == None),
                [raise(py!(TenancyError("No tenant is bound to the session")))]
            ),
            if_(
                py!(row.organization_id != tenant),
                [raise(py!(TenancyError("The row belongs to another tenant")))]
            )
        ])
}
