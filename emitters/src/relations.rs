//! Who points at whom, seen from the entity that is pointed at.

use crate::spec::{Entity, EntityNames, Field, FieldKind, OnDelete, Reference, Spec};

/// Every reference to an entity, with the entity and the field that have it.
pub fn pointing_at<'s>(
    spec: &'s Spec,
    names: &EntityNames,
) -> impl Iterator<Item = (&'s Entity, &'s Field, &'s Reference)> {
    let places = spec.relations.pointing_at.get(&names.name).into_iter().flatten();
    places.filter_map(|place| {
        let entity = &spec.entities[place.entity];
        let field = &entity.fields[place.field];
        match &field.kind {
            FieldKind::Reference(reference) => Some((entity, field, reference)),
            _ => None,
        }
    })
}

/// The columns that point at an entity and have one thing happen to their rows when it is deleted.
pub fn columns_pointing_at<'s>(
    spec: &'s Spec,
    names: &EntityNames,
    on_delete: OnDelete,
) -> impl Iterator<Item = (&'s Entity, &'s Field)> {
    pointing_at(spec, names)
        .filter(move |(.., reference)| reference.on_delete == on_delete)
        .map(|(entity, field, _)| (entity, field))
}

/// Whether any entity points at this one, itself included.
#[must_use]
pub fn is_referenced(spec: &Spec, names: &EntityNames) -> bool {
    pointing_at(spec, names).next().is_some()
}

/// Whether rows of an entity take others with them when they are deleted.
#[must_use]
pub fn has_dependents(spec: &Spec, names: &EntityNames) -> bool {
    pointing_at(spec, names).any(|(.., reference)| reference.on_delete == OnDelete::Cascade)
}

/// The entities whose rows keep a row, or what would be deleted with it, from being deleted.
#[must_use]
pub fn restricting<'s>(spec: &'s Spec, names: &'s EntityNames) -> Vec<&'s EntityNames> {
    let mut found: Vec<&EntityNames> = Vec::new();
    let mut deleted = vec![names];
    let mut next = 0;
    while let Some(names) = deleted.get(next).copied() {
        for (entity, _, reference) in pointing_at(spec, names) {
            let known = match reference.on_delete {
                OnDelete::Cascade => &mut deleted,
                OnDelete::Restrict => &mut found,
                OnDelete::SetNull => continue,
            };
            if !known.iter().any(|known| known.name == entity.names.name) {
                known.push(&entity.names);
            }
        }
        next += 1;
    }
    found
}
