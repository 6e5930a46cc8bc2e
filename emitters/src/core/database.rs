//! `backend/app/core/database.py`: the database: engines, sessions, and when a request commits.

use crate::core::errors::ConflictError;
use crate::core::settings::{Environment, Settings};
use crate::core::tenancy::{ALL_TENANTS, TenantSession};
use crate::python::builtins::{__name__, RuntimeError, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::sqlalchemy::{
    AsyncEngine, AsyncSession, Connection, ConnectionPoolEntry, DBAPIConnection, IntegrityError,
    async_sessionmaker, create_async_engine, event, text,
};
use crate::python::standard::{Annotated, AsyncGenerator, logging};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.database": logger, SQLITE_BUSY_SECONDS, BYPASSES_ROW_LEVEL_SECURITY,
        DatabaseRoleError, Database, build_engine, prepare_sqlite, begin_immediate, get_database,
        DatabaseDep, get_session, SessionDep, flush;
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
            row_level_security.then(|| assign(BYPASSES_ROW_LEVEL_SECURITY, bypasses_query())),
            row_level_security.then(database_role_error_class),
            database_class(row_level_security),
            build_engine_def(),
            prepare_sqlite_def(),
            begin_immediate_def(),
            get_database_def(),
            assign(DatabaseDep, py!(Annotated[(Database, Depends(get_database))])),
            get_session_def(),
            assign(
                SessionDep,
                py!(Annotated[(AsyncSession, Depends(get_session, scope = "function"))])
            ),
            flush_def()
        ])
}

fn bypasses_query() -> Expr {
    py!(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"))
}

fn database_role_error_class() -> ClassDef {
    class(DatabaseRoleError)
        .base(RuntimeError)
        .body(block![docstring("The role that serves requests could read across tenants.")])
}

fn database_class(row_level_security: bool) -> ClassDef {
    class(Database).body(block![
        docstring("The engine and the sessions of one application."),
        database_init(),
        database_session(),
        database_all_tenants_session(row_level_security),
        database_ping(),
        row_level_security.then(database_check_role),
        database_close()
    ])
}

fn database_init() -> FunctionDef {
    names!(settings);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Prepare to connect; no connection is made before the first statement."),
            assign(py!(self.settings), settings),
            assign(py!(self.engine), py!(build_engine(settings))),
            assign(
                py!(self.sessions),
                py!(async_sessionmaker(
                    self.engine,
                    sync_session_class = TenantSession,
                    expire_on_commit = false
                ))
            )
        ],
    )
}

fn database_session() -> FunctionDef {
    def("session").params([untyped("self")]).returns(AsyncSession).body(block![
        docstring("Open a session that sees no tenant until one is bound."),
        return_(py!(self.sessions()))
    ])
}

fn database_all_tenants_session(row_level_security: bool) -> FunctionDef {
    def("all_tenants_session").params([untyped("self")]).returns(AsyncSession).body(block![
        docstring(if row_level_security {
            "Open a session for work across tenants, such as maintenance.\n\
             \n\
             On PostgreSQL the row-level security still applies to its role."
        } else {
            "Open a session for work across tenants, such as maintenance."
        }),
        do_(py!(logger.info("A session for all tenants was opened"))),
        return_(py!(self.sessions(info = dict!(ALL_TENANTS => true))))
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

fn database_check_role() -> FunctionDef {
    names!(connection, bypasses);
    async_def("check_role").params([untyped("self")]).returns(none()).body(block![
        docstring("Refuse a PostgreSQL role that row-level security does not hold."),
        if_(py!(self.engine.dialect.name != "postgresql"), [return_none()]),
        async_with_as(
            py!(self.engine.connect()),
            connection,
            [assign(bypasses, py!(connection.scalar(BYPASSES_ROW_LEVEL_SECURITY).await))]
        ),
        if_(py!(!bypasses), [return_none()]),
        if_(
            py!(is_!(self.settings.environment, Environment.PRODUCTION)),
            [raise(py!(DatabaseRoleError("DATABASE_URL names a role that bypasses RLS")))]
        ),
        do_(py!(logger.warning("The role in DATABASE_URL bypasses row-level security")))
    ])
}

fn database_close() -> FunctionDef {
    async_def("close")
        .params([untyped("self")])
        .returns(none())
        .body(block![docstring("Close every connection."), do_(py!(self.engine.dispose().await))])
}

fn build_engine_def() -> FunctionDef {
    names!(settings, engine);
    def(build_engine).params([param(settings, Settings)]).returns(AsyncEngine).body(block![
        docstring("Create the engine for the URL in the settings."),
        if_(
            py!(!settings.database_url.startswith("sqlite")),
            [return_(py!(create_async_engine(
                settings.database_url,
                pool_size = settings.database_pool_size,
                pool_pre_ping = true
            )))]
        ),
        assign(
            engine,
            py!(create_async_engine(
                settings.database_url,
                connect_args = dict!("timeout" => SQLITE_BUSY_SECONDS)
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
