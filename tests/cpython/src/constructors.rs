//! A tree as a Python expression that builds the same tree from the classes of Python's `ast`.

use astgen_pyast::ast::{
    Alias, Arg, ArgWithDefault, Arguments, BoolOp, CmpOp, Comprehension, Constant, ConversionFlag,
    ExceptHandler, Expr, ExprContext, Identifier, Keyword, MatchCase, Operator, Pattern, Stmt,
    TypeParam, UnaryOp, WithItem,
};
use std::fmt::Write;

/// `Module(body=[…], type_ignores=[])`
///
/// ```
/// use astgen_pyast::make::pass;
/// assert_eq!(astgen_cpython::module(&[pass()]), "Module(body=[Pass()],type_ignores=[])");
/// ```
#[must_use]
pub fn module<R>(body: &[Stmt<R>]) -> String {
    format!("Module(body={},type_ignores=[])", list(body, stmt))
}

fn list<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(one).collect::<Vec<_>>().join(","))
}

fn optional<T: ?Sized>(item: Option<&T>, one: impl Fn(&T) -> String) -> String {
    item.map_or_else(|| "None".to_owned(), one)
}

fn text(text: &str) -> String {
    let mut quoted = String::from("'");
    for char in text.chars() {
        let _ = match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | ' ' => write!(quoted, "{char}"),
            _ => write!(quoted, "\\U{:08x}", u32::from(char)),
        };
    }
    quoted + "'"
}

fn identifiers(names: &[Identifier]) -> String {
    list(names, |name| text(name))
}

fn node(class: &str, fields: &[(&str, String)]) -> String {
    let fields: Vec<String> =
        fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{class}({})", fields.join(","))
}

macro_rules! node {
    ($class:literal $(, $field:ident: $value:expr)* $(,)?) => {
        node($class, &[$((stringify!($field), $value)),*])
    };
}

fn boxed<R>(value: Option<&Expr<R>>) -> String {
    optional(value, expr)
}

fn exprs<R>(values: &[Expr<R>]) -> String {
    list(values, expr)
}

fn stmts<R>(body: &[Stmt<R>]) -> String {
    list(body, stmt)
}

fn stmt<R>(stmt: &Stmt<R>) -> String {
    macro_rules! function {
        ($class:literal, $def:expr) => {
            node!(
                $class,
                name: text(&$def.name),
                args: arguments(&$def.args),
                body: stmts(&$def.body),
                decorator_list: exprs(&$def.decorator_list),
                returns: boxed($def.returns.as_deref()),
                type_params: list(&$def.type_params, type_param),
            )
        };
    }
    macro_rules! for_loop {
        ($class:literal, $stmt:expr) => {
            node!($class, target: expr(&$stmt.target), iter: expr(&$stmt.iter), body: stmts(&$stmt.body), orelse: stmts(&$stmt.orelse))
        };
    }
    macro_rules! with {
        ($class:literal, $stmt:expr) => {
            node!($class, items: list(&$stmt.items, with_item), body: stmts(&$stmt.body))
        };
    }
    macro_rules! try_stmt {
        ($class:literal, $stmt:expr) => {
            node!(
                $class,
                body: stmts(&$stmt.body),
                handlers: list(&$stmt.handlers, handler),
                orelse: stmts(&$stmt.orelse),
                finalbody: stmts(&$stmt.finalbody),
            )
        };
    }
    match stmt {
        Stmt::FunctionDef(def) => function!("FunctionDef", def),
        Stmt::AsyncFunctionDef(def) => function!("AsyncFunctionDef", def),
        Stmt::ClassDef(def) => node!(
            "ClassDef",
            name: text(&def.name),
            bases: exprs(&def.bases),
            keywords: list(&def.keywords, keyword),
            body: stmts(&def.body),
            decorator_list: exprs(&def.decorator_list),
            type_params: list(&def.type_params, type_param),
        ),
        Stmt::Return(stmt) => node!("Return", value: boxed(stmt.value.as_deref())),
        Stmt::Delete(stmt) => node!("Delete", targets: exprs(&stmt.targets)),
        Stmt::Assign(stmt) => {
            node!("Assign", targets: exprs(&stmt.targets), value: expr(&stmt.value))
        }
        Stmt::TypeAlias(stmt) => node!(
            "TypeAlias",
            name: expr(&stmt.name),
            type_params: list(&stmt.type_params, type_param),
            value: expr(&stmt.value),
        ),
        Stmt::AugAssign(stmt) => node!(
            "AugAssign", target: expr(&stmt.target), op: operator(stmt.op), value: expr(&stmt.value)
        ),
        Stmt::AnnAssign(stmt) => node!(
            "AnnAssign",
            target: expr(&stmt.target),
            annotation: expr(&stmt.annotation),
            value: boxed(stmt.value.as_deref()),
            simple: u8::from(stmt.simple).to_string(),
        ),
        Stmt::For(stmt) => for_loop!("For", stmt),
        Stmt::AsyncFor(stmt) => for_loop!("AsyncFor", stmt),
        Stmt::While(stmt) => {
            node!("While", test: expr(&stmt.test), body: stmts(&stmt.body), orelse: stmts(&stmt.orelse))
        }
        Stmt::If(stmt) => {
            node!("If", test: expr(&stmt.test), body: stmts(&stmt.body), orelse: stmts(&stmt.orelse))
        }
        Stmt::With(stmt) => with!("With", stmt),
        Stmt::AsyncWith(stmt) => with!("AsyncWith", stmt),
        Stmt::Match(stmt) => {
            node!("Match", subject: expr(&stmt.subject), cases: list(&stmt.cases, match_case))
        }
        Stmt::Raise(stmt) => {
            node!("Raise", exc: boxed(stmt.exc.as_deref()), cause: boxed(stmt.cause.as_deref()))
        }
        Stmt::Try(stmt) => try_stmt!("Try", stmt),
        Stmt::TryStar(stmt) => try_stmt!("TryStar", stmt),
        Stmt::Assert(stmt) => {
            node!("Assert", test: expr(&stmt.test), msg: boxed(stmt.msg.as_deref()))
        }
        Stmt::Import(stmt) => node!("Import", names: list(&stmt.names, alias)),
        Stmt::ImportFrom(stmt) => node!(
            "ImportFrom",
            module: optional(stmt.module.as_deref(), text),
            names: list(&stmt.names, alias),
            level: stmt.level.map_or(0, |level| level.to_u32()).to_string(),
        ),
        Stmt::Global(stmt) => node!("Global", names: identifiers(&stmt.names)),
        Stmt::Nonlocal(stmt) => node!("Nonlocal", names: identifiers(&stmt.names)),
        Stmt::Expr(stmt) => node!("Expr", value: expr(&stmt.value)),
        Stmt::Pass(_) => node!("Pass"),
        Stmt::Break(_) => node!("Break"),
        Stmt::Continue(_) => node!("Continue"),
    }
}

fn type_param<R>(param: &TypeParam<R>) -> String {
    match param {
        TypeParam::TypeVar(param) => {
            node!("TypeVar", name: text(&param.name), bound: boxed(param.bound.as_deref()))
        }
        TypeParam::ParamSpec(param) => node!("ParamSpec", name: text(&param.name)),
        TypeParam::TypeVarTuple(param) => node!("TypeVarTuple", name: text(&param.name)),
    }
}

fn with_item<R>(item: &WithItem<R>) -> String {
    node!(
        "withitem",
        context_expr: expr(&item.context_expr),
        optional_vars: boxed(item.optional_vars.as_deref()),
    )
}

fn handler<R>(ExceptHandler::ExceptHandler(handler): &ExceptHandler<R>) -> String {
    node!(
        "ExceptHandler",
        type: boxed(handler.type_.as_deref()),
        name: optional(handler.name.as_deref(), text),
        body: stmts(&handler.body),
    )
}

fn match_case<R>(case: &MatchCase<R>) -> String {
    node!(
        "match_case",
        pattern: pattern(&case.pattern),
        guard: boxed(case.guard.as_deref()),
        body: stmts(&case.body),
    )
}

fn pattern<R>(one: &Pattern<R>) -> String {
    let patterns = |patterns: &[Pattern<R>]| list(patterns, pattern);
    match one {
        Pattern::MatchValue(one) => node!("MatchValue", value: expr(&one.value)),
        Pattern::MatchSingleton(one) => node!("MatchSingleton", value: constant(&one.value)),
        Pattern::MatchSequence(one) => node!("MatchSequence", patterns: patterns(&one.patterns)),
        Pattern::MatchMapping(one) => node!(
            "MatchMapping",
            keys: exprs(&one.keys),
            patterns: patterns(&one.patterns),
            rest: optional(one.rest.as_deref(), text),
        ),
        Pattern::MatchClass(one) => node!(
            "MatchClass",
            cls: expr(&one.cls),
            patterns: patterns(&one.patterns),
            kwd_attrs: identifiers(&one.kwd_attrs),
            kwd_patterns: patterns(&one.kwd_patterns),
        ),
        Pattern::MatchStar(one) => node!("MatchStar", name: optional(one.name.as_deref(), text)),
        Pattern::MatchAs(one) => node!(
            "MatchAs",
            pattern: optional(one.pattern.as_deref(), pattern),
            name: optional(one.name.as_deref(), text),
        ),
        Pattern::MatchOr(one) => node!("MatchOr", patterns: patterns(&one.patterns)),
    }
}

fn alias<R>(alias: &Alias<R>) -> String {
    node!("alias", name: text(&alias.name), asname: optional(alias.asname.as_deref(), text))
}

fn keyword<R>(keyword: &Keyword<R>) -> String {
    node!("keyword", arg: optional(keyword.arg.as_deref(), text), value: expr(&keyword.value))
}

fn arg<R>(arg: &Arg<R>) -> String {
    node!("arg", arg: text(&arg.arg), annotation: boxed(arg.annotation.as_deref()))
}

fn arguments<R>(arguments: &Arguments<R>) -> String {
    let Arguments { range: _, posonlyargs, args, vararg, kwonlyargs, kwarg } = arguments;
    let names = |params: &[ArgWithDefault<R>]| list(params, |param| arg(&param.def));
    let defaults: Vec<&Expr<R>> =
        posonlyargs.iter().chain(args).filter_map(|param| param.default.as_deref()).collect();
    node!(
        "arguments",
        posonlyargs: names(posonlyargs),
        args: names(args),
        vararg: optional(vararg.as_deref(), arg),
        kwonlyargs: names(kwonlyargs),
        kw_defaults: list(kwonlyargs, |param| boxed(param.default.as_deref())),
        kwarg: optional(kwarg.as_deref(), arg),
        defaults: list(&defaults, |default| expr(default)),
    )
}

fn comprehension<R>(clause: &Comprehension<R>) -> String {
    node!(
        "comprehension",
        target: expr(&clause.target),
        iter: expr(&clause.iter),
        ifs: exprs(&clause.ifs),
        is_async: u8::from(clause.is_async).to_string(),
    )
}

fn expr<R>(one: &Expr<R>) -> String {
    let clauses = |clauses: &[Comprehension<R>]| list(clauses, comprehension);
    match one {
        Expr::BoolOp(one) => {
            let op = match one.op {
                BoolOp::And => node!("And"),
                BoolOp::Or => node!("Or"),
            };
            node!("BoolOp", op: op, values: exprs(&one.values))
        }
        Expr::NamedExpr(one) => {
            node!("NamedExpr", target: expr(&one.target), value: expr(&one.value))
        }
        Expr::BinOp(one) => {
            node!("BinOp", left: expr(&one.left), op: operator(one.op), right: expr(&one.right))
        }
        Expr::UnaryOp(one) => {
            let op = match one.op {
                UnaryOp::Invert => node!("Invert"),
                UnaryOp::Not => node!("Not"),
                UnaryOp::UAdd => node!("UAdd"),
                UnaryOp::USub => node!("USub"),
            };
            node!("UnaryOp", op: op, operand: expr(&one.operand))
        }
        Expr::Lambda(one) => node!("Lambda", args: arguments(&one.args), body: expr(&one.body)),
        Expr::IfExp(one) => {
            node!("IfExp", test: expr(&one.test), body: expr(&one.body), orelse: expr(&one.orelse))
        }
        Expr::Dict(one) => {
            let keys = list(&one.keys, |key| optional(key.as_ref(), expr));
            node!("Dict", keys: keys, values: exprs(&one.values))
        }
        Expr::Set(one) => node!("Set", elts: exprs(&one.elts)),
        Expr::ListComp(one) => {
            node!("ListComp", elt: expr(&one.elt), generators: clauses(&one.generators))
        }
        Expr::SetComp(one) => {
            node!("SetComp", elt: expr(&one.elt), generators: clauses(&one.generators))
        }
        Expr::DictComp(one) => node!(
            "DictComp", key: expr(&one.key), value: expr(&one.value), generators: clauses(&one.generators)
        ),
        Expr::GeneratorExp(one) => {
            node!("GeneratorExp", elt: expr(&one.elt), generators: clauses(&one.generators))
        }
        Expr::Await(one) => node!("Await", value: expr(&one.value)),
        Expr::Yield(one) => node!("Yield", value: boxed(one.value.as_deref())),
        Expr::YieldFrom(one) => node!("YieldFrom", value: expr(&one.value)),
        Expr::Compare(one) => node!(
            "Compare",
            left: expr(&one.left),
            ops: list(&one.ops, |op| comparison(*op)),
            comparators: exprs(&one.comparators),
        ),
        Expr::Call(one) => node!(
            "Call", func: expr(&one.func), args: exprs(&one.args), keywords: list(&one.keywords, keyword)
        ),
        Expr::FormattedValue(one) => node!(
            "FormattedValue",
            value: expr(&one.value),
            conversion: conversion(one.conversion).to_string(),
            format_spec: boxed(one.format_spec.as_deref()),
        ),
        Expr::JoinedStr(one) => node!("JoinedStr", values: exprs(&one.values)),
        Expr::Constant(one) => node!("Constant", value: constant(&one.value)),
        Expr::Attribute(one) => {
            node!("Attribute", value: expr(&one.value), attr: text(&one.attr), ctx: context(one.ctx))
        }
        Expr::Subscript(one) => {
            node!("Subscript", value: expr(&one.value), slice: expr(&one.slice), ctx: context(one.ctx))
        }
        Expr::Starred(one) => node!("Starred", value: expr(&one.value), ctx: context(one.ctx)),
        Expr::Name(one) => node!("Name", id: text(&one.id), ctx: context(one.ctx)),
        Expr::List(one) => node!("List", elts: exprs(&one.elts), ctx: context(one.ctx)),
        Expr::Tuple(one) => node!("Tuple", elts: exprs(&one.elts), ctx: context(one.ctx)),
        Expr::Slice(one) => node!(
            "Slice",
            lower: boxed(one.lower.as_deref()),
            upper: boxed(one.upper.as_deref()),
            step: boxed(one.step.as_deref()),
        ),
    }
}

fn constant(value: &Constant) -> String {
    match value {
        Constant::None => "None".to_owned(),
        Constant::Bool(true) => "True".to_owned(),
        Constant::Bool(false) => "False".to_owned(),
        Constant::Str(value) => text(value),
        Constant::Bytes(bytes) => format!("bytes({bytes:?})"),
        Constant::Int(value) => value.to_string(),
        Constant::Tuple(items) => format!("tuple({})", list(items, constant)),
        Constant::Float(value) => float(*value),
        Constant::Complex { real, imag } => format!("complex({},{})", float(*real), float(*imag)),
        Constant::Ellipsis => "Ellipsis".to_owned(),
    }
}

/// From the bits, so that no printing of numbers is trusted.
fn float(value: f64) -> String {
    format!("__import__('struct').unpack('>d', bytes({:?}))[0]", value.to_bits().to_be_bytes())
}

fn conversion(flag: ConversionFlag) -> i32 {
    match flag {
        ConversionFlag::None => -1,
        ConversionFlag::Str => i32::from(b's'),
        ConversionFlag::Ascii => i32::from(b'a'),
        ConversionFlag::Repr => i32::from(b'r'),
    }
}

fn context(context: ExprContext) -> String {
    match context {
        ExprContext::Load => node!("Load"),
        ExprContext::Store => node!("Store"),
        ExprContext::Del => node!("Del"),
    }
}

fn operator(op: Operator) -> String {
    let class = match op {
        Operator::Add => "Add",
        Operator::Sub => "Sub",
        Operator::Mult => "Mult",
        Operator::MatMult => "MatMult",
        Operator::Div => "Div",
        Operator::Mod => "Mod",
        Operator::Pow => "Pow",
        Operator::LShift => "LShift",
        Operator::RShift => "RShift",
        Operator::BitOr => "BitOr",
        Operator::BitXor => "BitXor",
        Operator::BitAnd => "BitAnd",
        Operator::FloorDiv => "FloorDiv",
    };
    node(class, &[])
}

fn comparison(op: CmpOp) -> String {
    let class = match op {
        CmpOp::Eq => "Eq",
        CmpOp::NotEq => "NotEq",
        CmpOp::Lt => "Lt",
        CmpOp::LtE => "LtE",
        CmpOp::Gt => "Gt",
        CmpOp::GtE => "GtE",
        CmpOp::Is => "Is",
        CmpOp::IsNot => "IsNot",
        CmpOp::In => "In",
        CmpOp::NotIn => "NotIn",
    };
    node(class, &[])
}
