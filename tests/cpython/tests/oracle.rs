//! What CPython reads from a printed tree is that tree.

use astgen_cpython::{Interpreter, dump_constructed, dump_source, interpreter, module};
use astgen_pyast::ast::Stmt;
use astgen_pyast::{arbitrary, on_large_stack, parse_module, print};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::path::Path;

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
    prop_assert_eq!(without_empty_texts(&read), without_empty_texts(&meant), "{}", text);
    Ok(())
}

/// The first releases of CPython 3.12 end a format specification that holds a replacement field with an empty
/// text of its own making.
fn without_empty_texts(dump: &str) -> String {
    dump.replace(", Constant(value='')", "")
}

#[test]
fn cpython_reads_what_was_printed() {
    on_large_stack(
        || proptest!(config(500), |(body in arbitrary::module())| cpython_reads_the_same(&body)?),
    );
}

/// A part of the standard library that no test suite of Python excludes: each module, printed from the tree
/// that rustpython-parser reads, is to CPython what its own source is.
#[test]
fn the_standard_library_keeps_its_meaning() {
    let folder = Path::new(&interpreter().expect("Python runs").prefix).join(standard_library());
    let mut checked = 0;
    let mut different = Vec::new();
    for name in MODULES {
        let source =
            std::fs::read_to_string(folder.join(name)).expect("the standard library is there");
        let printed = on_large_stack(|| parse_module(&source).map(|tree| print(&tree)));
        let printed = printed.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (before, after) = (dump_source(&source), dump_source(&printed));
        if before.expect("CPython reads its own library")
            != after.expect("CPython reads printed text")
        {
            different.push(name);
        }
        checked += 1;
    }
    assert_eq!(different, Vec::<&str>::new());
    assert_eq!(checked, MODULES.len());
}

fn standard_library() -> String {
    let (major, minor) = interpreter().expect("Python runs").version;
    format!("lib/python{major}.{minor}")
}

const MODULES: [&str; 14] = [
    "argparse.py",
    "ast.py",
    "asyncio/base_events.py",
    "collections/__init__.py",
    "configparser.py",
    "dataclasses.py",
    "datetime.py",
    "email/message.py",
    "enum.py",
    "inspect.py",
    "pathlib.py",
    "tarfile.py",
    "typing.py",
    "unittest/mock.py",
];
