//! Comments, paragraphs and regions around statements.

use super::{ClassDef, FunctionDef};
use crate::Stmt;
use crate::annotation::{Annotation, Region, Trivia};

/// A node that stands on lines of its own, so that comments and regions can go around it.
pub trait Commented: Sized {
    /// The node's annotation.
    ///
    /// ```
    /// use astgen_pyast::make::{Commented, pass};
    /// assert!(pass().annotation_mut().trivia.is_none());
    /// ```
    fn annotation_mut(&mut self) -> &mut Annotation;

    /// A comment line above the node, without `#`.
    ///
    /// ```
    /// use astgen_pyast::{make::{Commented, pass}, print};
    /// assert_eq!(print(&[pass().comment("Nothing to do.")]), "# Nothing to do.\npass\n");
    /// ```
    #[must_use]
    fn comment(mut self, text: impl Into<String>) -> Self {
        trivia(&mut self).leading.push(text.into());
        self
    }

    /// A comment at the end of the node's first line, without `#`.
    ///
    /// ```
    /// use astgen_pyast::{make::{Commented, pass}, print};
    /// assert_eq!(print(&[pass().trailing_comment("why")]), "pass  # why\n");
    /// ```
    #[must_use]
    fn trailing_comment(mut self, text: impl Into<String>) -> Self {
        trivia(&mut self).trailing = Some(text.into());
        self
    }

    /// An empty line above the node: the first statement of a new paragraph.
    ///
    /// ```
    /// use astgen_pyast::{make::{Commented, pass}, print};
    /// assert_eq!(print(&[pass(), pass().paragraph()]), "pass\n\npass\n");
    /// ```
    #[must_use]
    fn paragraph(mut self) -> Self {
        trivia(&mut self).blank_line = true;
        self
    }

    /// Marks the node as the region `id`, whose name is stable across versions of the generator.
    ///
    /// ```
    /// use astgen_pyast::{make::{Commented, pass}, print};
    /// assert!(print(&[pass().region("api.ping")]).starts_with("# astgen:begin api.ping "));
    /// ```
    #[must_use]
    fn region(mut self, id: impl Into<String>) -> Self {
        trivia(&mut self).region = Some(Region { id: id.into() });
        self
    }
}

fn trivia(node: &mut impl Commented) -> &mut Trivia {
    node.annotation_mut().trivia.get_or_insert_default()
}

impl Commented for FunctionDef {
    fn annotation_mut(&mut self) -> &mut Annotation {
        &mut self.annotation
    }
}

impl Commented for ClassDef {
    fn annotation_mut(&mut self) -> &mut Annotation {
        &mut self.annotation
    }
}

impl Commented for Stmt {
    fn annotation_mut(&mut self) -> &mut Annotation {
        match self {
            Stmt::FunctionDef(node) => &mut node.range,
            Stmt::AsyncFunctionDef(node) => &mut node.range,
            Stmt::ClassDef(node) => &mut node.range,
            Stmt::Return(node) => &mut node.range,
            Stmt::Delete(node) => &mut node.range,
            Stmt::Assign(node) => &mut node.range,
            Stmt::TypeAlias(node) => &mut node.range,
            Stmt::AugAssign(node) => &mut node.range,
            Stmt::AnnAssign(node) => &mut node.range,
            Stmt::For(node) => &mut node.range,
            Stmt::AsyncFor(node) => &mut node.range,
            Stmt::While(node) => &mut node.range,
            Stmt::If(node) => &mut node.range,
            Stmt::With(node) => &mut node.range,
            Stmt::AsyncWith(node) => &mut node.range,
            Stmt::Match(node) => &mut node.range,
            Stmt::Raise(node) => &mut node.range,
            Stmt::Try(node) => &mut node.range,
            Stmt::TryStar(node) => &mut node.range,
            Stmt::Assert(node) => &mut node.range,
            Stmt::Import(node) => &mut node.range,
            Stmt::ImportFrom(node) => &mut node.range,
            Stmt::Global(node) => &mut node.range,
            Stmt::Nonlocal(node) => &mut node.range,
            Stmt::Expr(node) => &mut node.range,
            Stmt::Pass(node) => &mut node.range,
            Stmt::Break(node) => &mut node.range,
            Stmt::Continue(node) => &mut node.range,
        }
    }
}
