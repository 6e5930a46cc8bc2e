//! `backend/.spectral.yaml`: what the description of the interface is held to.

use super::yaml::{list, map, print};
use crate::{Content, Generated};

/// The file.
#[must_use]
pub fn emit() -> Generated {
    let rules = map([("extends", list(["spectral:oas"]))]);
    Generated { path: "backend/.spectral.yaml".to_owned(), content: Content::Text(print(&rules)) }
}
