//! What a plan changes, for people who review it: by definition first, by line below it. The digest of a region,
//! which follows from the lines in it, is no change to look at.

mod element;
mod hunks;
mod page;
mod terminal;

use crate::definitions::{Change, DefinitionChange};
use crate::disk::Root;
use crate::merge::Language;
use crate::merge::conflict::Conflict;
use crate::merge::text::decode;
use crate::outline::{Definition, outline};
use crate::plan::{Action, ActionType, Plan};
use crate::{Error, regions};
pub use hunks::{Hunk, Line, Side};
pub use page::page;
use serde::Serialize;
use std::ops::Range;
pub use terminal::{stat, text};

/// What a plan changes in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FileDiff {
    /// The file.
    pub path: String,
    /// What is done with it.
    #[serde(rename = "type")]
    pub kind: ActionType,
    /// Why.
    pub reason: String,
    /// How many lines come.
    pub added: usize,
    /// How many lines go.
    pub removed: usize,
    /// What happens to each definition, with the lines that change.
    pub parts: Vec<Part>,
    /// What clashes.
    pub conflicts: Vec<Conflict>,
}

/// A definition, or what stands outside of all, with the lines of it that change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What happens to the definition; `None` outside of all.
    #[serde(flatten)]
    pub definition: Option<DefinitionChange>,
    /// The lines.
    pub hunks: Vec<Hunk>,
}

/// What a plan changes in each file, conflicts first.
///
/// # Errors
/// When the operating system refuses to read a file.
pub fn diff(root: &Root, plan: &Plan) -> Result<Vec<FileDiff>, Error> {
    let files = plan.actions.iter().map(|action| {
        let before = root.read(&action.path)?;
        let before = before.bytes().map_or_else(String::new, as_text);
        let after = match action.kind {
            ActionType::Delete => String::new(),
            _ => action.text().map_or_else(|| before.clone(), |text| as_text(text.as_bytes())),
        };
        Ok(file(action, &before, &after))
    });
    let mut files = files.collect::<Result<Vec<_>, Error>>()?;
    files.sort_by_key(|file| file.kind != ActionType::Conflict);
    Ok(files)
}

/// Bytes as lines to look at: line endings are habits and no content.
fn as_text(bytes: &[u8]) -> String {
    decode(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), |text| text.text)
}

/// What an action changes in a file.
fn file(action: &Action, before: &str, after: &str) -> FileDiff {
    let is_python = Language::of(action.path.as_ref()) == Language::Python;
    let outline_of = |text: &str| if is_python { outline(text) } else { None };
    let owners =
        Owners { before: outline_of(before).unwrap_or_default(), after: outline_of(after) };
    let blocks: Vec<hunks::Block> = hunks::blocks(before, after)
        .into_iter()
        .filter(|block| !is_digest(before, &block.before) || !is_digest(after, &block.after))
        .collect();
    let (added, removed) = blocks.iter().fold((0, 0), |(added, removed), block| {
        (added + block.after.len(), removed + block.before.len())
    });
    let mut parts: Vec<Part> = Vec::new();
    for (owner, blocks) in owners.groups(blocks) {
        let definition =
            action.definitions.iter().find(|it| Some(&it.definition) == owner.as_ref());
        let hunks = hunks::hunks(before, after, &blocks);
        match parts.iter_mut().find(|part| part.definition.as_ref() == definition) {
            Some(part) => part.hunks.extend(hunks),
            None => parts.push(Part { definition: definition.cloned(), hunks }),
        }
    }
    let silent = action.definitions.iter().filter(|it| {
        !parts.iter().any(|part| part.definition.as_ref() == Some(it)) && it.change != Change::Kept
    });
    let silent: Vec<Part> =
        silent.map(|it| Part { definition: Some(it.clone()), hunks: Vec::new() }).collect();
    parts.extend(silent);
    let kept = action.definitions.iter().filter(|it| it.change == Change::Kept);
    parts.extend(kept.map(|it| Part { definition: Some(it.clone()), hunks: Vec::new() }));
    FileDiff {
        path: action.path.to_string(),
        kind: action.kind,
        reason: action.reason.clone(),
        added,
        removed,
        parts,
        conflicts: action.conflicts.clone(),
    }
}

/// Whether the lines are the marker that begins a region.
fn is_digest(text: &str, lines: &Range<usize>) -> bool {
    lines.len() == 1 && text.lines().nth(lines.start).is_some_and(regions::is_begin)
}

/// The definitions of both versions, to find the one that a line belongs to.
struct Owners {
    before: Vec<Definition>,
    /// `None` where it is no Python: a clash is marked in it.
    after: Option<Vec<Definition>>,
}

impl Owners {
    /// Runs of changes that belong to one definition, in the order of the file.
    fn groups(&self, blocks: Vec<hunks::Block>) -> Vec<(Option<String>, Vec<hunks::Block>)> {
        let mut groups: Vec<(Option<String>, Vec<hunks::Block>)> = Vec::new();
        for block in blocks {
            let owner = self.owner(&block).map(|it| it.name.clone());
            match groups.last_mut() {
                Some((last, blocks)) if *last == owner => blocks.push(block),
                _ => groups.push((owner, vec![block])),
            }
        }
        groups
    }

    fn owner(&self, block: &hunks::Block) -> Option<&Definition> {
        match &self.after {
            Some(after) => {
                owner(after, &block.after).or_else(|| owner(&self.before, &block.before))
            }
            None => owner(&self.before, &or_above(&block.before)),
        }
    }
}

/// The lines, or the one above the place where there are none.
fn or_above(lines: &Range<usize>) -> Range<usize> {
    if lines.is_empty() { lines.start.saturating_sub(1)..lines.end } else { lines.clone() }
}

/// The innermost definition around the first line of a change that is in any.
fn owner<'a>(outline: &'a [Definition], lines: &Range<usize>) -> Option<&'a Definition> {
    lines.clone().find_map(|line| {
        let around = outline.iter().filter(|it| it.lines.contains(&line));
        around.min_by_key(|it| it.lines.len())
    })
}

#[cfg(test)]
mod tests {
    use super::{file, hunks::Side};
    use crate::definitions::{Sides, definitions};
    use crate::plan::Plan;

    fn diff(before: &str, after: &str) -> super::FileDiff {
        diff_with(before, after, after)
    }

    fn diff_with(before: &str, theirs: &str, after: &str) -> super::FileDiff {
        let plan = r#"{"actions": [{"type": "update", "path": "a.py", "content": ""}]}"#;
        let mut action = Plan::parse(plan).expect("a plan").actions.remove(0);
        let sides = Sides { base: before, ours: before, theirs, merged: theirs };
        action.definitions = definitions(sides, &[]);
        file(&action, before, after)
    }

    #[test]
    fn lines_stand_below_their_definitions() {
        let before = "import os\n\n\ndef a():\n    return 1\n\n\ndef b():\n    return 1\n";
        let after = "import os\n\n\ndef a():\n    return 2\n\n\ndef b():\n    return 3\n# end\n";
        let diff = diff(before, after);
        let names: Vec<_> = diff
            .parts
            .iter()
            .map(|part| part.definition.as_ref().map(|it| it.definition.as_str()))
            .collect();
        assert_eq!(names, [Some("a"), Some("b")]);
        assert_eq!((diff.added, diff.removed), (3, 2));
        let lines = &diff.parts[0].hunks[0].lines;
        let changed: Vec<_> = lines.iter().filter(|line| line.side != Side::Both).collect();
        assert_eq!(changed[0].text, "    return 1");
        assert_eq!(changed[1].text, "    return 2");
    }

    #[test]
    fn lines_beside_a_clash_stand_below_their_definitions_too() {
        let before = "def a():\n    return 1\n\n\ndef b():\n    x = 1\n    return x\n";
        let theirs = "def a():\n    return 2\n\n\ndef b():\n    x = 1\n    x += 1\n    return x\n";
        let clash = "<<<<<<< yours\n    return 1\n=======\n    return 2\n>>>>>>> now\n";
        let marked = theirs.replace("    return 2\n", clash);
        let parts = diff_with(before, theirs, &marked).parts;
        let names = parts.iter().map(|part| Some(&*part.definition.as_ref()?.definition));
        assert_eq!(names.collect::<Vec<_>>(), [Some("a"), Some("b")]);
    }

    #[test]
    fn the_digest_of_a_region_is_no_change_to_look_at() {
        let region = |digest: &str, value: u8| {
            format!("# astgen:begin a {digest}\nx = 1\ny = 2\nz = {value}\n# astgen:end a\n")
        };
        let diff = diff(&region("111", 1), &region("222", 2));
        assert_eq!((diff.added, diff.removed, diff.parts.len()), (1, 1, 1));
    }
}
