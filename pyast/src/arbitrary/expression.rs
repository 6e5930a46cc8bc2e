//! Expressions.

use super::fstring::fstring;
use super::literal::{constant, literal, number};
use super::{identifier, identifiers, maybe, maybe_boxed};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use rustpython_ast::{
    Arg, ArgWithDefault, Arguments, BoolOp, CmpOp, Comprehension, Expr, ExprAttribute, ExprAwait,
    ExprBinOp, ExprBoolOp, ExprCall, ExprCompare, ExprContext, ExprDict, ExprDictComp,
    ExprGeneratorExp, ExprIfExp, ExprLambda, ExprList, ExprListComp, ExprName, ExprNamedExpr,
    ExprSet, ExprSetComp, ExprSlice, ExprStarred, ExprSubscript, ExprTuple, ExprUnaryOp, ExprYield,
    ExprYieldFrom, Identifier, Keyword, Operator, UnaryOp,
};

type Strat = BoxedStrategy<Expr<()>>;

/// Any expression.
///
/// ```
/// # use proptest::prelude::*;
/// use astgen_pyast::arbitrary;
/// proptest!(|(expr in arbitrary::expr())| prop_assert_eq!(&expr, &expr.clone()));
/// ```
pub fn expr() -> impl Strategy<Value = Expr<()>> {
    prop_oneof![4 => atoms(), 4 => literal(), 1 => fstring()].prop_recursive(4, 40, 5, compounds)
}

/// What an assignment, a loop or a `with` can bind.
///
/// ```
/// # use proptest::prelude::*;
/// use astgen_pyast::arbitrary;
/// proptest!(|(target in arbitrary::target())| prop_assert!(!target.is_call_expr()));
/// ```
pub fn target() -> impl Strategy<Value = Expr<()>> {
    single_target().prop_recursive(2, 6, 3, |target| {
        let element =
            prop_oneof![5 => target.clone(), 1 => target.prop_map(starred(ExprContext::Store))];
        prop_oneof![
            vec(element.clone(), 1..4).prop_map(|elts| tuple(elts, ExprContext::Store)),
            vec(element, 1..4).prop_map(|elts| list(elts, ExprContext::Store)),
        ]
    })
}

/// A name, an attribute or a subscript.
pub fn single_target() -> impl Strategy<Value = Expr<()>> {
    let value = || atoms().prop_recursive(2, 4, 2, compounds);
    prop_oneof![
        3 => identifier().prop_map(|id| name(id, ExprContext::Store)),
        1 => (value(), identifier()).prop_map(|(value, attr)| attribute(value, attr, ExprContext::Store)),
        1 => (value(), value()).prop_map(|(value, slice)| subscript(value, slice, ExprContext::Store)),
    ]
}

/// Names and numbers.
pub fn atoms() -> impl Strategy<Value = Expr<()>> {
    prop_oneof![
        4 => identifier().prop_map(|id| name(id, ExprContext::Load)),
        1 => number().prop_map(constant),
    ]
}

/// Whatever is made of other expressions.
pub fn compounds(inner: Strat) -> Strat {
    prop_oneof![
        operators(inner.clone()),
        chains(inner.clone()),
        displays(inner.clone()),
        others(inner)
    ]
    .boxed()
}

fn operators(inner: Strat) -> Strat {
    let binary = (inner.clone(), select(OPERATORS), inner.clone());
    let boolean = (select(&[BoolOp::And, BoolOp::Or][..]), vec(inner.clone(), 2..4));
    let unary =
        (select(&[UnaryOp::Invert, UnaryOp::Not, UnaryOp::UAdd, UnaryOp::USub][..]), inner.clone());
    let compare = (inner.clone(), vec((select(COMPARISONS), inner), 1..3));
    prop_oneof![
        3 => binary.prop_map(|(left, op, right)| Expr::BinOp(ExprBinOp { range: (), left: left.into(), op, right: right.into() })),
        2 => boolean.prop_map(|(op, values)| Expr::BoolOp(ExprBoolOp { range: (), op, values })),
        1 => unary.prop_map(|(op, operand)| Expr::UnaryOp(ExprUnaryOp { range: (), op, operand: operand.into() })),
        1 => compare.prop_map(|(left, rest)| {
            let (ops, comparators) = rest.into_iter().unzip();
            Expr::Compare(ExprCompare { range: (), left: left.into(), ops, comparators })
        }),
    ]
    .boxed()
}

fn chains(inner: Strat) -> Strat {
    let attribute = (inner.clone(), identifier());
    let subscript = (inner.clone(), index(inner.clone()));
    prop_oneof![
        attribute.prop_map(|(value, attr)| self::attribute(value, attr, ExprContext::Load)),
        subscript.prop_map(|(value, slice)| self::subscript(value, slice, ExprContext::Load)),
        (inner.clone(), arguments(inner)).prop_map(|(func, (args, keywords))| {
            Expr::Call(ExprCall { range: (), func: func.into(), args, keywords })
        }),
    ]
    .boxed()
}

/// Positional arguments, some of them starred, and keywords.
pub fn arguments(inner: Strat) -> impl Strategy<Value = (Vec<Expr<()>>, Vec<Keyword<()>>)> {
    let keywords = (identifiers(0..3), vec(inner.clone(), 3), maybe(inner.clone()));
    let keywords = keywords.prop_map(|(names, values, rest)| {
        let names = names.into_iter().map(Some);
        let named = names.zip(values).map(|(arg, value)| Keyword { range: (), arg, value });
        let rest = rest.map(|value| Keyword { range: (), arg: None, value });
        named.chain(rest).collect()
    });
    (vec(element(inner), 0..4), keywords)
}

fn index(inner: Strat) -> impl Strategy<Value = Expr<()>> {
    let slice =
        (maybe_boxed(inner.clone()), maybe_boxed(inner.clone()), maybe_boxed(inner.clone()));
    let slice = slice
        .prop_map(|(lower, upper, step)| Expr::Slice(ExprSlice { range: (), lower, upper, step }));
    let part = prop_oneof![inner.clone(), slice];
    let parts = vec(part.clone(), 1..4).prop_map(|elts| tuple(elts, ExprContext::Load));
    prop_oneof![3 => part, 1 => parts]
}

fn displays(inner: Strat) -> Strat {
    let elements = vec(element(inner.clone()), 0..4).boxed();
    let items = vec((prop::option::weighted(0.9, inner.clone()), inner.clone()), 0..4);
    prop_oneof![
        elements.clone().prop_map(|elts| tuple(elts, ExprContext::Load)),
        elements.clone().prop_map(|elts| list(elts, ExprContext::Load)),
        vec(element(inner.clone()), 1..4).prop_map(|elts| Expr::Set(ExprSet { range: (), elts })),
        items.prop_map(|items| {
            let (keys, values) = items.into_iter().unzip();
            Expr::Dict(ExprDict { range: (), keys, values })
        }),
        comprehensions(inner),
    ]
    .boxed()
}

fn comprehensions(inner: Strat) -> impl Strategy<Value = Expr<()>> {
    let generators = || generators(inner.clone());
    let elt = || inner.clone().prop_map(Box::new);
    prop_oneof![
        (elt(), generators()).prop_map(|(elt, generators)| Expr::ListComp(ExprListComp {
            range: (),
            elt,
            generators
        })),
        (elt(), generators()).prop_map(|(elt, generators)| Expr::SetComp(ExprSetComp {
            range: (),
            elt,
            generators
        })),
        (elt(), generators()).prop_map(|(elt, generators)| Expr::GeneratorExp(ExprGeneratorExp {
            range: (),
            elt,
            generators
        })),
        (elt(), elt(), generators()).prop_map(|(key, value, generators)| {
            Expr::DictComp(ExprDictComp { range: (), key, value, generators })
        }),
    ]
}

fn generators(inner: Strat) -> impl Strategy<Value = Vec<Comprehension<()>>> {
    let name = identifier().prop_map(|id| name(id, ExprContext::Store)).boxed();
    let names = vec(name.clone(), 1..3).prop_map(|elts| tuple(elts, ExprContext::Store));
    let clause = (prop_oneof![name, names], inner.clone(), vec(inner, 0..2), any::<bool>());
    let clause = clause.prop_map(|(target, iter, ifs, is_async)| Comprehension {
        range: Default::default(),
        target,
        iter,
        ifs,
        is_async,
    });
    vec(clause, 1..3)
}

fn others(inner: Strat) -> Strat {
    let boxed = || inner.clone().prop_map(Box::new);
    let conditional = (boxed(), boxed(), boxed());
    let named = (identifier(), boxed());
    prop_oneof![
        2 => conditional.prop_map(|(test, body, orelse)| Expr::IfExp(ExprIfExp { range: (), test, body, orelse })),
        1 => (parameters(inner.clone(), false), boxed()).prop_map(|(args, body)| {
            Expr::Lambda(ExprLambda { range: (), args: args.into(), body })
        }),
        1 => named.prop_map(|(id, value)| {
            let target = name(id, ExprContext::Store).into();
            Expr::NamedExpr(ExprNamedExpr { range: (), target, value })
        }),
        1 => boxed().prop_map(|value| Expr::Await(ExprAwait { range: (), value })),
        1 => maybe(boxed()).prop_map(|value| Expr::Yield(ExprYield { range: (), value })),
        1 => boxed().prop_map(|value| Expr::YieldFrom(ExprYieldFrom { range: (), value })),
    ]
    .boxed()
}

/// Parameters of every kind; no two of one name, and no default before a parameter without one.
pub fn parameters(inner: Strat, is_annotated: bool) -> impl Strategy<Value = Arguments<()>> {
    let annotation =
        if is_annotated { maybe_boxed(inner.clone()).boxed() } else { Just(None).boxed() };
    let kinds = vec((0..5_usize, annotation, maybe_boxed(inner)), 8);
    (identifiers(0..8), kinds).prop_map(|(names, kinds)| {
        let mut args = Arguments {
            range: Default::default(),
            posonlyargs: Vec::new(),
            args: Vec::new(),
            vararg: None,
            kwonlyargs: Vec::new(),
            kwarg: None,
        };
        for (arg, (kind, annotation, default)) in names.into_iter().zip(kinds) {
            let def = Arg { range: (), arg, annotation, type_comment: None };
            add_parameter(&mut args, kind, def, default);
        }
        args
    })
}

fn add_parameter(
    args: &mut Arguments<()>,
    kind: usize,
    def: Arg<()>,
    default: Option<Box<Expr<()>>>,
) {
    let has_default = |list: &[ArgWithDefault<()>]| list.iter().any(|arg| arg.default.is_some());
    let needed = has_default(&args.posonlyargs) || has_default(&args.args);
    let fallback = || needed.then(|| Box::new(name(Identifier::new("a"), ExprContext::Load)));
    let plain = |default| ArgWithDefault { range: Default::default(), def: def.clone(), default };
    match kind {
        0 if args.args.is_empty() => args.posonlyargs.push(plain(default.or_else(fallback))),
        0 | 1 => args.args.push(plain(default.or_else(fallback))),
        2 => args.vararg = Some(Box::new(def)),
        3 => args.kwarg = Some(Box::new(def)),
        _ => args.kwonlyargs.push(plain(default)),
    }
}

fn element(inner: Strat) -> impl Strategy<Value = Expr<()>> {
    prop_oneof![6 => inner.clone(), 1 => inner.prop_map(starred(ExprContext::Load))]
}

fn starred(ctx: ExprContext) -> impl Fn(Expr<()>) -> Expr<()> + Clone {
    move |value| Expr::Starred(ExprStarred { range: (), value: value.into(), ctx })
}

/// A name.
pub fn name(id: Identifier, ctx: ExprContext) -> Expr<()> {
    Expr::Name(ExprName { range: (), id, ctx })
}

fn attribute(value: Expr<()>, attr: Identifier, ctx: ExprContext) -> Expr<()> {
    Expr::Attribute(ExprAttribute { range: (), value: value.into(), attr, ctx })
}

fn subscript(value: Expr<()>, slice: Expr<()>, ctx: ExprContext) -> Expr<()> {
    Expr::Subscript(ExprSubscript { range: (), value: value.into(), slice: slice.into(), ctx })
}

fn tuple(elts: Vec<Expr<()>>, ctx: ExprContext) -> Expr<()> {
    Expr::Tuple(ExprTuple { range: (), elts, ctx })
}

fn list(elts: Vec<Expr<()>>, ctx: ExprContext) -> Expr<()> {
    Expr::List(ExprList { range: (), elts, ctx })
}

const OPERATORS: &[Operator] = &[
    Operator::Add,
    Operator::Sub,
    Operator::Mult,
    Operator::MatMult,
    Operator::Div,
    Operator::Mod,
    Operator::Pow,
    Operator::LShift,
    Operator::RShift,
    Operator::BitOr,
    Operator::BitXor,
    Operator::BitAnd,
    Operator::FloorDiv,
];

const COMPARISONS: &[CmpOp] = &[
    CmpOp::Eq,
    CmpOp::NotEq,
    CmpOp::Lt,
    CmpOp::LtE,
    CmpOp::Gt,
    CmpOp::GtE,
    CmpOp::Is,
    CmpOp::IsNot,
    CmpOp::In,
    CmpOp::NotIn,
];
