//! The tables of the spec's entities.

use super::columns::column_type;
use super::foreign_key::{foreign_keys, index};
use super::table::{Table, table};
use crate::spec::database::TENANT;
use crate::spec::{Entity, Field, FieldKind, Spec};

/// The table of an entity.
#[must_use]
pub fn entity_table(entity: &Entity, spec: &Spec) -> Table {
    let mut tenant_table = table(entity.names.plural).owner(TENANT, "organizations");
    if is_referenced(entity, spec) {
        tenant_table = tenant_table.unique(&[TENANT, "id"]);
    }
    let indexed = tenant_table.index(&[TENANT, "created_at", "id"]);
    entity.fields.iter().fold(indexed, |table, field| with_field(table, entity, field, spec))
}

/// Whether any entity points at this one, itself included.
fn is_referenced(entity: &Entity, spec: &Spec) -> bool {
    spec.entities.iter().any(|other| other.references().contains(&&entity.names))
}

fn with_field(table: Table, entity: &Entity, field: &Field, spec: &Spec) -> Table {
    let column = field.column.as_str();
    let mut table = table.any_column(column, column_type(&field.kind, spec), field.optional);
    if let FieldKind::Reference(reference) = &field.kind
        && !reference.is_deferred
    {
        let keys = foreign_keys(entity, field, reference);
        table = keys.iter().fold(table, Table::foreign_key);
    }
    if field.unique {
        table = table.unique(&[TENANT, column]);
    }
    match index(field) {
        Some(columns) => table.index(&columns),
        None => table,
    }
}
