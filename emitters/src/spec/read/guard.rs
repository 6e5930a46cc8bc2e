//! The guards of an entity.

use super::errors::Errors;
use super::shape::{Line, List, Record, Shape, unknown_word, wrong_type};
use super::table::{Placed, Table, described};
use crate::spec::Operation;
use crate::spec::error::{Place, Problem, SpecError, quoted};
use serde_json::{Value, json};
use std::time::Duration;
use toml::de::DeValue;

/// A guard before plans and entities are known.
#[derive(Debug, Clone, PartialEq)]
pub enum RawGuard {
    ActiveSubscription,
    FreshSession,
    Feature(Placed<String>),
    Limit(Placed<String>),
    Flag(Placed<String>),
    RateLimit { count: u32, per: Duration },
}

/// The guards of an entity as they are written.
#[derive(Debug)]
pub struct RawGuards {
    /// Each guard with the operation it stands before; `None` is all of them.
    pub guards: Vec<(Option<Operation>, Placed<RawGuard>)>,
}

/// A word, or a table with one key.
pub struct GuardShape;

/// A list of guards for all routes, or a table with a list for each operation.
pub struct GuardsShape;

/// So many requests in a time: `60/min`.
struct Rate;

const WORDS: [(&str, RawGuard); 2] = [
    ("active_subscription", RawGuard::ActiveSubscription),
    ("fresh_session", RawGuard::FreshSession),
];

const PERIODS: [(&str, u64); 4] = [("s", 1), ("min", 60), ("h", 3_600), ("d", 86_400)];

impl Shape for GuardsShape {
    type Value = RawGuards;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<RawGuards> {
        match value {
            DeValue::Array(_) => {
                let listed = guards_of_all().read(value, place, errors)?;
                Some(RawGuards { guards: listed.into_iter().map(|guard| (None, guard)).collect() })
            }
            DeValue::Table(_) => by_operation().read(value, place, errors),
            other => wrong_type("a list of guards, or a table of such lists", other, place, errors),
        }
    }

    fn describe(&self) -> Value {
        json!({ "anyOf": [guards_of_all().describe(), by_operation().describe()] })
    }
}

fn guards_of_all() -> List<GuardShape> {
    List(GuardShape, 0..=50)
}

fn by_operation() -> Record<RawGuards> {
    Record {
        name: "a table of guards",
        read: |table| {
            let mut guards = Vec::new();
            for operation in Operation::ALL {
                let about = format!("What stands before the route `{}`.", operation.as_str());
                let listed = table.optional(operation.as_str(), &about, guards_of_all());
                let listed = listed.into_iter().flat_map(|listed| listed.value);
                guards.extend(listed.map(|guard| (Some(operation), guard)));
            }
            RawGuards { guards }
        },
    }
}

impl Shape for GuardShape {
    type Value = RawGuard;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<RawGuard> {
        let word = match value {
            DeValue::String(word) => word,
            DeValue::Table(_) => return one_of().read(value, place, errors)?,
            other => return wrong_type("a guard", other, place, errors),
        };
        let guard = WORDS.iter().find(|(name, _)| *name == word.as_ref());
        if guard.is_none() {
            errors.push(unknown_guard(word, place));
        }
        guard.map(|(_, guard)| guard.clone())
    }

    fn describe(&self) -> Value {
        let words = WORDS.map(|(word, _)| word);
        let mut table = one_of().describe();
        if let Value::Object(table) = &mut table {
            table.insert("minProperties".to_owned(), json!(1));
            table.insert("maxProperties".to_owned(), json!(1));
        }
        described("A guard.", json!({ "anyOf": [{ "enum": words }, table] }))
    }
}

fn unknown_guard(word: &str, place: &Place) -> SpecError {
    match word {
        "feature" | "flag" | "limit" | "rate_limit" => {
            let problem = Problem::BadText { found: quoted(word), expected: "a guard by itself" };
            let help = format!("write `{{ {word} = \"…\" }}`");
            SpecError::new(place.clone(), problem).help(help)
        }
        _ => unknown_word(word, WORDS.iter().map(|(name, _)| *name), place),
    }
}

fn one_of() -> Record<Option<RawGuard>> {
    Record { name: "a guard", read: guard }
}

fn guard(table: &mut Table<'_>) -> Option<RawGuard> {
    let feature = table
        .optional("feature", "The plan has this feature.", Line(1..=63))
        .map(RawGuard::Feature);
    let limit = table
        .optional("limit", "The plan allows one more of this limit.", Line(1..=63))
        .map(RawGuard::Limit);
    let flag = table.optional("flag", "This flag is on.", Line(1..=63)).map(RawGuard::Flag);
    let rate = table.optional("rate_limit", "So many requests in a time: `60/min`.", Rate);
    let rate = rate.map(|rate| RawGuard::RateLimit { count: rate.value.0, per: rate.value.1 });

    let mut guards: Vec<RawGuard> = [feature, limit, flag, rate].into_iter().flatten().collect();
    if guards.len() > 1 {
        let sentence = "this is more than one guard".to_owned();
        let error = SpecError::new(table.place(), Problem::Inconsistent(sentence));
        table.report(error.help("write `[{ feature = \"…\" }, { limit = \"…\" }]`"));
    }
    if table.is_empty() {
        let sentence = "this is no guard".to_owned();
        let error = SpecError::new(table.place(), Problem::Inconsistent(sentence));
        table.report(error.help("write `{ feature = \"…\" }`"));
    }
    guards.pop()
}

impl Shape for Rate {
    type Value = (u32, Duration);

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Self::Value> {
        let text = super::shape::string(value, place, errors)?;
        let rate = text.split_once('/').and_then(|(count, period)| {
            let count = count.parse().ok().filter(|count| (1..=1_000_000).contains(count))?;
            let (_, seconds) = PERIODS.iter().find(|(name, _)| *name == period)?;
            Some((count, Duration::from_secs(*seconds)))
        });
        if rate.is_none() {
            let problem = Problem::BadText { found: quoted(text), expected: "a rate" };
            errors.push(SpecError::new(place.clone(), problem).help("write \"60/min\""));
        }
        rate
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^[1-9][0-9]{0,6}/(s|min|h|d)$" })
    }
}
