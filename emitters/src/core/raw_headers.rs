//! `backend/app/core/raw_headers.py`: headers of a request as the server hands them over.

use crate::python::builtins::{bytes, str};
use crate::python::fastapi::Scope;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.raw_headers": sent_header;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.raw_headers")
        .docstring("Headers of a request as the server hands them over.")
        .body(block![sent_header_def()])
}

/// Each middleware asks for one header: a mapping of all costs more than the search.
fn sent_header_def() -> FunctionDef {
    names!(scope, name, key, value);
    def(sent_header).params([param(scope, Scope), param(name, bytes)]).returns(str).body(block![
        docstring(
            "Return the first header of a name in small letters; nothing if there is none.\n\
             \n\
             Every request is asked for some: this costs less than a mapping of all headers."
        ),
        for_(
            py!((key, value)),
            py!(scope["headers"]),
            [if_(py!(key == name), [return_(py!(str(value, "latin-1")))])]
        ),
        return_("")
    ])
}
