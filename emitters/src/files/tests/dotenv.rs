use super::super::dotenv::{Line, print};
use super::super::env_example::emit;
use super::*;
use crate::core::settings::fields;

/// What python-dotenv reads: bare values, single quotes with two escapes, and `${name:-default}`.
fn read_back(text: &str) -> Vec<(String, String)> {
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let assignments = lines.map(|line| line.split_once('=').expect("an assignment"));
    assignments.map(|(name, value)| (name.to_owned(), expanded(&unquoted(value)))).collect()
}

fn unquoted(value: &str) -> String {
    let Some(inner) = value.strip_prefix('\'') else {
        assert!(!value.contains(['\'', '"', '#', '\\', ' ', '$']), "{value} has to be quoted");
        return value.to_owned();
    };
    let (mut found, mut chars) = (String::new(), inner.chars());
    loop {
        match chars.next().expect("a closing quote") {
            '\'' => break,
            '\\' => match chars.next().expect("an escaped character") {
                escaped @ ('\\' | '\'') => found.push(escaped),
                other => found.extend(['\\', other]),
            },
            c => found.push(c),
        }
    }
    assert_eq!(chars.as_str(), "", "something stands behind the value");
    found
}

/// Where every variable of the environment is missing.
fn expanded(value: &str) -> String {
    let (mut found, mut rest) = (String::new(), value);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((variable, behind)) = after.split_once('}') else { break };
        found.push_str(before);
        found.push_str(variable.split_once(":-").map_or("", |(_, default)| default));
        rest = behind;
    }
    found + rest
}

#[test]
fn defaults_are_read_back() {
    let settings = fields(&acme());
    let expected = settings
        .iter()
        .filter_map(|setting| Some((setting.variable(), setting.default.text()?)))
        .collect::<Vec<_>>();
    assert_eq!(read_back(&emit(&acme()).text()), expected);
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn values_are_read_back(value in hostile()) {
        let variable = Line::Variable("NAME".to_owned(), value.clone());
        let lines = [Line::Comment(value.clone()), variable, Line::Unset("OTHER".to_owned())];
        prop_assert_eq!(read_back(&print(&lines)), [("NAME".to_owned(), value)]);
    }

    #[test]
    fn texts_set_nothing(text in hostile()) {
        let found = read_back(&emit(&with_texts(acme(), &text)).text());
        prop_assert_eq!(found, read_back(&emit(&acme()).text()));
    }
}
