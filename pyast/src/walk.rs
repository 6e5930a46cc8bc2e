//! Walking a tree by reference, one level at a time.

use rustpython_ast::{
    Alias, Arg, Arguments, Comprehension, ExceptHandler, ExceptHandlerExceptHandler, Expr, Keyword,
    Pattern, Stmt, TypeParam,
};

/// A node that carries an annotation.
#[derive(Debug)]
pub enum Node<'a, R> {
    /// A statement.
    Stmt(&'a Stmt<R>),
    /// An expression.
    Expr(&'a Expr<R>),
    /// A pattern of a `case`.
    Pattern(&'a Pattern<R>),
    /// An `except` clause.
    ExceptHandler(&'a ExceptHandler<R>),
    /// A parameter.
    Arg(&'a Arg<R>),
    /// A keyword argument.
    Keyword(&'a Keyword<R>),
    /// A name of an import.
    Alias(&'a Alias<R>),
    /// A type parameter.
    TypeParam(&'a TypeParam<R>),
}

impl<R> Clone for Node<'_, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R> Copy for Node<'_, R> {}

/// Calls `visit` on every node below and including `node`, parents first.
///
/// ```
/// use astgen_pyast::{make::{Operand, do_}, name, walk::{Node, walk}};
/// let stmt = do_(name("f").call([]));
/// let mut nodes = 0;
/// walk(Node::Stmt(&stmt), &mut |_| nodes += 1);
/// assert_eq!(nodes, 3);
/// ```
pub fn walk<'a, R>(node: Node<'a, R>, visit: &mut dyn FnMut(Node<'a, R>)) {
    visit(node);
    children(node, &mut |child| walk(child, visit));
}

/// Calls `visit` on the nodes right below `node`, in the order of the source.
///
/// ```
/// use astgen_pyast::{make::pass, walk::{Node, children}};
/// children(Node::Stmt(&pass()), &mut |_| panic!("`pass` has no children"));
/// ```
pub fn children<'a, R>(node: Node<'a, R>, visit: &mut dyn FnMut(Node<'a, R>)) {
    match node {
        Node::Stmt(stmt) => statement(stmt, visit),
        Node::Expr(expr) => expression(expr, visit),
        Node::Pattern(pattern) => self::pattern(pattern, visit),
        Node::ExceptHandler(ExceptHandler::ExceptHandler(handler)) => {
            let ExceptHandlerExceptHandler { range: _, type_, name: _, body } = handler;
            optional(type_.as_deref(), visit);
            body.iter().for_each(|stmt| visit(Node::Stmt(stmt)));
        }
        Node::Arg(arg) => optional(arg.annotation.as_deref(), visit),
        Node::Keyword(keyword) => visit(Node::Expr(&keyword.value)),
        Node::Alias(_) => (),
        Node::TypeParam(TypeParam::TypeVar(param)) => optional(param.bound.as_deref(), visit),
        Node::TypeParam(TypeParam::ParamSpec(_) | TypeParam::TypeVarTuple(_)) => (),
    }
}

/// Calls `visit` on the parameters of a function, with their annotations below them, and defaults.
///
/// ```
/// use astgen_pyast::{Expr, make::lambda, name, walk::parameters};
/// let Expr::Lambda(lambda) = lambda([name("x")], 1) else { unreachable!() };
/// let mut params = 0;
/// parameters(&lambda.args, &mut |_| params += 1);
/// assert_eq!(params, 1);
/// ```
pub fn parameters<'a, R>(args: &'a Arguments<R>, visit: &mut dyn FnMut(Node<'a, R>)) {
    let Arguments { range: _, posonlyargs, args, vararg, kwonlyargs, kwarg } = args;
    for param in posonlyargs.iter().chain(args) {
        visit(Node::Arg(&param.def));
        optional(param.default.as_deref(), visit);
    }
    if let Some(vararg) = vararg {
        visit(Node::Arg(vararg));
    }
    for param in kwonlyargs {
        visit(Node::Arg(&param.def));
        optional(param.default.as_deref(), visit);
    }
    if let Some(kwarg) = kwarg {
        visit(Node::Arg(kwarg));
    }
}

fn optional<'a, R>(expr: Option<&'a Expr<R>>, visit: &mut dyn FnMut(Node<'a, R>)) {
    if let Some(expr) = expr {
        visit(Node::Expr(expr));
    }
}

fn expressions<'a, R>(exprs: &'a [Expr<R>], visit: &mut dyn FnMut(Node<'a, R>)) {
    exprs.iter().for_each(|expr| visit(Node::Expr(expr)));
}

fn body<'a, R>(body: &'a [Stmt<R>], visit: &mut dyn FnMut(Node<'a, R>)) {
    body.iter().for_each(|stmt| visit(Node::Stmt(stmt)));
}

fn statement<'a, R>(stmt: &'a Stmt<R>, visit: &mut dyn FnMut(Node<'a, R>)) {
    macro_rules! function {
        ($def:expr) => {{
            expressions(&$def.decorator_list, visit);
            $def.type_params.iter().for_each(|param| visit(Node::TypeParam(param)));
            parameters(&$def.args, visit);
            optional($def.returns.as_deref(), visit);
            body(&$def.body, visit);
        }};
    }
    macro_rules! for_loop {
        ($stmt:expr) => {{
            visit(Node::Expr(&$stmt.target));
            visit(Node::Expr(&$stmt.iter));
            body(&$stmt.body, visit);
            body(&$stmt.orelse, visit);
        }};
    }
    macro_rules! with {
        ($stmt:expr) => {{
            for item in &$stmt.items {
                visit(Node::Expr(&item.context_expr));
                optional(item.optional_vars.as_deref(), visit);
            }
            body(&$stmt.body, visit);
        }};
    }
    macro_rules! try_stmt {
        ($stmt:expr) => {{
            body(&$stmt.body, visit);
            $stmt.handlers.iter().for_each(|handler| visit(Node::ExceptHandler(handler)));
            body(&$stmt.orelse, visit);
            body(&$stmt.finalbody, visit);
        }};
    }
    match stmt {
        Stmt::FunctionDef(def) => function!(def),
        Stmt::AsyncFunctionDef(def) => function!(def),
        Stmt::ClassDef(def) => {
            expressions(&def.decorator_list, visit);
            def.type_params.iter().for_each(|param| visit(Node::TypeParam(param)));
            expressions(&def.bases, visit);
            def.keywords.iter().for_each(|keyword| visit(Node::Keyword(keyword)));
            body(&def.body, visit);
        }
        Stmt::Return(stmt) => optional(stmt.value.as_deref(), visit),
        Stmt::Delete(stmt) => expressions(&stmt.targets, visit),
        Stmt::Assign(stmt) => {
            expressions(&stmt.targets, visit);
            visit(Node::Expr(&stmt.value));
        }
        Stmt::TypeAlias(stmt) => {
            visit(Node::Expr(&stmt.name));
            stmt.type_params.iter().for_each(|param| visit(Node::TypeParam(param)));
            visit(Node::Expr(&stmt.value));
        }
        Stmt::AugAssign(stmt) => {
            visit(Node::Expr(&stmt.target));
            visit(Node::Expr(&stmt.value));
        }
        Stmt::AnnAssign(stmt) => {
            visit(Node::Expr(&stmt.target));
            visit(Node::Expr(&stmt.annotation));
            optional(stmt.value.as_deref(), visit);
        }
        Stmt::For(stmt) => for_loop!(stmt),
        Stmt::AsyncFor(stmt) => for_loop!(stmt),
        Stmt::While(stmt) => {
            visit(Node::Expr(&stmt.test));
            body(&stmt.body, visit);
            body(&stmt.orelse, visit);
        }
        Stmt::If(stmt) => {
            visit(Node::Expr(&stmt.test));
            body(&stmt.body, visit);
            body(&stmt.orelse, visit);
        }
        Stmt::With(stmt) => with!(stmt),
        Stmt::AsyncWith(stmt) => with!(stmt),
        Stmt::Match(stmt) => {
            visit(Node::Expr(&stmt.subject));
            for case in &stmt.cases {
                visit(Node::Pattern(&case.pattern));
                optional(case.guard.as_deref(), visit);
                body(&case.body, visit);
            }
        }
        Stmt::Raise(stmt) => {
            optional(stmt.exc.as_deref(), visit);
            optional(stmt.cause.as_deref(), visit);
        }
        Stmt::Try(stmt) => try_stmt!(stmt),
        Stmt::TryStar(stmt) => try_stmt!(stmt),
        Stmt::Assert(stmt) => {
            visit(Node::Expr(&stmt.test));
            optional(stmt.msg.as_deref(), visit);
        }
        Stmt::Import(stmt) => stmt.names.iter().for_each(|alias| visit(Node::Alias(alias))),
        Stmt::ImportFrom(stmt) => stmt.names.iter().for_each(|alias| visit(Node::Alias(alias))),
        Stmt::Expr(stmt) => visit(Node::Expr(&stmt.value)),
        Stmt::Global(_)
        | Stmt::Nonlocal(_)
        | Stmt::Pass(_)
        | Stmt::Break(_)
        | Stmt::Continue(_) => (),
    }
}

fn expression<'a, R>(expr: &'a Expr<R>, visit: &mut dyn FnMut(Node<'a, R>)) {
    match expr {
        Expr::BoolOp(expr) => expressions(&expr.values, visit),
        Expr::NamedExpr(expr) => {
            visit(Node::Expr(&expr.target));
            visit(Node::Expr(&expr.value));
        }
        Expr::BinOp(expr) => {
            visit(Node::Expr(&expr.left));
            visit(Node::Expr(&expr.right));
        }
        Expr::UnaryOp(expr) => visit(Node::Expr(&expr.operand)),
        Expr::Lambda(expr) => {
            parameters(&expr.args, visit);
            visit(Node::Expr(&expr.body));
        }
        Expr::IfExp(expr) => {
            visit(Node::Expr(&expr.body));
            visit(Node::Expr(&expr.test));
            visit(Node::Expr(&expr.orelse));
        }
        Expr::Dict(expr) => {
            for (key, value) in expr.keys.iter().zip(&expr.values) {
                optional(key.as_ref(), visit);
                visit(Node::Expr(value));
            }
        }
        Expr::Set(expr) => expressions(&expr.elts, visit),
        Expr::ListComp(expr) => comprehension(&[&expr.elt], &expr.generators, visit),
        Expr::SetComp(expr) => comprehension(&[&expr.elt], &expr.generators, visit),
        Expr::DictComp(expr) => comprehension(&[&expr.key, &expr.value], &expr.generators, visit),
        Expr::GeneratorExp(expr) => comprehension(&[&expr.elt], &expr.generators, visit),
        Expr::Await(expr) => visit(Node::Expr(&expr.value)),
        Expr::Yield(expr) => optional(expr.value.as_deref(), visit),
        Expr::YieldFrom(expr) => visit(Node::Expr(&expr.value)),
        Expr::Compare(expr) => {
            visit(Node::Expr(&expr.left));
            expressions(&expr.comparators, visit);
        }
        Expr::Call(expr) => {
            visit(Node::Expr(&expr.func));
            expressions(&expr.args, visit);
            expr.keywords.iter().for_each(|keyword| visit(Node::Keyword(keyword)));
        }
        Expr::FormattedValue(expr) => {
            visit(Node::Expr(&expr.value));
            optional(expr.format_spec.as_deref(), visit);
        }
        Expr::JoinedStr(expr) => expressions(&expr.values, visit),
        Expr::Attribute(expr) => visit(Node::Expr(&expr.value)),
        Expr::Subscript(expr) => {
            visit(Node::Expr(&expr.value));
            visit(Node::Expr(&expr.slice));
        }
        Expr::Starred(expr) => visit(Node::Expr(&expr.value)),
        Expr::List(expr) => expressions(&expr.elts, visit),
        Expr::Tuple(expr) => expressions(&expr.elts, visit),
        Expr::Slice(expr) => {
            optional(expr.lower.as_deref(), visit);
            optional(expr.upper.as_deref(), visit);
            optional(expr.step.as_deref(), visit);
        }
        Expr::Name(_) | Expr::Constant(_) => (),
    }
}

fn comprehension<'a, R>(
    elements: &[&'a Expr<R>],
    clauses: &'a [Comprehension<R>],
    visit: &mut dyn FnMut(Node<'a, R>),
) {
    elements.iter().for_each(|element| visit(Node::Expr(element)));
    for Comprehension { range: _, target, iter, ifs, is_async: _ } in clauses {
        visit(Node::Expr(target));
        visit(Node::Expr(iter));
        expressions(ifs, visit);
    }
}

fn pattern<'a, R>(pattern: &'a Pattern<R>, visit: &mut dyn FnMut(Node<'a, R>)) {
    let mut patterns =
        |patterns: &'a [Pattern<R>]| patterns.iter().for_each(|one| visit(Node::Pattern(one)));
    match pattern {
        Pattern::MatchValue(pattern) => visit(Node::Expr(&pattern.value)),
        Pattern::MatchSequence(pattern) => patterns(&pattern.patterns),
        Pattern::MatchMapping(pattern) => {
            for (key, value) in pattern.keys.iter().zip(&pattern.patterns) {
                visit(Node::Expr(key));
                visit(Node::Pattern(value));
            }
        }
        Pattern::MatchClass(pattern) => {
            visit(Node::Expr(&pattern.cls));
            pattern
                .patterns
                .iter()
                .chain(&pattern.kwd_patterns)
                .for_each(|one| visit(Node::Pattern(one)));
        }
        Pattern::MatchAs(pattern) => {
            if let Some(inner) = &pattern.pattern {
                visit(Node::Pattern(inner));
            }
        }
        Pattern::MatchOr(pattern) => patterns(&pattern.patterns),
        Pattern::MatchSingleton(_) | Pattern::MatchStar(_) => (),
    }
}
