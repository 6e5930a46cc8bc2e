//! The gate: what a clean merge must keep, whatever made it.
//!
//! A merged text parses; defines what it must; leaves nothing undefined and defines nothing twice that was
//! not so in one of the sides; runs nothing before it is bound; and drops no guard. What cannot be shown is a
//! conflict: a wrong clean merge is worse than one.

use super::expression::Triple;
use super::facts::{DefinitionKind, Facts};
use foldhash::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong with a merged text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// A sentence.
    pub reason: String,
    /// Where, in bytes of the merged text, if it is somewhere.
    pub place: Option<usize>,
}

/// What is wrong with a name that nothing binds.
pub fn undefined(name: &str) -> String {
    format!("`{name}` is not defined")
}

/// The facts of three versions.
#[derive(Debug, Clone, Copy)]
pub struct Known<'f> {
    /// The common ancestor's.
    pub base: &'f Facts,
    /// Ours'.
    pub ours: &'f Facts,
    /// Theirs'.
    pub theirs: &'f Facts,
    /// Definitions that ours renamed: their qualified names in the base and in ours.
    pub renames: &'f [(String, String)],
}

/// What is wrong with a merge of the three versions.
pub fn faults(known: Known<'_>, merged: &Facts) -> Vec<Fault> {
    let mut faults = Vec::new();
    definitions(known, merged, &mut faults);
    guards(known, merged, &mut faults);
    let new = [
        (&known.ours.unresolved, &known.theirs.unresolved, &merged.unresolved, "is not defined"),
        (&known.ours.early, &known.theirs.early, &merged.early, "is used before it is defined"),
        (
            &known.ours.ambiguous,
            &known.theirs.ambiguous,
            &merged.ambiguous,
            "is imported from two places",
        ),
    ];
    for (ours, theirs, merged, what) in new {
        for (name, place) in merged {
            if !ours.contains_key(name) && !theirs.contains_key(name) {
                faults.push(Fault { reason: format!("`{name}` {what}"), place: Some(*place) });
            }
        }
    }
    for (reason, place) in &merged.malformed {
        let was_so = known.ours.malformed.contains_key(reason)
            || known.theirs.malformed.contains_key(reason);
        if !was_so {
            faults.push(Fault { reason: reason.clone(), place: Some(*place) });
        }
    }
    faults
}

/// What both sides have together, less what either took away.
fn expected<K: Ord + Clone>(
    base: &BTreeSet<K>,
    ours: &BTreeSet<K>,
    theirs: &BTreeSet<K>,
) -> BTreeSet<K> {
    let is_gone = |key: &K| base.contains(key) && !(ours.contains(key) && theirs.contains(key));
    ours.union(theirs).filter(|key| !is_gone(key)).cloned().collect()
}

fn definitions(known: Known<'_>, merged: &Facts, faults: &mut Vec<Fault>) {
    let renamed = |name: &str| renamed(known.renames, name);
    let names = |facts: &Facts, rename: bool| -> BTreeSet<String> {
        let names = facts.definitions.keys();
        names.map(|name| if rename { renamed(name) } else { name.clone() }).collect()
    };
    let (base, ours, theirs) =
        (names(known.base, true), names(known.ours, false), names(known.theirs, true));
    let wanted = expected(&base, &ours, &theirs);
    for name in &wanted {
        if !merged.definitions.contains_key(name) {
            faults.push(Fault { reason: format!("`{name}` is lost"), place: None });
        }
    }
    let imports =
        |facts: &Facts| facts.imports.keys().map(|it| renamed(it)).collect::<BTreeSet<_>>();
    for name in expected(&imports(known.base), &imports(known.ours), &imports(known.theirs)) {
        if !merged.imports.contains_key(&name) {
            faults.push(Fault { reason: format!("the import `{name}` is lost"), place: None });
        }
    }
    for (name, import) in &merged.imports {
        let count = |facts: &Facts| facts.imports.get(name).map_or(0, |import| import.count);
        if import.count > count(known.ours).max(count(known.theirs)).max(1) {
            let reason = format!("the import `{name}` is there twice");
            faults.push(Fault { reason, place: Some(import.place) });
        }
    }
    let counts = |facts: &Facts| -> BTreeMap<String, usize> {
        facts.definitions.iter().map(|(name, it)| (renamed(name), it.count)).collect()
    };
    let (mine, other) = (counts(known.ours), counts(known.theirs));
    for (name, definition) in &merged.definitions {
        let most = mine.get(name).max(other.get(name)).copied().unwrap_or(0);
        let place = Some(definition.place);
        if definition.count > most.max(1) {
            faults.push(Fault { reason: format!("`{name}` is defined twice"), place });
        } else if !wanted.contains(name) && definition.kind != DefinitionKind::Variable {
            faults.push(Fault { reason: format!("`{name}` came back"), place });
        }
    }
}

/// Words that a side brought and that are not in the result. Of a word that the base has too, counts do not tell
/// what became of each: one side may have taken away what both added. But what neither side has less often stays.
pub fn lost_words(
    known: &Triple<HashMap<&str, usize>>,
    merged: &HashMap<&str, usize>,
) -> Option<Fault> {
    let count = |words: &HashMap<&str, usize>, word: &str| words.get(word).copied().unwrap_or(0);
    let all: BTreeSet<&str> = known.ours.keys().chain(known.theirs.keys()).copied().collect();
    let is_lost = |word: &&str| {
        let (base, ours, theirs) =
            (count(&known.base, word), count(&known.ours, word), count(&known.theirs, word));
        let least = match base {
            0 => ours.max(theirs),
            _ if ours >= base && theirs >= base => base,
            _ => 0,
        };
        count(merged, word) < least
    };
    let lost: Vec<&str> = all.into_iter().filter(is_lost).collect();
    let reason = || format!("of what the sides wrote, this is lost: {}", lost.join(" "));
    (!lost.is_empty()).then(|| Fault { reason: reason(), place: None })
}

/// A name in the words of ours: what ours renamed, and what is in it, has its new name.
fn renamed(renames: &[(String, String)], name: &str) -> String {
    let mut name = name.to_owned();
    for (old, new) in renames {
        match name.strip_prefix(old.as_str()) {
            Some("") => name.clone_from(new),
            Some(rest) if rest.starts_with('.') => name = format!("{new}{rest}"),
            _ => (),
        }
    }
    name
}

fn guards(known: Known<'_>, merged: &Facts, faults: &mut Vec<Fault>) {
    let all = |facts: &Facts| -> BTreeSet<(String, String)> {
        let guards = facts.guards.keys();
        guards.map(|(route, guard)| (renamed(known.renames, route), guard.clone())).collect()
    };
    for key in expected(&all(known.base), &all(known.ours), &all(known.theirs)) {
        let is_there = merged.definitions.contains_key(&key.0);
        if is_there && !merged.guards.contains_key(&key) {
            let place = merged.definitions.get(&key.0).map(|it| it.place);
            faults.push(Fault { reason: format!("`{}` lost the guard `{}`", key.0, key.1), place });
        }
    }
}
