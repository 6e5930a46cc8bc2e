//! What the product is called.

use astgen_pyast::Name;
use serde::Serialize;

/// The product and its Python.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    /// The name of the folder and of the Python distribution: `acme-tracker`.
    pub name: String,
    /// The same as a Python and SQL identifier: `acme_tracker`.
    #[serde(serialize_with = "super::as_text")]
    pub identifier: Name,
    /// What people read: `Acme Tracker`. Any printable Unicode.
    pub title: String,
    /// One sentence on the product; may be empty.
    pub description: String,
    /// The oldest Python that the project supports.
    pub python: PythonVersion,
}

/// The oldest Python that a project supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum PythonVersion {
    /// Python 3.11.
    V3_11,
    /// Python 3.12.
    V3_12,
    /// Python 3.13.
    V3_13,
}

impl PythonVersion {
    /// The version as in `requires-python`: `3.11`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            PythonVersion::V3_11 => "3.11",
            PythonVersion::V3_12 => "3.12",
            PythonVersion::V3_13 => "3.13",
        }
    }
}
