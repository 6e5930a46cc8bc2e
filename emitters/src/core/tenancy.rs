//! `backend/app/core/tenancy.py`: one session, one tenant: what it may read, write and be asked.

use crate::core::plans::{has_limits, has_prices};
use crate::core::tenant_statements::{
    TENANT, guard_parts, guard_write, names_tenant_table, raise_tenancy_error,
};
use crate::models::base::TenantScoped;
use crate::python::builtins::{TYPE, bool, dict, isinstance, object, str};
use crate::python::sqlalchemy::{
    AsyncSession, ColumnElement, Connection, ORMExecuteState, Session, SessionTransaction,
    UOWTransaction, event, r#false, inspect, text, with_loader_criteria,
};
use crate::python::standard::{
    Any, AsyncGenerator, Iterable, Iterator, Mapping, UUID, asynccontextmanager,
};
use crate::spec::{Billing, Payer, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.tenancy": ALL_TENANTS, TenantSession, bind_tenant, bound_tenant, for_tenant, sees_all_tenants,
        announce_tenant, tell_tenant, tell_tenant_at_begin, guard_statement, guard_unbound, no_row,
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
            assign(ALL_TENANTS, "all_tenants"),
            tenant_session_class(),
            bind_tenant_def(row_level_security),
            bound_tenant_def(),
            counts_for_payers(spec).then(|| for_tenant_def(row_level_security)),
            sees_all_tenants_def(),
            row_level_security
                .then(|| [announce_tenant_def(), tell_tenant_def(), tell_tenant_at_begin_def()]),
            guard_statement_def(),
            guard_unbound_def(),
            no_row_def(),
            guard_flush_def(),
            tenant_rows_def(),
            stamp_def(),
            guard_row_def()
        ])
}

/// Whether what the organizations of one payer have is compared with a plan.
fn counts_for_payers(spec: &Spec) -> bool {
    let sold = |billing: &Billing| has_limits(billing) && has_prices(billing);
    spec.has_payer(Payer::User) && spec.billing.as_ref().is_some_and(sold)
}

fn for_tenant_def(row_level_security: bool) -> FunctionDef {
    names!(session, organization_id, before);
    let announce = || row_level_security.then(|| do_(py!(session.run_sync(announce_tenant).await)));
    async_def(for_tenant)
        .decorator(asynccontextmanager)
        .params([param(session, AsyncSession), param(organization_id, UUID)])
        .returns(py!(AsyncGenerator[None]))
        .body(block![
            docstring(
                "Ask about another tenant for a while, in the same transaction.\n\
                 \n\
                 This is for who pays for several: what is asked for has to be counts, since rows\n\
                 would stay in the session."
            ),
            do_(py!(session.flush().await)),
            assign(before, py!(session.info.get(TENANT))),
            assign(py!(session.info[TENANT]), organization_id),
            try_(block![announce(), do_(make::yield_(None))])
                .finally(block![assign(py!(session.info[TENANT]), before), announce()])
        ])
}

fn tenant_session_class() -> ClassDef {
    class(TenantSession).base(Session).body(block![
        docstring("A session that sees the rows of one tenant and of no other."),
        connection_def(),
        ["bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"].map(bulk_def)
    ])
}

fn connection_def() -> FunctionDef {
    names!(bind_arguments, execution_options);
    def("connection")
        .params([
            untyped("self"),
            param(bind_arguments, py!(dict[(str, Any)] | None)).default(none()),
            param(execution_options, py!(Mapping[(str, Any)] | None)).default(none()),
        ])
        .returns(Connection)
        .body(block![
            docstring("Refuse to hand out what nobody filters, but for work across tenants."),
            if_(
                py!(!sees_all_tenants(self)),
                raise_tenancy_error("A connection cannot be filtered by tenant")
            ),
            return_(py!(super().connection(bind_arguments, execution_options)))
        ])
}

/// A method of SQLAlchemy that no event hears of.
fn bulk_def(method: &'static str) -> FunctionDef {
    names!(_arguments, _options);
    def(method)
        .params([untyped("self"), varargs(_arguments, object), kwargs(_options, object)])
        .returns(none())
        .body(block![
            docstring("Refuse to write past the guards."),
            raise_tenancy_error("Add rows to the session instead of writing them in bulk")
        ])
}

fn bind_tenant_def(row_level_security: bool) -> FunctionDef {
    names!(session, organization_id);
    async_def(bind_tenant)
        .params([param(session, AsyncSession), param(organization_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Bind the session to a tenant, once its caller is known to belong to it."),
            if_(
                py!(sees_all_tenants(session.sync_session)),
                raise_tenancy_error("The session is for work across tenants")
            ),
            if_(
                py!(session.info.setdefault(TENANT, organization_id) != organization_id),
                raise_tenancy_error("The session is bound to another tenant")
            ),
            row_level_security.then(|| do_(py!(session.run_sync(announce_tenant).await)))
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
    names!(session, transaction);
    def(announce_tenant).params([param(session, Session)]).returns(none()).body(block![
        docstring("Tell PostgreSQL which tenant the transaction belongs to, if one has begun."),
        assign(transaction, py!(session.get_transaction())),
        if_(
            py!(transaction != None),
            [do_(py!(tell_tenant(transaction.connection(None), bound_tenant(session))))]
        )
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
                raise_tenancy_error("Only ORM statements can be filtered by tenant")
            ),
            if_(
                py!(!(state.is_column_load || state.is_relationship_load)),
                [do_(py!(guard_parts(state.statement)))]
            ),
            if_(py!(!state.is_select), [do_(py!(guard_write(state)))]),
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

fn guard_unbound_def() -> FunctionDef {
    names!(state);
    def(guard_unbound).params([param(state, ORMExecuteState)]).returns(none()).body(block![
        docstring("Refuse tenant tables without a tenant, and load nothing from them."),
        if_(
            py!(names_tenant_table(state.statement)),
            raise_tenancy_error("No tenant is bound to the session")
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
                        raise_tenancy_error("A row cannot be moved to another tenant")
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
            if_(py!(tenant == None), raise_tenancy_error("No tenant is bound to the session")),
            if_(
                py!(row.organization_id != tenant),
                raise_tenancy_error("The row belongs to another tenant")
            )
        ])
}
