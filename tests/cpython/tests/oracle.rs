//! What CPython reads from a printed tree is that tree.

use astgen_cpython::{Interpreter, dump_constructed, dump_source, interpreter, module};
use astgen_pyast::arbitrary::shapes::expressions_of_depth_two;
use astgen_pyast::ast::Stmt;
use astgen_pyast::{arbitrary, on_large_stack, parse_module, print};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::path::{Path, PathBuf};

fn config(cases: u32) -> ProptestConfig {
    let seeds =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../proptest-regressions/cpython-oracle.txt");
    ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        cases,
        ..ProptestConfig::default()
    }
}

/// The interpreter of this process is the one that this crate was built for: the wrong libpython is loaded
/// silently where the linker's path is missing.
#[test]
fn the_interpreter_is_the_one_that_was_linked() {
    let Interpreter { prefix, version } = interpreter().expect("Python runs");
    assert!(version >= (3, 12), "type parameters need Python 3.12, this is {version:?}");
    if let Ok(python) = std::env::var("PYO3_PYTHON") {
        let program = std::process::Command::new(python)
            .args(["-c", "import sys; print(sys.base_prefix)"])
            .output()
            .expect("the interpreter that was linked runs");
        let linked = String::from_utf8_lossy(&program.stdout);
        assert_eq!(Path::new(linked.trim()), Path::new(&prefix));
    }
}

fn cpython_reads_the_same(body: &[Stmt<()>]) -> Result<(), TestCaseError> {
    let text = print(body);
    let read =
        dump_source(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
    let meant =
        dump_constructed(&module(body)).map_err(|error| TestCaseError::fail(error.to_string()))?;
    prop_assert_eq!(read, meant, "{}", text);
    Ok(())
}

#[test]
fn cpython_reads_what_was_printed() {
    on_large_stack(
        || proptest!(config(500), |(body in arbitrary::module())| cpython_reads_the_same(&body)?),
    );
}

/// What CPython reads from a text, and from what is printed of its tree; `None` if rustpython-parser refuses
/// the text.
fn readings(source: &str) -> Option<[String; 2]> {
    let printed = on_large_stack(|| parse_module(source).map(|tree| print(&tree))).ok()?;
    let before = dump_source(source).expect("CPython reads what the parser accepts");
    let after = dump_source(&printed).unwrap_or_else(|error| panic!("{error}\n{printed}"));
    Some([before, after])
}

#[test]
fn every_expression_of_depth_two_keeps_its_meaning() {
    for source in expressions_of_depth_two() {
        let [before, after] = readings(&format!("a = {source}")).expect("the parser takes it");
        assert_eq!(before, after, "{source}");
    }
}

/// Each module of the standard library but its tests, printed from the tree that rustpython-parser reads, is to
/// CPython what its own source is.
#[test]
fn the_standard_library_keeps_its_meaning() {
    let folder = Path::new(&interpreter().expect("Python runs").prefix).join(standard_library());
    let (mut checked, mut different) = (0, Vec::new());
    for path in modules(&folder) {
        let name = path.strip_prefix(&folder).expect("below the folder").display().to_string();
        let Some(source) = std::fs::read_to_string(&path).ok() else { continue };
        let Some([before, after]) = readings(&source) else { continue };
        if before != after {
            different.push(name);
        }
        checked += 1;
    }
    assert_eq!(different, Vec::<String>::new());
    assert!(checked > 400, "only {checked} modules");
}

fn standard_library() -> String {
    let (major, minor) = interpreter().expect("Python runs").version;
    format!("lib/python{major}.{minor}")
}

fn modules(folder: &Path) -> Vec<PathBuf> {
    let is_left_out = |entry: &walkdir::DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.file_type().is_dir()
            && (["test", "tests", "idle_test", "site-packages", "lib2to3"].contains(&&*name)
                || name.starts_with("config-"))
    };
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let entries = entries.filter_entry(|entry| !is_left_out(entry)).filter_map(Result::ok);
    let paths = entries.map(walkdir::DirEntry::into_path);
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "py")).collect()
}
