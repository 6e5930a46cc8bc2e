//! Simple statements, and what can stand in a body.

use super::expr::{del, store, string};
use super::{Identifier, IntoExpr};
use crate::annotation::Annotation;
use crate::name::Name;
use crate::{Expr, Stmt};
use rustpython_ast as ast;
use rustpython_ast::Operator;

/// What can stand in a body: one statement, a definition, a run of statements, or none.
///
/// [`block!`](crate::block) collects several into one `Vec<Stmt>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a Python statement",
    label = "not a statement",
    note = "an expression becomes a statement with `do_(…)`"
)]
pub trait Statements {
    /// Appends the statements to `body`.
    ///
    /// ```
    /// use astgen_pyast::make::{Statements, pass};
    /// let mut body = Vec::new();
    /// Some(pass()).append_to(&mut body);
    /// assert_eq!(body.len(), 1);
    /// ```
    fn append_to(self, body: &mut Vec<Stmt>);
}

impl Statements for Stmt {
    fn append_to(self, body: &mut Vec<Stmt>) {
        body.push(self);
    }
}

impl<T: Statements> Statements for Option<T> {
    fn append_to(self, body: &mut Vec<Stmt>) {
        if let Some(statements) = self {
            statements.append_to(body);
        }
    }
}

impl<T: Statements> Statements for Vec<T> {
    fn append_to(self, body: &mut Vec<Stmt>) {
        self.into_iter().for_each(|statements| statements.append_to(body));
    }
}

impl<T: Statements, const N: usize> Statements for [T; N] {
    fn append_to(self, body: &mut Vec<Stmt>) {
        self.into_iter().for_each(|statements| statements.append_to(body));
    }
}

/// A body: every item is anything that implements [`Statements`](crate::make::Statements).
///
/// ```
/// use astgen_pyast::{block, make::{pass, return_none}, print};
/// let body = block![pass(), None::<astgen_pyast::Stmt>, [return_none()]];
/// assert_eq!(print(&body), "pass\nreturn\n");
/// ```
#[macro_export]
macro_rules! block {
    ($($statements:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut body: ::std::vec::Vec<$crate::Stmt> = ::std::vec::Vec::new();
        $($crate::make::Statements::append_to($statements, &mut body);)*
        body
    }};
}

/// Binds Python names to Rust variables of the same name.
///
/// ```
/// astgen_pyast::names!(session, user);
/// assert_eq!((session.as_str(), user.as_str()), ("session", "user"));
/// ```
#[macro_export]
macro_rules! names {
    ($($id:ident),* $(,)?) => {
        $(#[allow(non_snake_case, reason = "a Python name is spelled as Python spells it")]
        let $id: $crate::Name = const { $crate::name($crate::name::unraw(stringify!($id))) };)*
    };
}

/// The docstring of a module, class or function: its first statement.
///
/// ```
/// use astgen_pyast::{make::docstring, print};
/// assert_eq!(print(&[docstring("Health.")]), "\"\"\"Health.\"\"\"\n");
/// ```
#[must_use]
pub fn docstring(text: impl Into<String>) -> Stmt {
    expr_stmt(string(text))
}

/// An expression on a line of its own.
///
/// ```
/// use astgen_pyast::{make::{Operand, do_}, name, print};
/// assert_eq!(print(&[do_(name("run").call([]))]), "run()\n");
/// ```
#[must_use]
pub fn expr_stmt(value: impl IntoExpr) -> Stmt {
    Stmt::Expr(ast::StmtExpr { range: Annotation::default(), value: Box::new(value.into_expr()) })
}

/// `target = value`
///
/// ```
/// use astgen_pyast::{make::assign, name, print};
/// assert_eq!(print(&[assign(name("x"), 1)]), "x = 1\n");
/// ```
#[must_use]
pub fn assign(target: impl IntoExpr, value: impl IntoExpr) -> Stmt {
    assign_all([target], value)
}

/// `a = b = value`
///
/// ```
/// use astgen_pyast::{make::assign_all, name, print};
/// assert_eq!(print(&[assign_all([name("a"), name("b")], 1)]), "a = b = 1\n");
/// ```
#[must_use]
pub fn assign_all<T: IntoExpr>(targets: impl IntoIterator<Item = T>, value: impl IntoExpr) -> Stmt {
    Stmt::Assign(ast::StmtAssign {
        range: Annotation::default(),
        targets: targets.into_iter().map(|target| store(target.into_expr())).collect(),
        value: Box::new(value.into_expr()),
        type_comment: None,
    })
}

/// `target: annotation`
///
/// ```
/// use astgen_pyast::{make::annotate, name, print};
/// assert_eq!(print(&[annotate(name("x"), name("int"))]), "x: int\n");
/// ```
#[must_use]
pub fn annotate(target: impl IntoExpr, annotation: impl IntoExpr) -> Stmt {
    annotated(target, annotation, None)
}

/// `target: annotation = value`
///
/// ```
/// use astgen_pyast::{make::ann_assign, name, print};
/// assert_eq!(print(&[ann_assign(name("x"), name("int"), 1)]), "x: int = 1\n");
/// ```
#[must_use]
pub fn ann_assign(target: impl IntoExpr, annotation: impl IntoExpr, value: impl IntoExpr) -> Stmt {
    annotated(target, annotation, Some(value.into_expr()))
}

fn annotated(target: impl IntoExpr, annotation: impl IntoExpr, value: Option<Expr>) -> Stmt {
    let target = store(target.into_expr());
    Stmt::AnnAssign(ast::StmtAnnAssign {
        range: Annotation::default(),
        simple: matches!(target, Expr::Name(_)),
        target: Box::new(target),
        annotation: Box::new(annotation.into_expr()),
        value: value.map(Box::new),
    })
}

/// `target op= value`
///
/// ```
/// use astgen_pyast::{make::aug_assign, name, print};
/// assert_eq!(print(&[aug_assign(name("x"), rustpython_ast::Operator::Add, 1)]), "x += 1\n");
/// ```
#[must_use]
pub fn aug_assign(target: impl IntoExpr, op: Operator, value: impl IntoExpr) -> Stmt {
    Stmt::AugAssign(ast::StmtAugAssign {
        range: Annotation::default(),
        target: Box::new(store(target.into_expr())),
        op,
        value: Box::new(value.into_expr()),
    })
}

/// `return value`
///
/// ```
/// use astgen_pyast::{make::return_, name, print};
/// assert_eq!(print(&[return_(name("user"))]), "return user\n");
/// ```
#[must_use]
pub fn return_(value: impl IntoExpr) -> Stmt {
    let value = Some(Box::new(value.into_expr()));
    Stmt::Return(ast::StmtReturn { range: Annotation::default(), value })
}

/// `return`
///
/// ```
/// use astgen_pyast::{make::return_none, print};
/// assert_eq!(print(&[return_none()]), "return\n");
/// ```
#[must_use]
pub fn return_none() -> Stmt {
    Stmt::Return(ast::StmtReturn { range: Annotation::default(), value: None })
}

/// `raise exc`
///
/// ```
/// use astgen_pyast::{make::raise, name, print};
/// assert_eq!(print(&[raise(name("error"))]), "raise error\n");
/// ```
#[must_use]
pub fn raise(exc: impl IntoExpr) -> Stmt {
    raised(Some(exc.into_expr()), None)
}

/// `raise exc from cause`
///
/// ```
/// use astgen_pyast::{make::{none, raise_from}, name, print};
/// assert_eq!(print(&[raise_from(name("error"), none())]), "raise error from None\n");
/// ```
#[must_use]
pub fn raise_from(exc: impl IntoExpr, cause: impl IntoExpr) -> Stmt {
    raised(Some(exc.into_expr()), Some(cause.into_expr()))
}

/// `raise`, inside a handler.
///
/// ```
/// use astgen_pyast::{make::reraise, print};
/// assert_eq!(print(&[reraise()]), "raise\n");
/// ```
#[must_use]
pub fn reraise() -> Stmt {
    raised(None, None)
}

fn raised(exc: Option<Expr>, cause: Option<Expr>) -> Stmt {
    Stmt::Raise(ast::StmtRaise {
        range: Annotation::default(),
        exc: exc.map(Box::new),
        cause: cause.map(Box::new),
    })
}

/// `assert test`
///
/// ```
/// use astgen_pyast::{make::assert_, name, print};
/// assert_eq!(print(&[assert_(name("ok"))]), "assert ok\n");
/// ```
#[must_use]
pub fn assert_(test: impl IntoExpr) -> Stmt {
    asserted(test.into_expr(), None)
}

/// `assert test, message`
///
/// ```
/// use astgen_pyast::{make::assert_that, name, print};
/// assert_eq!(print(&[assert_that(name("ok"), "why")]), "assert ok, \"why\"\n");
/// ```
#[must_use]
pub fn assert_that(test: impl IntoExpr, message: impl IntoExpr) -> Stmt {
    asserted(test.into_expr(), Some(message.into_expr()))
}

fn asserted(test: Expr, msg: Option<Expr>) -> Stmt {
    Stmt::Assert(ast::StmtAssert {
        range: Annotation::default(),
        test: Box::new(test),
        msg: msg.map(Box::new),
    })
}

/// `del a, b`
///
/// ```
/// use astgen_pyast::{make::delete, name, print};
/// assert_eq!(print(&[delete([name("x")])]), "del x\n");
/// ```
#[must_use]
pub fn delete<T: IntoExpr>(targets: impl IntoIterator<Item = T>) -> Stmt {
    let targets = targets.into_iter().map(|target| del(target.into_expr())).collect();
    Stmt::Delete(ast::StmtDelete { range: Annotation::default(), targets })
}

/// `pass`
///
/// ```
/// use astgen_pyast::{make::pass, print};
/// assert_eq!(print(&[pass()]), "pass\n");
/// ```
#[must_use]
pub fn pass() -> Stmt {
    Stmt::Pass(ast::StmtPass { range: Annotation::default() })
}

/// `break`
///
/// ```
/// use astgen_pyast::{make::break_, print};
/// assert_eq!(print(&[break_()]), "break\n");
/// ```
#[must_use]
pub fn break_() -> Stmt {
    Stmt::Break(ast::StmtBreak { range: Annotation::default() })
}

/// `continue`
///
/// ```
/// use astgen_pyast::{make::continue_, print};
/// assert_eq!(print(&[continue_()]), "continue\n");
/// ```
#[must_use]
pub fn continue_() -> Stmt {
    Stmt::Continue(ast::StmtContinue { range: Annotation::default() })
}

/// `global a, b`
///
/// ```
/// use astgen_pyast::{make::global, name, print};
/// assert_eq!(print(&[global([name("cache")])]), "global cache\n");
/// ```
#[must_use]
pub fn global(names: impl IntoIterator<Item = Name>) -> Stmt {
    let names = names.into_iter().map(|name| name.as_str().into()).collect();
    Stmt::Global(ast::StmtGlobal { range: Annotation::default(), names })
}

/// `nonlocal a, b`
///
/// ```
/// use astgen_pyast::{make::nonlocal, name, print};
/// assert_eq!(print(&[nonlocal([name("count")])]), "nonlocal count\n");
/// ```
#[must_use]
pub fn nonlocal(names: impl IntoIterator<Item = Name>) -> Stmt {
    let names = names.into_iter().map(|name| name.as_str().into()).collect();
    Stmt::Nonlocal(ast::StmtNonlocal { range: Annotation::default(), names })
}

/// `type name = value`, Python 3.12 and newer.
///
/// ```
/// use astgen_pyast::{make::type_alias, name, print};
/// assert_eq!(print(&[type_alias(name("Ids"), name("list"))]), "type Ids = list\n");
/// ```
#[must_use]
pub fn type_alias(name: Name, value: impl IntoExpr) -> Stmt {
    Stmt::TypeAlias(ast::StmtTypeAlias {
        range: Annotation::default(),
        name: Box::new(store(name.into_expr())),
        type_params: Vec::new(),
        value: Box::new(value.into_expr()),
    })
}

/// `from module import name`, written out where an import is wanted for its effect; every other
/// import follows from the names that a tree uses.
///
/// ```
/// use astgen_pyast::{make::import_stmt, import, print};
/// let models = import_stmt(import("app", "models"));
/// assert_eq!(print(&[models]), "from app import models\n");
/// ```
#[must_use]
pub fn import_stmt(import: crate::Import) -> Stmt {
    let alias = |name: &str| ast::Alias {
        range: Annotation::default(),
        name: name.into(),
        asname: import.alias.map(|alias| alias.as_str().into()),
    };
    match import.name {
        None => Stmt::Import(ast::StmtImport {
            range: Annotation::default(),
            names: vec![alias(import.module)],
        }),
        Some(name) => Stmt::ImportFrom(ast::StmtImportFrom {
            range: Annotation::default(),
            module: Some(import.module.into()),
            names: vec![alias(name.identifier().as_str())],
            level: Some(ast::Int::new(0)),
        }),
    }
}
