//! `astgen audit` from outside, on a project that people edited.

mod command;

use command::{astgen, check_refused, folder, text};
use std::fs;
use std::path::Path;

const ACME: &str = include_str!("../examples/acme.toml");
const GUARD: &str = "        Depends(require_feature(Feature.REPORTS)),\n";

/// A folder with the example, built to `p`.
fn acme() -> tempfile::TempDir {
    let folder = folder();
    fs::write(folder.path().join("astgen.toml"), ACME).expect("writable");
    let built = astgen(folder.path(), &["build", "--out", "p"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    folder
}

fn edit(folder: &Path, path: &str, from: &str, to: &str) {
    let path = folder.join("p/backend/app").join(path);
    let old = fs::read_to_string(&path).expect("readable");
    let new = old.replacen(from, to, 1);
    assert_ne!(new, old, "{from:?} is there");
    fs::write(path, new).expect("writable");
}

/// The exit code of an audit, and what it says.
fn audit(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let output = astgen(folder, &[&["audit"], args].concat());
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn a_project_as_it_was_built_is_guarded() {
    let folder = acme();
    let (code, said) = audit(folder.path(), &["p"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(" 0 not, 0 gone; 0 were added"), "{said}");
}

#[test]
fn a_guard_that_was_removed_is_named_with_its_place() {
    let folder = acme();
    edit(folder.path(), "api/reports.py", GUARD, "");
    let (code, said) = audit(folder.path(), &["p"]);
    assert_eq!(code, Some(1), "{said}");
    let line = said.lines().find(|line| line.contains("lost")).expect("a line on the guard");
    assert!(line.starts_with("app/api/reports.py:"), "{line}");
    assert!(line.ends_with("lost require_feature(Feature.REPORTS)"), "{line}");

    let (code, said) = audit(folder.path(), &["p", "--json"]);
    assert_eq!(code, Some(1));
    let report: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    let routes = report["generated"].as_array().expect("the routes");
    let lost: Vec<_> =
        routes.iter().filter(|route| route["missing"] != serde_json::json!([])).collect();
    assert_eq!(lost.len(), 1, "{lost:?}");
    assert_eq!(lost[0]["place"]["path"], "app/api/reports.py");
}

#[test]
fn what_was_generated_last_is_the_measure_without_a_spec() {
    let folder = acme();
    fs::remove_file(folder.path().join("astgen.toml")).expect("removable");
    let _ = fs::remove_file(folder.path().join("p/astgen.toml"));
    assert_eq!(audit(folder.path(), &["p"]).0, Some(0));
    edit(folder.path(), "api/reports.py", GUARD, "");
    assert_eq!(audit(folder.path(), &["p"]).0, Some(1));
    fs::remove_dir_all(folder.path().join("p/.astgen")).expect("removable");
    check_refused(folder.path(), &["audit", "p"], "neither a spec nor the record");
    check_refused(folder.path(), &["audit", "nowhere"], "nowhere");
}

#[test]
fn a_route_that_moved_with_its_guards_is_found() {
    let folder = acme();
    let api = folder.path().join("p/backend/app/api");
    fs::create_dir(api.join("insight")).expect("a folder");
    fs::rename(api.join("reports.py"), api.join("insight/figures.py")).expect("movable");
    edit(
        folder.path(),
        "api/insight/figures.py",
        "async def list_reports(",
        "async def all_figures(",
    );
    let (code, said) = audit(folder.path(), &["p"]);
    assert_eq!(code, Some(0), "{said}");
    edit(folder.path(), "api/insight/figures.py", GUARD, "");
    let (code, said) = audit(folder.path(), &["p"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("app/api/insight/figures.py:"), "{said}");
}

#[test]
fn virtual_environments_are_not_read() {
    let folder = acme();
    let environment = folder.path().join("p/backend/.venv/lib");
    fs::create_dir_all(&environment).expect("a folder");
    fs::write(environment.join("broken.py"), "def (:\n").expect("writable");
    assert_eq!(audit(folder.path(), &["p"]).0, Some(0));
    fs::write(folder.path().join("p/backend/app/broken.py"), "def (:\n").expect("writable");
    let (code, said) = audit(folder.path(), &["p"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("app/broken.py: cannot be read"), "{said}");
}
