//! The command line from outside, in temporary folders.

mod command;

use command::{MINIMAL, astgen, check_refused, folder, text, tree, with_spec};

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
