//! Names: identifiers in snake case that mean nothing else yet.

use super::errors::Errors;
use super::shape::{Shape, string};
use super::table::Placed;
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{reserved, text};
use astgen_pyast::{Name, name::KEYWORDS};
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

/// A name of some kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identifier {
    Entity,
    Field,
    Role,
    Plan,
    Feature,
    Limit,
    Flag,
}

/// A table whose keys are names that the spec chooses.
pub struct Entries<S> {
    pub keys: Identifier,
    pub values: S,
}

/// One of the entries. Its name or its value is `None` after an error that was reported, so that what
/// refers to it is not reported too.
#[derive(Debug)]
pub struct Entry<T> {
    pub key: Placed<String>,
    pub name: Option<Name>,
    pub value: Option<T>,
}

impl Identifier {
    /// Checks a name and reports what is wrong with it.
    pub fn check(self, written: &str, place: &Place, errors: &mut Errors) -> Option<Name> {
        let what = self.noun();
        let bad = |reason| Problem::BadName { name: quoted(written), what, reason };
        if written.len() > Identifier::LONGEST {
            errors.push(SpecError::new(place.clone(), bad("it is longer than 63 characters")));
            return None;
        }
        if KEYWORDS.contains(&written) {
            let error = SpecError::new(place.clone(), bad("Python reserves the word"));
            errors.push(error.help("choose another name"));
            return None;
        }
        if !text::is_snake_case(written) {
            let reason = "it is not in snake case, a to z, digits and single underscores";
            let better = text::to_snake_case(written);
            errors.push(SpecError::new(place.clone(), bad(reason)).suggest(better.as_deref()));
            return None;
        }
        if let Some(reason) = self.reserved(written) {
            let problem = Problem::ReservedName { name: quoted(written), what, reason };
            errors.push(SpecError::new(place.clone(), problem).help("choose another name"));
            return None;
        }
        Name::parse(written).ok()
    }

    const LONGEST: usize = 63;

    fn noun(self) -> &'static str {
        match self {
            Identifier::Entity => "an entity",
            Identifier::Field => "a field",
            Identifier::Role => "a role",
            Identifier::Plan => "a plan",
            Identifier::Feature => "a feature",
            Identifier::Limit => "a limit",
            Identifier::Flag => "a flag",
        }
    }

    fn reserved(self, written: &str) -> Option<&'static str> {
        match self {
            Identifier::Entity => reserved::entity(written),
            Identifier::Field => reserved::field(written),
            Identifier::Role
            | Identifier::Plan
            | Identifier::Feature
            | Identifier::Limit
            | Identifier::Flag => None,
        }
    }

    fn pattern() -> &'static str {
        "^[a-z][a-z0-9]*(_[a-z0-9]+)*$"
    }
}

impl Shape for Identifier {
    type Value = Name;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Name> {
        let written = string(value, place, errors)?;
        self.check(written, place, errors)
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": Identifier::pattern(), "maxLength": Identifier::LONGEST })
    }
}

impl<S: Shape> Shape for Entries<S> {
    type Value = Vec<Entry<S::Value>>;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Self::Value> {
        let DeValue::Table(table) = value else {
            return super::shape::wrong_type("a table", value, place, errors);
        };
        Some(self.entries(table, errors))
    }

    fn describe(&self) -> Value {
        json!({
            "type": "object",
            "propertyNames": { "pattern": Identifier::pattern(), "maxLength": Identifier::LONGEST },
            "additionalProperties": self.values.describe(),
        })
    }
}

impl<S: Shape> Entries<S> {
    fn entries(&self, table: &DeTable<'_>, errors: &mut Errors) -> Vec<Entry<S::Value>> {
        let mut entries = Vec::with_capacity(table.len());
        for (key, value) in table {
            let name = self.keys.check(key.get_ref(), &key.span(), errors);
            let key = Placed { value: key.get_ref().to_string(), place: key.span() };
            let value = self.values.read(value.get_ref(), &value.span(), errors);
            entries.push(Entry { key, name, value });
        }
        entries
    }
}
