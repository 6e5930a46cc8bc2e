//! What an emitted node carries beside its syntax: comments, a region, the import it brings.

use crate::name::Import;
use rustpython_ast::text_size::TextRange;

/// The annotation of a node of an emitted tree. Parsed trees carry a `TextRange` in its place.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Annotation {
    /// Comments and region; boxed, because few nodes have any.
    pub trivia: Option<Box<Trivia>>,
    /// The import that a name brings; boxed, because most nodes are something else.
    pub import: Option<Box<Import>>,
}

/// Comments around a statement, and the region it makes up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trivia {
    /// Comment lines above the node, without `#`.
    pub leading: Vec<String>,
    /// The comment at the end of the node's (first) line, without `#`.
    pub trailing: Option<String>,
    /// An empty line above the node, where the layout rules ask for none: a paragraph begins.
    pub blank_line: bool,
    /// The region that this statement makes up.
    pub region: Option<Region>,
}

/// A named generated definition, printed between `# astgen:begin` and `# astgen:end` comments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    /// Stable across versions of the generator: `api.invitations.create_invitation`.
    pub id: String,
}

/// A node annotation that the printer can read.
pub trait Annotated {
    /// The annotation of an emitted node; `None` for a parsed or erased one.
    fn annotation(&self) -> Option<&Annotation>;
}

impl Annotated for Annotation {
    fn annotation(&self) -> Option<&Annotation> {
        Some(self)
    }
}

impl Annotated for TextRange {
    fn annotation(&self) -> Option<&Annotation> {
        None
    }
}

impl Annotated for () {
    fn annotation(&self) -> Option<&Annotation> {
        None
    }
}
