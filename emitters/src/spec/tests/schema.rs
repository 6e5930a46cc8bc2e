//! The JSON Schema against the reader.

use super::*;
use serde_json::Value;

fn json(source: &str) -> Value {
    let table: toml::Table = toml::from_str(source).expect("TOML");
    dates_as_text(toml::Value::Table(table))
}

/// Editors see a TOML date as a text.
fn dates_as_text(value: toml::Value) -> Value {
    match value {
        toml::Value::Datetime(moment) => Value::String(moment.to_string()),
        toml::Value::Array(items) => items.into_iter().map(dates_as_text).collect(),
        toml::Value::Table(table) => Value::Object(
            table.into_iter().map(|(key, value)| (key, dates_as_text(value))).collect(),
        ),
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
    }
}

#[test]
fn the_schema_is_a_schema() {
    jsonschema::draft202012::meta::validate(&json_schema()).expect("a schema of draft 2020-12");
}

#[test]
fn the_examples_are_valid() {
    let validator = jsonschema::validator_for(&json_schema()).expect("a schema");
    for source in [ACME, MINIMAL, &starter("acme")] {
        let document = json(source);
        let errors: Vec<String> =
            validator.iter_errors(&document).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = jsonschema::validator_for(&json_schema()).expect("a schema");
    for source in [
        "",
        "project.name = 'A B'",
        "project.titel = 'a'",
        "auth.mode = 'token'",
        "auth.access_token_lifetime = '15'",
        "auth.password.min_length = 3",
        "entities.task = {}",
        "entities.Task.fields.title.type = 'text'",
        "entities.task.fields.title.type = 'string'",
        "entities.task.fields.title = { type = 'text', precision = 3 }",
        "entities.task = { guards = [{}], fields.title.type = 'text' }",
        "entities.task = { guards.remove = [], fields.title.type = 'text' }",
        "billing.plans = []",
        "billing.plans = [{ name = 'free', limits.members = -1 }]",
    ] {
        let source = match source {
            "" => String::new(),
            line if line.starts_with("project") => line.to_owned(),
            line => format!("project.name = 'acme'\n{line}"),
        };
        assert!(!validator.is_valid(&json(&source)), "the schema takes {source}");
        assert!(read(&source, "astgen.toml").is_err(), "the reader takes {source}");
    }
}

/// Each key and each word of the schema, written into a spec: the reader knows all of them.
#[test]
fn every_key_of_the_schema_is_read() {
    let mut paths = Vec::new();
    collect(&json_schema(), &mut Vec::new(), &mut paths);
    assert!(paths.len() > 150, "only {} keys", paths.len());
    for path in &paths {
        let source = format!("{} = 'x'", path.join("."));
        let known = match read(&source, "astgen.toml") {
            Ok(_) => true,
            Err(errors) => {
                errors.errors.iter().all(|error| error.problem.code() != "spec::unknown_key")
            }
        };
        assert!(known, "the reader does not know {}", path.join("."));
    }
}

fn collect(schema: &Value, path: &mut Vec<String>, paths: &mut Vec<Vec<String>>) {
    for key in ["anyOf", "oneOf"] {
        for variant in schema[key].as_array().into_iter().flatten() {
            collect(variant, path, paths);
        }
    }
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        path.push(key.clone());
        paths.push(path.clone());
        collect(property, path, paths);
        path.pop();
    }
    if schema["additionalProperties"].is_object() {
        path.push("thing".to_owned());
        collect(&schema["additionalProperties"], path, paths);
        path.pop();
    }
}

/// Editors find the schema of the examples beside them; `astgen schema` writes it.
#[test]
fn the_schema_beside_the_examples_is_current() {
    let committed = include_str!("../../../../examples/astgen.schema.json");
    let committed: Value = serde_json::from_str(committed).expect("JSON");
    assert_eq!(committed, json_schema());
}

/// The other way round: the keys that the reader names when it meets an unknown one are those of
/// the schema, in every table.
#[test]
fn every_key_of_the_reader_is_in_the_schema() {
    let mut found = Vec::new();
    tables(&json_schema(), "", "", &mut found);
    assert!(found.len() > 30, "only {} tables", found.len());
    for (source, keys) in found {
        let errors = read(&source, "astgen.toml").expect_err("an unknown key");
        let unknown = |error: &&SpecError| error.problem.code() == "spec::unknown_key";
        let error = errors.errors.iter().find(unknown).unwrap_or_else(|| panic!("{source}"));
        let help = error.help.as_ref().expect("the keys that there are");
        let mut listed: Vec<&str> = help.split('`').skip(1).step_by(2).collect();
        listed.sort_unstable();
        assert_eq!(listed, keys, "{source}");
    }
}

/// Every table of a schema: a spec with an unknown key in it, and its keys.
fn tables(schema: &Value, before: &str, after: &str, found: &mut Vec<(String, Vec<String>)>) {
    for variant in ["anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        tables(variant, before, after, found);
    }
    if schema["type"] == "array" {
        tables(&schema["items"], &format!("{before}["), &format!("]{after}"), found);
    }
    let (open, close) = if before.is_empty() { ("", "") } else { ("{ ", " }") };
    if schema["additionalProperties"].is_object() {
        let (before, after) = (format!("{before}{open}thing = "), format!("{close}{after}"));
        tables(&schema["additionalProperties"], &before, &after, found);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let tag = properties.get("type").and_then(|tag| tag["const"].as_str());
    let tag = tag.map_or_else(String::new, |tag| format!("type = '{tag}', "));
    let source = format!("{before}{open}{tag}an_unknown_key = 1{close}{after}");
    let mut keys: Vec<String> = properties.keys().cloned().collect();
    keys.sort_unstable();
    found.push((source, keys));
    for (key, property) in properties {
        let (before, after) = (format!("{before}{open}{key} = "), format!("{close}{after}"));
        tables(property, &before, &after, found);
    }
}
