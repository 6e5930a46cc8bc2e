//! Comparing trees by what they say: where a node stands and how it was spelled does not count.

use crate::annotation::Annotated;
use crate::print::print;
use rustpython_ast::fold::Fold;
use rustpython_ast::{
    Constant, ExceptHandler, Expr, ExprConstant, ExprJoinedStr, Stmt, StmtAsyncFor,
    StmtAsyncFunctionDef, StmtAsyncWith, StmtClassDef, StmtDelete, StmtFor, StmtFunctionDef,
    StmtIf, StmtMatch, StmtTry, StmtTryStar, StmtWhile, StmtWith,
};
use std::convert::Infallible;

/// The first place where two trees say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The way to the statement, as a Python expression on a module would take: `body[2].orelse[0]`.
    pub path: String,
    /// The statement in the first tree, printed; empty where it is missing.
    pub left: String,
    /// The statement in the second tree.
    pub right: String,
}

/// The tree without annotations. What has no meaning is made the same: the `u` of a string, how the
/// text of an f-string is divided, and the parentheses of `del (a, b)`.
///
/// ```
/// use astgen_pyast::{erase, parse_module};
/// let spaced = erase(&parse_module("f( u'a' )").unwrap());
/// assert_eq!(spaced, erase(&parse_module("f('a')").unwrap()));
/// ```
#[must_use]
pub fn erase<R: Clone>(body: &[Stmt<R>]) -> Vec<Stmt<()>> {
    body.iter()
        .map(|stmt| match Erase.fold_stmt(stmt.clone()) {
            Ok(stmt) => stmt,
        })
        .collect()
}

/// Where two trees differ, annotations aside; `None` if they say the same.
///
/// ```
/// use astgen_pyast::{first_difference, parse_module};
/// let left = parse_module("if a:\n    x = 1\n").unwrap();
/// let right = parse_module("if a:\n    x = 2\n").unwrap();
/// let difference = first_difference(&left, &right).unwrap();
/// assert_eq!(difference.path, "body[0].body[0]");
/// assert_eq!(difference.right, "x = 2\n");
/// assert_eq!(first_difference(&left, &left), None);
/// ```
#[must_use]
pub fn first_difference<A: Annotated + Clone, B: Annotated + Clone>(
    left: &[Stmt<A>],
    right: &[Stmt<B>],
) -> Option<Difference> {
    in_block("body", &erase(left), &erase(right))
}

struct Erase;

impl<R> Fold<R> for Erase {
    type TargetU = ();
    type Error = Infallible;
    type UserContext = ();

    fn will_map_user(&mut self, _: &R) {}

    fn map_user(&mut self, _: R, (): ()) -> Result<(), Infallible> {
        Ok(())
    }

    fn fold_expr_constant(
        &mut self,
        constant: ExprConstant<R>,
    ) -> Result<ExprConstant<()>, Infallible> {
        Ok(ExprConstant { range: (), value: constant.value, kind: None })
    }

    /// `del (a, b)` is `del a, b`, and the only way to break such a line.
    fn fold_stmt_delete(&mut self, delete: StmtDelete<R>) -> Result<StmtDelete<()>, Infallible> {
        let mut targets = Vec::new();
        for target in delete.targets {
            targets.push(self.fold_expr(target)?);
        }
        match targets.as_mut_slice() {
            [Expr::Tuple(tuple)] if !tuple.elts.is_empty() => {
                Ok(StmtDelete { range: (), targets: std::mem::take(&mut tuple.elts) })
            }
            _ => Ok(StmtDelete { range: (), targets }),
        }
    }

    fn fold_expr_joined_str(
        &mut self,
        joined: ExprJoinedStr<R>,
    ) -> Result<ExprJoinedStr<()>, Infallible> {
        let mut values = Vec::new();
        for value in joined.values {
            push_part(&mut values, self.fold_expr(value)?);
        }
        Ok(ExprJoinedStr { range: (), values })
    }
}

/// Text next to text in an f-string is one text.
fn push_part(values: &mut Vec<Expr<()>>, part: Expr<()>) {
    match part {
        Expr::JoinedStr(nested) => {
            for part in nested.values {
                push_part(values, part);
            }
        }
        Expr::Constant(ExprConstant { value: Constant::Str(text), .. }) => {
            if let Some(Expr::Constant(ExprConstant { value: Constant::Str(before), .. })) =
                values.last_mut()
            {
                before.push_str(&text);
            } else if !text.is_empty() {
                values.push(constant(text));
            }
        }
        part => values.push(part),
    }
}

fn constant(text: String) -> Expr<()> {
    Expr::Constant(ExprConstant { range: (), value: Constant::Str(text), kind: None })
}

type Block<'a> = (&'static str, &'a [Stmt<()>]);

fn in_block(path: &str, left: &[Stmt<()>], right: &[Stmt<()>]) -> Option<Difference> {
    for i in 0..left.len().max(right.len()) {
        let path = format!("{path}[{i}]");
        match (left.get(i), right.get(i)) {
            (Some(left), Some(right)) if left == right => (),
            (Some(left), Some(right)) => return Some(in_statement(path, left, right)),
            (left, right) => {
                return Some(Difference { path, left: text(left), right: text(right) });
            }
        }
    }
    None
}

fn in_statement(path: String, left: &Stmt<()>, right: &Stmt<()>) -> Difference {
    let (left_blocks, right_blocks) = (blocks(left), blocks(right));
    if left_blocks.len() == right_blocks.len() && without_blocks(left) == without_blocks(right) {
        for ((name, left), (_, right)) in left_blocks.into_iter().zip(right_blocks) {
            if let Some(difference) = in_block(&format!("{path}.{name}"), left, right) {
                return difference;
            }
        }
    }
    Difference { path, left: text(Some(left)), right: text(Some(right)) }
}

fn text(stmt: Option<&Stmt<()>>) -> String {
    stmt.map(|stmt| print(std::slice::from_ref(stmt))).unwrap_or_default()
}

fn blocks(stmt: &Stmt<()>) -> Vec<Block<'_>> {
    match stmt {
        Stmt::FunctionDef(StmtFunctionDef { body, .. })
        | Stmt::AsyncFunctionDef(StmtAsyncFunctionDef { body, .. })
        | Stmt::ClassDef(StmtClassDef { body, .. })
        | Stmt::With(StmtWith { body, .. })
        | Stmt::AsyncWith(StmtAsyncWith { body, .. }) => vec![("body", body)],
        Stmt::For(StmtFor { body, orelse, .. })
        | Stmt::AsyncFor(StmtAsyncFor { body, orelse, .. })
        | Stmt::While(StmtWhile { body, orelse, .. })
        | Stmt::If(StmtIf { body, orelse, .. }) => vec![("body", body), ("orelse", orelse)],
        Stmt::Try(StmtTry { body, handlers, orelse, finalbody, .. })
        | Stmt::TryStar(StmtTryStar { body, handlers, orelse, finalbody, .. }) => {
            let mut blocks: Vec<Block<'_>> = vec![("body", body)];
            for ExceptHandler::ExceptHandler(handler) in handlers {
                blocks.push(("handlers", &handler.body));
            }
            blocks.extend([("orelse", &**orelse), ("finalbody", &**finalbody)]);
            blocks
        }
        Stmt::Match(StmtMatch { cases, .. }) => {
            cases.iter().map(|case| ("cases", &*case.body)).collect()
        }
        _ => Vec::new(),
    }
}

/// The header of a statement alone.
fn without_blocks(stmt: &Stmt<()>) -> Stmt<()> {
    let mut stmt = stmt.clone();
    match &mut stmt {
        Stmt::FunctionDef(StmtFunctionDef { body, .. })
        | Stmt::AsyncFunctionDef(StmtAsyncFunctionDef { body, .. })
        | Stmt::ClassDef(StmtClassDef { body, .. })
        | Stmt::With(StmtWith { body, .. })
        | Stmt::AsyncWith(StmtAsyncWith { body, .. }) => body.clear(),
        Stmt::For(StmtFor { body, orelse, .. })
        | Stmt::AsyncFor(StmtAsyncFor { body, orelse, .. })
        | Stmt::While(StmtWhile { body, orelse, .. })
        | Stmt::If(StmtIf { body, orelse, .. }) => {
            body.clear();
            orelse.clear();
        }
        Stmt::Try(StmtTry { body, handlers, orelse, finalbody, .. })
        | Stmt::TryStar(StmtTryStar { body, handlers, orelse, finalbody, .. }) => {
            body.clear();
            orelse.clear();
            finalbody.clear();
            for ExceptHandler::ExceptHandler(handler) in handlers {
                handler.body.clear();
            }
        }
        Stmt::Match(StmtMatch { cases, .. }) => {
            cases.iter_mut().for_each(|case| case.body.clear());
        }
        _ => (),
    }
    stmt
}
