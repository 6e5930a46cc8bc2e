//! CPython as the oracle of the printer; for verification only.
//!
//! A Rust tree becomes a tree of CPython's own `ast` classes ([`constructors`]), and is compared with what
//! `ast.parse` reads from the printed text. Both sides go through CPython's `ast.dump`.
#![forbid(unsafe_code)]

mod constructors;

pub use constructors::module;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule};
use std::ffi::CStr;

/// The interpreter that runs inside this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// `sys.base_prefix`
    pub prefix: String,
    /// The first two parts of `sys.version_info`.
    pub version: (u8, u8),
}

/// Which interpreter runs inside this process.
///
/// # Errors
/// When Python raises.
pub fn interpreter() -> PyResult<Interpreter> {
    Python::attach(|py| {
        let sys = PyModule::import(py, "sys")?;
        let (major, minor, ..): (u8, u8, u8, String, u8) =
            sys.getattr("version_info")?.call_method0("__reduce__").and_then(|_| {
                let tuple = PyModule::import(py, "builtins")?.getattr("tuple")?;
                tuple.call1((sys.getattr("version_info")?,))?.extract()
            })?;
        Ok(Interpreter { prefix: sys.getattr("base_prefix")?.extract()?, version: (major, minor) })
    })
}

/// `ast.dump` of what CPython reads from `source`.
///
/// # Errors
/// When Python does not accept the source.
pub fn dump_source(source: &str) -> PyResult<String> {
    Python::attach(|py| dump(&PyModule::import(py, "ast")?.call_method1("parse", (source,))?))
}

/// `ast.dump` of the tree that `constructors` builds: an expression over the names of Python's `ast`.
///
/// # Errors
/// When Python cannot evaluate it.
pub fn dump_constructed(constructors: &str) -> PyResult<String> {
    Python::attach(|py| {
        let globals: Bound<'_, PyDict> = PyModule::import(py, "ast")?.dict().copy()?;
        let eval = PyModule::import(py, "builtins")?.getattr("eval")?;
        dump(&eval.call1((constructors, globals))?)
    })
}

/// Makes the same what has no meaning: the parentheses of `del (a, b)`, which are the only way to break such a
/// line, and the empty text with which CPython 3.12 ends a format specification that holds a field.
const DUMP: &CStr = c"
import ast

def dump(tree):
    for node in ast.walk(tree):
        match node:
            case ast.Delete(targets=[ast.Tuple(elts=[_, *_] as targets)]):
                node.targets = targets
            case ast.JoinedStr(values=parts):
                node.values = [part for part in parts if not is_empty(part)]
    return ast.dump(tree)

def is_empty(part):
    return isinstance(part, ast.Constant) and part.value == ''
";

fn dump(tree: &Bound<'_, PyAny>) -> PyResult<String> {
    PyModule::from_code(tree.py(), DUMP, c"dump.py", c"dump")?
        .call_method1("dump", (tree,))?
        .extract()
}
