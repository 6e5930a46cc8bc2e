//! Blocks of statements, and the blank lines between them.

use super::statement::{self, annotation};
use super::{Doc, docstring};
use crate::annotation::{Annotated, Trivia};
use rustpython_ast::{
    Constant, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprConstant, Stmt, StmtAsyncFor,
    StmtAsyncWith, StmtExpr, StmtFor, StmtIf, StmtMatch, StmtTry, StmtTryStar, StmtWhile, StmtWith,
};

/// What a block of statements belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    Module,
    Class,
    Function,
    /// `if`, `for`, `with`, `try`, `case` and so on.
    Clause,
}

/// The statements of a block at the current depth. A block without any gets a `pass`.
pub fn block<R: Annotated>(doc: &mut Doc, body: &[Stmt<R>], block: Block) {
    if block == Block::Clause && body.first().is_some_and(is_definition) {
        doc.layout.verbatim("\n");
    }
    for (i, stmt) in body.iter().enumerate() {
        if let Some(previous) = i.checked_sub(1).and_then(|i| body.get(i)) {
            for _ in 0..blank_lines(doc.depth, previous, stmt, block, i == 1) {
                doc.layout.verbatim("\n");
            }
        }
        match docstring_of(stmt) {
            Some(text) if i == 0 && block != Block::Clause => {
                statement::stmt_with(doc, stmt, |doc| {
                    doc.logical_line(|doc| docstring::docstring(doc, text));
                });
            }
            _ => statement::stmt(doc, stmt),
        }
    }
    if body.is_empty() && block != Block::Module {
        doc.logical_line(|doc| doc.text("pass"));
    }
}

/// Blank lines between two statements of a block.
fn blank_lines<R: Annotated>(
    depth: usize,
    previous: &Stmt<R>,
    next: &Stmt<R>,
    block: Block,
    is_second: bool,
) -> usize {
    if ends_with_definition(previous) || is_definition(next) {
        return if depth == 0 { 2 } else { 1 };
    }
    let after_imports = is_import(previous) && !is_import(next);
    let after_docstring = is_second
        && matches!(block, Block::Module | Block::Class)
        && docstring_of(previous).is_some();
    usize::from(after_imports || after_docstring)
}

/// The text of a statement that is nothing but a string.
pub fn docstring_of<R>(stmt: &Stmt<R>) -> Option<&str> {
    match stmt {
        Stmt::Expr(StmtExpr { value, .. }) => match &**value {
            Expr::Constant(ExprConstant { value: Constant::Str(text), .. }) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a body is `...` alone, with nothing to be said about it.
pub fn is_stub<R: Annotated>(body: &[Stmt<R>]) -> bool {
    let [stmt @ Stmt::Expr(StmtExpr { value, .. })] = body else {
        return false;
    };
    let Expr::Constant(ExprConstant { range, value: Constant::Ellipsis, .. }) = &**value else {
        return false;
    };
    let is_bare =
        |trivia: Option<&Trivia>| trivia.is_none_or(|trivia| *trivia == Trivia::default());
    let trivia = |range: &R| range.annotation().is_none_or(|it| is_bare(it.trivia.as_deref()));
    trivia(annotation(stmt)) && trivia(range)
}

/// Whether `stmt` is a function or a class.
pub fn is_definition<R>(stmt: &Stmt<R>) -> bool {
    matches!(stmt, Stmt::FunctionDef(_) | Stmt::AsyncFunctionDef(_) | Stmt::ClassDef(_))
}

fn is_import<R>(stmt: &Stmt<R>) -> bool {
    matches!(stmt, Stmt::Import(_) | Stmt::ImportFrom(_))
}

/// Whether the last line of `stmt` belongs to a definition.
pub fn ends_with_definition<R>(stmt: &Stmt<R>) -> bool {
    let mut stmt = stmt;
    loop {
        if is_definition(stmt) {
            return true;
        }
        match last_block(stmt).and_then(|block| block.last()) {
            Some(last) => stmt = last,
            None => return false,
        }
    }
}

fn last_block<R>(stmt: &Stmt<R>) -> Option<&[Stmt<R>]> {
    fn last<'a, R>(blocks: &[&'a [Stmt<R>]]) -> Option<&'a [Stmt<R>]> {
        blocks.iter().rev().find(|block| !block.is_empty()).copied()
    }
    fn handler<R>(handlers: &[ExceptHandler<R>]) -> &[Stmt<R>] {
        match handlers.last() {
            Some(ExceptHandler::ExceptHandler(ExceptHandlerExceptHandler { body, .. })) => body,
            None => &[],
        }
    }
    match stmt {
        Stmt::If(StmtIf { body, orelse, .. })
        | Stmt::While(StmtWhile { body, orelse, .. })
        | Stmt::For(StmtFor { body, orelse, .. })
        | Stmt::AsyncFor(StmtAsyncFor { body, orelse, .. }) => last(&[body, orelse]),
        Stmt::With(StmtWith { body, .. }) | Stmt::AsyncWith(StmtAsyncWith { body, .. }) => {
            Some(body)
        }
        Stmt::Try(StmtTry { body, handlers, orelse, finalbody, .. })
        | Stmt::TryStar(StmtTryStar { body, handlers, orelse, finalbody, .. }) => {
            last(&[body, handler(handlers), orelse, finalbody])
        }
        Stmt::Match(StmtMatch { cases, .. }) => cases.last().map(|case| &*case.body),
        _ => None,
    }
}
