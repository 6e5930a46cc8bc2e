//! What a Python file defines, piece by piece, so that two versions of it can be compared by meaning.
//!
//! Layout does not count: a piece is its tokens. Files are read by ruff's parser, which knows the newest Python.

use ruff_python_ast::helpers::is_docstring_stmt;
use ruff_python_ast::token::{TokenKind, Tokens};
use ruff_python_ast::{
    ArgOrKeyword, Decorator, Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef,
};
use ruff_python_parser::parse_module;
use ruff_text_size::{Ranged, TextRange};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

/// What a definition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A function that answers requests.
    Route,
    /// Any other function of a module.
    Function,
    /// A function of a class.
    Method,
    /// A class; its members are definitions of their own.
    Class,
    /// A column of a table.
    Column,
    /// Another variable of a class.
    Field,
    /// A variable of a module.
    Variable,
    /// What a module imports.
    Imports,
    /// Other statements of a module.
    Statements,
}

/// A piece of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    /// A dependency that a route names in its decorator.
    Guard,
    /// The rest of a decorator.
    Decorator,
    /// A parameter.
    Parameter,
    /// What a function returns.
    Returns,
    /// What a class derives from.
    Bases,
    /// A docstring.
    Docstring,
    /// Statements, or the value of a variable.
    Body,
    /// The annotation of a variable.
    Annotation,
}

/// A definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Its qualified name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its pieces: what a person calls each, and its tokens.
    pub pieces: BTreeMap<(Piece, String), String>,
    /// Its lines, counted from 0, with its decorators.
    pub lines: Range<usize>,
}

/// The definitions of a Python text, in order; `None` when it is not Python.
#[must_use]
pub fn outline(text: &str) -> Option<Vec<Definition>> {
    if astgen_pyast::parse::too_deep(text).is_some() {
        return None;
    }
    let parsed = parse_module(text).ok()?;
    let starts = text.match_indices('\n').map(|(at, _)| at + 1);
    let mut reader = Reader {
        text,
        tokens: parsed.tokens(),
        line_starts: std::iter::once(0).chain(starts).collect(),
        definitions: Vec::new(),
    };
    reader.module(&parsed.syntax().body);
    Some(reader.definitions)
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a Tokens,
    line_starts: Vec<usize>,
    definitions: Vec<Definition>,
}

/// Names of a module's pieces that no definition has.
const IMPORTS: &str = "imports";
const STATEMENTS: &str = "statements";

impl Reader<'_> {
    fn module(&mut self, body: &[Stmt]) {
        for (at, stmt) in body.iter().enumerate() {
            match stmt {
                Stmt::FunctionDef(def) => self.function(def, None),
                Stmt::ClassDef(class) => self.class(class, None),
                Stmt::Import(_) | Stmt::ImportFrom(_) => self.unnamed(IMPORTS, Kind::Imports, stmt),
                _ if at == 0 && is_docstring_stmt(stmt) => {
                    self.unnamed(STATEMENTS, Kind::Statements, stmt);
                }
                _ => self.statement(stmt, None),
            }
        }
    }

    fn statement(&mut self, stmt: &Stmt, class: Option<&str>) {
        let mut pieces = BTreeMap::new();
        let target = match stmt {
            Stmt::AnnAssign(assign) => {
                pieces.insert(one(Piece::Annotation), self.spelled(assign.annotation.range()));
                if let Some(value) = &assign.value {
                    pieces.insert(one(Piece::Body), self.spelled(value.range()));
                }
                &assign.target
            }
            Stmt::Assign(assign) if assign.targets.len() == 1 => {
                pieces.insert(one(Piece::Body), self.spelled(assign.value.range()));
                &assign.targets[0]
            }
            _ => return self.unnamed_in(class, stmt),
        };
        let Expr::Name(name) = target else { return self.unnamed_in(class, stmt) };
        let is_column = pieces.values().any(|piece| piece.contains("mapped_column ("));
        let kind = match class {
            Some(_) if is_column => Kind::Column,
            Some(_) => Kind::Field,
            None => Kind::Variable,
        };
        self.push(qualified(class, &name.id), kind, pieces, stmt.range());
    }

    fn unnamed_in(&mut self, class: Option<&str>, stmt: &Stmt) {
        match class {
            Some(_) => self.extend_last_class(class, stmt),
            None => self.unnamed(STATEMENTS, Kind::Statements, stmt),
        }
    }

    fn extend_last_class(&mut self, class: Option<&str>, stmt: &Stmt) {
        let piece = self.spelled(stmt.range());
        let owner = self.definitions.iter_mut().rev().find(|it| Some(&*it.name) == class);
        let Some(owner) = owner else { return };
        let docstring = is_docstring_stmt(stmt);
        let key = one(if docstring { Piece::Docstring } else { Piece::Body });
        append(owner.pieces.entry(key).or_default(), &piece);
    }

    fn unnamed(&mut self, name: &str, kind: Kind, stmt: &Stmt) {
        let piece = self.spelled(stmt.range());
        if let Some(known) = self.definitions.iter_mut().find(|it| it.kind == kind) {
            append(known.pieces.entry(one(Piece::Body)).or_default(), &piece);
            return;
        }
        let pieces = BTreeMap::from([(one(Piece::Body), piece)]);
        self.push(name.to_owned(), kind, pieces, stmt.range());
    }

    fn class(&mut self, class: &StmtClassDef, outer: Option<&str>) {
        let mut pieces = self.decorators(&class.decorator_list);
        if let Some(arguments) = &class.arguments {
            pieces.insert(one(Piece::Bases), self.spelled(arguments.range()));
        }
        let name = qualified(outer, &class.name);
        self.push(name.clone(), Kind::Class, pieces, class.range());
        for stmt in &class.body {
            match stmt {
                Stmt::FunctionDef(def) => self.function(def, Some(&name)),
                Stmt::ClassDef(inner) => self.class(inner, Some(&name)),
                _ => self.statement(stmt, Some(&name)),
            }
        }
    }

    fn function(&mut self, def: &StmtFunctionDef, class: Option<&str>) {
        let mut pieces = self.decorators(&def.decorator_list);
        self.parameters(&def.parameters, &mut pieces);
        if let Some(returns) = &def.returns {
            pieces.insert(one(Piece::Returns), self.spelled(returns.range()));
        }
        let mut body = String::new();
        for (at, stmt) in def.body.iter().enumerate() {
            let piece = self.spelled(stmt.range());
            if at == 0 && is_docstring_stmt(stmt) {
                pieces.insert(one(Piece::Docstring), piece);
            } else {
                append(&mut body, &piece);
            }
        }
        pieces.insert(one(Piece::Body), body);
        let kind = match class {
            Some(_) => Kind::Method,
            None if def.decorator_list.iter().any(is_route) => Kind::Route,
            None => Kind::Function,
        };
        self.push(qualified(class, &def.name), kind, pieces, def.range());
    }

    fn decorators(&self, decorators: &[Decorator]) -> BTreeMap<(Piece, String), String> {
        let mut pieces = BTreeMap::new();
        for decorator in decorators {
            let expression = &decorator.expression;
            for guard in guards(expression) {
                let shown = self.shown(dependency(guard).range());
                pieces.insert((Piece::Guard, shown), self.spelled(guard.range()));
            }
            let Expr::Call(call) = expression else {
                let shown = self.shown(expression.range());
                pieces.insert((Piece::Decorator, format!("@{shown}")), String::new());
                continue;
            };
            let mut rest = String::new();
            for argument in call.arguments.iter_source_order() {
                if !is_dependencies(&argument) {
                    append(&mut rest, &self.spelled(argument.range()));
                }
            }
            let shown = format!("@{}", self.shown(call.func.range()));
            pieces.insert((Piece::Decorator, shown), rest);
        }
        pieces
    }

    fn parameters(&self, parameters: &Parameters, pieces: &mut BTreeMap<(Piece, String), String>) {
        for parameter in parameters {
            let name = parameter.name().to_string();
            pieces.insert((Piece::Parameter, name), self.spelled(parameter.range()));
        }
    }

    fn push(
        &mut self,
        name: String,
        kind: Kind,
        pieces: BTreeMap<(Piece, String), String>,
        range: TextRange,
    ) {
        let twins = self.definitions.iter().filter(|it| it.name == name).count();
        let name = if twins == 0 { name } else { format!("{name}#{}", twins + 1) };
        let line = |offset: usize| self.line_starts.partition_point(|start| *start <= offset) - 1;
        let lines = line(range.start().to_usize())..line(range.end().to_usize()) + 1;
        self.definitions.push(Definition { name, kind, pieces, lines });
    }

    /// The tokens of a place, so that two layouts of one piece are equal.
    fn spelled(&self, range: TextRange) -> String {
        let mut spelled = String::new();
        let first = self.tokens.partition_point(|token| token.start() < range.start());
        let tokens = self.tokens[first..].iter().take_while(|token| token.end() <= range.end());
        for token in tokens {
            match token.kind() {
                TokenKind::NonLogicalNewline | TokenKind::Comment => continue,
                TokenKind::Newline | TokenKind::Indent | TokenKind::Dedent => spelled.push('\n'),
                TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                    // A trailing comma is layout.
                    let kept = spelled.trim_end().trim_end_matches(',').trim_end().len();
                    spelled.truncate(kept);
                    spelled.push(' ');
                }
                _ => (),
            }
            append(&mut spelled, &self.text[token.range()]);
        }
        spelled.trim().to_owned()
    }

    /// The source of a place, on one line.
    fn shown(&self, range: TextRange) -> String {
        let words: Vec<&str> = self.text[range].split_whitespace().collect();
        words.join(" ").replace("( ", "(").replace(", )", ")").replace(" )", ")")
    }
}

fn one(piece: Piece) -> (Piece, String) {
    (piece, String::new())
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !text.ends_with([' ', '\n']) {
        text.push(' ');
    }
    text.push_str(more.trim());
}

fn qualified(outer: Option<&str>, name: &str) -> String {
    outer.map_or_else(|| name.to_owned(), |outer| format!("{outer}.{name}"))
}

const METHODS: [&str; 9] =
    ["get", "post", "put", "patch", "delete", "head", "options", "websocket", "api_route"];

/// `@router.get("/…")`
fn is_route(decorator: &Decorator) -> bool {
    let Expr::Call(call) = &decorator.expression else { return false };
    matches!(&*call.func, Expr::Attribute(attribute) if METHODS.contains(&&*attribute.attr))
}

/// The items of `dependencies=[…]`.
fn guards(decorator: &Expr) -> &[Expr] {
    let Expr::Call(call) = decorator else { return &[] };
    let keyword = call.arguments.find_keyword("dependencies");
    match keyword.map(|keyword| &keyword.value) {
        Some(Expr::List(list)) => &list.elts,
        Some(Expr::Tuple(tuple)) => &tuple.elts,
        _ => &[],
    }
}

fn is_dependencies(argument: &ArgOrKeyword<'_>) -> bool {
    let name = match argument {
        ArgOrKeyword::Arg(_) => None,
        ArgOrKeyword::Keyword(keyword) => keyword.arg.as_deref(),
    };
    name == Some("dependencies")
}

/// What `Depends(…)` holds.
fn dependency(guard: &Expr) -> &Expr {
    match guard {
        Expr::Call(call) => call.arguments.args.first().unwrap_or(guard),
        _ => guard,
    }
}
