//! Chains of calls: `select(a).where(b).order_by(c)` is a head and its links. In the tree each link holds the
//! ones before it, so a link that one side put in moves every later one; here links are a sequence, as they are read.

use super::align::match_elements;
use super::digest::{digest_of, digester};
use super::expression::{Clash, Sides, Triple, node};
use super::sequence::{Element, Merged, Place, Sequences, merge};
use super::tree::{Id, Kind, Tree};
use ruff_python_ast::NodeKind;
use std::hash::Hasher;
use std::ops::Range;

/// `.where(b)`
#[derive(Debug, Clone)]
struct Link {
    name: Id,
    arguments: Option<Id>,
    /// From the end of what is before it: the dot may stand on a line of its own.
    range: Range<usize>,
}

#[derive(Debug)]
struct Chain {
    head: Id,
    links: Vec<Link>,
}

/// Whether a node of one version is a chain that has other links than in the base. Without that, a chain merges as
/// any other node.
pub fn has_other_links(sides: Sides<'_, '_>, at: Triple<Id>) -> bool {
    let names = |tree: &Tree<'_>, id: Id| -> Vec<String> {
        chain(tree, id).links.iter().map(|link| tree.source(link.name).to_owned()).collect()
    };
    let (base, ours, theirs) =
        (names(sides.base, at.base), names(sides.ours, at.ours), names(sides.theirs, at.theirs));
    base.len().max(ours.len()).max(theirs.len()) > 1 && (base != ours || base != theirs)
}

/// Merges a chain link by link.
///
/// # Errors
/// When both sides changed the same link, or put links in the same place.
pub fn merge_chain(sides: Sides<'_, '_>, at: Triple<Id>) -> Result<String, Clash> {
    let (base, ours, theirs) =
        (chain(sides.base, at.base), chain(sides.ours, at.ours), chain(sides.theirs, at.theirs));
    let all = Triple {
        base: elements(sides.base, &base),
        ours: elements(sides.ours, &ours),
        theirs: elements(sides.theirs, &theirs),
    };
    let merged = merge(Sequences {
        base: &all.base,
        ours: &all.ours,
        theirs: &all.theirs,
        to_ours: &match_elements(&all.base, &all.ours, &|_, _, _| 0.0),
        to_theirs: &match_elements(&all.base, &all.theirs, &|_, _, _| 0.0),
        theirs_first: false,
    });
    let head = Triple { base: base.head, ours: ours.head, theirs: theirs.head };
    let start = sides.ours.node(at.ours).range.start;
    let mut text = sides.ours.text[start..sides.ours.node(head.ours).range.start].to_owned();
    text.push_str(&node(sides, head)?);
    let mut next = 0;
    for element in merged {
        match element {
            Merged::Both { base: b, ours: o, theirs: t } if o >= next => {
                let links =
                    Triple { base: &base.links[b], ours: &ours.links[o], theirs: &theirs.links[t] };
                text.push_str(&link(sides, links)?);
                next = o + 1;
            }
            Merged::Ours(o) | Merged::New { ours: o, .. } if o >= next => {
                text.push_str(&sides.ours.text[ours.links[o].range.clone()]);
                next = o + 1;
            }
            Merged::Theirs(t) => {
                text.push_str(&sides.of_theirs(bare(sides.theirs, &theirs.links[t])?))
            }
            // It moved, or both have something in its place.
            Merged::Both { .. } | Merged::Ours(_) | Merged::New { .. } | Merged::Clash { .. } => {
                return Err(Clash);
            }
        }
    }
    let end = ours.links.last().map_or(start, |last| last.range.end);
    text.push_str(&sides.ours.text[end..sides.ours.node(at.ours).range.end.max(end)]);
    Ok(text)
}

/// The lines of a link, where no parenthesis is closed before its dot: that would belong to what is before it.
fn bare(tree: &Tree<'_>, link: &Link) -> Result<Range<usize>, Clash> {
    let text = &tree.text[link.range.clone()];
    let before = text.split('.').next().unwrap_or("");
    if before.trim().is_empty() { Ok(link.range.clone()) } else { Err(Clash) }
}

fn link(sides: Sides<'_, '_>, at: Triple<&Link>) -> Result<String, Clash> {
    match (at.base.arguments, at.ours.arguments, at.theirs.arguments) {
        (Some(base), Some(ours), Some(theirs)) => {
            let merged = node(sides, Triple { base, ours, theirs })?;
            let start = sides.ours.node(ours).range.start;
            Ok(sides.ours.text[at.ours.range.start..start].to_owned() + &merged)
        }
        (None, None, None) => Ok(sides.ours.text[at.ours.range.clone()].to_owned()),
        _ => Err(Clash),
    }
}

fn elements(tree: &Tree<'_>, chain: &Chain) -> Vec<Element> {
    let element = |link: &Link| {
        let mut all = digester();
        let parts = [Some(link.name), link.arguments];
        parts.into_iter().flatten().for_each(|part| all.write_u64(tree.node(part).digest));
        let key = Some(digest_of(tree.source(link.name)));
        Element { digest: all.finish(), key, place: Place::Ordered }
    };
    chain.links.iter().map(element).collect()
}

/// The head and the links of a node; a node that is no chain has none.
fn chain(tree: &Tree<'_>, id: Id) -> Chain {
    let (mut links, mut head) = (Vec::new(), id);
    while let Some((value, link)) = last_link(tree, head) {
        links.push(link);
        head = value;
    }
    links.reverse();
    Chain { head, links }
}

/// What a link hangs on, and the link.
fn last_link(tree: &Tree<'_>, id: Id) -> Option<(Id, Link)> {
    let end = tree.node(id).range.end;
    let (attribute, arguments) = match tree.kind(id)? {
        NodeKind::ExprAttribute => (id, None),
        NodeKind::ExprCall => {
            let children = tree.children(id);
            (*children.first()?, Some(*children.last()?))
        }
        _ => return None,
    };
    let is_attribute = tree.kind(attribute) == Some(NodeKind::ExprAttribute);
    let children = tree.children(attribute);
    let is_node = |id: &&Id| matches!(tree.node(**id).kind, Kind::Node(_));
    let value = children.iter().find(is_node).filter(|_| is_attribute)?;
    let name = children.iter().rfind(is_node)?;
    let range = tree.node(*value).range.end..end;
    Some((*value, Link { name: *name, arguments, range }))
}
