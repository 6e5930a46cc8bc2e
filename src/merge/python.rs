//! Python source as a lossless tree, for files that people wrote: any Python that the newest parser knows.
//!
//! This is the one module that knows that parser. What comes out is plain data: nodes with a kind, a byte
//! range and children in the order of the source, tokens included, so that every byte of a file is either
//! in a token or between two.

use super::tree::{Builder, Id, Kind, Tree};
use foldhash::HashMap;
use foldhash::fast::RandomState;
use ruff_python_ast::token::{Token, TokenKind};
use ruff_python_ast::visitor::source_order::{self, SourceOrderVisitor, TraversalSignal};
use ruff_python_ast::{AnyNodeRef, Identifier, ModModule, NodeKind, Stmt};
use ruff_python_parser::{Parsed, parse_module};
use ruff_text_size::{Ranged, TextRange};
use std::ops::Range;

/// Why a text has no tree.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct NotPython {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
}

/// Parses a module.
///
/// # Errors
/// When the text is not Python, or nests deeper than a stack can take.
pub fn parse(text: &str) -> Result<Tree<'_>, NotPython> {
    Ok(tree(&syntax(text)?))
}

/// A module as its parser sees it.
pub struct Syntax<'a> {
    /// The source.
    pub text: &'a str,
    parsed: Parsed<ModModule>,
}

impl Syntax<'_> {
    /// The statements.
    pub fn body(&self) -> &[Stmt] {
        &self.parsed.syntax().body
    }

    /// Whether annotations are never run (PEP 563).
    pub fn has_future_annotations(&self) -> bool {
        let imports = self.body().iter().filter_map(Stmt::as_import_from_stmt);
        let mut names = imports
            .filter(|import| import.module.as_ref().is_some_and(|module| module == "__future__"))
            .flat_map(|import| &import.names);
        names.any(|alias| &alias.name == "annotations")
    }
}

/// Parses a module.
///
/// # Errors
/// When the text is not Python, or nests deeper than a stack can take.
pub fn syntax(text: &str) -> Result<Syntax<'_>, NotPython> {
    if let Some(offset) = astgen_pyast::parse::too_deep(text) {
        return Err(not_python(text, offset, "nested too deeply"));
    }
    match parse_module(text) {
        Ok(parsed) => Ok(Syntax { text, parsed }),
        Err(error) => {
            let offset = error.location.start().to_usize();
            Err(not_python(text, offset, &error.error.to_string()))
        }
    }
}

/// Where a module means something by a name, attributes aside; `None` where it is bound by more than a definition: a
/// parameter, an argument's name, a variable.
pub fn names(syntax: &Syntax<'_>, name: &str) -> Option<Vec<Range<usize>>> {
    let mut places = Vec::new();
    let is_layout =
        |kind: TokenKind| matches!(kind, TokenKind::NonLogicalNewline | TokenKind::Comment);
    let tokens = syntax.parsed.tokens().iter().filter(|token| !is_layout(token.kind()));
    let tokens: Vec<_> = tokens.collect();
    for (at, token) in tokens.iter().enumerate() {
        let place = range(token.range());
        if token.kind() != TokenKind::Name || syntax.text[place.clone()] != *name {
            continue;
        }
        let before = at.checked_sub(1).map(|at| tokens[at].kind());
        let after = tokens.get(at + 1).map(|token| token.kind());
        let binds = [TokenKind::As, TokenKind::For, TokenKind::Global, TokenKind::Nonlocal];
        if before.is_some_and(|kind| binds.contains(&kind))
            || matches!(after, Some(TokenKind::Equal | TokenKind::ColonEqual))
        {
            return None;
        }
        if before != Some(TokenKind::Dot) {
            places.push(place);
        }
    }
    Some(places)
}

/// How often each word of a module is there: names, operators, numbers, and the words of comments and strings.
/// Brackets and commas, which come and go with the layout, are none; nor are imports, which are bindings.
pub fn words<'a>(syntax: &Syntax<'a>) -> HashMap<&'a str, usize> {
    let tokens = syntax.parsed.tokens();
    let mut words = HashMap::with_capacity_and_hasher(tokens.len() / 4, RandomState::default());
    let (mut begins_line, mut is_import) = (true, false);
    for token in tokens {
        let source = &syntax.text[range(token.range())];
        let kind = token.kind();
        if begins_line {
            is_import = matches!(kind, TokenKind::From | TokenKind::Import);
        }
        begins_line = match kind {
            TokenKind::Newline | TokenKind::Semi => true,
            TokenKind::Indent | TokenKind::Dedent => begins_line,
            TokenKind::NonLogicalNewline | TokenKind::Comment => begins_line,
            _ => false,
        };
        match kind {
            _ if is_import && kind != TokenKind::Comment => (),
            TokenKind::Comma
            | TokenKind::Lpar
            | TokenKind::Rpar
            | TokenKind::Semi
            | TokenKind::Newline
            | TokenKind::NonLogicalNewline
            | TokenKind::Indent
            | TokenKind::Dedent
            | TokenKind::EndOfFile => (),
            TokenKind::Comment | TokenKind::String | TokenKind::FStringMiddle => {
                let parts = source.split(|char: char| char.is_whitespace() || "\"'".contains(char));
                parts
                    .filter(|part| !part.is_empty())
                    .for_each(|part| *words.entry(part).or_default() += 1);
            }
            _ => *words.entry(source).or_default() += 1,
        }
    }
    words
}

/// The lossless tree of a module.
pub fn tree<'a>(syntax: &Syntax<'a>) -> Tree<'a> {
    let (text, parsed) = (syntax.text, &syntax.parsed);
    let tokens = Tokens::new(text, parsed.tokens());
    let builder = Builder::new(text, tokens.comments, tokens.inside.len());
    let mut reader = Reader { builder, tokens: tokens.inside, at: 0 };
    reader.builder.open(Kind::Module, 0..text.len());
    reader.visit_body(&parsed.syntax().body);
    reader.leave(text.len());
    reader.builder.finish(tokens.multiline_strings, tokens.semicolons)
}

fn not_python(text: &str, offset: usize, message: &str) -> NotPython {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    NotPython { message: message.to_owned(), line }
}

fn range(range: TextRange) -> Range<usize> {
    range.start().to_usize()..range.end().to_usize()
}

/// The tokens of a text, sorted by what they are for.
struct Tokens {
    /// What stands in nodes.
    inside: Vec<(Kind, Range<usize>)>,
    /// Comments outside of brackets: each has a line of its own, or ends one.
    comments: Vec<Range<usize>>,
    /// Strings of several lines; the lines in them are not indented.
    multiline_strings: Vec<Range<usize>>,
    /// Semicolons between statements.
    semicolons: Vec<usize>,
}

impl Tokens {
    fn new(text: &str, tokens: &[Token]) -> Tokens {
        let mut sorted = Tokens {
            inside: Vec::with_capacity(tokens.len()),
            comments: Vec::new(),
            multiline_strings: Vec::new(),
            semicolons: Vec::new(),
        };
        let (mut depth, mut strings) = (0_usize, Vec::new());
        for token in tokens {
            let place = range(token.range());
            match token.kind() {
                TokenKind::Newline
                | TokenKind::NonLogicalNewline
                | TokenKind::Indent
                | TokenKind::Dedent
                | TokenKind::EndOfFile => continue,
                TokenKind::Comment if depth == 0 => {
                    sorted.comments.push(place);
                    continue;
                }
                TokenKind::Semi => {
                    sorted.semicolons.push(place.start);
                    continue;
                }
                TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => depth += 1,
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                    depth = depth.saturating_sub(1);
                }
                TokenKind::FStringStart | TokenKind::TStringStart => strings.push(place.start),
                TokenKind::FStringEnd | TokenKind::TStringEnd => {
                    let start = strings.pop().unwrap_or(place.start);
                    sorted.multiline_string(text, start..place.end);
                }
                TokenKind::String => sorted.multiline_string(text, place.clone()),
                _ => (),
            }
            sorted.inside.push((kind(token.kind()), place));
        }
        sorted.multiline_strings.sort_by_key(|string| (string.start, usize::MAX - string.end));
        sorted
    }

    fn multiline_string(&mut self, text: &str, string: Range<usize>) {
        if text[string.clone()].contains('\n') {
            self.multiline_strings.push(string);
        }
    }
}

fn kind(token: TokenKind) -> Kind {
    match token {
        TokenKind::Comment => Kind::Comment,
        TokenKind::Comma => Kind::Comma,
        TokenKind::Lpar => Kind::OpenParenthesis,
        TokenKind::Rpar => Kind::CloseParenthesis,
        TokenKind::Lsqb | TokenKind::Lbrace => Kind::OpenBracket,
        TokenKind::Rsqb | TokenKind::Rbrace => Kind::CloseBracket,
        _ => Kind::Token,
    }
}

/// Walks the syntax tree and the tokens side by side.
struct Reader<'a> {
    builder: Builder<'a>,
    tokens: Vec<(Kind, Range<usize>)>,
    at: usize,
}

impl Reader<'_> {
    /// Gives the tokens that end by `end` to the node that is open.
    fn tokens_to(&mut self, end: usize) {
        while let Some((kind, place)) =
            self.tokens.get(self.at).filter(|(_, place)| place.end <= end)
        {
            self.builder.token(*kind, place.clone());
            self.at += 1;
        }
    }

    fn enter(&mut self, kind: Kind, range: Range<usize>) {
        self.tokens_to(range.start);
        self.builder.open(kind, range);
    }

    fn leave(&mut self, end: usize) -> Id {
        self.tokens_to(end);
        self.builder.close()
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader<'_> {
    fn enter_node(&mut self, node: AnyNodeRef<'a>) -> TraversalSignal {
        self.enter(Kind::Node(node.kind()), range(node.range()));
        match node.kind() {
            // Their parts are tokens; what is inside of a string is compared as text.
            NodeKind::ExprStringLiteral
            | NodeKind::ExprBytesLiteral
            | NodeKind::ExprFString
            | NodeKind::ExprTString => TraversalSignal::Skip,
            _ => TraversalSignal::Traverse,
        }
    }

    fn leave_node(&mut self, node: AnyNodeRef<'a>) {
        self.leave(range(node.range()).end);
    }

    fn visit_body(&mut self, body: &'a [Stmt]) {
        let (Some(first), Some(last)) = (body.first(), body.last()) else { return };
        let place = range(first.range()).start..range(last.range()).end;
        self.enter(Kind::Suite, place.clone());
        source_order::walk_body(self, body);
        self.leave(place.end);
    }

    fn visit_identifier(&mut self, identifier: &'a Identifier) {
        let place = range(identifier.range());
        self.enter(Kind::Node(NodeKind::Identifier), place.clone());
        self.leave(place.end);
    }
}
