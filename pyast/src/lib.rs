//! A typed Python AST: build it, print it, parse it back.
#![forbid(unsafe_code)]

pub mod annotation;
#[cfg(feature = "arbitrary")]
pub mod arbitrary;
pub mod equal;
mod layout;
pub mod name;
mod nesting;
pub mod parse;
pub mod precedence;
pub mod print;

pub use annotation::{Annotated, Annotation, Region, Trivia};
pub use equal::{Difference, erase, first_difference};
pub use name::{Import, Name, NotAnIdentifier, import, import_module, name};
pub use parse::{ParseFailure, on_large_stack, parse_module};
pub use print::{print, print_expr, region_digest};
