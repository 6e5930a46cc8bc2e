//! Merging Python modules: by line where that is enough, by structure where lines clash, and the gate judges
//! either.

use super::conflict::{Conflict, Labels, Sides, marked};
use super::expression::Triple;
use super::facts::{Facts, facts};
use super::gate::{Fault, Known, faults, lost_words, undefined};
use super::items::{Item, Key};
use super::python::{self, NotPython, Syntax};
use super::structure::{Contested, Orders, Structured, by_structure};
use super::tree::Tree;
use super::{Merged, Versions, by_line};
use foldhash::HashMap;
use std::cell::OnceCell;
use std::ops::Range;

/// Merges three versions of a module, each of whole lines.
pub fn merge_modules(versions: Versions<'_>, labels: &Labels) -> Merged {
    let mut renames = Vec::new();
    let merged = merge_once(versions, labels, &mut renames);
    if merged.conflicts.is_empty() || renames.is_empty() {
        return merged;
    }
    // What theirs added calls something by a name that ours changed: once more, with the name of ours.
    let Some(theirs) = python::syntax(versions.theirs).ok().and_then(|it| renamed(&it, &renames))
    else {
        return merged;
    };
    let again = merge_once(Versions { theirs: &theirs, ..versions }, labels, &mut Vec::new());
    if again.conflicts.is_empty() { again } else { merged }
}

/// A module with other names for some of its definitions; `None` where a name may mean something else as well.
fn renamed(module: &Syntax<'_>, renames: &[(String, String)]) -> Option<String> {
    let imports = facts(module).imports;
    if renames.iter().any(|(old, _)| imports.contains_key(old)) {
        return None;
    }
    let mut places: Vec<(Range<usize>, &str)> = Vec::new();
    for (old, new) in renames {
        places.extend(python::names(module, old)?.into_iter().map(|place| (place, new.as_str())));
    }
    places.sort_by_key(|(place, _)| place.start);
    let (mut text, mut at) = (String::new(), 0);
    for (place, new) in places {
        text.push_str(&module.text[at..place.start]);
        text.push_str(new);
        at = place.end;
    }
    Some(text + &module.text[at..])
}

/// Merges three versions; `renames` are those of ours without which the result is not sound.
fn merge_once(
    versions: Versions<'_>,
    labels: &Labels,
    renames: &mut Vec<(String, String)>,
) -> Merged {
    let lines = by_line(versions, labels);
    let syntaxes = (
        python::syntax(versions.base),
        python::syntax(versions.ours),
        python::syntax(versions.theirs),
    );
    let (Ok(base), Ok(ours), Ok(theirs)) = syntaxes else {
        return unparsed(versions, lines, labels);
    };
    let syntaxes = Triple { base: &base, ours: &ours, theirs: &theirs };
    let judge = Judge::new(syntaxes);
    let faults =
        if lines.conflicts.is_empty() { judge.faults_of_lines(&lines.text) } else { Vec::new() };
    if lines.conflicts.is_empty() && faults.is_empty() {
        return lines;
    }
    let trees = Triple {
        base: &python::tree(&base),
        ours: &python::tree(&ours),
        theirs: &python::tree(&theirs),
    };
    match settle(trees, labels, &judge, renames) {
        Some(merged) => merged,
        None if lines.conflicts.is_empty() => {
            let reasons: Vec<String> = faults.into_iter().map(|fault| fault.reason).collect();
            whole(versions, labels, &reasons.join("; "))
        }
        None => lines,
    }
}

/// What is no Python has lines only, and its clean merges cannot be judged.
fn unparsed(versions: Versions<'_>, lines: Merged, labels: &Labels) -> Merged {
    if !lines.conflicts.is_empty() {
        return lines;
    }
    whole(versions, labels, "a version is not Python, so the merge cannot be judged")
}

/// The whole file as one clash.
fn whole(versions: Versions<'_>, labels: &Labels, reason: &str) -> Merged {
    let Versions { base, ours, theirs } = versions;
    let conflict = Conflict { definition: None, line: 1, reason: reason.to_owned() };
    Merged { text: marked(Sides { ours, base, theirs }, labels), conflicts: vec![conflict] }
}

/// The gate, with what it must know of the versions.
struct Judge<'a> {
    base: Facts,
    ours: Facts,
    theirs: Facts,
    syntaxes: Triple<&'a Syntax<'a>>,
    words: OnceCell<Triple<HashMap<&'a str, usize>>>,
}

impl<'a> Judge<'a> {
    fn new(syntaxes: Triple<&'a Syntax<'a>>) -> Judge<'a> {
        Judge {
            base: facts(syntaxes.base),
            ours: facts(syntaxes.ours),
            theirs: facts(syntaxes.theirs),
            syntaxes,
            words: OnceCell::new(),
        }
    }

    fn words(&self) -> &Triple<HashMap<&'a str, usize>> {
        self.words.get_or_init(|| Triple {
            base: python::words(self.syntaxes.base),
            ours: python::words(self.syntaxes.ours),
            theirs: python::words(self.syntaxes.theirs),
        })
    }

    /// Whether a text with clashes in it, which is no Python, has every word that a side brought.
    fn has_all_words(&self, text: &str) -> bool {
        let Triple { base, ours, theirs } = self.words();
        let brought = ours.keys().chain(theirs.keys()).filter(|word| !base.contains_key(*word));
        brought.into_iter().all(|word| text.contains(*word))
    }

    /// What is wrong with a clean merge by line. It has each line that a side brought, so no word can be lost.
    fn faults_of_lines(&self, text: &str) -> Vec<Fault> {
        // One side often has all that the other changed, and the facts of both are known.
        let sides = [(self.syntaxes.ours, &self.ours), (self.syntaxes.theirs, &self.theirs)];
        if let Some((_, facts)) = sides.into_iter().find(|(side, _)| side.text == text) {
            return self.faults_of(facts, &[]);
        }
        python::syntax(text).map_or_else(not_python, |it| self.faults_of(&facts(&it), &[]))
    }

    /// What is wrong with a merge by structure.
    fn faults(&self, text: &str, renames: &[(String, String)]) -> Vec<Fault> {
        python::syntax(text).map_or_else(not_python, |syntax| {
            let mut faults = self.faults_of(&facts(&syntax), renames);
            faults.extend(lost_words(self.words(), &python::words(&syntax)));
            faults
        })
    }

    fn faults_of(&self, merged: &Facts, renames: &[(String, String)]) -> Vec<Fault> {
        let known = Known { base: &self.base, ours: &self.ours, theirs: &self.theirs, renames };
        faults(known, merged)
    }
}

fn not_python(error: NotPython) -> Vec<Fault> {
    vec![Fault { reason: format!("the result is not Python: {error}"), place: None }]
}

/// How often a merge is told what was wrong with the one before it.
const ROUNDS: usize = 6;

/// Merges by structure until the gate has nothing to say, or what it says is a clash.
fn settle(
    trees: Triple<&Tree<'_>>,
    labels: &Labels,
    judge: &Judge,
    renames: &mut Vec<(String, String)>,
) -> Option<Merged> {
    let mut orders = Orders::default();
    for _ in 0..ROUNDS {
        let structured = by_structure(trees, labels, &orders)?;
        if !structured.merged.conflicts.is_empty() {
            let is_whole = judge.has_all_words(&structured.merged.text);
            return is_whole.then_some(structured.merged);
        }
        let faults = judge.faults(&structured.merged.text, &structured.renames);
        if faults.is_empty() {
            return Some(structured.merged);
        }
        let is_called = |(old, new): &&(String, String)| {
            let is_top = !old.contains('.') && !new.contains('.');
            is_top && faults.iter().any(|fault| fault.reason == undefined(old))
        };
        let called = structured.renames.iter().filter(is_called);
        let new: Vec<_> = called.filter(|rename| !renames.contains(rename)).cloned().collect();
        renames.extend(new);
        if !learn(&mut orders, &structured, &faults, trees) {
            return None;
        }
    }
    None
}

/// Adds to the orders what the faults tell; whether there is anything new.
fn learn(
    orders: &mut Orders,
    structured: &Structured,
    faults: &[Fault],
    trees: Triple<&Tree<'_>>,
) -> bool {
    let before = orders.clone();
    let imported = imported(trees);
    let undefined: Vec<&str> = faults
        .iter()
        .filter_map(|fault| fault.reason.strip_prefix('`')?.strip_suffix("` is not defined"))
        .filter(|name| imported.iter().any(|it| it == name) && !orders.needed.contains(*name))
        .collect();
    if !undefined.is_empty() {
        orders.needed.extend(undefined.into_iter().map(str::to_owned));
        return true;
    }
    let Ok(merged) = python::parse(&structured.merged.text) else { return false };
    if !orders.theirs_first && faults.iter().any(|it| it.reason.ends_with("before it is defined")) {
        orders.theirs_first = true;
        return true;
    }
    for fault in faults {
        let Some(contested) = fault.place.and_then(|place| contested(&merged, place)) else {
            continue;
        };
        // First without the lines of the definition; if that is no better, there is no merge of it.
        if let Contested::Keyed(around, key) = &contested {
            let mut path = around.clone();
            if let Key::Definition(name, _) = key {
                path.push(name.clone());
            }
            if !path.is_empty() && orders.distrusted.insert(path) {
                continue;
            }
        }
        orders.contested.push((contested, fault.reason.clone()));
    }
    *orders != before
}

/// Names that imports of any version bind.
fn imported(trees: Triple<&Tree<'_>>) -> Vec<String> {
    [trees.base, trees.ours, trees.theirs]
        .into_iter()
        .filter_map(|tree| tree.items(tree.module_suite()?).map(|items| (tree, items)))
        .flat_map(|(tree, items)| {
            let imports = items.iter().filter(|item| item.is_import()).filter_map(Item::statement);
            imports.flat_map(|id| super::imports::bindings(tree, id)).collect::<Vec<_>>()
        })
        .map(|binding| binding.bound().to_owned())
        .collect()
}

/// The smallest declared item at a place: a function, a field, a statement of the module.
fn contested(tree: &Tree<'_>, place: usize) -> Option<Contested> {
    let mut path = Vec::new();
    let mut suite = tree.module_suite()?;
    loop {
        let item = tree.items(suite)?.iter().find(|item| item.lines.contains(&place))?;
        let id = item.statement();
        let inner = id
            .filter(|id| tree.kind(*id) == Some(ruff_python_ast::NodeKind::StmtClassDef))
            .and_then(|id| super::clauses::clauses(tree, id).first()?.block(tree))
            .filter(|block| {
                let items = tree.items(*block).unwrap_or_default();
                items.iter().any(|item| item.lines.contains(&place))
            });
        match (inner, id.and_then(|id| tree.identifier(id))) {
            (Some(block), Some(name)) => {
                path.push(name.to_owned());
                suite = block;
            }
            _ => {
                return Some(match &item.key {
                    Some(key) => Contested::Keyed(path, key.clone()),
                    None => Contested::Said(item.digest),
                });
            }
        }
    }
}
