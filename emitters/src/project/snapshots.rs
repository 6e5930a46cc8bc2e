//! Every Python file of three projects, as a reviewer reads it: `snapshots/<project>/<path>.snap`.

use crate::{Content, generate, spec};
use std::collections::{BTreeMap, BTreeSet};

/// Billing, guards, limits, row-level security.
const ACME: &str = include_str!("../../../examples/acme.toml");
/// Nothing but what every project has.
const MINIMAL: &str = include_str!("../../../examples/minimal.toml");
/// Every kind of field, and names that are hard on an emitter.
const WAREHOUSE: &str = include_str!("../../tests/data/every_field.toml");

/// The texts of a project's modules by their path, with dots for slashes.
fn modules(source: &str) -> BTreeMap<String, String> {
    let spec = spec::read(source, "astgen.toml").unwrap_or_else(|errors| panic!("{errors:?}"));
    let files = generate(&spec).into_iter();
    let python = files.filter(|file| matches!(file.content, Content::Python(_)));
    let texts = python.map(|file| {
        let path = file.path.strip_prefix("backend/").unwrap_or(&file.path).replace('/', ".");
        (path, file.text())
    });
    texts.filter(|(_, text)| !text.is_empty()).collect()
}

/// Compares each module with its snapshot.
#[track_caller]
fn check(project: &str, modules: &BTreeMap<String, String>) {
    insta::with_settings!({
        snapshot_path => format!("snapshots/{project}"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        for (path, text) in modules {
            insta::assert_snapshot!(path.as_str(), text);
        }
    });
}

#[test]
fn acme() {
    check("acme", &modules(ACME));
}

#[test]
fn what_is_different_in_minimal() {
    let acme = modules(ACME);
    let mut minimal = modules(MINIMAL);
    minimal.retain(|path, text| acme.get(path) != Some(text));
    check("minimal", &minimal);
}

#[test]
fn what_tracing_changes_in_acme() {
    let acme = modules(ACME);
    let traced = ACME.replace("[observability]\n", "[observability]\ntracing = true\n");
    let mut traced = modules(&traced);
    traced.retain(|path, text| acme.get(path) != Some(text));
    assert!(acme.values().all(|text| !text.contains("opentelemetry")));
    check("traced", &traced);
}

#[test]
fn the_entities_of_warehouse() {
    let acme = modules(ACME);
    let mut warehouse = modules(WAREHOUSE);
    warehouse.retain(|path, _| !acme.contains_key(path));
    check("warehouse", &warehouse);
}

/// Two modules of one path would overwrite each other.
#[test]
fn no_file_is_generated_twice() {
    for source in [ACME, MINIMAL, WAREHOUSE] {
        let spec = spec::read(source, "astgen.toml").expect("a good spec");
        let mut paths = BTreeSet::new();
        for file in generate(&spec) {
            assert!(paths.insert(file.path.clone()), "{} is generated twice", file.path);
        }
    }
}
