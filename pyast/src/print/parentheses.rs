//! Where an invisible pair of parentheses stands, and when it may stay invisible.

use super::Doc;
use super::expression::{expr, operand};
use crate::annotation::Annotated;
use crate::layout::Parens;
use crate::precedence::{Precedence, above, operator_precedence, precedence};
use rustpython_ast::{
    Expr, ExprAttribute, ExprAwait, ExprBinOp, ExprBoolOp, ExprCall, ExprCompare, ExprDict,
    ExprIfExp, ExprLambda, ExprList, ExprNamedExpr, ExprSet, ExprStarred, ExprSubscript, ExprTuple,
    ExprUnaryOp, ExprYield, ExprYieldFrom, UnaryOp,
};

/// Under which circumstances an expression asks for the optional parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// When it takes more than one line.
    Multiline,
    /// When they make it fit.
    BestFit,
    /// Not at all: it has its own brackets.
    Never,
}

/// `expr` where an invisible pair of parentheses may be made visible around it.
pub fn optional<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    optional_at(doc, expr, Precedence::Lambda);
}

/// As [`optional`], where the grammar wants at least the level `min`.
pub fn optional_at<R: Annotated>(doc: &mut Doc, expr: &Expr<R>, min: Precedence) {
    match parens(expr) {
        Some(parens) if precedence(expr) >= min => {
            doc.parens(parens, |doc| self::expr(doc, expr));
        }
        _ => operand(doc, expr, min),
    }
}

/// As [`optional_at`], for a position that follows another pair, which it leaves unbroken.
pub fn optional_later<R: Annotated>(doc: &mut Doc, expr: &Expr<R>, min: Precedence) {
    if precedence(expr) < min || need(expr) == Need::Never {
        return operand(doc, expr, min);
    }
    let parens = if can_omit(expr) { Parens::Omit } else { Parens::Multiline };
    doc.parens(parens, |doc| self::expr(doc, expr));
}

/// The value after a target or annotation that can itself be split: the value takes the
/// parentheses before the left side is exploded.
pub fn optional_right_to_left<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    if need(expr) == Need::BestFit && precedence(expr) == Precedence::Atom {
        doc.parens(Parens::RightToLeft, |doc| self::expr(doc, expr));
    } else {
        optional_at(doc, expr, Precedence::Yield);
    }
}

/// As [`optional`], but a call or a name never gets parentheses.
pub fn optional_unless_fitting<R: Annotated>(doc: &mut Doc, expr: &Expr<R>) {
    match need(expr) {
        Need::BestFit => operand(doc, expr, Precedence::Lambda),
        Need::Multiline | Need::Never => optional(doc, expr),
    }
}

/// The invisible pair that `expr` has where it may have one.
pub fn parens<R>(expr: &Expr<R>) -> Option<Parens> {
    match need(expr) {
        Need::Never => None,
        Need::BestFit => Some(Parens::BestFit),
        Need::Multiline if can_omit(expr) => Some(Parens::Omit),
        Need::Multiline => Some(Parens::Multiline),
    }
}

/// Under which circumstances `expr` asks for the optional parentheses.
pub fn need<R>(expr: &Expr<R>) -> Need {
    match expr {
        Expr::Name(_) | Expr::Constant(_) | Expr::JoinedStr(_) | Expr::FormattedValue(_) => {
            Need::BestFit
        }
        Expr::Attribute(ExprAttribute { value, .. })
        | Expr::Call(ExprCall { func: value, .. })
        | Expr::Subscript(ExprSubscript { value, .. }) => {
            if is_fluent(expr) {
                Need::Multiline
            } else {
                need_inside(value, Precedence::Atom)
            }
        }
        Expr::Await(ExprAwait { value, .. }) => need_inside(value, Precedence::Atom),
        Expr::Yield(ExprYield { value: Some(value), .. })
        | Expr::YieldFrom(ExprYieldFrom { value, .. }) => need_inside(value, Precedence::Lambda),
        Expr::Yield(ExprYield { value: None, .. }) => Need::Never,
        Expr::UnaryOp(ExprUnaryOp { operand, .. }) => need_inside(operand, precedence(expr)),
        Expr::Tuple(_)
        | Expr::List(_)
        | Expr::Set(_)
        | Expr::Dict(_)
        | Expr::ListComp(_)
        | Expr::SetComp(_)
        | Expr::DictComp(_)
        | Expr::GeneratorExp(_) => Need::Never,
        Expr::BinOp(_)
        | Expr::BoolOp(_)
        | Expr::Compare(_)
        | Expr::IfExp(_)
        | Expr::Lambda(_)
        | Expr::NamedExpr(_)
        | Expr::Starred(_)
        | Expr::Slice(_) => Need::Multiline,
    }
}

fn need_inside<R>(mut value: &Expr<R>, min: Precedence) -> Need {
    // A chain is as long as it likes, so walk it.
    while let Expr::Attribute(ExprAttribute { value: inner, .. })
    | Expr::Call(ExprCall { func: inner, .. })
    | Expr::Subscript(ExprSubscript { value: inner, .. }) = value
    {
        if is_fluent(value) {
            return Need::Multiline;
        }
        if precedence(inner) < Precedence::Atom {
            return Need::Never;
        }
        value = inner;
    }
    if precedence(value) < min { Need::Never } else { need(value) }
}

/// Two or more calls or subscripts that are followed by an attribute.
pub fn is_fluent<R>(expr: &Expr<R>) -> bool {
    let mut links = 0;
    let mut rest = expr;
    loop {
        match rest {
            Expr::Attribute(ExprAttribute { value, .. }) => {
                let follows_bracket = matches!(**value, Expr::Call(_) | Expr::Subscript(_));
                let is_parenthesized = precedence(value) < Precedence::Atom;
                links += usize::from(follows_bracket || is_parenthesized);
                rest = value;
            }
            Expr::Call(ExprCall { func: value, .. })
            | Expr::Subscript(ExprSubscript { value, .. }) => rest = value,
            _ => return links >= 2,
        }
        if links >= 2 {
            return true;
        }
    }
}

/// Whether exploding the brackets of `expr` can stand in for parentheses around it: it starts or
/// ends with a non-empty bracket and has at most one loosest operator.
pub fn can_omit<R>(expr: &Expr<R>) -> bool {
    let mut scan = Scan::default();
    scan.inside(expr);
    scan.can_omit()
}

/// As [`can_omit`], for elements with commas between them.
pub fn can_omit_around<R>(elements: &[Expr<R>]) -> bool {
    let mut scan = Scan::default();
    scan.operator(Precedence::Yield, elements.len().saturating_sub(1));
    elements.iter().for_each(|element| scan.visit(element, Precedence::Lambda));
    scan.can_omit()
}

/// What an expression looks like from outside: its ends and its loosest operator.
struct Scan<'a, R> {
    has_brackets: bool,
    /// `Atom` stands for attribute access.
    loosest: Option<Precedence>,
    count: usize,
    first: Option<Option<&'a Expr<R>>>,
    last: Option<&'a Expr<R>>,
}

impl<R> Default for Scan<'_, R> {
    fn default() -> Self {
        Scan { has_brackets: false, loosest: None, count: 0, first: None, last: None }
    }
}

impl<'a, R> Scan<'a, R> {
    fn can_omit(&self) -> bool {
        if !self.has_brackets || self.count > 1 {
            return false;
        }
        match self.loosest {
            None | Some(Precedence::Atom) => true,
            Some(_) => {
                let first = self.first.flatten();
                self.last.is_some_and(has_brackets) || first.is_some_and(starts_with_brackets)
            }
        }
    }

    fn visit(&mut self, expr: &'a Expr<R>, min: Precedence) {
        self.last = Some(expr);
        if precedence(expr) < min {
            self.has_brackets = true;
        } else {
            self.inside(expr);
        }
        self.first.get_or_insert(Some(expr));
    }

    fn operator(&mut self, precedence: Precedence, count: usize) {
        match self.loosest {
            Some(loosest) if loosest < precedence => (),
            Some(loosest) if loosest == precedence => self.count += count,
            _ => {
                self.loosest = Some(precedence);
                self.count = count;
            }
        }
    }

    fn prefix(&mut self, expr: &'a Expr<R>, min: Precedence) {
        self.first.get_or_insert(None);
        self.visit(expr, min);
    }

    fn inside(&mut self, expr: &'a Expr<R>) {
        match expr {
            Expr::Name(_)
            | Expr::Constant(_)
            | Expr::JoinedStr(_)
            | Expr::FormattedValue(_)
            | Expr::Slice(_)
            | Expr::Yield(ExprYield { value: None, .. }) => (),
            Expr::Tuple(_)
            | Expr::List(_)
            | Expr::Set(_)
            | Expr::Dict(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::GeneratorExp(_) => self.has_brackets = true,
            Expr::Call(ExprCall { func: inner, .. })
            | Expr::Subscript(ExprSubscript { value: inner, .. }) => {
                self.has_brackets = true;
                self.visit(inner, Precedence::Atom);
                self.last = Some(expr);
            }
            Expr::Attribute(ExprAttribute { value, .. }) => {
                self.visit(value, Precedence::Atom);
                if has_own_brackets(value) || precedence(value) < Precedence::Atom {
                    self.operator(Precedence::Atom, 1);
                }
                self.last = Some(expr);
            }
            Expr::BoolOp(ExprBoolOp { values, .. }) => {
                // `and` and `or` count as one level here.
                self.operator(Precedence::Or, values.len().saturating_sub(1));
                values.iter().for_each(|value| self.visit(value, Precedence::Not));
            }
            Expr::Compare(ExprCompare { left, comparators, .. }) => {
                self.operator(Precedence::Compare, comparators.len());
                self.visit(left, Precedence::BitOr);
                comparators.iter().for_each(|right| self.visit(right, Precedence::BitOr));
            }
            Expr::BinOp(binary) => self.binary(binary),
            Expr::IfExp(ExprIfExp { test, body, orelse, .. }) => {
                self.operator(Precedence::Conditional, 2);
                self.visit(body, Precedence::Or);
                self.visit(test, Precedence::Or);
                self.visit(orelse, Precedence::Conditional);
            }
            Expr::UnaryOp(ExprUnaryOp { op, operand, .. }) => {
                if *op == UnaryOp::Invert {
                    self.operator(Precedence::Unary, 1);
                }
                self.prefix(operand, precedence(expr));
            }
            Expr::Await(ExprAwait { value, .. })
            | Expr::YieldFrom(ExprYieldFrom { value, .. })
            | Expr::Yield(ExprYield { value: Some(value), .. }) => {
                self.prefix(value, precedence(expr));
            }
            Expr::Lambda(ExprLambda { body: value, .. })
            | Expr::Starred(ExprStarred { value, .. }) => self.prefix(value, Precedence::Lambda),
            Expr::NamedExpr(ExprNamedExpr { target, value, .. }) => {
                self.visit(target, Precedence::Atom);
                self.visit(value, Precedence::Lambda);
            }
        }
    }

    /// Chains of operators are walked, not recursed into. With more than one operator the answer
    /// is known, so the order in which the operands are seen matters only for the outer two.
    fn binary(&mut self, binary: &'a ExprBinOp<R>) {
        let level = operator_precedence(binary.op);
        let mut links = vec![binary];
        let mut first = &*binary.left;
        while let Expr::BinOp(left) = first
            && operator_precedence(left.op) == level
        {
            links.push(left);
            first = &left.left;
        }
        self.operator(level, links.len());
        self.visit(first, level);
        for link in links.iter().rev() {
            self.visit(&link.right, above(level));
        }
    }
}

/// Whether `expr` ends in brackets of its own.
pub fn has_own_brackets<R>(expr: &Expr<R>) -> bool {
    matches!(
        expr,
        Expr::Tuple(_)
            | Expr::List(_)
            | Expr::Set(_)
            | Expr::Dict(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::GeneratorExp(_)
            | Expr::Call(_)
            | Expr::Subscript(_)
    )
}

/// As [`has_brackets`], for the first operand.
fn starts_with_brackets<R>(expr: &Expr<R>) -> bool {
    // An `await` or a sign at the start counts only when it is itself in parentheses: `(await x).y`.
    matches!(expr, Expr::Await(_) | Expr::UnaryOp(_)) || has_brackets(expr)
}

/// Non-empty brackets that may be exploded; a subscript is left alone.
fn has_brackets<R>(expr: &Expr<R>) -> bool {
    match expr {
        Expr::Tuple(ExprTuple { elts, .. })
        | Expr::List(ExprList { elts, .. })
        | Expr::Set(ExprSet { elts, .. }) => !elts.is_empty(),
        Expr::Dict(ExprDict { values, .. }) => !values.is_empty(),
        Expr::Call(ExprCall { args, keywords, .. }) => !args.is_empty() || !keywords.is_empty(),
        Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::GeneratorExp(_) => true,
        Expr::Await(_) | Expr::UnaryOp(_) => false,
        // Reached as an end only when it is itself in parentheses.
        _ => precedence(expr) < Precedence::Atom,
    }
}
