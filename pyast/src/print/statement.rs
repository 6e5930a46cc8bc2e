//! Statements: one logical line each, and where it belongs.

use super::expression::{element, expr, operand, value};
use super::parentheses::{
    can_omit_around, has_own_brackets, optional, optional_at, optional_later,
    optional_right_to_left, optional_unless_fitting,
};
use super::{
    Doc, PARENTHESES, compound, definition, import, lambda, operators, region, type_parameters,
};
use crate::annotation::{Annotated, Trivia};
use crate::layout::{INDENT, Parens};
use crate::precedence::{Precedence, precedence};
use rustpython_ast::{
    Expr, ExprAttribute, ExprBinOp, ExprLambda, ExprTuple, Operator, Stmt, StmtAnnAssign,
    StmtAssert, StmtAssign, StmtAsyncFor, StmtAsyncWith, StmtAugAssign, StmtDelete, StmtExpr,
    StmtFor, StmtGlobal, StmtNonlocal, StmtRaise, StmtReturn, StmtTry, StmtTryStar, StmtTypeAlias,
    StmtWith,
};

impl Doc {
    /// One logical line of the current statement, with its trailing comment.
    pub fn logical_line(&mut self, content: impl FnOnce(&mut Doc)) {
        self.layout.begin_line(self.depth);
        content(self);
        let comment = self.trailing.take().and_then(|comment| self.trailing_comment(comment));
        self.layout.end_line(comment.as_deref());
        self.flush_hoisted(self.anchor);
    }

    /// A line above the one that the statement's trailing comment goes to.
    pub fn decorator_line(&mut self, content: impl FnOnce(&mut Doc)) {
        self.layout.begin_line(self.depth);
        content(self);
        self.layout.end_line(None);
    }

    /// The comments above the line that follows, and where more of them go.
    pub fn begin_statement<R: Annotated>(&mut self, range: &R) {
        self.begin_clause();
        let Some(trivia) = trivia(range) else { return };
        self.leading_comments(&trivia.leading);
        self.trailing.clone_from(&trivia.trailing);
        self.begin_clause();
    }

    /// Where the comments of the line that follows go.
    pub fn begin_clause(&mut self) {
        self.anchor = self.layout.written().len();
    }
}

/// A statement with everything around it.
pub fn stmt<R: Annotated>(doc: &mut Doc, stmt: &Stmt<R>) {
    stmt_with(doc, stmt, |doc| lines(doc, stmt));
}

/// As [`stmt`], where something else prints its lines.
pub fn stmt_with<R: Annotated>(doc: &mut Doc, stmt: &Stmt<R>, lines: impl FnOnce(&mut Doc)) {
    let range = annotation(stmt);
    let region = trivia(range).and_then(|trivia| trivia.region.as_ref());
    let opened = region.map(|region| region::begin(doc, &region.id));
    doc.begin_statement(range);
    lines(doc);
    if let (Some(region), Some(opened)) = (region, opened) {
        region::end(doc, &region.id, stmt, &opened);
    }
}

/// The comments and region of a node.
pub fn trivia<R: Annotated>(range: &R) -> Option<&Trivia> {
    range.annotation()?.trivia.as_deref()
}

/// The annotation of a statement.
pub fn annotation<R>(stmt: &Stmt<R>) -> &R {
    match stmt {
        Stmt::FunctionDef(stmt) => &stmt.range,
        Stmt::AsyncFunctionDef(stmt) => &stmt.range,
        Stmt::ClassDef(stmt) => &stmt.range,
        Stmt::Return(stmt) => &stmt.range,
        Stmt::Delete(stmt) => &stmt.range,
        Stmt::Assign(stmt) => &stmt.range,
        Stmt::TypeAlias(stmt) => &stmt.range,
        Stmt::AugAssign(stmt) => &stmt.range,
        Stmt::AnnAssign(stmt) => &stmt.range,
        Stmt::For(stmt) => &stmt.range,
        Stmt::AsyncFor(stmt) => &stmt.range,
        Stmt::While(stmt) => &stmt.range,
        Stmt::If(stmt) => &stmt.range,
        Stmt::With(stmt) => &stmt.range,
        Stmt::AsyncWith(stmt) => &stmt.range,
        Stmt::Match(stmt) => &stmt.range,
        Stmt::Raise(stmt) => &stmt.range,
        Stmt::Try(stmt) => &stmt.range,
        Stmt::TryStar(stmt) => &stmt.range,
        Stmt::Assert(stmt) => &stmt.range,
        Stmt::Import(stmt) => &stmt.range,
        Stmt::ImportFrom(stmt) => &stmt.range,
        Stmt::Global(stmt) => &stmt.range,
        Stmt::Nonlocal(stmt) => &stmt.range,
        Stmt::Expr(stmt) => &stmt.range,
        Stmt::Pass(stmt) => &stmt.range,
        Stmt::Break(stmt) => &stmt.range,
        Stmt::Continue(stmt) => &stmt.range,
    }
}

fn lines<R: Annotated>(doc: &mut Doc, stmt: &Stmt<R>) {
    match stmt {
        Stmt::FunctionDef(function) => definition::function(doc, function),
        Stmt::AsyncFunctionDef(function) => definition::async_function(doc, function),
        Stmt::ClassDef(class) => definition::class(doc, class),
        Stmt::If(stmt) => compound::if_(doc, stmt),
        Stmt::While(stmt) => compound::while_(doc, stmt),
        Stmt::For(StmtFor { range: _, target, iter, body, orelse, type_comment: _ }) => {
            compound::for_(doc, "for ", target, iter, body, orelse);
        }
        Stmt::AsyncFor(StmtAsyncFor { range: _, target, iter, body, orelse, type_comment: _ }) => {
            compound::for_(doc, "async for ", target, iter, body, orelse);
        }
        Stmt::With(StmtWith { range: _, items, body, type_comment: _ }) => {
            compound::with(doc, "with ", items, body);
        }
        Stmt::AsyncWith(StmtAsyncWith { range: _, items, body, type_comment: _ }) => {
            compound::with(doc, "async with ", items, body);
        }
        Stmt::Match(stmt) => compound::match_(doc, stmt),
        Stmt::Try(StmtTry { range: _, body, handlers, orelse, finalbody }) => {
            compound::try_(doc, "except", body, handlers, orelse, finalbody);
        }
        Stmt::TryStar(StmtTryStar { range: _, body, handlers, orelse, finalbody }) => {
            compound::try_(doc, "except*", body, handlers, orelse, finalbody);
        }
        Stmt::Return(_)
        | Stmt::Delete(_)
        | Stmt::Assign(_)
        | Stmt::TypeAlias(_)
        | Stmt::AugAssign(_)
        | Stmt::AnnAssign(_)
        | Stmt::Raise(_)
        | Stmt::Assert(_)
        | Stmt::Import(_)
        | Stmt::ImportFrom(_)
        | Stmt::Global(_)
        | Stmt::Nonlocal(_)
        | Stmt::Expr(_)
        | Stmt::Pass(_)
        | Stmt::Break(_)
        | Stmt::Continue(_) => doc.logical_line(|doc| simple(doc, stmt)),
    }
}

fn simple<R: Annotated>(doc: &mut Doc, stmt: &Stmt<R>) {
    match stmt {
        Stmt::Return(stmt) => return_(doc, stmt),
        Stmt::Delete(stmt) => delete(doc, stmt),
        Stmt::Assign(stmt) => assign(doc, stmt),
        Stmt::TypeAlias(stmt) => type_alias(doc, stmt),
        Stmt::AugAssign(stmt) => augmented_assign(doc, stmt),
        Stmt::AnnAssign(stmt) => annotated_assign(doc, stmt),
        Stmt::Raise(stmt) => raise(doc, stmt),
        Stmt::Assert(stmt) => assert(doc, stmt),
        Stmt::Import(stmt) => import::import(doc, stmt),
        Stmt::ImportFrom(stmt) => import::import_from(doc, stmt),
        Stmt::Global(StmtGlobal { range: _, names }) => scope(doc, "global", names),
        Stmt::Nonlocal(StmtNonlocal { range: _, names }) => scope(doc, "nonlocal", names),
        Stmt::Expr(StmtExpr { range: _, value }) => expression_statement(doc, value),
        Stmt::Pass(_) => doc.text("pass"),
        Stmt::Break(_) => doc.text("break"),
        Stmt::Continue(_) => doc.text("continue"),
        Stmt::FunctionDef(_)
        | Stmt::AsyncFunctionDef(_)
        | Stmt::ClassDef(_)
        | Stmt::For(_)
        | Stmt::AsyncFor(_)
        | Stmt::While(_)
        | Stmt::If(_)
        | Stmt::With(_)
        | Stmt::AsyncWith(_)
        | Stmt::Match(_)
        | Stmt::Try(_)
        | Stmt::TryStar(_) => (),
    }
}

fn scope(doc: &mut Doc, keyword: &str, names: &[rustpython_ast::Identifier]) {
    let start = doc.layout.checkpoint();
    doc.text(keyword);
    doc.text(" ");
    for (i, name) in names.iter().enumerate() {
        doc.text(if i == 0 { "" } else { ", " });
        doc.text(name);
    }
    if doc.layout.fits_flat(0) {
        return;
    }
    // There is no bracket to break in, so the lines are continued.
    doc.layout.rewind(start);
    doc.text(keyword);
    let indent = " ".repeat((doc.depth + 1) * INDENT);
    for (i, name) in names.iter().enumerate() {
        doc.text(if i == 0 { " \\\n" } else { ", \\\n" });
        doc.text(&indent);
        doc.text(name);
    }
}

fn expression_statement<R: Annotated>(doc: &mut Doc, value: &Expr<R>) {
    match value {
        Expr::NamedExpr(_) => operand(doc, value, Precedence::Lambda),
        Expr::BinOp(ExprBinOp { op, .. }) if may_be_parenthesized(*op) => optional(doc, value),
        _ => expr(doc, value),
    }
}

/// Operators whose result is thrown away only in a DSL, where a formatter puts parentheses.
fn may_be_parenthesized(operator: Operator) -> bool {
    match operator {
        Operator::BitOr
        | Operator::BitXor
        | Operator::LShift
        | Operator::RShift
        | Operator::Add
        | Operator::Sub => true,
        Operator::Mult
        | Operator::MatMult
        | Operator::Div
        | Operator::Mod
        | Operator::Pow
        | Operator::BitAnd
        | Operator::FloorDiv => false,
    }
}

/// What stands right of an equals sign: a `yield` may go bare there, a `:=` may not.
fn assigned<R: Annotated>(doc: &mut Doc, value: &Expr<R>, is_target_splittable: bool) {
    match value {
        Expr::NamedExpr(_) => operand(doc, value, Precedence::Lambda),
        Expr::Lambda(value) => assigned_lambda(doc, value),
        _ if is_target_splittable => optional_right_to_left(doc, value),
        _ => optional_at(doc, value, Precedence::Yield),
    }
}

/// A lambda at the end of a statement parenthesizes its body before itself.
fn assigned_lambda<R: Annotated>(doc: &mut Doc, value: &ExprLambda<R>) {
    doc.parens(Parens::Omit, |doc| lambda::lambda(doc, value, Parens::Hugged));
}

fn assign<R: Annotated>(doc: &mut Doc, stmt: &StmtAssign<R>) {
    let StmtAssign { range: _, targets, value, type_comment: _ } = stmt;
    for (i, target) in targets.iter().enumerate() {
        match target {
            Expr::Tuple(ExprTuple { range, elts, ctx: _ }) if elts.len() > 1 => {
                doc.note(range);
                optional_sequence(doc, Parens::Multiline, elts);
            }
            _ if i > 0 && !has_own_brackets(target) => {
                doc.parens(Parens::Multiline, |doc| expr(doc, target));
            }
            _ => expr(doc, target),
        }
        doc.text(" = ");
    }
    assigned(doc, value, targets.len() > 1 || targets.iter().any(has_own_brackets));
}

/// Elements with no parentheses of their own.
pub fn optional_sequence<R: Annotated>(doc: &mut Doc, parens: Parens, elements: &[Expr<R>]) {
    doc.parens(parens, |doc| doc.items(elements, element));
}

fn augmented_assign<R: Annotated>(doc: &mut Doc, stmt: &StmtAugAssign<R>) {
    let StmtAugAssign { range: _, target, op, value } = stmt;
    expr(doc, target);
    doc.text(" ");
    doc.text(operators::operator_symbol(*op));
    doc.text("= ");
    assigned(doc, value, has_own_brackets(target));
}

fn annotated_assign<R: Annotated>(doc: &mut Doc, stmt: &StmtAnnAssign<R>) {
    let StmtAnnAssign { range: _, target, annotation, value, simple } = stmt;
    // `(a): int` is an annotation that the module or class does not keep.
    if target.is_name_expr() && !simple {
        doc.bracket(PARENTHESES, |doc| expr(doc, target));
    } else {
        expr(doc, target);
    }
    doc.text(": ");
    match value {
        // ruff puts these parentheses, whatever for.
        _ if annotation.is_await_expr() => {
            doc.bracket(PARENTHESES, |doc| expr(doc, annotation));
            if let Some(value) = value {
                doc.text(" = ");
                assigned(doc, value, true);
            }
        }
        None => optional(doc, annotation),
        Some(value) => {
            let is_splittable = is_splittable(annotation);
            if is_splittable && !has_own_brackets(annotation) {
                optional(doc, annotation);
            } else {
                self::value(doc, annotation);
            }
            doc.text(" = ");
            assigned(doc, value, is_splittable);
        }
    }
}

fn is_splittable<R>(annotation: &Expr<R>) -> bool {
    match annotation {
        Expr::Name(_) | Expr::Constant(_) | Expr::JoinedStr(_) => false,
        Expr::Attribute(ExprAttribute { value, .. }) => is_splittable(value),
        _ => true,
    }
}

fn type_alias<R: Annotated>(doc: &mut Doc, stmt: &StmtTypeAlias<R>) {
    let StmtTypeAlias { range: _, name, type_params, value } = stmt;
    doc.text("type ");
    expr(doc, name);
    type_parameters::type_parameters(doc, type_params);
    doc.text(" = ");
    let may_stand_bare = precedence(value) >= Precedence::Lambda;
    if type_params.is_empty() || !may_stand_bare {
        optional(doc, value);
    } else {
        assigned(doc, value, true);
    }
}

fn return_<R: Annotated>(doc: &mut Doc, stmt: &StmtReturn<R>) {
    let StmtReturn { range: _, value } = stmt;
    doc.text("return");
    let Some(value) = value.as_deref() else {
        return;
    };
    doc.text(" ");
    match value {
        Expr::Lambda(value) => assigned_lambda(doc, value),
        Expr::Tuple(ExprTuple { range, elts, ctx: _ }) if elts.len() > 1 => {
            doc.note(range);
            let parens = if can_omit_around(elts) { Parens::Omit } else { Parens::Multiline };
            doc.parens(parens, |doc| doc.items(elts, self::value));
        }
        _ => optional(doc, value),
    }
}

fn raise<R: Annotated>(doc: &mut Doc, stmt: &StmtRaise<R>) {
    let StmtRaise { range: _, exc, cause } = stmt;
    doc.text("raise");
    for (keyword, part) in [(" ", exc), (" from ", cause)] {
        if let Some(part) = part {
            doc.text(keyword);
            optional_unless_fitting(doc, part);
        }
    }
}

fn assert<R: Annotated>(doc: &mut Doc, stmt: &StmtAssert<R>) {
    let StmtAssert { range: _, test, msg } = stmt;
    doc.text("assert ");
    optional(doc, test);
    if let Some(msg) = msg {
        doc.text(", ");
        optional_later(doc, msg, Precedence::Lambda);
    }
}

fn delete<R: Annotated>(doc: &mut Doc, stmt: &StmtDelete<R>) {
    let StmtDelete { range: _, targets } = stmt;
    doc.text("del ");
    match targets.as_slice() {
        [one] => optional(doc, one),
        _ => optional_sequence(doc, Parens::Multiline, targets),
    }
}
