//! How tightly expressions bind: the one place that decides about parentheses.

use num_bigint::Sign;
use rustpython_ast::{
    BoolOp, Constant, Expr, ExprBinOp, ExprBoolOp, ExprConstant, ExprUnaryOp, Operator, UnaryOp,
};

/// How tightly an expression binds, loosest first.
///
/// ```
/// use astgen_pyast::precedence::Precedence;
/// assert!(Precedence::Sum < Precedence::Product);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precedence {
    /// `yield a`
    Yield,
    /// `a := b`
    Named,
    /// `lambda: a`
    Lambda,
    /// `a if b else c`
    Conditional,
    /// `a or b`
    Or,
    /// `a and b`
    And,
    /// `not a`
    Not,
    /// `a < b`
    Compare,
    /// `a | b`
    BitOr,
    /// `a ^ b`
    BitXor,
    /// `a & b`
    BitAnd,
    /// `a << b`
    Shift,
    /// `a + b`
    Sum,
    /// `a * b`
    Product,
    /// `-a`
    Unary,
    /// `a**b`
    Power,
    /// `await a`
    Await,
    /// Names, literals, calls, and whatever has its own brackets.
    Atom,
}

/// The level that `expr` stands on.
///
/// ```
/// use astgen_pyast::precedence::{Precedence, precedence};
/// let body = astgen_pyast::parse_module("a + b\n").unwrap();
/// let sum = body[0].as_expr_stmt().unwrap();
/// assert_eq!(precedence(&sum.value), Precedence::Sum);
/// ```
pub fn precedence<R>(expr: &Expr<R>) -> Precedence {
    match expr {
        Expr::Yield(_) | Expr::YieldFrom(_) => Precedence::Yield,
        Expr::NamedExpr(_) => Precedence::Named,
        Expr::Lambda(_) => Precedence::Lambda,
        Expr::IfExp(_) => Precedence::Conditional,
        Expr::BoolOp(ExprBoolOp { op: BoolOp::Or, .. }) => Precedence::Or,
        Expr::BoolOp(ExprBoolOp { op: BoolOp::And, .. }) => Precedence::And,
        Expr::UnaryOp(ExprUnaryOp { op: UnaryOp::Not, .. }) => Precedence::Not,
        Expr::Compare(_) => Precedence::Compare,
        Expr::BinOp(ExprBinOp { op, .. }) => operator_precedence(*op),
        Expr::UnaryOp(_) => Precedence::Unary,
        Expr::Await(_) => Precedence::Await,
        Expr::Constant(ExprConstant { value, .. }) if is_negative(value) => Precedence::Unary,
        Expr::Constant(_)
        | Expr::Name(_)
        | Expr::Attribute(_)
        | Expr::Subscript(_)
        | Expr::Call(_)
        | Expr::Starred(_)
        | Expr::Slice(_)
        | Expr::Tuple(_)
        | Expr::List(_)
        | Expr::Set(_)
        | Expr::Dict(_)
        | Expr::ListComp(_)
        | Expr::SetComp(_)
        | Expr::DictComp(_)
        | Expr::GeneratorExp(_)
        | Expr::FormattedValue(_)
        | Expr::JoinedStr(_) => Precedence::Atom,
    }
}

/// The level of a binary operator.
pub(crate) fn operator_precedence(operator: Operator) -> Precedence {
    match operator {
        Operator::BitOr => Precedence::BitOr,
        Operator::BitXor => Precedence::BitXor,
        Operator::BitAnd => Precedence::BitAnd,
        Operator::LShift | Operator::RShift => Precedence::Shift,
        Operator::Add | Operator::Sub => Precedence::Sum,
        Operator::Mult | Operator::MatMult | Operator::Div | Operator::Mod | Operator::FloorDiv => {
            Precedence::Product
        }
        Operator::Pow => Precedence::Power,
    }
}

/// The level that the right operand of a left-associative operator on `level` must have.
pub(crate) fn above(level: Precedence) -> Precedence {
    match level {
        Precedence::Yield => Precedence::Named,
        Precedence::Named => Precedence::Lambda,
        Precedence::Lambda => Precedence::Conditional,
        Precedence::Conditional => Precedence::Or,
        Precedence::Or => Precedence::And,
        Precedence::And => Precedence::Not,
        Precedence::Not => Precedence::Compare,
        Precedence::Compare => Precedence::BitOr,
        Precedence::BitOr => Precedence::BitXor,
        Precedence::BitXor => Precedence::BitAnd,
        Precedence::BitAnd => Precedence::Shift,
        Precedence::Shift => Precedence::Sum,
        Precedence::Sum => Precedence::Product,
        Precedence::Product => Precedence::Unary,
        Precedence::Unary => Precedence::Power,
        Precedence::Power => Precedence::Await,
        Precedence::Await | Precedence::Atom => Precedence::Atom,
    }
}

/// A parser never makes a negative constant: `-1` is an operator on `1`. A hand-made tree may.
fn is_negative(value: &Constant) -> bool {
    match value {
        Constant::Int(int) => int.sign() == Sign::Minus,
        Constant::Float(float) => float.is_sign_negative(),
        Constant::Complex { real, imag } => *real == 0.0 && imag.is_sign_negative(),
        Constant::None
        | Constant::Bool(_)
        | Constant::Str(_)
        | Constant::Bytes(_)
        | Constant::Tuple(_)
        | Constant::Ellipsis => false,
    }
}
