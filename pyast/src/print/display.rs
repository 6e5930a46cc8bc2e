//! Displays: lists, sets, dicts and tuples.

use super::expression::{element, operand, value};
use super::{CURLY, Doc, PARENTHESES, SQUARE};
use crate::annotation::Annotated;
use crate::precedence::Precedence;
use rustpython_ast::{Expr, ExprDict, ExprTuple};

/// Elements in brackets, one per line once they do not fit.
pub fn display<R: Annotated>(doc: &mut Doc, brackets: [char; 2], elements: &[Expr<R>]) {
    if elements.is_empty() {
        doc.layout.char(brackets[0]);
        doc.layout.char(brackets[1]);
    } else {
        doc.bracket(brackets, |doc| doc.items(elements, element));
    }
}

/// A set. There is no display for the empty one: `{*()}` is the shortest expression that makes it.
pub fn set<R: Annotated>(doc: &mut Doc, elements: &[Expr<R>]) {
    if elements.is_empty() {
        doc.text("{*()}");
    } else {
        display(doc, CURLY, elements);
    }
}

/// A tuple with its parentheses.
pub fn tuple<R: Annotated>(doc: &mut Doc, elements: &[Expr<R>]) {
    match elements {
        [one] => doc.bracket(PARENTHESES, |doc| {
            element(doc, one);
            doc.text(",");
        }),
        _ => display(doc, PARENTHESES, elements),
    }
}

/// A target: a tuple of two or more goes without parentheses and without breaks.
pub fn bare_target<R: Annotated>(doc: &mut Doc, target: &Expr<R>) {
    match target {
        Expr::Tuple(ExprTuple { range, elts, ctx: _ }) if elts.len() > 1 => {
            doc.note(range);
            for (i, item) in elts.iter().enumerate() {
                doc.text(if i == 0 { "" } else { ", " });
                element(doc, item);
            }
        }
        _ => element(doc, target),
    }
}

/// The index of a subscript, in its brackets.
pub fn index<R: Annotated>(doc: &mut Doc, index: &Expr<R>) {
    doc.bracket(SQUARE, |doc| match index {
        Expr::Tuple(ExprTuple { range, elts, ctx: _ }) if elts.len() > 1 => {
            doc.note(range);
            doc.group(|doc| doc.items(elts, element));
        }
        Expr::Tuple(ExprTuple { range, elts, ctx: _ }) if has_slice(elts) => {
            doc.note(range);
            doc.items(elts, element);
            doc.text(",");
        }
        _ => element(doc, index),
    });
}

/// A slice cannot stand in parentheses.
fn has_slice<R>(elements: &[Expr<R>]) -> bool {
    elements.iter().any(Expr::is_slice_expr)
}

/// A dict.
pub fn dict<R: Annotated>(doc: &mut Doc, dict: &ExprDict<R>) {
    let ExprDict { range, keys, values } = dict;
    doc.note(range);
    if values.is_empty() {
        return doc.text("{}");
    }
    doc.bracket(CURLY, |doc| doc.items(keys.iter().zip(values), dict_item));
}

fn dict_item<R: Annotated>(doc: &mut Doc, (key, item): (&Option<Expr<R>>, &Expr<R>)) {
    match key {
        Some(key) => doc.group(|doc| {
            value(doc, key);
            doc.text(": ");
            value(doc, item);
        }),
        None => {
            doc.text("**");
            operand(doc, item, Precedence::BitOr);
        }
    }
}
