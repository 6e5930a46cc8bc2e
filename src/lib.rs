//! The tool: it reads a spec, builds a project from it, and checks Python trees.
//!
//! `emitters` decides what a project holds, as a pure function of the spec; everything that touches the
//! disk or the terminal is here. One module writes files ([`project`]).
#![forbid(unsafe_code)]

pub mod audit;
pub mod check;
pub mod error;
pub mod merge;
mod path_text;
pub mod project;
pub mod spec_file;

pub use error::Error;
