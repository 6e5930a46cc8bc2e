//! `backend/app/core/pagination.py`: lists in pages: newest first, continued by an opaque cursor, never counted.

use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.pagination")
        .docstring("Lists in pages: newest first, continued by an opaque cursor, never counted.")
        .body(block![])
}
