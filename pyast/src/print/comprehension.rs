//! Comprehensions and generator expressions.

use super::display::bare_target;
use super::expression::{element, operand, value};
use super::{CURLY, Doc};
use crate::annotation::Annotated;
use crate::precedence::Precedence;
use rustpython_ast::{Comprehension, Expr};

/// `element for … in … if …`, in brackets.
pub fn comprehension<R: Annotated>(
    doc: &mut Doc,
    brackets: [char; 2],
    item: &Expr<R>,
    clauses: &[Comprehension<R>],
) {
    doc.bracket(brackets, |doc| {
        doc.group(|doc| {
            doc.group(|doc| element(doc, item));
            self::clauses(doc, clauses);
        });
    });
}

/// `{key: value for … in …}`
pub fn dict<R: Annotated>(
    doc: &mut Doc,
    key: &Expr<R>,
    item: &Expr<R>,
    clauses: &[Comprehension<R>],
) {
    doc.bracket(CURLY, |doc| {
        doc.group(|doc| {
            doc.group(|doc| {
                value(doc, key);
                doc.text(": ");
                value(doc, item);
            });
            self::clauses(doc, clauses);
        });
    });
}

fn clauses<R: Annotated>(doc: &mut Doc, clauses: &[Comprehension<R>]) {
    for Comprehension { range: _, target, iter, ifs, is_async } in clauses {
        doc.line();
        doc.text(if *is_async { "async for " } else { "for " });
        bare_target(doc, target);
        doc.text(" in ");
        operand(doc, iter, Precedence::Or);
        for test in ifs {
            doc.line();
            doc.text("if ");
            operand(doc, test, Precedence::Or);
        }
    }
}
