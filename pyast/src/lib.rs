//! A typed Python AST: build it, print it, parse it back.
#![forbid(unsafe_code)]

pub mod annotation;
pub mod name;

pub use annotation::{Annotated, Annotation, Region, Trivia};
pub use name::{Import, Name, NotAnIdentifier, import, import_module, name};
