//! `backend/migrations`

pub mod env;
pub mod initial;

pub(crate) mod columns;
pub(crate) mod entities;
mod fixed;
pub(crate) mod foreign_key;
pub(crate) mod sql;
mod table;

#[cfg(test)]
mod tests;

/// Whether a generated file is a migration: it may have run on a database, so that once it is there it is never
/// changed again.
///
/// ```
/// assert!(astgen_emitters::is_revision("backend/migrations/versions/0001_initial.py"));
/// assert!(!astgen_emitters::is_revision("backend/migrations/env.py"));
/// ```
#[must_use]
pub fn is_revision(path: &str) -> bool {
    path.starts_with("backend/migrations/versions/")
}
