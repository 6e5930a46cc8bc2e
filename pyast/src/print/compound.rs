//! Statements with blocks, but for definitions.

use super::blank_lines::{self, Block};
use super::expression::{element, expr, value};
use super::parentheses::{
    Need, can_omit, can_omit_around, need, optional, optional_at, optional_later, parens,
};
use super::statement::{optional_sequence, trivia};
use super::{Doc, pattern};
use crate::annotation::Annotated;
use crate::layout::Parens;
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{
    ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprTuple, MatchCase, Stmt, StmtIf, StmtMatch,
    StmtWhile, WithItem,
};

/// A header, a colon and a block.
fn clause<R: Annotated>(doc: &mut Doc, body: &[Stmt<R>], header: impl FnOnce(&mut Doc)) {
    doc.logical_line(|doc| {
        header(doc);
        doc.text(":");
    });
    doc.depth += 1;
    blank_lines::block(doc, body, Block::Clause);
    doc.depth -= 1;
}

fn orelse<R: Annotated>(doc: &mut Doc, keyword: &str, body: &[Stmt<R>]) {
    if !body.is_empty() {
        doc.begin_clause();
        clause(doc, body, |doc| doc.text(keyword));
    }
}

/// `if`, `elif`, `else`: a lone `if` in an `else` is an `elif`, however long the ladder.
pub fn if_<R: Annotated>(doc: &mut Doc, first: &StmtIf<R>) {
    let mut keyword = "if ";
    let mut next = first;
    loop {
        let StmtIf { range: _, test, body, orelse } = next;
        clause(doc, body, |doc| {
            doc.text(keyword);
            optional_at(doc, test, Precedence::Named);
        });
        match orelse.as_slice() {
            [Stmt::If(elif)] if trivia(&elif.range).is_none_or(|it| it.region.is_none()) => {
                doc.begin_clause();
                doc.begin_statement(&elif.range);
                keyword = "elif ";
                next = elif;
            }
            _ => return self::orelse(doc, "else", orelse),
        }
    }
}

/// `while test: … else: …`
pub fn while_<R: Annotated>(doc: &mut Doc, stmt: &StmtWhile<R>) {
    let StmtWhile { range: _, test, body, orelse } = stmt;
    clause(doc, body, |doc| {
        doc.text("while ");
        optional_at(doc, test, Precedence::Named);
    });
    self::orelse(doc, "else", orelse);
}

/// `for target in iter: … else: …`
pub fn for_<R: Annotated>(
    doc: &mut Doc,
    keyword: &str,
    target: &Expr<R>,
    iter: &Expr<R>,
    body: &[Stmt<R>],
    orelse: &[Stmt<R>],
) {
    clause(doc, body, |doc| {
        doc.text(keyword);
        match target {
            Expr::Tuple(ExprTuple { range, elts, ctx: _ }) if elts.len() > 1 => {
                doc.note(range);
                let parens = if can_omit_around(elts) { Parens::Omit } else { Parens::Multiline };
                optional_sequence(doc, parens, elts);
            }
            _ => optional(doc, target),
        }
        doc.text(" in ");
        optional(doc, iter);
    });
    self::orelse(doc, "else", orelse);
}

/// `with item, item: …`
pub fn with<R: Annotated>(doc: &mut Doc, keyword: &str, items: &[WithItem<R>], body: &[Stmt<R>]) {
    clause(doc, body, |doc| {
        doc.text(keyword);
        match items {
            // A parenthesized tuple would be read as the items themselves.
            [
                WithItem { range: _, context_expr: context @ Expr::Tuple(_), optional_vars: None },
            ] => {
                doc.bracket(super::PARENTHESES, |doc| expr(doc, context));
            }
            [WithItem { range: _, context_expr, optional_vars: None }] => {
                optional(doc, context_expr)
            }
            [item] => match item_parens(&item.context_expr) {
                Some(parens) => doc.parens(parens, |doc| with_item(doc, item)),
                None => with_item(doc, item),
            },
            _ => doc.parens(Parens::Multiline, |doc| doc.items(items, with_item)),
        }
    });
}

/// The invisible pair around a lone item with a target, whose brackets must not explode first.
fn item_parens<R>(context: &Expr<R>) -> Option<Parens> {
    match need(context) {
        Need::Multiline if precedence(context) >= Precedence::Lambda => parens(context),
        Need::BestFit if !can_omit(context) => Some(Parens::Multiline),
        Need::Multiline | Need::BestFit | Need::Never => None,
    }
}

fn with_item<R: Annotated>(doc: &mut Doc, item: &WithItem<R>) {
    let WithItem { range: _, context_expr, optional_vars } = item;
    value(doc, context_expr);
    if let Some(target) = optional_vars {
        doc.text(" as ");
        element(doc, target);
    }
}

/// `try: … except …: … else: … finally: …`
pub fn try_<R: Annotated>(
    doc: &mut Doc,
    except: &str,
    body: &[Stmt<R>],
    handlers: &[ExceptHandler<R>],
    orelse: &[Stmt<R>],
    finalbody: &[Stmt<R>],
) {
    clause(doc, body, |doc| doc.text("try"));
    for handler in handlers {
        self::handler(doc, except, handler);
    }
    self::orelse(doc, "else", orelse);
    self::orelse(doc, "finally", finalbody);
}

fn handler<R: Annotated>(doc: &mut Doc, except: &str, handler: &ExceptHandler<R>) {
    let ExceptHandler::ExceptHandler(handler) = handler;
    let ExceptHandlerExceptHandler { range, type_, name, body } = handler;
    doc.begin_statement(range);
    clause(doc, body, |doc| {
        doc.text(except);
        if let Some(kind) = type_ {
            doc.text(" ");
            optional(doc, kind);
        }
        if let Some(name) = name {
            doc.text(" as ");
            doc.text(name);
        }
    });
}

/// `match subject: case …: …`
pub fn match_<R: Annotated>(doc: &mut Doc, stmt: &StmtMatch<R>) {
    let StmtMatch { range: _, subject, cases } = stmt;
    doc.logical_line(|doc| {
        doc.text("match ");
        optional_at(doc, subject, Precedence::Named);
        doc.text(":");
    });
    doc.depth += 1;
    for MatchCase { range: _, pattern, guard, body } in cases {
        doc.begin_clause();
        clause(doc, body, |doc| {
            doc.text("case ");
            pattern::case_pattern(doc, pattern);
            if let Some(guard) = guard {
                doc.text(" if ");
                optional_later(doc, guard, Precedence::Named);
            }
        });
    }
    doc.depth -= 1;
}
