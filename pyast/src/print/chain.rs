//! Chains of attributes, calls and subscripts: `a.b(c)[d].e()`.

use super::expression::operand;
use super::parentheses::is_fluent;
use super::{Doc, arguments, display};
use crate::annotation::Annotated;
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{Constant, Expr, ExprAttribute, ExprCall, ExprConstant, ExprSubscript};

/// A whole chain, link by link from the left. A fluent one may break before its dots.
pub fn chain<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    if is_fluent(expr) {
        doc.group(|doc| links(doc, expr, true));
    } else {
        links(doc, expr, false);
    }
}

fn links<R: Annotated>(doc: &mut Doc, expr: &Expr<R>, is_fluent: bool) {
    // Most chains have one link, so they do without a list.
    let Some(value) = inner(expr) else {
        return operand(doc, expr, Precedence::Atom);
    };
    if inner(value).is_none() {
        first(doc, expr, value);
        return link(doc, expr, value, is_fluent);
    }
    let mut chain = vec![(expr, value)];
    let mut leftmost = value;
    while let Some(value) = inner(leftmost) {
        chain.push((leftmost, value));
        leftmost = value;
    }
    for (i, (expr, value)) in chain.into_iter().rev().enumerate() {
        if i == 0 {
            first(doc, expr, value);
        }
        link(doc, expr, value, is_fluent);
    }
}

fn first<R: Annotated>(doc: &mut Doc, expr: &Expr<R>, value: &Expr<R>) {
    if expr.is_attribute_expr() && needs_parentheses_before_dot(value) {
        doc.bracket(super::PARENTHESES, |doc| super::expression::expr(doc, value));
    } else {
        operand(doc, value, Precedence::Atom);
    }
}

fn inner<R>(expr: &Expr<R>) -> Option<&Expr<R>> {
    match expr {
        Expr::Attribute(ExprAttribute { value, .. }) => Some(value),
        Expr::Call(ExprCall { func, .. }) => Some(func),
        Expr::Subscript(ExprSubscript { value, .. }) => Some(value),
        _ => None,
    }
}

fn link<R: Annotated>(doc: &mut Doc, expr: &Expr<R>, before: &Expr<R>, is_fluent: bool) {
    match expr {
        Expr::Attribute(ExprAttribute { range, value: _, attr, ctx: _ }) => {
            doc.note(range);
            let follows_bracket = matches!(before, Expr::Call(_) | Expr::Subscript(_))
                || precedence(before) < Precedence::Atom;
            if is_fluent && follows_bracket {
                doc.soft();
            }
            doc.text(".");
            doc.text(attr);
        }
        Expr::Call(ExprCall { range, func: _, args, keywords }) => {
            doc.note(range);
            arguments::arguments(doc, args, keywords);
        }
        Expr::Subscript(ExprSubscript { range, value: _, slice, ctx: _ }) => {
            doc.note(range);
            display::index(doc, slice);
        }
        _ => (),
    }
}

/// `1.real` is not Python; ruff puts parentheses around floats as well.
fn needs_parentheses_before_dot<R>(value: &Expr<R>) -> bool {
    let Expr::Constant(ExprConstant { value, .. }) = value else {
        return false;
    };
    matches!(value, Constant::Int(_) | Constant::Float(_))
}
