//! `backend/app/core/database.py`: the database: engines, sessions, and when a request commits.

use crate::core::audit::note_changes;
use crate::core::errors::ConflictError;
use crate::core::log_context::working_for;
use crate::core::settings::{Environment, Settings};
use crate::core::tenancy::{ALL_TENANTS, TenantSession, bind_tenant};
use crate::core::tenant_statements::tenant_tables;
use crate::core::tracing::trace_statements;
use crate::models::base::Record;
use crate::python::builtins::{__name__, RuntimeError, TYPE, bool, frozenset, list, property, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::sqlalchemy::{
    AsyncEngine, AsyncSession, Connection, ConnectionPoolEntry, DBAPIConnection, IntegrityError,
    NullPool, async_sessionmaker, create_async_engine, event, postgresql, sqlite, text,
};
use crate::python::standard::{
    Annotated, Any, AsyncGenerator, Mapping, Sequence, UUID, asynccontextmanager, logging,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.database": logger, SQLITE_BUSY_SECONDS, POOL_OVERFLOW, REVISIONS, BYPASSES_ROW_LEVEL_SECURITY,
        ROW_SECURITY_IS_ACTIVE, DatabaseRoleError, Database, build_engine, prepare_sqlite, begin_immediate, get_database,
        DatabaseDep, get_session, SessionDep, flush, insert_once;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let row_level_security = spec.tenancy.row_level_security;
    module("app.core.database")
        .docstring("The database: engines, sessions, and when a request commits.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(SQLITE_BUSY_SECONDS, 10).paragraph(),
            assign(POOL_OVERFLOW, 10).comment(
                "The connections beyond the size of a pool, while all of these are in use."
            ),
            assign(REVISIONS, py!(text("SELECT version_num FROM alembic_version"))),
            row_level_security.then(|| [
                assign(BYPASSES_ROW_LEVEL_SECURITY, bypasses_query()),
                assign(
                    ROW_SECURITY_IS_ACTIVE,
                    py!(text("SELECT row_security_active(to_regclass(:table))"))
                )
            ]),
            row_level_security.then(database_role_error_class),
            do_(py!(event.listen(TenantSession, "before_flush", note_changes)))
                .comment("After the guards of the tenant, which have stamped what is new.")
                .paragraph(),
            database_class(spec),
            build_engine_def(spec.jobs.has_workers()),
            prepare_sqlite_def(),
            begin_immediate_def(),
            get_database_def(),
            assign(DatabaseDep, py!(Annotated[(Database, Depends(get_database))])),
            get_session_def(),
            assign(
                SessionDep,
                py!(Annotated[(AsyncSession, Depends(get_session, scope = "function"))])
            ),
            flush_def(),
            spec.billing.as_ref().map(|_| insert_once_def())
        ])
}

fn bypasses_query() -> Expr {
    py!(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
}

fn database_role_error_class() -> ClassDef {
    class(DatabaseRoleError)
        .base(RuntimeError)
        .body(block![docstring("The database would not keep the tenants apart.")])
}

fn database_class(spec: &Spec) -> ClassDef {
    let row_level_security = spec.tenancy.row_level_security;
    class(Database).body(block![
        docstring(if row_level_security {
            "The engines and the sessions of one application."
        } else {
            "The engine and the sessions of one application."
        }),
        database_init(spec),
        database_engines(row_level_security),
        database_session(),
        database_tenant_session(),
        database_all_tenants_session(row_level_security),
        database_ping(),
        database_revisions(),
        row_level_security.then(|| [database_check_role(), database_find_problem()]),
        database_close()
    ])
}

fn database_init(spec: &Spec) -> FunctionDef {
    let row_level_security = spec.tenancy.row_level_security;
    let (has_workers, is_traced) = (spec.jobs.has_workers(), spec.observability.tracing);
    names!(settings, url, pooled, engine);
    let pool = || has_workers.then(|| kw("pooled", pooled));
    def("__init__")
        .params([untyped("self"), param(settings, Settings)])
        .params(pool_choice(has_workers))
        .returns(none())
        .body(block![
            docstring(if has_workers {
                "Prepare to connect; no connection is made before the first statement.\n\
                 \n\
                 Without a pool, no connection outlives its session, nor the loop it belongs to."
            } else {
                "Prepare to connect; no connection is made before the first statement."
            }),
            assign(py!(self.settings), settings),
            assign(py!(self.engine), py!(build_engine(settings, settings.database_url, ..pool()))),
            assign(
                py!(self.sessions),
                py!(async_sessionmaker(
                    self.engine,
                    sync_session_class = TenantSession,
                    expire_on_commit = false
                ))
            ),
            row_level_security.then(|| block![
                assign(url, py!(settings.maintenance_database_url)),
                assign(
                    py!(self.maintenance_engine),
                    py!(if url { build_engine(settings, url, ..pool()) } else { None })
                )
            ]),
            is_traced.then(|| for_(
                engine,
                py!(self.engines),
                [do_(py!(trace_statements(engine, settings)))]
            ))
        ])
}

fn database_engines(row_level_security: bool) -> FunctionDef {
    names!(engines, engine);
    let body = match row_level_security {
        true => block![
            docstring("Return the engine of requests, and the one for work across tenants."),
            assign(engines, py!([self.engine, self.maintenance_engine])),
            return_(py!(list!(engine for engine in engines if engine != None)))
        ],
        false => block![docstring("Return the one engine."), return_(py!([self.engine]))],
    };
    def("engines")
        .decorator(property)
        .params([untyped("self")])
        .returns(py!(list[AsyncEngine]))
        .body(body)
}

/// `*, pooled: bool = True`, where workers run jobs without a pool.
fn pool_choice(has_workers: bool) -> Vec<Param> {
    if has_workers { vec![star(), param("pooled", bool).default(true)] } else { Vec::new() }
}

fn database_session() -> FunctionDef {
    def("session").params([untyped("self")]).returns(AsyncSession).body(block![
        docstring("Open a session that sees no tenant until one is bound."),
        return_(py!(self.sessions()))
    ])
}

fn database_tenant_session() -> FunctionDef {
    names!(organization_id, session);
    async_def("tenant_session")
        .decorator(asynccontextmanager)
        .params([untyped("self"), param(organization_id, UUID)])
        .returns(py!(AsyncGenerator[(AsyncSession, None)]))
        .body(block![
            docstring("Open a session of one tenant, for jobs and scripts; commit in the end."),
            with(
                py!(working_for(organization_id)),
                [async_with_as(
                    py!(self.session()),
                    session,
                    block![
                        do_(py!(bind_tenant(session, organization_id).await)),
                        do_(py!(yield_!(session))),
                        do_(py!(session.commit().await))
                    ]
                )]
            )
        ])
}

fn database_all_tenants_session(row_level_security: bool) -> FunctionDef {
    names!(reason, engine, session, bind);
    let sessions = match row_level_security {
        true => py!(self.sessions(bind = bind, info = dict!(ALL_TENANTS => true))),
        false => py!(self.sessions(info = dict!(ALL_TENANTS => true))),
    };
    let is_held = py!(engine == None && self.engine.dialect.name == "postgresql");
    async_def("all_tenants_session")
        .decorator(asynccontextmanager)
        .params([untyped("self"), star(), param(reason, str)])
        .returns(py!(AsyncGenerator[(AsyncSession, None)]))
        .body(block![
            docstring(if row_level_security {
                "Open a session for work across tenants, log why, and commit in the end.\n\
                 \n\
                 On PostgreSQL it needs a role of its own: row-level security holds the one that\n\
                 serves requests to one tenant."
            } else {
                "Open a session for work across tenants, log why, and commit in the end."
            }),
            row_level_security.then(|| block![
                assign(engine, py!(self.maintenance_engine)),
                if_(
                    is_held,
                    [raise(py!(DatabaseRoleError("MAINTENANCE_DATABASE_URL is not set")))]
                )
            ]),
            do_(py!(logger.warning("A session for all tenants was opened: %s", reason))),
            row_level_security.then(|| assign(bind, py!(engine || self.engine))),
            async_with_as(
                sessions,
                session,
                block![do_(py!(yield_!(session))), do_(py!(session.commit().await))]
            )
        ])
}

fn database_ping() -> FunctionDef {
    names!(connection);
    async_def("ping").params([untyped("self")]).returns(none()).body(block![
        docstring("Ask the database for an answer."),
        async_with_as(
            py!(self.engine.connect()),
            connection,
            [do_(py!(connection.execute(text("SELECT 1")).await))]
        )
    ])
}

fn database_revisions() -> FunctionDef {
    names!(connection);
    async_def("revisions").params([untyped("self")]).returns(py!(frozenset[str])).body(block![
        docstring("Read which migrations were the last: one, unless they branch."),
        async_with_as(
            py!(self.engine.connect()),
            connection,
            [return_(py!(frozenset(connection.scalars(REVISIONS).await)))]
        )
    ])
}

fn database_check_role() -> FunctionDef {
    names!(problem);
    async_def("check_role").params([untyped("self")]).returns(none()).body(block![
        docstring("Refuse a PostgreSQL database that would not keep the tenants apart."),
        assign(problem, py!(self.find_problem().await)),
        if_(py!(problem == None), [return_none()]),
        if_(
            py!(is_!(self.settings.environment, Environment.PRODUCTION)),
            [raise(py!(DatabaseRoleError(problem)))]
        ),
        do_(py!(logger.warning(problem)))
    ])
}

fn database_find_problem() -> FunctionDef {
    names!(table, name, connection);
    let is_bypassed = py!(connection.scalar(BYPASSES_ROW_LEVEL_SECURITY).await);
    let is_active = py!(connection.scalar(ROW_SECURITY_IS_ACTIVE, name).await);
    async_def("find_problem").params([untyped("self")]).returns(py!(str | None)).body(block![
        docstring("Tell what keeps row-level security from working, if anything does."),
        if_(py!(self.engine.dialect.name != "postgresql"), [return_(none())]),
        async_with_as(
            py!(self.engine.connect()),
            connection,
            block![
                if_(
                    is_bypassed,
                    [return_("DATABASE_URL names a role that bypasses row-level security")]
                ),
                for_(
                    table,
                    py!(tenant_tables()),
                    block![
                        assign(name, py!(dict!("table" => str(table)))),
                        if_(
                            py!(is_!({ is_active }, false)),
                            [return_(py!(f!("Row-level security is off for {}", table)))]
                        )
                    ]
                )
            ]
        ),
        return_(none())
    ])
}

fn database_close() -> FunctionDef {
    names!(engine);
    async_def("close").params([untyped("self")]).returns(none()).body(block![
        docstring("Close every connection."),
        for_(engine, py!(self.engines), [do_(py!(engine.dispose().await))])
    ])
}

fn build_engine_def(has_workers: bool) -> FunctionDef {
    names!(settings, url, engine, pooled);
    // An error that a log holds must not hold what the statement was about.
    let unpooled = py!(create_async_engine(url, poolclass = NullPool, hide_parameters = true));
    let pool = has_workers.then(|| kw("poolclass", py!(if pooled { None } else { NullPool })));
    let plain = py!(create_async_engine(
        url,
        pool_size = settings.database_pool_size,
        max_overflow = POOL_OVERFLOW,
        pool_pre_ping = true,
        hide_parameters = true
    ));
    def(build_engine)
        .params([param(settings, Settings), param(url, str)])
        .params(pool_choice(has_workers))
        .returns(AsyncEngine)
        .body(block![
            docstring("Create the engine for a URL."),
            if_(
                py!(!url.startswith("sqlite")),
                block![has_workers.then(|| if_(py!(!pooled), [return_(unpooled)])), return_(plain)]
            ),
            assign(
                engine,
                py!(create_async_engine(
                    url,
                    connect_args = dict!("timeout" => SQLITE_BUSY_SECONDS),
                    ..pool,
                    hide_parameters = true
                ))
            ),
            do_(py!(event.listen(engine.sync_engine, "connect", prepare_sqlite))),
            do_(py!(event.listen(engine.sync_engine, "begin", begin_immediate))),
            return_(engine)
        ])
}

fn prepare_sqlite_def() -> FunctionDef {
    names!(connection, _record, cursor);
    def(prepare_sqlite)
        .params([param(connection, DBAPIConnection), param(_record, ConnectionPoolEntry)])
        .returns(none())
        .body(block![
            docstring("Take over transactions from the driver and switch foreign keys on."),
            assign(py!(connection.isolation_level), none()),
            assign(cursor, py!(connection.cursor())),
            do_(py!(cursor.execute("PRAGMA foreign_keys = ON"))),
            do_(py!(cursor.execute("PRAGMA journal_mode = WAL"))),
            do_(py!(cursor.execute("PRAGMA synchronous = NORMAL"))),
            do_(py!(cursor.close()))
        ])
}

fn begin_immediate_def() -> FunctionDef {
    names!(connection);
    def(begin_immediate).params([param(connection, Connection)]).returns(none()).body(block![
        docstring("Lock at the start: SQLite ignores FOR UPDATE and cannot upgrade a lock."),
        do_(py!(connection.exec_driver_sql("BEGIN IMMEDIATE")))
    ])
}

fn get_database_def() -> FunctionDef {
    names!(request, database);
    def(get_database).params([param(request, Request)]).returns(Database).body(block![
        docstring("Return the database of the application."),
        ann_assign(database, Database, py!(request.app.state.database)),
        return_(database)
    ])
}

fn get_session_def() -> FunctionDef {
    names!(database, session);
    async_def(get_session)
        .params([param(database, DatabaseDep)])
        .returns(py!(AsyncGenerator[(AsyncSession, None)]))
        .body(block![
            docstring(
                "Give a request its session and commit when the route returns.\n\
                 \n\
                 An exception rolls back. The scope is the function: the commit happens before the\n\
                 response is sent, so that a failed commit is an error and not a lie."
            ),
            async_with_as(
                py!(database.session()),
                session,
                block![do_(py!(yield_!(session))), do_(py!(session.commit().await))]
            )
        ])
}

fn insert_once_def() -> FunctionDef {
    names!(session, model, key, values, added, on_postgresql, once, on_sqlite, only_once);
    let inserted =
        |statement: Name| assign(added, py!(session.scalar(statement.returning(model.id)).await));
    async_def(insert_once)
        .params([
            param(session, AsyncSession),
            param(model, py!(TYPE[Record])),
            param(key, py!(Sequence[str])),
            param(values, py!(Mapping[(str, Any)])),
        ])
        .returns(bool)
        .body(block![
            docstring(
                "Add a row unless there is one with its key, and tell whether it was added.\n\
                 \n\
                 Of two transactions at once, the second waits for what becomes of the first."
            ),
            annotate(added, py!(UUID | None)),
            if_(
                py!(session.get_bind().dialect.name == "postgresql"),
                block![
                    assign(on_postgresql, py!(postgresql.insert(model).values(values))),
                    assign(once, py!(on_postgresql.on_conflict_do_nothing(index_elements = key))),
                    inserted(once)
                ]
            )
            .else_(block![
                assign(on_sqlite, py!(sqlite.insert(model).values(values))),
                assign(only_once, py!(on_sqlite.on_conflict_do_nothing(index_elements = key))),
                inserted(only_once)
            ]),
            return_(py!(added != None))
        ])
}

fn flush_def() -> FunctionDef {
    names!(session, conflict, error);
    async_def(flush)
        .params([param(session, AsyncSession), star(), param(conflict, str)])
        .returns(none())
        .body(block![
            docstring("Write what the session holds; what the database refuses is a conflict."),
            try_([do_(py!(session.flush().await))]).except_as(
                IntegrityError,
                error,
                [raise_from(py!(ConflictError(conflict)), error)]
            )
        ])
}
