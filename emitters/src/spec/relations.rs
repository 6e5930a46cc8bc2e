//! Who points at whom, found once: a spec may have many thousand entities, each of which asks.

use super::{Entity, FieldKind};
use astgen_pyast::Name;
use std::collections::HashMap;

/// The places of entities, and of the references to them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relations {
    /// The place of each entity in [`super::Spec::entities`].
    pub places: HashMap<Name, usize>,
    /// For each entity the references to it, in the order of the file.
    pub pointing_at: HashMap<Name, Vec<FieldPlace>>,
}

/// Where a field stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldPlace {
    /// The place of its entity in [`super::Spec::entities`].
    pub entity: usize,
    /// Its place in [`Entity::fields`].
    pub field: usize,
}

impl Relations {
    /// The relations of all entities of a spec.
    #[must_use]
    pub fn of(entities: &[Entity]) -> Relations {
        let mut relations = Relations::default();
        for (entity, one) in entities.iter().enumerate() {
            relations.places.insert(one.names.name, entity);
            for (field, kind) in one.fields.iter().map(|field| &field.kind).enumerate() {
                let FieldKind::Reference(reference) = kind else { continue };
                let known = relations.pointing_at.entry(reference.to.name).or_default();
                known.push(FieldPlace { entity, field });
            }
        }
        relations
    }
}
