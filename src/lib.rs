//! The tool: it reads a spec, builds a project from it, and checks Python trees.
//!
//! `emitters` decides what a project holds, as a pure function of the spec; everything that touches the
//! disk or the terminal is here. Two modules write files: [`project`] a new project, and [`disk`] what is below the
//! folder of one that is there.
#![forbid(unsafe_code)]

pub mod alembic;
pub mod apply;
pub mod audit;
pub mod check;
pub mod definitions;
pub mod diff;
pub mod digest;
pub mod disk;
pub mod error;
pub mod journal;
pub mod merge;
pub mod outline;
mod path_text;
pub mod plan;
pub mod planning;
pub mod project;
pub mod project_path;
pub mod rebuild;
pub mod regions;
pub mod resolve;
pub mod spec_file;
pub mod state;
pub mod style;
pub mod summary;

pub use digest::Digest;
pub use error::Error;
pub use project_path::ProjectPath;

/// The configuration of property tests. Failing seeds are kept in one folder for all crates.
#[cfg(test)]
fn test_config() -> proptest::test_runner::Config {
    use proptest::test_runner::{Config, FileFailurePersistence};
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/tool.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        cases: test_cases(256),
        ..Config::default()
    }
}

/// How many cases a property is tried with: `usual`, or what `PROPTEST_CASES` asks for.
#[cfg(test)]
fn test_cases(usual: u32) -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|it| it.parse().ok()).unwrap_or(usual)
}
