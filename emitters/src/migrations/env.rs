//! `backend/migrations/env.py`: how Alembic reaches the database.

use crate::core::database::begin_immediate;
use crate::core::settings::Settings;
use crate::models::types::{ExactDecimal, UTCDateTime};
use crate::python::builtins::{isinstance, object, str};
use crate::python::sqlalchemy::{
    AsyncEngine, AutogenContext, Connection, ConnectionPoolEntry, DBAPIConnection, Enum, NullPool,
    context, create_async_engine, event, make_url, text,
};
use crate::python::standard::{Literal, asyncio};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    // The package: importing it registers every table.
    "app.models": Base;
    "migrations.env": settings, migration_url, MIGRATION_LOCK, run_offline, run_on, wait_for_others, render_item, grant_rows,
        build_engine, leave_transactions, run_online;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("migrations.env")
        .first_party(["app"])
        .docstring("How Alembic reaches the database.")
        .body(block![
            assign(settings, py!(Settings())),
            assign(migration_url, py!(settings.migration_database_url || settings.database_url)),
            assign(MIGRATION_LOCK, lock_number(spec)).paragraph(),
            run_offline_def(),
            run_on_def(spec.tenancy.row_level_security),
            wait_for_others_def(),
            render_item_def(),
            grant_rows_def(),
            build_engine_def(),
            leave_transactions_def(),
            run_online_def(),
            if_(py!(context.is_offline_mode()), [do_(py!(run_offline()))])
                .else_([do_(py!(asyncio.run(run_online())))])
        ])
}

fn run_offline_def() -> FunctionDef {
    def(run_offline).returns(none()).body(block![
        docstring("Write the statements instead of running them."),
        do_(py!(context.configure(
            url = migration_url,
            target_metadata = Base.metadata,
            literal_binds = true,
            render_item = render_item,
            render_as_batch = true
        ))),
        with(py!(context.begin_transaction()), [do_(py!(context.run_migrations()))])
    ])
}

fn run_on_def(row_level_security: bool) -> FunctionDef {
    names!(connection);
    let grant = |url: Expr| do_(py!(grant_rows(connection, url)));
    def(run_on).params([param(connection, Connection)]).returns(none()).body(block![
        docstring("Run the migrations, and let the roles that own nothing use the tables."),
        do_(py!(context.configure(
            connection = connection,
            target_metadata = Base.metadata,
            render_item = render_item,
            render_as_batch = true
        ))),
        with(
            py!(context.begin_transaction()),
            block![
                do_(py!(wait_for_others(connection))),
                do_(py!(context.run_migrations())),
                grant(py!(settings.database_url)),
                row_level_security.then(|| grant(py!(settings.maintenance_database_url)))
            ]
        )
    ])
}

/// What no other product migrates under.
fn lock_number(spec: &Spec) -> u32 {
    let bytes = spec.project.name.bytes();
    bytes.fold(2_166_136_261, |sum: u32, byte| (sum ^ u32::from(byte)).wrapping_mul(16_777_619))
}

fn wait_for_others_def() -> FunctionDef {
    names!(connection);
    def(wait_for_others).params([param(connection, Connection)]).returns(none()).body(block![
        docstring("Let one deployment migrate at a time; the lock ends with the transaction."),
        if_(
            py!(connection.dialect.name == "postgresql"),
            [do_(py!(connection.execute(
                text("SELECT pg_advisory_xact_lock(:number)"),
                dict!("number" => MIGRATION_LOCK)
            )))]
        )
    ])
}

fn render_item_def() -> FunctionDef {
    names!(kind, item, _context, numeric);
    def(render_item)
        .params([param(kind, str), param(item, object), param(_context, AutogenContext)])
        .returns(py!(str | Literal[false]))
        .body(block![
            docstring("Write our column types in a revision as what they are in the database."),
            if_(
                py!(kind == "type" && isinstance(item, UTCDateTime)),
                [return_("sa.DateTime(timezone=True)")]
            ),
            if_(
                py!(kind == "type" && isinstance(item, Enum)),
                [return_(py!(f!("sa.String({})", item.length)))]
            ),
            if_(
                py!(kind == "type" && isinstance(item, ExactDecimal)),
                block![
                    assign(numeric, py!(f!("sa.Numeric({}, {})", item.precision, item.scale))),
                    return_(py!(f!("{}.with_variant(sa.BigInteger(), 'sqlite')", numeric)))
                ]
            ),
            return_(false)
        ])
}

fn grant_rows_def() -> FunctionDef {
    names!(connection, url, username, role, rights);
    def(grant_rows)
        .params([param(connection, Connection), param(url, py!(str | None))])
        .returns(none())
        .body(block![
            docstring("Give the rows to the role of a URL, if another role owns the tables."),
            assign(username, py!(if url { make_url(url).username } else { None })),
            if_(py!(connection.dialect.name != "postgresql" || username == None), [return_none()]),
            if_(py!(username == make_url(migration_url).username), [return_none()]),
            assign(role, py!(connection.dialect.identifier_preparer.quote(username))),
            assign(rights, "SELECT, INSERT, UPDATE, DELETE"),
            do_(py!(connection.execute(text(f!(
                "GRANT {} ON ALL TABLES IN SCHEMA public TO {}",
                rights,
                role
            )))))
        ])
}

fn build_engine_def() -> FunctionDef {
    names!(engine);
    def(build_engine).returns(AsyncEngine).body(block![
        docstring(
            "Connect as the owner of the tables.\n\nOn SQLite, the foreign keys stay off: to alter a table is to \
             copy it and to\ndrop the old one, which would take the rows with it that point at it."
        ),
        assign(engine, py!(create_async_engine(migration_url, poolclass = NullPool))),
        if_(
            py!(engine.dialect.name == "sqlite"),
            block![
                do_(py!(event.listen(engine.sync_engine, "connect", leave_transactions))),
                do_(py!(event.listen(engine.sync_engine, "begin", begin_immediate)))
            ]
        ),
        return_(engine)
    ])
}

fn leave_transactions_def() -> FunctionDef {
    names!(connection, _record);
    def(leave_transactions)
        .params([param(connection, DBAPIConnection), param(_record, ConnectionPoolEntry)])
        .returns(none())
        .body(block![
            docstring("Keep the driver from ending a transaction at each change of a table."),
            assign(py!(connection.isolation_level), none())
        ])
}

fn run_online_def() -> FunctionDef {
    names!(engine, connection);
    async_def(run_online).returns(none()).body(block![
        docstring("Migrate: all of it, or nothing."),
        assign(engine, py!(build_engine())),
        async_with_as(
            py!(engine.connect()),
            connection,
            block![
                do_(py!(connection.run_sync(run_on).await)),
                do_(py!(connection.commit().await))
            ]
        ),
        do_(py!(engine.dispose().await))
    ])
}
