//! `backend/app/models/invitation.py`: invitations to join an organization.

use crate::core::roles::Role;
use crate::models::base::{Audited, Base, utcnow};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{int, str};
use crate::python::sqlalchemy::{ForeignKey, Index, Mapped, String, mapped_column, text};
use crate::python::standard::{StrEnum, UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.invitation": InvitationStatus, Invitation;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.invitation")
        .docstring("Invitations to join an organization.")
        .body(block![invitation_status_class(), invitation_class()])
}

fn invitation_status_class() -> ClassDef {
    names!(PENDING, ACCEPTED, DECLINED, REVOKED, EXPIRED);
    class(InvitationStatus).base(StrEnum).body(block![
        docstring("Where an invitation stands."),
        assign(PENDING, "pending"),
        assign(ACCEPTED, "accepted"),
        assign(DECLINED, "declined"),
        assign(REVOKED, "revoked"),
        assign(EXPIRED, "expired")
    ])
}

fn invitation_class() -> ClassDef {
    names!(
        __tablename__,
        __table_args__,
        organization_id,
        inviter_id,
        email,
        role,
        status,
        token_hash,
        expires_at,
        sent_count,
        last_sent_at,
        accepted_at
    );
    class(Invitation).base(Audited).base(Base).body(block![
        docstring("An offer of membership; of its token only a keyed hash is stored."),
        assign(__tablename__, "invitations"),
        assign(
            __table_args__,
            py!((
                Index(
                    "uq_invitations_pending",
                    "organization_id",
                    "email",
                    unique = true,
                    sqlite_where = text("status = 'pending'"),
                    postgresql_where = text("status = 'pending'")
                ),
                Index(None, "organization_id", "created_at", "id")
            ))
        ),
        ann_assign(
            organization_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("organizations.id", ondelete = "CASCADE")))
        )
        .paragraph(),
        ann_assign(
            inviter_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey("users.id", ondelete = "CASCADE")))
        ),
        ann_assign(email, py!(Mapped[str]), py!(mapped_column(String(254)))),
        ann_assign(role, py!(Mapped[Role]), py!(mapped_column(text_enum(Role)))),
        ann_assign(
            status,
            py!(Mapped[InvitationStatus]),
            py!(mapped_column(text_enum(InvitationStatus), default = InvitationStatus.PENDING))
        ),
        ann_assign(token_hash, py!(Mapped[str]), py!(mapped_column(String(64), unique = true))),
        ann_assign(expires_at, py!(Mapped[datetime]), py!(mapped_column(UTCDateTime))),
        ann_assign(sent_count, py!(Mapped[int]), py!(mapped_column(default = 1))),
        ann_assign(
            last_sent_at,
            py!(Mapped[datetime]),
            py!(mapped_column(UTCDateTime, default = utcnow))
        ),
        ann_assign(accepted_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}
