//! A table of the first migration: columns, constraints and indexes.

use super::columns::{moment, uuid};
use super::foreign_key::ForeignKey;
use crate::python::sqlalchemy::{op, sa};
use crate::spec::database;
use astgen_pyast::prelude::*;

/// A table and what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: Name,
    /// The columns, in order.
    pub columns: Vec<Arg>,
    /// The constraints, in order.
    pub constraints: Vec<Arg>,
    /// The statements that create the indexes.
    pub indexes: Vec<Stmt>,
}

/// A table with the columns that every table has.
#[must_use]
pub fn table(name: Name) -> Table {
    let key = constraint_name(database::primary_key(name.as_str()));
    let table = Table {
        name,
        columns: Vec::new(),
        constraints: vec![arg(py!(sa.PrimaryKeyConstraint("id", name = key)))],
        indexes: Vec::new(),
    };
    table.column("id", uuid()).column("created_at", moment()).column("updated_at", moment())
}

/// A name as it stands in a migration. PostgreSQL cuts long names off; `op.f` has one cut off in the
/// way in which SQLAlchemy cuts those that the models' naming convention makes.
#[must_use]
pub fn constraint_name(name: String) -> Expr {
    if name.len() > database::LONGEST_NAME { py!(op.f(name)) } else { string(name) }
}

impl Table {
    /// A column that always has a value.
    #[must_use]
    pub fn column(self, name: &str, kind: Expr) -> Table {
        self.any_column(name, kind, false)
    }

    /// A column that may be null.
    #[must_use]
    pub fn optional_column(self, name: &str, kind: Expr) -> Table {
        self.any_column(name, kind, true)
    }

    /// A column, null or not.
    #[must_use]
    pub fn any_column(mut self, name: &str, kind: Expr, is_optional: bool) -> Table {
        self.columns.push(arg(py!(sa.Column(name, kind, nullable = is_optional))));
        self
    }

    /// A column that points at a row, together with which this one is deleted.
    #[must_use]
    pub fn owner(self, column: &'static str, target: &'static str) -> Table {
        let key = ForeignKey::cascade(self.name, column, target);
        self.column(column, uuid()).foreign_key(&key)
    }

    /// A column that may point at a row, together with which this one is deleted.
    #[must_use]
    pub fn optional_owner(self, column: &'static str, target: &'static str) -> Table {
        let key = ForeignKey::cascade(self.name, column, target);
        self.optional_column(column, uuid()).foreign_key(&key)
    }

    /// A column that may point at a row, and points nowhere once that is deleted.
    #[must_use]
    pub fn pointer(self, column: &'static str, target: &'static str) -> Table {
        let key = ForeignKey {
            on_delete: Some("SET NULL"),
            ..ForeignKey::cascade(self.name, column, target)
        };
        self.optional_column(column, uuid()).foreign_key(&key)
    }

    /// A foreign key, whose columns are there.
    #[must_use]
    pub fn foreign_key(mut self, key: &ForeignKey) -> Table {
        self.constraints.push(arg(key.constraint()));
        self
    }

    /// Columns that have no values twice.
    #[must_use]
    pub fn unique(mut self, columns: &[&str]) -> Table {
        let name = constraint_name(database::unique(self.name.as_str(), columns));
        let columns = columns.iter().map(|column| arg(*column));
        self.constraints.push(arg(py!(sa.UniqueConstraint(..columns, name = name))));
        self
    }

    /// An index of columns.
    #[must_use]
    pub fn index(self, columns: &[&str]) -> Table {
        let name = constraint_name(database::index(self.name.as_str(), columns));
        self.named_index(name, columns, [])
    }

    /// An index with a name of its own and further arguments.
    #[must_use]
    pub fn named_index(
        mut self,
        name: Expr,
        columns: &[&str],
        options: impl IntoIterator<Item = Arg>,
    ) -> Table {
        let (table, columns) = (self.name.as_str(), list(columns.iter().copied()));
        self.indexes.push(do_(py!(op.create_index(name, table, columns, ..options))));
        self
    }

    /// The function that creates the table: `create_users`.
    #[must_use]
    pub fn definition(self, function: Name) -> FunctionDef {
        let (name, arguments) =
            (self.name.as_str(), self.columns.into_iter().chain(self.constraints));
        def(function).returns(none()).body(block![
            docstring(format!("Create the table `{name}`.")),
            do_(py!(op.create_table(name, ..arguments))),
            self.indexes
        ])
    }
}
