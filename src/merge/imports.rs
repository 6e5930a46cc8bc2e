//! Imports are bindings, not lines: a name that one side added comes in, a name that one side took out goes,
//! wherever the other side wrote its imports.

use super::Session;
use super::align::Matching;
use super::expression::Triple;
use super::items::Item;
use super::tree::{Id, Kind, Tree};
use foldhash::{HashMap, HashSet};
use ruff_python_ast::NodeKind;

/// Lines longer than this are wrapped, unless the file has longer ones.
const WIDTH: usize = 88;

/// Lines longer than this are nobody's style.
const WIDEST: usize = 120;

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
    let parts = tree.children(statement).iter().skip(1);
    let parts = parts.take_while(|id| tree.source(**id) != "import");
    Some(parts.map(|id| tree.source(*id)).collect())
}

/// A name of an import statement, with its comments.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    binding: Binding,
    /// Comments on lines above it.
    above: Vec<String>,
    /// The comment behind it.
    behind: Option<String>,
}

/// An import statement of a block.
#[derive(Debug, Clone)]
struct Statement {
    /// Its place among the items of the block.
    at: usize,
    id: Id,
    names: Vec<Named>,
}

/// What becomes of the imports of a block.
#[derive(Debug, Default)]
pub struct Plan {
    ours: HashMap<usize, Statement>,
    theirs: HashMap<usize, Statement>,
    /// For each import of ours, the names that it will have.
    names: HashMap<usize, Vec<Named>>,
    /// For each import of theirs that ours has no statement for, its new names.
    added: HashMap<usize, Vec<Named>>,
}

/// Decides what becomes of the imports of a block.
pub fn merge_imports(session: &Session<'_>, items: Triple<&[Item]>) -> Plan {
    let base = statements(session.base, items.base);
    let ours = statements(session.ours, items.ours);
    let theirs = statements(session.theirs, items.theirs);
    let known = Triple { base: names(&base), ours: names(&ours), theirs: names(&theirs) };
    let needed = &session.orders.needed;
    let goes = |binding: &Binding| {
        known.base.contains_key(binding)
            && !known.theirs.contains_key(binding)
            && !needed.contains(binding.bound())
    };
    let mut plan = Plan::default();
    for statement in &ours {
        let kept = statement.names.iter().filter(|name| !goes(&name.binding));
        let kept = kept.map(|name| commented(name, &known)).collect();
        plan.names.insert(statement.at, kept);
    }
    let mut seen = HashSet::default();
    for statement in &theirs {
        for name in &statement.names {
            let binding = &name.binding;
            let is_old = known.base.contains_key(binding) && !needed.contains(binding.bound());
            if is_old || known.ours.contains_key(binding) || !seen.insert(binding) {
                continue;
            }
            match home(&ours, binding) {
                Some(home) => {
                    let names = plan.names.entry(home.at).or_default();
                    let is_sorted = home
                        .names
                        .windows(2)
                        .all(|it| order(&it[0].binding) <= order(&it[1].binding));
                    let later = |other: &Named| is_sorted && order(&other.binding) > order(binding);
                    let place = names.iter().position(later).unwrap_or(names.len());
                    names.insert(place, name.clone());
                }
                None => plan.added.entry(statement.at).or_default().push(name.clone()),
            }
        }
    }
    plan.ours = ours.into_iter().map(|it| (it.at, it)).collect();
    plan.theirs = theirs.into_iter().map(|it| (it.at, it)).collect();
    plan
}

fn statements(tree: &Tree<'_>, items: &[Item]) -> Vec<Statement> {
    let imports = items.iter().enumerate().filter(|(_, item)| item.is_import());
    imports
        .filter_map(|(at, item)| {
            let id = item.statement()?;
            Some(Statement { at, id, names: named(tree, id) })
        })
        .collect()
}

fn names(statements: &[Statement]) -> HashMap<&Binding, &Named> {
    let all = statements.iter().flat_map(|statement| &statement.names);
    all.map(|name| (&name.binding, name)).collect()
}

/// A name of ours with the comments that theirs gave it, where ours left them alone.
fn commented(name: &Named, known: &Triple<HashMap<&Binding, &Named>>) -> Named {
    let (base, theirs) = (known.base.get(&name.binding), known.theirs.get(&name.binding));
    let mut name = name.clone();
    if let (Some(base), Some(theirs)) = (base, theirs) {
        if name.above == base.above {
            name.above.clone_from(&theirs.above);
        }
        if name.behind == base.behind {
            name.behind.clone_from(&theirs.behind);
        }
    }
    name
}

/// The names of a statement, each with its comments.
fn named(tree: &Tree<'_>, id: Id) -> Vec<Named> {
    let module = module(tree, id);
    let mut names: Vec<Named> = Vec::new();
    let (mut above, mut end) = (Vec::new(), tree.node(id).range.start);
    for &child in tree.children(id) {
        let range = &tree.node(child).range;
        match tree.node(child).kind {
            Kind::Node(NodeKind::Alias) => {
                let binding = binding(tree, child, module.clone());
                names.push(Named { binding, above: std::mem::take(&mut above), behind: None });
            }
            Kind::Comment => {
                let text = tree.source(child).trim_end().to_owned();
                let is_behind = !tree.text[end..range.start].contains('\n');
                match names.last_mut().filter(|name| is_behind && name.behind.is_none()) {
                    Some(name) => name.behind = Some(text),
                    None => above.push(text),
                }
            }
            _ => (),
        }
        end = range.end;
    }
    // A comment below the last name goes above it rather than away.
    if let Some(last) = names.last_mut() {
        last.above.append(&mut above);
    }
    names
}

/// The statement of ours that imports from the same module, and not everything.
fn home<'s>(ours: &'s [Statement], binding: &Binding) -> Option<&'s Statement> {
    let module = binding.module.as_ref()?;
    let fits = |names: &[Named]| {
        let is_plain = binding.name != "*" && !names.iter().any(|name| name.binding.name == "*");
        is_plain && names.first().is_some_and(|it| it.binding.module.as_ref() == Some(module))
    };
    ours.iter().find(|statement| fits(&statement.names))
}

impl Plan {
    /// An import of theirs with names that must come in, which ours took out as a whole, is new in theirs; and one
    /// of ours that theirs took out, with names that theirs imports elsewhere, is new in ours.
    pub fn release(&self, to_ours: &mut Matching, to_theirs: &mut Matching) {
        let free = |own: &mut Matching, other: &Matching, at: usize| {
            let base = own.backward[at].filter(|base| other.forward[*base].is_none());
            if let Some(base) = base {
                own.forward[base] = None;
                own.backward[at] = None;
            }
        };
        for (&ours, _) in self.names.iter().filter(|(_, names)| !names.is_empty()) {
            free(to_ours, to_theirs, ours);
        }
        for &theirs in self.added.keys() {
            free(to_theirs, to_ours, theirs);
        }
    }

    /// Whether an import of ours keeps the names that it has.
    pub fn keeps(&self, at: usize) -> bool {
        let bindings =
            |names: &[Named]| names.iter().map(|it| it.binding.clone()).collect::<Vec<_>>();
        match (self.ours.get(&at), self.names.get(&at)) {
            (Some(statement), Some(names)) => bindings(&statement.names) == bindings(names),
            _ => true,
        }
    }

    /// The lines of an import of ours with the names that it will have, `tail` behind it; `None` when nothing is
    /// left of it.
    pub fn rewritten(&self, session: &Session<'_>, at: usize, tail: &str) -> Option<String> {
        let names = self.names.get(&at).filter(|names| !names.is_empty())?;
        Some(rewrite(session.ours, self.ours.get(&at)?.id, names, tail))
    }

    /// The lines of an import of theirs with names that are new; `None` when there is none.
    pub fn added(&self, session: &Session<'_>, at: usize, indent: &str) -> Option<String> {
        let names = self.added.get(&at)?;
        let statement = self.theirs.get(&at)?;
        let tree = session.theirs;
        let range = &tree.node(statement.id).range;
        let text = if *names == statement.names {
            tree.text[tree.line_start(range.start)..tree.line_end(range.end)].to_owned()
        } else {
            rewrite(tree, statement.id, names, tail(tree, statement.id))
        };
        let from = tree.indentation(range.start);
        let lines = text.split_inclusive('\n');
        Some(
            lines.map(|line| indent.to_owned() + line.strip_prefix(from).unwrap_or(line)).collect(),
        )
    }
}

/// The width that a file keeps to.
fn width(text: &str) -> usize {
    let widths = text.lines().map(|line| line.chars().count()).filter(|width| *width <= WIDEST);
    widths.max().unwrap_or(0).max(WIDTH)
}

/// What stands behind a statement on its line.
pub fn tail<'a>(tree: &Tree<'a>, id: Id) -> &'a str {
    let end = tree.node(id).range.end;
    tree.text[end..tree.line_end(end)].trim_end_matches('\n')
}

/// The statement with other names.
fn rewrite(tree: &Tree<'_>, id: Id, names: &[Named], tail: &str) -> String {
    let range = &tree.node(id).range;
    let first = tree.children_of(id, NodeKind::Alias).next();
    let first = first.map_or(range.end, |first| tree.node(first).range.start);
    let head = &tree.text[tree.line_start(range.start)..first];
    let head = head.split('(').next().unwrap_or(head).trim_end();
    let source = &tree.text[range.clone()];
    let has_comments = names.iter().any(|name| !name.above.is_empty() || name.behind.is_some());
    let flat: Vec<String> = names.iter().map(|name| name.binding.source()).collect();
    let flat = format!("{head} {}", flat.join(", "));
    let fits = flat.chars().count() <= width(tree.text);
    let was_wrapped = source.contains('(') && source.contains('\n');
    let is_from = tree.kind(id) == Some(NodeKind::StmtImportFrom);
    if !was_wrapped && !has_comments && fits || !is_from {
        return format!("{flat}{tail}\n");
    }
    let indent = tree.indentation(range.start);
    let mut lines = String::new();
    for name in names {
        for comment in &name.above {
            lines.extend([indent, "    ", comment, "\n"]);
        }
        lines.extend([indent, "    ", &name.binding.source(), ","]);
        if let Some(comment) = &name.behind {
            lines.extend(["  ", comment]);
        }
        lines.push('\n');
    }
    format!("{head} (\n{lines}{indent}){tail}\n")
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
