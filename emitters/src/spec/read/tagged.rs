//! Tables whose keys depend on one of them.

use super::errors::Errors;
use super::shape::{Choice, Shape, wrong_type};
use super::table::Table;
use crate::spec::error::Place;
use serde_json::{Value, json};
use toml::de::DeValue;

/// A table in which one key, the tag, says which others there are.
pub struct Tagged<K: 'static, T> {
    pub name: &'static str,
    pub tag: &'static str,
    pub about: &'static str,
    pub kinds: &'static [(&'static str, K)],
    pub read: fn(K, &mut Table<'_>) -> T,
}

impl<K: Copy + PartialEq, T> Shape for Tagged<K, T> {
    type Value = T;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<T> {
        let DeValue::Table(entries) = value else {
            return wrong_type("a table", value, place, errors);
        };
        let mut table = Table::reading(self.name, entries, place.clone(), errors);
        // Without a tag nothing is known of the other keys.
        let kind = table.required(self.tag, self.about, Choice(self.kinds))?;
        let read = (self.read)(kind.value, &mut table);
        table.finish();
        Some(read)
    }

    fn describe(&self) -> Value {
        // `oneOf` with whole tables instead of `if`: every editor completes it.
        let variants = self.kinds.iter().map(|(name, kind)| {
            let mut table = Table::describing(self.name);
            table.tag(self.tag, self.about, name);
            (self.read)(*kind, &mut table);
            table.schema()
        });
        json!({ "oneOf": variants.collect::<Vec<_>>() })
    }
}
