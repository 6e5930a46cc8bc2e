//! Entities, with everything they refer to looked up.

use super::access::{Access, access};
use super::billing::RawBilling;
use super::claims::{Claim, Claims, Namespace};
use super::entity::RawEntity;
use super::errors::Errors;
use super::field::{RawField, RawFile, RawKind};
use super::name::Entry;
use super::names::{names, of_files};
use super::order::{self, Edges};
use super::rows::{check_cascades, check_parameters};
use super::table::Placed;
use crate::spec::database::{self, TENANT};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{
    Entity, EntityNames, Enum, Field, FieldKind, File, Organizations, Reference, Relations,
    Storage, text,
};
use astgen_pyast::Name;
use std::collections::HashMap;

/// The entities, and the order in which their tables can be made.
pub struct Entities {
    pub entities: Vec<Entity>,
    pub creation_order: Vec<usize>,
    pub relations: Relations,
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
    storage: &Storage,
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
        let is_claimed = claim(&mut claims, names, &entry.key.place, errors);
        let access = access(&raw, names, organizations, billing, &mut limits, errors);
        let (fields, field_places) = fields(raw.fields, names, &known, storage, errors);
        if is_claimed {
            claim_fields(&mut claims, names, &fields, &field_places, errors);
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
            bulk_create: raw.bulk_create,
            requires_if_match: raw.requires_if_match,
            search,
        });
        if let Some(entity) = entities.last() {
            check_parameters(entity, &field_places, errors);
        }
        places.push(field_places);
    }
    let relations = Relations::of(&entities);
    check_cascades(&entities, &relations, &places, errors);
    let creation_order = in_order(&mut entities, &relations.places, &places, errors);
    Entities { entities, creation_order, relations, limits }
}

/// Takes the entity's names. One clash is told once, though it may be one of table and route too.
fn claim(claims: &mut Claims, names: &EntityNames, place: &Place, errors: &mut Errors) -> bool {
    let what = format!("the entity `{}`", names.name);
    let [query, sort, bulk_create, bulk] =
        ["Query", "Sort", "BulkCreate", "Bulk"].map(|suffix| format!("{}{suffix}", names.class));
    let tenant_index = database::index(&names.table, &[TENANT, "created_at", "id"]);
    let tenant_key = database::unique(&names.table, &[TENANT, "id"]);
    let wanted = [
        (Namespace::Entity, "name", names.name.as_str()),
        (Namespace::Entity, "plural", names.plural.as_str()),
        (Namespace::Class, "class", names.class.as_str()),
        (Namespace::Class, "class", names.create_class.as_str()),
        (Namespace::Class, "class", names.update_class.as_str()),
        (Namespace::Class, "class", names.read_class.as_str()),
        (Namespace::Class, "class", names.page_class.as_str()),
        (Namespace::Class, "class", &query),
        (Namespace::Class, "class", &sort),
        (Namespace::Class, "class", &bulk_create),
        (Namespace::Class, "class", &bulk),
        (Namespace::Relation, "table", &names.table),
        (Namespace::Relation, "index", &tenant_index),
        (Namespace::Relation, "constraint", &tenant_key),
        (Namespace::Route, "route", &names.path),
        (Namespace::Router, "router", names.plural.as_str()),
    ];
    for (namespace, noun, text) in wanted {
        if !claims.claim(&Claim { namespace, noun, text, what: &what, place }, errors) {
            return false;
        }
    }
    true
}

/// Takes the names of what stands beside the table because of a field.
fn claim_fields(
    claims: &mut Claims,
    names: &EntityNames,
    fields: &[Field],
    places: &HashMap<String, Place>,
    errors: &mut Errors,
) {
    for field in fields {
        let Some(place) = places.get(field.name.as_str()) else { continue };
        let what = format!("the field `{}.{}`", names.name, field.name);
        let column = field.column.as_str();
        // Whether or not the spec asks for all of them: a later one may.
        let index = database::index(&names.table, &[TENANT, column]);
        let global_index = database::index(&names.table, &[column]);
        let unique = database::unique(&names.table, &[TENANT, column]);
        let mut wanted = vec![
            (Namespace::Relation, "index", index.as_str()),
            (Namespace::Relation, "index", global_index.as_str()),
            (Namespace::Relation, "constraint", unique.as_str()),
        ];
        if let FieldKind::Enum(kind) = &field.kind {
            wanted.push((Namespace::Class, "class", kind.class.as_str()));
        }
        for (namespace, noun, text) in wanted {
            if !claims.claim(&Claim { namespace, noun, text, what: &what, place }, errors) {
                break;
            }
        }
    }
}

/// The fields, and where each field of the file stands by its name.
fn fields(
    raws: Option<Placed<Vec<Entry<Option<RawField>>>>>,
    names: &EntityNames,
    known: &Known,
    storage: &Storage,
    errors: &mut Errors,
) -> (Vec<Field>, HashMap<String, Place>) {
    let Some(raws) = raws else { return (Vec::new(), HashMap::new()) };
    if raws.value.is_empty() {
        let sentence = format!("the entity `{}` has no fields", names.name);
        let error = SpecError::new(raws.place, Problem::Inconsistent(sentence));
        errors.push(error.help("add one: `title = { type = \"text\" }`"));
    }
    let mut fields = Vec::with_capacity(raws.value.len());
    let mut places = HashMap::with_capacity(raws.value.len());
    let mut attributes: HashMap<Name, Place> = HashMap::new();
    for Entry { key, name, value } in raws.value {
        let (Some(name), Some(Some(raw))) = (name, value) else { continue };
        let Some(field) = field(name, &key.place, raw, names, known, storage, errors) else {
            continue;
        };
        let mut own = vec![field.name, field.column];
        own.dedup();
        let taken = own.iter().find_map(|name| Some((*name, attributes.get(name)?.clone())));
        if let Some((attribute, other)) = taken {
            errors.push(twice_in_class(attribute, &key.place, other, names));
            continue;
        }
        attributes.extend(own.into_iter().map(|name| (name, key.place.clone())));
        places.insert(key.value, key.place);
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
    storage: &Storage,
    errors: &mut Errors,
) -> Option<Field> {
    let (column, kind) = match raw.kind {
        RawKind::Done(kind) => (name, kind),
        RawKind::Reference { to, on_delete } => {
            let to = Box::new(target(&to, known, errors)?);
            let reference = Reference { to, on_delete, is_deferred: false, file: None };
            (reference_column(name, place, errors)?, FieldKind::Reference(reference))
        }
        RawKind::File(file) => {
            let to = Box::new(of_files()?);
            let (on_delete, file) = (file.on_delete, Some(kept(&file, storage, errors)?));
            let reference = Reference { to, on_delete, is_deferred: false, file };
            (reference_column(name, place, errors)?, FieldKind::Reference(reference))
        }
        RawKind::Enum { values, default } => {
            let class = format!("{}{}", names.class, text::pascal_case(name.as_str()));
            let class = Name::parse(&class).ok()?;
            (name, FieldKind::Enum(Enum { class, values, default }))
        }
    };
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

/// What a field takes of what the storage does.
fn kept(raw: &RawFile, storage: &Storage, errors: &mut Errors) -> Option<File> {
    let mut refuse = |place: &Place, sentence: String, help: String| {
        errors.push(SpecError::new(place.clone(), Problem::Inconsistent(sentence)).help(help));
    };
    let most = storage.max_file_size;
    if !storage.is_on() {
        let sentence = "no files are kept: the `backend` of `[storage]` is `off`".to_owned();
        refuse(&raw.place, sentence, "write `backend = \"local\"` or `\"s3\"` there".to_owned());
        return None;
    }
    let written = raw.max_size.as_ref();
    if let Some(Placed { value, place }) = written.filter(|size| size.value > most) {
        let sentence = format!("{value} bytes are more than the {most} that the storage takes");
        refuse(place, sentence, "write less, or a greater `max_file_size` in `[storage]`".into());
        return None;
    }
    let max_size = written.map_or(most, |size| size.value);
    Some(File { max_size, types: raw.types.clone() })
}

/// The column of a reference `project`: `project_id`.
fn reference_column(name: Name, place: &Place, errors: &mut Errors) -> Option<Name> {
    let column = Name::parse(&format!("{name}_id")).ok()?;
    let bytes = column.as_str().len();
    if bytes <= database::LONGEST_NAME {
        return Some(column);
    }
    let problem = Problem::NameTooLong { what: "column", name: column.to_string(), bytes };
    let error = SpecError::new(place.clone(), problem);
    errors.push(error.help("choose a shorter name for the field"));
    None
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
    numbers: &HashMap<Name, usize>,
    places: &[HashMap<String, Place>],
    errors: &mut Errors,
) -> Vec<usize> {
    let edges = |only_required: bool| -> Edges {
        let targets = |entity: &Entity| {
            let wanted = entity.fields.iter().filter(|field| !only_required || !field.optional);
            wanted.filter_map(|field| target_number(field, numbers)).collect()
        };
        entities.iter().map(targets).collect()
    };
    let (required, all) = (edges(true), edges(false));
    for cycle in order::cycles(&required) {
        errors.push(cycle_error(&cycle, entities, numbers, places));
    }
    let order = order::creation_order(&required, &all);
    let mut positions = vec![0; order.len()];
    for (position, &number) in order.iter().enumerate() {
        positions[number] = position;
    }
    for (number, entity) in entities.iter_mut().enumerate() {
        for field in &mut entity.fields {
            let target = target_number(field, numbers);
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
            0 => path += &format!("`{}.{}` needs a", entity.names.name, field.name),
            1..SHOWN => {
                path += &format!(" `{}`, whose `{}` needs a", entity.names.name, field.name)
            }
            SHOWN => path += " …",
            _ => {}
        }
    }
    path += &format!(" `{}`", entities[cycle[0]].names.name);
    SpecError::new(place, Problem::Cycle { path })
        .help("let one of the references be missing: `optional = true`")
}
