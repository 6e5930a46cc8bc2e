//! `[project]`.

use super::errors::Errors;
use super::shape::{Choice, Line, Shape, string};
use super::table::Table;
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{Project, PythonVersion, reserved, text};
use astgen_pyast::Name;
use serde_json::{Value, json};
use toml::de::DeValue;

const PYTHON_VERSIONS: &[(&str, PythonVersion)] = &[
    (PythonVersion::V3_11.as_str(), PythonVersion::V3_11),
    (PythonVersion::V3_12.as_str(), PythonVersion::V3_12),
    (PythonVersion::V3_13.as_str(), PythonVersion::V3_13),
];

/// The name of a project: lower case words between hyphens or underscores.
struct ProjectName;

/// Reads `[project]`.
pub fn project(table: &mut Table<'_>) -> Option<Project> {
    let name = table.required(
        "name",
        "The name of the project's folder and Python distribution: `acme-tracker`.",
        ProjectName,
    );
    let title = table.optional(
        "title",
        "What people read. By default the name with capitals.",
        Line(1..=120),
    );
    let description =
        table.or("description", "One sentence on the product.", Line(0..=500), String::new());
    let python = table.or(
        "python",
        "The oldest Python that the project supports.",
        Choice(PYTHON_VERSIONS),
        PythonVersion::V3_11,
    );

    let (name, identifier) = name?.value;
    let title = title.map_or_else(|| title_of(&name), |title| title.value);
    Some(Project { name, identifier, title, description, python })
}

/// The title of a project that names none: `Acme Tracker` for `acme-tracker`.
pub fn title_of(name: &str) -> String {
    let words: Vec<String> = name.split(['-', '_']).map(text::pascal_case).collect();
    words.join(" ")
}

/// Whether a text can be the name of a project.
pub fn is_project_name(text: &str) -> bool {
    let value = DeValue::String(text.into());
    ProjectName.read(&value, &(0..0), &mut Errors::default()).is_some()
}

impl Shape for ProjectName {
    type Value = (String, Name);

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Self::Value> {
        let written = string(value, place, errors)?;
        let what = "a project";
        let identifier = written.replace('-', "_");
        if written.len() > 63 || !text::is_snake_case(&identifier) {
            let reason = "it is not made of words in a to z and digits, with hyphens between them";
            let problem = Problem::BadName { name: quoted(written), what, reason };
            let better = text::to_snake_case(written).map(|name| name.replace('_', "-"));
            errors.push(SpecError::new(place.clone(), problem).suggest(better.as_deref()));
            return None;
        }
        let reason = match Name::parse(&identifier) {
            Ok(name) => match reserved::project(written) {
                None => return Some((written.to_owned(), name)),
                Some(reason) => reason,
            },
            Err(_) => "Python reserves the word",
        };
        let problem = Problem::ReservedName { name: quoted(written), what, reason };
        errors.push(SpecError::new(place.clone(), problem).help("choose another name"));
        None
    }

    fn describe(&self) -> Value {
        json!({ "type": "string", "pattern": "^[a-z][a-z0-9]*([-_][a-z0-9]+)*$", "maxLength": 63 })
    }
}
