//! `tools/workspace.py`: where things are, and which Python runs them.

use crate::python::builtins::{__file__, str};
use crate::python::standard::{Path, os, sys};
use astgen_pyast::prelude::*;

vocabulary! {
    "workspace": ROOT, BACKEND, ENVIRONMENT, backend_python, environment_python;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("workspace").docstring("Where things are, and which Python runs them.").body(block![
        assign(ROOT, py!(Path(__file__).resolve().parent.parent)),
        assign(BACKEND, py!(ROOT / "backend")),
        assign(ENVIRONMENT, py!(BACKEND / ".venv")),
        environment_python_def(),
        backend_python_def()
    ])
}

fn environment_python_def() -> FunctionDef {
    def(environment_python).returns(Path).body(block![
        docstring("Name the Python of the backend's own environment, which may not be there."),
        return_(py!(if os.name == "nt" {
            ENVIRONMENT / "Scripts" / "python.exe"
        } else {
            ENVIRONMENT / "bin" / "python"
        }))
    ])
}

fn backend_python_def() -> FunctionDef {
    def(backend_python).returns(str).body(block![
        docstring("Choose the Python of the backend's environment, or the one that runs this."),
        return_(py!(if environment_python().is_file() {
            str(environment_python())
        } else {
            sys.executable
        }))
    ])
}
