//! The laws of merging, on emitted modules that people and the generator edit at random.

use super::conflict::{Labels, outside};
use super::facts::facts;
use super::items::Item;
use super::tree::Tree;
use super::{Language, Merged, Versions, merge, merge_file, python};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};

fn config() -> Config {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/proptest-regressions/merge.txt");
    Config {
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(seeds))),
        cases: crate::test_cases(128),
        ..Config::default()
    }
}

/// Emitted modules that differ in kind. They are frozen, so that a seed says the same for ever.
const MODULES: [&str; 8] = [
    include_str!("../../tests/merge-modules/reports.py"),
    include_str!("../../tests/merge-modules/invitation_service.py"),
    include_str!("../../tests/merge-modules/project.py"),
    include_str!("../../tests/merge-modules/organization.py"),
    include_str!("../../tests/merge-modules/tenancy.py"),
    include_str!("../../tests/merge-modules/roles.py"),
    include_str!("../../tests/merge-modules/main.py"),
    include_str!("../../tests/merge-modules/test_webhook.py"),
];

/// An edit; the number says where, and makes what it writes its own.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Insert(usize),
    InsertImport(usize),
    InsertFunction(usize),
    Delete(usize),
    Comment(usize),
    TrailingComment(usize),
    Wrap(usize),
    Rename(usize),
    Swap(usize),
    Keyword(usize),
    Reformat(usize),
    Decorate(usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    use Edit::*;
    prop_oneof![
        3 => any::<usize>().prop_map(Insert),
        2 => any::<usize>().prop_map(InsertImport),
        2 => any::<usize>().prop_map(InsertFunction),
        2 => any::<usize>().prop_map(Delete),
        2 => any::<usize>().prop_map(Comment),
        1 => any::<usize>().prop_map(TrailingComment),
        2 => any::<usize>().prop_map(Wrap),
        1 => any::<usize>().prop_map(Rename),
        1 => any::<usize>().prop_map(Swap),
        2 => any::<usize>().prop_map(Keyword),
        1 => any::<usize>().prop_map(Reformat),
        1 => any::<usize>().prop_map(Decorate),
    ]
}

/// What an edit writes, so that it can be found again.
fn mark(by: &str, number: usize) -> String {
    format!("{by}_{:x}", number % 0xffff)
}

/// Applies an edit, where it makes sense and leaves Python; the mark it left.
fn apply(text: &str, edit: Edit, by: &str) -> Option<(String, Option<String>)> {
    let tree = python::parse(text).ok()?;
    let all = all_items(&tree);
    let pick = |number: usize| all.get(number % all.len().max(1)).copied();
    let line = |at: usize, line: &str| {
        let indent = tree.indentation(at);
        [&text[..at], indent, line, "\n", &text[at..]].concat()
    };
    let (edited, left) = match edit {
        Edit::Insert(number) => {
            let mark = mark(by, number);
            (line(pick(number)?.lines.start, &format!("{mark} = 1")), Some(mark))
        }
        Edit::InsertImport(number) => {
            let mark = mark(by, number);
            let import = all.iter().find(|item| item.is_import())?;
            (line(import.lines.start, &format!("from {by}_module import {mark}")), Some(mark))
        }
        Edit::InsertFunction(number) => {
            let mark = mark(by, number);
            let top: Vec<&&Item> =
                all.iter().filter(|item| tree.indentation(item.lines.start).is_empty()).collect();
            let at = top.get(number % top.len())?.lines.end;
            let function = format!("\n\ndef {mark}():\n    return 1\n");
            ([&text[..at], &*function, &text[at..]].concat(), Some(mark))
        }
        Edit::Delete(number) => {
            let lines = &pick(number)?.lines;
            ([&text[..lines.start], &text[lines.end..]].concat(), None)
        }
        Edit::Comment(number) => {
            let mark = mark(by, number);
            (line(pick(number)?.lines.start, &format!("# {mark}")), Some(mark))
        }
        Edit::TrailingComment(number) => {
            let mark = mark(by, number);
            let item = pick(number)?;
            let end = text[..item.lines.end].trim_end().len();
            ([&text[..end], "  # ", &mark, &text[end..]].concat(), Some(mark))
        }
        Edit::Wrap(number) => {
            let mark = mark(by, number);
            let item = pick(number)?;
            let indent = tree.indentation(item.lines.start);
            let deeper = format!("{indent}    ");
            let inside = super::indent::reindented(&tree, item.lines.clone(), indent, &deeper);
            let header = format!("{indent}if {mark}:\n");
            let parts = [&text[..item.lines.start], &header, &inside, &text[item.lines.end..]];
            (parts.concat(), Some(mark))
        }
        Edit::Rename(number) => {
            let mark = mark(by, number);
            let definition = all.iter().filter_map(|item| item.statement());
            let names: Vec<&str> = definition.filter_map(|id| tree.identifier(id)).collect();
            let name = names.get(number % names.len().max(1))?;
            (rename(text, name, &mark), Some(mark))
        }
        Edit::Swap(number) => {
            let items = tree.items(tree.module_suite()?)?;
            let definitions: Vec<&Item> = items
                .iter()
                .filter(|item| matches!(item.key, Some(super::items::Key::Definition(..))))
                .collect();
            let pair = definitions.windows(2).nth(number % definitions.len().max(2))?;
            let (a, b) = (&pair[0].lines, &pair[1].lines);
            let parts = [
                &text[..a.start],
                &text[b.clone()],
                &text[a.end..b.start],
                &text[a.clone()],
                &text[b.end..],
            ];
            (parts.concat(), None)
        }
        Edit::Keyword(number) => {
            let mark = mark(by, number);
            let lines = &pick(number)?.lines;
            let open = lines.start + text[lines.clone()].find('(')? + 1;
            let comma = if text[open..].trim_start().starts_with(')') { "" } else { ", " };
            ([&text[..open], &format!("{mark}=1{comma}"), &text[open..]].concat(), Some(mark))
        }
        Edit::Reformat(number) => {
            let lines = &pick(number)?.lines;
            let open = lines.start + text[lines.clone()].find('(')? + 1;
            (
                [&text[..open], "\n", tree.indentation(lines.start), "        ", &text[open..]]
                    .concat(),
                None,
            )
        }
        Edit::Decorate(number) => {
            let mark = mark(by, number);
            let definitions = all.iter().filter(|item| {
                item.statement()
                    .is_some_and(|id| text[tree.node(id).range.clone()].contains("def "))
            });
            let definitions: Vec<&&Item> = definitions.collect();
            let item = definitions.get(number % definitions.len().max(1))?;
            (line(item.lines.start, &format!("@{mark}")), Some(mark))
        }
    };
    python::parse(&edited).is_ok().then_some((edited, left))
}

fn rename(text: &str, name: &str, new: &str) -> String {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut renamed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let (before, found) = rest.split_at(at);
        let after = &found[name.len()..];
        let is_whole = !before.ends_with(is_word) && !after.starts_with(is_word);
        renamed.push_str(before);
        renamed.push_str(if is_whole { new } else { name });
        rest = after;
    }
    renamed + rest
}

/// The items of all blocks.
fn all_items<'t>(tree: &'t Tree<'_>) -> Vec<&'t Item> {
    let mut items: Vec<&Item> = Vec::new();
    let mut suites: Vec<usize> = tree.module_suite().into_iter().collect();
    while let Some(suite) = suites.pop() {
        for item in tree.items(suite).unwrap_or_default() {
            items.push(item);
            let clauses = item.statement().map(|id| super::clauses::clauses(tree, id));
            let blocks = clauses.into_iter().flatten().filter_map(|clause| clause.block(tree));
            suites.extend(blocks);
        }
    }
    items
}

/// A module, edited; and the marks that the edits left in it.
fn edited(base: &str, edits: &[Edit], by: &str) -> (String, Vec<String>) {
    let (mut text, mut marks) = (base.to_owned(), Vec::new());
    for edit in edits {
        if let Some((edited, mark)) = apply(&text, *edit, by) {
            text = edited;
            marks.extend(mark);
        }
    }
    marks.retain(|mark| text.contains(mark.as_str()));
    (text, marks)
}

fn merged(base: &str, ours: &str, theirs: &str) -> Merged {
    merge(Language::Python, Versions { base, ours, theirs }, &Labels::default())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_edit_is_lost(
        module in 0..8_usize,
        by_user in prop::collection::vec(edit(), 1..6),
        by_generator in prop::collection::vec(edit(), 1..6),
    ) {
        let base = MODULES[module];
        let (ours, our_marks) = edited(base, &by_user, "user");
        let (theirs, their_marks) = edited(base, &by_generator, "generator");
        let result = merged(base, &ours, &theirs);
        for mark in our_marks.iter().chain(&their_marks) {
            prop_assert!(result.text.contains(mark.as_str()), "{mark} is lost:\n{}\n#### theirs\n{theirs}\n#### ours\n{ours}", result.text);
        }
        if result.conflicts.is_empty() {
            prop_assert!(python::parse(&result.text).is_ok(), "not Python:\n{}", result.text);
            let again = merged(base, &result.text, &theirs);
            let said = |text: &str| -> Vec<String> {
                text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
            };
            let is_settled = said(&again.text) == said(&result.text) || !again.conflicts.is_empty();
            prop_assert!(is_settled, "merging again changes it:\n{}\n#### again\n{}\n#### theirs\n{theirs}\n#### ours\n{ours}\n####", result.text, again.text);
        } else {
            let outside: usize = outside(&result.text).iter().map(|range| range.len()).sum();
            prop_assert!(outside < result.text.len());
            for conflict in &result.conflicts {
                let line = result.text.lines().nth(conflict.line - 1).unwrap_or("");
                prop_assert!(line.starts_with("<<<<<<<"), "{conflict} is not at line {}", conflict.line);
            }
        }
    }

    #[test]
    fn no_guard_is_lost(
        by_user in prop::collection::vec(edit(), 1..6),
        by_generator in prop::collection::vec(edit(), 1..6),
    ) {
        let base = MODULES[0];
        let (ours, _) = edited(base, &by_user, "user");
        let (theirs, _) = edited(base, &by_generator, "generator");
        let result = merged(base, &ours, &theirs);
        let guards = |text: &str| facts(&python::syntax(text).unwrap()).guards;
        if result.conflicts.is_empty() {
            let (mine, other, merged) = (guards(&ours), guards(&theirs), guards(&result.text));
            for guard in mine.keys().filter(|guard| other.contains_key(*guard)) {
                prop_assert!(merged.contains_key(guard), "{guard:?} is lost:\n{}", result.text);
            }
        }
    }

    #[test]
    fn one_side_alone_has_its_way(
        module in 0..8_usize,
        edits in prop::collection::vec(edit(), 0..6),
    ) {
        let base = MODULES[module];
        let (side, _) = edited(base, &edits, "user");
        prop_assert_eq!(merged(base, &side, base).text, side.clone());
        prop_assert_eq!(merged(base, base, &side).text, side.clone());
        prop_assert_eq!(merged(base, &side, &side).text, side);
    }

    #[test]
    fn any_bytes_alone_have_their_way(
        base in prop::collection::vec(any::<u8>(), 0..40),
        side in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        for language in [Language::Python, Language::Text] {
            let file = |ours: &[u8], theirs: &[u8]| {
                merge_file(language, &base, ours, theirs, &Labels::default()).unwrap().bytes
            };
            prop_assert_eq!(file(&side, &base), side.clone());
            prop_assert_eq!(file(&base, &side), side.clone());
            prop_assert_eq!(file(&side, &side), side.clone());
        }
    }

    #[test]
    fn any_text_merges_without_a_panic(
        base in "[ab\n\r\t():=\"'#\\\\ ]{0,40}",
        ours in "[ab\n\r\t():=\"'#\\\\ ]{0,40}",
        theirs in "[ab\n\r\t():=\"'#\\\\ ]{0,40}",
    ) {
        for language in [Language::Python, Language::Text] {
            let (base, ours, theirs) = (base.as_bytes(), ours.as_bytes(), theirs.as_bytes());
            prop_assert!(merge_file(language, base, ours, theirs, &Labels::default()).is_ok());
        }
    }
}
