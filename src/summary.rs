//! What a plan does, in a few lines for a person.

use crate::apply::{Deed, Effect};
use crate::definitions::{Change, DefinitionChange};
use crate::plan::{Action, Plan};
use crate::style::Style;
use std::collections::HashMap;
use std::fmt::Write as _;

/// More files of one fate are only counted.
const LISTED: usize = 12;
/// More definitions of one file are only counted.
const NAMED: usize = 4;

/// The fates of files, as a person reads them: what asks for a decision comes last.
const ORDER: [Deed; 6] = [
    Deed::Created,
    Deed::Updated,
    Deed::Merged,
    Deed::Deleted,
    Deed::ConflictInWork,
    Deed::Conflict,
];

/// A line for each file that changes, and one that counts them.
#[must_use]
pub fn summary(plan: &Plan, effect: &Effect, style: Style) -> String {
    let actions: HashMap<&str, &Action> =
        plan.actions.iter().map(|action| (action.path.as_str(), action)).collect();
    let mut text = String::new();
    for deed in ORDER {
        let paths: Vec<_> = effect.of(deed).collect();
        for path in paths.iter().take(LISTED) {
            let what = actions.get(path.as_str()).map(|action| in_words(action, deed));
            let word = style.deed(deed, &format!("{deed:8}"));
            let line = format!("  {word} {path}{}", style.faint(&what.unwrap_or_default()));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        if paths.len() > LISTED {
            // Writing to a string does not fail.
            let _ = writeln!(text, "  {deed:8} and {} more", paths.len() - LISTED);
        }
    }
    for settled in plan.settled.iter().take(LISTED) {
        let reason = style.faint(&format!("  {}", settled.reason));
        let _ = writeln!(text, "  {} {}{reason}", style.faint("keep    "), settled.path);
    }
    if plan.settled.len() > LISTED {
        let _ = writeln!(text, "  keep     and {} more", plan.settled.len() - LISTED);
    }
    text.push_str(&counts(effect));
    text.push('\n');
    text
}

/// `2 files created, 1 merged`
#[must_use]
pub fn counts(effect: &Effect) -> String {
    let words = [
        (Deed::Created, "to create"),
        (Deed::Updated, "to update"),
        (Deed::Merged, "to merge"),
        (Deed::Deleted, "to delete"),
        (Deed::Conflict, "in conflict"),
        (Deed::ConflictInWork, "in conflict that you are working on"),
        (Deed::Done, "done already"),
    ];
    let counts = words.map(|(deed, word)| (effect.of(deed).count(), word));
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if parts.is_empty() {
        "no file changes".to_owned()
    } else {
        format!("files: {}", parts.join(", "))
    }
}

fn in_words(action: &Action, deed: Deed) -> String {
    match deed {
        Deed::ConflictInWork => {
            format!("  {}.new is yours; end it with --resolve {}", action.path, action.path)
        }
        Deed::Conflict => format!("  {}", action.reason),
        Deed::Updated | Deed::Merged => named(&action.definitions),
        Deed::Created | Deed::Deleted | Deed::Done => String::new(),
    }
}

/// The definitions that something happens to.
fn named(definitions: &[DefinitionChange]) -> String {
    let changes: Vec<String> = definitions
        .iter()
        .filter(|it| it.change != Change::Kept)
        .map(|it| match &it.details[..] {
            [only] => format!("{}: {only}", it.definition),
            _ => format!("{} {}", it.definition, it.change),
        })
        .collect();
    let more = changes.len().saturating_sub(NAMED);
    let named = changes[..changes.len().min(NAMED)].join(", ");
    match (changes.is_empty(), more) {
        (true, _) => String::new(),
        (_, 0) => format!("  {named}"),
        _ => format!("  {named} and {more} more"),
    }
}
