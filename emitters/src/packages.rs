//! `__init__.py` of the packages that hold nothing but modules.

use crate::entity_names;
use crate::models;
use crate::spec::Spec;
use crate::tests::entities::{self, Entities};
use astgen_pyast::prelude::*;

/// The modules.
#[must_use]
pub fn emit(spec: &Spec, known: &Entities<'_>) -> Vec<Module> {
    let packages = [
        ("app", format!("{}: the application.", spec.project.title)),
        ("app.api", "The routers, one per file.".to_owned()),
        ("app.core", "What every part of the application stands on.".to_owned()),
        ("app.schemas", "The shapes of requests and responses.".to_owned()),
        ("app.services", "The rules, one service per concept.".to_owned()),
        ("tests", "The tests of the application.".to_owned()),
    ];
    let entities = spec.entities.iter().map(|entity| entity_names::model(&entity.names));
    let tables = models::package::emit(spec, entities);
    let plain = packages.into_iter().map(|(name, docstring)| module(name).docstring(docstring));
    plain.chain([tables]).chain(entities::package(known)).collect()
}
