//! What astgen generates: a pure function from a spec to files.
//!
//! The Rust code of a generated file is found by its name alone:
//! `backend/app/api/invitations.py` comes from `api/invitations.rs`.
#![forbid(unsafe_code)]

mod generated;
mod project;
pub mod spec;

pub mod api;
pub mod app_main;
pub mod billing_main;
pub mod core;
pub mod files;
pub mod manage;
pub mod migrations;
pub mod models;
pub mod packages;
pub mod probe;
pub mod schemas;
pub mod serve;
pub mod services;
pub mod tests;
pub mod tools;
pub mod worker;

pub mod entity_filters;
pub mod entity_names;
pub mod guards;
pub mod python;
pub mod relations;
pub mod wording;

pub use generated::{Content, Generated, Printed};
pub use migrations::is_revision;
pub use migrations::revision::{Revision, later_revision};
pub use migrations::schema::{SCHEMA, Schema};
pub use project::{generate, generate_printed, generate_with};

/// What generates: the version of this crate, and the digest of its source as build metadata. Two builds of
/// astgen with one of these generate the same.
///
/// ```
/// assert!(astgen_emitters::GENERATOR.starts_with(concat!(env!("CARGO_PKG_VERSION"), "+")));
/// ```
pub const GENERATOR: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("ASTGEN_SOURCE"));

/// The configuration of property tests. Failing seeds are kept in one folder for all crates.
#[cfg(test)]
fn test_config() -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, FileFailurePersistence};
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../proptest-regressions/emitters.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..Config::with_cases(256)
    }
}
