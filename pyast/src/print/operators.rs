//! Binary, boolean and comparison operators: one group per level of precedence.

use super::Doc;
use super::expression::operand;
use crate::annotation::Annotated;
use crate::precedence::{Precedence, above, operator_precedence, precedence};
use rustpython_ast::{
    BoolOp, CmpOp, Constant, Expr, ExprAttribute, ExprBinOp, ExprBoolOp, ExprCompare, ExprConstant,
    ExprUnaryOp, Operator, UnaryOp,
};

/// Operators of one level, broken before each of them when they do not fit.
pub fn operators<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    doc.group(|doc| match expr {
        Expr::BinOp(binary) if binary.op == Operator::Pow => power(doc, binary),
        Expr::BinOp(binary) => binary_chain(doc, binary),
        Expr::BoolOp(boolean) => self::boolean(doc, boolean),
        Expr::Compare(compare) => self::compare(doc, compare),
        _ => super::expression::expr(doc, expr),
    });
}

/// `-a`, `~a`, `not a`
pub fn unary<R: Annotated>(doc: &mut Doc, unary: &ExprUnaryOp<R>) {
    let ExprUnaryOp { range, op, operand: inner } = unary;
    doc.note(range);
    let (symbol, level) = match op {
        UnaryOp::Invert => ("~", Precedence::Unary),
        UnaryOp::Not => ("not ", Precedence::Not),
        UnaryOp::UAdd => ("+", Precedence::Unary),
        UnaryOp::USub => ("-", Precedence::Unary),
    };
    // `-(a**b)` keeps its parentheses, as black does.
    let is_power = matches!(&**inner, Expr::BinOp(ExprBinOp { op: Operator::Pow, .. }));
    let min = if is_power && *op != UnaryOp::Not { Precedence::Atom } else { level };
    doc.text(symbol);
    operand(doc, inner, min);
}

/// `a + b - c`: operators of one level nest to the left, however long they are.
fn binary_chain<R: Annotated>(doc: &mut Doc, binary: &ExprBinOp<R>) {
    let level = operator_precedence(binary.op);
    let mut links = vec![binary];
    let mut first = &*binary.left;
    while let Expr::BinOp(left) = first
        && operator_precedence(left.op) == level
    {
        links.push(left);
        first = &left.left;
    }
    operand(doc, first, level);
    for ExprBinOp { range, left: _, op, right } in links.into_iter().rev() {
        doc.note(range);
        doc.line();
        doc.text(operator_symbol(*op));
        doc.text(" ");
        operand(doc, right, above(level));
    }
}

fn power<R: Annotated>(doc: &mut Doc, binary: &ExprBinOp<R>) {
    let ExprBinOp { range, left, op: _, right } = binary;
    doc.note(range);
    operand(doc, left, Precedence::Await);
    // An operator on the left is in parentheses.
    let is_parenthesized = precedence(left) < Precedence::Await;
    if !is_parenthesized && is_simple_power_operand(left) && is_simple_power_operand(right) {
        doc.soft();
        doc.text("**");
        doc.gap();
    } else {
        doc.line();
        doc.text("** ");
    }
    operand(doc, right, Precedence::Unary);
}

fn boolean<R: Annotated>(doc: &mut Doc, boolean: &ExprBoolOp<R>) {
    let ExprBoolOp { range, op, values } = boolean;
    doc.note(range);
    let symbol = match op {
        BoolOp::And => "and ",
        BoolOp::Or => "or ",
    };
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            doc.line();
            doc.text(symbol);
        }
        // `a or (b and c)`: the pair is redundant, and linters ask for it (RUF021).
        operand(doc, value, Precedence::Not);
    }
}

fn compare<R: Annotated>(doc: &mut Doc, compare: &ExprCompare<R>) {
    let ExprCompare { range, left, ops, comparators } = compare;
    doc.note(range);
    operand(doc, left, Precedence::BitOr);
    for (op, right) in ops.iter().zip(comparators) {
        doc.line();
        doc.text(comparison_symbol(*op));
        doc.text(" ");
        operand(doc, right, Precedence::BitOr);
    }
}

/// `a**b` is written without spaces between names, numbers and attributes of names.
fn is_simple_power_operand<R>(expr: &Expr<R>) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::Constant(ExprConstant { value, .. }) => {
            !matches!(value, Constant::Str(_) | Constant::Bytes(_) | Constant::Ellipsis)
        }
        Expr::UnaryOp(ExprUnaryOp { op: UnaryOp::USub, operand, .. }) => {
            is_simple_power_operand(operand)
        }
        Expr::Attribute(ExprAttribute { value, .. }) => is_name_or_attribute(value),
        _ => false,
    }
}

fn is_name_or_attribute<R>(expr: &Expr<R>) -> bool {
    match expr {
        Expr::Name(_) => true,
        Expr::Attribute(ExprAttribute { value, .. }) => is_name_or_attribute(value),
        _ => false,
    }
}

/// The operator as it is written.
pub fn operator_symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Add => "+",
        Operator::Sub => "-",
        Operator::Mult => "*",
        Operator::MatMult => "@",
        Operator::Div => "/",
        Operator::Mod => "%",
        Operator::Pow => "**",
        Operator::LShift => "<<",
        Operator::RShift => ">>",
        Operator::BitOr => "|",
        Operator::BitXor => "^",
        Operator::BitAnd => "&",
        Operator::FloorDiv => "//",
    }
}

fn comparison_symbol(operator: CmpOp) -> &'static str {
    match operator {
        CmpOp::Eq => "==",
        CmpOp::NotEq => "!=",
        CmpOp::Lt => "<",
        CmpOp::LtE => "<=",
        CmpOp::Gt => ">",
        CmpOp::GtE => ">=",
        CmpOp::Is => "is",
        CmpOp::IsNot => "is not",
        CmpOp::In => "in",
        CmpOp::NotIn => "not in",
    }
}
