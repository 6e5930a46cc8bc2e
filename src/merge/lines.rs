//! Merging by line: what needs no grammar.
//!
//! The rules are those of `diff3`: where one side left the base alone, the other side's lines stand; where
//! both made the same change, it stands once; anything else is a clash. Changes that touch, with no common
//! line between them, clash too, as they do in git.

use foldhash::HashMap;
use imara_diff::{Algorithm, Diff, NoSliderHeuristic, Token};
use std::hash::Hash;
use std::ops::Range;

/// A run of the three versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Who changed it.
    pub change: Change,
    /// The items of the base.
    pub base: Range<usize>,
    /// The items of ours.
    pub ours: Range<usize>,
    /// The items of theirs.
    pub theirs: Range<usize>,
}

/// Who changed a run of the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Nobody.
    None,
    /// We did.
    Ours,
    /// They did.
    Theirs,
    /// Both, alike.
    Same,
    /// Both, each in another way.
    Clash,
}

/// The lines of a text, each with its newline.
pub fn split(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// Cuts three sequences into runs, in order.
pub fn chunks<T: Hash + Eq + Copy>(base: &[T], ours: &[T], theirs: &[T]) -> Vec<Chunk> {
    let mut tokens = Tokens::default();
    let old = tokens.of(base);
    let to_ours = tokens.matches(base, &old, ours);
    let to_theirs = tokens.matches(base, &old, theirs);
    let mut chunks: Vec<Chunk> = Vec::new();
    let (mut b, mut o, mut t) = (0, 0, 0);
    loop {
        let stable = (b..base.len())
            .take_while(|&at| to_ours[at] == Some(o + at - b) && to_theirs[at] == Some(t + at - b))
            .count();
        if stable > 0 {
            chunks.push(Chunk {
                change: Change::None,
                base: b..b + stable,
                ours: o..o + stable,
                theirs: t..t + stable,
            });
            (b, o, t) = (b + stable, o + stable, t + stable);
        }
        if (b, o, t) == (base.len(), ours.len(), theirs.len()) {
            return chunks;
        }
        let next = (b..base.len()).find_map(|at| Some((at, to_ours[at]?, to_theirs[at]?)));
        let end = next.unwrap_or((base.len(), ours.len(), theirs.len()));
        let change = change(&base[b..end.0], &ours[o..end.1], &theirs[t..end.2]);
        chunks.push(Chunk { change, base: b..end.0, ours: o..end.1, theirs: t..end.2 });
        (b, o, t) = end;
    }
}

fn change<T: Eq>(base: &[T], ours: &[T], theirs: &[T]) -> Change {
    match (ours == base, theirs == base) {
        (true, true) => Change::None,
        (true, false) => Change::Theirs,
        (false, true) => Change::Ours,
        (false, false) if ours == theirs => Change::Same,
        (false, false) => Change::Clash,
    }
}

/// For each item of `before`, its place in `after`, in ascending order: a longest common subsequence, near
/// enough.
pub fn matches<T: Hash + Eq + Copy>(before: &[T], after: &[T]) -> Vec<Option<usize>> {
    let mut tokens = Tokens::default();
    let old = tokens.of(before);
    tokens.matches(before, &old, after)
}

/// Numbers for items: equal ones for equal items.
struct Tokens<T> {
    known: HashMap<T, u32>,
}

impl<T> Default for Tokens<T> {
    fn default() -> Self {
        Tokens { known: HashMap::default() }
    }
}

impl<T: Hash + Eq + Copy> Tokens<T> {
    fn of(&mut self, items: &[T]) -> Vec<Token> {
        let tokens = items.iter().map(|item| {
            let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
            Token(*self.known.entry(*item).or_insert(next))
        });
        tokens.collect()
    }

    /// The tokens of what is another version of `before`: what both begin and end with has the same.
    fn of_version(&mut self, before: &[T], old: &[Token], after: &[T]) -> Vec<Token> {
        let first = before.iter().zip(after).take_while(|(old, new)| old == new).count();
        let rest = before[first..].iter().rev().zip(after[first..].iter().rev());
        let last = rest.take_while(|(old, new)| old == new).count();
        let changed = self.of(&after[first..after.len() - last]);
        [&old[..first], &changed, &old[old.len() - last..]].concat()
    }

    fn matches(&mut self, before: &[T], old: &[Token], after: &[T]) -> Vec<Option<usize>> {
        let new = &self.of_version(before, old, after);
        let mut diff = Diff::default();
        // Histogram lets rare items anchor; it falls back to Myers where there are none.
        let count = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        diff.compute_with(Algorithm::Histogram, old, new, count);
        // What both sides insert alike shall stand in one place, whichever of two equal lines it was put behind.
        diff.postprocess_with(old, new, NoSliderHeuristic);
        let mut matched = vec![None; old.len()];
        let mut pairs = Pairs { old, new, matched: &mut matched, at: (0, 0) };
        for hunk in diff.hunks() {
            pairs.equal_to(hunk.before.start as usize);
            pairs.at = (hunk.before.end as usize, hunk.after.end as usize);
        }
        pairs.equal_to(old.len());
        matched
    }
}

struct Pairs<'a> {
    old: &'a [Token],
    new: &'a [Token],
    matched: &'a mut [Option<usize>],
    at: (usize, usize),
}

impl Pairs<'_> {
    /// Pairs what is equal up to `end` of the old sequence.
    fn equal_to(&mut self, end: usize) {
        let (old, new) = self.at;
        for (place, token) in (new..).zip(old..end) {
            debug_assert_eq!(self.old[token], self.new[place]);
            self.matched[token] = Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, ours: &str, theirs: &str, expected: &[Change]) {
        let [base, ours, theirs] =
            [base, ours, theirs].map(|text| text.bytes().collect::<Vec<_>>());
        let found: Vec<Change> =
            chunks(&base, &ours, &theirs).iter().map(|chunk| chunk.change).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_changed_what() {
        use Change::*;
        check("abc", "abc", "abc", &[None]);
        check("", "", "", &[]);
        check("abc", "axc", "abc", &[None, Ours, None]);
        check("abc", "abc", "abxc", &[None, Theirs, None]);
        check("abc", "axc", "axc", &[None, Same, None]);
        check("abc", "axc", "ayc", &[None, Clash, None]);
        check("abcde", "xbcde", "abcdy", &[Ours, None, Theirs]);
        // Changes that touch.
        check("abc", "xbc", "ayc", &[Clash, None]);
        check("ab", "axb", "ayb", &[None, Clash, None]);
        check("", "x", "y", &[Clash]);
    }

    #[test]
    fn the_same_insertion_stands_in_one_place() {
        use Change::*;
        // Theirs, who took out the second `_`, may have put `_i` behind `a` or `i_` behind `a_`.
        check("a_bd_c", "a_i_bd_c", "a_i_bdc", &[None, Same, None, Theirs, None]);
    }
}
