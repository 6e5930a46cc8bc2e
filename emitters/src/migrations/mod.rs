//! `backend/migrations`

pub mod env;
pub mod initial;

mod columns;
mod entities;
mod fixed;
mod foreign_key;
mod sql;
mod table;

#[cfg(test)]
mod tests;
