//! Merging what is separated by commas: arguments, parameters, the elements of displays.
//!
//! Keyword arguments and dictionary entries are found by their names and keys, and have no order among each
//! other; positional arguments, parameters and elements have one.

use super::align::{Gap, match_elements};
use super::digest::{digest_of, digester};
use super::expression::{Clash, Sides, Triple, node, run};
use super::sequence::{Element, Merged, Place, Sequences, merge};
use super::tree::{Id, Kind, Tree, says_something};
use ruff_python_ast::NodeKind;
use std::hash::Hasher;
use std::ops::Range;

/// Whether a node is a list in this sense.
pub fn is_list(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Node(
            NodeKind::Arguments
                | NodeKind::Parameters
                | NodeKind::TypeParams
                | NodeKind::ExprList
                | NodeKind::ExprTuple
                | NodeKind::ExprSet
                | NodeKind::ExprDict
        )
    )
}

/// Something between two commas.
#[derive(Debug, Clone)]
struct Entry {
    /// Its nodes and tokens, comments aside.
    parts: Vec<Id>,
    /// Where they are.
    range: Range<usize>,
    /// From behind the entry before it to behind its comma and a comment on its line.
    extent: Range<usize>,
    /// What its comments say.
    comments: u64,
    /// Whether a comma follows.
    has_comma: bool,
    element: Element,
}

/// The merged source of a list. `members` says that it is a set whatever it looks like.
///
/// # Errors
/// When both sides changed one entry, or put entries whose order matters in one place.
pub fn merge_list(sides: Sides<'_, '_>, at: Triple<Id>, members: bool) -> Result<String, Clash> {
    let base = entries(sides.base, at.base, members);
    let ours = entries(sides.ours, at.ours, members);
    let theirs = entries(sides.theirs, at.theirs, members);
    let elements = [&base, &ours, &theirs]
        .map(|entries| entries.iter().map(|entry| entry.element).collect::<Vec<Element>>());
    // As many entries as there were are those entries, changed.
    let likeness = |gap: &Gap, _: usize, _: usize| f64::from(gap.base.len() == gap.side.len());
    let positional = |base: &[Element], side: &[Element]| {
        let likeness = |gap: &Gap, row: usize, column: usize| {
            let has_key = base[row].key.is_some() || side[column].key.is_some();
            if has_key { 0.0 } else { likeness(gap, row, column) }
        };
        match_elements(base, side, &likeness)
    };
    let to_ours = positional(&elements[0], &elements[1]);
    let to_theirs = positional(&elements[0], &elements[2]);
    for (at, entry) in base.iter().enumerate() {
        let is_explained = |side: &[Entry], place: Option<usize>| {
            place.is_some_and(|place| side[place].comments != entry.comments)
        };
        let (mine, other) = (to_ours.forward[at], to_theirs.forward[at]);
        // A comment on what the other side took out would go with it.
        if other.is_none() && is_explained(&ours, mine)
            || mine.is_none() && is_explained(&theirs, other)
        {
            return Err(Clash);
        }
    }
    let merged = merge(Sequences {
        base: &elements[0],
        ours: &elements[1],
        theirs: &elements[2],
        to_ours: &to_ours,
        to_theirs: &to_theirs,
        theirs_first: false,
    });
    let mut list = List::new(sides, at.ours, &ours);
    for element in merged {
        list.add(element, &base, &theirs)?;
    }
    Ok(list.finish())
}

fn entries(tree: &Tree<'_>, list: Id, members: bool) -> Vec<Entry> {
    let (inner, mut at) = inside(tree, list);
    let mut entries: Vec<Entry> = Vec::new();
    let mut parts = Vec::new();
    for (index, id) in inner.iter().enumerate() {
        let child = tree.node(*id);
        match child.kind {
            Kind::Comment => continue,
            Kind::Comma => (),
            _ => {
                parts.push(*id);
                if index + 1 < inner.len()
                    && inner[index + 1..].iter().any(|id| tree.node(*id).kind != Kind::Comment)
                {
                    continue;
                }
            }
        }
        let has_comma = child.kind == Kind::Comma;
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else { continue };
        let range = tree.node(*first).range.start..tree.node(*last).range.end;
        let end = behind_comment(tree, if has_comma { child.range.end } else { range.end }, inner);
        let extent = at..end;
        at = end;
        let element = element(tree, list, &parts, members);
        let comments = comments(tree, inner, &extent);
        entries.push(Entry {
            parts: std::mem::take(&mut parts),
            range,
            extent,
            comments,
            has_comma,
            element,
        });
    }
    entries
}

/// The children between the brackets of a list, if it has any, and where they begin.
fn inside<'t>(tree: &'t Tree<'_>, list: Id) -> (&'t [Id], usize) {
    use Kind::{CloseBracket, CloseParenthesis, OpenBracket, OpenParenthesis};
    let node = tree.node(list);
    let children = tree.children(list);
    let mut depth = 0_i32;
    // A tuple without parentheses may begin and end with parentheses of its elements.
    let closes = children.iter().position(|child| {
        depth += match tree.node(*child).kind {
            OpenBracket | OpenParenthesis => 1,
            CloseBracket | CloseParenthesis => -1,
            _ => 0,
        };
        depth == 0
    });
    match (children, closes) {
        ([open, inner @ .., _], Some(last)) if last > 0 && last + 1 == children.len() => {
            (inner, tree.node(*open).range.end)
        }
        _ => (children, node.range.start),
    }
}

/// Behind the comment on the line of `end`, if only that follows.
fn behind_comment(tree: &Tree<'_>, end: usize, children: &[Id]) -> usize {
    let comments = children.iter().map(|id| tree.node(*id)).filter(|it| it.kind == Kind::Comment);
    let follows = |start: usize| {
        tree.text.get(end..start).is_some_and(|it| it.trim_matches([' ', '\t']).is_empty())
    };
    let comment = comments.into_iter().find(|comment| follows(comment.range.start));
    comment.map_or(end, |comment| comment.range.end)
}

fn comments(tree: &Tree<'_>, children: &[Id], extent: &Range<usize>) -> u64 {
    let mut hash = digester();
    for child in children.iter().map(|id| tree.node(*id)) {
        if child.kind == Kind::Comment && extent.contains(&child.range.start) {
            hash.write_u64(child.digest);
        }
    }
    hash.finish()
}

fn element(tree: &Tree<'_>, list: Id, parts: &[Id], members: bool) -> Element {
    let mut hash = digester();
    let said = parts.iter().filter(|part| says_something(tree, **part));
    said.for_each(|part| hash.write_u64(tree.node(*part).digest));
    let digest = hash.finish();
    let kind = |id: Id| tree.kind(id);
    let named = |name: Option<&str>| name.map(digest_of);
    let (key, place) = match (tree.kind(list), parts) {
        _ if members => (Some(digest), Place::Set),
        (Some(NodeKind::Arguments), [only]) if kind(*only) == Some(NodeKind::Keyword) => {
            let name = named(tree.identifier(*only));
            (name, if name.is_some() { Place::Set } else { Place::Ordered })
        }
        (Some(NodeKind::Parameters), parts) => {
            (named(parts.iter().find_map(|part| parameter_name(tree, *part))), Place::Ordered)
        }
        (Some(NodeKind::ExprDict), [key, _, _]) => (Some(tree.node(*key).digest), Place::Set),
        (Some(NodeKind::ExprSet), _) => (Some(digest), Place::Set),
        _ => (None, Place::Ordered),
    };
    Element { digest, key, place }
}

fn parameter_name<'a>(tree: &Tree<'a>, part: Id) -> Option<&'a str> {
    match tree.kind(part)? {
        NodeKind::Parameter => tree.identifier(part),
        NodeKind::ParameterWithDefault => {
            tree.children_of(part, NodeKind::Parameter).find_map(|it| tree.identifier(it))
        }
        _ => None,
    }
}

/// The list of ours, being written anew.
struct List<'s, 't, 'a> {
    sides: Sides<'t, 'a>,
    ours: &'s [Entry],
    /// The whole list in ours.
    range: Range<usize>,
    /// The entries of the result, each with what stands before it.
    entries: Vec<Written>,
    kind: Option<NodeKind>,
}

/// An entry of the result.
struct Written {
    /// White space and comments above.
    before: String,
    text: String,
    /// Between the entry and its comma.
    gap: String,
    /// A comment behind the comma.
    after: String,
    is_new: bool,
}

impl<'s, 't, 'a> List<'s, 't, 'a> {
    fn new(sides: Sides<'t, 'a>, list: Id, ours: &'s [Entry]) -> List<'s, 't, 'a> {
        let range = sides.ours.node(list).range.clone();
        List { sides, ours, range, entries: Vec::new(), kind: sides.ours.kind(list) }
    }

    fn add(&mut self, element: Merged, base: &[Entry], theirs: &[Entry]) -> Result<(), Clash> {
        match element {
            Merged::Both { base: b, ours, theirs: t } => {
                self.both(&base[b], ours, &theirs[t])?;
            }
            Merged::Ours(ours) => self.keep(ours, None),
            Merged::New { ours, theirs: t } => {
                if self.ours[ours].element.digest != theirs[t].element.digest {
                    return Err(Clash);
                }
                self.keep(ours, None);
            }
            Merged::Theirs(t) => self.insert(&theirs[t])?,
            Merged::Clash { .. } => return Err(Clash),
        }
        Ok(())
    }

    fn both(&mut self, base: &Entry, at: usize, theirs: &Entry) -> Result<(), Clash> {
        let ours = &self.ours[at];
        let says_the_same =
            |left: &Entry, right: &Entry| left.element.digest == right.element.digest;
        if theirs.comments != base.comments && theirs.comments != ours.comments {
            // A comment of theirs has no place in what ours wrote.
            return Err(Clash);
        }
        if says_the_same(base, theirs) || says_the_same(ours, theirs) {
            self.keep(at, None);
            return Ok(());
        }
        let merged = match (&base.parts[..], &ours.parts[..], &theirs.parts[..]) {
            ([b], [o], [t]) => node(self.sides, Triple { base: *b, ours: *o, theirs: *t }),
            (b, o, t) => {
                run(self.sides, Triple { base: b, ours: o, theirs: t }, ours.range.clone())
            }
        };
        let merged = match merged {
            Err(Clash) if says_the_same(base, ours) => self.sides.of_theirs(theirs.range.clone()),
            merged => merged?,
        };
        self.keep(at, Some(merged));
        Ok(())
    }

    fn keep(&mut self, at: usize, text: Option<String>) {
        let entry = &self.ours[at];
        let source = self.sides.ours.text;
        let rest = &source[entry.range.end..entry.extent.end];
        let (gap, after) = if entry.has_comma { split_comma(rest) } else { ("", rest) };
        self.entries.push(Written {
            before: source[entry.extent.start..entry.range.start].to_owned(),
            text: text.unwrap_or_else(|| source[entry.range.clone()].to_owned()),
            gap: gap.to_owned(),
            after: after.to_owned(),
            is_new: false,
        });
    }

    fn insert(&mut self, entry: &Entry) -> Result<(), Clash> {
        let theirs = self.sides.theirs;
        let before = &theirs.text[entry.extent.start..entry.range.start];
        let rest = &theirs.text[entry.range.end..entry.extent.end];
        let (_, after) = if entry.has_comma { split_comma(rest) } else { ("", rest) };
        let has_comments = !before.trim().is_empty() || !after.trim().is_empty();
        if has_comments && !self.is_one_a_line() {
            return Err(Clash);
        }
        self.entries.push(Written {
            before: self.sides.of_theirs(entry.extent.start..entry.range.start),
            text: self.sides.of_theirs(entry.range.clone()),
            gap: String::new(),
            after: after.to_owned(),
            is_new: true,
        });
        Ok(())
    }

    /// Whether each entry of ours begins a line.
    fn is_one_a_line(&self) -> bool {
        let begins = |entry: &Entry| {
            self.sides.ours.text[entry.extent.start..entry.range.start].contains('\n')
        };
        let all = self.ours.iter().all(begins);
        all && !self.ours.is_empty() && (self.ours.len() > 1 || self.ours[0].has_comma)
    }

    fn finish(self) -> String {
        let source = self.sides.ours.text;
        let is_one_a_line = self.is_one_a_line();
        let start = self.ours.first().map(|entry| entry.extent.start);
        let end = self.ours.last().map(|entry| entry.extent.end);
        // An empty list: behind its opening bracket.
        let empty = self.range.start + 1;
        let (start, end) = (start.unwrap_or(empty), end.unwrap_or(empty));
        let indent = self.ours.first().map(|first| self.sides.ours.indentation(first.range.start));
        let line = format!("\n{}", indent.unwrap_or(""));
        let ends_with_comma = self.ours.last().is_some_and(|last| last.has_comma);
        let is_tuple = self.kind == Some(NodeKind::ExprTuple);
        let last = self.entries.len().saturating_sub(1);
        let lone_tuple = is_tuple && last == 0;
        let mut text = source[self.range.start..start].to_owned();
        for (index, entry) in self.entries.iter().enumerate() {
            let before = match (entry.is_new, is_one_a_line, index) {
                (true, true, _) if entry.before.contains('\n') => entry.before.clone(),
                (true, true, _) => line.clone(),
                (true, false, 0) => self
                    .ours
                    .first()
                    .map_or("", |first| &source[first.extent.start..first.range.start])
                    .to_owned(),
                (true, false, _) => " ".to_owned(),
                (false, false, index) if index > 0 && entry.before.is_empty() => " ".to_owned(),
                _ => entry.before.clone(),
            };
            text.push_str(&before);
            text.push_str(&entry.text);
            text.push_str(&entry.gap);
            if index < last || ends_with_comma || lone_tuple {
                text.push(',');
            }
            text.push_str(&entry.after);
        }
        text.push_str(&source[end..self.range.end]);
        text
    }
}

/// What stands before and behind the comma.
fn split_comma(rest: &str) -> (&str, &str) {
    rest.split_once(',').unwrap_or(("", rest))
}
