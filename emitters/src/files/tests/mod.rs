mod architecture;
mod deploy;
mod dotenv;
mod entity_diagram;
mod lock;
mod markdown;
mod mermaid;
mod pyproject;
mod yaml;

use super::*;
use crate::spec;
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

#[track_caller]
fn read(source: &str) -> Spec {
    match spec::read(source, "astgen.toml") {
        Ok(spec) => spec,
        Err(errors) => panic!("{errors}"),
    }
}

fn acme() -> Spec {
    read(include_str!("../../../../examples/acme.toml"))
}

fn minimal() -> Spec {
    read(include_str!("../../../../examples/minimal.toml"))
}

/// Failing seeds are kept in one folder for all crates.
fn config() -> Config {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../proptest-regressions/emitters-files.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..Config::with_cases(512)
    }
}

/// What means something in one of the formats, or in several.
const SIGNS: &[&str] = &[
    "#",
    "# ",
    "- ",
    "+ ",
    "* ",
    "1. ",
    "1) ",
    "> ",
    "=",
    "---",
    "***",
    "___",
    "`",
    "```",
    "~~~",
    "~",
    "*",
    "_",
    "**",
    "[",
    "]",
    "](",
    "[^1]",
    "![",
    "<",
    ">",
    "<b>",
    "</b>",
    "<!--",
    "-->",
    "<?",
    "&amp;",
    "&",
    "|",
    "\\",
    "\\|",
    ":",
    "://",
    "http",
    "https://a.example",
    "www.",
    "WWW.",
    "a.example",
    "@",
    "a@b.example",
    "mailto:",
    "$",
    "${",
    "${HOME}",
    "}",
    "'",
    "''",
    "'''",
    "\"",
    "\"\"\"",
    "%",
    "%(here)s",
    "=",
    " ",
    "  ",
    "\u{a0}",
    "!",
    ".",
    ",",
    "é",
    "日本",
    "🙂",
];

/// A text that a spec may have, full of signs.
fn hostile() -> impl Strategy<Value = String> {
    let sign = prop::sample::select(SIGNS).prop_map(str::to_owned);
    let word = prop_oneof![6 => sign, 2 => "[a-z]{1,4}", 1 => any::<char>().prop_map(String::from)];
    let printable = |text: &String| spec::text::unprintable(text).is_none();
    prop::collection::vec(word, 1..12)
        .prop_map(|words| words.concat().trim().to_owned())
        .prop_filter("a spec refuses it", move |text| !text.is_empty() && printable(text))
}

/// Every text of a spec that people choose, made the same.
fn with_texts(mut spec: Spec, text: &str) -> Spec {
    let text = || text.to_owned();
    spec.project.title = text();
    spec.project.description = text();
    for role in &mut spec.organizations.roles {
        role.title = text();
    }
    for entity in &mut spec.entities {
        (entity.names.title, entity.names.plural_title) = (text(), text());
        entity.description = text();
    }
    for plan in spec.billing.iter_mut().flat_map(|billing| &mut billing.plans) {
        (plan.title, plan.description) = (text(), text());
    }
    spec
}

#[track_caller]
fn check(file: &Generated) {
    let name = file.path.replace('/', "__");
    insta::assert_snapshot!(name, file.text());
}

#[test]
fn every_file_of_acme() {
    for file in emit(&acme()) {
        // Hashes are no one's reading; `lock.rs` tests them.
        if !file.path.contains("requirements") {
            check(&file);
        }
    }
}

#[test]
fn what_is_switched_off_is_not_mentioned() {
    for file in emit(&minimal()) {
        let text = file.text().to_lowercase();
        for word in ["stripe", "subscription", "plans", "billing"] {
            assert!(!text.contains(word), "{word} in {}", file.path);
        }
    }
}

#[test]
fn every_path_is_there_once() {
    let mut paths: Vec<String> = emit(&acme()).into_iter().map(|file| file.path).collect();
    let count = paths.len();
    paths.sort();
    paths.dedup();
    assert_eq!(paths.len(), count);
}
