//! `backend/app/core/log_context.py`: what every log record says of the work that it comes from.

use crate::python::builtins::{dict, str};
use crate::python::standard::{ContextVar, Generator, UUID, contextmanager};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.log_context": current_request_id, current_organization, current_user, begin_request,
        working_for, describe_work;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.log_context")
        .docstring("What every log record says of the work that it comes from.")
        .body(block![
            ann_assign(
                current_request_id,
                py!(ContextVar[str]),
                py!(ContextVar("current_request_id", default = "-"))
            ),
            ann_assign(
                current_organization,
                py!(ContextVar[UUID | None]),
                py!(ContextVar("current_organization", default = None))
            ),
            ann_assign(
                current_user,
                py!(ContextVar[UUID | None]),
                py!(ContextVar("current_user", default = None))
            ),
            begin_request_def(),
            working_for_def(),
            describe_work_def()
        ])
}

fn begin_request_def() -> FunctionDef {
    names!(request_id);
    def(begin_request).params([param(request_id, str)]).returns(none()).body(block![
        docstring(
            "Name a request; who asks is known later.\n\
             \n\
             A server may handle it where it has handled the one before."
        ),
        do_(py!(current_request_id.set(request_id))),
        do_(py!(current_organization.set(None))),
        do_(py!(current_user.set(None)))
    ])
}

fn working_for_def() -> FunctionDef {
    names!(organization_id, request_id, before);
    def(working_for)
        .decorator(contextmanager)
        .params([
            param(organization_id, py!(UUID | None)),
            param(request_id, py!(str | None)).default(none()),
        ])
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring("Name whose work it is while it lasts, and which request it comes from."),
            assign(before, py!((current_request_id.get(), current_organization.get()))),
            do_(py!(current_request_id.set(request_id || before[0]))),
            do_(py!(current_organization.set(organization_id))),
            try_([do_(yield_(None))]).finally(block![
                do_(py!(current_request_id.set(before[0]))),
                do_(py!(current_organization.set(before[1])))
            ])
        ])
}

fn describe_work_def() -> FunctionDef {
    names!(described, organization_id, user_id);
    def(describe_work).returns(py!(dict[(str, str)])).body(block![
        docstring("Tell which request it is, in which organization, and who asks."),
        assign(described, py!(dict!("request_id" => current_request_id.get()))),
        assign(
            py!((organization_id, user_id)),
            py!((current_organization.get(), current_user.get()))
        ),
        if_(
            py!(organization_id != None),
            [assign(py!(described["organization_id"]), py!(str(organization_id)))]
        ),
        if_(py!(user_id != None), [assign(py!(described["user_id"]), py!(str(user_id)))]),
        return_(described)
    ])
}
