//! YAML documents in block style.

use super::double_quoted;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    /// A text.
    Text(String),
    /// A text with a comment behind it.
    Remarked(String, &'static str),
    /// A whole number.
    Number(u32),
    /// Yes or no.
    Switch(bool),
    /// Values, in order.
    List(Vec<Yaml>),
    /// Values by name, in order.
    Map(Vec<(String, Yaml)>),
}

/// A map; in the order of its entries.
#[must_use]
pub fn map<K: Into<String>, V: Into<Yaml>>(entries: impl IntoIterator<Item = (K, V)>) -> Yaml {
    Yaml::Map(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
}

/// A list.
#[must_use]
pub fn list<V: Into<Yaml>>(values: impl IntoIterator<Item = V>) -> Yaml {
    Yaml::List(values.into_iter().map(Into::into).collect())
}

/// The text of a document.
#[must_use]
pub fn print(document: &Yaml) -> String {
    let mut text = String::new();
    match scalar(document) {
        Some(scalar) => text.push_str(&scalar),
        None => block(document, 0, &mut text),
    }
    text.push('\n');
    text
}

/// The value on one line; `None` when it takes several.
fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::Text(text) => Some(plain_or_quoted(text)),
        Yaml::Remarked(text, remark) => Some(format!("{} # {remark}", plain_or_quoted(text))),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Switch(is_on) => Some(is_on.to_string()),
        Yaml::List(values) => values.is_empty().then(|| "[]".to_owned()),
        Yaml::Map(entries) => entries.is_empty().then(|| "{}".to_owned()),
    }
}

/// A value of several lines, of which the first is begun: its entries start at `column`.
fn block(value: &Yaml, column: usize, text: &mut String) {
    let new_line = format!("\n{:column$}", "");
    match value {
        Yaml::List(values) => {
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place == 0 { "- " } else { &new_line });
                text.push_str(if place == 0 { "" } else { "- " });
                match scalar(value) {
                    Some(scalar) => text.push_str(&scalar),
                    None => block(value, column + 2, text),
                }
            }
        }
        Yaml::Map(entries) => {
            for (place, (key, value)) in entries.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { &new_line });
                text.push_str(&plain_or_quoted(key));
                text.push(':');
                match scalar(value) {
                    Some(scalar) => text.extend([" ", &scalar]),
                    None => {
                        text.push_str(&format!("\n{:1$}", "", column + 2));
                        block(value, column + 2, text);
                    }
                }
            }
        }
        Yaml::Text(_) | Yaml::Remarked(..) | Yaml::Number(_) | Yaml::Switch(_) => {
            text.extend(scalar(value));
        }
    }
}

/// A text as it stands in a document: bare where no reader, of YAML 1.1 or 1.2, takes it for something else.
fn plain_or_quoted(text: &str) -> String {
    const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_bare = |c: char| c.is_ascii_alphanumeric() || " _-./@+=,".contains(c);
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && text.chars().all(is_bare)
        && !text.ends_with(' ')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str());
    if is_plain { text.to_owned() } else { double_quoted(text) }
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Yaml {
        Yaml::Text(text.to_owned())
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Yaml {
        Yaml::Text(text)
    }
}

impl From<u32> for Yaml {
    fn from(number: u32) -> Yaml {
        Yaml::Number(number)
    }
}

impl From<bool> for Yaml {
    fn from(is_on: bool) -> Yaml {
        Yaml::Switch(is_on)
    }
}
