//! The diagrams of the emitted READMEs, read by Mermaid itself: `cargo test --features spectral`.

mod environment;

use environment::{build, build_spec, root, run};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The major version that platforms draw with.
const PACKAGES: [&str; 2] = ["mermaid@11.17.2", "jsdom@29.1.1"];

/// The folder in which node finds Mermaid; it is made once for its versions and kept below the target folder.
fn mermaid() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let digest = astgen_pyast::region_digest(&PACKAGES.concat());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("mermaid-{digest}"));
        if !folder.join("complete").exists() {
            let _ = fs::remove_dir_all(&folder);
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join("package.json"), "{}").expect("a file");
            let mut npm = Command::new("npm");
            npm.current_dir(&folder).args([
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
            ]);
            run(npm.args(PACKAGES));
            fs::write(folder.join("complete"), "").expect("a file");
        }
        folder
    })
}

/// What Mermaid reads in the two READMEs of a project: the architecture and the entities.
#[track_caller]
fn read(backend: &Path) -> [Value; 2] {
    // Node looks for packages beside the script.
    let script = mermaid().join("read.mjs");
    fs::copy(root().join("tests/diagrams/read.mjs"), &script).expect("the script can be copied");
    [backend.with_file_name("README.md"), backend.join("README.md")].map(|readme| {
        let found = run(Command::new("node").arg(&script).arg(&readme));
        let found: Vec<Value> = serde_json::from_str(&found).expect("JSON");
        let [diagram] = <[Value; 1]>::try_from(found).expect("one diagram");
        diagram
    })
}

fn keys(object: &Value) -> Vec<&str> {
    object.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

#[test]
fn acme_is_drawn_with_everything() {
    let (_folder, backend) = build("acme");
    let [architecture, entities] = read(&backend);
    let nodes = [
        "api",
        "clients",
        "database",
        "endpoints",
        "files",
        "jobs",
        "middleware",
        "prometheus",
        "redis",
        "services",
        "smtp",
        "stripe",
    ];
    assert_eq!(keys(&architecture["nodes"]), nodes);
    assert_eq!(architecture["groups"], json!(["Acme Tracker"]));
    let links = architecture["links"].as_array().expect("links");
    for link in [json!(["stripe", "events", "middleware"]), json!(["services", "API", "stripe"])] {
        assert!(links.contains(&link), "{link}");
    }
    let task = [
        "uuid id PK",
        "uuid organization_id FK",
        "uuid project_id FK",
        "text title",
        "boolean done",
        "integer priority",
        "datetime due_at",
    ];
    assert_eq!(strings(&entities["entities"]["tasks"]), task);
    let relations = [
        "organizations ONLY_ONE organization_id, cascade ZERO_OR_MORE memberships",
        "users ONLY_ONE user_id, cascade ZERO_OR_MORE memberships",
        "organizations ONLY_ONE organization_id, cascade ZERO_OR_MORE files",
        "users ZERO_OR_ONE uploader_id, set null ZERO_OR_MORE files",
        "organizations ONLY_ONE organization_id, cascade ZERO_OR_MORE projects",
        "projects ONLY_ONE project_id, cascade ZERO_OR_MORE tasks",
        "tasks ONLY_ONE task_id, cascade ZERO_OR_MORE comments",
        "files ZERO_OR_ONE attachment_id, set null ZERO_OR_MORE comments",
        "organizations ONLY_ONE organization_id, cascade ZERO_OR_MORE reports",
        "files ZERO_OR_ONE document_id, restrict ZERO_OR_MORE reports",
    ];
    assert_eq!(strings(&entities["relations"]), relations);
}

#[test]
fn minimal_is_drawn_with_what_it_has() {
    let (_folder, backend) = build("minimal");
    let [architecture, entities] = read(&backend);
    let nodes = ["api", "clients", "database", "jobs", "middleware", "prometheus", "services"];
    assert_eq!(keys(&architecture["nodes"]), nodes);
    assert_eq!(keys(&entities["entities"]), ["memberships", "notes", "organizations", "users"]);
}

#[test]
fn every_kind_of_field_is_drawn() {
    let spec = root().join("emitters/tests/data/every_field.toml");
    let spec = fs::read_to_string(spec).expect("the spec can be read");
    let (_folder, backend) = build_spec(&spec);
    let [_, entities] = read(&backend);
    let items = strings(&entities["entities"]["stock_items"]);
    for kind in [
        "text", "integer", "decimal", "boolean", "date", "datetime", "enum", "json", "uuid",
        "email", "url", "money",
    ] {
        assert!(items.iter().any(|item| item.split(' ').next() == Some(kind)), "{kind}");
    }
    let relations = strings(&entities["relations"]);
    for relation in [
        "stock_items ZERO_OR_ONE best_item_id, set null ZERO_OR_MORE suppliers",
        "stock_items ZERO_OR_ONE next_item_id, restrict ZERO_OR_ONE suppliers",
        "categories ONLY_ONE category_id, restrict ZERO_OR_MORE stock_items",
        "values ZERO_OR_ONE replies_to_id, cascade ZERO_OR_MORE values",
    ] {
        assert!(relations.contains(&relation), "{relation}");
    }
}

/// What ends strings, and what Mermaid looks for everywhere.
const TITLE: &str = r##"end "] --> %%{init: {"look": 1}}%% ``` <script>alert(1)</script> 1. C# #35; www.a.b style:#1; direction LR é 日本 \n"##;

/// A spec with that wherever titles are free, and with words of Mermaid's own for names.
const SPEC: &str = r#"
project = { name = "hostile", title = 'TITLE' }

[entities.end]
title = 'TITLE'
plural = "one"
description = 'TITLE'

[entities.end.fields]
pk = { type = "integer" }
uk = { type = "text", title = 'TITLE' }
fk = { type = "reference", to = "style", on_delete = "restrict" }
direction = { type = "json" }
to = { type = "boolean" }
style = { type = "date" }
title = { type = "date" }
default = { type = "date" }

[entities.style]
plural = "direction"
fields.click = { type = "text" }
"#;

#[test]
fn nothing_of_a_spec_changes_what_is_drawn() {
    let (_folder, backend) = build_spec(&SPEC.replace("TITLE", TITLE));
    let [architecture, entities] = read(&backend);
    assert_eq!(architecture["groups"], json!([TITLE]));
    let nodes = ["api", "clients", "database", "jobs", "middleware", "prometheus", "services"];
    assert_eq!(keys(&architecture["nodes"]), nodes);
    assert_eq!(architecture["links"].as_array().map(Vec::len), Some(7));
    let attributes = [
        "uuid id PK",
        "uuid organization_id FK",
        "integer _pk",
        "text _uk",
        "uuid fk_id FK",
        "json direction",
        "boolean to",
        "date style",
        "date title",
        "date default",
    ];
    assert_eq!(strings(&entities["entities"]["one"]), attributes);
    let relations = strings(&entities["relations"]);
    assert!(relations.contains(&"direction ONLY_ONE fk_id, restrict ZERO_OR_MORE one"));
}
