//! `backend/app/models/refresh_token.py`: what keeps a session alive.

use crate::models::base::{Base, Record};
use crate::models::types::UTCDateTime;
use crate::python::builtins::str;
use crate::python::sqlalchemy::{ForeignKey, Index, Mapped, String, mapped_column};
use crate::python::standard::{UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.refresh_token": RefreshToken;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.refresh_token")
        .docstring("What keeps a session alive.")
        .body(block![refresh_token_class()])
}

fn refresh_token_class() -> ClassDef {
    names!(__tablename__, __table_args__, session_id, token_hash, rotated_at);
    class(RefreshToken).base(Record).base(Base).body(block![
        docstring(
            "A token of a session, good once; only a keyed hash of it is stored.\n\
             \n\
             Those that were used stay as long as the session, so that a copy gives itself away."
        ),
        assign(__tablename__, "refresh_tokens"),
        assign(__table_args__, py!((Index(None, "session_id"),))),
        ann_assign(
            session_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("sessions.id", ondelete = "CASCADE")))
        )
        .paragraph(),
        ann_assign(token_hash, py!(Mapped[str]), py!(mapped_column(String(64), unique = true))),
        ann_assign(rotated_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}
