//! Expressions, one function a node of the grammar.

use super::{Identifier, IntoExpr};
use crate::annotation::Annotation;
use crate::name::{Import, Name};
use crate::{Comprehension, Expr};
use num_bigint::BigInt;
use rustpython_ast as ast;
use rustpython_ast::{BoolOp, CmpOp, Constant, ConversionFlag, ExprContext, Operator, UnaryOp};

/// One argument of a call: positional or keyword, so that the order of a call is visible.
#[derive(Debug, Clone, PartialEq)]
pub enum Arg {
    /// `value`, or `*values` when the expression is starred.
    Positional(Expr),
    /// `name=value`, or `**values` without a name.
    Keyword(Option<Name>, Expr),
}

/// A positional argument.
///
/// ```
/// use astgen_pyast::{make::{Operand, arg}, name, print_expr};
/// assert_eq!(print_expr(&name("len").call([arg(name("rows"))])), "len(rows)");
/// ```
#[must_use]
pub fn arg(value: impl IntoExpr) -> Arg {
    Arg::Positional(value.into_expr())
}

/// A keyword argument.
///
/// ```
/// use astgen_pyast::{make::{Operand, kw}, name, print_expr};
/// assert_eq!(print_expr(&name("User").call([kw("email", "a@b.c")])), "User(email=\"a@b.c\")");
/// ```
#[must_use]
pub fn keyword(name: impl Identifier, value: impl IntoExpr) -> Arg {
    Arg::Keyword(Some(name.identifier()), value.into_expr())
}

/// `**values` as an argument.
///
/// ```
/// use astgen_pyast::{make::{Operand, dict_unpack}, name, print_expr};
/// assert_eq!(print_expr(&name("User").call([dict_unpack(name("data"))])), "User(**data)");
/// ```
#[must_use]
pub fn dict_unpack(values: impl IntoExpr) -> Arg {
    Arg::Keyword(None, values.into_expr())
}

pub(super) fn name_expr(name: Name, import: Option<Import>) -> Expr {
    Expr::Name(ast::ExprName {
        range: Annotation { trivia: None, import: import.map(Box::new) },
        id: name.as_str().into(),
        ctx: ExprContext::Load,
    })
}

pub(super) fn boolean(value: bool) -> Expr {
    constant(Constant::Bool(value))
}

fn constant(value: Constant) -> Expr {
    Expr::Constant(ast::ExprConstant { range: Annotation::default(), value, kind: None })
}

fn boxed(value: impl IntoExpr) -> Box<Expr> {
    Box::new(value.into_expr())
}

fn exprs<T: IntoExpr>(values: impl IntoIterator<Item = T>) -> Vec<Expr> {
    values.into_iter().map(IntoExpr::into_expr).collect()
}

/// A string literal. Whatever `text` holds, it cannot end the literal.
///
/// ```
/// use astgen_pyast::{make::string, print_expr};
/// assert_eq!(print_expr(&string("a\"\n")), r#"'a"\n'"#);
/// ```
#[must_use]
pub fn string(text: impl Into<String>) -> Expr {
    constant(Constant::Str(text.into()))
}

/// A bytes literal.
///
/// ```
/// use astgen_pyast::{make::bytes, print_expr};
/// assert_eq!(print_expr(&bytes(b"\x00a")), r#"b"\x00a""#);
/// ```
#[must_use]
pub fn bytes(value: &[u8]) -> Expr {
    constant(Constant::Bytes(value.to_vec()))
}

/// An integer literal; a negative one is the unary minus of its absolute value, as Python reads it.
///
/// ```
/// use astgen_pyast::{make::integer, print_expr};
/// assert_eq!(print_expr(&integer(-1)), "-1");
/// ```
#[must_use]
pub fn integer(value: impl Into<BigInt>) -> Expr {
    let value = value.into();
    if value.sign() == num_bigint::Sign::Minus {
        return unary(UnaryOp::USub, constant(Constant::Int(-value)));
    }
    constant(Constant::Int(value))
}

/// A float literal. Python has none for NaN; a negative one is the unary minus of its absolute value.
///
/// ```
/// use astgen_pyast::{make::float, print_expr};
/// assert_eq!(print_expr(&float(0.5)), "0.5");
/// ```
#[must_use]
pub fn float(value: f64) -> Expr {
    if value.is_sign_negative() {
        return unary(UnaryOp::USub, constant(Constant::Float(-value)));
    }
    constant(Constant::Float(value))
}

/// `None`
///
/// ```
/// assert_eq!(astgen_pyast::print_expr(&astgen_pyast::make::none()), "None");
/// ```
#[must_use]
pub fn none() -> Expr {
    constant(Constant::None)
}

/// `...`
///
/// ```
/// assert_eq!(astgen_pyast::print_expr(&astgen_pyast::make::ellipsis()), "...");
/// ```
#[must_use]
pub fn ellipsis() -> Expr {
    constant(Constant::Ellipsis)
}

/// `value.name`
///
/// ```
/// use astgen_pyast::{make::attribute, name, print_expr};
/// assert_eq!(print_expr(&attribute(name("user"), "id")), "user.id");
/// ```
#[must_use]
pub fn attribute(value: impl IntoExpr, name: impl Identifier) -> Expr {
    Expr::Attribute(ast::ExprAttribute {
        range: Annotation::default(),
        value: boxed(value),
        attr: name.identifier().as_str().into(),
        ctx: ExprContext::Load,
    })
}

/// `func(…)`
///
/// ```
/// use astgen_pyast::{make::{arg, call}, name, print_expr};
/// assert_eq!(print_expr(&call(name("int"), [arg("1")])), "int(\"1\")");
/// ```
#[must_use]
pub fn call(func: impl IntoExpr, arguments: impl IntoIterator<Item = Arg>) -> Expr {
    let (args, keywords) = split_arguments(arguments);
    Expr::Call(ast::ExprCall { range: Annotation::default(), func: boxed(func), args, keywords })
}

pub(super) fn split_arguments(
    arguments: impl IntoIterator<Item = Arg>,
) -> (Vec<Expr>, Vec<crate::Keyword>) {
    let (mut args, mut keywords) = (Vec::new(), Vec::new());
    for argument in arguments {
        match argument {
            Arg::Positional(value) => args.push(value),
            Arg::Keyword(name, value) => keywords.push(ast::Keyword {
                range: Annotation::default(),
                arg: name.map(|name| name.as_str().into()),
                value,
            }),
        }
    }
    (args, keywords)
}

/// `value[index]`
///
/// ```
/// use astgen_pyast::{make::subscript, name, print_expr};
/// assert_eq!(print_expr(&subscript(name("rows"), 0)), "rows[0]");
/// ```
#[must_use]
pub fn subscript(value: impl IntoExpr, index: impl IntoExpr) -> Expr {
    Expr::Subscript(ast::ExprSubscript {
        range: Annotation::default(),
        value: boxed(value),
        slice: boxed(index),
        ctx: ExprContext::Load,
    })
}

/// `lower:upper:step`, for a subscript.
///
/// ```
/// use astgen_pyast::{make::{slice, subscript, integer}, name, print_expr};
/// let first = slice(None, Some(integer(3)), None);
/// assert_eq!(print_expr(&subscript(name("rows"), first)), "rows[:3]");
/// ```
#[must_use]
pub fn slice(lower: Option<Expr>, upper: Option<Expr>, step: Option<Expr>) -> Expr {
    Expr::Slice(ast::ExprSlice {
        range: Annotation::default(),
        lower: lower.map(Box::new),
        upper: upper.map(Box::new),
        step: step.map(Box::new),
    })
}

/// `left op right`
///
/// ```
/// use astgen_pyast::{make::bin_op, name, print_expr};
/// use rustpython_ast::Operator;
/// assert_eq!(print_expr(&bin_op(name("n"), Operator::FloorDiv, 2)), "n // 2");
/// ```
#[must_use]
pub fn bin_op(left: impl IntoExpr, op: Operator, right: impl IntoExpr) -> Expr {
    Expr::BinOp(ast::ExprBinOp {
        range: Annotation::default(),
        left: boxed(left),
        op,
        right: boxed(right),
    })
}

/// `a and b and c`, `a or b or c`; a single value stands as it is.
///
/// ```
/// use astgen_pyast::{make::{IntoExpr, bool_op}, name, print_expr};
/// use rustpython_ast::BoolOp;
/// let both = bool_op(BoolOp::And, [name("a"), name("b")]);
/// assert_eq!(print_expr(&both), "a and b");
/// ```
#[must_use]
pub fn bool_op<T: IntoExpr>(op: BoolOp, values: impl IntoIterator<Item = T>) -> Expr {
    let mut values = exprs(values);
    match values.len() {
        0 => boolean(matches!(op, BoolOp::And)),
        1 => values.remove(0),
        _ => Expr::BoolOp(ast::ExprBoolOp { range: Annotation::default(), op, values }),
    }
}

/// `left op right`, where `op` compares.
///
/// ```
/// use astgen_pyast::{make::compare, name, print_expr};
/// use rustpython_ast::CmpOp;
/// assert_eq!(print_expr(&compare(name("k"), CmpOp::NotIn, name("seen"))), "k not in seen");
/// ```
#[must_use]
pub fn compare(left: impl IntoExpr, op: CmpOp, right: impl IntoExpr) -> Expr {
    Expr::Compare(ast::ExprCompare {
        range: Annotation::default(),
        left: boxed(left),
        ops: vec![op],
        comparators: vec![right.into_expr()],
    })
}

/// `left op right`, where a comparison on the left goes on: `a < b <= c`.
///
/// ```
/// use astgen_pyast::{make::{compare, compare_next}, name, print_expr};
/// use rustpython_ast::CmpOp;
/// let range = compare_next(compare(0, CmpOp::Lt, name("n")), CmpOp::LtE, 9);
/// assert_eq!(print_expr(&range), "0 < n <= 9");
/// ```
#[must_use]
pub fn compare_next(left: impl IntoExpr, op: CmpOp, right: impl IntoExpr) -> Expr {
    match left.into_expr() {
        Expr::Compare(mut chain) => {
            chain.ops.push(op);
            chain.comparators.push(right.into_expr());
            Expr::Compare(chain)
        }
        left => compare(left, op, right),
    }
}

/// `op operand`
///
/// ```
/// use astgen_pyast::{make::unary, name, print_expr};
/// assert_eq!(print_expr(&unary(rustpython_ast::UnaryOp::Invert, name("x"))), "~x");
/// ```
#[must_use]
pub fn unary(op: UnaryOp, operand: impl IntoExpr) -> Expr {
    Expr::UnaryOp(ast::ExprUnaryOp { range: Annotation::default(), op, operand: boxed(operand) })
}

/// `not value`
///
/// ```
/// use astgen_pyast::{make::not, name, print_expr};
/// assert_eq!(print_expr(&not(name("x"))), "not x");
/// ```
#[must_use]
pub fn not(value: impl IntoExpr) -> Expr {
    unary(UnaryOp::Not, value)
}

/// `await value`
///
/// ```
/// use astgen_pyast::{make::await_, name, print_expr};
/// assert_eq!(print_expr(&await_(name("task"))), "await task");
/// ```
#[must_use]
pub fn await_(value: impl IntoExpr) -> Expr {
    Expr::Await(ast::ExprAwait { range: Annotation::default(), value: boxed(value) })
}

/// `yield`, `yield value`
///
/// ```
/// use astgen_pyast::{make::{IntoExpr, yield_}, name, print_expr};
/// assert_eq!(print_expr(&yield_(Some(name("session").into_expr()))), "yield session");
/// ```
#[must_use]
pub fn yield_(value: Option<Expr>) -> Expr {
    Expr::Yield(ast::ExprYield { range: Annotation::default(), value: value.map(Box::new) })
}

/// `body if test else orelse`
///
/// ```
/// use astgen_pyast::{make::if_exp, name, print_expr};
/// assert_eq!(print_expr(&if_exp(name("ok"), 1, 0)), "1 if ok else 0");
/// ```
#[must_use]
pub fn if_exp(test: impl IntoExpr, body: impl IntoExpr, orelse: impl IntoExpr) -> Expr {
    Expr::IfExp(ast::ExprIfExp {
        range: Annotation::default(),
        test: boxed(test),
        body: boxed(body),
        orelse: boxed(orelse),
    })
}

/// `(target := value)`
///
/// ```
/// use astgen_pyast::{make::{call, arg, named_expr}, name, print_expr};
/// let line = named_expr(name("line"), name("read"));
/// assert_eq!(print_expr(&call(name("f"), [arg(line)])), "f(line := read)");
/// ```
#[must_use]
pub fn named_expr(target: Name, value: impl IntoExpr) -> Expr {
    Expr::NamedExpr(ast::ExprNamedExpr {
        range: Annotation::default(),
        target: Box::new(store(target.into_expr())),
        value: boxed(value),
    })
}

/// `*values`
///
/// ```
/// use astgen_pyast::{make::{list, starred}, name, print_expr};
/// assert_eq!(print_expr(&list([starred(name("rows"))])), "[*rows]");
/// ```
#[must_use]
pub fn starred(values: impl IntoExpr) -> Expr {
    Expr::Starred(ast::ExprStarred {
        range: Annotation::default(),
        value: boxed(values),
        ctx: ExprContext::Load,
    })
}

/// `lambda a, b: body`
///
/// ```
/// use astgen_pyast::{make::lambda, name, print_expr};
/// assert_eq!(print_expr(&lambda([name("row")], name("row"))), "lambda row: row");
/// ```
#[must_use]
pub fn lambda(params: impl IntoIterator<Item = Name>, body: impl IntoExpr) -> Expr {
    let params = params.into_iter().map(super::untyped);
    Expr::Lambda(ast::ExprLambda {
        range: Annotation::default(),
        args: Box::new(super::function::arguments(params)),
        body: boxed(body),
    })
}

/// `[a, b]`
///
/// ```
/// use astgen_pyast::{make::list, print_expr};
/// assert_eq!(print_expr(&list(["a", "b"])), "[\"a\", \"b\"]");
/// ```
#[must_use]
pub fn list<T: IntoExpr>(values: impl IntoIterator<Item = T>) -> Expr {
    let elts = exprs(values);
    Expr::List(ast::ExprList { range: Annotation::default(), elts, ctx: ExprContext::Load })
}

/// `(a, b)`
///
/// ```
/// use astgen_pyast::{make::tuple, print_expr};
/// assert_eq!(print_expr(&tuple([1])), "(1,)");
/// ```
#[must_use]
pub fn tuple<T: IntoExpr>(values: impl IntoIterator<Item = T>) -> Expr {
    let elts = exprs(values);
    Expr::Tuple(ast::ExprTuple { range: Annotation::default(), elts, ctx: ExprContext::Load })
}

/// `{a, b}`; Python has no literal for the empty set, so none becomes `set()`.
///
/// ```
/// use astgen_pyast::{make::set, print_expr};
/// assert_eq!(print_expr(&set([1, 2])), "{1, 2}");
/// assert_eq!(print_expr(&set([0; 0])), "set()");
/// ```
#[must_use]
pub fn set<T: IntoExpr>(values: impl IntoIterator<Item = T>) -> Expr {
    let elts = exprs(values);
    if elts.is_empty() {
        return call(crate::name("set"), []);
    }
    Expr::Set(ast::ExprSet { range: Annotation::default(), elts })
}

/// `{key: value}`
///
/// ```
/// use astgen_pyast::{make::dict, print_expr};
/// assert_eq!(print_expr(&dict([("a", 1)])), "{\"a\": 1}");
/// ```
#[must_use]
pub fn dict<K: IntoExpr, V: IntoExpr>(items: impl IntoIterator<Item = (K, V)>) -> Expr {
    dict_items(items.into_iter().map(|(key, value)| (Some(key.into_expr()), value.into_expr())))
}

/// `{key: value, **mapping}`: an item without a key unpacks its value.
///
/// ```
/// use astgen_pyast::{make::{IntoExpr, dict_items}, name, print_expr};
/// assert_eq!(print_expr(&dict_items([(None, name("row").into_expr())])), "{**row}");
/// ```
#[must_use]
pub fn dict_items(items: impl IntoIterator<Item = (Option<Expr>, Expr)>) -> Expr {
    let (keys, values) = items.into_iter().unzip();
    Expr::Dict(ast::ExprDict { range: Annotation::default(), keys, values })
}

/// `for target in iter if …`, a clause of a comprehension.
///
/// ```
/// use astgen_pyast::{make::{for_in, list_comp}, name, print_expr};
/// let clause = for_in(name("x"), name("xs"), [name("x")]);
/// assert_eq!(print_expr(&list_comp(name("x"), [clause])), "[x for x in xs if x]");
/// ```
#[must_use]
pub fn for_in<T: IntoExpr>(
    target: impl IntoExpr,
    iter: impl IntoExpr,
    ifs: impl IntoIterator<Item = T>,
) -> Comprehension {
    ast::Comprehension {
        range: ast::EmptyRange::default(),
        target: store(target.into_expr()),
        iter: iter.into_expr(),
        ifs: exprs(ifs),
        is_async: false,
    }
}

/// `[element for …]`
///
/// ```
/// use astgen_pyast::{make::{for_in, list_comp}, name, print_expr, Expr};
/// let clause = for_in(name("x"), name("xs"), [] as [Expr; 0]);
/// assert_eq!(print_expr(&list_comp(name("x"), [clause])), "[x for x in xs]");
/// ```
#[must_use]
pub fn list_comp(element: impl IntoExpr, clauses: impl IntoIterator<Item = Comprehension>) -> Expr {
    Expr::ListComp(ast::ExprListComp {
        range: Annotation::default(),
        elt: boxed(element),
        generators: clauses.into_iter().collect(),
    })
}

/// `{element for …}`
///
/// ```
/// use astgen_pyast::{make::{for_in, set_comp}, name, print_expr, Expr};
/// let clause = for_in(name("x"), name("xs"), [] as [Expr; 0]);
/// assert_eq!(print_expr(&set_comp(name("x"), [clause])), "{x for x in xs}");
/// ```
#[must_use]
pub fn set_comp(element: impl IntoExpr, clauses: impl IntoIterator<Item = Comprehension>) -> Expr {
    Expr::SetComp(ast::ExprSetComp {
        range: Annotation::default(),
        elt: boxed(element),
        generators: clauses.into_iter().collect(),
    })
}

/// `(element for …)`
///
/// ```
/// use astgen_pyast::{make::{for_in, generator}, name, print_expr, Expr};
/// let clause = for_in(name("x"), name("xs"), [] as [Expr; 0]);
/// assert_eq!(print_expr(&generator(name("x"), [clause])), "(x for x in xs)");
/// ```
#[must_use]
pub fn generator(element: impl IntoExpr, clauses: impl IntoIterator<Item = Comprehension>) -> Expr {
    Expr::GeneratorExp(ast::ExprGeneratorExp {
        range: Annotation::default(),
        elt: boxed(element),
        generators: clauses.into_iter().collect(),
    })
}

/// `{key: value for …}`
///
/// ```
/// use astgen_pyast::{make::{dict_comp, for_in}, name, print_expr, Expr};
/// let clause = for_in(name("x"), name("xs"), [] as [Expr; 0]);
/// assert_eq!(print_expr(&dict_comp(name("x"), 1, [clause])), "{x: 1 for x in xs}");
/// ```
#[must_use]
pub fn dict_comp(
    key: impl IntoExpr,
    value: impl IntoExpr,
    clauses: impl IntoIterator<Item = Comprehension>,
) -> Expr {
    Expr::DictComp(ast::ExprDictComp {
        range: Annotation::default(),
        key: boxed(key),
        value: boxed(value),
        generators: clauses.into_iter().collect(),
    })
}

/// `f"…{value}…"`: text is a string constant, a replacement field is made by [`formatted`].
///
/// ```
/// use astgen_pyast::{make::{f_string, formatted, string}, name, print_expr};
/// let path = f_string([string("/users/"), formatted(name("id"))]);
/// assert_eq!(print_expr(&path), "f\"/users/{id}\"");
/// ```
#[must_use]
pub fn f_string(parts: impl IntoIterator<Item = Expr>) -> Expr {
    let values = parts.into_iter().collect();
    Expr::JoinedStr(ast::ExprJoinedStr { range: Annotation::default(), values })
}

/// `{value}` in an f-string.
///
/// ```
/// use astgen_pyast::{make::{f_string, formatted}, name, print_expr};
/// assert_eq!(print_expr(&f_string([formatted(name("x"))])), "f\"{x}\"");
/// ```
#[must_use]
pub fn formatted(value: impl IntoExpr) -> Expr {
    conversion(value, ConversionFlag::None, None)
}

/// `{value!r:spec}` in an f-string.
///
/// ```
/// use astgen_pyast::{make::{conversion, f_string}, name, print_expr};
/// let shown = conversion(name("x"), rustpython_ast::ConversionFlag::None, Some(">8"));
/// assert_eq!(print_expr(&f_string([shown])), "f\"{x:>8}\"");
/// ```
#[must_use]
pub fn conversion(value: impl IntoExpr, conversion: ConversionFlag, spec: Option<&str>) -> Expr {
    let format_spec = spec.map(|spec| Box::new(f_string([string(spec)])));
    Expr::FormattedValue(ast::ExprFormattedValue {
        range: Annotation::default(),
        value: boxed(value),
        conversion,
        format_spec,
    })
}

/// The same expression as a target of an assignment.
pub(crate) fn store(target: Expr) -> Expr {
    in_context(target, ExprContext::Store)
}

/// The same expression as an operand of `del`.
pub(super) fn del(target: Expr) -> Expr {
    in_context(target, ExprContext::Del)
}

fn in_context(mut target: Expr, context: ExprContext) -> Expr {
    match &mut target {
        Expr::Name(name) => name.ctx = context,
        Expr::Attribute(attribute) => attribute.ctx = context,
        Expr::Subscript(subscript) => subscript.ctx = context,
        Expr::Starred(starred) => {
            starred.ctx = context;
            let value = std::mem::replace(&mut *starred.value, none());
            *starred.value = in_context(value, context);
        }
        Expr::Tuple(ast::ExprTuple { elts, ctx, .. })
        | Expr::List(ast::ExprList { elts, ctx, .. }) => {
            *ctx = context;
            *elts = std::mem::take(elts).into_iter().map(|elt| in_context(elt, context)).collect();
        }
        // Not a target in Python's grammar: printed as it is, it would not parse back.
        _ => (),
    }
    target
}
