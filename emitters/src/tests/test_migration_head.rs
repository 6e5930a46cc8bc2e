//! `backend/tests/test_migration_head.py`: whether the database is migrated as far as the code.

use crate::app_main::create_app;
use crate::core::settings::Settings;
use crate::python::builtins::{int, str, tuple as tuple_of};
use crate::python::httpx2::Response;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{Config, command};
use crate::python::standard::{Generator, Path, asyncio, shutil};
use crate::schemas::health::Readiness;
use crate::services::migration_head::read_revisions;
use crate::tests::databases::{
    PYPROJECT, SERVER_URL, ScratchDatabase, environment, postgresql_database, sqlite_database,
};
use crate::tests::servers::{BACKEND, serving};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_migration_head": write, apply, run, ready, ask;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_migration_head")
        .docstring("Whether the database is migrated as far as the code.")
        .body(block![
            scratch_def(),
            release_def(),
            write_def(),
            apply_def(),
            run_def(),
            ready_def(),
            ask_def(),
            test_without_migrations_a_database_is_not_ready(),
            test_with_every_migration_it_is(),
            test_a_database_that_is_behind_is_not_ready(),
            test_a_database_that_is_ahead_is_still_served(),
            test_of_several_heads_all_are_needed(),
            test_ahead_in_one_branch_makes_up_for_no_other(),
            test_code_without_its_migrations_still_serves()
        ])
}

/// What `ready` returns: the status of the answer, the state as a whole, and that of the migrations.
fn readiness(status: i32, state: &str, migrations: &str) -> Expr {
    py!((status, state, migrations))
}

fn is_ready(settings: Name, scratch: Name) -> Stmt {
    assert_(py!(ready(settings, scratch) == { readiness(200, "ok", "ok") }))
}

fn is_still_served(settings: Name, scratch: Name) -> Stmt {
    assert_(py!(ready(settings, scratch) == { readiness(200, "degraded", "degraded") }))
}

fn is_not_ready(settings: Name, scratch: Name) -> Stmt {
    assert_(py!(ready(settings, scratch) == { readiness(503, "failed", "failed") }))
}

fn scratch_def() -> FunctionDef {
    names!(tmp_path, created);
    def("scratch")
        .decorator(py!(pytest.fixture))
        .params([param(tmp_path, Path)])
        .returns(py!(Generator[(ScratchDatabase, None, None)]))
        .body(block![
            docstring("Create a database without tables."),
            if_(
                py!(SERVER_URL == None),
                block![do_(py!(yield_!(sqlite_database(tmp_path / "scratch.db")))), return_none()]
            ),
            with_as(py!(postgresql_database(SERVER_URL)), created, [do_(py!(yield_!(created)))])
        ])
}

fn release_def() -> FunctionDef {
    names!(tmp_path);
    def("release")
        .decorator(py!(pytest.fixture))
        .params([param(tmp_path, Path)])
        .returns(Path)
        .body(block![
            docstring("Copy the migrations, for another release of the code to have more."),
            do_(py!(shutil.copytree(BACKEND / "migrations", tmp_path / "migrations"))),
            do_(py!(shutil.copy(PYPROJECT, tmp_path))),
            return_(py!(tmp_path / PYPROJECT.name))
        ])
}

fn write_def() -> FunctionDef {
    names!(release, revision, after, config);
    def(write)
        .params([
            param(release, Path),
            param(revision, str),
            star(),
            param(after, str).default("head"),
        ])
        .returns(none())
        .body(block![
            docstring("Write a migration that changes nothing."),
            assign(config, py!(Config(toml_file = release))),
            do_(py!(command.revision(
                config,
                revision,
                head = after,
                splice = true,
                rev_id = revision
            )))
        ])
}

fn apply_def() -> FunctionDef {
    names!(release, scratch, revision);
    def(apply)
        .params([
            param(release, Path),
            param(scratch, ScratchDatabase),
            param(revision, str).default("head"),
        ])
        .returns(none())
        .body(block![
            docstring("Migrate a database as a release does."),
            with(
                py!(environment(scratch)),
                [do_(py!(command.upgrade(Config(toml_file = release), revision)))]
            )
        ])
}

fn run_def() -> FunctionDef {
    names!(release, monkeypatch);
    def(run)
        .params([param(release, Path), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            docstring("Let the code be that of a release, which is read now."),
            do_(py!(monkeypatch.setattr("app.services.migration_head.PYPROJECT", release))),
            do_(py!(read_revisions(release)))
        ])
}

fn ready_def() -> FunctionDef {
    names!(settings, scratch, answer, found);
    def(ready)
        .params([param(settings, Settings), param(scratch, ScratchDatabase)])
        .returns(py!(tuple_of[(int, str, str)]))
        .body(block![
            docstring("Ask whether a server on a database is ready, and how its migrations are."),
            assign(answer, py!(asyncio.run(ask(settings, scratch)))),
            assign(found, py!(Readiness.model_validate(answer.json()))),
            return_(py!((answer.status_code, found.status, found.checks["migrations"])))
        ])
}

fn ask_def() -> FunctionDef {
    names!(settings, scratch, app, http);
    async_def(ask)
        .params([param(settings, Settings), param(scratch, ScratchDatabase)])
        .returns(Response)
        .body(block![
            docstring("Send the question, on a loop of its own as migrations are."),
            assign(
                app,
                py!(create_app(
                    settings.model_copy(update = dict!("database_url" => scratch.app_url))
                ))
            ),
            async_with_as(py!(serving(app)), http, [return_(py!(http.get("/health/ready").await))])
        ])
}

/// `def test_…(settings: Settings, scratch: ScratchDatabase) -> None: …`
fn scratch_test(test: &'static str) -> FunctionDef {
    def(test)
        .params([param("settings", Settings), param("scratch", ScratchDatabase)])
        .returns(none())
}

/// The same, with another release of the code at hand.
fn release_test(test: &'static str) -> FunctionDef {
    scratch_test(test).params([param("release", Path)])
}

fn test_without_migrations_a_database_is_not_ready() -> FunctionDef {
    names!(settings, scratch);
    scratch_test("test_without_migrations_a_database_is_not_ready")
        .body([is_not_ready(settings, scratch)])
}

fn test_with_every_migration_it_is() -> FunctionDef {
    names!(settings, scratch);
    scratch_test("test_with_every_migration_it_is")
        .body([do_(py!(apply(PYPROJECT, scratch))), is_ready(settings, scratch)])
}

fn test_a_database_that_is_behind_is_not_ready() -> FunctionDef {
    names!(settings, scratch, release, monkeypatch);
    release_test("test_a_database_that_is_behind_is_not_ready")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            do_(py!(apply(PYPROJECT, scratch))),
            do_(py!(write(release, "next"))),
            do_(py!(run(release, monkeypatch))),
            is_not_ready(settings, scratch),
            do_(py!(apply(release, scratch))),
            is_ready(settings, scratch)
        ])
}

fn test_a_database_that_is_ahead_is_still_served() -> FunctionDef {
    names!(settings, scratch, release);
    release_test("test_a_database_that_is_ahead_is_still_served").body(block![
        do_(py!(write(release, "next"))),
        do_(py!(apply(release, scratch))),
        is_still_served(settings, scratch)
    ])
}

fn test_of_several_heads_all_are_needed() -> FunctionDef {
    names!(settings, scratch, release, monkeypatch, head);
    release_test("test_of_several_heads_all_are_needed")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            assign(py!([head]), py!(read_revisions(PYPROJECT).heads)),
            do_(py!(write(release, "left", after = head))),
            do_(py!(write(release, "right", after = head))),
            do_(py!(run(release, monkeypatch))),
            do_(py!(apply(release, scratch, "left"))),
            is_not_ready(settings, scratch),
            do_(py!(apply(release, scratch, "right"))),
            is_ready(settings, scratch)
        ])
}

fn test_ahead_in_one_branch_makes_up_for_no_other() -> FunctionDef {
    names!(settings, scratch, release, monkeypatch, head);
    release_test("test_ahead_in_one_branch_makes_up_for_no_other")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            assign(py!([head]), py!(read_revisions(PYPROJECT).heads)),
            do_(py!(write(release, "left", after = head))),
            do_(py!(write(release, "further_left", after = "left"))),
            do_(py!(write(release, "right", after = head))),
            do_(py!(run(release, monkeypatch))),
            do_(py!(write(release, "further_right", after = "right"))),
            do_(py!(apply(release, scratch, "left"))),
            do_(py!(apply(release, scratch, "further_right"))),
            is_not_ready(settings, scratch),
            do_(py!(apply(release, scratch, "further_left"))),
            is_still_served(settings, scratch)
        ])
}

fn test_code_without_its_migrations_still_serves() -> FunctionDef {
    names!(settings, scratch, tmp_path, monkeypatch);
    scratch_test("test_code_without_its_migrations_still_serves")
        .params([param(tmp_path, Path), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            do_(py!(run(tmp_path / PYPROJECT.name, monkeypatch))),
            is_still_served(settings, scratch)
        ])
}
