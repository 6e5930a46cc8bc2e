//! Function definitions and their parameters.

use super::{Identifier, IntoExpr, Statements};
use crate::annotation::Annotation;
use crate::name::Name;
use crate::{Arguments, Expr, Stmt};
use rustpython_ast as ast;

/// A `def` or `async def`. Guards are transforms over this type.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDef {
    /// Comments and region.
    pub annotation: Annotation,
    /// Whether it is an `async def`.
    pub is_async: bool,
    /// Its name.
    pub name: Name,
    /// Decorators, outermost first.
    pub decorators: Vec<Expr>,
    /// Parameters, in source order.
    pub params: Vec<Param>,
    /// The annotation after `->`.
    pub returns: Option<Expr>,
    /// The statements; an empty body prints as `pass`.
    pub body: Vec<Stmt>,
}

/// One parameter, or one of the marks between parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// What the parameter takes.
    pub kind: ParamKind,
    /// Its name; the mark `*` has none.
    pub name: Option<Name>,
    /// The annotation after `:`.
    pub annotation: Option<Expr>,
    /// The default after `=`.
    pub default: Option<Expr>,
}

/// What a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamKind {
    /// One argument; by keyword only after a `*`.
    Plain,
    /// `*`, or `*args`.
    Star,
    /// `**kwargs`
    DoubleStar,
}

/// `def name(): …`
///
/// ```
/// use astgen_pyast::{block, make::{def, pass}, name, print};
/// assert_eq!(print(&block![def(name("f")).body([pass()])]), "def f():\n    pass\n");
/// ```
#[must_use]
pub fn def(name: impl Identifier) -> FunctionDef {
    FunctionDef {
        annotation: Annotation::default(),
        is_async: false,
        name: name.identifier(),
        decorators: Vec::new(),
        params: Vec::new(),
        returns: None,
        body: Vec::new(),
    }
}

/// `async def name(): …`
///
/// ```
/// use astgen_pyast::{block, make::{async_def, pass}, name, print};
/// assert_eq!(print(&block![async_def(name("f")).body([pass()])]), "async def f():\n    pass\n");
/// ```
#[must_use]
pub fn async_def(name: impl Identifier) -> FunctionDef {
    FunctionDef { is_async: true, ..def(name) }
}

/// `name: annotation`
///
/// ```
/// use astgen_pyast::{block, make::{def, param, pass}, name, print};
/// let f = def(name("f")).params([param(name("x"), name("int")).default(1)]).body([pass()]);
/// assert_eq!(print(&block![f]), "def f(x: int = 1):\n    pass\n");
/// ```
#[must_use]
pub fn param(name: impl Identifier, annotation: impl IntoExpr) -> Param {
    Param { annotation: Some(annotation.into_expr()), ..untyped(name) }
}

/// `name`, for `self`, `cls` and the parameters of a lambda.
///
/// ```
/// use astgen_pyast::{block, make::{def, pass, untyped}, name, print};
/// let f = def(name("f")).params([untyped("self")]).body([pass()]);
/// assert_eq!(print(&block![f]), "def f(self):\n    pass\n");
/// ```
#[must_use]
pub fn untyped(name: impl Identifier) -> Param {
    let name = Some(name.identifier());
    Param { kind: ParamKind::Plain, name, annotation: None, default: None }
}

/// `*`: what follows is passed by keyword only.
///
/// ```
/// use astgen_pyast::{block, make::{def, param, pass, star}, name, print};
/// let f = def(name("f")).params([star(), param(name("x"), name("int"))]).body([pass()]);
/// assert_eq!(print(&block![f]), "def f(*, x: int):\n    pass\n");
/// ```
#[must_use]
pub fn star() -> Param {
    Param { kind: ParamKind::Star, name: None, annotation: None, default: None }
}

/// `*name: annotation`
///
/// ```
/// use astgen_pyast::{block, make::{def, pass, varargs}, name, print};
/// let f = def(name("f")).params([varargs(name("xs"), name("int"))]).body([pass()]);
/// assert_eq!(print(&block![f]), "def f(*xs: int):\n    pass\n");
/// ```
#[must_use]
pub fn varargs(name: impl Identifier, annotation: impl IntoExpr) -> Param {
    Param { kind: ParamKind::Star, ..param(name, annotation) }
}

/// `**name: annotation`
///
/// ```
/// use astgen_pyast::{block, make::{def, kwargs, pass}, name, print};
/// let f = def(name("f")).params([kwargs(name("xs"), name("int"))]).body([pass()]);
/// assert_eq!(print(&block![f]), "def f(**xs: int):\n    pass\n");
/// ```
#[must_use]
pub fn kwargs(name: impl Identifier, annotation: impl IntoExpr) -> Param {
    Param { kind: ParamKind::DoubleStar, ..param(name, annotation) }
}

impl Param {
    /// `… = value`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{def, param}, name, print};
    /// let f = def(name("f")).params([param(name("x"), name("int")).default(1)]);
    /// assert_eq!(print(&block![f]), "def f(x: int = 1):\n    pass\n");
    /// ```
    #[must_use]
    pub fn default(mut self, value: impl IntoExpr) -> Param {
        self.default = Some(value.into_expr());
        self
    }
}

impl FunctionDef {
    /// `@decorator`, below the ones already there.
    ///
    /// ```
    /// use astgen_pyast::{block, make::def, name, print};
    /// let f = def(name("f")).decorator(name("cache"));
    /// assert_eq!(print(&block![f]), "@cache\ndef f():\n    pass\n");
    /// ```
    #[must_use]
    pub fn decorator(mut self, decorator: impl IntoExpr) -> FunctionDef {
        self.decorators.push(decorator.into_expr());
        self
    }

    /// Further parameters.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{def, param}, name, print};
    /// let f = def(name("f")).params([param(name("x"), name("int"))]);
    /// assert_eq!(print(&block![f]), "def f(x: int):\n    pass\n");
    /// ```
    #[must_use]
    pub fn params(mut self, params: impl IntoIterator<Item = Param>) -> FunctionDef {
        self.params.extend(params);
        self
    }

    /// `-> annotation`
    ///
    /// ```
    /// use astgen_pyast::{block, make::{def, none}, name, print};
    /// assert_eq!(print(&block![def(name("f")).returns(none())]), "def f() -> None:\n    pass\n");
    /// ```
    #[must_use]
    pub fn returns(mut self, annotation: impl IntoExpr) -> FunctionDef {
        self.returns = Some(annotation.into_expr());
        self
    }

    /// Further statements.
    ///
    /// ```
    /// use astgen_pyast::{block, make::{def, return_}, name, print};
    /// let f = def(name("f")).body([return_(1)]);
    /// assert_eq!(print(&block![f]), "def f():\n    return 1\n");
    /// ```
    #[must_use]
    pub fn body(mut self, body: impl Statements) -> FunctionDef {
        body.append_to(&mut self.body);
        self
    }
}

impl Statements for FunctionDef {
    fn append_to(self, statements: &mut Vec<Stmt>) {
        statements.push(self.into());
    }
}

impl From<FunctionDef> for Stmt {
    fn from(def: FunctionDef) -> Stmt {
        let FunctionDef { annotation, is_async, name, decorators, params, returns, mut body } = def;
        if body.is_empty() {
            body.push(super::pass());
        }
        let def = ast::StmtFunctionDef {
            range: annotation,
            name: name.as_str().into(),
            args: Box::new(arguments(params)),
            body,
            decorator_list: decorators,
            returns: returns.map(Box::new),
            type_comment: None,
            type_params: Vec::new(),
        };
        if !is_async {
            return Stmt::FunctionDef(def);
        }
        Stmt::AsyncFunctionDef(ast::StmtAsyncFunctionDef {
            range: def.range,
            name: def.name,
            args: def.args,
            body: def.body,
            decorator_list: def.decorator_list,
            returns: def.returns,
            type_comment: def.type_comment,
            type_params: def.type_params,
        })
    }
}

pub(super) fn arguments(params: impl IntoIterator<Item = Param>) -> Arguments {
    let mut arguments = Arguments::empty(ast::EmptyRange::default());
    let mut keyword_only = false;
    for Param { kind, name, annotation, default } in params {
        let def = name.map(|name| ast::Arg {
            range: Annotation::default(),
            arg: name.as_str().into(),
            annotation: annotation.map(Box::new),
            type_comment: None,
        });
        match (kind, def) {
            (ParamKind::Plain, Some(def)) => {
                let (range, default) = (ast::EmptyRange::default(), default.map(Box::new));
                let param = ast::ArgWithDefault { range, def, default };
                let list =
                    if keyword_only { &mut arguments.kwonlyargs } else { &mut arguments.args };
                list.push(param);
            }
            (ParamKind::Star, def) => {
                keyword_only = true;
                arguments.vararg = def.map(Box::new);
            }
            (ParamKind::DoubleStar, def) => arguments.kwarg = def.map(Box::new),
            (ParamKind::Plain, None) => (),
        }
    }
    arguments
}
