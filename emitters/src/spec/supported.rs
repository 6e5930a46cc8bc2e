//! What the format knows and this version does not generate: nothing at present. What is added to the format first
//! is listed here, so that it is never silently ignored.

use toml::de::DeValue;

/// A key, or one of its values, that would change nothing in the generated project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotGenerated {
    /// The table that has the key, as the reader calls it: `[auth]`, `an entity`.
    pub table: &'static str,
    /// The key.
    pub key: &'static str,
    /// The value that is refused; `None` is any.
    pub value: Option<&'static str>,
    /// What to write.
    pub instead: &'static str,
}

/// Everything that is not generated.
pub const NOT_GENERATED: &[NotGenerated] = &[];

/// Why a value is refused, if it is.
#[must_use]
pub fn refusal(table: &str, key: &str, value: &DeValue<'_>) -> Option<&'static NotGenerated> {
    rules(table, key).find(|rule| match (rule.value, value) {
        (None, _) => true,
        (Some(refused), DeValue::String(text)) => refused == text,
        (Some(refused), DeValue::Boolean(flag)) => refused == if *flag { "true" } else { "false" },
        (Some(_), _) => false,
    })
}

/// The rules on a key.
pub fn rules(table: &str, key: &str) -> impl Iterator<Item = &'static NotGenerated> {
    NOT_GENERATED.iter().filter(move |rule| rule.table == table && rule.key == key)
}
