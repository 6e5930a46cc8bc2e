//! What a value of the spec may be: how it is read, and how the JSON Schema describes it.

use super::errors::Errors;
use super::table::{Placed, Table, listed};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::text;
use serde_json::{Value, json};
use std::ops::RangeInclusive;
use toml::de::DeValue;

/// A kind of value.
pub trait Shape {
    type Value;

    /// The value; `None` after an error that was reported.
    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Self::Value>;

    /// The JSON Schema.
    fn describe(&self) -> Value;
}

/// A kind of value that can be a default.
pub trait Plain: Shape {
    /// The value as the file says it.
    fn json(&self, value: &Self::Value) -> Value;
}

/// `true` or `false`.
pub struct Boolean;

/// A whole number between two bounds.
pub struct Whole<T>(pub RangeInclusive<T>);

/// A line of printable text, with its least and greatest number of characters.
pub struct Line(pub RangeInclusive<usize>);

/// One of some words.
pub struct Choice<T: 'static>(pub &'static [(&'static str, T)]);

/// A list of one kind, with the fewest and the most items.
pub struct List<S>(pub S, pub RangeInclusive<usize>);

/// A table with known keys.
pub struct Record<T> {
    pub name: &'static str,
    pub read: fn(&mut Table<'_>) -> T,
}

impl Shape for Boolean {
    type Value = bool;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<bool> {
        match value {
            DeValue::Boolean(flag) => Some(*flag),
            other => wrong_type("true or false", other, place, errors),
        }
    }

    fn describe(&self) -> Value {
        json!({ "type": "boolean" })
    }
}

impl Plain for Boolean {
    fn json(&self, value: &bool) -> Value {
        json!(value)
    }
}

impl<T: Copy + PartialOrd + TryFrom<i64> + Into<i64>> Shape for Whole<T> {
    type Value = T;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<T> {
        let DeValue::Integer(written) = value else {
            return wrong_type("a whole number", value, place, errors);
        };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        let number = number.and_then(|number| T::try_from(number).ok());
        let fitting = number.filter(|number| self.0.contains(number));
        if fitting.is_none() {
            let [least, most] = self.bounds();
            let bounds = format!("{least} to {most}");
            let found = quoted(&written.to_string());
            errors.push(SpecError::new(place.clone(), Problem::OutOfBounds { found, bounds }));
        }
        fitting
    }

    fn describe(&self) -> Value {
        let [least, most] = self.bounds();
        json!({ "type": "integer", "minimum": least, "maximum": most })
    }
}

impl<T: Copy + PartialOrd + TryFrom<i64> + Into<i64>> Plain for Whole<T> {
    fn json(&self, value: &T) -> Value {
        json!((*value).into())
    }
}

impl<T: Copy + Into<i64>> Whole<T> {
    fn bounds(&self) -> [i64; 2] {
        [(*self.0.start()).into(), (*self.0.end()).into()]
    }
}

impl Shape for Line {
    type Value = String;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<String> {
        let line = string(value, place, errors)?;
        if let Some(c) = text::unprintable(line) {
            let problem = Problem::Unprintable { code: c.into() };
            errors.push(SpecError::new(place.clone(), problem).help("leave the character out"));
            return None;
        }
        let length = line.chars().count();
        if !self.0.contains(&length) {
            let found = format!("a text of {length} characters");
            let bounds = format!("{} to {} characters", self.0.start(), self.0.end());
            errors.push(SpecError::new(place.clone(), Problem::OutOfBounds { found, bounds }));
            return None;
        }
        Some(line.to_owned())
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "minLength": self.0.start(), "maxLength": self.0.end() })
    }
}

impl Plain for Line {
    fn json(&self, value: &String) -> Value {
        json!(value)
    }
}

impl<T: Clone + PartialEq> Shape for Choice<T> {
    type Value = T;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<T> {
        let word = string(value, place, errors)?;
        let chosen = self.0.iter().find(|(name, _)| *name == word);
        if chosen.is_none() {
            errors.push(unknown_word(word, self.words(), place));
        }
        chosen.map(|(_, value)| value.clone())
    }

    fn describe(&self) -> Value {
        json!({ "enum": self.words().collect::<Vec<_>>() })
    }
}

impl<T: Clone + PartialEq> Plain for Choice<T> {
    fn json(&self, value: &T) -> Value {
        self.0.iter().find(|(_, other)| other == value).map_or(Value::Null, |(name, _)| json!(name))
    }
}

impl<T> Choice<T> {
    fn words(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.0.iter().map(|(name, _)| *name)
    }
}

impl<S: Shape> Shape for List<S> {
    type Value = Vec<Placed<S::Value>>;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Self::Value> {
        let DeValue::Array(items) = value else {
            return wrong_type("a list", value, place, errors);
        };
        if !self.1.contains(&items.len()) {
            let found = format!("a list of {} items", items.len());
            let bounds = format!("{} to {} items", self.1.start(), self.1.end());
            errors.push(SpecError::new(place.clone(), Problem::OutOfBounds { found, bounds }));
            return None;
        }
        let read = |item: &toml::Spanned<DeValue<'_>>| {
            let place = item.span();
            let value = self.0.read(item.get_ref(), &place, errors)?;
            Some(Placed { value, place })
        };
        Some(items.iter().filter_map(read).collect())
    }

    fn describe(&self) -> Value {
        json!({
            "type": "array",
            "items": self.0.describe(),
            "minItems": self.1.start(),
            "maxItems": self.1.end(),
        })
    }
}

impl<T> Shape for Record<T> {
    type Value = T;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<T> {
        let DeValue::Table(entries) = value else {
            return wrong_type("a table", value, place, errors);
        };
        let mut table = Table::reading(self.name, entries, place.clone(), errors);
        let record = (self.read)(&mut table);
        table.finish();
        Some(record)
    }

    fn describe(&self) -> Value {
        let mut table = Table::describing(self.name);
        (self.read)(&mut table);
        table.schema()
    }
}

/// The text of a value, or an error.
pub fn string<'v>(value: &'v DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<&'v str> {
    match value {
        DeValue::String(text) => Some(text),
        other => wrong_type("a text", other, place, errors),
    }
}

/// Reports a value of a wrong type.
pub fn wrong_type<T>(
    expected: &'static str,
    value: &DeValue<'_>,
    place: &Place,
    errors: &mut Errors,
) -> Option<T> {
    let found = match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    let error = SpecError::new(place.clone(), Problem::WrongType { expected, found });
    let error = match value {
        DeValue::String(text) if is_bare(expected, text) => error.help("leave out the quotes"),
        _ => error,
    };
    let needs_quotes =
        expected == "a text" && !matches!(value, DeValue::Array(_) | DeValue::Table(_));
    errors.push(if needs_quotes { error.help("put it in quotes") } else { error });
    None
}

/// Whether a text is what was expected, but for its quotes.
fn is_bare(expected: &str, text: &str) -> bool {
    match expected {
        "a whole number" => text.parse::<i64>().is_ok(),
        "true or false" => matches!(text, "true" | "false"),
        _ => false,
    }
}

/// What people of other languages and libraries write.
const SYNONYMS: &[(&str, &str)] = &[
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("int", "integer"),
    ("bool", "boolean"),
    ("float", "decimal"),
    ("number", "decimal"),
    ("numeric", "decimal"),
    ("timestamp", "datetime"),
    ("choice", "enum"),
    ("jsonb", "json"),
    ("relation", "reference"),
    ("foreign_key", "reference"),
    ("none", "off"),
    ("jwt", "bearer"),
    ("token", "bearer"),
    ("null", "set_null"),
];

/// A word that is none of those that are known.
pub fn unknown_word<'a>(
    word: &str,
    words: impl Iterator<Item = &'a str> + Clone,
    place: &Place,
) -> SpecError {
    let near = text::closest(word, words.clone()).or_else(|| {
        let (_, meant) = SYNONYMS.iter().find(|(other, _)| *other == word)?;
        words.clone().find(|known| known == meant)
    });
    let problem = Problem::UnknownValue { found: quoted(word), expected: listed(words) };
    SpecError::new(place.clone(), problem).suggest(near)
}
