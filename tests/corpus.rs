//! The printer on every Python file at hand: the standard library of the interpreter, and the packages that
//! the emitted backend installs.

mod environment;

use astgen::check::{Finding, Report, check, python_files};
use astgen_pyast::{parse_module, print};
use environment::{programs, python, run};
use rayon::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What rustpython-parser refuses of the standard libraries of Python 3.11 to 3.14, beside files that no
/// parser is meant to read: the file, and why.
const REFUSED: &[(&str, &str)] = &[
    ("dataclasses.py", PEP_701),
    ("traceback.py", PEP_701),
    ("turtle.py", PEP_701),
    ("test/encoded_modules/module_koi8_r.py", "declares KOI8-R"),
    ("test/support/socket_helper.py", PEP_701),
    (
        "test/test_fstring.py",
        "nests quotes of the same kind, or has a backslash in a field (PEP 701)",
    ),
    ("test/test_pyrepl/test_reader.py", PEP_701),
    (
        "test/test_source_encoding.py",
        "holds bytes that are no UTF-8 in a string of another encoding",
    ),
];

const PEP_701: &str = "nests quotes of the same kind in an f-string (PEP 701)";

/// A folder that the interpreter knows by a name of `sysconfig`.
fn folder(python: impl AsRef<Path>, name: &str) -> PathBuf {
    let script = format!("import sysconfig; print(sysconfig.get_path({name:?}))");
    let path = run(Command::new(python.as_ref()).args(["-c", &script]));
    PathBuf::from(path.trim())
}

fn standard_library() -> PathBuf {
    folder(python(), "stdlib")
}

fn site_packages() -> PathBuf {
    folder(programs().join("python"), "purelib")
}

/// The files of the library itself, without what is installed beside it.
fn library_files(folder: &Path) -> Vec<PathBuf> {
    let files = python_files(&[folder.to_owned()]).expect("the folder is readable");
    files.into_iter().filter(|path| !path.starts_with(folder.join("site-packages"))).collect()
}

#[track_caller]
fn check_all(files: &[PathBuf]) -> Report {
    let report = check(files, &|| ()).expect("threads start");
    assert!(report.files > 500, "only {} files", report.files);
    assert_eq!(report.failures, [], "the printed text means something else");
    report
}

/// Whether CPython itself refuses a file: the library's tests have some that are broken on purpose.
fn is_broken(finding: &Finding) -> bool {
    let script = "import ast, sys; ast.parse(open(sys.argv[1], 'rb').read())";
    let mut command = Command::new(python());
    let output = command.args(["-c", script]).arg(&finding.path).output().expect("Python runs");
    !output.status.success()
}

#[test]
fn the_standard_library_keeps_its_trees() {
    let folder = standard_library();
    let report = check_all(&library_files(&folder));
    let mut unknown = Vec::new();
    for finding in &report.refused {
        let name = finding.path.strip_prefix(&folder).expect("below the folder");
        let is_known = REFUSED.iter().any(|(known, _)| Path::new(known) == name);
        if !is_known && !is_broken(finding) {
            unknown.push(format!("{}: {}", name.display(), finding.message));
        }
    }
    assert!(unknown.is_empty(), "refused without a reason:\n{}", unknown.join("\n"));
}

#[test]
fn the_packages_of_the_backend_keep_their_trees() {
    let report = check_all(&python_files(&[site_packages()]).expect("the folder is readable"));
    let unknown: Vec<_> = report.refused.iter().filter(|finding| !is_broken(finding)).collect();
    assert!(unknown.is_empty(), "refused without a reason: {unknown:#?}");
}

/// How many of a thousand printed files `ruff format` leaves alone, at the least.
const STABLE: usize = 999;

#[test]
fn ruff_format_leaves_what_is_printed_alone() {
    let mut files = library_files(&standard_library());
    files.extend(python_files(&[site_packages()]).expect("the folder is readable"));
    let printed = tempfile::tempdir().expect("a temporary folder");
    let pool = rayon::ThreadPoolBuilder::new().stack_size(512 << 20).build().expect("threads");
    let printed: Vec<PathBuf> = pool.install(|| {
        let files = files.par_iter().enumerate();
        files.filter_map(|(number, path)| reprint(path, printed.path(), number)).collect()
    });
    let changed = changed(&printed);
    let stable = 1000 * (printed.len() - changed.len()) / printed.len();
    println!("{} of {} files would change", changed.len(), printed.len());
    assert!(stable >= STABLE, "only {stable} of 1000 are stable");
}

/// The exit codes that the test rests on mean what it takes them for.
#[test]
fn ruff_format_finds_what_it_would_change() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files =
        ["x = 1\n", "x  = 1\n", "y = 2\n", "(\n"].iter().enumerate().map(|(number, text)| {
            let path = folder.path().join(format!("{number}.py"));
            fs::write(&path, text).expect("a temporary folder can be written");
            path
        });
    let files: Vec<PathBuf> = files.collect();
    assert_eq!(changed(&files), [&files[1], &files[3]]);
}

/// Prints a file anew, if it can be read.
fn reprint(path: &Path, folder: &Path, number: usize) -> Option<PathBuf> {
    let text = print(&parse_module(&fs::read_to_string(path).ok()?).ok()?);
    let copy = folder.join(format!("{number}.py"));
    fs::write(&copy, text).expect("a temporary folder can be written");
    Some(copy)
}

/// The files that `ruff format` would change, found by its exit code alone: in halves.
fn changed(files: &[PathBuf]) -> Vec<&PathBuf> {
    const AT_ONCE: usize = 256;
    files.chunks(AT_ONCE).flat_map(changed_of).collect()
}

fn changed_of(files: &[PathBuf]) -> Vec<&PathBuf> {
    let mut ruff = Command::new(programs().join("ruff"));
    ruff.args(["format", "--check", "--isolated", "--no-cache", "--quiet"]);
    ruff.args(["--line-length", "88", "--target-version", "py311"]).args(files);
    if ruff.output().expect("ruff runs").status.success() {
        return Vec::new();
    }
    match files {
        [file] => vec![file],
        files => {
            let (left, right) = files.split_at(files.len() / 2);
            [changed_of(left), changed_of(right)].concat()
        }
    }
}
