//! `backend/app/models/audit_event.py`: the audit log: what was done, and by whom.

use crate::models::base::{Base, TenantScoped};
use crate::models::types::text_enum;
use crate::python::builtins::{dict, str};
use crate::python::sqlalchemy::{Index, JSON, Mapped, String, mapped_column};
use crate::python::standard::{Any, StrEnum, UUID};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.audit_event": AuditAction, ActorKind, AuditEvent;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.audit_event")
        .docstring("The audit log: what was done, and by whom.")
        .body(block![audit_action_class(), actor_kind_class(), audit_event_class()])
}

fn audit_action_class() -> ClassDef {
    names!(CREATED, CHANGED, DELETED, RESTORED);
    class(AuditAction).base(StrEnum).body(block![
        docstring("What was done to a row."),
        assign(CREATED, "created"),
        assign(CHANGED, "changed"),
        assign(DELETED, "deleted"),
        assign(RESTORED, "restored")
    ])
}

fn actor_kind_class() -> ClassDef {
    names!(USER, API_KEY, SYSTEM);
    class(ActorKind).base(StrEnum).body(block![
        docstring("Who can do something."),
        assign(USER, "user"),
        assign(API_KEY, "api_key"),
        assign(SYSTEM, "system")
    ])
}

fn audit_event_class() -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        action,
        actor_kind,
        actor_id,
        target,
        target_id,
        changes,
        request_id,
        ip_address,
        user_agent
    );
    let text = |length: u32| py!(mapped_column(String(length)));
    class(AuditEvent).base(TenantScoped).base(Base).body(block![
        docstring("Something that was done. The database refuses to change or remove it."),
        assign(__tablename__, "audit_events"),
        assign(
            __table_args__,
            py!((
                Index(None, "organization_id", "created_at", "id"),
                Index(None, "organization_id", "target_id")
            ))
        ),
        ann_assign(action, py!(Mapped[AuditAction]), py!(mapped_column(text_enum(AuditAction))))
            .paragraph(),
        ann_assign(actor_kind, py!(Mapped[ActorKind]), py!(mapped_column(text_enum(ActorKind)))),
        annotate(actor_id, py!(Mapped[UUID | None])),
        ann_assign(target, py!(Mapped[str]), text(64)),
        annotate(target_id, py!(Mapped[UUID])),
        ann_assign(changes, py!(Mapped[dict[(str, Any)]]), py!(mapped_column(JSON))),
        ann_assign(request_id, py!(Mapped[str]), text(64)),
        ann_assign(ip_address, py!(Mapped[str]), text(45)),
        ann_assign(user_agent, py!(Mapped[str]), text(255))
    ])
}
