//! `backend/app/models/api_key.py`: keys with which programs act in an organization.

use crate::models::base::{Audited, Base};
use crate::models::types::UTCDateTime;
use crate::python::builtins::{list, str};
use crate::python::sqlalchemy::{ForeignKey, Index, JSON, Mapped, String, mapped_column};
use crate::python::standard::{UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.api_key": ApiKey;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.api_key")
        .docstring("Keys with which programs act in an organization.")
        .body([api_key_class()])
}

fn api_key_class() -> ClassDef {
    names!(__tablename__, __table_args__, organization_id, user_id, name, hint, key_hash, scopes);
    names!(expires_at, last_used_at, revoked_at);
    let moment = |field: Name| {
        ann_assign(field, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    };
    class(ApiKey).base(Audited).base(Base).body(block![
        docstring(
            "A key of an organization: it can do what its scopes say and its maker may.\n\
             \n\
             Of the key itself only a keyed hash is stored, and a hint to tell it by."
        ),
        assign(__tablename__, "api_keys"),
        assign(__table_args__, py!((Index(None, "organization_id", "created_at", "id"),))),
        ann_assign(
            organization_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("organizations.id", ondelete = "CASCADE")))
        )
        .paragraph(),
        ann_assign(
            user_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("users.id", ondelete = "CASCADE")))
        ),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(100)))),
        ann_assign(hint, py!(Mapped[str]), py!(mapped_column(String(80)))),
        ann_assign(key_hash, py!(Mapped[str]), py!(mapped_column(String(64), unique = true))),
        ann_assign(scopes, py!(Mapped[list[str]]), py!(mapped_column(JSON))),
        moment(expires_at),
        moment(last_used_at),
        moment(revoked_at)
    ])
}
