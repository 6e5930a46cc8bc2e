//! Call arguments, class bases and slices.

use super::expression::{element, expr, slice_parts, value};
use super::{Doc, PARENTHESES};
use crate::annotation::Annotated;
use rustpython_ast::{
    Constant, Expr, ExprConstant, ExprSlice, ExprStarred, ExprUnaryOp, Keyword, UnaryOp,
};

enum Argument<'a, R> {
    Positional(&'a Expr<R>),
    Keyword(&'a Keyword<R>),
}

/// Call arguments: on one indented line if they fit there.
pub fn arguments<R: Annotated>(doc: &mut Doc, args: &[Expr<R>], keywords: &[Keyword<R>]) {
    match (args, keywords) {
        ([], []) => doc.text("()"),
        // A lone generator needs no second pair.
        ([generator @ Expr::GeneratorExp(_)], []) => expr(doc, generator),
        _ => bracketed(doc, args, keywords),
    }
}

/// The bases and keywords of a class.
pub fn bases<R: Annotated>(doc: &mut Doc, args: &[Expr<R>], keywords: &[Keyword<R>]) {
    if !args.is_empty() || !keywords.is_empty() {
        bracketed(doc, args, keywords);
    }
}

fn bracketed<R: Annotated>(doc: &mut Doc, args: &[Expr<R>], keywords: &[Keyword<R>]) {
    let positional = args.iter().map(Argument::Positional);
    let items = positional.chain(keywords.iter().map(Argument::Keyword));
    doc.bracket(PARENTHESES, |doc| doc.group(|doc| doc.items(items, argument)));
}

fn argument<R: Annotated>(doc: &mut Doc, argument: Argument<R>) {
    match argument {
        Argument::Positional(Expr::Starred(ExprStarred { range, value: inner, ctx: _ })) => {
            doc.note(range);
            doc.text("*");
            value(doc, inner);
        }
        Argument::Positional(argument) => element(doc, argument),
        Argument::Keyword(Keyword { range, arg, value: argument }) => {
            doc.note(range);
            match arg {
                Some(name) => {
                    doc.text(name);
                    doc.text("=");
                }
                None => doc.text("**"),
            }
            value(doc, argument);
        }
    }
}

/// `lower:upper:step`, with spaces around the colons unless all parts are simple.
pub fn slice<R: Annotated>(doc: &mut Doc, slice: &ExprSlice<R>) {
    let [lower, upper, step] = slice_parts(slice);
    doc.note(&slice.range);
    let is_spaced = !slice_parts(slice).into_iter().flatten().all(is_simple);
    if let Some(lower) = lower {
        value(doc, lower);
        doc.text(if is_spaced { " :" } else { ":" });
    } else {
        doc.text(":");
    }
    after_colon(doc, upper, is_spaced);
    if step.is_some() {
        doc.text(if is_spaced && upper.is_some() { " :" } else { ":" });
        after_colon(doc, step, is_spaced);
    }
}

fn after_colon<R: Annotated>(doc: &mut Doc, part: Option<&Expr<R>>, is_spaced: bool) {
    if let Some(part) = part {
        doc.text(if is_spaced { " " } else { "" });
        value(doc, part);
    }
}

fn is_simple<R>(expr: &Expr<R>) -> bool {
    match expr {
        Expr::UnaryOp(ExprUnaryOp { op, operand, .. }) => {
            *op != UnaryOp::Not && is_name_or_literal(operand)
        }
        _ => is_name_or_literal(expr),
    }
}

fn is_name_or_literal<R>(expr: &Expr<R>) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::Constant(ExprConstant { value, .. }) => !matches!(value, Constant::Tuple(_)),
        _ => false,
    }
}
