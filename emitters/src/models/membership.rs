//! `backend/app/models/membership.py`: who belongs to which organization.

use crate::core::roles::Role;
use crate::models::base::{Audited, Base};
use crate::models::organization::Organization;
use crate::models::types::text_enum;
use crate::models::user::User;
use crate::python::sqlalchemy::{
    ForeignKey, Index, Mapped, UniqueConstraint, mapped_column, relationship,
};
use crate::python::standard::UUID;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.membership": Membership;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.membership")
        .docstring("Who belongs to which organization.")
        .body(block![membership_class()])
}

fn membership_class() -> ClassDef {
    names!(__tablename__, __table_args__, organization_id, user_id, role, organization, user);
    class(Membership).base(Audited).base(Base).body(block![
        docstring("A user's place in an organization."),
        assign(__tablename__, "memberships"),
        assign(
            __table_args__,
            py!((
                UniqueConstraint("organization_id", "user_id"),
                Index(None, "organization_id", "created_at", "id"),
                Index(None, "user_id", "created_at", "id")
            ))
        ),
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
        ann_assign(role, py!(Mapped[Role]), py!(mapped_column(text_enum(Role)))),
        ann_assign(organization, py!(Mapped[Organization]), py!(relationship(lazy = "raise")))
            .paragraph(),
        ann_assign(user, py!(Mapped[User]), py!(relationship(lazy = "raise")))
    ])
}
