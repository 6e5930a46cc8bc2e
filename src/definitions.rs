//! What a merge does to each definition of a Python file.

use crate::merge::conflict::Conflict;
use crate::outline::{Definition, Kind, Piece, outline};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::fmt;

/// What happens to a definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionChange {
    /// Its qualified name.
    pub definition: String,
    /// What it is.
    pub kind: Kind,
    /// What happens to it.
    pub change: Change,
    /// What of it changes: `guard require_fresh_session added`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

/// What happens to a definition in the file on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It is brought up to date; nobody edited it.
    Changed,
    /// It was edited, and what is generated differently lands in it.
    Merged,
    /// It stays as people made it: edited, added or deleted.
    Kept,
    /// Both sides changed it, and a person has to decide.
    Clash,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Change::Added => "added",
            Change::Removed => "removed",
            Change::Changed => "changed",
            Change::Merged => "merged",
            Change::Kept => "kept as yours",
            Change::Clash => "clashes",
        })
    }
}

impl Kind {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Kind::Route => "route",
            Kind::Function => "function",
            Kind::Method => "method",
            Kind::Class => "class",
            Kind::Column => "column",
            Kind::Field => "field",
            Kind::Variable => "variable",
            Kind::Imports | Kind::Statements => "module",
        }
    }
}

/// The versions of a file that a merge knows; a side that has no such file is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides<'a> {
    /// What was generated last.
    pub base: &'a str,
    /// The file on disk.
    pub ours: &'a str,
    /// What is generated now.
    pub theirs: &'a str,
    /// What comes out, clashes between markers.
    pub merged: &'a str,
}

/// What happens to each definition, in the order of the result; definitions that nothing happens to are left
/// out. Nothing is known of a file that is not Python.
#[must_use]
pub fn definitions(sides: Sides<'_>, conflicts: &[Conflict]) -> Vec<DefinitionChange> {
    let without_theirs;
    let merged = if conflicts.is_empty() {
        sides.merged
    } else {
        without_theirs = ours_of_clashes(sides.merged);
        &without_theirs
    };
    let outlines = [sides.base, sides.ours, sides.theirs, merged].map(outline);
    let [Some(base), Some(ours), Some(theirs), Some(merged)] = outlines else {
        return Vec::new();
    };
    let clashes: BTreeSet<&str> =
        conflicts.iter().filter_map(|conflict| conflict.definition.as_deref()).collect();
    let known = Known { base: index(&base), ours: index(&ours), theirs: index(&theirs), clashes };
    // What is new in theirs and not in the result stands in a clash.
    let gone = ours.iter().chain(&base).chain(&theirs);
    let gone = gone.filter(|it| !merged.iter().any(|new| new.name == it.name));
    let mut seen = BTreeSet::new();
    let all = merged.iter().map(|it| (it, true)).chain(gone.map(|it| (it, false)));
    all.filter(|(it, _)| seen.insert(it.name.clone()))
        .filter_map(|(it, is_there)| known.change(it, is_there.then_some(it)))
        .collect()
}

fn index(outline: &[Definition]) -> HashMap<&str, &Definition> {
    outline.iter().map(|it| (&*it.name, it)).collect()
}

struct Known<'a> {
    base: HashMap<&'a str, &'a Definition>,
    ours: HashMap<&'a str, &'a Definition>,
    theirs: HashMap<&'a str, &'a Definition>,
    clashes: BTreeSet<&'a str>,
}

impl Known<'_> {
    fn change(&self, of: &Definition, merged: Option<&Definition>) -> Option<DefinitionChange> {
        let name = &*of.name;
        let [base, ours, theirs] =
            [&self.base, &self.ours, &self.theirs].map(|outline| outline.get(name).copied());
        let is_edited = !is_same(base, ours);
        let change = match (ours, merged) {
            _ if self.clashes.contains(name) => Change::Clash,
            (None, None) if base.is_none() => Change::Clash,
            (None, Some(_)) => Change::Added,
            (Some(_), None) => Change::Removed,
            _ if !is_same(ours, merged) && is_edited => Change::Merged,
            _ if !is_same(ours, merged) => Change::Changed,
            _ if is_edited => Change::Kept,
            _ => return None,
        };
        let details = match change {
            Change::Clash => differences(base, theirs),
            Change::Changed | Change::Merged => differences(ours, merged),
            Change::Kept if ours.is_none() => vec!["you removed it".to_owned()],
            Change::Kept if base.is_none() => vec!["you added it".to_owned()],
            Change::Kept => differences(base, ours),
            Change::Added | Change::Removed => Vec::new(),
        };
        Some(DefinitionChange { definition: name.to_owned(), kind: of.kind, change, details })
    }
}

fn is_same(one: Option<&Definition>, other: Option<&Definition>) -> bool {
    one.map(|it| &it.pieces) == other.map(|it| &it.pieces)
}

/// What is different between two versions of a definition, a phrase each.
#[must_use]
pub fn differences(before: Option<&Definition>, after: Option<&Definition>) -> Vec<String> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    let keys: BTreeSet<_> = before.pieces.keys().chain(after.pieces.keys()).collect();
    let phrases = keys.into_iter().filter_map(|key| {
        let word = match (before.pieces.get(key), after.pieces.get(key)) {
            (Some(old), Some(new)) if old == new => return None,
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "removed",
            (None, _) => "added",
        };
        Some(format!("{} {word}", piece_word(after.kind, key)?))
    });
    phrases.collect()
}

/// What a piece is called; `None` where the definition has no other piece to tell it from.
fn piece_word(kind: Kind, (piece, name): &(Piece, String)) -> Option<String> {
    Some(match piece {
        Piece::Guard => format!("guard `{name}`"),
        Piece::Decorator => format!("decorator `{name}`"),
        Piece::Parameter => format!("parameter `{name}`"),
        Piece::Returns => "return type".to_owned(),
        Piece::Bases => "base classes".to_owned(),
        Piece::Docstring => "docstring".to_owned(),
        Piece::Body => match kind {
            Kind::Imports | Kind::Statements => return None,
            Kind::Column | Kind::Field | Kind::Variable => "value".to_owned(),
            Kind::Route | Kind::Function | Kind::Method | Kind::Class => "body".to_owned(),
        },
        Piece::Annotation => "type".to_owned(),
    })
}

/// Says of each clash which definition it is in, where that is not said yet or can be said more closely.
pub fn name_clashes(conflicts: &mut [Conflict], marked: &str) {
    let ours = ours_of_clashes(marked);
    let Some(outline) = outline(&ours) else { return };
    for conflict in conflicts.iter_mut() {
        let above: String =
            marked.split_inclusive('\n').take(conflict.line.saturating_sub(1)).collect();
        let line = ours_of_clashes(&above).matches('\n').count();
        let around = outline.iter().filter(|it| it.lines.contains(&line));
        let owner = around.min_by_key(|it| it.lines.len()).map(|it| it.name.clone());
        let is_in =
            |outer: &String| owner.as_ref().is_some_and(|it| it.starts_with(&format!("{outer}.")));
        if conflict.definition.as_ref().is_none_or(is_in) {
            conflict.definition = owner;
        }
    }
}

/// A marked text with ours in place of each clash.
fn ours_of_clashes(marked: &str) -> String {
    let (mut text, mut is_ours) = (String::new(), true);
    for line in marked.split_inclusive('\n') {
        match line.get(..7) {
            Some("<<<<<<<") => (),
            Some("|||||||") => is_ours = false,
            Some(">>>>>>>") => is_ours = true,
            _ if is_ours => text.push_str(line),
            _ => (),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Sides, definitions};
    use crate::merge::conflict::Conflict;

    /// What happens, a line a definition.
    fn lines(sides: Sides<'_>, conflicts: &[Conflict]) -> Vec<String> {
        definitions(sides, conflicts)
            .into_iter()
            .map(|it| {
                let (kind, details) = (it.kind.word(), it.details.join(", "));
                format!("{kind} {} {}: {details}", it.definition, it.change)
            })
            .collect()
    }

    #[track_caller]
    fn check(base: &str, ours: &str, theirs: &str, merged: &str, expected: &[&str]) {
        assert_eq!(lines(Sides { base, ours, theirs, merged }, &[]), expected);
    }

    const ROUTE: &str = "@router.get(\"/a\")\nasync def a(x: int) -> A:\n    return x\n";

    #[test]
    fn what_the_generator_changes() {
        let guarded = "@router.get(\n    \"/a\", dependencies=[Depends(require(Role.A))]\n)\nasync def a(\n    x: int, y: int\n) -> A:\n    return x\n";
        let expected = ["route a changed: guard `require(Role.A)` added, parameter `y` added"];
        check(ROUTE, ROUTE, guarded, guarded, &expected);
        check("", "", ROUTE, ROUTE, &["route a added: "]);
        check(ROUTE, ROUTE, "", "", &["route a removed: "]);
    }

    #[test]
    fn what_people_changed_is_kept() {
        let mine = ROUTE.replace("return x", "return 7") + "b = 1\n";
        let expected =
            ["route a kept as yours: body changed", "variable b kept as yours: you added it"];
        check(ROUTE, &mine, ROUTE, &mine, &expected);
        check(ROUTE, "", ROUTE, "", &["route a kept as yours: you removed it"]);
    }

    #[test]
    fn layout_is_no_change() {
        check(
            "x = f(a, b)\n",
            "x = f(\n    a,  # why\n    b,\n)\n",
            "x = f(a, b)\n",
            "x = f(a, b)\n",
            &[],
        );
    }

    #[test]
    fn members_of_classes_are_named() {
        let (old, new) = (
            "class A(Base):\n    b: Mapped[int] = mapped_column()\n    c: int = 1\n",
            "class A(Base):\n    c: int = 2\n    def d(self): ...\n",
        );
        let expected =
            ["field A.c changed: value changed", "method A.d added: ", "column A.b removed: "];
        check(old, old, new, new, &expected);
    }

    #[test]
    fn clashes_are_named_by_their_places() {
        let marked = "class A:\n    x = 0\n<<<<<<< ours\n    y = 2\n||||||| base\n    y = 1\n=======\n    y = 3\n>>>>>>> theirs\n";
        let mut conflicts = [Conflict { definition: None, line: 3, reason: String::new() }];
        super::name_clashes(&mut conflicts, marked);
        assert_eq!(conflicts[0].definition.as_deref(), Some("A.y"));
    }

    #[test]
    fn clashes_are_named() {
        let merged = "<<<<<<< ours\nx = 2\n||||||| base\nx = 1\n=======\nx = 3\n>>>>>>> theirs\n";
        let conflict =
            Conflict { definition: Some("x".into()), line: 1, reason: "both sides".into() };
        let sides = Sides { base: "x = 1\n", ours: "x = 2\n", theirs: "x = 3\n", merged };
        assert_eq!(lines(sides, &[conflict]), ["variable x clashes: value changed"]);
    }

    #[test]
    fn what_is_new_inside_of_a_clash_is_named() {
        let (base, ours) = ("x = 1\n", "x = 2\n");
        let theirs = "x = 3\n\n\ndef f(): ...\n";
        let merged =
            format!("<<<<<<< ours\n{ours}||||||| base\n{base}=======\n{theirs}>>>>>>> theirs\n");
        let conflict =
            Conflict { definition: Some("x".into()), line: 1, reason: "both sides".into() };
        let sides = Sides { base, ours, theirs, merged: &merged };
        let expected = ["variable x clashes: value changed", "function f clashes: "];
        assert_eq!(lines(sides, &[conflict]), expected);
    }
}
