//! `backend/.gitignore`: what tools and runs of the backend leave behind.

use crate::spec::Spec;
use crate::{Content, Generated};

/// What Git leaves alone.
const IGNORED: [&str; 11] = [
    ".env",
    ".hypothesis/",
    ".mypy_cache/",
    ".pytest_cache/",
    ".ruff_cache/",
    ".venv/",
    "*.db",
    "*.db-shm",
    "*.db-wal",
    "*.log*",
    "__pycache__/",
];

/// The file.
#[must_use]
pub fn emit(spec: &Spec) -> Generated {
    let stored = spec.storage.is_on().then_some("/files/");
    let lines = IGNORED.into_iter().chain(stored).map(|pattern| format!("{pattern}\n"));
    Generated { path: "backend/.gitignore".to_owned(), content: Content::Text(lines.collect()) }
}
