//! A generated file.

use astgen_pyast::{Module, print};

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

/// A file of the project, printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Relative to the project's folder, with `/`.
    pub path: String,
    /// The whole file.
    pub text: String,
}

impl Generated {
    /// The text of the file. For a Python module, this is where it is printed.
    #[must_use]
    pub fn text(&self) -> String {
        self.clone().into_printed().text
    }

    /// Prints the file; its tree is used up.
    #[must_use]
    pub fn into_printed(self) -> Printed {
        let text = match self.content {
            Content::Python(module) => print(&module.into_statements()),
            Content::Text(text) => text,
        };
        Printed { path: self.path, text }
    }
}
