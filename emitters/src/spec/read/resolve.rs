//! Entities, with everything they refer to looked up.

use super::access::{Access, access};
use super::billing::RawBilling;
use super::claims::{Claim, Claims, Namespace};
use super::entity::RawEntity;
use super::errors::Errors;
use super::field::{RawField, RawKind};
use super::name::Entry;
use super::names::names;
use super::order::{self, Edges};
use super::table::Placed;
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{
    Entity, EntityNames, Enum, Field, FieldKind, Organizations, Reference, database, text,
};
use astgen_pyast::Name;
use std::collections::HashMap;

/// The entities, and the order in which their tables can be made.
pub struct Entities {
    pub entities: Vec<Entity>,
    pub creation_order: Vec<usize>,
    /// Which entity counts against a limit, and where it says so.
    pub limits: HashMap<Name, (EntityNames, Place)>,
}

/// All entities by what the file calls them; `None` for those whose names are bad.
type Known = HashMap<String, Option<EntityNames>>;

/// Looks everything up. What is wrong is left out, and reported.
pub fn entities(
    raws: Vec<Entry<RawEntity>>,
    organizations: &Organizations,
    billing: Option<&RawBilling>,
    errors: &mut Errors,
) -> Entities {
    let mut known = Known::with_capacity(raws.len());
    for entry in &raws {
        let names = names(entry, errors);
        known.insert(entry.key.value.clone(), names);
    }

    let mut claims = Claims::of_generated_project();
    let mut limits = HashMap::new();
    let mut places = Vec::with_capacity(raws.len());
    let mut entities = Vec::with_capacity(raws.len());
    for entry in raws {
        let (Some(Some(names)), Some(raw)) = (known.get(&entry.key.value), entry.value) else {
            continue;
        };
        claim(&mut claims, names, &entry.key.place, errors);
        let access = access(&raw, names, organizations, billing, &mut limits, errors);
        let (fields, field_places) = fields(raw.fields, names, &known, &mut claims, errors);
        if field_places.is_empty() {
            let sentence = format!("the entity `{}` has no fields", names.name);
            let help = "add one: `fields.title = { type = \"text\" }`";
            let error = SpecError::new(raw.place, Problem::Inconsistent(sentence));
            errors.push(error.help(help));
        }
        let Access { readers, writers, guards, limit } = access;
        let search = searched(&raw.search, &fields, errors);
        entities.push(Entity {
            names: names.clone(),
            description: raw.description,
            fields,
            readers,
            writers,
            guards,
            limit,
            soft_delete: raw.soft_delete,
            search,
        });
        places.push(field_places);
    }
    let creation_order = in_order(&mut entities, &places, errors);
    Entities { entities, creation_order, limits }
}

/// Takes the entity's names. One clash is told once, though it may be one of table and route too.
fn claim(claims: &mut Claims, names: &EntityNames, place: &Place, errors: &mut Errors) {
    let what = format!("the entity `{}`", names.name);
    let tenant_index = database::index(&names.table, "organization_id");
    let wanted = [
        (Namespace::Entity, "name", names.name.as_str()),
        (Namespace::Entity, "plural", names.plural.as_str()),
        (Namespace::Class, "class", names.class.as_str()),
        (Namespace::Class, "class", names.create_class.as_str()),
        (Namespace::Class, "class", names.update_class.as_str()),
        (Namespace::Class, "class", names.public_class.as_str()),
        (Namespace::Relation, "table", &names.table),
        (Namespace::Relation, "index", &tenant_index),
        (Namespace::Route, "route", &names.path),
        (Namespace::Router, "router", names.plural.as_str()),
    ];
    for (namespace, noun, text) in wanted {
        if !claims.claim(&Claim { namespace, noun, text, what: &what, place }, errors) {
            return;
        }
    }
}

/// The fields, and where each field of the file stands by its name.
fn fields(
    raws: Vec<Entry<Option<RawField>>>,
    names: &EntityNames,
    known: &Known,
    claims: &mut Claims,
    errors: &mut Errors,
) -> (Vec<Field>, HashMap<String, Place>) {
    let mut fields = Vec::with_capacity(raws.len());
    let mut places = HashMap::with_capacity(raws.len());
    let mut columns: HashMap<Name, Place> = HashMap::new();
    for Entry { key, name, value } in raws {
        places.insert(key.value, key.place.clone());
        let (Some(name), Some(Some(raw))) = (name, value) else {
            continue;
        };
        let Some(field) = field(name, &key.place, raw, names, known, claims, errors) else {
            continue;
        };
        let mut own = vec![field.name, field.column];
        own.dedup();
        for attribute in own {
            if let Some(other) = columns.insert(attribute, key.place.clone()) {
                errors.push(twice_in_class(attribute, &key.place, other, names));
            }
        }
        fields.push(field);
    }
    (fields, places)
}

fn twice_in_class(name: Name, place: &Place, other: Place, names: &EntityNames) -> SpecError {
    let sentence = format!("two fields would be the attribute `{name}` of `{}`", names.class);
    SpecError::new(place.clone(), Problem::Inconsistent(sentence))
        .other(other, "the other one")
        .help("a reference `project` has the column `project_id`: rename one of them")
}

fn field(
    name: Name,
    place: &Place,
    raw: RawField,
    names: &EntityNames,
    known: &Known,
    claims: &mut Claims,
    errors: &mut Errors,
) -> Option<Field> {
    let what = format!("the field `{}.{name}`", names.name);
    let column = match raw.kind {
        RawKind::Reference { .. } => Name::parse(&format!("{name}_id")).ok()?,
        RawKind::Done(_) | RawKind::Enum { .. } => name,
    };
    let kind = match raw.kind {
        RawKind::Done(kind) => kind,
        RawKind::Reference { to, on_delete } => {
            let to = Box::new(target(&to, known, errors)?);
            FieldKind::Reference(Reference { to, on_delete, is_deferred: false })
        }
        RawKind::Enum { values, default } => {
            let class =
                Name::parse(&format!("{}{}", names.class, text::pascal_case(name.as_str())))
                    .ok()?;
            let (namespace, noun, text) = (Namespace::Class, "class", class.as_str());
            claims.claim(&Claim { namespace, noun, text, what: &what, place }, errors);
            FieldKind::Enum(Enum { class, values, default })
        }
    };
    // Whether or not the spec asks for all of them: the longest of each kind has to fit.
    let relations = [
        ("index", database::index(&names.table, column.as_str())),
        ("constraint", database::unique(&names.table, column.as_str())),
    ];
    for (noun, text) in &relations {
        let namespace = Namespace::Relation;
        if !claims.claim(&Claim { namespace, noun, text, what: &what, place }, errors) {
            break;
        }
    }
    Some(Field {
        name,
        column,
        title: raw.title.unwrap_or_else(|| text::title(name.as_str())),
        description: raw.description,
        kind,
        optional: raw.optional,
        unique: raw.unique,
        index: raw.index,
    })
}

fn target(to: &Placed<String>, known: &Known, errors: &mut Errors) -> Option<EntityNames> {
    if let Some(names) = known.get(&to.value) {
        return names.clone();
    }
    let problem = Problem::UnknownName { what: "entity", name: quoted(&to.value) };
    let error = SpecError::new(to.place.clone(), problem);
    let near = match errors.is_full() {
        true => None,
        false => text::closest(&to.value, known.keys().map(String::as_str)),
    };
    errors.push(match to.value.as_str() {
        "user" | "organization" | "membership" => error.help(
            "a reference points at an entity of the spec, and not at what astgen brings with it",
        ),
        _ => error.suggest(near),
    });
    None
}

fn searched(names: &[Placed<String>], fields: &[Field], errors: &mut Errors) -> Vec<Name> {
    let is_text = |field: &&Field| {
        matches!(field.kind, FieldKind::Text(_) | FieldKind::Email | FieldKind::Url { .. })
    };
    let mut found = Vec::new();
    for Placed { value: written, place } in names {
        let known = || fields.iter().filter(is_text).map(|field| field.name);
        match known().find(|name| name.as_str() == written) {
            Some(name) => found.push(name),
            None => {
                let problem = Problem::UnknownName { what: "text field", name: quoted(written) };
                let near = text::closest(written, known().map(Name::as_str));
                errors.push(SpecError::new(place.clone(), problem).suggest(near));
            }
        }
    }
    found
}

/// The creation order. Reports cycles, and marks the references that go against the order.
fn in_order(
    entities: &mut [Entity],
    places: &[HashMap<String, Place>],
    errors: &mut Errors,
) -> Vec<usize> {
    let numbers: HashMap<Name, usize> =
        (0..).zip(entities.iter()).map(|(number, entity)| (entity.names.name, number)).collect();
    let edges = |only_required: bool| -> Edges {
        let targets = |entity: &Entity| {
            let wanted = entity.fields.iter().filter(|field| !only_required || !field.optional);
            wanted.filter_map(|field| target_number(field, &numbers)).collect()
        };
        entities.iter().map(targets).collect()
    };
    let (required, all) = (edges(true), edges(false));
    for cycle in order::cycles(&required) {
        errors.push(cycle_error(&cycle, entities, &numbers, places));
    }
    let order = order::creation_order(&required, &all);
    let mut positions = vec![0; order.len()];
    for (position, &number) in order.iter().enumerate() {
        positions[number] = position;
    }
    for (number, entity) in entities.iter_mut().enumerate() {
        for field in &mut entity.fields {
            let target = target_number(field, &numbers);
            if let (FieldKind::Reference(reference), Some(target)) = (&mut field.kind, target) {
                reference.is_deferred = positions[target] > positions[number];
            }
        }
    }
    order
}

fn target_number(field: &Field, numbers: &HashMap<Name, usize>) -> Option<usize> {
    match &field.kind {
        FieldKind::Reference(reference) => numbers.get(&reference.to.name).copied(),
        _ => None,
    }
}

fn cycle_error(
    cycle: &[usize],
    entities: &[Entity],
    numbers: &HashMap<Name, usize>,
    places: &[HashMap<String, Place>],
) -> SpecError {
    const SHOWN: usize = 8;
    let mut path = String::new();
    let mut place = 0..0;
    for (step, &number) in cycle.iter().enumerate() {
        let to = cycle[(step + 1) % cycle.len()];
        let points = |field: &&Field| !field.optional && target_number(field, numbers) == Some(to);
        let entity = &entities[number];
        let Some(field) = entity.fields.iter().find(points) else {
            continue;
        };
        if step == 0 {
            place = places[number].get(field.name.as_str()).cloned().unwrap_or(0..0);
        }
        match step {
            0..SHOWN => path += &format!("`{}.{}` needs a ", entity.names.name, field.name),
            SHOWN => path += "… which needs a ",
            _ => {}
        }
    }
    path += &format!("`{}`", entities[cycle[0]].names.name);
    SpecError::new(place, Problem::Cycle { path })
        .help("let one of the references be missing: `optional = true`")
}
