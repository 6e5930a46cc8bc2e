//! A diff as one HTML page that needs nothing else: no network, no script.
//!
//! Conflicts come first and are open; every other file is a line that a click opens, and so is every definition
//! in it that only follows from the spec. Lines stand side by side.

use super::element::{Element, element};
use super::{FileDiff, Hunk, Line, Part, Side};
use crate::definitions::{Change, DefinitionChange};
use crate::plan::{ActionType, Plan};

/// The page.
#[must_use]
pub fn page(plan: &Plan, files: &[FileDiff]) -> String {
    let title = match &*plan.project {
        "" => "What the plan changes".to_owned(),
        project => format!("What the plan changes in {project}"),
    };
    let head = element("head")
        .child(element("meta").attribute("charset", "utf-8"))
        .child(
            element("meta")
                .attribute("name", "viewport")
                .attribute("content", "width=device-width, initial-scale=1"),
        )
        .child(element("title").text(&title))
        .child(element("style").rules(include_str!("page.css")));
    let body = element("body")
        .child(element("h1").text(&title))
        .child(counts(files))
        .children(files.iter().map(file))
        .children((!plan.settled.is_empty()).then(|| settled(plan)));
    let page = element("html").attribute("lang", "en").child(head).child(body);
    format!("<!doctype html>\n{}\n", page.markup())
}

/// How many files of each kind there are, as links to the first.
fn counts(files: &[FileDiff]) -> Element {
    let kinds = [
        ActionType::Conflict,
        ActionType::Create,
        ActionType::Update,
        ActionType::Merge,
        ActionType::Delete,
    ];
    let links = kinds.iter().filter_map(|kind| {
        let mut of_kind = files.iter().filter(|file| file.kind == *kind);
        let first = of_kind.next()?;
        let text = format!("{} {}", of_kind.count() + 1, word(*kind));
        let link = element("a").attribute("href", format!("#{}", first.path)).text(text);
        Some(element("li").class(word(*kind)).child(link))
    });
    element("ul").class("counts").children(links)
}

fn word(kind: ActionType) -> &'static str {
    match kind {
        ActionType::Create => "create",
        ActionType::Update => "update",
        ActionType::Merge => "merge",
        ActionType::Conflict => "conflict",
        ActionType::Delete => "delete",
    }
}

fn details(is_open: bool) -> Element {
    let details = element("details");
    if is_open { details.attribute("open", "") } else { details }
}

fn file(file: &FileDiff) -> Element {
    let summary = element("summary")
        .child(element("span").class(format!("word {}", word(file.kind))).text(word(file.kind)))
        .child(element("code").class("path").text(&file.path))
        .child(element("span").class("added").text(format!("+{}", file.added)))
        .child(element("span").class("removed").text(format!("-{}", file.removed)))
        .child(element("span").class("reason").text(&file.reason));
    let clashes = file.conflicts.iter().map(|conflict| {
        let place = format!("{}.new, line {}: ", file.path, conflict.line);
        element("li").child(element("code").text(place)).text(conflict.to_string())
    });
    details(file.kind == ActionType::Conflict)
        .class("file")
        .attribute("id", &file.path)
        .child(summary)
        .children(
            (!file.conflicts.is_empty()).then(|| element("ul").class("clashes").children(clashes)),
        )
        .children(file.parts.iter().map(part))
}

fn part(part: &Part) -> Element {
    let tables = part.hunks.iter().map(hunk);
    match &part.definition {
        None => element("section").class("part").children(tables),
        Some(it) if part.hunks.is_empty() => element("p").class("part").children(definition(it)),
        Some(it) => {
            let is_open = matches!(it.change, Change::Clash | Change::Merged | Change::Changed);
            let summary = element("summary").children(definition(it));
            details(is_open).class("part").child(summary).children(tables)
        }
    }
}

fn definition(it: &DefinitionChange) -> Vec<Element> {
    let class = match it.change {
        Change::Added => "create",
        Change::Removed => "delete",
        Change::Clash => "conflict",
        Change::Kept => "kept",
        Change::Changed | Change::Merged => "merge",
    };
    vec![
        element("span").class("kind").text(format!("{} ", it.kind.word())),
        element("code").text(&it.definition),
        element("span").class(format!("word {class}")).text(it.change.to_string()),
        element("span").class("reason").text(it.details.join(", ")),
    ]
}

/// A table with what was on the left and what comes on the right.
fn hunk(hunk: &Hunk) -> Element {
    let (mut before, mut after) = (hunk.before, hunk.after);
    let mut rows = Vec::new();
    let mut lines = hunk.lines.as_slice();
    while let Some(first) = lines.first() {
        let of = |side: Side, lines: &[Line]| lines.iter().take_while(|it| it.side == side).count();
        if first.side == Side::Both {
            rows.push(row("", Some((before, &first.text)), Some((after, &first.text))));
            (before, after, lines) = (before + 1, after + 1, &lines[1..]);
            continue;
        }
        let removed = of(Side::Removed, lines);
        let added = of(Side::Added, &lines[removed..]);
        for at in 0..removed.max(added) {
            let old = (at < removed).then(|| (before + at, &*lines[at].text));
            let new = (at < added).then(|| (after + at, &*lines[removed + at].text));
            rows.push(row("changed", old, new));
        }
        (before, after, lines) = (before + removed, after + added, &lines[removed + added..]);
    }
    element("table").child(element("tbody").children(rows))
}

fn row(class: &str, old: Option<(usize, &str)>, new: Option<(usize, &str)>) -> Element {
    let is_changed = !class.is_empty();
    let common = match (old, new) {
        (Some((_, old)), Some((_, new))) if is_changed => common(old, new),
        _ => (0, 0),
    };
    let cells = [(old, "removed"), (new, "added")].map(|(line, side)| {
        let Some((number, text)) = line else {
            return [element("td").class("number"), element("td").class("none")];
        };
        let class = if is_changed { side } else { "same" };
        let number = element("td").class("number").text(number.to_string());
        [number, element("td").class(class).children(marked(text, common, is_changed))]
    });
    element("tr").children(cells.into_iter().flatten())
}

/// How many bytes two lines share at their beginnings and at their ends.
fn common(old: &str, new: &str) -> (usize, usize) {
    let pairs = old.char_indices().zip(new.chars());
    let start = pairs
        .take_while(|((_, one), other)| one == other)
        .map(|((at, one), _)| at + one.len_utf8())
        .last();
    let start = start.unwrap_or(0);
    let pairs = old[start..].chars().rev().zip(new[start..].chars().rev());
    let end = pairs.take_while(|(one, other)| one == other).map(|(one, _)| one.len_utf8()).sum();
    (start, end)
}

/// A line with what is different in it marked.
fn marked(text: &str, (start, end): (usize, usize), is_changed: bool) -> Vec<Element> {
    let rest = text.len() - end;
    if !is_changed || (start == 0 && end == 0) {
        return vec![element("code").text(text)];
    }
    let parts = [("code", &text[..start]), ("mark", &text[start..rest]), ("code", &text[rest..])];
    parts
        .into_iter()
        .filter(|(_, part)| !part.is_empty())
        .map(|(tag, part)| element(tag).text(part))
        .collect()
}

fn settled(plan: &Plan) -> Element {
    let lines = plan.settled.iter().map(|settled| {
        element("li")
            .child(element("code").text(settled.path.as_str()))
            .text(format!(": {}", settled.reason))
    });
    details(false)
        .class("file")
        .child(element("summary").text(format!("{} files stay as they are", plan.settled.len())))
        .child(element("ul").children(lines))
}
