//! The first `astgen.toml` of a project.

use super::{read, text};

/// The starter's text; it holds the name of the project in one line and its title in another.
const STARTER: &str = include_str!("starter.toml");

/// A commented spec for a new project. Any name will do, such as that of a folder: what cannot be
/// the name of a project is made into one.
#[must_use]
pub fn starter(name: &str) -> String {
    let name = project_name(name);
    let title = read::title_of(&name);
    STARTER.replacen("name = \"product\"", &format!("name = \"{name}\""), 1).replacen(
        "title = \"Product\"",
        &format!("title = \"{title}\""),
        1,
    )
}

fn project_name(folder: &str) -> String {
    let name = text::to_snake_case(folder).map(|name| name.replace('_', "-"));
    name.filter(|name| read::is_project_name(name)).unwrap_or_else(|| "product".to_owned())
}
