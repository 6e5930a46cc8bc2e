//! `backend/app/models/session.py`: where users are signed in.

use crate::models::base::{Base, Record, utcnow};
use crate::models::types::UTCDateTime;
use crate::python::builtins::str;
use crate::python::sqlalchemy::{ForeignKey, Index, Mapped, String, mapped_column};
use crate::python::standard::{UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.session": AuthSession;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.session")
        .docstring("Where users are signed in.")
        .body(block![auth_session_class()])
}

fn auth_session_class() -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        user_id,
        expires_at,
        authenticated_at,
        used_at,
        active_organization_id,
        ip_address,
        user_agent
    );
    class(AuthSession).base(Record).base(Base).body(block![
        docstring("A sign-in; every request looks it up, so that its end is the end at once."),
        assign(__tablename__, "sessions"),
        assign(__table_args__, py!((Index(None, "user_id", "created_at", "id"),))),
        ann_assign(
            user_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("users.id", ondelete = "CASCADE")))
        )
        .paragraph(),
        ann_assign(expires_at, py!(Mapped[datetime]), py!(mapped_column(UTCDateTime))),
        ann_assign(
            authenticated_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow))
        ),
        ann_assign(
            used_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow))
        ),
        ann_assign(
            active_organization_id,
            py!(Mapped[UUID | None]),
            py!(mapped_column(ForeignKey("organizations.id", ondelete = "SET NULL"), index = true))
        )
        .comment("Where the client was last; what a request is about, its path says."),
        ann_assign(ip_address, py!(Mapped[str]), py!(mapped_column(String(45)))),
        ann_assign(user_agent, py!(Mapped[str]), py!(mapped_column(String(255))))
    ])
}
