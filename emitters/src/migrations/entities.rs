//! The tables of the spec's entities.

use super::columns::{column_type, moment};
use super::foreign_key::{foreign_keys, index};
use super::table::{Table, constraint_name, table};
use crate::python::sqlalchemy::sa;
use crate::spec::database::TENANT;
use crate::spec::{Entity, Field, FieldKind, Spec, database};
use astgen_pyast::prelude::*;

/// Which rows of an entity with a `deleted_at` are not deleted.
pub const IS_THERE: &str = "deleted_at IS NULL";

/// The table of an entity.
#[must_use]
pub fn entity_table(entity: &Entity, spec: &Spec) -> Table {
    let mut tenant_table = table(entity.names.plural)
        .owner(TENANT, "organizations")
        .column("row_version", py!(sa.Integer()));
    if entity.soft_delete {
        tenant_table = tenant_table.optional_column("deleted_at", moment());
    }
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
    if field.unique && entity.soft_delete {
        let is_there = py!(sa.text(IS_THERE));
        table = table.named_index(
            constraint_name(database::index(&entity.names.table, &[TENANT, column])),
            &[TENANT, column],
            [kw("unique", true), kw("sqlite_where", &is_there), kw("postgresql_where", &is_there)],
        );
    } else if field.unique {
        table = table.unique(&[TENANT, column]);
    }
    match index(field) {
        Some(columns) => table.index(&columns),
        None => table,
    }
}
