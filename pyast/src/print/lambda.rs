//! Lambdas.

use super::Doc;
use super::expression::{expr, operand};
use super::parameters::{parameter, parameter_list};
use super::parentheses::is_fluent;
use crate::annotation::Annotated;
use crate::layout::Parens;
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{Expr, ExprLambda};

/// `lambda a, b: body`; only the body may break.
pub fn lambda<R: Annotated>(doc: &mut Doc, lambda: &ExprLambda<R>) {
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
    if precedence(body) < Precedence::Lambda || explodes_by_itself(body) {
        operand(doc, body, Precedence::Lambda);
    } else {
        doc.parens(Parens::Nested, |doc| expr(doc, body));
    }
}

/// A body with its own brackets explodes them instead of getting another pair.
fn explodes_by_itself<R>(body: &Expr<R>) -> bool {
    match body {
        Expr::List(_)
        | Expr::Dict(_)
        | Expr::Set(_)
        | Expr::Tuple(_)
        | Expr::ListComp(_)
        | Expr::SetComp(_)
        | Expr::DictComp(_)
        | Expr::GeneratorExp(_) => true,
        Expr::Call(_) => !is_fluent(body),
        _ => false,
    }
}
