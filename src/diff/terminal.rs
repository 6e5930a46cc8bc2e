//! A diff on a terminal.

use super::{FileDiff, Hunk, Part, Side};
use crate::definitions::{Change, DefinitionChange};
use crate::plan::ActionType;
use crate::style::Style;
use std::fmt::Write as _;

/// The whole diff.
#[must_use]
pub fn text(files: &[FileDiff], style: Style) -> String {
    let mut text = String::new();
    for file in files {
        heading(&mut text, file, style);
        for part in &file.parts {
            self::part(&mut text, part, style);
        }
        text.push('\n');
    }
    text
}

/// A line for each file: how much of it changes.
#[must_use]
pub fn stat(files: &[FileDiff], style: Style) -> String {
    let widest = files.iter().map(|file| file.path.len()).max().unwrap_or_default();
    let mut text = String::new();
    for file in files {
        let word = word(file.kind, style);
        let (added, removed) = (format!("+{}", file.added), format!("-{}", file.removed));
        // Writing to a string does not fail.
        let _ = writeln!(
            text,
            " {word} {:widest$} {} {}",
            file.path,
            style.added(&added),
            style.removed(&removed)
        );
    }
    let (added, removed) = files
        .iter()
        .fold((0, 0), |(added, removed), file| (added + file.added, removed + file.removed));
    let _ = writeln!(text, " {} files, {added} lines come, {removed} lines go", files.len());
    text
}

fn word(kind: ActionType, style: Style) -> String {
    match kind {
        ActionType::Create => style.added("create  "),
        ActionType::Update => style.place("update  "),
        ActionType::Merge => style.place("merge   "),
        ActionType::Conflict => style.alarm("conflict"),
        ActionType::Delete => style.removed("delete  "),
    }
}

fn heading(text: &mut String, file: &FileDiff, style: Style) {
    let path = style.strong(&file.path);
    let _ = writeln!(text, "{} {path}  {}", word(file.kind, style), style.faint(&file.reason));
    for conflict in &file.conflicts {
        let place = format!("  {}.new:{}", file.path, conflict.line);
        let _ = writeln!(text, "{} {conflict}", style.alarm(&place));
    }
}

fn part(text: &mut String, part: &Part, style: Style) {
    match &part.definition {
        Some(definition) => _ = writeln!(text, "  {}", definition_line(definition, style)),
        None if part.hunks.is_empty() => return,
        None => (),
    }
    part.hunks.iter().for_each(|hunk| self::hunk(text, hunk, style));
}

fn definition_line(it: &DefinitionChange, style: Style) -> String {
    let change = it.change.to_string();
    let change = match it.change {
        Change::Added => style.added(&change),
        Change::Removed => style.removed(&change),
        Change::Clash => style.alarm(&change),
        Change::Kept => style.faint(&change),
        Change::Changed | Change::Merged => style.place(&change),
    };
    let details = match it.details.is_empty() {
        true => String::new(),
        false => format!(": {}", it.details.join(", ")),
    };
    format!("{} {} {change}{details}", it.kind.word(), style.strong(&it.definition))
}

fn hunk(text: &mut String, hunk: &Hunk, style: Style) {
    let counts = |gone: Side| hunk.lines.iter().filter(|line| line.side != gone).count();
    let (before, after) = (counts(Side::Added), counts(Side::Removed));
    let place = format!("@@ -{},{before} +{},{after} @@", hunk.before, hunk.after);
    let _ = writeln!(text, "    {}", style.place(&place));
    for line in &hunk.lines {
        let line = match line.side {
            Side::Both => format!(" {}", line.text),
            Side::Added => style.added(&format!("+{}", line.text)),
            Side::Removed => style.removed(&format!("-{}", line.text)),
        };
        let _ = writeln!(text, "    {}", line.trim_end());
    }
}
