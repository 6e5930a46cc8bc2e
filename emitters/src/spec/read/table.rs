//! One table of the spec, while it is read or described.
//!
//! The function that reads a table is also its description: run on a table of a file it asks for each
//! key and reports what is wrong; run on no file it leaves the table's JSON Schema. So the reader and
//! the schema cannot drift apart.

use super::errors::Errors;
use super::shape::{Plain, Shape};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::text;
use serde_json::{Map, Value, json};
use toml::de::DeTable;

/// A value, and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    pub value: T,
    pub place: Place,
}

/// A table of the spec. What is asked for is what the table may have.
pub struct Table<'a> {
    /// What messages call it: `[auth]`, `an entity`.
    pub name: &'static str,
    mode: Mode<'a>,
}

enum Mode<'a> {
    Reading {
        entries: &'a DeTable<'a>,
        place: Place,
        known: Vec<&'static str>,
        errors: &'a mut Errors,
    },
    Describing {
        properties: Map<String, Value>,
        required: Vec<&'static str>,
    },
}

impl<'a> Table<'a> {
    /// A table of a file.
    pub fn reading(
        name: &'static str,
        entries: &'a DeTable<'a>,
        place: Place,
        errors: &'a mut Errors,
    ) -> Table<'a> {
        Table { name, mode: Mode::Reading { entries, place, known: Vec::new(), errors } }
    }

    /// No table, to be described.
    pub fn describing(name: &'static str) -> Table<'a> {
        Table { name, mode: Mode::Describing { properties: Map::new(), required: Vec::new() } }
    }

    /// A key that may be missing. `None` also when its value is wrong, which is then reported.
    pub fn optional<S: Shape>(
        &mut self,
        key: &'static str,
        about: &str,
        shape: S,
    ) -> Option<Placed<S::Value>> {
        match &mut self.mode {
            Mode::Reading { entries, known, errors, .. } => {
                known.push(key);
                let value = entries.get(key)?;
                let place = value.span();
                shape.read(value.get_ref(), &place, errors).map(|value| Placed { value, place })
            }
            Mode::Describing { properties, .. } => {
                properties.insert(key.to_owned(), described(about, shape.describe()));
                None
            }
        }
    }

    /// A key that has to be there. `None` after an error, or when the table is being described.
    pub fn required<S: Shape>(
        &mut self,
        key: &'static str,
        about: &str,
        shape: S,
    ) -> Option<Placed<S::Value>> {
        let table = self.name;
        match &mut self.mode {
            Mode::Reading { entries, place, errors, .. } => {
                if !entries.contains_key(key) {
                    errors.push(
                        SpecError::new(place.clone(), Problem::MissingKey { table, key })
                            .help(about),
                    );
                }
            }
            Mode::Describing { required, .. } => required.push(key),
        }
        self.optional(key, about, shape)
    }

    /// A key with a default.
    pub fn or<S: Plain>(
        &mut self,
        key: &'static str,
        about: &str,
        shape: S,
        default: S::Value,
    ) -> S::Value {
        let written = match self.mode {
            Mode::Reading { .. } => Value::Null,
            Mode::Describing { .. } => shape.json(&default),
        };
        let value = self.optional(key, about, shape);
        if let Mode::Describing { properties, .. } = &mut self.mode
            && let Some(Value::Object(property)) = properties.get_mut(key)
        {
            property.insert("default".to_owned(), written);
        }
        value.map_or(default, |placed| placed.value)
    }

    /// A table in this one that may be missing; its keys then have their defaults.
    pub fn section<T>(
        &mut self,
        key: &'static str,
        name: &'static str,
        about: &str,
        read: fn(&mut Table<'_>) -> T,
    ) -> T {
        match self.optional(key, about, super::shape::Record { name, read }) {
            Some(section) => section.value,
            None => {
                let (nothing, mut silent) = (DeTable::new(), Errors::default());
                read(&mut Table::reading(name, &nothing, 0..0, &mut silent))
            }
        }
    }

    /// Reports something that is wrong with this table.
    pub fn report(&mut self, error: SpecError) {
        if let Mode::Reading { errors, .. } = &mut self.mode {
            errors.push(error);
        }
    }

    /// Where the table is: its header or its braces.
    pub fn place(&self) -> Place {
        match &self.mode {
            Mode::Reading { place, .. } => place.clone(),
            Mode::Describing { .. } => 0..0,
        }
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        let Mode::Reading { entries, known, errors, .. } = self.mode else {
            return;
        };
        for (key, _) in entries {
            if !known.contains(&key.get_ref().as_ref()) {
                errors.push(unknown_key(self.name, key.get_ref(), key.span(), &known));
            }
        }
    }

    /// The JSON Schema of the table that was described.
    pub fn schema(self) -> Value {
        match self.mode {
            Mode::Describing { properties, required } => json!({
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            }),
            Mode::Reading { .. } => Value::Bool(true),
        }
    }

    /// Describes the key that says which others there are, for one of its words.
    pub fn tag(&mut self, key: &'static str, about: &str, word: &str) {
        if let Mode::Describing { properties, required } = &mut self.mode {
            properties.insert(key.to_owned(), json!({ "const": word, "description": about }));
            required.push(key);
        }
    }

    /// Whether the file has no key in this table.
    pub fn is_empty(&self) -> bool {
        match &self.mode {
            Mode::Reading { entries, .. } => entries.is_empty(),
            Mode::Describing { .. } => false,
        }
    }
}

/// A schema with a description.
pub fn described(about: &str, mut schema: Value) -> Value {
    if let Value::Object(schema) = &mut schema {
        schema.insert("description".to_owned(), json!(about));
    }
    schema
}

fn unknown_key(table: &'static str, key: &str, place: Place, known: &[&'static str]) -> SpecError {
    let error = SpecError::new(place, Problem::UnknownKey { table, key: quoted(key) });
    match text::closest(key, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("it has {}", listed(known.iter().copied()))),
    }
}

/// `a`, `b` and `c`, each in backticks.
pub fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(quoted).collect();
    match names.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
