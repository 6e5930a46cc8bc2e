//! Lambdas.

use super::Doc;
use super::expression::{expr, operand};
use super::parameters::{parameter, parameter_list};
use super::parentheses::is_fluent;
use crate::annotation::Annotated;
use crate::layout::Parens;
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{Expr, ExprLambda};

/// `lambda a, b: body`; only the body may break, and gets `parens` of its own for that.
pub fn lambda<R: Annotated>(doc: &mut Doc, lambda: &ExprLambda<R>, parens: Parens) {
    let ExprLambda { range, args, body } = lambda;
    doc.note(range);
    doc.text("lambda");
    doc.frozen(|doc| {
        for (i, one) in parameter_list(args).enumerate() {
            doc.text(if i == 0 { " " } else { ", " });
            parameter(doc, one);
        }
    });
    doc.text(": ");
    match body.as_ref() {
        body if precedence(body) < Precedence::Lambda || explodes_by_itself(body) => {
            operand(doc, body, Precedence::Lambda);
        }
        body if is_callable(body) => {
            let is_hugged = parens == Parens::Hugged;
            let parens = if is_hugged { Parens::HuggedCallable } else { Parens::Callable };
            doc.parens(parens, |doc| expr(doc, body));
        }
        body => doc.parens(parens, |doc| expr(doc, body)),
    }
}

/// A body with its own brackets explodes them instead of getting another pair.
fn explodes_by_itself<R>(body: &Expr<R>) -> bool {
    matches!(
        body,
        Expr::List(_)
            | Expr::Dict(_)
            | Expr::Set(_)
            | Expr::Tuple(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::GeneratorExp(_)
    )
}

/// A body that explodes its own brackets if there is room for what stands before them.
fn is_callable<R>(body: &Expr<R>) -> bool {
    matches!(body, Expr::Call(_) | Expr::Subscript(_)) && !is_fluent(body)
}
