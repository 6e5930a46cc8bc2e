//! Merging three versions of a sequence, once it is known which element is which.
//!
//! Elements that all three versions have in one order hold the sequence together; what stands between two of
//! them is resolved by itself. A side that moved an element has its way, where the other did not; what one side
//! deleted goes, unless the other changed it; what both sides added in one place is kept in the order ours,
//! theirs where order is no matter, and clashes where it is.

use super::align::Matching;
use super::lines;
use foldhash::HashMap;
use std::ops::Range;

/// What merging must know of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Element {
    /// What it says.
    pub digest: u64,
    /// What identifies it, whatever it says.
    pub key: Option<u64>,
    /// Whether its place matters.
    pub place: Place,
}

/// Whether the place of an element matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is a step of something: two steps in one place are in an order that nobody knows.
    Ordered,
    /// It is a member of something, and stands before steps.
    Set,
    /// It is a member that stands before all others: an import.
    First,
    /// It is no matter: a comment.
    Free,
}

/// One element of the result, by its places in the versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// In all three.
    Both {
        /// The place in the base.
        base: usize,
        /// The place in ours.
        ours: usize,
        /// The place in theirs.
        theirs: usize,
    },
    /// New in ours.
    Ours(usize),
    /// New in theirs.
    Theirs(usize),
    /// New in both, the same or with the same key.
    New {
        /// The place in ours.
        ours: usize,
        /// The place in theirs.
        theirs: usize,
    },
    /// The sides cannot both have their way.
    Clash {
        /// Places in the base.
        base: Vec<usize>,
        /// Places in ours.
        ours: Vec<usize>,
        /// Places in theirs.
        theirs: Vec<usize>,
        /// What is wrong.
        reason: Reason,
    },
}

/// Why two changes cannot both stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Ours changed what theirs deleted.
    DeletedByTheirs,
    /// Theirs changed what ours deleted.
    DeletedByOurs,
    /// Both added or replaced something in one place.
    SamePlace,
    /// One side added something at the edge of what the other put a block around.
    AtEdge,
}

/// Three versions of a sequence.
#[derive(Debug, Clone, Copy)]
pub struct Sequences<'a> {
    /// The common ancestor.
    pub base: &'a [Element],
    /// Ours.
    pub ours: &'a [Element],
    /// Theirs.
    pub theirs: &'a [Element],
    /// Which of ours is which of the base.
    pub to_ours: &'a Matching,
    /// Which of theirs is which of the base.
    pub to_theirs: &'a Matching,
    /// What theirs added goes before what ours added in the same place.
    pub theirs_first: bool,
}

/// Merges three versions of a sequence.
pub fn merge(sequences: Sequences<'_>) -> Vec<Merged> {
    let moves = Moves::new(&sequences);
    let twins = Twins::new(&sequences, &moves);
    let mut merged = Vec::new();
    let mut start = [0; 3];
    for &base in moves.fixed.iter().chain([&sequences.base.len()]) {
        let fixed = moves.places(&sequences, base);
        let end =
            fixed.unwrap_or([sequences.base.len(), sequences.ours.len(), sequences.theirs.len()]);
        let gap = Gap {
            all: sequences,
            moves: &moves,
            twins: &twins,
            base: start[0]..end[0],
            ours: start[1]..end[1],
            theirs: start[2]..end[2],
        };
        merged.extend(gap.resolve());
        if let Some([base, ours, theirs]) = fixed {
            merged.push(Merged::Both { base, ours, theirs });
            start = [base + 1, ours + 1, theirs + 1];
        }
    }
    merged
}

/// Whether every element of the sides is in the result once, or is gone because the other side took it away.
///
/// This is the ledger of a merge: an edit of either side is applied, in a clash, or dropped for that reason.
pub fn is_balanced(all: Sequences<'_>, merged: &[Merged]) -> bool {
    let (mut ours, mut theirs) = (vec![0; all.ours.len()], vec![0; all.theirs.len()]);
    for element in merged {
        match element {
            Merged::Both { ours: o, theirs: t, .. } | Merged::New { ours: o, theirs: t } => {
                ours[*o] += 1;
                theirs[*t] += 1;
            }
            Merged::Ours(o) => ours[*o] += 1,
            Merged::Theirs(t) => theirs[*t] += 1,
            Merged::Clash { .. } => (),
        }
    }
    // What is in a clash is for a person to place, and may stand elsewhere too.
    for element in merged {
        if let Merged::Clash { ours: o, theirs: t, .. } = element {
            o.iter().for_each(|at| ours[*at] = 1);
            t.iter().for_each(|at| theirs[*at] = 1);
        }
    }
    let is_dropped = |side: &[Element], own: &Matching, other: &Matching, at: usize| {
        let taken = own.backward[at].filter(|base| other.forward[*base].is_none());
        taken.is_some_and(|base| all.base[base].digest == side[at].digest)
    };
    let is_in = |count: &[usize], side: &[Element], own: &Matching, other: &Matching| {
        count.iter().enumerate().all(|(at, count)| match count {
            0 => is_dropped(side, own, other, at),
            count => *count == 1,
        })
    };
    is_in(&ours, all.ours, all.to_ours, all.to_theirs)
        && is_in(&theirs, all.theirs, all.to_theirs, all.to_ours)
}

/// Who moved what.
struct Moves {
    /// Elements of the base that all have, in one order.
    fixed: Vec<usize>,
    by_ours: Vec<bool>,
    by_theirs: Vec<bool>,
}

impl Moves {
    fn new(all: &Sequences<'_>) -> Moves {
        let common =
            |at: &usize| all.to_ours.forward[*at].is_some() && all.to_theirs.forward[*at].is_some();
        let common: Vec<usize> = (0..all.base.len()).filter(common).collect();
        let by_ours = moved(all.base.len(), &common, &all.to_ours.forward);
        let by_theirs = moved(all.base.len(), &common, &all.to_theirs.forward);
        let is_fixed = |at: &usize| !by_ours[*at] && !by_theirs[*at];
        Moves { fixed: common.into_iter().filter(is_fixed).collect(), by_ours, by_theirs }
    }

    fn places(&self, all: &Sequences<'_>, base: usize) -> Option<[usize; 3]> {
        let ours = *all.to_ours.forward.get(base)?;
        let theirs = *all.to_theirs.forward.get(base)?;
        Some([base, ours?, theirs?])
    }

    /// Theirs moved it and ours did not.
    fn is_theirs(&self, base: usize) -> bool {
        self.by_theirs[base] && !self.by_ours[base]
    }
}

/// Elements that are not in a longest ascending run of their new places.
fn moved(count: usize, common: &[usize], places: &[Option<usize>]) -> Vec<bool> {
    let mut moved = vec![false; count];
    let new: Vec<usize> = common.iter().filter_map(|at| places[*at]).collect();
    let mut keep = longest_ascending(&new).into_iter().peekable();
    for (index, at) in common.iter().enumerate() {
        moved[*at] = keep.next_if_eq(&index).is_none();
    }
    moved
}

/// The indices of a longest ascending subsequence.
fn longest_ascending(values: &[usize]) -> Vec<usize> {
    let mut tails: Vec<usize> = Vec::new();
    let mut before = vec![usize::MAX; values.len()];
    for (index, value) in values.iter().enumerate() {
        let length = tails.partition_point(|tail| values[*tail] < *value);
        if let Some(previous) = length.checked_sub(1) {
            before[index] = tails[previous];
        }
        if length == tails.len() {
            tails.push(index);
        } else {
            tails[length] = index;
        }
    }
    let mut run = Vec::with_capacity(tails.len());
    let mut at = tails.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        run.push(at);
        at = before[at];
    }
    run.reverse();
    run
}

/// What both sides added: with a key, anywhere; without one, where it says the same in the same gap.
#[derive(Default)]
struct Twins {
    /// The place in ours of what is new in theirs.
    of_theirs: HashMap<usize, usize>,
    /// The other way round.
    of_ours: HashMap<usize, usize>,
}

impl Twins {
    fn new(all: &Sequences<'_>, moves: &Moves) -> Twins {
        let mut twins = Twins::default();
        let ours = new_places(all.to_ours);
        let theirs = new_places(all.to_theirs);
        let mut keyed: HashMap<u64, usize> = HashMap::default();
        for &at in ours.iter().rev() {
            keyed.extend(all.ours[at].key.map(|key| (key, at)));
        }
        for &at in &theirs {
            if let Some(place) = all.theirs[at].key.and_then(|key| keyed.remove(&key)) {
                twins.pair(place, at);
            }
        }
        let ours: Vec<usize> =
            ours.into_iter().filter(|at| !twins.of_ours.contains_key(at)).collect();
        let theirs: Vec<usize> =
            theirs.into_iter().filter(|at| !twins.of_theirs.contains_key(at)).collect();
        let said = |places: &[usize], elements: &[Element], matching: &Matching| {
            let gaps = gap_numbers(elements.len(), &moves.fixed, &matching.forward);
            let said = places.iter().map(|at| (gaps[*at], elements[*at].digest));
            said.collect::<Vec<(usize, u64)>>()
        };
        let by_ours = said(&ours, all.ours, all.to_ours);
        let by_theirs = said(&theirs, all.theirs, all.to_theirs);
        for (index, found) in lines::matches(&by_theirs, &by_ours).into_iter().enumerate() {
            if let Some(found) = found {
                twins.pair(ours[found], theirs[index]);
            }
        }
        twins
    }

    fn pair(&mut self, ours: usize, theirs: usize) {
        self.of_theirs.insert(theirs, ours);
        self.of_ours.insert(ours, theirs);
    }
}

fn new_places(matching: &Matching) -> Vec<usize> {
    (0..matching.backward.len()).filter(|at| matching.backward[*at].is_none()).collect()
}

/// For each place of a side, how many fixed elements stand before it.
fn gap_numbers(count: usize, fixed: &[usize], places: &[Option<usize>]) -> Vec<usize> {
    let mut fixed = fixed.iter().filter_map(|base| places[*base]).peekable();
    let mut number = 0;
    (0..count)
        .map(|at| {
            while fixed.next_if(|place| *place < at).is_some() {
                number += 1;
            }
            number
        })
        .collect()
}

/// What stands between two elements that hold the sequence together.
struct Gap<'a> {
    all: Sequences<'a>,
    moves: &'a Moves,
    twins: &'a Twins,
    base: Range<usize>,
    ours: Range<usize>,
    theirs: Range<usize>,
}

impl Gap<'_> {
    fn resolve(&self) -> Vec<Merged> {
        let mut merged = self.walk_ours();
        self.walk_theirs(&mut merged);
        if !merged.iter().any(|element| self.is_plain_clash(element)) && !self.is_contested() {
            return merged;
        }
        if self.has_members() {
            self.gather(merged)
        } else {
            vec![Merged::Clash {
                base: self.base.clone().collect(),
                ours: self.ours.clone().collect(),
                theirs: self.theirs.clone().collect(),
                reason: Reason::SamePlace,
            }]
        }
    }

    fn is_plain_clash(&self, element: &Merged) -> bool {
        match element {
            Merged::Clash { base, .. } => base.iter().all(|at| self.all.base[*at].key.is_none()),
            _ => false,
        }
    }

    fn has_members(&self) -> bool {
        let is_member = |element: &Element| matches!(element.place, Place::Set | Place::First);
        self.all.base[self.base.clone()].iter().any(is_member)
            || self.all.ours[self.ours.clone()].iter().any(is_member)
            || self.all.theirs[self.theirs.clone()].iter().any(is_member)
    }

    /// Puts the contested steps into one clash and leaves the members around as they are.
    fn gather(&self, merged: Vec<Merged>) -> Vec<Merged> {
        let (mut base, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        let mut rest = Vec::new();
        let mut place = None;
        for element in merged {
            match element {
                Merged::Clash { base: b, ours: o, theirs: t, .. }
                    if b.iter().all(|at| self.all.base[*at].key.is_none()) =>
                {
                    base.extend(b);
                    ours.extend(o);
                    theirs.extend(t);
                }
                Merged::Ours(at) if self.all.ours[at].place == Place::Ordered => ours.push(at),
                Merged::Theirs(at) if self.all.theirs[at].place == Place::Ordered => {
                    theirs.push(at)
                }
                element => {
                    rest.push(element);
                    continue;
                }
            }
            place.get_or_insert(rest.len());
        }
        base.extend(self.base.clone().filter(|at| self.is_deleted_by_both(*at)));
        let clash = Merged::Clash { base, ours, theirs, reason: Reason::SamePlace };
        rest.insert(place.unwrap_or(0), clash);
        rest
    }

    /// Whether both sides put steps here, or one side did where both took something away.
    fn is_contested(&self) -> bool {
        let ours = self.ours.clone().any(|at| {
            self.all.to_ours.backward[at].is_none()
                && self.all.ours[at].place == Place::Ordered
                && !self.twins.of_ours.contains_key(&at)
        });
        let theirs = self.theirs.clone().any(|at| {
            self.all.to_theirs.backward[at].is_none()
                && self.all.theirs[at].place == Place::Ordered
                && !self.twins.of_theirs.contains_key(&at)
        });
        ours && theirs
            || (ours || theirs) && self.base.clone().any(|at| self.is_deleted_by_both(at))
    }

    fn is_deleted_by_both(&self, base: usize) -> bool {
        self.all.base[base].place == Place::Ordered
            && self.all.to_ours.forward[base].is_none()
            && self.all.to_theirs.forward[base].is_none()
    }

    fn walk_ours(&self) -> Vec<Merged> {
        let mut merged = Vec::new();
        for ours in self.ours.clone() {
            let Some(base) = self.all.to_ours.backward[ours] else {
                merged.push(match self.twins.of_ours.get(&ours) {
                    Some(&theirs) => Merged::New { ours, theirs },
                    None => Merged::Ours(ours),
                });
                continue;
            };
            match self.all.to_theirs.forward[base] {
                None if self.all.ours[ours].digest == self.all.base[base].digest => (),
                None => merged.push(Merged::Clash {
                    base: vec![base],
                    ours: vec![ours],
                    theirs: Vec::new(),
                    reason: Reason::DeletedByTheirs,
                }),
                Some(_) if self.moves.is_theirs(base) => (),
                Some(theirs) => merged.push(Merged::Both { base, ours, theirs }),
            }
        }
        merged
    }

    /// Puts what theirs added behind what precedes it in theirs, and behind what ours added there, but before
    /// what may need it: imports before members, members before steps.
    fn walk_theirs(&self, merged: &mut Vec<Merged>) {
        let mut at = 0;
        for theirs in self.theirs.clone() {
            let found = merged.iter().position(|element| element.is_of_theirs(theirs));
            if let Some(found) = found {
                at = found + 1;
                continue;
            }
            let Some(new) = self.of_theirs(theirs) else { continue };
            let rank = rank(self.all.theirs, theirs);
            while let Some(Merged::Ours(ours)) = merged.get(at)
                && !self.all.theirs_first
                && self::rank(self.all.ours, *ours) <= rank
            {
                at += 1;
            }
            merged.insert(at, new);
            at += 1;
        }
    }

    /// An element of theirs that ours does not have here.
    fn of_theirs(&self, theirs: usize) -> Option<Merged> {
        let Some(base) = self.all.to_theirs.backward[theirs] else {
            let has_twin = self.twins.of_theirs.contains_key(&theirs);
            return (!has_twin).then_some(Merged::Theirs(theirs));
        };
        match self.all.to_ours.forward[base] {
            None if self.all.theirs[theirs].digest == self.all.base[base].digest => None,
            None => Some(Merged::Clash {
                base: vec![base],
                ours: Vec::new(),
                theirs: vec![theirs],
                reason: Reason::DeletedByOurs,
            }),
            Some(ours) if self.moves.is_theirs(base) => Some(Merged::Both { base, ours, theirs }),
            Some(_) => None,
        }
    }
}

/// How far to the front an element belongs; a comment belongs to what follows it.
fn rank(elements: &[Element], at: usize) -> usize {
    let place = elements[at..].iter().map(|element| element.place).find(|it| *it != Place::Free);
    match place {
        Some(Place::First) => 0,
        Some(Place::Set) => 1,
        Some(Place::Ordered | Place::Free) | None => 2,
    }
}

impl Merged {
    fn is_of_theirs(&self, at: usize) -> bool {
        match self {
            Merged::Both { theirs, .. } | Merged::New { theirs, .. } | Merged::Theirs(theirs) => {
                *theirs == at
            }
            Merged::Clash { theirs, .. } => theirs.contains(&at),
            Merged::Ours(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Upper case is ordered, lower case a member, `#` free; letters are their own identity.
    fn elements(text: &str) -> Vec<Element> {
        let place = |char: char| match char {
            '#' => Place::Free,
            char if char.is_uppercase() => Place::Ordered,
            _ => Place::Set,
        };
        text.chars()
            .map(|char| Element { digest: char.into(), key: None, place: place(char) })
            .collect()
    }

    #[track_caller]
    fn check(base: &str, ours: &str, theirs: &str, expected: &str) {
        let matching = |side: &str| {
            let mut matching =
                Matching { forward: vec![None; base.len()], backward: vec![None; side.len()] };
            for (at, char) in base.chars().enumerate() {
                matching.forward[at] = side.find(char);
                if let Some(place) = side.find(char) {
                    matching.backward[place] = Some(at);
                }
            }
            matching
        };
        let shown =
            |text: &str, at: &[usize]| at.iter().map(|at| &text[*at..=*at]).collect::<String>();
        let merged: String = merge(Sequences {
            base: &elements(base),
            ours: &elements(ours),
            theirs: &elements(theirs),
            to_ours: &matching(ours),
            to_theirs: &matching(theirs),
            theirs_first: false,
        })
        .into_iter()
        .map(|element| match element {
            Merged::Both { ours: at, .. } | Merged::New { ours: at, .. } | Merged::Ours(at) => {
                shown(ours, &[at])
            }
            Merged::Theirs(at) => shown(theirs, &[at]),
            Merged::Clash { base: b, ours: o, theirs: t, .. } => {
                format!("<{}|{}|{}>", shown(ours, &o), shown(base, &b), shown(theirs, &t))
            }
        })
        .collect();
        assert_eq!(merged, expected);
    }

    #[test]
    fn steps_in_one_place_clash_and_members_do_not() {
        check("AZ", "AXZ", "AYZ", "A<X||Y>Z");
        check("az", "axz", "ayz", "axyz");
        check("AZ", "AXZ", "AXZ", "AXZ");
        check("AZ", "AxZ", "AYZ", "AxYZ");
        check("AZ", "AYZ", "AxZ", "AxYZ");
        check("AZ", "A#YZ", "AxZ", "Ax#YZ");
        check("AZ", "A#Z", "AYZ", "A#YZ");
        check("az", "aXbz", "aYcz", "a<X||Y>bcz");
    }

    #[test]
    fn what_one_side_took_away_goes() {
        check("ABC", "AC", "ABC", "AC");
        check("ABC", "ABC", "AC", "AC");
        check("ABC", "BC", "AB", "B");
        check("AXC", "AC", "AXYC", "AYC");
        check("AXC", "AYC", "AC", "A<Y|X|>C");
    }

    #[test]
    fn the_side_that_moved_something_has_its_way() {
        check("abc", "cab", "abc", "cab");
        check("abc", "abc", "cab", "cab");
        check("abcd", "badc", "abcdx", "badxc");
        check("abc", "bac", "abcx", "bacx");
    }
}
