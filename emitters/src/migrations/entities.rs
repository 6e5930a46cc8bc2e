//! The tables of the spec's entities.

use super::backfill::Backfill;
use super::columns::{ColumnKind, column_type, moment};
use super::foreign_key::{foreign_keys, index};
use super::table::{Table, table};
use crate::relations::is_referenced;
use crate::spec::database::TENANT;
use crate::spec::{Entity, Field, FieldKind, Spec, database};

/// Which rows of an entity with a `deleted_at` are not deleted.
pub const IS_THERE: &str = "deleted_at IS NULL";

/// The table of an entity.
#[must_use]
pub fn entity_table(entity: &Entity, spec: &Spec) -> Table {
    let mut tenant_table = table(entity.names.plural)
        .owner(TENANT, "organizations")
        .column("row_version", ColumnKind::Integer);
    if entity.soft_delete {
        tenant_table = tenant_table.optional_column("deleted_at", moment());
    }
    if is_referenced(spec, &entity.names) {
        tenant_table = tenant_table.unique(&[TENANT, "id"]);
    }
    let indexed = tenant_table.index(&[TENANT, "created_at", "id"]);
    let table =
        entity.fields.iter().fold(indexed, |table, field| with_field(table, entity, field, spec));
    Table { is_isolated: spec.tenancy.row_level_security, ..table }
}

fn with_field(table: Table, entity: &Entity, field: &Field, spec: &Spec) -> Table {
    let column = field.column.as_str();
    let mut table = table.any_column(column, column_type(&field.kind, spec), field.optional);
    if let Some(backfill) = Backfill::of(field) {
        table = table.backfilled(backfill);
    }
    if let FieldKind::Reference(reference) = &field.kind {
        table = foreign_keys(entity, field, reference).iter().fold(table, Table::foreign_key);
    }
    if field.unique && entity.soft_delete {
        let name = database::index(&entity.names.table, &[TENANT, column]);
        table = table.unique_where(&name, &[TENANT, column], IS_THERE);
    } else if field.unique {
        table = table.unique(&[TENANT, column]);
    }
    match index(field) {
        Some(columns) => table.index(&columns),
        None => table,
    }
}
