//! A generated file.

use astgen_pyast::{Module, print_module};

/// A file of the project, not yet printed.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// Relative to the project's folder, with `/`.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a generated file.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A Python module.
    Python(Module),
    /// The text of a file of another kind, made by that format's own serializer.
    Text(String),
}

impl Generated {
    /// The text of the file. For a Python module, this is where it is printed.
    #[must_use]
    pub fn text(&self) -> String {
        match &self.content {
            Content::Python(module) => print_module(module),
            Content::Text(text) => text.clone(),
        }
    }
}
