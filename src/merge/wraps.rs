//! A block that one side put around statements, or took away, is no edit of the statements.
//!
//! Where a compound statement came that holds what went beside it (`if`, `try`, `with` around old code), it is
//! taken apart: its headers become items like any other, and what it holds becomes items of the block around,
//! deeper than they were. Then the ordinary merge sees that the old statements are all there.

use super::Session;
use super::block::has_only_blocks;
use super::clauses::clauses;
use super::digest::digester;
use super::expression::Triple;
use super::items::{Content, Item, Key};
use super::lines;
use super::tree::Tree;
use foldhash::HashSet;
use std::hash::{Hash, Hasher};

/// Blocks inside of blocks are taken apart so many times.
const ROUNDS: usize = 3;

/// Takes apart what was put around or taken away.
pub fn flatten(session: &Session<'_>, items: Triple<&mut Vec<Item>>) {
    for _ in 0..ROUNDS {
        let ours = wrapped(items.base, items.theirs, session.ours, items.ours);
        let theirs = wrapped(items.base, items.ours, session.theirs, items.theirs);
        // Both sides may have put the same around it, and one of them changed what is in there.
        let known = headers(session.base, items.base);
        let new_headers = |tree: &Tree<'_>, items: &[Item], wraps: &[usize]| -> HashSet<u64> {
            let wraps = wraps.iter().filter_map(|at| first_header(tree, &items[*at]));
            wraps.filter(|header| !known.contains(header)).collect()
        };
        let by_ours = new_headers(session.ours, items.ours, &ours);
        let by_theirs = new_headers(session.theirs, items.theirs, &theirs);
        let also_by_ours = places(session.ours, items.ours, &by_theirs);
        let also_by_theirs = places(session.theirs, items.theirs, &by_ours);
        let unwrapped_by_ours = wrapped(items.ours, items.ours, session.base, items.base);
        let unwrapped_by_theirs = wrapped(items.theirs, items.theirs, session.base, items.base);
        let lost: HashSet<u64> = unwrapped_by_ours
            .iter()
            .chain(&unwrapped_by_theirs)
            .map(|at| items.base[*at].digest)
            .collect();
        let same = |items: &[Item]| -> Vec<usize> {
            (0..items.len()).filter(|at| lost.contains(&items[*at].digest)).collect()
        };
        // What stands in two versions is taken apart in both, or it could not be matched.
        let base = same(items.base);
        let (also_ours, also_theirs) = (same(items.ours), same(items.theirs));
        if ours.is_empty() && theirs.is_empty() && base.is_empty() {
            return;
        }
        take_apart(session.base, items.base, &base);
        take_apart(session.ours, items.ours, &[ours, also_ours, also_by_ours].concat());
        take_apart(session.theirs, items.theirs, &[theirs, also_theirs, also_by_theirs].concat());
    }
}

/// Compound statements of `new` that are not in `old`, and hold most of what is in `old` and not in `new`: as it
/// is there, as it is in `other`, or by its key.
fn wrapped(old: &[Item], other: &[Item], tree: &Tree<'_>, new: &[Item]) -> Vec<usize> {
    let digests = |items: &[Item]| items.iter().map(|item| item.digest).collect::<Vec<u64>>();
    let (before, after) = (digests(old), digests(new));
    let matches = lines::matches(&before, &after);
    let gone: Vec<&Item> = (0..old.len())
        .filter(|at| matches[*at].is_none() && !old[*at].is_comment())
        .map(|at| &old[at])
        .collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let keys: HashSet<&Key> = gone.iter().filter_map(|item| item.key.as_ref()).collect();
    let said: HashSet<u64> = gone.iter().map(|item| item.digest).chain(digests(other)).collect();
    let was_there = |item: &Item| {
        said.contains(&item.digest) || item.key.as_ref().is_some_and(|key| keys.contains(key))
    };
    let known: HashSet<u64> = before.iter().copied().collect();
    let is_wrap = |at: &usize| {
        let item = &new[*at];
        let Some(id) = item.statement().filter(|_| !known.contains(&item.digest)) else {
            return false;
        };
        let is_definition = matches!(item.key, Some(Key::Definition(..)));
        if is_definition || !has_only_blocks(tree, id) {
            return false;
        }
        let inner: Vec<&Item> = inner_items(tree, item);
        let weight = |items: &[&Item]| items.iter().map(|item| item.weight).sum::<usize>();
        let kept: Vec<&Item> = inner.iter().copied().filter(|it| was_there(it)).collect();
        !kept.is_empty() && 2 * weight(&kept) >= weight(&inner)
    };
    (0..new.len()).filter(is_wrap).collect()
}

/// How the compound statements of a block begin.
fn headers(tree: &Tree<'_>, items: &[Item]) -> HashSet<u64> {
    items.iter().filter_map(|item| first_header(tree, item)).collect()
}

/// The places of the statements that begin in one of these ways.
fn places(tree: &Tree<'_>, items: &[Item], headers: &HashSet<u64>) -> Vec<usize> {
    let header = |at: usize| first_header(tree, &items[at]);
    (0..items.len()).filter(|at| header(*at).is_some_and(|it| headers.contains(&it))).collect()
}

/// What a compound statement says before its first block.
fn first_header(tree: &Tree<'_>, item: &Item) -> Option<u64> {
    let id = item.statement().filter(|id| has_only_blocks(tree, *id))?;
    let clauses = clauses(tree, id);
    let mut hash = digester();
    clauses.first()?.header.iter().for_each(|part| hash.write_u64(tree.node(*part).digest));
    Some(hash.finish())
}

fn inner_items<'t>(tree: &'t Tree<'_>, item: &Item) -> Vec<&'t Item> {
    let clauses = item.statement().map(|id| clauses(tree, id)).unwrap_or_default();
    let blocks = clauses.iter().filter_map(|clause| tree.items(clause.block(tree)?));
    blocks.flatten().collect()
}

fn take_apart(tree: &Tree<'_>, items: &mut Vec<Item>, places: &[usize]) {
    let places: HashSet<usize> = places.iter().copied().collect();
    let apart = std::mem::take(items)
        .into_iter()
        .enumerate()
        .flat_map(|(at, item)| if places.contains(&at) { parts(tree, item) } else { vec![item] });
    *items = apart.collect();
}

/// The headers of a compound statement, and what is below each.
fn parts(tree: &Tree<'_>, item: Item) -> Vec<Item> {
    let Some(id) = item.statement().filter(|id| has_only_blocks(tree, *id)) else {
        return vec![item];
    };
    let mut parts = Vec::new();
    let mut start = item.lines.start;
    for clause in clauses(tree, id) {
        let header = clause.range(tree);
        let lines = start..tree.line_end(header.end);
        let mut hash = digester();
        hash.write_u8(4);
        clause.header.iter().for_each(|part| hash.write_u64(tree.node(*part).digest));
        tree.comments_in(lines.clone()).iter().for_each(|it| tree.text[it.clone()].hash(&mut hash));
        parts.push(Item {
            content: Content::Header(id),
            blank_lines: if parts.is_empty() { item.blank_lines } else { 0 },
            depth: item.depth + clause.depth,
            digest: hash.finish(),
            weight: clause.header.len(),
            key: None,
            lines: lines.clone(),
        });
        start = lines.end;
        let below = clause.block(tree).and_then(|block| tree.items(block)).unwrap_or_default();
        for inner in below {
            let depth = item.depth + clause.depth + 1;
            start = inner.lines.end;
            parts.push(Item { depth, ..inner.clone() });
        }
    }
    parts
}
