//! Conflicts: what clashes, where, why; and the marked text that a person sees.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// The three versions' names in conflict markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Ours: the file as it is.
    pub ours: String,
    /// The common ancestor.
    pub base: String,
    /// Theirs: what wants in.
    pub theirs: String,
}

impl Default for Labels {
    fn default() -> Labels {
        Labels { ours: "ours".into(), base: "base".into(), theirs: "theirs".into() }
    }
}

/// One clash in a merged text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// The qualified name of the definition that it is in; `None` at the top of a module, and in what is not
    /// Python.
    pub definition: Option<String>,
    /// The line of its first marker in the merged text, from 1; a line ends with LF, CR or CRLF.
    pub line: usize,
    /// A sentence that says what clashes.
    pub reason: String,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.definition {
            Some(definition) => write!(f, "conflict in `{definition}`: {}", self.reason),
            None => write!(f, "conflict: {}", self.reason),
        }
    }
}

/// The sides of a clash, as whole lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides<'a> {
    /// Lines of ours.
    pub ours: &'a str,
    /// Lines of the base.
    pub base: &'a str,
    /// Lines of theirs.
    pub theirs: &'a str,
}

/// Git's markers are seven characters long.
const MARKERS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// The lines of a clash between git's `diff3` markers.
///
/// ```
/// use astgen::merge::conflict::{Labels, Sides, marked};
/// let sides = Sides { ours: "a\n", base: "", theirs: "b\n" };
/// let text = marked(sides, &Labels::default());
/// assert_eq!(text, "<<<<<<< ours\na\n||||||| base\n=======\nb\n>>>>>>> theirs\n");
/// ```
pub fn marked(sides: Sides<'_>, labels: &Labels) -> String {
    let mut text = String::new();
    let parts = [
        (MARKERS[0], &*labels.ours, sides.ours),
        (MARKERS[1], &*labels.base, sides.base),
        (MARKERS[2], "", sides.theirs),
    ];
    for (marker, label, lines) in parts {
        text.push_str(marker);
        if !label.is_empty() {
            text.push(' ');
            text.push_str(label);
        }
        text.push('\n');
        text.push_str(lines);
        if !lines.is_empty() && !lines.ends_with('\n') {
            text.push('\n');
        }
    }
    text.push_str(MARKERS[3]);
    if !labels.theirs.is_empty() {
        text.push(' ');
        text.push_str(&labels.theirs);
    }
    text.push('\n');
    text
}

/// Whether a text holds what looks like a conflict marker at the start of a line: such a text cannot be told
/// from an unfinished merge.
///
/// ```
/// use astgen::merge::conflict::has_markers;
/// assert!(has_markers("a\n<<<<<<< ours\n"));
/// assert!(!has_markers("a << b\n====\n"));
/// ```
pub fn has_markers(text: &str) -> bool {
    text.lines().any(|line| starts(line, MARKERS[0]) || starts(line, MARKERS[3]))
}

/// The places of the first markers of all clashes, as lines from 1.
pub fn marker_lines(text: &str) -> Vec<usize> {
    let lines = text.lines().enumerate();
    lines.filter(|(_, line)| starts(line, MARKERS[0])).map(|(number, _)| number + 1).collect()
}

/// The byte ranges of a marked text that lie outside of all clashes.
pub fn outside(text: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let (mut start, mut at, mut inside) = (0, 0, false);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        if !inside && starts(line.trim_end(), MARKERS[0]) {
            ranges.push(start..at);
            inside = true;
        } else if inside && starts(line.trim_end(), MARKERS[3]) {
            inside = false;
            start = end;
        }
        at = end;
    }
    if !inside {
        ranges.push(start..at);
    }
    ranges
}

/// Whether a line is one of the four markers.
pub fn is_marker(line: &str) -> bool {
    MARKERS.iter().any(|marker| starts(line.trim_end(), marker))
}

fn starts(line: &str, marker: &str) -> bool {
    line.strip_prefix(marker).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}
