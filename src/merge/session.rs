//! One structural merge under way: the three trees, and what is found out on the way.

use super::align::Matching;
use super::conflict::{Labels, Sides as Marked, is_marker, marked};
use super::expression::{Sides, Triple};
use super::indent::reindented;
use super::items::{Item, Key};
use super::python;
use super::structure::{Contested, Orders};
use super::tree::Tree;
use std::ops::Range;

/// A structural merge under way.
#[derive(Debug)]
pub struct Session<'t> {
    /// The common ancestor.
    pub base: &'t Tree<'t>,
    /// Ours.
    pub ours: &'t Tree<'t>,
    /// Theirs.
    pub theirs: &'t Tree<'t>,
    /// The names of the versions in conflict markers.
    pub labels: &'t Labels,
    /// What an earlier merge of the same versions found out.
    pub orders: &'t Orders,
    /// The clashes so far, in the order of the result: the definition, and what is wrong.
    pub conflicts: Vec<(Option<String>, String)>,
    /// Definitions that ours renamed: their qualified names in the base and in ours.
    pub renames: Vec<(String, String)>,
    /// Whether every edit is accounted for so far.
    pub is_balanced: bool,
    /// The definitions that enclose what is merged.
    path: Vec<String>,
    /// One step of indentation in ours.
    unit: String,
}

impl<'t> Session<'t> {
    /// A merge that has not begun.
    pub fn new(trees: Triple<&'t Tree<'t>>, labels: &'t Labels, orders: &'t Orders) -> Session<'t> {
        Session {
            base: trees.base,
            ours: trees.ours,
            theirs: trees.theirs,
            labels,
            orders,
            conflicts: Vec::new(),
            renames: Vec::new(),
            is_balanced: true,
            path: Vec::new(),
            unit: unit(trees.ours.text),
        }
    }

    /// The versions, for merging inside of a statement.
    pub fn sides(&self, items: Triple<&Item>) -> Sides<'t, 't> {
        Sides {
            base: self.base,
            ours: self.ours,
            theirs: self.theirs,
            from: self.theirs.indentation(items.theirs.lines.start),
            to: self.ours.indentation(items.ours.lines.start),
        }
    }

    /// Lines of an item of theirs, indented as the item is in ours.
    pub fn in_theirs(&self, items: Triple<&Item>, lines: Range<usize>) -> String {
        let sides = self.sides(items);
        reindented(self.theirs, lines, sides.from, sides.to)
    }

    /// Lines of an item of the base, indented as the item is in ours.
    pub fn in_base(&self, items: Triple<&Item>, lines: Range<usize>) -> String {
        let from = self.base.indentation(items.base.lines.start);
        reindented(self.base, lines, from, self.sides(items).to)
    }

    /// The marked lines of a clash.
    pub fn conflict(&mut self, sides: Marked<'_>, reason: &str) -> String {
        let definition = (!self.path.is_empty()).then(|| self.path.join("."));
        self.conflicts.push((definition, reason.to_owned()));
        marked(sides, self.labels)
    }

    /// Goes into a definition.
    pub fn enter(&mut self, name: &str) {
        self.path.push(name.to_owned());
    }

    /// Comes out of it.
    pub fn leave(&mut self) {
        self.path.pop();
    }

    /// Why an item cannot be merged, when an earlier merge found that.
    pub fn contest(&self, item: &Item) -> Option<&'t str> {
        let is_it = |contested: &Contested| match contested {
            Contested::Keyed(path, key) => *path == self.path && Some(key) == item.key.as_ref(),
            Contested::Said(digest) => *digest == item.digest,
        };
        let found = self.orders.contested.iter().find(|(contested, _)| is_it(contested));
        found.map(|(_, reason)| reason.as_str())
    }

    /// Whether a merge by line may stand, of an item with this name in the definitions around.
    pub fn trusts_lines(&self, name: Option<&str>) -> bool {
        let path: Vec<String> =
            self.path.iter().map(String::as_str).chain(name).map(str::to_owned).collect();
        !self.orders.distrusted.iter().any(|it| it.starts_with(&path) || path.starts_with(it))
    }

    /// Keeps in mind what ours calls by another name.
    pub fn note_renames(&mut self, base: &[Item], ours: &[Item], to_ours: &Matching) {
        let qualified = |name: &str| {
            self.path.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join(".")
        };
        let mut renames = Vec::new();
        for (item, place) in base.iter().zip(&to_ours.forward) {
            let Some(place) = place else { continue };
            if let (Some(Key::Definition(old, _)), Some(Key::Definition(new, _))) =
                (&item.key, &ours[*place].key)
                && old != new
            {
                renames.push((qualified(old), qualified(new)));
            }
        }
        self.renames.extend(renames);
    }

    /// `indent`, so many steps deeper.
    pub fn deeper(&self, indent: &str, depth: isize) -> String {
        match usize::try_from(depth) {
            Ok(depth) => indent.to_owned() + &self.unit.repeat(depth),
            Err(_) => {
                let less = self.unit.len() * depth.unsigned_abs();
                indent[..indent.len().saturating_sub(less)].to_owned()
            }
        }
    }

    /// Lines of the result, so many steps deeper. What stands in strings stays.
    pub fn deepened(&self, text: &str, indent: &str, depth: isize) -> String {
        let first = text.len() - text.trim_start().len();
        let from = text[..first].rsplit('\n').next().unwrap_or(indent).to_owned();
        let to = self.deeper(&from, depth);
        let wrapper = if from.is_empty() { "" } else { "if 1:\n" };
        let source = format!("{wrapper}{text}");
        match python::parse(&source) {
            Ok(tree) => reindented(&tree, wrapper.len()..source.len(), &from, &to),
            // With markers in it, it is no Python; they stay where they are.
            Err(_) => text
                .split_inclusive('\n')
                .map(|line| match line.strip_prefix(&*from) {
                    Some(rest) if !is_marker(line) => format!("{to}{rest}"),
                    _ => line.to_owned(),
                })
                .collect(),
        }
    }
}

/// One step of indentation: that of the first line that has any.
fn unit(text: &str) -> String {
    let indented =
        text.lines().find(|line| line.starts_with([' ', '\t']) && !line.trim().is_empty());
    match indented {
        Some(line) if line.starts_with('\t') => "\t".to_owned(),
        Some(line) => " ".repeat((line.len() - line.trim_start_matches(' ').len()).min(8)),
        None => "    ".to_owned(),
    }
}
