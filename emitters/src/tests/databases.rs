//! `backend/tests/databases.py`: databases for tests: a file for each test on SQLite, or one on PostgreSQL.

use crate::python::builtins::{__file__, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{
    Config, NullPool, URL, command, create_async_engine, make_url, text,
};
use crate::python::standard::{Generator, Path, asyncio, contextmanager, dataclass, os, secrets};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.databases": SERVER_URL, PYPROJECT, ScratchDatabase, alembic_config, environment, migrate,
        sqlite_database, postgresql_database, run_on, execute, render;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.databases")
        .docstring("Databases for tests: a file for each test on SQLite, or one on PostgreSQL.")
        .body(block![
            assign(SERVER_URL, py!(os.environ.get("TEST_DATABASE_URL"))),
            assign(PYPROJECT, py!(Path(__file__).parent.parent / "pyproject.toml")),
            scratch_database_class(),
            alembic_config_def(),
            environment_def(),
            migrate_def(),
            sqlite_database_def(),
            postgresql_database_def(spec),
            run_on_def(),
            execute_def(),
            render_def()
        ])
}

fn scratch_database_class() -> ClassDef {
    names!(app_url, owner_url);
    class(ScratchDatabase).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A migrated database, as the role that serves requests and as its owner."),
        annotate(app_url, str),
        annotate(owner_url, str)
    ])
}

fn alembic_config_def() -> FunctionDef {
    def(alembic_config).returns(Config).body(block![
        docstring("Return the configuration of Alembic."),
        return_(py!(Config(toml_file = PYPROJECT)))
    ])
}

fn environment_def() -> FunctionDef {
    names!(database, patch);
    def(environment)
        .decorator(contextmanager)
        .params([param(database, ScratchDatabase)])
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring("Point the environment of this process at a database."),
            with_as(
                py!(pytest.MonkeyPatch.context()),
                patch,
                block![
                    do_(py!(patch.setenv("DATABASE_URL", database.app_url))),
                    do_(py!(patch.setenv("MIGRATION_DATABASE_URL", database.owner_url))),
                    do_(yield_(None))
                ]
            )
        ])
}

fn migrate_def() -> FunctionDef {
    names!(database);
    def(migrate).params([param(database, ScratchDatabase)]).returns(none()).body(block![
        docstring("Run every migration."),
        with(py!(environment(database)), [do_(py!(command.upgrade(alembic_config(), "head")))])
    ])
}

fn sqlite_database_def() -> FunctionDef {
    names!(path, url);
    def(sqlite_database).params([param(path, Path)]).returns(ScratchDatabase).body(block![
        docstring("Name a database in a file."),
        assign(url, py!(f!("sqlite+aiosqlite:///{}", path))),
        return_(py!(ScratchDatabase(url, url)))
    ])
}

fn postgresql_database_def(spec: &Spec) -> FunctionDef {
    names!(server_url, name, password, server, owner, app);
    // PostgreSQL cuts identifiers off after 63 bytes, and what makes the name unique is its end.
    let prefix: String = spec.project.identifier.as_str().chars().take(40).collect();
    let prefix = format!("{prefix}_test_");
    def(postgresql_database)
        .decorator(contextmanager)
        .params([param(server_url, str)])
        .returns(py!(Generator[(ScratchDatabase, None, None)]))
        .body(block![
            docstring("Create a database and a role without privileges, and drop both in the end."),
            assign(name, f_string([string(prefix), formatted(py!(secrets.token_hex(4)))])),
            assign(password, py!(secrets.token_hex(16))),
            assign(server, py!(make_url(server_url))),
            assign(owner, py!(server.set(database = name))),
            assign(app, py!(owner.set(username = name, password = password))),
            do_(py!(run_on(server, f!("CREATE DATABASE {}", name)))),
            do_(py!(run_on(server, f!("ALTER DATABASE {} SET synchronous_commit = off", name))))
                .comment("What is dropped in the end need not outlive a crash."),
            do_(py!(run_on(server, f!("CREATE ROLE {} LOGIN PASSWORD '{}'", name, password)))),
            try_([do_(py!(yield_!(ScratchDatabase(render(app), render(owner)))))]).finally(block![
                do_(py!(run_on(server, f!("DROP DATABASE {} WITH (FORCE)", name)))),
                do_(py!(run_on(server, f!("DROP ROLE {}", name))))
            ])
        ])
}

fn run_on_def() -> FunctionDef {
    names!(url, statement);
    def(run_on).params([param(url, URL), param(statement, str)]).returns(none()).body(block![
        docstring("Run a statement outside of any transaction."),
        do_(py!(asyncio.run(execute(url, statement))))
    ])
}

fn execute_def() -> FunctionDef {
    names!(url, statement, engine, connection);
    async_def(execute).params([param(url, URL), param(statement, str)]).returns(none()).body(
        block![
            docstring("Connect, run a statement and hang up."),
            assign(
                engine,
                py!(create_async_engine(url, poolclass = NullPool, isolation_level = "AUTOCOMMIT"))
            ),
            async_with_as(
                py!(engine.connect()),
                connection,
                [do_(py!(connection.execute(text(statement)).await))]
            ),
            do_(py!(engine.dispose().await))
        ],
    )
}

fn render_def() -> FunctionDef {
    names!(url);
    def(render).params([param(url, URL)]).returns(str).body(block![
        docstring("Write a URL with its password."),
        return_(py!(url.render_as_string(hide_password = false)))
    ])
}
