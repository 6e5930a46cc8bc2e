//! What indexes and constraints are called. Emitters name them so in models and migrations alike.

/// The most bytes of a name that PostgreSQL keeps.
pub const LONGEST_NAME: usize = 63;

/// The index of a column.
#[must_use]
pub fn index(table: &str, column: &str) -> String {
    format!("ix_{table}_{column}")
}

/// The constraint that a column has no value twice in an organization.
#[must_use]
pub fn unique(table: &str, column: &str) -> String {
    format!("uq_{table}_{column}")
}

/// The constraint that a column points at a row of the same organization.
#[must_use]
pub fn foreign_key(table: &str, column: &str) -> String {
    format!("fk_{table}_{column}")
}

/// The constraint on the values of a column.
#[must_use]
pub fn check(table: &str, column: &str) -> String {
    format!("ck_{table}_{column}")
}

/// The primary key.
#[must_use]
pub fn primary_key(table: &str) -> String {
    format!("pk_{table}")
}

/// The constraint on `(organization_id, id)` that foreign keys of the same organization point at.
#[must_use]
pub fn tenant_key(table: &str) -> String {
    format!("uq_{table}_tenant")
}
