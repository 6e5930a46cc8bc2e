//! Expressions, one arm per node.

use super::{CURLY, Doc, PARENTHESES, SQUARE};
use super::{
    arguments, chain, comprehension, display, fstring, lambda, number, operators, parentheses,
    string,
};
use crate::annotation::Annotated;
use crate::layout::Parens;
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{
    Constant, Expr, ExprAwait, ExprConstant, ExprDictComp, ExprGeneratorExp, ExprIfExp, ExprList,
    ExprListComp, ExprName, ExprNamedExpr, ExprSet, ExprSetComp, ExprSlice, ExprStarred, ExprTuple,
    ExprYield, ExprYieldFrom,
};

/// `expr` as it stands, without any parentheses of its own.
pub fn expr<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    match expr {
        Expr::Name(ExprName { range, id, ctx: _ }) => {
            doc.note(range);
            doc.text(id);
        }
        Expr::Constant(ExprConstant { range, value, kind: _ }) => {
            doc.note(range);
            constant(doc, value);
        }
        Expr::Attribute(_) | Expr::Call(_) | Expr::Subscript(_) => chain::chain(doc, expr),
        Expr::BinOp(_) | Expr::Compare(_) | Expr::BoolOp(_) => operators::operators(doc, expr),
        Expr::UnaryOp(unary) => operators::unary(doc, unary),
        Expr::IfExp(_) => doc.group(|doc| conditional(doc, expr)),
        Expr::Lambda(lambda) => lambda::lambda(doc, lambda, Parens::Nested),
        Expr::NamedExpr(ExprNamedExpr { range, target, value }) => {
            doc.note(range);
            doc.group(|doc| {
                self::expr(doc, target);
                doc.line();
            });
            doc.text(":= ");
            operand(doc, value, Precedence::Lambda);
        }
        Expr::Await(ExprAwait { range, value }) => {
            doc.note(range);
            doc.text("await ");
            parentheses::optional_at(doc, value, Precedence::Atom);
        }
        Expr::Yield(ExprYield { range, value }) => {
            doc.note(range);
            doc.text("yield");
            if let Some(value) = value {
                doc.text(" ");
                parentheses::optional_at(doc, value, Precedence::Lambda);
            }
        }
        Expr::YieldFrom(ExprYieldFrom { range, value }) => {
            doc.note(range);
            doc.text("yield from ");
            parentheses::optional_at(doc, value, Precedence::Lambda);
        }
        Expr::Starred(ExprStarred { range, value, ctx: _ }) => {
            doc.note(range);
            doc.text("*");
            operand(doc, value, Precedence::BitOr);
        }
        Expr::Tuple(ExprTuple { range, elts, ctx: _ }) => {
            doc.note(range);
            display::tuple(doc, elts);
        }
        Expr::List(ExprList { range, elts, ctx: _ }) => {
            doc.note(range);
            display::display(doc, SQUARE, elts);
        }
        Expr::Set(ExprSet { range, elts }) => {
            doc.note(range);
            display::set(doc, elts);
        }
        Expr::Dict(dict) => display::dict(doc, dict),
        Expr::ListComp(ExprListComp { range, elt, generators }) => {
            doc.note(range);
            comprehension::comprehension(doc, SQUARE, elt, generators);
        }
        Expr::SetComp(ExprSetComp { range, elt, generators }) => {
            doc.note(range);
            comprehension::comprehension(doc, CURLY, elt, generators);
        }
        Expr::GeneratorExp(ExprGeneratorExp { range, elt, generators }) => {
            doc.note(range);
            comprehension::comprehension(doc, PARENTHESES, elt, generators);
        }
        Expr::DictComp(ExprDictComp { range, key, value, generators }) => {
            doc.note(range);
            comprehension::dict(doc, key, value, generators);
        }
        Expr::Slice(slice) => arguments::slice(doc, slice),
        Expr::JoinedStr(joined) => fstring::fstring(doc, joined),
        Expr::FormattedValue(_) => fstring::lone_field(doc, expr),
    }
}

/// `expr` in brackets if it binds more loosely than `min`.
pub fn operand<R: Annotated>(doc: &mut Doc, expr: &Expr<R>, min: Precedence) {
    if precedence(expr) < min {
        doc.bracket(PARENTHESES, |doc| self::expr(doc, expr));
    } else {
        self::expr(doc, expr);
    }
}

/// `expr` where the grammar takes any expression, but no bare `yield`: an argument, an element.
pub fn element<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    operand(doc, expr, Precedence::Named);
}

/// `expr` where the grammar takes neither a bare `yield` nor a bare `:=`.
pub fn value<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    operand(doc, expr, Precedence::Lambda);
}

fn constant(doc: &mut Doc, value: &Constant) {
    match value {
        Constant::None => doc.text("None"),
        Constant::Bool(true) => doc.text("True"),
        Constant::Bool(false) => doc.text("False"),
        Constant::Ellipsis => doc.text("..."),
        Constant::Str(text) => string::string(doc, text),
        Constant::Bytes(bytes) => string::bytes(doc, bytes),
        Constant::Int(int) => number::int(doc, int),
        Constant::Float(float) => number::float(doc, *float),
        Constant::Complex { real, imag } => number::complex(doc, *real, *imag),
        Constant::Tuple(items) => constants(doc, items),
    }
}

/// A tuple that a compiler folded; no parser makes one, and it reads back as a tuple of constants.
fn constants(doc: &mut Doc, items: &[Constant]) {
    doc.text("(");
    for (i, item) in items.iter().enumerate() {
        doc.text(if i == 0 { "" } else { ", " });
        constant(doc, item);
    }
    doc.text(if items.len() == 1 { ",)" } else { ")" });
}

fn conditional<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    let mut rest = expr;
    while let Expr::IfExp(ExprIfExp { range, test, body, orelse }) = rest {
        doc.note(range);
        operand(doc, body, Precedence::Or);
        doc.line();
        doc.text("if ");
        operand(doc, test, Precedence::Or);
        doc.line();
        doc.text("else ");
        rest = orelse;
    }
    operand(doc, rest, Precedence::Lambda);
}

/// The three parts of a slice, for those who look at them together.
pub fn slice_parts<R>(slice: &ExprSlice<R>) -> [Option<&Expr<R>>; 3] {
    let ExprSlice { range: _, lower, upper, step } = slice;
    [lower.as_deref(), upper.as_deref(), step.as_deref()]
}
