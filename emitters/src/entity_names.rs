//! What the modules of an entity define, to be used from other modules.

use crate::spec::{EntityNames, Enum};
use astgen_pyast::{Import, Name};

/// The model: `Project` of `app.models.project`.
#[must_use]
pub fn model(names: &EntityNames) -> Import {
    defined(names.model_module, names.class)
}

/// An enum beside the model: `ProjectStatus`.
#[must_use]
pub fn enumeration(names: &EntityNames, choice: &Enum) -> Import {
    defined(names.model_module, choice.class)
}

/// The schema of a new row: `ProjectCreate`.
#[must_use]
pub fn create_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, names.create_class)
}

/// The schema of a change: `ProjectUpdate`.
#[must_use]
pub fn update_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, names.update_class)
}

/// The schema of an answer: `ProjectRead`.
#[must_use]
pub fn read_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, names.read_class)
}

/// The schema of a part of a list: `ProjectPage`.
#[must_use]
pub fn page_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, names.page_class)
}

/// The parameters of a list: `ProjectQuery`.
#[must_use]
pub fn query_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, suffixed(names, "Query"))
}

/// The orders of a list: `ProjectSort`.
#[must_use]
pub fn sort_enum(names: &EntityNames) -> Import {
    defined(names.schema_module, suffixed(names, "Sort"))
}

/// The schema of new rows: `ProjectBulkCreate`.
#[must_use]
pub fn bulk_create_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, suffixed(names, "BulkCreate"))
}

/// The schema of the answer to them: `ProjectBulk`.
#[must_use]
pub fn bulk_schema(names: &EntityNames) -> Import {
    defined(names.schema_module, suffixed(names, "Bulk"))
}

/// The name of a class beside the model's: `ProjectQuery`.
fn suffixed(names: &EntityNames, suffix: &str) -> Name {
    Name::parse(&format!("{}{suffix}", names.class)).unwrap_or(names.class)
}

/// The rules as a dependency of a route: `ProjectServiceDep`.
#[must_use]
pub fn service_dependency(names: &EntityNames) -> Import {
    defined(names.service_module, names.service_dependency)
}

/// `create_project`: two identifiers with `_` between them are one, and no reserved word.
#[must_use]
pub fn joined(first: &str, second: Name) -> Name {
    Name::parse(&format!("{first}_{second}")).unwrap_or(second)
}

/// The id of the region of a definition: `models.project.Project`.
#[must_use]
pub fn region(module: &str, definition: Name) -> String {
    format!("{}.{definition}", module.strip_prefix("app.").unwrap_or(module))
}

fn defined(module: &'static str, name: Name) -> Import {
    Import { module, name: Some(name), alias: None }
}

/// A name between two texts: `test_` + `tasks` + `_refuse_strangers`.
///
/// # Panics
/// When the whole is no identifier: a mistake in the emitter.
#[must_use]
pub fn framed(before: &str, name: Name, after: &str) -> Name {
    Name::parse(&format!("{before}{name}{after}")).expect("the parts make an identifier")
}
