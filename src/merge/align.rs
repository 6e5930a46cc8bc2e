//! Which item of a side is which item of the base.
//!
//! Meaning comes before position: what has a key is found by it wherever it stands in its block, the rest by a
//! longest common subsequence of what the items say; what is left between two matches pairs by likeness; and a
//! definition that went with another that came, alike in its body, was renamed.

use super::digest::digest_of;
use super::items::{Item, Key};
use super::lines;
use super::sequence::{Element, Place};
use super::tree::{Id, Kind, Tree, says_something};
use foldhash::HashMap;
use ruff_python_ast::NodeKind;
use std::cell::OnceCell;
use std::ops::Range;

/// A pair of matching places: for each element of the base its place in the side, and the other way round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matching {
    /// For each element of the base, its place in the side.
    pub forward: Vec<Option<usize>>,
    /// For each element of the side, its place in the base.
    pub backward: Vec<Option<usize>>,
}

impl Matching {
    fn new(base: usize, side: usize) -> Matching {
        Matching { forward: vec![None; base], backward: vec![None; side] }
    }

    fn pair(&mut self, base: usize, side: usize) {
        self.forward[base] = Some(side);
        self.backward[side] = Some(base);
    }

    fn is_free(&self, base: usize, side: usize) -> bool {
        self.forward[base].is_none() && self.backward[side].is_none()
    }
}

/// Two items are paired by likeness only when they share this much of what they say.
const ALIKE: f64 = 0.5;
/// A renamed definition shares this much with what it was.
const RENAMED: f64 = 0.6;
/// Runs longer than this, multiplied, are not compared item by item.
const MANY: usize = 10_000;

/// Matches the elements of two versions of a sequence. `likeness` says how much of one place of the base is in
/// one of the side, from 0 to 1; it is asked only between places that nothing else pairs.
pub fn match_elements(
    base: &[Element],
    side: &[Element],
    likeness: &dyn Fn(&Gap, usize, usize) -> f64,
) -> Matching {
    let mut matching = Matching::new(base.len(), side.len());
    in_order(base, side, &mut matching);
    by_key(base, side, &mut matching);
    for gap in gaps(&matching) {
        by_likeness(&gap, &|row, column| likeness(&gap, row, column), &mut matching);
    }
    matching
}

/// A longest common subsequence; an element with a key of its own is the same whatever it says.
fn in_order(base: &[Element], side: &[Element], matching: &mut Matching) {
    let keys = [unique_keys(base), unique_keys(side)];
    let symbols = |elements: &[Element]| -> Vec<(bool, u64)> {
        let symbol = |element: &Element| match element.key {
            Some(key) if keys.iter().all(|keys| keys.get(&key) == Some(&true)) => (true, key),
            _ => (false, element.digest),
        };
        elements.iter().map(symbol).collect()
    };
    let matches = lines::matches(&symbols(base), &symbols(side));
    for (place, found) in matches.into_iter().enumerate() {
        if let Some(found) = found {
            matching.pair(place, found);
        }
    }
}

/// The keys, and whether one element only has it.
fn unique_keys(elements: &[Element]) -> HashMap<u64, bool> {
    let mut seen = HashMap::default();
    for key in elements.iter().filter_map(|element| element.key) {
        seen.entry(key).and_modify(|is_unique| *is_unique = false).or_insert(true);
    }
    seen
}

/// What moved: the rest of what has a key.
fn by_key(base: &[Element], side: &[Element], matching: &mut Matching) {
    let mut places: HashMap<u64, Vec<usize>> = HashMap::default();
    for (at, element) in side.iter().enumerate() {
        if let (Some(key), None) = (element.key, matching.backward[at]) {
            places.entry(key).or_default().push(at);
        }
    }
    for (at, element) in base.iter().enumerate() {
        if matching.forward[at].is_some() {
            continue;
        }
        let Some(found) = element.key.and_then(|key| places.get_mut(&key)) else { continue };
        // Of several with one key, the one that says the same; else the first.
        let same = found.iter().position(|place| side[*place].digest == element.digest);
        if !found.is_empty() {
            matching.pair(at, found.remove(same.unwrap_or(0)));
        }
    }
}

/// The places of both versions between two matches that follow each other.
#[derive(Debug)]
pub struct Gap {
    /// Places of the base.
    pub base: Vec<usize>,
    /// Places of the side.
    pub side: Vec<usize>,
}

/// Runs of free elements between elements that are matched in order.
fn gaps(matching: &Matching) -> Vec<Gap> {
    let (mut gaps, mut from, mut base) = (Vec::new(), 0, Vec::new());
    let free = |range: Range<usize>| -> Vec<usize> {
        range.filter(|at| matching.backward[*at].is_none()).collect()
    };
    for (at, found) in matching.forward.iter().enumerate() {
        match found {
            None => base.push(at),
            Some(place) if *place >= from => {
                gaps.push(Gap { base: std::mem::take(&mut base), side: free(from..*place) });
                from = place + 1;
            }
            // It moved.
            Some(_) => (),
        }
    }
    gaps.push(Gap { base, side: free(from..matching.backward.len()) });
    gaps.retain(|gap| !gap.base.is_empty() && !gap.side.is_empty());
    gaps
}

/// Pairs the elements of a gap in order, so that the sum of their likenesses is greatest.
fn by_likeness(gap: &Gap, likeness: &dyn Fn(usize, usize) -> f64, matching: &mut Matching) {
    let (rows, columns) = (gap.base.len(), gap.side.len());
    if rows * columns > MANY {
        return;
    }
    let mut best = vec![vec![0.0_f64; columns + 1]; rows + 1];
    for row in (0..rows).rev() {
        for column in (0..columns).rev() {
            let alike = likeness(gap.base[row], gap.side[column]);
            let with = if alike > 0.0 { alike + best[row + 1][column + 1] } else { 0.0 };
            best[row][column] = with.max(best[row + 1][column]).max(best[row][column + 1]);
        }
    }
    let (mut row, mut column) = (0, 0);
    while row < rows && column < columns {
        if best[row][column] <= best[row + 1][column] {
            row += 1;
        } else if best[row][column] <= best[row][column + 1] {
            column += 1;
        } else {
            matching.pair(gap.base[row], gap.side[column]);
            (row, column) = (row + 1, column + 1);
        }
    }
}

/// A version of a block, with the tree that its items belong to.
#[derive(Debug, Clone, Copy)]
pub struct Block<'t, 'a> {
    /// The tree.
    pub tree: &'t Tree<'a>,
    /// The items.
    pub items: &'t [Item],
    /// What merging must know of each item.
    pub elements: &'t [Element],
}

/// Matches the items of two versions of a block.
pub fn match_items(base: Block<'_, '_>, side: Block<'_, '_>) -> Matching {
    let bags = |block: Block<'_, '_>| -> Vec<OnceCell<Bag>> {
        block.items.iter().map(|_| OnceCell::new()).collect()
    };
    let (left, right) = (bags(base), bags(side));
    let likeness = |_: &Gap, row: usize, column: usize| {
        let (old, new) = (&base.items[row], &side.items[column]);
        if !can_pair(base, row, side, column) {
            return 0.0;
        }
        let left = left[row].get_or_init(|| bag(base.tree, old));
        let right = right[column].get_or_init(|| bag(side.tree, new));
        let alike = dice(left, right);
        if alike >= ALIKE { alike } else { 0.0 }
    };
    let by_region = by_region(base, side);
    let side_elements = by_region.as_deref().unwrap_or(side.elements);
    let mut matching = match_elements(base.elements, side_elements, &likeness);
    renamed(base, side, &mut matching);
    matching
}

/// The elements of a side, with the key of the base for each definition that has its region under another name:
/// what stands between the markers is known, whatever people call it. `None` when no name changed.
fn by_region(base: Block<'_, '_>, side: Block<'_, '_>) -> Option<Vec<Element>> {
    let there: HashMap<&str, usize> = regions(side.items).collect();
    let renamed = |(region, old): (&str, usize)| {
        let new = *there.get(region)?;
        let key = base.elements[old].key;
        (key != side.elements[new].key).then_some(())?;
        // A marker may have been left behind when its definition moved.
        let alike =
            |at: usize| dice(&bag(base.tree, &base.items[old]), &bag(side.tree, &side.items[at]));
        let mut named = (0..side.items.len()).filter(|at| side.elements[*at].key == key);
        let is_left_behind = named.any(|at| alike(at) > alike(new));
        (!is_left_behind).then_some((old, new))
    };
    let renamed: Vec<(usize, usize)> = regions(base.items).filter_map(renamed).collect();
    if renamed.is_empty() {
        return None;
    }
    let mut elements = side.elements.to_vec();
    for (old, new) in renamed {
        let key = base.elements[old].key;
        // Who has the old name now is something new.
        for element in elements.iter_mut().filter(|element| element.key == key) {
            element.key = element.key.map(|key| digest_of(&("another", key)));
        }
        elements[new].key = key;
    }
    Some(elements)
}

/// The definitions that stand behind a region marker: the region, and the place of the definition.
fn regions(items: &[Item]) -> impl Iterator<Item = (&str, usize)> {
    let definitions = items.iter().enumerate();
    definitions.filter(|(_, item)| matches!(item.key, Some(Key::Definition(..)))).filter_map(
        |(at, _)| {
            let mut above = items[..at].iter().rev().take_while(|item| item.is_comment());
            let marker = above.find_map(|comment| match &comment.key {
                Some(Key::Marker(marker)) => marker.strip_prefix("astgen:begin "),
                _ => None,
            });
            Some((marker?, at))
        },
    )
}

/// Whether one item may be the other, edited: a member that has another name is another member, until
/// [`renamed`] says otherwise.
fn can_pair(base: Block<'_, '_>, row: usize, side: Block<'_, '_>, column: usize) -> bool {
    let (old, new) = (&base.items[row], &side.items[column]);
    let is_member = |item: &Item, element: &Element| {
        item.key.is_some() && matches!(element.place, Place::Set | Place::First)
    };
    if is_member(old, &base.elements[row]) || is_member(new, &side.elements[column]) {
        return false;
    }
    match (old.kind(base.tree), new.kind(side.tree)) {
        (None, None) => old.is_comment() == new.is_comment(),
        (Some(old), Some(new)) => old == new || is_assignment(old) && is_assignment(new),
        _ => false,
    }
}

fn is_assignment(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::StmtAssign | NodeKind::StmtAnnAssign | NodeKind::StmtAugAssign)
}

/// What an item says, as a bag of words.
type Bag = HashMap<u64, usize>;

fn bag(tree: &Tree<'_>, item: &Item) -> Bag {
    let mut bag = Bag::default();
    match item.statement() {
        Some(id) => {
            leaves(tree, id, &mut |leaf| *bag.entry(tree.node(leaf).digest).or_default() += 1)
        }
        None => {
            for word in tree.text[item.lines.clone()].split_whitespace() {
                *bag.entry(digest_of(word)).or_default() += 1;
            }
        }
    }
    bag
}

/// Calls `visit` for every token of a node that says something.
fn leaves(tree: &Tree<'_>, id: Id, visit: &mut impl FnMut(Id)) {
    let node = tree.node(id);
    if tree.children(id).is_empty() {
        let is_bracket = matches!(node.kind, Kind::OpenBracket | Kind::CloseBracket);
        if says_something(tree, id) && !is_bracket {
            visit(id);
        }
    }
    for &child in tree.children(id) {
        leaves(tree, child, visit);
    }
}

/// The Dice coefficient of two bags: 1 when they hold the same, 0 when they share nothing.
fn dice(left: &Bag, right: &Bag) -> f64 {
    let size = |bag: &Bag| bag.values().sum::<usize>();
    let shared: usize =
        left.iter().map(|(word, count)| right.get(word).copied().unwrap_or(0).min(*count)).sum();
    let total = size(left) + size(right);
    #[expect(clippy::cast_precision_loss, reason = "counts of tokens are small")]
    let coefficient = if total == 0 { 0.0 } else { 2.0 * shared as f64 / total as f64 };
    coefficient
}

/// Pairs definitions that went with definitions that came, where their bodies are alike.
fn renamed(base: Block<'_, '_>, side: Block<'_, '_>, matching: &mut Matching) {
    let definitions = |block: Block<'_, '_>,
                       is_free: &dyn Fn(usize) -> bool|
     -> Vec<(usize, Bag)> {
        let places = (0..block.items.len()).filter(|at| is_free(*at));
        let places = places.filter(|at| matches!(block.items[*at].key, Some(Key::Definition(..))));
        places.map(|at| (at, bag(block.tree, &block.items[at]))).collect()
    };
    let old = definitions(base, &|at| matching.forward[at].is_none());
    let new = definitions(side, &|at| matching.backward[at].is_none());
    if old.len() * new.len() > MANY {
        return;
    }
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (at, left) in &old {
        for (place, right) in &new {
            if base.items[*at].kind(base.tree) == side.items[*place].kind(side.tree) {
                let alike = dice(left, right);
                if alike >= RENAMED {
                    pairs.push((alike, *at, *place));
                }
            }
        }
    }
    pairs.sort_by(|left, right| right.0.total_cmp(&left.0).then(left.1.cmp(&right.1)));
    for (_, at, place) in pairs {
        if matching.is_free(at, place) {
            matching.pair(at, place);
        }
    }
}
