//! The command line from outside, in temporary folders.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const MINIMAL: &str = include_str!("../examples/minimal.toml");

fn astgen(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_astgen"));
    command.current_dir(folder).args(args).env("NO_COLOR", "1").output().expect("astgen runs")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Everything below a folder, with the contents of the files.
fn tree(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
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

/// The command ends with `code`, says `what`, and leaves the folder as it was.
#[track_caller]
fn check_refused(folder: &Path, args: &[&str], what: &str) {
    let before = tree(folder);
    let output = astgen(folder, args);
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains(what), "{err}");
    assert_eq!(tree(folder), before);
}

fn with_spec(spec: &str) -> TempDir {
    let folder = folder();
    fs::write(folder.path().join("astgen.toml"), spec).expect("writable");
    folder
}

#[test]
fn init_writes_a_spec_that_builds() {
    let folder = folder();
    assert!(astgen(folder.path(), &["init", "shop"]).status.success());
    let output = astgen(folder.path(), &["build", "shop/astgen.toml"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(folder.path().join("production_projects/shop/backend/app/main.py").exists());
    check_refused(folder.path(), &["init", "shop"], "cannot create");
}

#[test]
fn build_is_deterministic_and_idempotent() {
    let folder = with_spec(MINIMAL);
    assert!(astgen(folder.path(), &["build", "--out", "a"]).status.success());
    assert!(astgen(folder.path(), &["build", "--out", "deeper/b"]).status.success());
    let (a, b) = (tree(&folder.path().join("a")), tree(&folder.path().join("deeper/b")));
    assert_eq!(a, b);
    let again = astgen(folder.path(), &["build", "--out", "a"]);
    assert!(text(&again.stderr).contains("up to date"), "{}", text(&again.stderr));
    assert_eq!(tree(&folder.path().join("a")), a);
}

#[test]
fn build_holds_no_trace_of_the_machine() {
    let folder = with_spec(MINIMAL);
    assert!(astgen(folder.path(), &["build", "--out", "a"]).status.success());
    let place = folder.path().to_string_lossy().into_owned();
    for (path, content) in tree(&folder.path().join("a")) {
        let content = text(&content.unwrap_or_default());
        assert!(!content.contains(&place), "{} names {place}", path.display());
    }
}

#[test]
fn a_missing_spec_is_named() {
    check_refused(folder().path(), &["build"], "there is no spec at astgen.toml");
    check_refused(folder().path(), &["build", "."], "is a folder");
}

#[test]
fn a_spec_that_is_not_text_is_refused() {
    let folder = folder();
    fs::write(folder.path().join("astgen.toml"), b"[project]\nname = \"\xff\"").expect("writable");
    check_refused(folder.path(), &["build"], "is not UTF-8 text (byte 18)");
}

#[test]
fn every_error_of_a_spec_is_reported_at_once() {
    let folder =
        with_spec("[project]\nnme = \"x\"\n\n[entities.class]\nfields.a = { type = \"txt\" }\n");
    let err = text(&astgen(folder.path(), &["build"]).stderr);
    for part in ["astgen.toml:2:1", "nme", "class", "txt"] {
        assert!(err.contains(part), "{part} is not in\n{err}");
    }
    check_refused(folder.path(), &["build"], "did you mean");
}

#[test]
fn somebody_elses_folder_is_left_alone() {
    let folder = with_spec(MINIMAL);
    fs::create_dir(folder.path().join("theirs")).expect("writable");
    fs::write(folder.path().join("theirs/thesis.txt"), "years of work").expect("writable");
    check_refused(folder.path(), &["build", "--out", "theirs"], "thesis.txt");
    check_refused(folder.path(), &["build", "--out", "theirs/thesis.txt"], "is not a folder");
}

/// `/dev/full` refuses every write as a full disk does; `/proc` refuses every new file.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = with_spec(MINIMAL);
    check_refused(folder.path(), &["build", "--out", "/proc/astgen/project"], "cannot create");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut schema = Command::new(env!("CARGO_BIN_EXE_astgen"));
    let output = schema.arg("schema").stdout(full).output().expect("astgen runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn check_tells_its_own_faults_from_input_that_is_not_python() {
    let folder = folder();
    fs::write(folder.path().join("good.py"), "x = 1\n").expect("writable");
    fs::write(folder.path().join("windows.py"), "\u{feff}if x:\r\n    y = 'é'\r\n")
        .expect("writable");
    fs::write(folder.path().join("latin.py"), b"# coding: latin-1\nx = '\xe9'\n")
        .expect("writable");
    fs::write(folder.path().join("bytes.py"), b"x = '\xe9'\n").expect("writable");
    fs::write(folder.path().join("nul.py"), "x = 1\0\n").expect("writable");
    fs::write(folder.path().join("deep.py"), "(".repeat(100_000)).expect("writable");
    fs::write(folder.path().join("broken.py"), "def f(:\n").expect("writable");
    let output = astgen(folder.path(), &["check", ".", "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(output.status.code(), Some(0), "{report}");
    let refused = report["refused"].as_array().expect("a list");
    let refused: Vec<_> =
        refused.iter().map(|one| one["path"].as_str().unwrap_or_default()).collect();
    assert_eq!(refused, ["./broken.py", "./bytes.py", "./deep.py", "./nul.py"]);
    assert_eq!(report["files"], 7);
    assert_eq!(report["failures"].as_array().map(Vec::len), Some(0));
    check_refused(folder.path(), &["check", "nowhere"], "cannot open nowhere");
}

#[test]
fn the_rest_prints_what_it_says() {
    let folder = folder();
    let schemas = [
        (&["schema"][..], include_str!("../examples/astgen.schema.json")),
        (&["schema", "plan"], include_str!("../examples/plan.schema.json")),
    ];
    for (args, committed) in schemas {
        let schema = astgen(folder.path(), args);
        let committed: serde_json::Value = serde_json::from_str(committed).expect("JSON");
        let printed: serde_json::Value = serde_json::from_slice(&schema.stdout).expect("JSON");
        assert_eq!(printed, committed);
    }
    assert!(text(&astgen(folder.path(), &["man"]).stdout).contains(".TH astgen"));
    assert!(text(&astgen(folder.path(), &["completions", "bash"]).stdout).contains("_astgen"));
    assert!(text(&astgen(folder.path(), &["build", "--help"]).stdout).contains("astgen.toml"));
}
