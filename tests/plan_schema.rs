//! The published JSON Schema of `plan.json`, held against plans that astgen makes and plans that others write.

mod command;

use command::{astgen, folder, text};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

const SPEC: &str = "[project]\nname = \"notes\"\n[entities.note]\nbulk_create = true\n\
    [entities.note.fields]\ntitle = { type = \"text\", max_length = 120 }\n\
    [entities.tag.fields]\nlabel = { type = \"text\", max_length = 20 }\n";
/// Another length, a field and an entity more, one less, and no bulk route.
const CHANGED: &str = "[project]\nname = \"notes\"\n[entities.note]\n\
    [entities.note.fields]\ntitle = { type = \"text\", max_length = 200 }\n\
    due_on = { type = \"date\", optional = true }\n\
    [entities.folder.fields]\nlabel = { type = \"text\", max_length = 20 }\n";

fn schema() -> Value {
    let output = astgen(Path::new("."), &["schema", "plan"]);
    serde_json::from_slice(&output.stdout).expect("a schema")
}

fn errors(schema: &Value, plan: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(schema).expect("a good schema");
    validator
        .iter_errors(plan)
        .map(|error| format!("{error} at {}", error.instance_path()))
        .collect()
}

/// The schema, and in it every object closed: a key that it does not name is an error.
fn closed(mut value: Value) -> Value {
    match &mut value {
        Value::Object(object) => {
            let is_described = object.contains_key("properties") && object.contains_key("type");
            for value in object.values_mut() {
                *value = closed(value.take());
            }
            if is_described {
                object.insert("additionalProperties".to_owned(), Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = closed(item.take())),
        _ => (),
    }
    value
}

/// A plan with every type of action.
#[test]
fn a_plan_of_astgen_is_of_the_schema_and_the_schema_names_all_of_it() {
    let folder = folder();
    let write =
        |path: &str, text: &str| fs::write(folder.path().join(path), text).expect("writable");
    let read = |path: &str| fs::read_to_string(folder.path().join(path)).expect("readable");
    let run = |args: &[&str]| {
        let output = astgen(folder.path(), args);
        assert_ne!(output.status.code(), Some(2), "{args:?}: {}", text(&output.stderr));
    };
    write("astgen.toml", SPEC);
    run(&["build", "--out", "p"]);
    let model = "p/backend/app/models/note.py";
    write(model, &read(model).replace("String(120)", "String(64)"));
    let routes = "p/backend/app/api/notes.py";
    write(routes, &read(routes).replace("List notes,", "List what people noted,"));
    fs::create_dir_all(folder.path().join("p/backend/app/moved")).expect("writable");
    let schemas = "p/backend/app/schemas/note.py";
    let moved = folder.path().join("p/backend/app/moved/note.py");
    fs::rename(folder.path().join(schemas), moved).expect("writable");
    fs::remove_file(folder.path().join("p/backend/tests/test_entities.py")).expect("it is there");
    write("astgen.toml", CHANGED);
    run(&["build", "--out", "p"]);

    let plan: Value = serde_json::from_str(&read("p/plan.json")).expect("JSON");
    let kinds: std::collections::BTreeSet<&str> = plan["actions"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["type"].as_str())
        .collect();
    assert_eq!(kinds, ["conflict", "create", "delete", "merge", "update"].into());
    assert!(!plan["settled"].as_array().expect("a list").is_empty());
    assert!(plan.to_string().contains("generated_path"));
    assert_eq!(errors(&closed(schema()), &plan), [""; 0]);

    let clash: Value = serde_json::from_str(&read("p/conflicts.json")).expect("JSON");
    let definitions = schema()["$defs"].clone();
    let conflict = json!({ "$ref": "#/$defs/conflict", "$defs": definitions });
    for clash in clash["conflicts"][0]["clashes"].as_array().expect("a list") {
        assert_eq!(errors(&closed(conflict.clone()), clash), [""; 0]);
    }
}

#[test]
fn plans_that_others_write_are_of_the_schema() {
    for plan in [
        json!({"actions": []}),
        json!({"actions": [{"type": "create", "path": "a.py", "content": "x = 1\n"}]}),
        json!({"project": "x", "actions": [{"type": "conflict", "path": "a.py", "new_content": "x"}]}),
        json!({"more": 1, "actions": [{"type": "update", "path": "a.py", "new_content": "x", "old_content": ""}]}),
        json!({"actions": [{"type": "delete", "path": "a/b.py"}]}),
    ] {
        assert_eq!(errors(&schema(), &plan), [""; 0]);
        assert!(astgen::plan::Plan::parse(&plan.to_string()).is_ok(), "{plan}");
    }
}

#[test]
fn what_astgen_refuses_the_schema_refuses_where_it_can() {
    for plan in [
        json!([]),
        json!({}),
        json!({"actions": [{"type": "create", "path": "a.py"}]}),
        json!({"actions": [{"type": "write", "path": "a.py", "content": ""}]}),
        json!({"actions": [{"type": "create", "path": "../a.py", "content": ""}]}),
        json!({"actions": [{"type": "create", "path": "/a.py", "content": ""}]}),
        json!({"actions": [{"type": "create", "path": "a//b.py", "content": ""}]}),
        json!({"actions": [{"type": "create", "path": "a\\b.py", "content": ""}]}),
        json!({"actions": [{"type": "create", "path": "a.py", "content": "", "theirs": "12"}]}),
        json!({"version": 2, "actions": []}),
    ] {
        assert_ne!(errors(&schema(), &plan), [""; 0], "{plan}");
        assert!(astgen::plan::Plan::parse(&plan.to_string()).is_err(), "{plan}");
    }
}
