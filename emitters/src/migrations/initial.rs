//! `backend/migrations/versions/0001_initial.py`: the first tables.

use super::foreign_key::ForeignKey;
use super::helpers::{
    isolate_entries_def, isolate_tenants, isolate_tenants_def, isolation, keep_entries_def,
};
use super::schema::Schema;
use super::sql::identifier;
use super::table::Table;
use crate::python::sqlalchemy::op;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

/// The tables whose rows belong to an organization.
const TENANT_TABLES: Name = name("TENANT_TABLES");

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(revision, down_revision, branch_labels, depends_on);
    let schema = Schema::of(spec);
    let tables = &schema.tables;
    let isolated: Vec<&Table> =
        tables.iter().filter(|table| table.is_isolated && !table.is_final).collect();
    let walled: Vec<&Table> =
        tables.iter().filter(|table| table.is_isolated && table.is_final).collect();
    let is_isolated = !isolated.is_empty();
    let tenants = tuple(isolated.iter().map(|table| identifier(table.name.as_str())));
    let has_deferred = tables.iter().any(|table| table.deferred_keys().next().is_some());
    let functions = tables.iter().map(Table::definition);

    module("migrations.versions.0001_initial").docstring("The first tables.").body(block![
        assign(revision, "0001"),
        assign(down_revision, none()),
        assign(branch_labels, none()),
        assign(depends_on, none()),
        is_isolated.then(|| assign(TENANT_TABLES, tenants).paragraph()),
        upgrade_def(tables, has_deferred, is_isolated, &walled),
        downgrade_def(tables, has_deferred),
        functions.collect::<Vec<_>>(),
        has_deferred.then(|| [add_def(tables), drop_def(tables)]),
        is_isolated.then(isolate_tenants_def),
        (!walled.is_empty()).then(isolate_entries_def),
        tables.iter().any(|table| table.is_final).then(keep_entries_def)
    ])
}

fn upgrade_def(
    tables: &[Table],
    has_deferred: bool,
    is_isolated: bool,
    walled: &[&Table],
) -> FunctionDef {
    names!(add_foreign_keys, table, upgrade);
    let create = tables.iter().map(Table::function).map(|function| do_(py!(function())));
    def(upgrade).returns(none()).body(block![
        docstring(match !walled.is_empty() {
            true => "Create every table; on PostgreSQL, wall the tenants off from each other.",
            false => "Create every table.",
        }),
        create.collect::<Vec<_>>(),
        has_deferred.then(|| do_(py!(add_foreign_keys()))),
        (!walled.is_empty()).then(|| if_(
            py!(op.get_bind().dialect.name == "postgresql"),
            block![
                is_isolated.then(|| for_(table, TENANT_TABLES, [do_(py!(isolate_tenants(table)))])),
                walled.iter().map(|table| isolation(table)).collect::<Vec<_>>()
            ]
        ))
    ])
}

fn downgrade_def(tables: &[Table], has_deferred: bool) -> FunctionDef {
    names!(downgrade, drop_foreign_keys);
    let drop = tables.iter().rev().map(|table| {
        let table = table.name.as_str();
        do_(py!(op.drop_table(table)))
    });
    def(downgrade).returns(none()).body(block![
        docstring("Drop every table."),
        has_deferred.then(|| do_(py!(drop_foreign_keys()))),
        drop.collect::<Vec<_>>()
    ])
}

fn add_def(tables: &[Table]) -> FunctionDef {
    names!(add_foreign_keys);
    def(add_foreign_keys).returns(none()).body(block![
        docstring("Add the foreign keys of tables that point at each other."),
        alterations(tables, ForeignKey::addition)
    ])
}

fn drop_def(tables: &[Table]) -> FunctionDef {
    names!(drop_foreign_keys);
    def(drop_foreign_keys).returns(none()).body(block![
        docstring("Drop the foreign keys of tables that point at each other."),
        alterations(tables, ForeignKey::removal)
    ])
}

/// One `with op.batch_alter_table(…)` a table, because SQLite has to copy it.
fn alterations(tables: &[Table], alteration: impl Fn(&ForeignKey, Name) -> Stmt) -> Vec<Stmt> {
    names!(batch);
    let tables = tables.iter().filter(|table| table.deferred_keys().next().is_some());
    let alterations = tables.map(|table| {
        let name = table.name.as_str();
        let body: Vec<Stmt> = table.deferred_keys().map(|key| alteration(key, batch)).collect();
        with_as(py!(op.batch_alter_table(name)), batch, body)
    });
    block![alterations.collect::<Vec<_>>()]
}
