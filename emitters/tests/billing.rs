//! What is emitted of billing: all of it, or nothing.

use astgen_emitters::{generate, spec};

const EVERY_FIELD: &str = include_str!("data/every_field.toml");
const MINIMAL: &str = include_str!("../../examples/minimal.toml");
const ACME: &str = include_str!("../../examples/acme.toml");

/// What no file of a project without billing says, nor its path.
const WORDS: [&str; 9] = [
    "stripe",
    "billing",
    "subscription",
    "trial",
    "checkout",
    "webhook",
    "entitlement",
    "feature_flag",
    "aiohttp",
];

/// Every word of billing in the files of a project, with the file.
fn mentions(source: &str) -> Vec<String> {
    let spec = spec::read(source, "astgen.toml").unwrap_or_else(|errors| panic!("{errors:?}"));
    let mut found = Vec::new();
    for file in generate(&spec) {
        // A list of what people choose for a password.
        if file.path.ends_with("common_passwords.txt") {
            continue;
        }
        let text = format!("{}\n{}", file.path, file.text()).to_lowercase();
        // Git's: what fetches the code before it is tested; and a pool's, which hands out a connection.
        let text = text.replace("actions/checkout", "").replace("\"checkout\", take", "");
        let words = WORDS.iter().filter(|word| text.contains(**word));
        found.extend(words.map(|word| format!("{word} in {}", file.path)));
    }
    found
}

#[test]
fn without_billing_no_file_names_it() {
    assert_eq!(mentions(MINIMAL), Vec::<String>::new());
    assert_eq!(mentions(EVERY_FIELD), Vec::<String>::new());
}

#[test]
fn billing_that_is_off_is_none() {
    let plans = "provider = \"off\"\ntrial = \"14d\"\nplans = [{ name = \"free\" }, { name = \"pro\", \
                 price = { amount = 100, currency = \"usd\" } }]\nflags.beta = { default = true }\n";
    let source = format!("{MINIMAL}\n[billing]\n{plans}");
    assert_eq!(mentions(&source), Vec::<String>::new());
}

/// The words are those that a project with billing says.
#[test]
fn with_billing_every_word_is_said() {
    let found = mentions(ACME);
    for word in WORDS {
        assert!(found.iter().any(|mention| mention.starts_with(word)), "{word}");
    }
}

/// What differs most where users pay; the suite of such a project is run by hand and by `tests/backend.rs`.
#[test]
fn users_who_pay() {
    let billing = "payer = \"user\"\nplans = [{ name = \"free\", limits = { members = 3 } }, { name = \"pro\", \
                   price = { amount = 900, currency = \"usd\" } }]\n";
    let source = format!("{MINIMAL}\n[billing]\n{billing}");
    let spec = spec::read(&source, "astgen.toml").unwrap_or_else(|errors| panic!("{errors:?}"));
    let files = generate(&spec);
    for module in ["core/payers", "core/org_rbac", "services/billing_usage", "tests/test_payers"] {
        let path = format!("{module}.py");
        let file = files.iter().find(|file| file.path.ends_with(&path)).expect("it is emitted");
        insta::assert_snapshot!(module.replace('/', "_"), file.text());
    }
}
