//! Lines that change, with those around them.

use crate::merge::lines;
use serde::Serialize;
use std::ops::Range;

/// Lines that are shown around a change.
const CONTEXT: usize = 3;

/// A run of lines, with what happens to each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// Its first line before, from 1.
    pub before: usize,
    /// Its first line after, from 1.
    pub after: usize,
    /// The lines, removed ones before those that come in their place.
    pub lines: Vec<Line>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Where it is.
    pub side: Side,
    /// Its text, without the line ending.
    pub text: String,
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It stays.
    Both,
    /// It goes.
    Removed,
    /// It comes.
    Added,
}

/// Lines that are replaced by others; either side may be empty. Lines are counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What goes.
    pub before: Range<usize>,
    /// What comes.
    pub after: Range<usize>,
}

/// What changes between two texts.
pub fn blocks(before: &str, after: &str) -> Vec<Block> {
    let (before, after) = (lines::split(before), lines::split(after));
    let chunks = lines::chunks(&before, &before, &after).into_iter();
    chunks
        .filter(|chunk| before[chunk.ours.clone()] != after[chunk.theirs.clone()])
        .map(|chunk| Block { before: chunk.ours, after: chunk.theirs })
        .collect()
}

/// The changes with the lines around them; those that are close are one hunk.
pub fn hunks(before: &str, after: &str, blocks: &[Block]) -> Vec<Hunk> {
    let (before, after) = (lines::split(before), lines::split(after));
    let mut runs: Vec<&[Block]> = Vec::new();
    let mut start = 0;
    for at in 1..=blocks.len() {
        let is_close = blocks.get(at).is_some_and(|next| {
            next.before.start.saturating_sub(blocks[at - 1].before.end) <= 2 * CONTEXT
        });
        if !is_close {
            runs.push(&blocks[start..at]);
            start = at;
        }
    }
    runs.into_iter().filter_map(|run| hunk(&before, &after, run)).collect()
}

fn hunk(before: &[&str], after: &[&str], run: &[Block]) -> Option<Hunk> {
    let (first, last) = (run.first()?, run.last()?);
    let lead = first.before.start.min(first.after.start).min(CONTEXT);
    let start = first.before.start - lead;
    let end = (last.before.end + CONTEXT).min(before.len());
    let mut lines = Vec::new();
    let mut at = start;
    for block in run {
        lines.extend(before[at..block.before.start].iter().map(|line| line_of(Side::Both, line)));
        lines.extend(before[block.before.clone()].iter().map(|line| line_of(Side::Removed, line)));
        lines.extend(after[block.after.clone()].iter().map(|line| line_of(Side::Added, line)));
        at = block.before.end;
    }
    lines.extend(before[at..end].iter().map(|line| line_of(Side::Both, line)));
    Some(Hunk { before: start + 1, after: first.after.start - lead + 1, lines })
}

fn line_of(side: Side, line: &str) -> Line {
    Line { side, text: line.trim_end_matches('\n').to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Side, blocks, hunks};

    #[track_caller]
    fn check(before: &str, after: &str, expected: &str) {
        let (before, after) = (spread(before), spread(after));
        let shown: Vec<String> = hunks(&before, &after, &blocks(&before, &after))
            .into_iter()
            .map(|hunk| {
                let lines = hunk.lines.iter().map(|line| match line.side {
                    Side::Both => line.text.clone(),
                    Side::Removed => format!("-{}", line.text),
                    Side::Added => format!("+{}", line.text),
                });
                format!("{},{}:{}", hunk.before, hunk.after, lines.collect::<String>())
            })
            .collect();
        assert_eq!(shown.join(" "), expected);
    }

    fn spread(letters: &str) -> String {
        letters.chars().map(|letter| format!("{letter}\n")).collect()
    }

    #[test]
    fn changes_come_with_the_lines_around() {
        check("abcdefgh", "abcdXfgh", "2,2:bcd-e+Xfgh");
        check("abc", "abc", "");
        check("", "ab", "1,1:+a+b");
        check("ab", "", "1,1:-a-b");
        check("abcdefghij", "Xbcdefghi", "1,1:-a+Xbcd 7,7:ghi-j");
        check("abcdef", "Xbcdef", "1,1:-a+Xbcd");
        check("abcdef", "XbcdeY", "1,1:-a+Xbcde-f+Y");
    }
}
