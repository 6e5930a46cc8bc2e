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
