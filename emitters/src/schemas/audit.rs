//! `backend/app/schemas/audit.py`: questions about the audit log, and what it answers.

use crate::models::audit_event::{ActorKind, AuditAction};
use crate::python::builtins::{dict, str};
use crate::python::pydantic::{BaseModel, Field, JsonValue};
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, ResponseModel};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.audit": AuditQuery, AuditChange, AuditEventRead, AuditEventPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.audit")
        .docstring("Questions about the audit log, and what it answers.")
        .body(block![
            audit_query_class(),
            audit_change_class(),
            audit_event_read_class(),
            class(AuditEventPage)
                .base(py!(Page[AuditEventRead]))
                .body([docstring("A part of the audit log.")])
        ])
}

fn audit_query_class() -> ClassDef {
    names!(action, actor_id, target, target_id);
    let table = py!(Field(pattern = "^[a-z0-9_]{1,64}$", description = "The table of the row."));
    class(AuditQuery).base(BaseModel).body(block![
        docstring("Which events are listed."),
        ann_assign(action, py!(AuditAction | None), none()),
        ann_assign(actor_id, py!(UUID | None), none()),
        ann_assign(target, py!(Annotated[(str, table)] | None), none()),
        ann_assign(target_id, py!(UUID | None), none())
    ])
}

fn audit_change_class() -> ClassDef {
    names!(before, after);
    class(AuditChange).base(ResponseModel).body(block![
        docstring("What a field was and what it is; secrets are hidden."),
        annotate(before, JsonValue),
        annotate(after, JsonValue)
    ])
}

fn audit_event_read_class() -> ClassDef {
    names!(
        id, created_at, action, actor_kind, actor_id, target, target_id, changes, request_id,
        ip_address, user_agent
    );
    class(AuditEventRead).base(ResponseModel).body(block![
        docstring("Something that was done."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(action, AuditAction),
        annotate(actor_kind, ActorKind),
        annotate(actor_id, py!(UUID | None)),
        annotate(target, str),
        annotate(target_id, UUID),
        annotate(changes, py!(dict[(str, AuditChange)])),
        annotate(request_id, str),
        annotate(ip_address, str),
        annotate(user_agent, str)
    ])
}
