//! Parts of a TOML document, with comments where a value needs a reason.

use toml_edit::{Array, Item, Table, Value, value};

/// An element of a list, and the comment that says why it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element {
    /// The element.
    pub value: String,
    /// The comment behind it.
    pub reason: Option<&'static str>,
}

/// An element that needs no comment.
#[must_use]
pub fn element(value: impl Into<String>) -> Element {
    Element { value: value.into(), reason: None }
}

/// An element with a comment behind it.
#[must_use]
pub fn because(value: &str, reason: &'static str) -> Element {
    Element { value: value.to_owned(), reason: Some(reason) }
}

/// `[header]` with its entries, in order.
#[must_use]
pub fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Item)>) -> Item {
    let mut table = Table::new();
    for (key, item) in entries {
        table.insert(key, item);
    }
    Item::Table(table)
}

/// A table that is only there for the tables in it: it has no header.
#[must_use]
pub fn tables<'a>(entries: impl IntoIterator<Item = (&'a str, Item)>) -> Item {
    let mut item = table(entries);
    if let Item::Table(table) = &mut item {
        table.set_implicit(true);
    }
    item
}

/// A table with a comment above its header.
#[must_use]
pub fn explained(mut item: Item, reason: &str) -> Item {
    if let Item::Table(table) = &mut item {
        table.decor_mut().set_prefix(format!("\n# {reason}\n"));
    }
    item
}

/// A list on one line.
#[must_use]
pub fn list<'a>(values: impl IntoIterator<Item = &'a str>) -> Item {
    value(Array::from_iter(values))
}

/// A list with an element a line.
#[must_use]
pub fn lines(elements: impl IntoIterator<Item = Element>) -> Item {
    let mut list = Array::new();
    // A comment stands behind the comma, and so before what comes next.
    let mut before = String::new();
    for Element { value, reason } in elements {
        let mut value = Value::from(value);
        value.decor_mut().set_prefix(format!("{before}\n    "));
        list.push_formatted(value);
        before = reason.map(comment).unwrap_or_default();
    }
    list.set_trailing_comma(true);
    list.set_trailing(format!("{before}\n"));
    value(list)
}

fn comment(reason: &str) -> String {
    format!(" # {reason}")
}
