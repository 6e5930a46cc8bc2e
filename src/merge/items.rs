//! The items of a block: its statements and its comments, as whole lines.
//!
//! Every line of a block is in one item, or is an empty line above one. So a block is its items, one after
//! the other, and a merged block is items of either side.

use super::clauses::clauses;
use super::digest::digester;
use super::tree::{Id, Tree};
use foldhash::HashMap;
use ruff_python_ast::NodeKind;
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// A statement or a comment of a block.
#[derive(Debug, Clone)]
pub struct Item {
    /// What it is.
    pub content: Content,
    /// Its whole lines.
    pub lines: Range<usize>,
    /// Empty lines above it.
    pub blank_lines: usize,
    /// How much deeper it stands than its block, when the block around it was taken apart.
    pub depth: usize,
    /// What it says, comments included.
    pub digest: u64,
    /// How many tokens and comments it holds.
    pub weight: usize,
    /// What identifies it whatever it says.
    pub key: Option<Key>,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A statement with lines of its own.
    Statement(Id),
    /// Statements that share a line; the first of them.
    Line(Id),
    /// The header of a compound statement whose blocks are items of their own.
    Header(Id),
    /// A comment with a line of its own.
    Comment,
}

/// What identifies an item in its block.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Key {
    /// A function or a class, with what else may share its name: `setter`, `overload`.
    Definition(String, &'static str),
    /// What an assignment binds.
    Assigned(String),
    /// The module that names are imported from, or that is imported.
    Import(String),
    /// The text that describes the module, class or function.
    Docstring,
    /// A region marker, without its digest.
    Marker(String),
}

impl Item {
    /// The statement, if it is one.
    pub fn statement(&self) -> Option<Id> {
        match self.content {
            Content::Statement(id) => Some(id),
            Content::Line(_) | Content::Header(_) | Content::Comment => None,
        }
    }

    /// The kind of the statement, if it is one.
    pub fn kind(&self, tree: &Tree<'_>) -> Option<NodeKind> {
        self.statement().and_then(|id| tree.kind(id))
    }

    /// Whether it imports something.
    pub fn is_import(&self) -> bool {
        matches!(self.key, Some(Key::Import(_)))
    }

    /// Whether it is a comment.
    pub fn is_comment(&self) -> bool {
        self.content == Content::Comment
    }

    /// Sets digest, weight and key, once the nodes have their digests.
    pub(super) fn complete(&mut self, tree: &Tree<'_>) {
        let mut hash = digester();
        match self.content {
            Content::Statement(id) => {
                hash.write_u64(tree.node(id).digest);
                let comment = trailing_comment(tree, id);
                comment.map(|comment| tree.text[comment].trim_end()).hash(&mut hash);
                self.weight = tree.node(id).weight;
                self.key = key(tree, id);
            }
            Content::Line(_) | Content::Header(_) | Content::Comment => {
                let source = tree.text[self.lines.clone()].trim();
                source.hash(&mut hash);
                self.weight = 1 + source.split(' ').count() / 4;
                self.key = self.is_comment().then(|| marker(source)).flatten();
            }
        }
        self.digest = hash.finish();
    }
}

/// The comment behind a statement on its last line.
pub fn trailing_comment(tree: &Tree<'_>, id: Id) -> Option<Range<usize>> {
    let end = tree.node(id).range.end;
    let has_block = clauses(tree, id).last().is_some_and(|clause| clause.block(tree).is_some());
    if has_block {
        return None;
    }
    tree.comments_in(end..tree.line_end(end)).first().cloned()
}

/// `# astgen:begin api.invitations.create 0123456789ab`, without the digest.
fn marker(comment: &str) -> Option<Key> {
    let mut words = comment.split_whitespace().skip(1);
    let kind = words.next().filter(|word| word.starts_with("astgen:"))?;
    Some(Key::Marker(format!("{kind} {}", words.next()?)))
}

fn key(tree: &Tree<'_>, id: Id) -> Option<Key> {
    match tree.kind(id)? {
        NodeKind::StmtFunctionDef | NodeKind::StmtClassDef => {
            Some(Key::Definition(tree.identifier(id)?.to_owned(), variant(tree, id)))
        }
        NodeKind::StmtAssign | NodeKind::StmtAnnAssign | NodeKind::StmtTypeAlias => {
            let target = tree.source(*tree.children(id).first()?);
            let is_plain = |char: char| char.is_alphanumeric() || "_.".contains(char);
            target.chars().all(is_plain).then(|| Key::Assigned(target.to_owned()))
        }
        NodeKind::StmtImport | NodeKind::StmtImportFrom => Some(Key::Import(module(tree, id))),
        _ => None,
    }
}

/// `from .m`, or `import` and the names.
fn module(tree: &Tree<'_>, id: Id) -> String {
    let children = tree.children(id);
    let is_import = |child: &&Id| tree.source(**child) == "import";
    match tree.kind(id) {
        Some(NodeKind::StmtImportFrom) => {
            let parts = children.iter().take_while(|child| !is_import(child));
            parts.map(|part| tree.source(*part)).collect()
        }
        _ => tree.source(id).to_owned(),
    }
}

/// What keeps two functions of one name apart.
fn variant(tree: &Tree<'_>, id: Id) -> &'static str {
    const VARIANTS: [&str; 4] = ["setter", "getter", "deleter", "overload"];
    let decorators = tree.children_of(id, NodeKind::Decorator);
    let last_words =
        decorators.filter_map(|decorator| tree.source(decorator).rsplit(['.', '@']).next());
    let mut found =
        last_words.filter_map(|word| VARIANTS.into_iter().find(|it| *it == word.trim()));
    found.next().unwrap_or("")
}

/// The items of every block of a tree.
pub(super) fn read_items(tree: &Tree<'_>) -> HashMap<Id, Vec<Item>> {
    let mut reader = Reader { tree, blocks: HashMap::default() };
    if let Some(module) = tree.module_suite() {
        reader.block(module, 0, tree.text.len(), 0);
    }
    reader.blocks
}

struct Reader<'t, 'a> {
    tree: &'t Tree<'a>,
    blocks: HashMap<Id, Vec<Item>>,
}

impl Reader<'_, '_> {
    /// Reads the block whose lines begin at `start`; what is left of `column` at its end is not its own.
    /// Returns where it ends.
    fn block(&mut self, suite: Id, start: usize, limit: usize, column: usize) -> usize {
        let tree = self.tree;
        let mut items = Vec::new();
        let mut at = start;
        let statements = lines_of_statements(tree, suite);
        for (index, (lines, content)) in statements.iter().enumerate() {
            self.comments(at..lines.start, &mut items);
            let next = statements.get(index + 1).map_or(limit, |(next, _)| next.start);
            let end = match content {
                Content::Statement(id) => self.statement(*id, lines.end, next),
                Content::Line(_) | Content::Header(_) | Content::Comment => lines.end,
            };
            push(&mut items, tree.text, *content, lines.start..end);
            at = end;
        }
        let own = |comment: &&Range<usize>| tree.indentation(comment.start).len() >= column;
        let last = tree.comments_in(at..limit).iter().take_while(own).last();
        if let Some(last) = last {
            let end = tree.line_end(last.start);
            self.comments(at..end, &mut items);
            at = end;
        }
        self.blocks.insert(suite, items);
        at
    }

    fn comments(&mut self, range: Range<usize>, items: &mut Vec<Item>) {
        for comment in self.tree.comments_in(range) {
            let lines = self.tree.line_start(comment.start)..self.tree.line_end(comment.start);
            push(items, self.tree.text, Content::Comment, lines);
        }
    }

    /// Reads the blocks of a statement; returns where it ends.
    fn statement(&mut self, id: Id, end: usize, limit: usize) -> usize {
        let tree = self.tree;
        let clauses = clauses(tree, id);
        let mut end = end;
        for (index, clause) in clauses.iter().enumerate() {
            let Some(suite) = clause.block(tree) else { continue };
            let limit = clauses
                .get(index + 1)
                .map_or(limit, |next| tree.line_start(next.range(tree).start));
            let start = tree.line_end(clause.range(tree).end);
            let column = tree.indentation(tree.node(suite).range.start).len();
            end = end.max(self.block(suite, start, limit, column));
        }
        end
    }
}

fn push(items: &mut Vec<Item>, text: &str, content: Content, lines: Range<usize>) {
    let blank_lines = blank_lines_above(text, lines.start);
    items.push(Item { content, lines, blank_lines, depth: 0, digest: 0, weight: 0, key: None });
}

fn blank_lines_above(text: &str, start: usize) -> usize {
    let above = text[..start].lines().rev();
    above.take_while(|line| line.trim().is_empty()).count()
}

/// The statements of a block as whole lines; those that share a line are one.
fn lines_of_statements(tree: &Tree<'_>, suite: Id) -> Vec<(Range<usize>, Content)> {
    let mut all: Vec<(Range<usize>, Content)> = Vec::new();
    for &id in tree.children(suite) {
        let range = &tree.node(id).range;
        let lines = tree.line_start(range.start)..tree.line_end(range.end);
        match all.last_mut() {
            Some((last, content)) if lines.start < last.end => {
                last.end = lines.end.max(last.end);
                *content = match *content {
                    Content::Statement(first) | Content::Line(first) => Content::Line(first),
                    other => other,
                };
            }
            _ if tree.has_semicolon(lines.clone()) && !has_blocks(tree, id) => {
                all.push((lines, Content::Line(id)));
            }
            _ => all.push((lines, Content::Statement(id))),
        }
    }
    all
}

fn has_blocks(tree: &Tree<'_>, id: Id) -> bool {
    clauses(tree, id).iter().any(|clause| clause.block(tree).is_some())
}
