//! What becomes of the tables between two schemas.

use super::foreign_key::ForeignKey;
use super::schema::Schema;
use super::table::{Column, Index, Table};

/// What becomes of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference<'s> {
    /// The tables that go, in the order in which they can.
    pub dropped: Vec<&'s Table>,
    /// The tables that come, in the order in which they can.
    pub created: Vec<&'s Table>,
    /// The tables that stay and change.
    pub changed: Vec<Change<'s>>,
}

/// What becomes of a table that stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'s> {
    /// The table as it was.
    pub before: &'s Table,
    /// The table as it will be.
    pub after: &'s Table,
}

impl<'s> Difference<'s> {
    /// What makes one schema of another.
    #[must_use]
    pub fn between(before: &'s Schema, after: &'s Schema) -> Difference<'s> {
        let is_in = |schema: &Schema, table: &Table| schema.table(table.name).is_some();
        let kept = after.tables.iter().filter_map(|table| Some((before.table(table.name)?, table)));
        let changes = kept.map(|(before, after)| Change { before, after });
        Difference {
            dropped: before.tables.iter().rev().filter(|table| !is_in(after, table)).collect(),
            created: after.tables.iter().filter(|table| !is_in(before, table)).collect(),
            changed: changes.filter(Change::is_change).collect(),
        }
    }

    /// A phrase for each thing that becomes of the tables, the weightiest first.
    #[must_use]
    pub fn phrases(&self) -> Vec<String> {
        let dropped = self.dropped.iter().map(|table| format!("drop {}", table.name));
        let created = self.created.iter().map(|table| format!("create {}", table.name));
        let changed = self.changed.iter().flat_map(Change::phrases);
        dropped.chain(created).chain(changed).collect()
    }

    /// A sentence for each thing that is lost.
    #[must_use]
    pub fn losses(&self) -> Vec<String> {
        let tables = self.dropped.iter();
        let tables = tables.map(|table| format!("the table {} goes with all its rows", table.name));
        tables.chain(self.changed.iter().flat_map(Change::losses)).collect()
    }
}

impl<'s> Change<'s> {
    fn is_change(&self) -> bool {
        let has_new_columns = self.added_columns().next().is_some();
        has_new_columns
            || self.dropped_columns().next().is_some()
            || self.altered_columns().next().is_some()
            || self.has_new_constraints()
            || self.before.is_isolated != self.after.is_isolated
    }

    fn has_new_constraints(&self) -> bool {
        let (before, after) = (self.before, self.after);
        is_other(&before.unique, &after.unique)
            || is_other(&before.indexes, &after.indexes)
            || self.added_keys().next().is_some()
            || self.dropped_keys().next().is_some()
    }

    /// The columns that come.
    pub fn added_columns(&self) -> impl Iterator<Item = &'s Column> {
        let before = self.before;
        self.after.columns.iter().filter(move |column| find(before, &column.name).is_none())
    }

    /// The columns that go.
    pub fn dropped_columns(&self) -> impl Iterator<Item = &'s Column> {
        let after = self.after;
        self.before.columns.iter().filter(move |column| find(after, &column.name).is_none())
    }

    /// The columns that stay and change: as they were, and as they will be.
    pub fn altered_columns(&self) -> impl Iterator<Item = (&'s Column, &'s Column)> {
        let before = self.before;
        let pairs = self.after.columns.iter();
        let pairs = pairs.filter_map(move |column| Some((find(before, &column.name)?, column)));
        pairs.filter(|(before, after)| !before.is_same(after))
    }

    /// The foreign keys that come.
    pub fn added_keys(&self) -> impl Iterator<Item = &'s ForeignKey> {
        let before = self.before;
        let keys = self.after.foreign_keys.iter();
        keys.filter(move |key| !before.foreign_keys.iter().any(|it| it.is_same(key)))
    }

    /// The foreign keys that go.
    pub fn dropped_keys(&self) -> impl Iterator<Item = &'s ForeignKey> {
        let after = self.after;
        let keys = self.before.foreign_keys.iter();
        keys.filter(move |key| !after.foreign_keys.iter().any(|it| it.is_same(key)))
    }

    /// The groups of columns that have no values twice any more from now on.
    pub fn added_unique(&self) -> impl Iterator<Item = &'s Vec<String>> {
        let before = self.before;
        self.after.unique.iter().filter(move |columns| !before.unique.contains(columns))
    }

    /// The groups of columns that may have values twice from now on.
    pub fn dropped_unique(&self) -> impl Iterator<Item = &'s Vec<String>> {
        let after = self.after;
        self.before.unique.iter().filter(move |columns| !after.unique.contains(columns))
    }

    /// The indexes that come.
    pub fn added_indexes(&self) -> impl Iterator<Item = &'s Index> {
        let before = self.before;
        self.after.indexes.iter().filter(move |index| !before.indexes.contains(index))
    }

    /// The indexes that go.
    pub fn dropped_indexes(&self) -> impl Iterator<Item = &'s Index> {
        let after = self.after;
        self.before.indexes.iter().filter(move |index| !after.indexes.contains(index))
    }

    fn phrases(&self) -> Vec<String> {
        let table = self.after.name;
        let of = |verb: &str, column: &Column| format!("{verb} {table}.{}", column.name);
        let dropped = self.dropped_columns().map(|column| of("drop", column));
        let added = self.added_columns().map(|column| of("add", column));
        let altered = self.altered_columns().map(|(_, column)| of("alter", column));
        let mut phrases: Vec<String> = dropped.chain(added).chain(altered).collect();
        if self.has_new_constraints() && phrases.is_empty() {
            phrases.push(format!("constrain {table}"));
        }
        if self.before.is_isolated != self.after.is_isolated {
            phrases.push(format!(
                "{} {table}",
                if self.after.is_isolated { "isolate" } else { "open" }
            ));
        }
        phrases
    }

    fn losses(&self) -> Vec<String> {
        let table = self.after.name;
        let dropped = self.dropped_columns().map(|column| {
            format!("the column {table}.{} goes with all that is in it", column.name)
        });
        let narrowed =
            self.altered_columns().filter(|(one, other)| !one.kind.widens_to(other.kind));
        let narrowed = narrowed.map(|(one, other)| {
            let (name, from, to) = (&one.name, one.kind.sql(), other.kind.sql());
            format!("the column {table}.{name} is {from} and becomes {to}, which not every value may fit")
        });
        dropped.chain(narrowed).collect()
    }
}

/// Whether two lists have not the same elements, in whatever order.
fn is_other<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    one.len() != other.len() || one.iter().any(|it| !other.contains(it))
}

fn find<'t>(table: &'t Table, column: &str) -> Option<&'t Column> {
    table.columns.iter().find(|it| it.name == column)
}
