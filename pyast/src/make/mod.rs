//! Constructors in which an emitter reads like the Python it makes.
//!
//! A Python name is a Rust binding ([`names!`](crate::names)), a Rust string is always a Python
//! string literal, and there is no way from a text of the outside to a name but
//! [`Name::parse`](crate::Name::parse). Expressions are written with [`py!`](crate::py); statements
//! and definitions are built by the functions here, each named after what it prints.

mod class;
mod comment;
mod compound;
mod expr;
mod function;
mod identifier;
mod into_expr;
mod statement;
mod vocabulary;

pub use class::{ClassDef, class};
pub use comment::Commented;
pub use compound::{
    For, If, Try, With, async_for, async_with, async_with_as, case, for_, if_, match_, try_,
    while_, with, with_as,
};
pub use expr::{
    Arg, arg, attribute, await_, bin_op, bool_op, bytes, call, compare, compare_next, conversion,
    dict, dict_comp, dict_items, dict_unpack, ellipsis, f_string, float, for_in, formatted,
    generator, if_exp, integer, keyword, lambda, list, list_comp, named_expr, none, not, set,
    set_comp, slice, starred, string, subscript, tuple, unary, yield_,
};
pub use function::{
    FunctionDef, Param, ParamKind, async_def, def, kwargs, param, star, untyped, varargs,
};
pub use identifier::Identifier;
pub use into_expr::{IntoExpr, Operand};
pub use statement::{
    Statements, ann_assign, annotate, assert_, assert_that, assign, assign_all, aug_assign, break_,
    continue_, delete, docstring, expr_stmt, global, import_stmt, nonlocal, pass, raise,
    raise_from, reraise, return_, return_none, type_alias,
};

pub use expr::keyword as kw;
pub use statement::expr_stmt as do_;
