//! `backend/app/models/webhook.py`: who is told what happens, and what became of it.

use crate::models::base::{Audited, Base, Record, TenantScoped};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{bool, int, list, property, str};
use crate::python::sqlalchemy::{
    ForeignKeyConstraint, Index, JSON, Mapped, String, Text, UniqueConstraint, mapped_column,
};
use crate::python::standard::{StrEnum, UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.webhook": DeliveryStatus, WebhookDelivery, WebhookEndpoint;
}

/// The longest address of an endpoint.
pub const URL_LENGTH: u32 = 2048;

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.webhook")
        .docstring("Who is told what happens, and what became of it.")
        .body(block![delivery_status_class(), webhook_endpoint_class(), webhook_delivery_class()])
}

fn delivery_status_class() -> ClassDef {
    names!(PENDING, DELIVERED, FAILED);
    class(DeliveryStatus).base(StrEnum).body(block![
        docstring("Where a delivery stands."),
        assign(PENDING, "pending"),
        assign(DELIVERED, "delivered"),
        assign(FAILED, "failed")
    ])
}

fn optional_moment(field: Name) -> Stmt {
    ann_assign(field, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
}

fn webhook_endpoint_class() -> ClassDef {
    names!(__tablename__, __table_args__, url, description, events, sealed_secret);
    names!(sealed_previous_secret, previous_until, failures, disabled_at, busy_until);
    class(WebhookEndpoint).base(Audited).base(TenantScoped).base(Base).body(block![
        docstring("An address of an organization that is told what happens there."),
        assign(__tablename__, "webhook_endpoints"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("organization_id", "id"),
                Index(None, "organization_id", "created_at", "id")
            ))
        ),
        ann_assign(url, py!(Mapped[str]), py!(mapped_column(String({ URL_LENGTH })))).paragraph(),
        ann_assign(description, py!(Mapped[str]), py!(mapped_column(String(200)))),
        ann_assign(events, py!(Mapped[list[str]]), py!(mapped_column(JSON)))
            .comment("What it listens to; to everything when it names nothing."),
        ann_assign(sealed_secret, py!(Mapped[str]), py!(mapped_column(Text))),
        ann_assign(sealed_previous_secret, py!(Mapped[str | None]), py!(mapped_column(Text))),
        optional_moment(previous_until),
        ann_assign(failures, py!(Mapped[int]), py!(mapped_column(default = 0)))
            .comment("The attempts that failed since one succeeded."),
        optional_moment(disabled_at),
        optional_moment(busy_until)
            .comment("Until when a job has it: what is delivered is delivered in order."),
        def("is_enabled").decorator(property).params([untyped("self")]).returns(bool).body(block![
            docstring("Tell whether it is told anything."),
            return_(py!(self.disabled_at == None))
        ])
    ])
}

fn webhook_delivery_class() -> ClassDef {
    names!(__tablename__, __table_args__, endpoint_id, event, body, status, attempts, due_at);
    names!(attempted_at, response_status, response_body);
    let key = py!(ForeignKeyConstraint(
        ["organization_id", "endpoint_id"],
        ["webhook_endpoints.organization_id", "webhook_endpoints.id"],
        ondelete = "CASCADE"
    ));
    class(WebhookDelivery).base(Record).base(TenantScoped).base(Base).body(block![
        docstring("One event on its way to one endpoint; its id is that of the message."),
        assign(__tablename__, "webhook_deliveries"),
        assign(
            __table_args__,
            py!((
                { key },
                Index(None, "organization_id", "endpoint_id", "created_at", "id"),
                Index(None, "endpoint_id", "status", "created_at")
            ))
        ),
        annotate(endpoint_id, py!(Mapped[UUID])).paragraph(),
        ann_assign(event, py!(Mapped[str]), py!(mapped_column(String(100)))),
        ann_assign(body, py!(Mapped[str]), py!(mapped_column(Text))),
        ann_assign(
            status,
            py!(Mapped[DeliveryStatus]),
            py!(mapped_column(text_enum(DeliveryStatus), default = DeliveryStatus.PENDING))
        ),
        ann_assign(attempts, py!(Mapped[int]), py!(mapped_column(default = 0))),
        ann_assign(due_at, py!(Mapped[datetime]), py!(mapped_column(UTCDateTime))),
        optional_moment(attempted_at),
        annotate(response_status, py!(Mapped[int | None])),
        ann_assign(response_body, py!(Mapped[str | None]), py!(mapped_column(Text)))
    ])
}
