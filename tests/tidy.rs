//! The invariants of the source that no compiler holds.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let files = walkdir::WalkDir::new(root().join(folder)).into_iter().filter_map(Result::ok);
    let files = files.filter(|entry| entry.path().extension().is_some_and(|kind| kind == "rs"));
    let files: Vec<_> = files
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).expect("source is readable");
            (entry.path().strip_prefix(root()).expect("below the root").to_owned(), text)
        })
        .collect();
    assert!(!files.is_empty(), "no Rust file below {folder}");
    files
}

/// Every place where `pattern` stands in a file that `allowed` does not excuse.
#[track_caller]
fn check_nowhere(folders: &[&str], pattern: &str, allowed: &[&str]) {
    let mut found = Vec::new();
    for (path, text) in folders.iter().flat_map(|folder| rust_files(folder)) {
        if allowed.iter().any(|allowed| path == Path::new(allowed)) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if !line.trim_start().starts_with("//") && line.contains(pattern) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "`{pattern}` stands in\n{}", found.join("\n"));
}

#[test]
fn two_modules_write_files() {
    // A new project and single files; and what is below the folder of a project that is there.
    let writers = ["src/project.rs", "src/disk.rs"];
    for pattern in [
        "fs::write",
        "File::create",
        "OpenOptions",
        "fs::rename",
        "fs::remove",
        "create_dir",
        "cap_std",
    ] {
        check_nowhere(&["src", "emitters/src", "pyast/src"], pattern, &writers);
    }
}

#[test]
fn emitters_and_the_language_touch_no_file_and_no_environment() {
    for pattern in ["std::fs", "std::env", "std::process", "std::net", "SystemTime", "Instant::"] {
        check_nowhere(&["emitters/src", "pyast/src"], pattern, &[]);
    }
}

#[test]
fn only_main_knows_exit_codes() {
    for pattern in ["ExitCode", "process::exit"] {
        check_nowhere(&["src", "emitters/src", "pyast/src"], pattern, &["src/main.rs"]);
    }
}

#[test]
fn the_layout_engine_knows_no_python() {
    let (_, layout) = rust_files("pyast/src")
        .into_iter()
        .find(|(path, _)| path == Path::new("pyast/src/layout.rs"))
        .expect("the layout engine is there");
    assert!(!layout.contains("rustpython"), "layout.rs names the syntax tree");
}

#[test]
fn nothing_is_left_for_later() {
    for pattern in ["todo!(", "unimplemented!(", "#[ignore", "dbg!("] {
        check_nowhere(&["src", "emitters/src", "pyast"], pattern, &[]);
    }
}

/// Python code in a Rust string is a defect: code is built as a tree.
#[test]
fn no_python_code_in_rust_strings() {
    let mut found = Vec::new();
    for (path, text) in rust_files("emitters/src") {
        // Tests and documentation show the Python that a tree prints.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            if !code.starts_with("//") && strings(code).any(|string| is_python_code(&string)) {
                found.push(format!("{}:{}: {code}", path.display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "Python code in strings:\n{}", found.join("\n"));
}

/// `format!` makes texts for people and names for `Name::parse`; it never makes code, and no string that was
/// made by it is handed to the parser.
#[test]
fn emitters_never_parse_python() {
    for pattern in ["parse_module", "rustpython_parser", "include_str!(\"../../templates"] {
        check_nowhere(&["emitters/src"], pattern, &[]);
    }
}

/// Every public function of the language is shown by an example, which `cargo test` runs.
#[test]
fn every_function_of_the_language_has_an_example() {
    let public = ["annotation", "equal", "make", "module", "name", "parse", "precedence", "walk"];
    let mut functions = 0;
    let mut without = Vec::new();
    for (path, text) in rust_files("pyast/src") {
        let module = path.iter().nth(2).and_then(|part| part.to_str()).unwrap_or_default();
        if !public.contains(&module.trim_end_matches(".rs")) {
            continue;
        }
        let mut has_example = false;
        for (number, line) in text.lines().map(str::trim).enumerate() {
            if line.starts_with("///") {
                has_example |= line.contains("```");
            } else if !line.starts_with("#[") {
                if line.starts_with("pub fn ") || line.starts_with("pub const fn ") {
                    functions += 1;
                    if !has_example {
                        without.push(format!("{}:{}: {line}", path.display(), number + 1));
                    }
                }
                has_example = false;
            }
        }
    }
    assert!(functions > 80, "only {functions} functions were found");
    assert!(without.is_empty(), "no example stands above\n{}", without.join("\n"));
}

/// A file that is no longer generated leaves its snapshot behind.
#[test]
fn every_snapshot_shows_a_file_that_is_generated() {
    let projects = [
        ("acme", include_str!("../examples/acme.toml")),
        ("minimal", include_str!("../examples/minimal.toml")),
        ("warehouse", include_str!("../emitters/tests/data/every_field.toml")),
    ];
    for (project, source) in projects {
        let spec = astgen_emitters::spec::read(source, "astgen.toml").expect("a good spec");
        let files = astgen_emitters::generate(&spec).into_iter().map(|file| {
            let path = file.path.trim_start_matches("backend/").replace('/', ".");
            format!("{path}.snap")
        });
        let files: std::collections::BTreeSet<String> = files.collect();
        let folder = root().join("emitters/src/project/snapshots").join(project);
        for entry in fs::read_dir(&folder).expect("the snapshots of a project") {
            let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
            let is_generated = files.contains(name.trim_end_matches(".new"));
            assert!(is_generated, "{}/{name} shows a file that is no more", folder.display());
        }
    }
}

fn strings(line: &str) -> impl Iterator<Item = String> {
    let mut strings = Vec::new();
    let mut current: Option<String> = None;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        match (&mut current, char) {
            (Some(string), '\\') => string.extend(chars.next()),
            (Some(_), '"') => strings.extend(current.take()),
            (Some(string), char) => string.push(char),
            (None, '"') => current = Some(String::new()),
            (None, _) => (),
        }
    }
    strings.into_iter()
}

fn is_python_code(string: &str) -> bool {
    let string = string.trim_start();
    let starts = [
        "def ",
        "async def ",
        "import ",
        "from __future__",
        "elif ",
        "return ",
        "await ",
        "@router",
    ];
    let is_import_from = string.starts_with("from ") && string.contains(" import ");
    let is_class = string.starts_with("class ") && string.ends_with(':');
    is_import_from
        || is_class
        || starts.iter().any(|start| string.starts_with(start)) && string.contains('(')
}

#[test]
fn the_test_for_python_code_finds_it() {
    for code in ["def f(x):", "    await run(x)", "from app import main", "class User(Base):"] {
        assert!(is_python_code(code), "{code}");
    }
    for text in ["Return the user.", "import failed", "users", "from the plan"] {
        assert!(!is_python_code(text), "{text}");
    }
}

/// rustfmt says nothing when it gives up on a statement, and leaves it on one line.
#[test]
fn rustfmt_has_laid_out_every_emitter() {
    const WIDEST: usize = 140;
    let is_code = |line: &&str| !line.trim_start().starts_with("//") && !line.contains('#');
    for folder in ["api", "core", "files", "models", "schemas", "services", "tests"] {
        for (path, text) in rust_files(&format!("emitters/src/{folder}")) {
            let wide = text.lines().filter(is_code).find(|line| line.chars().count() > WIDEST);
            assert!(wide.is_none(), "{}: {}", path.display(), wide.unwrap_or_default());
        }
    }
}
