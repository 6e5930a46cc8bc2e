//! Foreign keys, made with their table or after it.

use super::table::constraint_name;
use crate::python::sqlalchemy::sa;
use crate::spec::database::{self, TENANT};
use crate::spec::{Entity, Field, FieldKind, OnDelete, Reference};
use astgen_pyast::prelude::*;

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The table that has it.
    pub table: Name,
    /// The columns in it.
    pub columns: Vec<&'static str>,
    /// The table that they point at.
    pub target: &'static str,
    /// The columns there.
    pub target_columns: Vec<&'static str>,
    /// What happens when the row there is deleted; `None` refuses it.
    pub on_delete: Option<&'static str>,
    /// Whether it is checked when the transaction ends.
    pub is_late: bool,
}

/// The foreign keys of a reference, by the tenant and by the key, so that no row can point at
/// one of another organization.
///
/// `set_null` needs two, because the database would set the tenant null too: one that sets the
/// reference null, and one that is checked when that is done.
#[must_use]
pub fn foreign_keys(entity: &Entity, field: &Field, reference: &Reference) -> Vec<ForeignKey> {
    let (table, column) = (entity.names.plural, field.column.as_str());
    let target = reference.to.plural.as_str();
    let tenant_key = ForeignKey {
        table,
        columns: vec![TENANT, column],
        target,
        target_columns: vec![TENANT, "id"],
        on_delete: None,
        is_late: false,
    };
    let on_delete = |action| ForeignKey { on_delete: Some(action), ..tenant_key.clone() };
    match reference.on_delete {
        OnDelete::Cascade => vec![on_delete("CASCADE")],
        // RESTRICT would also refuse when both rows go together, with their organization.
        OnDelete::Restrict => vec![tenant_key],
        OnDelete::SetNull => vec![
            ForeignKey {
                columns: vec![column],
                target_columns: vec!["id"],
                ..on_delete("SET NULL")
            },
            ForeignKey { is_late: true, ..tenant_key },
        ],
    }
}

/// The columns of the index that finds rows by a field, if there is one.
#[must_use]
pub fn index(field: &Field) -> Option<Vec<&'static str>> {
    let column = field.column.as_str();
    match &field.kind {
        // The database looks for what to set to null without knowing the organization.
        FieldKind::Reference(reference) if reference.on_delete == OnDelete::SetNull => {
            Some(vec![column])
        }
        // The unique constraint is an index too.
        _ if field.unique => None,
        FieldKind::Reference(_) => Some(vec![TENANT, column]),
        _ => field.index.then(|| vec![TENANT, column]),
    }
}

/// The foreign keys of an entity that are added when every table is there.
pub fn deferred_keys(entity: &Entity) -> impl Iterator<Item = ForeignKey> {
    entity.fields.iter().flat_map(|field| match &field.kind {
        FieldKind::Reference(reference) if reference.is_deferred => {
            foreign_keys(entity, field, reference)
        }
        _ => Vec::new(),
    })
}

impl ForeignKey {
    /// A column that points at a row, together with which this one is deleted.
    #[must_use]
    pub fn cascade(table: Name, column: &'static str, target: &'static str) -> ForeignKey {
        ForeignKey {
            table,
            columns: vec![column],
            target,
            target_columns: vec!["id"],
            on_delete: Some("CASCADE"),
            is_late: false,
        }
    }

    /// Its name: `fk_tasks_organization_id_project_id`.
    #[must_use]
    pub fn name(&self) -> Expr {
        constraint_name(database::foreign_key(self.table.as_str(), &self.columns))
    }

    /// The constraint, inside of `op.create_table`.
    #[must_use]
    pub fn constraint(&self) -> Expr {
        let (name, columns, options) = (self.name(), list(self.columns.clone()), self.options());
        let target = self.target_columns.iter().map(|column| format!("{}.{column}", self.target));
        let target = list(target);
        py!(sa.ForeignKeyConstraint(columns, target, name = name, ..options))
    }

    /// The statement that adds it to its table, which `batch` alters.
    #[must_use]
    pub fn addition(&self, batch: Name) -> Stmt {
        let (name, target, options) = (self.name(), self.target, self.options());
        let (columns, target_columns) =
            (list(self.columns.clone()), list(self.target_columns.clone()));
        do_(py!(batch.create_foreign_key(name, target, columns, target_columns, ..options)))
    }

    /// The statement that drops it from its table, which `batch` alters.
    #[must_use]
    pub fn removal(&self, batch: Name) -> Stmt {
        let name = self.name();
        do_(py!(batch.drop_constraint(name, type_ = "foreignkey")))
    }

    /// What it says beside the columns.
    #[must_use]
    pub fn options(&self) -> Vec<Arg> {
        let on_delete = self.on_delete.map(|action| kw("ondelete", action));
        let late = [kw("deferrable", true), kw("initially", "DEFERRED")];
        on_delete.into_iter().chain(late.into_iter().filter(|_| self.is_late)).collect()
    }
}
