//! A typed Python AST: build it, print it, parse it back.
#![forbid(unsafe_code)]

// `py!` names this crate from outside, also in the tests of the crate itself.
#[cfg(test)]
extern crate self as astgen_pyast;

pub mod annotation;
#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod equal;
mod imports;
mod layout;
pub mod make;
pub mod module;
pub mod name;
mod natural;
mod nesting;
pub mod parse;
pub mod precedence;
pub mod print;
mod stdlib;
pub mod walk;

pub use annotation::{Annotated, Annotation, Region, Trivia};
pub use astgen_pyast_macros::py;
pub use equal::{Difference, erase, first_difference};
pub use module::{Module, module, print_module};
pub use name::{Import, Name, NotAnIdentifier, import, import_module, name};
pub use parse::{ParseFailure, on_large_stack, parse_module};
pub use print::{print, print_expr, region_digest};
pub use rustpython_ast as ast;

/// What an emitter is written in.
pub mod prelude {
    pub use crate::ast::Operator;
    pub use crate::make::*;
    pub use crate::{Expr, Import, Module, Name, Stmt, block, module, name, names, py, vocabulary};
}

/// An emitted expression.
pub type Expr = ast::Expr<Annotation>;
/// An emitted statement.
pub type Stmt = ast::Stmt<Annotation>;
/// An emitted keyword argument.
pub type Keyword = ast::Keyword<Annotation>;
/// The parameters of an emitted function.
pub type Arguments = ast::Arguments<Annotation>;
/// A `for` clause of an emitted comprehension.
pub type Comprehension = ast::Comprehension<Annotation>;
/// An item of an emitted `with`.
pub type WithItem = ast::WithItem<Annotation>;
/// A case of an emitted `match`.
pub type MatchCase = ast::MatchCase<Annotation>;
/// A pattern of an emitted `match`.
pub type Pattern = ast::Pattern<Annotation>;
