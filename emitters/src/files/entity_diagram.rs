//! The entities of a product as a picture: what an organization keeps, and how it hangs together.

use super::markdown::Block;
use super::mermaid::{
    Attribute, Count, Diagram, Entity, EntityDiagram, Key, LONGEST, Relation, print,
};
use crate::migrations::columns::ColumnKind;
use crate::migrations::entities::entity_table;
use crate::migrations::fixed::fixed_tables;
use crate::migrations::table::{Column, Table};
use crate::spec::{self, FieldKind, OnDelete, Spec};
use astgen_pyast::{Name, name};
use std::cmp::Reverse;
use std::collections::HashMap;

/// The entities of the largest picture that people can read.
const MOST_ENTITIES: usize = 60;

/// The tables of every project that are drawn.
const FIXED: [&str; 4] = ["organizations", "users", "memberships", "files"];

/// What is drawn of them, beside their keys: the rest is not what entities are about.
const SHOWN: [&str; 7] =
    ["name", "email", "role", "plan", "subscription_status", "content_type", "size"];

/// The columns that tables have without being asked: no picture shows them.
const EVERYWHERE: [&str; 4] = ["created_at", "updated_at", "row_version", "deleted_at"];

/// The picture, and how many of the entities are in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// The picture itself.
    pub block: Block,
    /// How many entities of the spec are drawn.
    pub entities: usize,
    /// Whether they are drawn with what their rows have.
    pub has_attributes: bool,
}

/// A table, and what is drawn of it.
struct Drawn {
    table: Table,
    attributes: Vec<Attribute>,
    is_entity: bool,
}

/// The picture of all entities; where they are too many for one, that of those with most references.
#[must_use]
pub fn picture(spec: &Spec) -> Picture {
    let all = spec.entities.len();
    let whole = (all <= MOST_ENTITIES).then_some((all, true));
    let halves = std::iter::successors(Some(all.min(MOST_ENTITIES)), |most| {
        (*most > 0).then_some(*most / 2)
    });
    let mut choices = whole.into_iter().chain(halves.map(|most| (most, false)));
    let picture = choices.find_map(|(entities, has_attributes)| {
        let diagram = Diagram::Entities(diagram(spec, entities, has_attributes));
        let is_short = print(&diagram).chars().count() <= LONGEST;
        is_short.then_some(Picture { block: Block::Diagram(diagram), entities, has_attributes })
    });
    picture.unwrap_or_else(|| unreachable!("a picture of no entity is short"))
}

fn diagram(spec: &Spec, most: usize, has_attributes: bool) -> EntityDiagram {
    let fixed = fixed_tables(spec).into_iter().map(|(_, table)| table);
    let fixed = fixed.filter(|table| FIXED.contains(&table.name.as_str())).map(drawn_table);
    let entities = most_referred(spec, most).into_iter().map(|entity| drawn_entity(entity, spec));
    let drawn: Vec<Drawn> = fixed.chain(entities).collect();
    let relations = drawn.iter().flat_map(|it| relations(it, &drawn)).collect();
    let entities = drawn.into_iter().map(|Drawn { table, attributes, is_entity: _ }| Entity {
        name: table.name,
        attributes: if has_attributes { attributes } else { Vec::new() },
    });
    EntityDiagram { entities: entities.collect(), relations }
}

/// The entities that have and are the goal of most references, in the order of the spec.
fn most_referred(spec: &Spec, most: usize) -> Vec<&spec::Entity> {
    let mut counts: HashMap<Name, usize> = HashMap::new();
    for entity in &spec.entities {
        for target in entity.references() {
            *counts.entry(entity.names.name).or_default() += 1;
            *counts.entry(target.name).or_default() += 1;
        }
    }
    let count = |entity: &spec::Entity| counts.get(&entity.names.name).copied().unwrap_or(0);
    let mut chosen: Vec<(usize, &spec::Entity)> = spec.entities.iter().enumerate().collect();
    chosen.sort_by_key(|(_, entity)| Reverse(count(entity)));
    chosen.truncate(most);
    chosen.sort_by_key(|(place, _)| *place);
    chosen.into_iter().map(|(_, entity)| entity).collect()
}

fn drawn_table(table: Table) -> Drawn {
    let attributes = table.columns.iter().filter_map(|column| {
        let is_unique = table.unique.iter().any(|columns| *columns == [column.name.as_str()]);
        let mut attribute = own_attribute(&table, column)?;
        attribute.keys.extend(is_unique.then_some(Key::Unique));
        let is_shown = is_key(&attribute) || SHOWN.contains(&column.name.as_str());
        is_shown.then_some(attribute)
    });
    let attributes = attributes.collect();
    Drawn { table, attributes, is_entity: false }
}

fn drawn_entity(entity: &spec::Entity, spec: &Spec) -> Drawn {
    let table = entity_table(entity, spec);
    let attributes = table.columns.iter().filter_map(|column| {
        match entity.fields.iter().find(|field| field.column.as_str() == column.name) {
            Some(field) => attribute(&table, column, field_word(&field.kind), field.unique),
            None => own_attribute(&table, column),
        }
    });
    let attributes = attributes.collect();
    Drawn { table, attributes, is_entity: true }
}

/// The attribute of a column that no spec names, unless every table has it.
fn own_attribute(table: &Table, column: &Column) -> Option<Attribute> {
    let is_everywhere = EVERYWHERE.contains(&column.name.as_str());
    if is_everywhere { None } else { attribute(table, column, column_word(column.kind), false) }
}

fn attribute(table: &Table, column: &Column, kind: Name, is_unique: bool) -> Option<Attribute> {
    let is_foreign = table.foreign_keys.iter().any(|key| key.columns.last() == Some(&column.name));
    let keys =
        [(column.name == "id", Key::Primary), (is_foreign, Key::Foreign), (is_unique, Key::Unique)];
    let keys = keys.into_iter().filter_map(|(is_so, key)| is_so.then_some(key)).collect();
    Some(Attribute { kind, name: Name::parse(&column.name).ok()?, keys })
}

fn is_key(attribute: &Attribute) -> bool {
    attribute.keys.iter().any(|key| matches!(key, Key::Primary | Key::Foreign))
}

/// The relations of a table to those that are drawn.
fn relations(drawn: &Drawn, all: &[Drawn]) -> Vec<Relation> {
    let Drawn { table, attributes, is_entity } = drawn;
    let columns = attributes.iter().filter(|attribute| attribute.keys.contains(&Key::Foreign));
    let relations = columns.filter_map(|attribute| {
        let column = table.columns.iter().find(|it| it.name == attribute.name.as_str())?;
        // Of two foreign keys of one column, the first says what happens.
        let key = table.foreign_keys.iter().find(|it| it.columns.last() == Some(&column.name))?;
        let target = all.iter().find(|it| it.table.name.as_str() == key.target)?;
        let is_unique = attribute.keys.contains(&Key::Unique);
        Some(Relation {
            to: target.table.name,
            to_count: if column.is_optional { Count::ZeroOrOne } else { Count::One },
            from_count: if is_unique { Count::ZeroOrOne } else { Count::Any },
            from: table.name,
            label: format!("{}, {}", column.name, on_delete(key.on_delete)),
        })
    });
    let relations: Vec<Relation> = relations.collect();
    // What has to point at a row of its organization is drawn below that.
    let is_above = |to: Name| all.iter().any(|it| it.is_entity && it.table.name == to);
    let is_below = *is_entity
        && relations
            .iter()
            .any(|it| it.to_count == Count::One && it.to != it.from && is_above(it.to));
    let is_shown = |relation: &Relation| !(is_below && relation.to.as_str() == "organizations");
    relations.into_iter().filter(is_shown).collect()
}

/// What happens to a row when the one it points at is deleted.
fn on_delete(action: Option<OnDelete>) -> &'static str {
    match action {
        Some(OnDelete::Cascade) => "cascade",
        Some(OnDelete::SetNull) => "set null",
        Some(OnDelete::Restrict) | None => "restrict",
    }
}

/// What the spec calls the type of a field.
fn field_word(kind: &FieldKind) -> Name {
    match kind {
        FieldKind::Text(_) => name("text"),
        FieldKind::Integer(_) => name("integer"),
        FieldKind::Decimal(_) => name("decimal"),
        FieldKind::Boolean { .. } => name("boolean"),
        FieldKind::Date { .. } => name("date"),
        FieldKind::DateTime { .. } => name("datetime"),
        FieldKind::Enum(_) => name("enum"),
        FieldKind::Json { .. } => name("json"),
        FieldKind::Email => name("email"),
        FieldKind::Url { .. } => name("url"),
        FieldKind::Money(_) => name("money"),
        FieldKind::Uuid | FieldKind::Reference(_) => name("uuid"),
    }
}

/// What the spec would call the type of a column.
fn column_word(kind: ColumnKind) -> Name {
    match kind {
        ColumnKind::Uuid => name("uuid"),
        ColumnKind::Moment => name("datetime"),
        ColumnKind::String(_) | ColumnKind::Text => name("text"),
        ColumnKind::Boolean => name("boolean"),
        ColumnKind::Integer | ColumnKind::BigInteger => name("integer"),
        ColumnKind::Date => name("date"),
        ColumnKind::Json => name("json"),
        ColumnKind::Decimal { .. } => name("decimal"),
    }
}
