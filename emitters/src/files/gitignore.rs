//! `backend/.gitignore`: what tools and runs of the backend leave behind.

use crate::{Content, Generated};

/// What Git leaves alone.
const IGNORED: [&str; 10] = [
    ".env",
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
pub fn emit() -> Generated {
    let lines = IGNORED.map(|pattern| format!("{pattern}\n"));
    Generated { path: "backend/.gitignore".to_owned(), content: Content::Text(lines.concat()) }
}
