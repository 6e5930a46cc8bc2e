//! A table, as the migrations make it: columns, constraints and indexes.

use super::backfill::Backfill;
use super::columns::{ColumnKind, moment, uuid};
use super::foreign_key::ForeignKey;
use super::helpers::keep_entries;
use crate::python::sqlalchemy::{op, sa};
use crate::spec::{OnDelete, database};
use astgen_pyast::prelude::*;
use serde::{Deserialize, Serialize};

/// A table and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Its name.
    #[serde(with = "super::name_as_text")]
    pub name: Name,
    /// Whether PostgreSQL shows only the rows of one organization.
    pub is_isolated: bool,
    /// Whether rows are only ever added.
    #[serde(default)]
    pub is_final: bool,
    /// The columns, in order.
    pub columns: Vec<Column>,
    /// The groups of columns that have no values twice, in order.
    pub unique: Vec<Vec<String>>,
    /// The foreign keys, in order.
    pub foreign_keys: Vec<ForeignKey>,
    /// The indexes, in order.
    pub indexes: Vec<Index>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type of its values.
    pub kind: ColumnKind,
    /// Whether it may be null.
    pub is_optional: bool,
    /// What rows that are there get when it is added.
    #[serde(skip)]
    pub backfill: Option<Backfill>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// The columns in it.
    pub columns: Vec<String>,
    /// The rows in it, of which no two have the same values; `None` for all rows and any values.
    pub unique_where: Option<String>,
}

/// A table with the columns that every table has.
#[must_use]
pub fn table(name: Name) -> Table {
    entries(name).column("updated_at", moment())
}

/// A table of rows that never change.
#[must_use]
pub fn entries(name: Name) -> Table {
    let table = Table {
        name,
        is_isolated: false,
        is_final: false,
        columns: Vec::new(),
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        indexes: Vec::new(),
    };
    table.column("id", uuid()).column("created_at", moment())
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
    pub fn column(self, name: &str, kind: ColumnKind) -> Table {
        self.any_column(name, kind, false)
    }

    /// A column that may be null.
    #[must_use]
    pub fn optional_column(self, name: &str, kind: ColumnKind) -> Table {
        self.any_column(name, kind, true)
    }

    /// A column, null or not.
    #[must_use]
    pub fn any_column(mut self, name: &str, kind: ColumnKind, is_optional: bool) -> Table {
        self.columns.push(Column { name: name.to_owned(), kind, is_optional, backfill: None });
        self
    }

    /// What rows that are there get in the column named last, when it is new to them.
    #[must_use]
    pub fn backfilled(mut self, backfill: Backfill) -> Table {
        if let Some(column) = self.columns.last_mut() {
            column.backfill = Some(backfill);
        }
        self
    }

    /// A column that points at a row, together with which this one is deleted.
    #[must_use]
    pub fn owner(self, column: &str, target: &str) -> Table {
        let key = ForeignKey::cascade(self.name, column, target);
        self.column(column, uuid()).foreign_key(&key)
    }

    /// A column that may point at a row, together with which this one is deleted.
    #[must_use]
    pub fn optional_owner(self, column: &str, target: &str) -> Table {
        let key = ForeignKey::cascade(self.name, column, target);
        self.optional_column(column, uuid()).foreign_key(&key)
    }

    /// A column that may point at a row, and points nowhere once that is deleted.
    #[must_use]
    pub fn pointer(self, column: &str, target: &str) -> Table {
        let key = ForeignKey {
            on_delete: Some(OnDelete::SetNull),
            ..ForeignKey::cascade(self.name, column, target)
        };
        self.optional_column(column, uuid()).foreign_key(&key)
    }

    /// A foreign key, whose columns are there.
    #[must_use]
    pub fn foreign_key(mut self, key: &ForeignKey) -> Table {
        self.foreign_keys.push(key.clone());
        self
    }

    /// Columns that have no values twice.
    #[must_use]
    pub fn unique(mut self, columns: &[&str]) -> Table {
        self.unique.push(owned(columns));
        self
    }

    /// An index of columns.
    #[must_use]
    pub fn index(mut self, columns: &[&str]) -> Table {
        let name = database::index(self.name.as_str(), columns);
        self.indexes.push(Index { name, columns: owned(columns), unique_where: None });
        self
    }

    /// An index that keeps columns from having values twice in the rows of a condition.
    #[must_use]
    pub fn unique_where(mut self, name: &str, columns: &[&str], rows: &str) -> Table {
        let unique_where = Some(rows.to_owned());
        self.indexes.push(Index { name: name.to_owned(), columns: owned(columns), unique_where });
        self
    }

    /// The function that creates it: `create_users`.
    #[must_use]
    pub fn function(&self) -> Name {
        let text = format!("create_{}", self.name);
        Name::parse(&text).unwrap_or_else(|_| unreachable!("`create_` before a name is a name"))
    }

    /// The foreign keys that are added when every table is there.
    pub fn deferred_keys(&self) -> impl Iterator<Item = &ForeignKey> {
        self.foreign_keys.iter().filter(|key| key.is_deferred)
    }

    /// The definition of the function that creates it.
    #[must_use]
    pub fn definition(&self) -> FunctionDef {
        let name = self.name.as_str();
        let columns = self.columns.iter().map(|column| arg(column.expr()));
        let primary_key = constraint_name(database::primary_key(name));
        let primary_key = arg(py!(sa.PrimaryKeyConstraint("id", name = primary_key)));
        let foreign_keys = self.foreign_keys.iter().filter(|key| !key.is_deferred);
        let foreign_keys = foreign_keys.map(|key| arg(key.constraint()));
        let unique = self.unique.iter().map(|columns| arg(self.unique_constraint(columns)));
        let arguments = columns.chain([primary_key]).chain(foreign_keys).chain(unique);
        let indexes = self.indexes.iter().map(|index| index.creation(name));
        def(self.function()).returns(none()).body(block![
            docstring(format!("Create the table `{name}`.")),
            do_(py!(op.create_table(name, ..arguments))),
            indexes.collect::<Vec<_>>(),
            self.is_final.then(|| do_(py!(keep_entries(name))))
        ])
    }

    /// What the constraint is called that columns have no values twice.
    #[must_use]
    pub fn unique_name(&self, columns: &[String]) -> Expr {
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        constraint_name(database::unique(self.name.as_str(), &columns))
    }

    fn unique_constraint(&self, columns: &[String]) -> Expr {
        let name = self.unique_name(columns);
        let columns = columns.iter().map(|column| arg(column.as_str()));
        py!(sa.UniqueConstraint(..columns, name = name))
    }
}

fn owned(columns: &[&str]) -> Vec<String> {
    columns.iter().copied().map(str::to_owned).collect()
}

impl Column {
    /// The column, inside of `op.create_table`.
    #[must_use]
    pub fn expr(&self) -> Expr {
        let (name, kind, is_optional) = (self.name.as_str(), self.kind.expr(), self.is_optional);
        py!(sa.Column(name, kind, nullable = is_optional))
    }

    /// Whether the database has the same column. What rows that are there get is no part of it.
    #[must_use]
    pub fn is_same(&self, other: &Column) -> bool {
        self.name == other.name && self.kind == other.kind && self.is_optional == other.is_optional
    }
}

impl Index {
    /// The statement that creates it.
    #[must_use]
    pub fn creation(&self, table: &str) -> Stmt {
        let name = constraint_name(self.name.clone());
        let columns = list(self.columns.iter().map(String::as_str));
        let rows = self.unique_where.as_deref().map(|rows| py!(sa.text(rows)));
        let options = rows.into_iter().flat_map(|rows| {
            [kw("unique", true), kw("sqlite_where", &rows), kw("postgresql_where", &rows)]
        });
        do_(py!(op.create_index(name, table, columns, ..options)))
    }

    /// The statement that drops it.
    #[must_use]
    pub fn removal(&self, table: &str) -> Stmt {
        let name = constraint_name(self.name.clone());
        do_(py!(op.drop_index(name, table_name = table)))
    }
}
