//! `backend/app/models/billing_event.py`: events of the billing provider, stored before they are answered.

use crate::models::base::{Base, Record};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{dict, int, str};
use crate::python::sqlalchemy::{
    Index, JSON, Mapped, String, Text, UniqueConstraint, mapped_column,
};
use crate::python::standard::{Any, StrEnum, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.billing_event": BillingEventStatus, BillingEvent;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "Events of the billing provider, stored before they are answered.";
    module("app.models.billing_event")
        .docstring(docstring)
        .body(block![billing_event_status_class(), billing_event_class()])
}

fn billing_event_status_class() -> ClassDef {
    names!(RECEIVED, PROCESSED, SKIPPED, FAILED);
    class(BillingEventStatus).base(StrEnum).body(block![
        docstring("What became of an event; one that failed waits for a person."),
        assign(RECEIVED, "received"),
        assign(PROCESSED, "processed"),
        assign(SKIPPED, "skipped"),
        assign(FAILED, "failed")
    ])
}

fn billing_event_class() -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        provider,
        event_id,
        r#type,
        occurred_at,
        payload,
        status,
        due_at,
        attempts,
        error,
        handled_at
    );
    class(BillingEvent).base(Record).base(Base).body(block![
        docstring("One event as the provider sent it; delivered again, it is the same row."),
        assign(__tablename__, "billing_events"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("provider", "event_id"),
                Index(None, "status", "created_at", "id"),
                Index(None, "due_at")
            ))
        ),
        ann_assign(provider, py!(Mapped[str]), py!(mapped_column(String(32)))).paragraph(),
        ann_assign(event_id, py!(Mapped[str]), py!(mapped_column(String(255)))),
        ann_assign(r#type, py!(Mapped[str]), py!(mapped_column(String(255)))),
        ann_assign(occurred_at, py!(Mapped[datetime]), py!(mapped_column(UTCDateTime))),
        ann_assign(payload, py!(Mapped[dict[(str, Any)]]), py!(mapped_column(JSON))),
        ann_assign(
            status,
            py!(Mapped[BillingEventStatus]),
            py!(mapped_column(
                text_enum(BillingEventStatus),
                default = BillingEventStatus.RECEIVED
            ))
        ),
        ann_assign(due_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
            .comment("When it is next to be processed; whoever does so puts this off while at it."),
        ann_assign(attempts, py!(Mapped[int]), py!(mapped_column(default = 0))),
        ann_assign(error, py!(Mapped[str | None]), py!(mapped_column(Text))),
        ann_assign(handled_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}
