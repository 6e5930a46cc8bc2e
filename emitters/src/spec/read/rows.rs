//! What the lists and the deletions of entities ask of their fields.

use super::errors::Errors;
use crate::entity_filters::{OWN_PARAMETERS, filters, orders};
use crate::spec::error::{Place, Problem, SpecError};
use crate::spec::{Entity, Field, FieldKind, OnDelete, Relations};
use std::collections::HashMap;

/// Where each field of an entity stands in the file, by its name.
pub type Places = HashMap<String, Place>;

/// Reports parameters of a list that would have one name, and orders too.
pub fn check_parameters(entity: &Entity, places: &Places, errors: &mut Errors) {
    let mut taken: HashMap<String, Option<&Field>> =
        OWN_PARAMETERS.iter().map(|name| ((*name).to_owned(), None)).collect();
    for filter in filters(entity) {
        let field = filter.field();
        for parameter in filter.parameters() {
            match taken.get(&parameter) {
                None => {
                    taken.insert(parameter, Some(field));
                }
                Some(other) => {
                    let other = other.and_then(|other| places.get(other.name.as_str()));
                    errors.push(clash(&parameter, field, other, places));
                }
            }
        }
    }
    let mut members = HashMap::new();
    for (member, order) in orders(entity) {
        if let Some(other) = members.insert(member, order.clone()) {
            let sentence = format!("the orders `{other}` and `{order}` would be one `{member}`");
            let column = order.trim_start_matches('-');
            let field = entity.fields.iter().find(|field| field.column.as_str() == column);
            let place = field.and_then(|field| places.get(field.name.as_str()));
            let place = place.cloned().unwrap_or(0..0);
            let error = SpecError::new(place, Problem::Inconsistent(sentence));
            errors.push(error.help("rename the field, or leave out its `index` or `unique`"));
        }
    }
}

fn clash(parameter: &str, field: &Field, other: Option<&Place>, places: &Places) -> SpecError {
    let sentence = format!("two parameters of the list would be `{parameter}`");
    let place = places.get(field.name.as_str()).cloned().unwrap_or(0..0);
    let error = SpecError::new(place, Problem::Inconsistent(sentence));
    let error = match other {
        Some(other) => error.other(other.clone(), "the other one"),
        None => error,
    };
    error.help("a list is filtered by every field with an index: rename this one")
}

/// Reports rows that would be gone when what they belong to is restored.
pub fn check_cascades(
    entities: &[Entity],
    relations: &Relations,
    places: &[Places],
    errors: &mut Errors,
) {
    for (entity, places) in entities.iter().zip(places) {
        for field in entity.fields.iter().filter(|_| !entity.soft_delete) {
            let FieldKind::Reference(reference) = &field.kind else { continue };
            let owner = relations.places.get(&reference.to.name);
            let is_restorable = owner.is_some_and(|&owner| entities[owner].soft_delete);
            if reference.on_delete != OnDelete::Cascade || !is_restorable {
                continue;
            }
            let (name, owner) = (entity.names.name, reference.to.name);
            let sentence = format!("a deleted `{owner}` can be restored, and its `{name}` not");
            let place = places.get(field.name.as_str()).cloned().unwrap_or(0..0);
            let error = SpecError::new(place, Problem::Inconsistent(sentence));
            errors.push(error.help(format!(
                "write `soft_delete = true` for `{name}` too, or another `on_delete`"
            )));
        }
    }
}
