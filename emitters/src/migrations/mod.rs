//! `backend/migrations`

pub mod env;
pub mod initial;
pub mod revision;
pub mod schema;

pub(crate) mod backfill;
pub(crate) mod columns;
mod difference;
pub(crate) mod entities;
pub mod fixed;
pub(crate) mod foreign_key;
mod helpers;
pub(crate) mod sql;
pub mod table;

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

/// A name in `schema.json`.
mod name_as_text {
    use astgen_pyast::Name;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(name: &Name, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(name.as_str())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Name, D::Error> {
        Name::parse(&String::deserialize(deserializer)?).map_err(Error::custom)
    }
}
