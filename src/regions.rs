//! Two versions of a file whose last generated text is lost.
//!
//! A generated region carries the digest of its own text: one that still has it was not edited, and the newly
//! generated region can take its place. What differs anywhere else may be an edit, and is a clash.

use crate::merge::conflict::{Conflict, Labels, Sides, marked};
use crate::merge::{Merged, lines};
use astgen_pyast::region_digest;
use std::collections::HashMap;
use std::ops::Range;

const BEGIN: &str = "# astgen:begin ";
const END: &str = "# astgen:end ";

/// A generated region of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region<'a> {
    /// Its id, which is stable across versions.
    pub id: &'a str,
    /// Its lines, markers included, counted from 0.
    pub lines: Range<usize>,
    /// Whether it is as it was generated.
    pub is_pristine: bool,
}

/// The regions of a text with `\n` as its line ending, in order. One inside of another is a part of that one.
#[must_use]
pub fn regions(text: &str) -> Vec<Region<'_>> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut regions = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        match region_at(&lines, at) {
            Some(region) => {
                at = region.lines.end;
                regions.push(region);
            }
            None => at += 1,
        }
    }
    regions
}

fn region_at<'a>(lines: &[&'a str], begin: usize) -> Option<Region<'a>> {
    let (id, digest) = lines[begin].trim().strip_prefix(BEGIN)?.split_once(' ')?;
    let is_end = |line: &&str| line.trim().strip_prefix(END) == Some(id);
    let end = begin + 1 + lines[begin + 1..].iter().position(is_end)?;
    let text = lines[begin + 1..end].concat();
    Some(Region { id, lines: begin..end + 1, is_pristine: region_digest(&text) == digest.trim() })
}

/// Whether a line is the marker that begins a region. Its digest changes with every line of the region.
#[must_use]
pub fn is_begin(line: &str) -> bool {
    line.trim_start().starts_with(BEGIN)
}

/// Whether a text holds a generated region.
#[must_use]
pub fn has_regions(text: &str) -> bool {
    text.contains(BEGIN)
}

/// Takes over from `theirs` what nobody edited in `ours`; all else that differs is a clash.
#[must_use]
pub fn merge_without_base(ours: &str, theirs: &str, labels: &Labels) -> Merged {
    let ours = with_new_regions(ours, theirs);
    let (ours, theirs) = (lines::split(&ours), lines::split(theirs));
    let mut merged = Merged { text: String::new(), conflicts: Vec::new() };
    // With ours as the base, every difference is a change of theirs.
    for chunk in lines::chunks(&ours, &ours, &theirs) {
        let (ours, theirs) = (ours[chunk.ours].concat(), theirs[chunk.theirs].concat());
        if ours == theirs {
            merged.text.push_str(&ours);
            continue;
        }
        merged.conflicts.push(Conflict {
            definition: None,
            line: 1 + merged.text.matches('\n').count(),
            reason: REASON.to_owned(),
        });
        merged.text.push_str(&marked(Sides { ours: &ours, base: "", theirs: &theirs }, labels));
    }
    merged
}

/// `ours` with the regions of `theirs` in place of its own pristine ones.
fn with_new_regions(ours: &str, theirs: &str) -> String {
    let new_lines = lines::split(theirs);
    let new: HashMap<&str, Range<usize>> =
        regions(theirs).into_iter().map(|region| (region.id, region.lines)).collect();
    let old_lines = lines::split(ours);
    let (mut text, mut at) = (String::new(), 0);
    for region in regions(ours).into_iter().filter(|region| region.is_pristine) {
        if let Some(lines) = new.get(region.id) {
            text.push_str(&old_lines[at..region.lines.start].concat());
            text.push_str(&new_lines[lines.clone()].concat());
            at = region.lines.end;
        }
    }
    text + &old_lines[at..].concat()
}

const REASON: &str = "what was generated last is not known, so this may be an edit";

#[cfg(test)]
mod tests {
    use super::{merge_without_base, regions};
    use crate::merge::conflict::Labels;
    use astgen_pyast::region_digest;

    fn region(id: &str, body: &str) -> String {
        format!("# astgen:begin {id} {}\n{body}# astgen:end {id}\n", region_digest(body))
    }

    #[track_caller]
    fn check(ours: &str, theirs: &str, clashes: usize) -> String {
        let merged = merge_without_base(ours, theirs, &Labels::default());
        assert_eq!(merged.conflicts.len(), clashes, "{}", merged.text);
        merged.text
    }

    #[test]
    fn a_region_knows_whether_it_was_edited() {
        let pristine = region("a", "x = 1\n");
        let edited = pristine.replace("x = 1", "x = 2");
        let text = format!("import os\n{pristine}\n{edited}");
        let found: Vec<_> = regions(&text).into_iter().map(|it| (it.id, it.is_pristine)).collect();
        assert_eq!(found, [("a", true), ("a", false)]);
        assert!(regions("# astgen:begin a 123\nx = 1\n").is_empty());
    }

    #[test]
    fn a_pristine_region_is_brought_up_to_date() {
        let (old, new) = (region("a", "x = 1\n"), region("a", "x = 2\ny = 3\n"));
        assert_eq!(
            check(&format!("i\n{old}j\n"), &format!("i\n{new}j\n"), 0),
            format!("i\n{new}j\n")
        );
    }

    #[test]
    fn all_else_is_a_clash() {
        let (old, new) = (region("a", "x = 1\n"), region("a", "x = 2\n"));
        let edited = old.replace("x = 1", "x = 7");
        let text = check(&edited, &new, 1);
        assert!(text.contains("x = 7\n") && text.contains("x = 2\n"), "{text}");
        check(&format!("import os\n{old}"), &new, 1);
        check(&old, &format!("{old}{}", region("b", "z = 1\n")), 1);
        check("a: 1\n", "a: 2\n", 1);
        check("same\n", "same\n", 0);
    }
}
