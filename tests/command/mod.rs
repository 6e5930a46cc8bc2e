//! Running the binary in temporary folders.
#![allow(
    dead_code,
    reason = "every test target compiles this module for itself, and uses its part"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub const MINIMAL: &str = include_str!("../../examples/minimal.toml");

pub fn astgen(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astgen"));
    command.current_dir(folder).args(args).env("NO_COLOR", "1").output().expect("astgen runs")
}

pub fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything below a folder, with the contents of the files.
pub fn tree(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name();
    let entries = entries.into_iter().map(|entry| entry.expect("readable"));
    entries
        .map(|entry| {
            let content =
                entry.file_type().is_file().then(|| fs::read(entry.path()).expect("readable"));
            (entry.path().strip_prefix(folder).expect("below").to_owned(), content)
        })
        .collect()
}

/// The command ends with exit code 2, says `what`, and leaves the folder as it was.
#[track_caller]
pub fn check_refused(folder: &Path, args: &[&str], what: &str) {
    let before = tree(folder);
    let output = astgen(folder, args);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains(what), "{err}");
    assert_eq!(tree(folder), before);
}

pub fn with_spec(spec: &str) -> TempDir {
    let folder = folder();
    fs::write(folder.path().join("astgen.toml"), spec).expect("writable");
    folder
}
