//! `backend/app/core/soft_delete.py`: deleted rows that can be restored.

use crate::core::tenancy::TenantSession;
use crate::models::base::SoftDeletable;
use crate::python::builtins::{dict, str};
use crate::python::sqlalchemy::{ORMExecuteState, event, with_loader_criteria};
use crate::python::standard::Any;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.soft_delete": INCLUDE_DELETED, hide_deleted;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.soft_delete")
        .docstring("Deleted rows that can be restored: no statement sees them unless it asks to.")
        .body(block![
            ann_assign(
                INCLUDE_DELETED,
                py!(dict[(str, Any)]),
                py!(dict!("include_deleted" => true))
            ),
            hide_deleted_def()
        ])
}

fn hide_deleted_def() -> FunctionDef {
    names!(state, model);
    let is_exempt = py!(state.is_insert || state.is_column_load || !state.is_orm_statement);
    def(hide_deleted)
        .decorator(py!(event.listens_for(TenantSession, "do_orm_execute")))
        .params([param(state, ORMExecuteState)])
        .returns(none())
        .body(block![
            docstring("Leave deleted rows out of a statement."),
            if_(is_exempt, [return_none()]),
            if_(py!(INCLUDE_DELETED.items() <= state.execution_options.items()), [return_none()]),
            assign(
                py!(state.statement),
                py!(state.statement.options(with_loader_criteria(
                    SoftDeletable,
                    |model| model.deleted_at.is_(None),
                    include_aliases = true
                )))
            )
        ])
}
