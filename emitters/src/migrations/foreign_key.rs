//! Foreign keys, made with their table or after it.

use super::table::constraint_name;
use crate::python::sqlalchemy::sa;
use crate::spec::database::{self, TENANT};
use crate::spec::{Entity, Field, FieldKind, OnDelete, Reference};
use astgen_pyast::prelude::*;
use serde::{Deserialize, Serialize};

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignKey {
    /// The table that has it.
    #[serde(with = "super::name_as_text")]
    pub table: Name,
    /// The columns in it.
    pub columns: Vec<String>,
    /// The table that they point at.
    pub target: String,
    /// The columns there.
    pub target_columns: Vec<String>,
    /// What happens when the row there is deleted; `None` refuses it.
    pub on_delete: Option<OnDelete>,
    /// Whether it is checked when the transaction ends.
    pub is_late: bool,
    /// Whether it is added when every table is there, because tables point at each other.
    pub is_deferred: bool,
}

/// The foreign keys of a reference, by the tenant and by the key, so that no row can point at
/// one of another organization.
///
/// `set_null` needs two, because the database would set the tenant null too: one that sets the
/// reference null, and one that is checked when that is done.
#[must_use]
pub fn foreign_keys(entity: &Entity, field: &Field, reference: &Reference) -> Vec<ForeignKey> {
    let (table, column) = (entity.names.plural, field.column.as_str());
    let tenant_key = ForeignKey {
        table,
        columns: vec![TENANT.to_owned(), column.to_owned()],
        target: reference.to.table.clone(),
        target_columns: vec![TENANT.to_owned(), "id".to_owned()],
        on_delete: None,
        is_late: false,
        is_deferred: reference.is_deferred,
    };
    let on_delete = |action| ForeignKey { on_delete: Some(action), ..tenant_key.clone() };
    match reference.on_delete {
        OnDelete::Cascade => vec![on_delete(OnDelete::Cascade)],
        // RESTRICT would also refuse when both rows go together, with their organization.
        OnDelete::Restrict => vec![tenant_key],
        OnDelete::SetNull => vec![
            ForeignKey {
                columns: vec![column.to_owned()],
                target_columns: vec!["id".to_owned()],
                ..on_delete(OnDelete::SetNull)
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

impl ForeignKey {
    /// A column that points at a row, together with which this one is deleted.
    #[must_use]
    pub fn cascade(table: Name, column: &str, target: &str) -> ForeignKey {
        ForeignKey {
            table,
            columns: vec![column.to_owned()],
            target: target.to_owned(),
            target_columns: vec!["id".to_owned()],
            on_delete: Some(OnDelete::Cascade),
            is_late: false,
            is_deferred: false,
        }
    }

    /// Its name: `fk_tasks_organization_id_project_id`.
    #[must_use]
    pub fn name(&self) -> Expr {
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        constraint_name(database::foreign_key(self.table.as_str(), &columns))
    }

    /// The constraint, inside of `op.create_table`.
    #[must_use]
    pub fn constraint(&self) -> Expr {
        let (name, columns, options) =
            (self.name(), list(self.columns.iter().map(String::as_str)), self.options());
        let target = self.target_columns.iter().map(|column| format!("{}.{column}", self.target));
        let target = list(target);
        py!(sa.ForeignKeyConstraint(columns, target, name = name, ..options))
    }

    /// The statement that adds it to its table, which `batch` alters.
    #[must_use]
    pub fn addition(&self, batch: Name) -> Stmt {
        let (name, target, options) = (self.name(), self.target.as_str(), self.options());
        let columns = list(self.columns.iter().map(String::as_str));
        let target_columns = list(self.target_columns.iter().map(String::as_str));
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
        let on_delete = self.on_delete.and_then(OnDelete::sql).map(|action| kw("ondelete", action));
        let late = [kw("deferrable", true), kw("initially", "DEFERRED")];
        on_delete.into_iter().chain(late.into_iter().filter(|_| self.is_late)).collect()
    }
}
