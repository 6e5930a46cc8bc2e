//! Blocks of statements, and the blank lines between them.

use super::statement::{self, trivia};
use super::{Before, Doc, docstring};
use crate::annotation::{Annotated, Trivia};
use rustpython_ast::{
    Constant, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprConstant, Stmt, StmtAsyncFor,
    StmtAsyncFunctionDef, StmtAsyncWith, StmtClassDef, StmtExpr, StmtFor, StmtFunctionDef, StmtIf,
    StmtMatch, StmtTry, StmtTryStar, StmtWhile, StmtWith,
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
    for (i, stmt) in body.iter().enumerate() {
        doc.before = match i.checked_sub(1).and_then(|i| body.get(i)) {
            Some(previous) => {
                let count = blank_lines(doc.depth, previous, stmt, block, i == 1);
                doc.blank_lines(count);
                // Where there is none after an import, a comment asks for one.
                let is_bare = count == 0 && is_import(previous);
                if is_bare { Before::BlankIfCommented } else { Before::Nothing }
            }
            None if block == Block::Clause && is_definition(stmt) => Before::BlankUnlessCommented,
            None => Before::Nothing,
        };
        match docstring_of(stmt) {
            Some(text) if i == 0 && block != Block::Clause => {
                statement::stmt_with(doc, stmt, |doc| {
                    // A formatter would not keep a comment at its end.
                    doc.hoisted.extend(doc.trailing.take());
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

/// Blank lines before the end marker of a region, which a formatter takes for the comment of a
/// statement that follows.
pub fn blank_lines_before_end<R>(depth: usize, stmt: &Stmt<R>) -> usize {
    let (body, is_class) = match stmt {
        Stmt::FunctionDef(StmtFunctionDef { body, .. })
        | Stmt::AsyncFunctionDef(StmtAsyncFunctionDef { body, .. }) => (body.as_slice(), false),
        Stmt::ClassDef(StmtClassDef { body, .. }) => (body.as_slice(), true),
        _ => (std::slice::from_ref(stmt), false),
    };
    match body {
        [.., last] if ends_with_definition(last) => {
            if depth == 0 {
                2
            } else {
                1
            }
        }
        [.., last] if is_import(last) => 1,
        [docstring] if is_class && docstring_of(docstring).is_some() => 1,
        _ => 0,
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
    usize::from(after_imports || after_docstring || starts_paragraph(next))
}

fn starts_paragraph<R: Annotated>(stmt: &Stmt<R>) -> bool {
    trivia(statement::annotation(stmt)).is_some_and(|trivia| trivia.blank_line)
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

/// The statement of a body that is `...` alone, with no comment above it.
pub fn stub<R: Annotated>(body: &[Stmt<R>]) -> Option<&StmtExpr<R>> {
    let [Stmt::Expr(stmt)] = body else { return None };
    let Expr::Constant(ExprConstant { value: Constant::Ellipsis, .. }) = &*stmt.value else {
        return None;
    };
    let is_bare = |trivia: &Trivia| trivia.leading.is_empty() && trivia.region.is_none();
    trivia(&stmt.range).is_none_or(is_bare).then_some(stmt)
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
