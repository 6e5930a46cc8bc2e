//! Merging inside a statement: where one side changed one part and the other side another, both land.
//!
//! The result is the source of ours with parts of theirs put in; the layout of ours stays. A part that both
//! changed in different ways is a clash of the whole statement; nothing is guessed.

use super::align::{Gap, Matching, match_elements};
use super::chain::{has_other_links, merge_chain};
use super::indent::reindented;
use super::lines;
use super::list;
use super::sequence::{Element, Merged, Place, Sequences, merge};
use super::tree::{Id, Kind, Node, Tree, says_something};
use ruff_python_ast::NodeKind;
use std::ops::Range;

/// Both sides changed one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash;

/// The trees of the three versions, and the indentation of the statement that is merged.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'t, 'a> {
    /// The common ancestor.
    pub base: &'t Tree<'a>,
    /// Ours.
    pub ours: &'t Tree<'a>,
    /// Theirs.
    pub theirs: &'t Tree<'a>,
    /// How the statement is indented in theirs.
    pub from: &'t str,
    /// How it is indented in ours.
    pub to: &'t str,
}

impl Sides<'_, '_> {
    /// Source of theirs, indented as ours.
    pub fn of_theirs(&self, range: Range<usize>) -> String {
        reindented(self.theirs, range, self.from, self.to)
    }
}

/// One place of a tree in all three versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Triple<T> {
    /// In the base.
    pub base: T,
    /// In ours.
    pub ours: T,
    /// In theirs.
    pub theirs: T,
}

/// The merged source of a node, to stand where it stands in ours.
///
/// # Errors
/// When both sides changed the same part in different ways.
pub fn node(sides: Sides<'_, '_>, at: Triple<Id>) -> Result<String, Clash> {
    let (base, ours, theirs) =
        (sides.base.node(at.base), sides.ours.node(at.ours), sides.theirs.node(at.theirs));
    if theirs.digest == base.digest || ours.digest == theirs.digest {
        return Ok(sides.ours.source(at.ours).to_owned());
    }
    let is_reformatted = ours.digest == base.digest;
    if is_reformatted && sides.ours.source(at.ours) == sides.base.source(at.base) {
        return Ok(sides.of_theirs(theirs.range.clone()));
    }
    let merged = if base.kind == ours.kind && base.kind == theirs.kind {
        parts(sides, at)
    } else {
        Err(Clash)
    };
    match merged {
        Err(Clash) if is_reformatted => Ok(sides.of_theirs(theirs.range.clone())),
        Err(Clash) => wrapped(sides, at).ok_or(Clash),
        merged => merged,
    }
}

/// Where one side put something around an expression that the other side changed, the change lands inside.
fn wrapped(sides: Sides<'_, '_>, at: Triple<Id>) -> Option<String> {
    let base = sides.base.node(at.base);
    if base.weight < 2 || !can_be_wrapped(base.kind) {
        return None;
    }
    let (ours, theirs) = (sides.ours.node(at.ours), sides.theirs.node(at.theirs));
    let in_parentheses = |text: String, kind: Kind, is_alike: bool| {
        if is_alike || is_atom(kind) { text } else { format!("({text})") }
    };
    let operators = |tree: &Tree<'_>, id: Id| -> Vec<String> {
        let children = tree.children(id).iter();
        let tokens = children.filter(|child| tree.node(**child).kind == Kind::Token);
        tokens.map(|token| tree.source(*token).to_owned()).collect()
    };
    let is_alike = |tree: &Tree<'_>, id: Id| {
        tree.node(id).kind == base.kind && operators(tree, id) == operators(sides.base, at.base)
    };
    if let Some(inner) = only_inside(sides.ours, at.ours, base) {
        let text = sides.ours.text;
        let changed = sides.of_theirs(theirs.range.clone());
        let changed = in_parentheses(changed, theirs.kind, is_alike(sides.theirs, at.theirs));
        let before = &text[ours.range.start..inner.start];
        return Some([before, &changed, &text[inner.end..ours.range.end]].concat());
    }
    let inner = only_inside(sides.theirs, at.theirs, base)?;
    let changed = sides.ours.source(at.ours).to_owned();
    let changed = in_parentheses(changed, ours.kind, is_alike(sides.ours, at.ours));
    let before = sides.of_theirs(theirs.range.start..inner.start);
    Some([&before, &*changed, &sides.of_theirs(inner.end..theirs.range.end)].concat())
}

fn can_be_wrapped(kind: Kind) -> bool {
    use NodeKind::{ExprAwait, ExprBinOp, ExprBoolOp, ExprCompare, ExprUnaryOp};
    let is_operation =
        matches!(kind, Kind::Node(ExprAwait | ExprBinOp | ExprBoolOp | ExprCompare | ExprUnaryOp));
    is_operation || is_atom(kind)
}

/// Whether an expression needs no parentheses, whatever stands around it.
fn is_atom(kind: Kind) -> bool {
    use NodeKind::{
        ExprAttribute, ExprCall, ExprDict, ExprDictComp, ExprFString, ExprList, ExprListComp,
        ExprName, ExprSet, ExprSetComp, ExprStringLiteral, ExprSubscript,
    };
    matches!(
        kind,
        Kind::Node(
            ExprAttribute
                | ExprCall
                | ExprDict
                | ExprDictComp
                | ExprFString
                | ExprList
                | ExprListComp
                | ExprName
                | ExprSet
                | ExprSetComp
                | ExprStringLiteral
                | ExprSubscript
        )
    )
}

/// Where the one node below another stands that says what a node of the base says.
fn only_inside(tree: &Tree<'_>, within: Id, base: &Node) -> Option<Range<usize>> {
    let mut found = None;
    let mut open = tree.children(within).to_vec();
    while let Some(id) = open.pop() {
        let node = tree.node(id);
        if node.digest == base.digest && node.kind == base.kind {
            if found.is_some() {
                return None;
            }
            found = Some(node.range.clone());
        } else if node.weight >= base.weight {
            open.extend_from_slice(tree.children(id));
        }
    }
    found
}

fn parts(sides: Sides<'_, '_>, at: Triple<Id>) -> Result<String, Clash> {
    let kind = sides.base.node(at.base).kind;
    if list::is_list(kind) {
        return list::merge_list(sides, at, false);
    }
    match kind {
        Kind::Node(NodeKind::Keyword) if is_guard_list(sides, at) => keyword_of_members(sides, at),
        Kind::Node(NodeKind::ExprStringLiteral) => string(sides, at),
        Kind::Node(NodeKind::ExprCall | NodeKind::ExprAttribute) if has_other_links(sides, at) => {
            merge_chain(sides, at)
        }
        Kind::Node(NodeKind::ExprCall) if calls_something_else(sides, at) => Err(Clash),
        Kind::Node(_) => {
            let children = Triple {
                base: sides.base.children(at.base),
                ours: sides.ours.children(at.ours),
                theirs: sides.theirs.children(at.theirs),
            };
            let all = [children.base, children.ours, children.theirs];
            if all.iter().any(|children| children.is_empty()) {
                return Err(Clash);
            }
            run(sides, children, sides.ours.node(at.ours).range.clone())
        }
        _ => Err(Clash),
    }
}

/// Whether one side calls something else, and the other gives other arguments to what was called.
fn calls_something_else(sides: Sides<'_, '_>, at: Triple<Id>) -> bool {
    let parts = |tree: &Tree<'_>, id: Id| {
        let children = tree.children(id);
        let function = *children.first()?;
        let name = tree.children_of(function, NodeKind::Identifier).last().unwrap_or(function);
        Some((tree.source(name).to_owned(), tree.node(*children.last()?).digest))
    };
    let all =
        (parts(sides.base, at.base), parts(sides.ours, at.ours), parts(sides.theirs, at.theirs));
    let (Some(base), Some(ours), Some(theirs)) = all else { return false };
    ours.0 != base.0 && theirs.1 != base.1 || theirs.0 != base.0 && ours.1 != base.1
}

/// `dependencies=[…]`: what FastAPI runs before a route, a set of guards.
fn is_guard_list(sides: Sides<'_, '_>, at: Triple<Id>) -> bool {
    sides.ours.identifier(at.ours) == Some("dependencies")
        && sides.theirs.identifier(at.theirs) == Some("dependencies")
}

fn keyword_of_members(sides: Sides<'_, '_>, at: Triple<Id>) -> Result<String, Clash> {
    let value = |tree: &Tree<'_>, id: Id| {
        let value = *tree.children(id).last()?;
        (tree.kind(value) == Some(NodeKind::ExprList)).then_some(value)
    };
    let values =
        (value(sides.base, at.base), value(sides.ours, at.ours), value(sides.theirs, at.theirs));
    let (Some(base), Some(ours), Some(theirs)) = values else { return Err(Clash) };
    let merged = list::merge_list(sides, Triple { base, ours, theirs }, true)?;
    let (keyword, list) = (&sides.ours.node(at.ours).range, &sides.ours.node(ours).range);
    let text = sides.ours.text;
    Ok([&text[keyword.start..list.start], &*merged, &text[list.end..keyword.end]].concat())
}

/// Two changes to a string land where they are in different lines of it.
fn string(sides: Sides<'_, '_>, at: Triple<Id>) -> Result<String, Clash> {
    let ours = sides.ours.source(at.ours);
    let theirs = sides.of_theirs(sides.theirs.node(at.theirs).range.clone());
    let base = sides.base.source(at.base);
    lines_of(base, ours, &theirs).ok_or(Clash)
}

/// A clean merge by line.
pub fn lines_of(base: &str, ours: &str, theirs: &str) -> Option<String> {
    let [base, ours, theirs] = [base, ours, theirs].map(lines::split);
    let mut merged = String::new();
    for chunk in lines::chunks(&base, &ours, &theirs) {
        match chunk.change {
            lines::Change::Clash => return None,
            lines::Change::Theirs => merged.extend(theirs[chunk.theirs].iter().copied()),
            _ => merged.extend(ours[chunk.ours].iter().copied()),
        }
    }
    Some(merged)
}

/// Merges parts that follow each other: the children of a node, a header, an element of a list. `range` is what
/// they and what is around them take up in ours.
///
/// # Errors
/// When both sides changed the same part in different ways.
pub fn run(
    sides: Sides<'_, '_>,
    parts: Triple<&[Id]>,
    range: Range<usize>,
) -> Result<String, Clash> {
    let base = said(sides.base, parts.base);
    let ours = said(sides.ours, parts.ours);
    let theirs = said(sides.theirs, parts.theirs);
    let elements =
        [(sides.base, &base), (sides.ours, &ours), (sides.theirs, &theirs)].map(|(tree, parts)| {
            let element = |id: &Id| Element {
                digest: tree.node(*id).digest,
                key: None,
                place: Place::Ordered,
            };
            parts.iter().map(element).collect::<Vec<Element>>()
        });
    let sequences = Sequences {
        base: &elements[0],
        ours: &elements[1],
        theirs: &elements[2],
        to_ours: &match_parts(
            (sides.base, &base),
            (sides.ours, &ours),
            [&elements[0], &elements[1]],
        ),
        to_theirs: &match_parts(
            (sides.base, &base),
            (sides.theirs, &theirs),
            [&elements[0], &elements[2]],
        ),
        theirs_first: false,
    };
    let mut text = Assembly {
        sides,
        ours: &ours,
        theirs: &theirs,
        at: range.start,
        next: 0,
        text: String::new(),
    };
    for element in merge(sequences) {
        text.add(element, &base)?;
    }
    Ok(text.finish(range.end))
}

fn said(tree: &Tree<'_>, parts: &[Id]) -> Vec<Id> {
    parts.iter().copied().filter(|id| says_something(tree, *id)).collect()
}

/// Parts that say the same are the same; in between, parts of a kind, or as many parts as there were.
fn match_parts(
    base: (&Tree<'_>, &[Id]),
    side: (&Tree<'_>, &[Id]),
    elements: [&[Element]; 2],
) -> Matching {
    let likeness = |gap: &Gap, row: usize, column: usize| {
        let (old, new) = (base.0.node(base.1[row]).kind, side.0.node(side.1[column]).kind);
        let is_node = |kind: Kind| matches!(kind, Kind::Node(_));
        if old == new {
            1.0
        } else if gap.base.len() == gap.side.len() && is_node(old) == is_node(new) {
            0.1
        } else {
            0.0
        }
    };
    match_elements(elements[0], elements[1], &likeness)
}

/// The source of ours with parts replaced, left out and put in.
struct Assembly<'s, 't, 'a> {
    sides: Sides<'t, 'a>,
    ours: &'s [Id],
    theirs: &'s [Id],
    /// How far ours is copied.
    at: usize,
    /// The next part of ours.
    next: usize,
    text: String,
}

impl Assembly<'_, '_, '_> {
    fn add(&mut self, element: Merged, base: &[Id]) -> Result<(), Clash> {
        match element {
            Merged::Both { base: b, ours, theirs } => {
                let at =
                    Triple { base: base[b], ours: self.ours[ours], theirs: self.theirs[theirs] };
                let merged = node(self.sides, at)?;
                self.part(ours, &merged)
            }
            Merged::Ours(ours) | Merged::New { ours, .. } => {
                let source = self.sides.ours.source(self.ours[ours]);
                self.part(ours, source)
            }
            Merged::Theirs(theirs) => {
                let start = match theirs.checked_sub(1) {
                    Some(before) => self.sides.theirs.node(self.theirs[before]).range.end,
                    None => self.sides.theirs.node(self.theirs[theirs]).range.start,
                };
                let end = self.sides.theirs.node(self.theirs[theirs]).range.end;
                self.copy_closing();
                self.text.push_str(&self.sides.of_theirs(start..end));
                Ok(())
            }
            Merged::Clash { .. } => Err(Clash),
        }
    }

    /// A part of ours, with what stands before it.
    fn part(&mut self, ours: usize, text: &str) -> Result<(), Clash> {
        let range = &self.sides.ours.node(self.ours[ours]).range;
        if ours < self.next {
            // It moved: what stands around it is not known.
            return Err(Clash);
        }
        if ours > self.next {
            // Parts before it are gone, with what stood before each.
            self.copy_closing();
            self.at = self.sides.ours.node(self.ours[ours - 1]).range.end;
        }
        self.text.push_str(&self.sides.ours.text[self.at..range.start]);
        self.text.push_str(text);
        self.at = range.end;
        self.next = ours + 1;
        Ok(())
    }

    /// Closing parentheses of ours belong to what precedes them.
    fn copy_closing(&mut self) {
        let rest = &self.sides.ours.text[self.at..];
        let closing = rest.len()
            - rest.trim_start_matches(|char: char| char.is_whitespace() || char == ')').len();
        let end = rest[..closing].rfind(')').map_or(0, |last| last + 1);
        self.text.push_str(&rest[..end]);
        self.at += end;
    }

    fn finish(mut self, end: usize) -> String {
        if self.next < self.ours.len() {
            self.copy_closing();
            let last = self.sides.ours.node(self.ours[self.ours.len() - 1]).range.end;
            self.at = self.at.max(last);
        }
        self.text.push_str(&self.sides.ours.text[self.at.min(end)..end]);
        self.text
    }
}
