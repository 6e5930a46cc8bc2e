//! `py!`: a Python expression, written in Rust's own expression syntax.
//!
//! Every name in it is a Rust binding, so a misspelled Python name does not compile, rustfmt lays
//! the code out, and an error points at its token. There are no statements and no text that is
//! parsed as Python.
//!
//! | in `py!` | Python |
//! | --- | --- |
//! | `x`, `fastapi::Depends` | the name or import that the Rust binding holds |
//! | `"text"`, `1`, `0.5`, `true`, `None` | a literal |
//! | `x.email`, `x.r#where(y)`, `f(y, key = z)` | attribute, call, keyword argument |
//! | `f(*xs, **options)`, `f(..arguments)` | unpacking; Rust iterator of `Arg`s spread into the call |
//! | `x.await` | `await x` |
//! | `rows[0]`, `rows[1..]`, `dict[(str, int)]` | subscript, slice, subscript with a tuple |
//! | `!a && b \|\| c`, `a == b`, `a + b`, `-a` | `not a and b or c`, … |
//! | `a == None`, `a != None` | `a is None`, `a is not None` |
//! | `if a { b } else { c }` | `b if a else c` |
//! | `\|row\| row.id` | `lambda row: row.id` |
//! | `[a, b]`, `(a, b)`, `[a, ..rest]` | list, tuple; Rust iterator spread into the list |
//! | `in_!(k, ks)`, `not_in!(k, ks)`, `is_!(a, b)`, `is_not!(a, b)` | the comparison |
//! | `chain!(0, "<", n, "<=", 9)` | `0 < n <= 9` |
//! | `f!("/users/{}", user.id)`, `{!r}`, `{:>8}` | f-string |
//! | `dict!("a" => b, **c)`, `set!(a, b)` | dict and set display |
//! | `list!(x.id for x in xs if x.ok)`, `set!(…)`, `generator!(…)`, `dict!(k => v for k in ks)` | comprehension |
//! | `floor_div!(a, b)`, `pow!(a, b)`, `walrus!(name, value)`, `yield_!(x)` | the operator |
//! | `ellipsis!()` | `...` |
//! | `{ rust }` | any Rust expression that makes one |
#![forbid(unsafe_code)]

mod arguments;
mod comprehension;
mod expression;
mod f_string;
mod inner_macro;

use proc_macro::TokenStream;

/// A Python expression in Rust's expression syntax; see the crate's documentation for the table.
#[proc_macro]
pub fn py(input: TokenStream) -> TokenStream {
    let expr = syn::parse_macro_input!(input as syn::Expr);
    match expression::expression(&expr) {
        Ok(tokens) => tokens.into(),
        Err(error) => error.into_compile_error().into(),
    }
}
