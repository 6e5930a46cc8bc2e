//! Statements.

use super::expression::{arguments, expr, name, parameters, single_target, target};
use super::literal::{constant, docstring};
use super::{identifier, identifiers, maybe, maybe_boxed, pattern};
use crate::print::print;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustpython_ast::{
    Alias, Constant, ExceptHandler, ExceptHandlerExceptHandler, Expr, ExprContext, Identifier, Int,
    MatchCase, Operator, Stmt, StmtAnnAssign, StmtAssert, StmtAssign, StmtAsyncFor,
    StmtAsyncFunctionDef, StmtAsyncWith, StmtAugAssign, StmtBreak, StmtClassDef, StmtContinue,
    StmtDelete, StmtExpr, StmtFor, StmtFunctionDef, StmtGlobal, StmtIf, StmtImport, StmtImportFrom,
    StmtMatch, StmtNonlocal, StmtPass, StmtRaise, StmtReturn, StmtTry, StmtTryStar, StmtTypeAlias,
    StmtWhile, StmtWith, TypeParam, TypeParamParamSpec, TypeParamTypeVar, TypeParamTypeVarTuple,
    WithItem,
};

type Strat = BoxedStrategy<Stmt<()>>;

/// Any statement.
///
/// ```
/// # use proptest::prelude::*;
/// use astgen_pyast::arbitrary;
/// proptest!(|(stmt in arbitrary::stmt())| prop_assert_eq!(&stmt, &stmt.clone()));
/// ```
pub fn stmt() -> impl Strategy<Value = Stmt<()>> {
    statement(true)
}

/// Any statement that Python 3.11 knows: no type parameters, no `type` statement.
///
/// ```
/// # use proptest::prelude::*;
/// use astgen_pyast::arbitrary;
/// proptest!(|(stmt in arbitrary::stmt_without_new_grammar())| {
///     prop_assert!(!stmt.is_type_alias_stmt());
/// });
/// ```
pub fn stmt_without_new_grammar() -> impl Strategy<Value = Stmt<()>> {
    statement(false)
}

fn statement(is_new: bool) -> impl Strategy<Value = Stmt<()>> {
    let simple =
        if is_new { prop_oneof![20 => simple(), 1 => type_alias()].boxed() } else { simple() };
    simple.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![definitions(inner.clone(), is_new), loops(inner.clone()), others(inner)].boxed()
    })
}

fn simple() -> Strat {
    prop_oneof![6 => assignments(), 3 => imports(), 4 => keywords()].boxed()
}

fn assignments() -> Strat {
    let assign = (vec(target(), 1..3), expr());
    let augmented =
        (single_target(), select(&[Operator::Add, Operator::BitOr, Operator::Pow][..]), expr());
    let annotated = (single_target(), expr(), maybe_boxed(expr()));
    prop_oneof![
        assign.prop_map(|(targets, value)| {
            Stmt::Assign(StmtAssign { range: (), targets, value: value.into(), type_comment: None })
        }),
        augmented.prop_map(|(target, op, value)| {
            Stmt::AugAssign(StmtAugAssign {
                range: (),
                target: target.into(),
                op,
                value: value.into(),
            })
        }),
        annotated.prop_map(|(target, annotation, value)| {
            // A parser that keeps apart `a: int` and `(a): int` would allow more.
            let simple = target.is_name_expr();
            let (target, annotation) = (target.into(), annotation.into());
            Stmt::AnnAssign(StmtAnnAssign { range: (), target, annotation, value, simple })
        }),
        expr().prop_map(expression),
    ]
    .prop_filter("the parser takes it for a match statement", |stmt| !opens_with_soft_keyword(stmt))
    .boxed()
}

/// `match[a]: b` is an annotation, and `match[a] or lambda: b` an expression.
fn opens_with_soft_keyword(stmt: &Stmt<()>) -> bool {
    let text = print(std::slice::from_ref(stmt));
    ["match", "case", "type"].iter().any(|keyword| text.starts_with(keyword))
}

fn expression(value: Expr<()>) -> Stmt<()> {
    Stmt::Expr(StmtExpr { range: (), value: value.into() })
}

fn imports() -> Strat {
    let dotted = vec(identifier(), 1..3).prop_map(|parts| {
        Identifier::new(parts.iter().map(Identifier::as_str).collect::<Vec<_>>().join("."))
    });
    let dotted = dotted.boxed();
    let alias = |name: BoxedStrategy<Identifier>| {
        (name, maybe(identifier())).prop_map(|(name, asname)| Alias { range: (), name, asname })
    };
    let star = Just(vec![Alias { range: (), name: Identifier::new("*"), asname: None }]);
    let names = prop_oneof![8 => vec(alias(identifier().boxed()), 1..4), 1 => star];
    let import_from = (maybe(dotted.clone()), names, 0..5_u32);
    prop_oneof![
        vec(alias(dotted.boxed()), 1..3)
            .prop_map(|names| Stmt::Import(StmtImport { range: (), names })),
        import_from.prop_map(|(module, names, level)| {
            let level = Some(Int::new(if module.is_none() { level.max(1) } else { level }));
            Stmt::ImportFrom(StmtImportFrom { range: (), module, names, level })
        }),
    ]
    .boxed()
}

fn keywords() -> Strat {
    let raise = prop_oneof![
        Just((None, None)),
        (expr(), maybe_boxed(expr())).prop_map(|(exc, cause)| (Some(Box::new(exc)), cause)),
    ];
    prop_oneof![
        maybe_boxed(expr()).prop_map(|value| Stmt::Return(StmtReturn { range: (), value })),
        raise.prop_map(|(exc, cause)| Stmt::Raise(StmtRaise { range: (), exc, cause })),
        (expr(), maybe_boxed(expr())).prop_map(|(test, msg)| {
            Stmt::Assert(StmtAssert { range: (), test: test.into(), msg })
        }),
        vec(identifier(), 1..3).prop_map(|names| {
            let targets = names.into_iter().map(|id| name(id, ExprContext::Del)).collect();
            Stmt::Delete(StmtDelete { range: (), targets })
        }),
        vec(identifier(), 1..4).prop_map(|names| Stmt::Global(StmtGlobal { range: (), names })),
        vec(identifier(), 1..4).prop_map(|names| Stmt::Nonlocal(StmtNonlocal { range: (), names })),
        Just(Stmt::Pass(StmtPass { range: () })),
        Just(Stmt::Break(StmtBreak { range: () })),
        Just(Stmt::Continue(StmtContinue { range: () })),
    ]
    .boxed()
}

fn type_alias() -> Strat {
    let alias = (identifier(), type_parameters(true), expr());
    alias
        .prop_map(|(id, type_params, value)| {
            let name = name(id, ExprContext::Store).into();
            Stmt::TypeAlias(StmtTypeAlias { range: (), name, type_params, value: value.into() })
        })
        .boxed()
}

fn type_parameters(is_new: bool) -> BoxedStrategy<Vec<TypeParam<()>>> {
    if !is_new {
        return Just(Vec::new()).boxed();
    }
    let kinds = vec((0..3, maybe_boxed(expr())), 3);
    (identifiers(0..3), kinds)
        .prop_map(|(names, kinds)| {
            let parameter = |(name, (kind, bound))| match kind {
                0 => TypeParam::TypeVar(TypeParamTypeVar { range: (), name, bound }),
                1 => TypeParam::ParamSpec(TypeParamParamSpec { range: (), name }),
                _ => TypeParam::TypeVarTuple(TypeParamTypeVarTuple { range: (), name }),
            };
            names.into_iter().zip(kinds).map(parameter).collect()
        })
        .boxed()
}

fn block(inner: Strat) -> impl Strategy<Value = Vec<Stmt<()>>> {
    vec(inner, 1..4)
}

fn documented(inner: Strat) -> impl Strategy<Value = Vec<Stmt<()>>> {
    let docstring = docstring().prop_map(|text| expression(constant(Constant::Str(text))));
    let stub = expression(constant(Constant::Ellipsis));
    let body = (maybe(docstring), block(inner))
        .prop_map(|(docstring, body)| docstring.into_iter().chain(body).collect());
    prop_oneof![8 => body, 1 => Just(vec![stub])]
}

fn definitions(inner: Strat, is_new: bool) -> Strat {
    let function = || {
        let parameters = parameters(expr().boxed(), true).prop_map(Box::new);
        let decorators = vec(expr(), 0..2);
        (
            identifier(),
            parameters,
            documented(inner.clone()),
            decorators,
            maybe_boxed(expr()),
            type_parameters(is_new),
        )
    };
    let class = (
        identifier(),
        arguments(expr().boxed()),
        documented(inner.clone()),
        vec(expr(), 0..2),
        type_parameters(is_new),
    );
    prop_oneof![
        function().prop_map(|(name, args, body, decorator_list, returns, type_params)| {
            Stmt::FunctionDef(StmtFunctionDef {
                range: (),
                name,
                args,
                body,
                decorator_list,
                returns,
                type_comment: None,
                type_params,
            })
        }),
        function().prop_map(|(name, args, body, decorator_list, returns, type_params)| {
            Stmt::AsyncFunctionDef(StmtAsyncFunctionDef {
                range: (),
                name,
                args,
                body,
                decorator_list,
                returns,
                type_comment: None,
                type_params,
            })
        }),
        class.prop_map(|(name, (bases, keywords), body, decorator_list, type_params)| {
            Stmt::ClassDef(StmtClassDef {
                range: (),
                name,
                bases,
                keywords,
                body,
                decorator_list,
                type_params,
            })
        }),
    ]
    .boxed()
}

fn loops(inner: Strat) -> Strat {
    let orelse = || prop_oneof![2 => Just(Vec::new()), 1 => block(inner.clone())];
    let for_ =
        || (target().prop_map(Box::new), expr().prop_map(Box::new), block(inner.clone()), orelse());
    let test = || expr().prop_map(Box::new);
    prop_oneof![
        for_().prop_map(|(target, iter, body, orelse)| Stmt::For(StmtFor {
            range: (),
            target,
            iter,
            body,
            orelse,
            type_comment: None
        })),
        for_().prop_map(|(target, iter, body, orelse)| Stmt::AsyncFor(StmtAsyncFor {
            range: (),
            target,
            iter,
            body,
            orelse,
            type_comment: None
        })),
        (test(), block(inner.clone()), orelse()).prop_map(|(test, body, orelse)| Stmt::While(
            StmtWhile { range: (), test, body, orelse }
        )),
        (test(), block(inner.clone()), orelse())
            .prop_map(|(test, body, orelse)| Stmt::If(StmtIf { range: (), test, body, orelse })),
    ]
    .boxed()
}

fn others(inner: Strat) -> Strat {
    let items = || {
        vec((expr(), maybe_boxed(target())), 1..3).prop_map(|items| {
            let item = |(context_expr, optional_vars)| WithItem {
                range: Default::default(),
                context_expr,
                optional_vars,
            };
            items.into_iter().map(item).collect()
        })
    };
    let with = || (items(), block(inner.clone()));
    let case = (pattern(), maybe_boxed(expr()), block(inner.clone()));
    let case = case.prop_map(|(pattern, guard, body)| MatchCase {
        range: Default::default(),
        pattern,
        guard,
        body,
    });
    prop_oneof![
        with().prop_map(|(items, body)| Stmt::With(StmtWith {
            range: (),
            items,
            body,
            type_comment: None
        })),
        with().prop_map(|(items, body)| Stmt::AsyncWith(StmtAsyncWith {
            range: (),
            items,
            body,
            type_comment: None
        })),
        (expr(), vec(case, 1..3)).prop_map(|(subject, cases)| Stmt::Match(StmtMatch {
            range: (),
            subject: subject.into(),
            cases
        })),
        try_(inner.clone(), true),
        try_(inner, false),
    ]
    .boxed()
}

fn try_(inner: Strat, is_star: bool) -> impl Strategy<Value = Stmt<()>> {
    let handler = (expr().prop_map(Box::new), maybe(identifier()), block(inner.clone()));
    let handler = handler.prop_map(|(type_, name, body)| {
        ExceptHandler::ExceptHandler(ExceptHandlerExceptHandler {
            range: (),
            type_: Some(type_),
            name,
            body,
        })
    });
    let optional = || prop_oneof![Just(Vec::new()), block(inner.clone())];
    let parts = (block(inner.clone()), vec(handler, 0..3), optional(), block(inner.clone()));
    parts.prop_map(move |(body, handlers, orelse, last)| {
        let (orelse, finalbody) =
            if handlers.is_empty() { (Vec::new(), last) } else { (orelse, Vec::new()) };
        // Without handlers there is nothing to tell the two apart.
        if is_star && !handlers.is_empty() {
            Stmt::TryStar(StmtTryStar { range: (), body, handlers, orelse, finalbody })
        } else {
            Stmt::Try(StmtTry { range: (), body, handlers, orelse, finalbody })
        }
    })
}
