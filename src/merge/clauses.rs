//! The clauses of a compound statement: a header and the block below it.

use super::tree::{Id, Kind, Tree, is_clause};
use std::ops::Range;

/// A header, and its suite: `if a:`, `else:`, `def f():`, `case 1:`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// The parts of the header, the colon included.
    pub header: Vec<Id>,
    /// What follows it; `match x:` has cases instead.
    pub suite: Option<Id>,
    /// How much deeper than the statement the header stands: 1 for a `case`.
    pub depth: usize,
}

impl Clause {
    /// The bytes of the header.
    pub fn range(&self, tree: &Tree<'_>) -> Range<usize> {
        let of = |id: Option<&Id>| id.map(|id| tree.node(*id).range.clone()).unwrap_or_default();
        of(self.header.first()).start..of(self.header.last()).end
    }

    /// The suite, where it has lines of its own.
    pub fn block(&self, tree: &Tree<'_>) -> Option<Id> {
        let suite = self.suite?;
        let between = self.range(tree).end..tree.node(suite).range.start;
        tree.text.get(between)?.contains('\n').then_some(suite)
    }
}

/// The clauses of a statement, in order; none of a simple statement.
pub fn clauses(tree: &Tree<'_>, statement: Id) -> Vec<Clause> {
    let mut clauses = Vec::new();
    let mut header = Vec::new();
    for &child in tree.children(statement) {
        if is_clause(tree.kind(child)) {
            if !header.is_empty() {
                let header = std::mem::take(&mut header);
                clauses.push(Clause { header, suite: None, depth: 0 });
            }
            clauses.push(nested(tree, child));
        } else if tree.node(child).kind == Kind::Suite {
            let header = std::mem::take(&mut header);
            clauses.push(Clause { header, suite: Some(child), depth: 0 });
        } else {
            header.push(child);
        }
    }
    clauses
}

fn nested(tree: &Tree<'_>, clause: Id) -> Clause {
    let children = tree.children(clause);
    let is_suite = |id: &&Id| tree.node(**id).kind == Kind::Suite;
    Clause {
        header: children.iter().filter(|id| !is_suite(id)).copied().collect(),
        suite: children.iter().find(is_suite).copied(),
        depth: usize::from(tree.kind(clause) == Some(ruff_python_ast::NodeKind::MatchCase)),
    }
}
