//! Who points at whom, seen from the entity that is pointed at.

use crate::spec::{Entity, EntityNames, Field, FieldKind, OnDelete, Reference, Spec};

/// Every reference to an entity, with the entity that has it.
pub fn pointing_at<'s>(
    spec: &'s Spec,
    names: &EntityNames,
) -> impl Iterator<Item = (&'s Entity, &'s Reference)> {
    let fields =
        spec.entities.iter().flat_map(|entity| entity.fields.iter().map(move |f| (entity, f)));
    fields.filter_map(|(entity, field)| match &field.kind {
        FieldKind::Reference(reference) if reference.to.name == names.name => {
            Some((entity, reference))
        }
        _ => None,
    })
}

/// The columns that point at an entity and have one thing happen to their rows when it is deleted.
pub fn columns_pointing_at<'s>(
    spec: &'s Spec,
    names: &'s EntityNames,
    on_delete: OnDelete,
) -> impl Iterator<Item = (&'s Entity, &'s Field)> {
    let fields =
        spec.entities.iter().flat_map(|entity| entity.fields.iter().map(move |f| (entity, f)));
    fields.filter(move |(_, field)| match &field.kind {
        FieldKind::Reference(reference) => {
            reference.to.name == names.name && reference.on_delete == on_delete
        }
        _ => false,
    })
}

/// Whether rows of an entity take others with them when they are deleted.
#[must_use]
pub fn has_dependents(spec: &Spec, names: &EntityNames) -> bool {
    pointing_at(spec, names).any(|(_, reference)| reference.on_delete == OnDelete::Cascade)
}

/// The entities whose rows keep a row, or what would be deleted with it, from being deleted.
#[must_use]
pub fn restricting<'s>(spec: &'s Spec, names: &'s EntityNames) -> Vec<&'s EntityNames> {
    let mut found: Vec<&EntityNames> = Vec::new();
    let mut deleted = vec![names];
    let mut next = 0;
    while let Some(names) = deleted.get(next).copied() {
        for (entity, reference) in pointing_at(spec, names) {
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
