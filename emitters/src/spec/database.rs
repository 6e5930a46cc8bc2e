//! What indexes and constraints are called: what the naming convention of the models' metadata makes of
//! them, so that migrations, which have to say it, say the same.

/// The column that says which organization a row belongs to.
pub const TENANT: &str = "organization_id";

/// The most bytes of a name that PostgreSQL keeps.
pub const LONGEST_NAME: usize = 63;

/// The index of some columns: `ix_tasks_organization_id_title`.
#[must_use]
pub fn index(table: &str, columns: &[&str]) -> String {
    named("ix", table, columns)
}

/// The constraint that some columns have no values twice.
#[must_use]
pub fn unique(table: &str, columns: &[&str]) -> String {
    named("uq", table, columns)
}

/// The constraint that some columns point at a row.
#[must_use]
pub fn foreign_key(table: &str, columns: &[&str]) -> String {
    named("fk", table, columns)
}

/// The primary key.
#[must_use]
pub fn primary_key(table: &str) -> String {
    format!("pk_{table}")
}

fn named(kind: &str, table: &str, columns: &[&str]) -> String {
    format!("{kind}_{table}_{}", columns.join("_"))
}
