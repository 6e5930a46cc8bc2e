//! Compound statements but definitions: `if`, `for`, `while`, `with`, `try`, `match`.

use super::expr::store;
use super::{Commented, Identifier, IntoExpr, Statements};
use crate::annotation::Annotation;
use crate::{Expr, MatchCase, Pattern, Stmt, WithItem};
use rustpython_ast as ast;

/// An `if` that can be followed by `elif` and `else`.
#[derive(Debug, Clone, PartialEq)]
pub struct If {
    annotation: Annotation,
    branches: Vec<(Expr, Vec<Stmt>)>,
    orelse: Vec<Stmt>,
}

/// `if test: body`
///
/// ```
/// use astgen_pyast::{block, make::{if_, pass}, name, print};
/// let branch = if_(name("a"), [pass()]).elif(name("b"), [pass()]).else_([pass()]);
/// assert_eq!(print(&block![branch]), "if a:\n    pass\nelif b:\n    pass\nelse:\n    pass\n");
/// ```
#[must_use]
pub fn if_(test: impl IntoExpr, body: impl Statements) -> If {
    let branches = vec![(test.into_expr(), statements(body))];
    If { annotation: Annotation::default(), branches, orelse: Vec::new() }
}

impl If {
    /// `elif test: body`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{if_, pass}, name, print};
    /// let branch = if_(name("a"), [pass()]).elif(name("b"), [pass()]);
    /// assert_eq!(print(&block![branch]), "if a:\n    pass\nelif b:\n    pass\n");
    /// ```
    #[must_use]
    pub fn elif(mut self, test: impl IntoExpr, body: impl Statements) -> If {
        self.branches.push((test.into_expr(), statements(body)));
        self
    }

    /// `else: body`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{if_, pass}, name, print};
    /// let branch = if_(name("a"), [pass()]).else_([pass()]);
    /// assert_eq!(print(&block![branch]), "if a:\n    pass\nelse:\n    pass\n");
    /// ```
    #[must_use]
    pub fn else_(mut self, body: impl Statements) -> If {
        self.orelse = statements(body);
        self
    }
}

impl Statements for If {
    fn append_to(self, body: &mut Vec<Stmt>) {
        // `elif` is an `if` alone in the `else` of the one before.
        let mut orelse = self.orelse;
        for (test, body) in self.branches.into_iter().rev() {
            let (range, test) = (Annotation::default(), Box::new(test));
            orelse = vec![Stmt::If(ast::StmtIf { range, test, body, orelse })];
        }
        if let Some(Stmt::If(first)) = orelse.first_mut() {
            first.range = self.annotation;
        }
        body.extend(orelse);
    }
}

/// A `for` or `while` that can be followed by `else`.
#[derive(Debug, Clone, PartialEq)]
pub struct For {
    stmt: Stmt,
}

/// `for target in iter: body`
///
/// ```
/// use astgen_pyast::{block, make::{for_, pass}, name, print};
/// assert_eq!(print(&block![for_(name("x"), name("xs"), [pass()])]), "for x in xs:\n    pass\n");
/// ```
#[must_use]
pub fn for_(target: impl IntoExpr, iter: impl IntoExpr, body: impl Statements) -> For {
    let stmt = Stmt::For(ast::StmtFor {
        range: Annotation::default(),
        target: Box::new(store(target.into_expr())),
        iter: Box::new(iter.into_expr()),
        body: statements(body),
        orelse: Vec::new(),
        type_comment: None,
    });
    For { stmt }
}

/// `async for target in iter: body`
///
/// ```
/// use astgen_pyast::{block, make::{async_for, pass}, name, print};
/// let rows = async_for(name("x"), name("xs"), [pass()]);
/// assert_eq!(print(&block![rows]), "async for x in xs:\n    pass\n");
/// ```
#[must_use]
pub fn async_for(target: impl IntoExpr, iter: impl IntoExpr, body: impl Statements) -> For {
    let stmt = Stmt::AsyncFor(ast::StmtAsyncFor {
        range: Annotation::default(),
        target: Box::new(store(target.into_expr())),
        iter: Box::new(iter.into_expr()),
        body: statements(body),
        orelse: Vec::new(),
        type_comment: None,
    });
    For { stmt }
}

/// `while test: body`
///
/// ```
/// use astgen_pyast::{block, make::{pass, while_}, print};
/// assert_eq!(print(&block![while_(true, [pass()])]), "while True:\n    pass\n");
/// ```
#[must_use]
pub fn while_(test: impl IntoExpr, body: impl Statements) -> For {
    let stmt = Stmt::While(ast::StmtWhile {
        range: Annotation::default(),
        test: Box::new(test.into_expr()),
        body: statements(body),
        orelse: Vec::new(),
    });
    For { stmt }
}

impl For {
    /// `else: body`, run when the loop was not left by `break`.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{for_, pass}, name, print};
    /// let search = for_(name("x"), name("xs"), [pass()]).else_([pass()]);
    /// assert_eq!(print(&block![search]), "for x in xs:\n    pass\nelse:\n    pass\n");
    /// ```
    #[must_use]
    pub fn else_(mut self, body: impl Statements) -> For {
        if let Stmt::For(ast::StmtFor { orelse, .. })
        | Stmt::AsyncFor(ast::StmtAsyncFor { orelse, .. })
        | Stmt::While(ast::StmtWhile { orelse, .. }) = &mut self.stmt
        {
            *orelse = statements(body);
        }
        self
    }
}

impl Statements for For {
    fn append_to(self, body: &mut Vec<Stmt>) {
        body.push(self.stmt);
    }
}

/// A `with` that can take further items.
#[derive(Debug, Clone, PartialEq)]
pub struct With {
    annotation: Annotation,
    is_async: bool,
    items: Vec<WithItem>,
    body: Vec<Stmt>,
}

/// `with context: body`
///
/// ```
/// use astgen_pyast::{block, make::{pass, with}, name, print};
/// assert_eq!(print(&block![with(name("lock"), [pass()])]), "with lock:\n    pass\n");
/// ```
#[must_use]
pub fn with(context: impl IntoExpr, body: impl Statements) -> With {
    let items = vec![with_item(context.into_expr(), None)];
    With { annotation: Annotation::default(), is_async: false, items, body: statements(body) }
}

/// `with context as target: body`
///
/// ```
/// use astgen_pyast::{block, make::{pass, with_as}, name, print};
/// let file = with_as(name("opened"), name("file"), [pass()]);
/// assert_eq!(print(&block![file]), "with opened as file:\n    pass\n");
/// ```
#[must_use]
pub fn with_as(context: impl IntoExpr, target: impl IntoExpr, body: impl Statements) -> With {
    let items = vec![with_item(context.into_expr(), Some(target.into_expr()))];
    With { annotation: Annotation::default(), is_async: false, items, body: statements(body) }
}

/// `async with context: body`
///
/// ```
/// use astgen_pyast::{block, make::{async_with, pass}, name, print};
/// assert_eq!(print(&block![async_with(name("lock"), [pass()])]), "async with lock:\n    pass\n");
/// ```
#[must_use]
pub fn async_with(context: impl IntoExpr, body: impl Statements) -> With {
    With { is_async: true, ..with(context, body) }
}

/// `async with context as target: body`
///
/// ```
/// use astgen_pyast::{block, make::{async_with_as, pass}, name, print};
/// let session = async_with_as(name("made"), name("session"), [pass()]);
/// assert_eq!(print(&block![session]), "async with made as session:\n    pass\n");
/// ```
#[must_use]
pub fn async_with_as(context: impl IntoExpr, target: impl IntoExpr, body: impl Statements) -> With {
    With { is_async: true, ..with_as(context, target, body) }
}

fn with_item(context: Expr, target: Option<Expr>) -> WithItem {
    ast::WithItem {
        range: ast::EmptyRange::default(),
        context_expr: context,
        optional_vars: target.map(|target| Box::new(store(target))),
    }
}

impl With {
    /// A further context: `with a, b:`.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{pass, with}, name, print};
    /// let both = with(name("lock"), [pass()]).and(name("timer"));
    /// assert_eq!(print(&block![both]), "with lock, timer:\n    pass\n");
    /// ```
    #[must_use]
    pub fn and(mut self, context: impl IntoExpr) -> With {
        self.items.push(with_item(context.into_expr(), None));
        self
    }

    /// A further context with a target: `with a, b as target:`.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{pass, with}, name, print};
    /// let both = with(name("lock"), [pass()]).and_as(name("opened"), name("file"));
    /// assert_eq!(print(&block![both]), "with lock, opened as file:\n    pass\n");
    /// ```
    #[must_use]
    pub fn and_as(mut self, context: impl IntoExpr, target: impl IntoExpr) -> With {
        self.items.push(with_item(context.into_expr(), Some(target.into_expr())));
        self
    }
}

impl Statements for With {
    fn append_to(self, statements: &mut Vec<Stmt>) {
        let With { annotation: range, is_async, items, body } = self;
        let type_comment = None;
        statements.push(if is_async {
            Stmt::AsyncWith(ast::StmtAsyncWith { range, items, body, type_comment })
        } else {
            Stmt::With(ast::StmtWith { range, items, body, type_comment })
        });
    }
}

/// A `try` that takes handlers, `else` and `finally`.
#[derive(Debug, Clone, PartialEq)]
pub struct Try {
    stmt: ast::StmtTry<Annotation>,
}

/// `try: body`; it needs a handler or a `finally` to be Python.
///
/// ```
/// use astgen_pyast::{block, make::{pass, return_none, try_}, name, print};
/// let tried = try_([pass()]).except(name("OSError"), [return_none()]);
/// assert_eq!(print(&block![tried]), "try:\n    pass\nexcept OSError:\n    return\n");
/// ```
#[must_use]
pub fn try_(body: impl Statements) -> Try {
    let stmt = ast::StmtTry {
        range: Annotation::default(),
        body: statements(body),
        handlers: Vec::new(),
        orelse: Vec::new(),
        finalbody: Vec::new(),
    };
    Try { stmt }
}

impl Try {
    /// `except type_: body`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{pass, try_}, name, print};
    /// let tried = try_([pass()]).except(name("OSError"), [pass()]);
    /// assert_eq!(print(&block![tried]), "try:\n    pass\nexcept OSError:\n    pass\n");
    /// ```
    #[must_use]
    pub fn except(self, type_: impl IntoExpr, body: impl Statements) -> Try {
        self.handler(type_.into_expr(), None, statements(body))
    }

    /// `except type_ as name: body`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{pass, raise, try_}, name, print};
    /// let error = name("error");
    /// let tried = try_([pass()]).except_as(name("OSError"), error, [raise(error)]);
    /// assert_eq!(print(&block![tried]), "try:\n    pass\nexcept OSError as error:\n    raise error\n");
    /// ```
    #[must_use]
    pub fn except_as(
        self,
        type_: impl IntoExpr,
        name: impl Identifier,
        body: impl Statements,
    ) -> Try {
        let name = name.identifier().as_str().into();
        self.handler(type_.into_expr(), Some(name), statements(body))
    }

    fn handler(mut self, type_: Expr, name: Option<ast::Identifier>, body: Vec<Stmt>) -> Try {
        let handler = ast::ExceptHandlerExceptHandler {
            range: Annotation::default(),
            type_: Some(Box::new(type_)),
            name,
            body,
        };
        self.stmt.handlers.push(ast::ExceptHandler::ExceptHandler(handler));
        self
    }

    /// `else: body`, run when nothing was raised.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{pass, try_}, name, print};
    /// let tried = try_([pass()]).except(name("OSError"), [pass()]).else_([pass()]);
    /// assert!(print(&block![tried]).ends_with("except OSError:\n    pass\nelse:\n    pass\n"));
    /// ```
    #[must_use]
    pub fn else_(mut self, body: impl Statements) -> Try {
        self.stmt.orelse = statements(body);
        self
    }

    /// `finally: body`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{pass, try_}, print};
    /// let tried = try_([pass()]).finally([pass()]);
    /// assert_eq!(print(&block![tried]), "try:\n    pass\nfinally:\n    pass\n");
    /// ```
    #[must_use]
    pub fn finally(mut self, body: impl Statements) -> Try {
        self.stmt.finalbody = statements(body);
        self
    }
}

impl Statements for Try {
    fn append_to(self, body: &mut Vec<Stmt>) {
        body.push(Stmt::Try(self.stmt));
    }
}

/// `match subject: case …`
///
/// ```
/// use astgen_pyast::{make::{case, match_, pass}, name, print};
/// let chosen = match_(name("kind"), [case(Some("a"), [pass()]), case(None::<&str>, [pass()])]);
/// let text = "match kind:\n    case \"a\":\n        pass\n    case _:\n        pass\n";
/// assert_eq!(print(&[chosen]), text);
/// ```
#[must_use]
pub fn match_(subject: impl IntoExpr, cases: impl IntoIterator<Item = MatchCase>) -> Stmt {
    Stmt::Match(ast::StmtMatch {
        range: Annotation::default(),
        subject: Box::new(subject.into_expr()),
        cases: cases.into_iter().collect(),
    })
}

/// `case value: body`; without a value, `case _: body`.
///
/// ```
/// use astgen_pyast::{make::{case, match_, pass}, name, print};
/// let chosen = match_(name("n"), [case(Some(1), [pass()])]);
/// assert_eq!(print(&[chosen]), "match n:\n    case 1:\n        pass\n");
/// ```
#[must_use]
pub fn case(value: Option<impl IntoExpr>, body: impl Statements) -> MatchCase {
    let range = Annotation::default();
    let pattern = match value {
        Some(value) => {
            let value = Box::new(value.into_expr());
            Pattern::MatchValue(ast::PatternMatchValue { range, value })
        }
        None => Pattern::MatchAs(ast::PatternMatchAs { range, pattern: None, name: None }),
    };
    ast::MatchCase {
        range: ast::EmptyRange::default(),
        pattern,
        guard: None,
        body: statements(body),
    }
}

impl Commented for If {
    fn annotation_mut(&mut self) -> &mut Annotation {
        &mut self.annotation
    }
}

impl Commented for For {
    fn annotation_mut(&mut self) -> &mut Annotation {
        self.stmt.annotation_mut()
    }
}

impl Commented for With {
    fn annotation_mut(&mut self) -> &mut Annotation {
        &mut self.annotation
    }
}

impl Commented for Try {
    fn annotation_mut(&mut self) -> &mut Annotation {
        &mut self.stmt.range
    }
}

fn statements(body: impl Statements) -> Vec<Stmt> {
    let mut statements = Vec::new();
    body.append_to(&mut statements);
    statements
}
