//! `backend/migrations/versions/0001_initial.py`: the first tables.

use super::entities::entity_table;
use super::fixed::fixed_tables;
use super::foreign_key::{ForeignKey, deferred_keys};
use super::sql::identifier;
use super::table::Table;
use crate::python::builtins::str;
use crate::python::sqlalchemy::op;
use crate::spec::{Entity, Spec};
use astgen_pyast::prelude::*;

/// The tables whose rows belong to an organization.
const TENANT_TABLES: Name = name("TENANT_TABLES");

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(revision, down_revision, branch_labels, depends_on);
    let (tables, is_isolated) = (tables(spec), is_isolated(spec));
    let deferred: Vec<Vec<ForeignKey>> = spec
        .in_creation_order()
        .map(|entity| deferred_keys(entity).collect::<Vec<_>>())
        .filter(|keys| !keys.is_empty())
        .collect();
    let tenants = spec.in_creation_order().map(|entity| identifier(&entity.names.table));
    let tenants = tuple(tenants);
    let functions = tables.iter().map(|(function, table)| table.clone().definition(*function));

    module("migrations.versions.0001_initial").docstring("The first tables.").body(block![
        assign(revision, "0001"),
        assign(down_revision, none()),
        assign(branch_labels, none()),
        assign(depends_on, none()),
        is_isolated.then(|| assign(TENANT_TABLES, tenants).paragraph()),
        upgrade_def(&tables, &deferred, is_isolated),
        downgrade_def(&tables, &deferred),
        functions.collect::<Vec<_>>(),
        (!deferred.is_empty()).then(|| [add_def(&deferred), drop_def(&deferred)]),
        is_isolated.then(isolate_tenants_def)
    ])
}

/// Whether PostgreSQL keeps the rows of organizations apart, and has any.
fn is_isolated(spec: &Spec) -> bool {
    spec.tenancy.row_level_security && !spec.entities.is_empty()
}

/// Every table and the function that creates it, in the order of creation.
fn tables(spec: &Spec) -> Vec<(Name, Table)> {
    let entities = spec.in_creation_order();
    let entities = entities.map(|entity| (create_name(entity), entity_table(entity, spec)));
    fixed_tables(spec).into_iter().chain(entities).collect()
}

fn create_name(entity: &Entity) -> Name {
    let text = format!("create_{}", entity.names.plural);
    Name::parse(&text).unwrap_or_else(|_| unreachable!("`create_` before a name is a name"))
}

fn upgrade_def(
    tables: &[(Name, Table)],
    deferred: &[Vec<ForeignKey>],
    is_isolated: bool,
) -> FunctionDef {
    names!(add_foreign_keys, isolate_tenants, table, upgrade);
    let create = tables.iter().map(|(function, _)| do_(py!(function())));
    def(upgrade).returns(none()).body(block![
        docstring(match is_isolated {
            true => "Create every table; on PostgreSQL, wall the tenants off from each other.",
            false => "Create every table.",
        }),
        create.collect::<Vec<_>>(),
        (!deferred.is_empty()).then(|| do_(py!(add_foreign_keys()))),
        is_isolated.then(|| if_(
            py!(op.get_bind().dialect.name == "postgresql"),
            for_(table, TENANT_TABLES, [do_(py!(isolate_tenants(table)))])
        ))
    ])
}

fn downgrade_def(tables: &[(Name, Table)], deferred: &[Vec<ForeignKey>]) -> FunctionDef {
    names!(downgrade, drop_foreign_keys);
    let drop = tables.iter().rev().map(|(_, table)| {
        let table = table.name.as_str();
        do_(py!(op.drop_table(table)))
    });
    def(downgrade).returns(none()).body(block![
        docstring("Drop every table."),
        (!deferred.is_empty()).then(|| do_(py!(drop_foreign_keys()))),
        drop.collect::<Vec<_>>()
    ])
}

fn add_def(deferred: &[Vec<ForeignKey>]) -> FunctionDef {
    names!(add_foreign_keys);
    def(add_foreign_keys).returns(none()).body(block![
        docstring("Add the foreign keys of tables that point at each other."),
        alterations(deferred, ForeignKey::addition)
    ])
}

fn drop_def(deferred: &[Vec<ForeignKey>]) -> FunctionDef {
    names!(drop_foreign_keys);
    def(drop_foreign_keys).returns(none()).body(block![
        docstring("Drop the foreign keys of tables that point at each other."),
        alterations(deferred, ForeignKey::removal)
    ])
}

/// One `with op.batch_alter_table(…)` a table, because SQLite has to copy it.
fn alterations(
    deferred: &[Vec<ForeignKey>],
    alteration: impl Fn(&ForeignKey, Name) -> Stmt,
) -> Vec<Stmt> {
    names!(batch);
    let tables = deferred.iter().flat_map(|keys| keys.first().map(|key| (key.table, keys)));
    let alterations = tables.map(|(table, keys)| {
        let table = table.as_str();
        let body: Vec<Stmt> = keys.iter().map(|key| alteration(key, batch)).collect();
        with_as(py!(op.batch_alter_table(table)), batch, body)
    });
    block![alterations.collect::<Vec<_>>()]
}

fn isolate_tenants_def() -> FunctionDef {
    names!(isolate_tenants, table, announced, rule);
    def(isolate_tenants).params([param(table, str)]).returns(none()).body(block![
        docstring("Show and take only rows of the tenant that the transaction has announced."),
        assign(announced, "nullif(current_setting('app.tenant_id', true), '')::uuid"),
        assign(rule, py!(f!("organization_id = {}", announced))),
        do_(py!(op.execute(f!("ALTER TABLE {} ENABLE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!("ALTER TABLE {} FORCE ROW LEVEL SECURITY", table)))),
        do_(py!(op.execute(f!(
            "CREATE POLICY tenant_isolation ON {} USING ({}) WITH CHECK ({})",
            table,
            rule,
            rule
        ))))
    ])
}
