//! A text of the spec never breaks out of a string constant of the project.

use astgen_emitters::{Content, generate, spec};
use astgen_pyast::{first_difference, on_large_stack, parse_module, print_module};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

/// A spec in which every `@` is a place for free text.
const SPEC: &str = r#"
project = { name = "hostile", title = @, description = @ }

[[billing.plans]]
name = "free"
title = @

[[billing.plans]]
name = "team"
title = @
features = ["reports"]
price = { amount = 1900, currency = "usd" }

[entities.thing]
title = @
plural_title = @
description = @
guards = ["active_subscription", { feature = "reports" }]

[entities.thing.fields]
name = { type = "text", max_length = 500, default = @, title = @, description = @ }
state = { type = "enum", values = [@, "open"], title = @, description = @ }
link = { type = "url", default = @ }
"#;

/// What ends strings, lines and comments in Python, in TOML, in shells and in terminals.
fn hostile() -> impl Strategy<Value = String> {
    const PIECES: [&str; 24] = [
        "\"\"\"",
        "'''",
        "\"",
        "'",
        "\\",
        "\\\"",
        "\0",
        "\n",
        "\r\n",
        "\n\"\"\"\nimport os\nos.system('x')\n",
        "\u{202e}",
        "\u{200f}",
        "\u{2028}",
        "\u{feff}",
        "\u{85}",
        "\\ud800",
        "\\N{DASH}",
        "{x}",
        "{{",
        "%(name)s",
        "#",
        "${x}",
        "astgen:end",
        "</script>",
    ];
    let piece = prop_oneof![
        2 => prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
        1 => any::<String>(),
        2 => "[a-z ]{1,8}",
    ];
    prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.concat())
}

/// A TOML string with any content.
fn quoted(text: &str) -> String {
    let escape = |c: char| format!("\\U{:08X}", u32::from(c));
    format!("\"{}\"", text.chars().map(escape).collect::<String>())
}

/// The spec with the text at one of its places, and something harmless at the others.
fn source(place: usize, text: &str) -> String {
    let mut parts = SPEC.split('@');
    let mut source = parts.next().unwrap_or_default().to_owned();
    for (number, part) in parts.enumerate() {
        let harmless = format!("https://example.com/{number}");
        source += &quoted(if number == place { text } else { &harmless });
        source += part;
    }
    source
}

fn places() -> usize {
    SPEC.matches('@').count()
}

/// Every module means what was emitted: nothing of the text became code.
fn is_harmless(source: &str) -> Result<bool, TestCaseError> {
    let Ok(spec) = spec::read(source, "astgen.toml") else { return Ok(false) };
    for file in generate(&spec) {
        let Content::Python(module) = &file.content else { continue };
        let text = print_module(module);
        let parsed = parse_module(&text)
            .map_err(|failure| TestCaseError::fail(format!("{}: {failure}\n{text}", file.path)))?;
        let emitted = module.clone().into_statements();
        prop_assert_eq!(first_difference(&emitted, &parsed), None, "{}\n{}", file.path, text);
    }
    Ok(true)
}

#[test]
fn a_harmless_text_is_taken_everywhere() {
    for place in 0..places() {
        assert!(is_harmless(&source(place, "https://a.b")).expect("a good project"), "{place}");
    }
}

#[test]
fn texts_that_end_strings_are_taken_where_text_is_free() {
    let taken = (0..places()).filter(|place| {
        is_harmless(&source(*place, "\"\"\" ''' \\ {x} # %s")).expect("a good project")
    });
    // All but the address.
    assert_eq!(taken.count(), places() - 1);
}

#[test]
fn hostile_texts_are_strings_or_refused() {
    let seeds =
        concat!(env!("CARGO_MANIFEST_DIR"), "/../proptest-regressions/emitters-hostile.txt");
    let config = Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        ..Config::with_cases(96)
    };
    on_large_stack(|| {
        proptest!(config, |(place in 0..places(), text in hostile())| {
            is_harmless(&source(place, &text))?;
        });
    });
}
