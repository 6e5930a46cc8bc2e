//! What the list of an entity can be filtered and sorted by: whatever the database finds quickly.

use crate::spec::{Entity, Field, FieldKind, text};
use astgen_pyast::Name;

/// A parameter of a list, or two of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Filter<'s> {
    /// Rows with one value: `?status=active`.
    Equal(&'s Field),
    /// Rows with a value from one to another: `?due_at_from=…&due_at_to=…`.
    Range(&'s Field),
}

impl<'s> Filter<'s> {
    /// The field.
    #[must_use]
    pub fn field(&self) -> &'s Field {
        let (Filter::Equal(field) | Filter::Range(field)) = self;
        field
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        match self {
            Filter::Equal(field) => vec![field.column.to_string()],
            Filter::Range(field) => {
                ["from", "to"].map(|end| format!("{}_{end}", field.column)).to_vec()
            }
        }
    }
}

/// The parameters of every list, and of those with a search or with rows that can be restored.
pub const OWN_PARAMETERS: [&str; 6] =
    ["limit", "cursor", "include_total", "sort", "search", "deleted"];

/// The filters of an entity's list: by what it points at, by enums and booleans, and by each field with
/// an index.
#[must_use]
pub fn filters(entity: &Entity) -> Vec<Filter<'_>> {
    entity.fields.iter().filter_map(filter).collect()
}

fn filter(field: &Field) -> Option<Filter<'_>> {
    match &field.kind {
        FieldKind::Reference(_) | FieldKind::Enum(_) | FieldKind::Boolean { .. } => {
            Some(Filter::Equal(field))
        }
        _ if !has_index(field) => None,
        FieldKind::Text(_) | FieldKind::Uuid | FieldKind::Email => Some(Filter::Equal(field)),
        FieldKind::Integer(_)
        | FieldKind::Decimal(_)
        | FieldKind::Money(_)
        | FieldKind::Date { .. }
        | FieldKind::DateTime { .. } => Some(Filter::Range(field)),
        FieldKind::Json { .. } | FieldKind::Url { .. } => None,
    }
}

/// The fields that an entity's list can be sorted by.
#[must_use]
pub fn sortable(entity: &Entity) -> Vec<&Field> {
    let has_order = |field: &&Field| {
        !matches!(
            field.kind,
            FieldKind::Reference(_)
                | FieldKind::Uuid
                | FieldKind::Json { .. }
                | FieldKind::Url { .. }
        )
    };
    entity.fields.iter().filter(|field| has_index(field)).filter(has_order).collect()
}

/// The orders: each value of `sort`, and its member of the enum.
#[must_use]
pub fn orders(entity: &Entity) -> Vec<(Name, String)> {
    let fields = sortable(entity).into_iter().map(|field| field.column.as_str());
    ["created_at"].into_iter().chain(fields).flat_map(both_ways).collect()
}

fn both_ways(column: &str) -> [(Name, String); 2] {
    let constant = text::constant(column).unwrap_or_else(|| column.to_owned());
    [(constant.clone(), column.to_owned()), (format!("{constant}_REVERSED"), format!("-{column}"))]
        .map(|(member, value)| {
            let member = Name::parse(&member);
            (member.unwrap_or_else(|_| unreachable!("a column in capitals is a name")), value)
        })
}

fn has_index(field: &Field) -> bool {
    field.index || field.unique
}
