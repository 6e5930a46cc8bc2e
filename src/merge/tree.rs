//! A lossless tree of a Python file, as plain data.
//!
//! A node's digest is of what it says: white space, parentheses, trailing commas and the style of quotes do
//! not count, comments do. Two nodes with one digest may be laid out differently, but nobody has edited the
//! one into the other.

use super::digest::digester;
use super::items::{Item, Key, read_items};
use foldhash::HashMap;
use ruff_python_ast::NodeKind;
use std::hash::{Hash, Hasher};
use std::ops::Range;

/// A node of a [`Tree`].
pub type Id = usize;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The file.
    Module,
    /// The statements of a block.
    Suite,
    /// A node of the grammar.
    Node(NodeKind),
    /// An operator, a keyword, a part of a string, or another token.
    Token,
    /// A comment inside of brackets.
    Comment,
    /// `,`
    Comma,
    /// `(`
    OpenParenthesis,
    /// `)`
    CloseParenthesis,
    /// `[` or `{`
    OpenBracket,
    /// `]` or `}`
    CloseBracket,
}

/// A node.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// Where its parts are listed.
    children: Range<usize>,
    /// What it says.
    pub digest: u64,
    /// How many tokens and comments it holds.
    pub weight: usize,
}

/// A parsed file.
#[derive(Debug)]
pub struct Tree<'a> {
    /// The source.
    pub text: &'a str,
    /// The file's node.
    pub root: Id,
    nodes: Vec<Node>,
    /// The children of all nodes, each node's in a row: a list a node would be an allocation a node.
    children: Vec<Id>,
    /// The items of each suite that has lines of its own.
    suites: HashMap<Id, Vec<Item>>,
    /// Strings of several lines, in order.
    multiline_strings: Vec<Range<usize>>,
    /// Comments outside of brackets.
    comments: Vec<Range<usize>>,
    /// Semicolons between statements.
    semicolons: Vec<usize>,
}

impl<'a> Tree<'a> {
    /// The node.
    pub fn node(&self, id: Id) -> &Node {
        &self.nodes[id]
    }

    /// The parts of a node, in the order of the source.
    pub fn children(&self, id: Id) -> &[Id] {
        &self.children[self.nodes[id].children.clone()]
    }

    /// The kind of a node of the grammar.
    pub fn kind(&self, id: Id) -> Option<NodeKind> {
        match self.nodes[id].kind {
            Kind::Node(kind) => Some(kind),
            _ => None,
        }
    }

    /// The source of a node.
    pub fn source(&self, id: Id) -> &'a str {
        &self.text[self.nodes[id].range.clone()]
    }

    /// The children that are nodes of a kind.
    pub fn children_of(&self, id: Id, kind: NodeKind) -> impl Iterator<Item = Id> {
        let children = self.children(id).iter().copied();
        children.filter(move |child| self.kind(*child) == Some(kind))
    }

    /// The first identifier among the children: the name of a definition, a keyword, a parameter.
    pub fn identifier(&self, id: Id) -> Option<&'a str> {
        self.children_of(id, NodeKind::Identifier).next().map(|name| self.source(name))
    }

    /// The statements and comments of a suite; `None` for one that stands on the line of its header.
    pub fn items(&self, suite: Id) -> Option<&[Item]> {
        // Most nodes are none, and every node is asked.
        let is_suite = self.nodes[suite].kind == Kind::Suite;
        if is_suite { self.suites.get(&suite).map(Vec::as_slice) } else { None }
    }

    /// The suite of the file itself; `None` when it is empty.
    pub fn module_suite(&self) -> Option<Id> {
        self.children(self.root).first().copied()
    }

    /// Where the line of `offset` begins.
    pub fn line_start(&self, offset: usize) -> usize {
        self.text[..offset].rfind('\n').map_or(0, |newline| newline + 1)
    }

    /// Behind the newline of the line of `offset`.
    pub fn line_end(&self, offset: usize) -> usize {
        self.text[offset..].find('\n').map_or(self.text.len(), |newline| offset + newline + 1)
    }

    /// The white space that the line of `offset` begins with.
    pub fn indentation(&self, offset: usize) -> &'a str {
        let line = &self.text[self.line_start(offset)..];
        &line[..line.len() - line.trim_start_matches([' ', '\t', '\x0c']).len()]
    }

    /// Comments outside of brackets that begin in `range`.
    pub fn comments_in(&self, range: Range<usize>) -> &[Range<usize>] {
        in_order(&self.comments, range)
    }

    /// Whether a semicolon stands in `range`.
    pub fn has_semicolon(&self, range: Range<usize>) -> bool {
        let first = self.semicolons.partition_point(|place| *place < range.start);
        self.semicolons.get(first).is_some_and(|place| *place < range.end)
    }

    /// Whether the line that begins at `offset` begins inside of a string.
    pub fn is_in_string(&self, offset: usize) -> bool {
        let after = self.multiline_strings.partition_point(|string| string.start < offset);
        self.multiline_strings[..after].iter().rev().take(4).any(|string| offset < string.end)
    }
}

fn in_order(ranges: &[Range<usize>], within: Range<usize>) -> &[Range<usize>] {
    let start = ranges.partition_point(|range| range.start < within.start);
    let end = ranges.partition_point(|range| range.start < within.end);
    &ranges[start..end.max(start)]
}

/// Builds a tree from nodes and tokens in the order of the source.
#[derive(Debug)]
pub struct Builder<'a> {
    tree: Tree<'a>,
    open: Vec<Open>,
    /// Closed nodes whose parents are open.
    closed: Vec<Id>,
}

/// A node that is open.
#[derive(Debug)]
struct Open {
    kind: Kind,
    range: Range<usize>,
    /// Its first child among the closed nodes.
    first: usize,
}

impl<'a> Builder<'a> {
    /// An empty tree, for so many tokens.
    pub fn new(text: &'a str, comments: Vec<Range<usize>>, tokens: usize) -> Builder<'a> {
        // About every second token stands alone in a node of the grammar.
        let nodes = tokens + tokens / 2;
        let tree = Tree {
            text,
            root: 0,
            nodes: Vec::with_capacity(nodes),
            children: Vec::with_capacity(nodes),
            suites: HashMap::default(),
            multiline_strings: Vec::new(),
            comments,
            semicolons: Vec::new(),
        };
        Builder { tree, open: Vec::new(), closed: Vec::new() }
    }

    /// Begins a node.
    pub fn open(&mut self, kind: Kind, range: Range<usize>) {
        self.open.push(Open { kind, range, first: self.closed.len() });
    }

    /// Adds a token to the node that is open.
    pub fn token(&mut self, kind: Kind, range: Range<usize>) {
        self.open(kind, range);
        self.close();
    }

    /// Ends the node that is open.
    pub fn close(&mut self) -> Id {
        let Some(Open { kind, range, first }) = self.open.pop() else { return 0 };
        let tree = &mut self.tree;
        // A node that is one token needs no child.
        if let [only] = self.closed[first..]
            && matches!(kind, Kind::Node(_))
            && tree.nodes[only].kind == Kind::Token
            && tree.nodes[only].range == range
            && only + 1 == tree.nodes.len()
        {
            tree.nodes.pop();
            self.closed.truncate(first);
        }
        let from = tree.children.len();
        tree.children.extend(self.closed.drain(first..));
        let children = from..tree.children.len();
        let id = tree.nodes.len();
        tree.nodes.push(Node { kind, range, children, digest: 0, weight: 0 });
        self.closed.push(id);
        id
    }

    /// The tree, once every node is closed.
    pub fn finish(mut self, strings: Vec<Range<usize>>, semicolons: Vec<usize>) -> Tree<'a> {
        self.tree.root = self.tree.nodes.len().saturating_sub(1);
        self.tree.multiline_strings = strings;
        self.tree.semicolons = semicolons;
        self.tree.suites = read_items(&self.tree);
        // Children come before their parents.
        for id in 0..self.tree.nodes.len() {
            digest_items(&mut self.tree, id);
            let (digest, weight) = digest(&self.tree, id);
            self.tree.nodes[id].digest = digest;
            self.tree.nodes[id].weight = weight;
        }
        self.tree
    }
}

/// Completes the items of a suite, whose statements have their digests by now.
fn digest_items(tree: &mut Tree<'_>, suite: Id) {
    if tree.nodes[suite].kind != Kind::Suite {
        return;
    }
    let Some(mut items) = tree.suites.remove(&suite) else { return };
    for item in &mut items {
        item.complete(tree);
    }
    if let Some(first) = items.iter_mut().find(|item| !item.is_comment()) {
        first.key = first.key.take().or_else(|| docstring(tree, first));
    }
    tree.suites.insert(suite, items);
}

fn docstring(tree: &Tree<'_>, item: &Item) -> Option<Key> {
    let statement = item.statement().filter(|id| tree.kind(*id) == Some(NodeKind::StmtExpr))?;
    let value = tree.children(statement).first()?;
    (tree.kind(*value) == Some(NodeKind::ExprStringLiteral)).then_some(Key::Docstring)
}

fn digest(tree: &Tree<'_>, id: Id) -> (u64, usize) {
    let node = &tree.nodes[id];
    let mut hash = digester();
    if let Some(items) = tree.items(id) {
        hash.write_u8(1);
        items.iter().for_each(|item| hash.write_u64(item.digest));
        return (hash.finish(), items.iter().map(|item| item.weight).sum());
    }
    match node.kind {
        Kind::Node(kind) => (2_u8, kind as u32).hash(&mut hash),
        Kind::Suite | Kind::Module => hash.write_u8(1),
        _ => hash.write_u8(3),
    }
    let children = tree.children(id);
    if children.is_empty() {
        spelling(tree.source(id)).hash(&mut hash);
        return (hash.finish(), 1);
    }
    let mut weight = 0;
    for &child in children.iter().filter(|child| says_something(tree, **child)) {
        hash.write_u64(tree.nodes[child].digest);
        weight += tree.nodes[child].weight;
    }
    // What follows the colon of a header on its line.
    for comment in header_comments(tree, id) {
        tree.text[comment.clone()].trim_end().hash(&mut hash);
        weight += 1;
    }
    (hash.finish(), weight)
}

/// Comments of a compound statement that are in none of its suites and clauses: behind the colon of a header,
/// between two decorators, above an `else`.
pub fn header_comments<'t>(tree: &'t Tree<'_>, id: Id) -> impl Iterator<Item = &'t Range<usize>> {
    let node = &tree.nodes[id];
    let children = tree.children(id);
    let is_compound =
        children.iter().any(|child| tree.items(*child).is_some() || is_clause(tree.kind(*child)));
    let comments = if is_compound { tree.comments_in(node.range.clone()) } else { &[] };
    comments.iter().filter(move |comment| {
        !children.iter().any(|child| extent(tree, *child).contains(&comment.start))
    })
}

/// The bytes of a part of a compound statement with the comments that belong to it.
fn extent(tree: &Tree<'_>, id: Id) -> Range<usize> {
    match tree.items(id) {
        Some([first, .., last]) => first.lines.start..last.lines.end,
        Some([only]) => only.lines.clone(),
        _ => tree.nodes[id].range.clone(),
    }
}

/// Whether a node is a clause of a compound statement.
pub fn is_clause(kind: Option<NodeKind>) -> bool {
    matches!(
        kind,
        Some(NodeKind::ElifElseClause | NodeKind::ExceptHandlerExceptHandler | NodeKind::MatchCase)
    )
}

/// Whether a child counts for what a node says.
pub fn says_something(tree: &Tree<'_>, id: Id) -> bool {
    !matches!(tree.nodes[id].kind, Kind::Comma | Kind::OpenParenthesis | Kind::CloseParenthesis)
}

/// A token as it would be spelled with double quotes, where that is no more than another pair of quotes.
fn spelling(source: &str) -> (&str, &str) {
    let prefix =
        source.len() - source.trim_start_matches(|char: char| char.is_ascii_alphabetic()).len();
    let (prefix, string) = source.split_at(prefix);
    let inner = string.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    let inner = inner.or_else(|| string.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')));
    match inner {
        Some(inner) if !inner.contains(['\'', '"', '\\']) => (prefix, inner),
        _ => (source, "\""),
    }
}
