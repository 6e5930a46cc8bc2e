//! Computed import blocks, against ruff: sorted and grouped as its isort rules leave them, nothing unused, nothing
//! missing, nothing bound twice.

mod environment;

use astgen_pyast::make::{IntoExpr, expr_stmt};
use astgen_pyast::{Import, Module, Name, import, import_module, module, name, print_module};
use environment::{programs, run};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::fs;
use std::process::Command;

const MODULES: [&str; 20] = [
    "app.core.errors",
    "app.models.stage_10",
    "app.models.stage_2",
    "app.models.user",
    "asyncio",
    "collections",
    "collections.abc",
    "datetime",
    "fastapi",
    "fastapi.responses",
    "os.path",
    "prometheus_client",
    "sqlalchemy",
    "sqlalchemy.ext.asyncio",
    "sqlalchemy.orm",
    "stripe",
    "tests.world",
    "typing",
    "uuid",
    "zoneinfo",
];

/// Constants, classes and functions: isort orders them by their case.
const NAMES: [&str; 18] = [
    "ABC", "A_B", "Abc", "B", "Session", "UTC", "Stage10", "Stage2", "UUID", "X1", "Z", "_private",
    "abc", "b2", "b10", "sa", "session", "z",
];

fn any_import() -> impl Strategy<Value = Import> {
    let names = prop::sample::select(&NAMES[..]).prop_map(name);
    let from = (prop::sample::select(&MODULES[..]), prop::sample::select(&NAMES[..]))
        .prop_map(|(from, id)| import(from, id));
    let whole = prop::sample::select(vec!["asyncio", "stripe", "sqlalchemy", "uuid", "zoneinfo"])
        .prop_map(import_module);
    let alias = |(import, alias): (Import, Option<Name>)| match alias {
        // `import x as x` is a re-export.
        Some(alias) if alias != import.binding() => import.named(alias),
        _ => import,
    };
    let aliases = prop::option::weighted(0.2, names);
    (prop_oneof![4 => from, 1 => whole], aliases).prop_map(alias)
}

/// A module that uses each of some imports in one statement.
fn any_module() -> impl Strategy<Value = Module> {
    prop::collection::btree_set(any_import(), 1..24).prop_map(|imports| {
        let uses = imports.into_iter().map(|import| expr_stmt(import.into_expr()));
        module("app.main").first_party(["app", "tests"]).body(uses.collect::<Vec<_>>())
    })
}

#[test]
fn ruff_leaves_import_blocks_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for number in 0..600 {
        let module = any_module().new_tree(&mut runner).expect("a module").current();
        let path = folder.path().join(format!("module_{number}.py"));
        fs::write(path, print_module(&module)).expect("a temporary folder can be written");
    }
    let first_party = "lint.isort.known-first-party = ['app', 'tests']";
    let mut ruff = Command::new(programs().join("ruff"));
    ruff.args(["check", "--isolated", "--no-cache", "--select", "I,F401,F811,F821,PLC0414"]);
    run(ruff.args(["--target-version", "py311", "--config", first_party]).arg(folder.path()));
    let mut ruff = Command::new(programs().join("ruff"));
    run(ruff.args(["format", "--check", "--isolated", "--no-cache"]).arg(folder.path()));
}
