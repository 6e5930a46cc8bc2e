//! `backend/app/models/idempotency_key.py`: answers that are given again.

use crate::models::base::{Base, Entry};
use crate::python::builtins::{dict, int, str};
use crate::python::sqlalchemy::{
    ForeignKey, Index, JSON, Mapped, String, Text, UniqueConstraint, mapped_column,
};
use crate::python::standard::UUID;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.idempotency_key": IdempotencyKey;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.idempotency_key")
        .docstring("Answers that are given again.")
        .body(block![idempotency_key_class()])
}

fn idempotency_key_class() -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        organization_id,
        user_id,
        caller_id,
        route,
        key,
        fingerprint,
        status_code,
        headers,
        body
    );
    let owner = |column: &str| py!(mapped_column(ForeignKey(column, ondelete = "CASCADE")));
    let text = |length: u32| py!(mapped_column(String(length)));
    class(IdempotencyKey).base(Entry).base(Base).body(block![
        docstring("A request that was done, by the key that its sender gave it, and the answer."),
        assign(__tablename__, "idempotency_keys"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("caller_id", "route", "key"),
                Index(None, "created_at"),
                Index(None, "organization_id"),
                Index(None, "user_id")
            ))
        ),
        ann_assign(organization_id, py!(Mapped[UUID | None]), owner("organizations.id"))
            .comment("The one that the route names, if it names one.")
            .paragraph(),
        ann_assign(user_id, py!(Mapped[UUID]), owner("users.id")),
        annotate(caller_id, py!(Mapped[UUID]))
            .comment("The user, or the API key: what one program does is not for another."),
        ann_assign(route, py!(Mapped[str]), text(255)),
        ann_assign(key, py!(Mapped[str]), text(255)),
        ann_assign(fingerprint, py!(Mapped[str]), text(64)),
        annotate(status_code, py!(Mapped[int])),
        ann_assign(headers, py!(Mapped[dict[(str, str)]]), py!(mapped_column(JSON))),
        ann_assign(body, py!(Mapped[str]), py!(mapped_column(Text)))
    ])
}
