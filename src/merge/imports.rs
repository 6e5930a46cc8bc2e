//! Imports are bindings, not lines: a name that one side added comes in, a name that one side took out goes,
//! wherever the other side wrote its imports.

use super::Session;
use super::expression::Triple;
use super::items::Item;
use super::tree::{Id, Tree};
use ruff_python_ast::NodeKind;
use std::collections::{HashMap, HashSet};

/// Lines longer than this are wrapped.
const WIDTH: usize = 88;

/// What one import binds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Binding {
    /// `from m`, as it is written with its dots; `None` for a plain import.
    pub module: Option<String>,
    /// The name, or the module of a plain import.
    pub name: String,
    /// Another name for it.
    pub alias: Option<String>,
}

impl Binding {
    /// The name that it binds in the file.
    pub fn bound(&self) -> &str {
        match (&self.alias, &self.module) {
            (Some(alias), _) => alias,
            (None, Some(_)) => &self.name,
            (None, None) => self.name.split('.').next().unwrap_or(&self.name),
        }
    }

    fn source(&self) -> String {
        match &self.alias {
            Some(alias) => format!("{} as {alias}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The bindings of an import statement, in order.
pub fn bindings(tree: &Tree<'_>, statement: Id) -> Vec<Binding> {
    let module = module(tree, statement);
    let aliases = tree.children_of(statement, NodeKind::Alias);
    aliases.map(|alias| binding(tree, alias, module.clone())).collect()
}

fn binding(tree: &Tree<'_>, alias: Id, module: Option<String>) -> Binding {
    let mut names =
        tree.children_of(alias, NodeKind::Identifier).map(|id| tree.source(id).to_owned());
    let name = names.next().unwrap_or_else(|| tree.source(alias).to_owned());
    Binding { module, name, alias: names.next() }
}

/// The module of a `from` import, with its dots.
fn module(tree: &Tree<'_>, statement: Id) -> Option<String> {
    if tree.kind(statement) != Some(NodeKind::StmtImportFrom) {
        return None;
    }
    let parts = tree.node(statement).children.iter().skip(1);
    let parts = parts.take_while(|id| tree.source(**id) != "import");
    Some(parts.map(|id| tree.source(*id)).collect())
}

/// What becomes of the imports of a block.
#[derive(Debug, Default)]
pub struct Plan {
    /// For each import of ours, the names that come in and those that go.
    changes: HashMap<usize, Changes>,
    /// For each import of theirs that ours has no statement for, its new names.
    added: HashMap<usize, Vec<Binding>>,
    statements: HashMap<usize, Id>,
    theirs: HashMap<usize, Id>,
}

#[derive(Debug, Default)]
struct Changes {
    added: Vec<Binding>,
    removed: HashSet<Binding>,
}

/// Decides what becomes of the imports of a block.
pub fn merge_imports(session: &Session<'_>, items: Triple<&[Item]>) -> Plan {
    let base = all(session.base, items.base);
    let ours = all(session.ours, items.ours);
    let theirs = all(session.theirs, items.theirs);
    let set = |all: &[(usize, Id, Vec<Binding>)]| -> HashSet<Binding> {
        all.iter().flat_map(|(_, _, bindings)| bindings.iter().cloned()).collect()
    };
    let (old, mine, new) = (set(&base), set(&ours), set(&theirs));
    let needed = &session.orders.needed;
    let mut plan = Plan {
        statements: ours.iter().map(|(at, id, _)| (*at, *id)).collect(),
        theirs: theirs.iter().map(|(at, id, _)| (*at, *id)).collect(),
        ..Plan::default()
    };
    for (at, _, bindings) in &ours {
        let goes =
            |it: &&Binding| old.contains(*it) && !new.contains(*it) && !needed.contains(it.bound());
        let removed: HashSet<Binding> = bindings.iter().filter(goes).cloned().collect();
        plan.changes.entry(*at).or_default().removed = removed;
    }
    let mut seen = HashSet::new();
    for (at, _, bindings) in &theirs {
        for binding in bindings {
            let is_old = old.contains(binding) && !needed.contains(binding.bound());
            if is_old || mine.contains(binding) || !seen.insert(binding.clone()) {
                continue;
            }
            match home(&ours, binding) {
                Some(place) => plan.changes.entry(place).or_default().added.push(binding.clone()),
                None => plan.added.entry(*at).or_default().push(binding.clone()),
            }
        }
    }
    plan
}

fn all(tree: &Tree<'_>, items: &[Item]) -> Vec<(usize, Id, Vec<Binding>)> {
    let imports = items.iter().enumerate().filter(|(_, item)| item.is_import());
    imports
        .filter_map(|(at, item)| {
            let id = item.statement()?;
            Some((at, id, bindings(tree, id)))
        })
        .collect()
}

/// The statement of ours that imports from the same module, and not everything.
fn home(ours: &[(usize, Id, Vec<Binding>)], binding: &Binding) -> Option<usize> {
    let module = binding.module.as_ref()?;
    let fits = |bindings: &[Binding]| {
        let star = |it: &Binding| it.name == "*";
        let is_plain = binding.name != "*" && !bindings.iter().any(star);
        is_plain && bindings.first().is_some_and(|it| it.module.as_ref() == Some(module))
    };
    ours.iter().find(|(_, _, bindings)| fits(bindings)).map(|(at, _, _)| *at)
}

impl Plan {
    /// The lines of an import of ours; `None` when nothing is left of it.
    pub fn rewritten(&self, session: &Session<'_>, at: usize) -> Option<String> {
        let tree = session.ours;
        let id = *self.statements.get(&at)?;
        let lines =
            tree.line_start(tree.node(id).range.start)..tree.line_end(tree.node(id).range.end);
        let no_changes = Changes::default();
        let changes = self.changes.get(&at).unwrap_or(&no_changes);
        if changes.added.is_empty() && changes.removed.is_empty() {
            return Some(tree.text[lines].to_owned());
        }
        let all = bindings(tree, id);
        if changes.added.is_empty() && all.iter().all(|it| changes.removed.contains(it)) {
            return None;
        }
        Some(rewrite(tree, id, changes))
    }

    /// The lines of an import of theirs with names that are new; `None` when there is none.
    pub fn added(&self, session: &Session<'_>, at: usize, indent: &str) -> Option<String> {
        let added = self.added.get(&at)?;
        let tree = session.theirs;
        let id = *self.theirs.get(&at)?;
        let removed: HashSet<Binding> =
            bindings(tree, id).into_iter().filter(|it| !added.contains(it)).collect();
        let text = if removed.is_empty() {
            let range = &tree.node(id).range;
            tree.text[tree.line_start(range.start)..tree.line_end(range.end)].to_owned()
        } else {
            rewrite(tree, id, &Changes { added: Vec::new(), removed })
        };
        let from = tree.indentation(tree.node(id).range.start);
        let lines = text.split_inclusive('\n');
        Some(
            lines.map(|line| indent.to_owned() + line.strip_prefix(from).unwrap_or(line)).collect(),
        )
    }
}

/// The statement with names put in and taken out; a comment stays with its name.
fn rewrite(tree: &Tree<'_>, id: Id, changes: &Changes) -> String {
    let range = tree.node(id).range.clone();
    let aliases: Vec<Id> = tree.children_of(id, NodeKind::Alias).collect();
    let (Some(first), Some(last)) = (aliases.first(), aliases.last()) else {
        return tree.text[range].to_owned();
    };
    let all = bindings(tree, id);
    let is_sorted = all.windows(2).all(|pair| order(&pair[0]) <= order(&pair[1]));
    let mut kept: Vec<(Binding, String)> = Vec::new();
    for (index, (binding, alias)) in all.iter().zip(&aliases).enumerate() {
        if !changes.removed.contains(binding) {
            let next =
                aliases.get(index + 1).map_or(range.end, |next| tree.node(*next).range.start);
            kept.push((binding.clone(), line_comment(tree, tree.node(*alias).range.end..next)));
        }
    }
    for binding in &changes.added {
        let place = if is_sorted {
            kept.iter().position(|(other, _)| order(other) > order(binding)).unwrap_or(kept.len())
        } else {
            kept.len()
        };
        kept.insert(place, (binding.clone(), String::new()));
    }
    let line = tree.line_start(range.start)..tree.line_end(range.end);
    let head = &tree.text[line.start..tree.node(*first).range.start];
    let head = head.trim_end_matches(|char: char| char.is_whitespace() || char == '(');
    let behind_last = &tree.text[tree.node(*last).range.end..line.end];
    let tail = match behind_last.split_once(')') {
        Some((_, tail)) if head.len() < range.end => tail,
        _ => behind_last,
    };
    let has_comments = kept.iter().any(|(_, comment)| !comment.is_empty());
    let is_wrapped = tree.text[range.clone()].contains('(');
    let names: Vec<String> = kept.iter().map(|(binding, _)| binding.source()).collect();
    let flat = format!("{head} {}", names.join(", "));
    let was_multiline = is_wrapped && tree.text[range.clone()].contains('\n');
    // A line that was too long before is somebody's habit.
    let was_too_long = tree.text[line.clone()].trim_end().chars().count() > WIDTH;
    let fits = was_too_long || flat.chars().count() <= WIDTH;
    if !was_multiline && !has_comments && fits || !is_from(tree, id) {
        return flat + tail;
    }
    let indent = tree.indentation(range.start);
    let lines = kept
        .iter()
        .zip(&names)
        .map(|((_, comment), name)| format!("{indent}    {name},{comment}\n"));
    format!("{head} (\n{}{indent}){tail}", lines.collect::<String>())
}

fn is_from(tree: &Tree<'_>, id: Id) -> bool {
    tree.kind(id) == Some(NodeKind::StmtImportFrom)
}

/// The comment behind a name on its line, with the space before it.
fn line_comment(tree: &Tree<'_>, behind: std::ops::Range<usize>) -> String {
    let rest = tree.text[behind].lines().next().unwrap_or("");
    match rest.find('#') {
        Some(start) if rest[..start].trim_matches([' ', ',', '\t']).is_empty() => {
            format!("  {}", rest[start..].trim_end())
        }
        _ => String::new(),
    }
}

/// The order of names that ruff's isort rules leave: constants, classes, the rest; each by itself.
fn order(binding: &Binding) -> (u8, &str) {
    let name = &binding.name;
    let is_constant = name.chars().count() > 1 && name.chars().all(|char| !char.is_lowercase());
    let kind = match name.chars().next() {
        _ if is_constant => 0,
        Some(first) if first.is_uppercase() => 1,
        _ => 2,
    };
    (kind, name)
}
