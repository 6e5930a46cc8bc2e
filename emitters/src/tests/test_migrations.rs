//! `backend/tests/test_migrations.py`: migrations.

use crate::python::builtins::{len, range, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{ScriptDirectory, command};
use crate::python::standard::{Path, os, subprocess};
use crate::spec::Spec;
use crate::tests::databases::{
    SERVER_URL, ScratchDatabase, alembic_config, environment, migrate, postgresql_database,
    sqlite_database,
};
use crate::tests::servers::{BACKEND, python};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_migrations": down_and_up;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_migrations").docstring("Migrations.").body(block![
        test_there_is_one_head(),
        test_the_tables_match_the_models(),
        test_down_and_up_again(),
        down_and_up_def(),
        test_the_statements_can_be_written_out(spec),
        test_two_deployments_migrate_one_after_the_other()
    ])
}

fn test_there_is_one_head() -> FunctionDef {
    def("test_there_is_one_head")
        .returns(none())
        .body([assert_(py!(len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1))])
}

fn test_the_tables_match_the_models() -> FunctionDef {
    names!(database);
    def("test_the_tables_match_the_models")
        .params([param(database, ScratchDatabase)])
        .returns(none())
        .body(with(py!(environment(database)), [do_(py!(command.check(alembic_config())))]))
}

fn test_down_and_up_again() -> FunctionDef {
    names!(tmp_path, scratch);
    def("test_down_and_up_again").params([param(tmp_path, Path)]).returns(none()).body(block![
        if_(
            py!(SERVER_URL == None),
            block![
                do_(py!(down_and_up(sqlite_database(tmp_path / "migrations.db")))),
                return_none()
            ]
        ),
        with_as(py!(postgresql_database(SERVER_URL)), scratch, [do_(py!(down_and_up(scratch)))])
    ])
}

fn down_and_up_def() -> FunctionDef {
    names!(scratch);
    def(down_and_up).params([param(scratch, ScratchDatabase)]).returns(none()).body(block![
        docstring("Migrate up, down and up again."),
        do_(py!(migrate(scratch))),
        with(py!(environment(scratch)), [do_(py!(command.downgrade(alembic_config(), "base")))]),
        do_(py!(migrate(scratch)))
    ])
}

fn test_two_deployments_migrate_one_after_the_other() -> FunctionDef {
    names!(scratch, variables, upgrade, deployments, _number, deployment);
    def("test_two_deployments_migrate_one_after_the_other").returns(none()).body(block![
        if_(
            py!(SERVER_URL == None),
            [do_(py!(pytest.skip("only PostgreSQL can be migrated by two at once")))]
        ),
        with_as(
            py!(postgresql_database(SERVER_URL)),
            scratch,
            block![
                assign(
                    variables,
                    py!(dict!(
                        **os.environ,
                        "DATABASE_URL" => scratch.app_url,
                        "MIGRATION_DATABASE_URL" => scratch.owner_url
                    ))
                ),
                assign(upgrade, py!([*python("alembic"), "upgrade", "head"])),
                assign(
                    deployments,
                    py!(list!(
                        subprocess.Popen(upgrade, cwd = BACKEND, env = variables)
                        for _number in range(2)
                    ))
                ),
                assert_(py!(list!(deployment.wait() for deployment in deployments) == [0, 0]))
            ]
        )
    ])
}

fn test_the_statements_can_be_written_out(spec: &Spec) -> FunctionDef {
    names!(capsys, statements);
    let table = spec.entities.first().map(|entity| entity.names.table.as_str());
    let created = format!("CREATE TABLE {}", table.unwrap_or("organizations"));
    let policies = table.filter(|_| spec.tenancy.row_level_security).map(|table| {
        let policy = format!("CREATE POLICY tenant_isolation ON {table}");
        assert_(py!(in_!(policy, statements)))
    });
    let url = format!("postgresql://db/{}", spec.project.identifier);
    let url = url.as_str();
    def("test_the_statements_can_be_written_out")
        .params([param(capsys, py!(pytest.CaptureFixture[str]))])
        .returns(none())
        .body(block![
            with(
                py!(environment(ScratchDatabase(url, url))),
                [do_(py!(command.upgrade(alembic_config(), "head", sql = true)))]
            ),
            assign(statements, py!(capsys.readouterr().out)),
            assert_(py!(in_!(created, statements))),
            policies
        ])
}
