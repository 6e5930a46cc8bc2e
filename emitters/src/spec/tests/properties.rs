//! No text, however strange, does more than bring an error with a place.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

/// Failing seeds are kept in one folder for all crates.
pub fn config() -> Config {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../proptest-regressions/emitters-spec.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..Config::with_cases(256)
    }
}

/// Reads, and checks that what is refused has a place and can be shown.
fn survive(source: &str) -> Result<(), TestCaseError> {
    match read(source, "astgen.toml") {
        Ok(spec) => prop_assert_eq!(digest(&spec).len(), 64),
        Err(errors) => {
            prop_assert!(!errors.errors.is_empty());
            for error in &errors.errors {
                prop_assert!(source.get(error.place.clone()).is_some(), "{:?}", error);
            }
            prop_assert!(!render(&errors).is_empty());
        }
    }
    Ok(())
}

/// Text with what breaks out of strings, of lines and of terminals.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        Just("\"\"\"".to_owned()),
        Just("'''".to_owned()),
        Just("\\".to_owned()),
        Just("\0".to_owned()),
        Just("\r\n".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\u{200f}".to_owned()),
        Just("\u{2028}".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("\\ud800".to_owned()),
        Just("{x}%s$y".to_owned()),
        "[a-z_]{1,12}",
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// A TOML string with any content.
fn quoted(text: &str) -> String {
    let escape = |c: char| format!("\\U{:08X}", u32::from(c));
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// Every text position of the format, with a hole.
const POSITIONS: &[&str] = &[
    "project.name = @",
    "project = { name = 'a', title = @ }",
    "project = { name = 'a', description = @ }",
    "project = { name = 'a', python = @ }",
    "project.name = 'a'\n@ = 1",
    "project.name = 'a'\nauth.mode = @",
    "project.name = 'a'\nauth.access_token_lifetime = @",
    "project.name = 'a'\norganizations.roles = [@]",
    "project.name = 'a'\norganizations.inviters = [@]",
    "project.name = 'a'\nemail.sender = @",
    "project.name = 'a'\nstorage.max_file_size = @",
    "project.name = 'a'\nbilling.trial = @\nbilling.plans = [{ name = 'free' }]",
    "project.name = 'a'\nbilling.plans = [{ name = @ }]",
    "project.name = 'a'\nbilling.plans = [{ name = 'a', title = @ }]",
    "project.name = 'a'\nbilling.plans = [{ name = 'a', features = [@] }]",
    "project.name = 'a'\nbilling.plans = [{ name = 'a', limits.@ = 1 }]",
    "project.name = 'a'\nbilling.plans = [{ name = 'a', price = { amount = 1, currency = @ } }]",
    "project.name = 'a'\nentities.@.fields.a.type = 'text'",
    "project.name = 'a'\nentities.b = { plural = @, fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b = { title = @, fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b = { limit = @, fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b = { read = [@], fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b = { guards = [@], fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b = { guards = [{ feature = @ }], fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b = { guards = [{ rate_limit = @ }], fields.c.type = 'text' }",
    "project.name = 'a'\nentities.b.fields.@ = { type = 'text' }",
    "project.name = 'a'\nentities.b.fields.c = { type = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'text', title = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'text', default = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'url', default = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'date', default = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'decimal', default = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'enum', values = [@, 'x'] }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'enum', values = ['x'], default = @ }",
    "project.name = 'a'\nentities.b.fields.c = { type = 'reference', to = @ }",
];

#[test]
fn every_position_reads_a_harmless_text() {
    for position in POSITIONS {
        let source = position.replace('@', "\"x\"");
        let syntax = |error: &SpecError| error.problem.code() == "spec::syntax";
        if let Err(errors) = read(&source, "astgen.toml") {
            assert!(!errors.errors.iter().any(syntax), "{}", render(&errors));
        }
    }
}

/// Everything of a resolved spec that ends up in code or a log.
fn texts(value: &serde_json::Value, found: &mut Vec<String>) {
    match value {
        serde_json::Value::String(text) => found.push(text.clone()),
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(map) => map.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn hostile_text_is_refused_or_harmless(
        position in prop::sample::select(POSITIONS),
        text in hostile(),
    ) {
        let source = position.replace('@', &quoted(&text));
        survive(&source)?;
        if let Ok(spec) = read(&source, "astgen.toml") {
            let mut found = Vec::new();
            texts(&serde_json::to_value(&spec).expect("a spec is JSON"), &mut found);
            for text in found {
                prop_assert_eq!(text::unprintable(&text), None, "{:?}", text);
            }
        }
    }

    #[test]
    fn hostile_text_without_quotes_is_survived(
        position in prop::sample::select(POSITIONS),
        text in hostile(),
    ) {
        survive(&position.replace('@', &text))?;
    }

    #[test]
    fn any_text_is_survived(source in any::<String>()) {
        survive(&source)?;
    }

    #[test]
    fn any_toml_is_survived(source in toml_document()) {
        survive(&source)?;
    }

    #[test]
    fn any_cut_of_a_good_spec_is_survived(from in 0..ACME.len(), length in 0..200_usize) {
        let to = (from + length).min(ACME.len());
        if let (Some(before), Some(after)) = (ACME.get(..from), ACME.get(to..)) {
            survive(&format!("{before}{after}"))?;
        }
    }

    #[test]
    fn any_value_at_any_key_is_survived(
        key in prop::sample::select(KEYS),
        value in toml_value(),
    ) {
        survive(&format!("project.name = 'a'\n{key} = {value}"))?;
    }
}

const KEYS: &[&str] = &[
    "auth",
    "auth.mode",
    "auth.password",
    "auth.access_token_lifetime",
    "organizations",
    "organizations.roles",
    "tenancy",
    "billing",
    "billing.plans",
    "billing.trial",
    "entities",
    "entities.task",
    "entities.task.fields",
    "entities.task.fields.title",
    "entities.task.guards",
    "entities.task.read",
    "entities.task.limit",
    "storage",
    "email",
    "jobs",
    "webhooks",
    "observability",
    "observability.log_file",
    "deploy",
    "deploy.targets",
];

fn toml_key() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] = &[
        "project", "name", "entities", "fields", "type", "billing", "plans", "limits", "features",
        "guards", "to", "values", "default", "price", "amount", "currency", "minimum", "maximum",
    ];
    prop_oneof![
        prop::sample::select(KNOWN).prop_map(str::to_owned),
        "[a-z_]{1,8}",
        any::<String>().prop_map(|text| quoted(&text)),
    ]
}

fn toml_value() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] =
        &["text", "enum", "reference", "money", "decimal", "usd", "15m", "owner"];
    let leaf = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}").replace("NaN", "nan")),
        Just("2026-01-01T00:00:00Z".to_owned()),
        Just("2026-02-28".to_owned()),
        prop::sample::select(KNOWN).prop_map(quoted),
        any::<String>().prop_map(|text| quoted(&text)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let pair = (toml_key(), inner.clone()).prop_map(|(key, value)| format!("{key} = {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(pair, 0..4)
                .prop_map(|pairs| format!("{{ {} }}", pairs.join(", "))),
        ]
    })
}

fn toml_document() -> impl Strategy<Value = String> {
    let header =
        prop::collection::vec(toml_key(), 1..4).prop_map(|keys| format!("[{}]", keys.join(".")));
    let items =
        prop::collection::vec(toml_key(), 1..3).prop_map(|keys| format!("[[{}]]", keys.join(".")));
    let pair = (toml_key(), toml_value()).prop_map(|(key, value)| format!("{key} = {value}"));
    let line = prop_oneof![1 => header, 1 => items, 3 => pair];
    prop::collection::vec(line, 0..12).prop_map(|lines| lines.join("\n"))
}
