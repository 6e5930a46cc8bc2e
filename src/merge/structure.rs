//! Merging by structure: a tree of each version, and the block of the module merged item by item.

use super::block::{Body, merge_block};
use super::conflict::{Conflict, Labels};
use super::expression::Triple;
use super::items::Key;
use super::session::Session;
use super::tree::Tree;
use super::{Merged, conflict};
use foldhash::HashSet;

/// A merged module, and what ours renamed.
#[derive(Debug)]
pub struct Structured {
    /// The result.
    pub merged: Merged,
    /// Definitions that ours renamed: their qualified names in the base and in ours.
    pub renames: Vec<(String, String)>,
}

/// What a merge is told when an earlier one did not pass the gate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders {
    /// Names that the result uses: their imports stay, or come in, whoever took them out.
    pub needed: HashSet<String>,
    /// Definitions whose lines merged clean into something that is not sound, by the names that lead to them.
    pub distrusted: HashSet<Vec<String>>,
    /// What theirs added goes before what ours added in the same place.
    pub theirs_first: bool,
    /// Items that cannot be merged, and why: by what they are, or by what they say.
    pub contested: Vec<(Contested, String)>,
}

/// An item that cannot be merged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contested {
    /// With a key, in the definitions of these names.
    Keyed(Vec<String>, Key),
    /// Any that says this.
    Said(u64),
}

/// Merges modules; `None` when one of them is empty, or an edit is not accounted for.
pub fn by_structure(
    trees: Triple<&Tree<'_>>,
    labels: &Labels,
    orders: &Orders,
) -> Option<Structured> {
    let suites = Triple {
        base: trees.base.module_suite()?,
        ours: trees.ours.module_suite()?,
        theirs: trees.theirs.module_suite()?,
    };
    let mut session = Session::new(trees, labels, orders);
    let mut text = merge_block(&mut session, suites, Body::Declarations);
    text.push_str(tail(trees.ours, suites.ours));
    if !session.is_balanced {
        return None;
    }
    let conflicts = located(&text, std::mem::take(&mut session.conflicts));
    Some(Structured { merged: Merged { text, conflicts }, renames: session.renames })
}

/// What stands below the last item.
fn tail<'a>(tree: &Tree<'a>, suite: usize) -> &'a str {
    let end = tree.items(suite).and_then(<[_]>::last).map_or(0, |last| last.lines.end);
    &tree.text[end..]
}

/// Puts the lines to the clashes, which come in the order of the text.
fn located(text: &str, conflicts: Vec<(Option<String>, String)>) -> Vec<Conflict> {
    let lines = conflict::marker_lines(text);
    conflicts
        .into_iter()
        .enumerate()
        .map(|(index, (definition, reason))| {
            let line = lines.get(index).copied().unwrap_or(1);
            Conflict { definition, line, reason }
        })
        .collect()
}
