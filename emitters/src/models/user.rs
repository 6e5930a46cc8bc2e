//! `backend/app/models/user.py`: people who can sign in.

use crate::core::roles::UserRole;
use crate::models::base::{Base, Record};
use crate::models::subscription::subscription_columns;
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{bool, str};
use crate::python::sqlalchemy::{Mapped, String, mapped_column};
use crate::python::standard::datetime;
use crate::spec::{Payer, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.user": User;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.models.user")
        .docstring(if spec.has_payer(Payer::User) {
            "People who can sign in, and who pay."
        } else {
            "People who can sign in."
        })
        .body(block![user_class(spec)])
}

fn user_class(spec: &Spec) -> ClassDef {
    names!(__tablename__, email, password_hash, role, is_active, email_verified_at);
    names!(totp_enabled_at, deleted_at);
    class(User).base(Record).base(Base).body(block![
        docstring(if spec.has_payer(Payer::User) {
            "A person with a password; the address is stored in lower case.\n\
             \n\
             The billing columns follow the events of the provider."
        } else {
            "A person with a password; the address is stored in lower case."
        }),
        assign(__tablename__, "users"),
        ann_assign(email, py!(Mapped[str]), py!(mapped_column(String(254), unique = true)))
            .paragraph(),
        ann_assign(password_hash, py!(Mapped[str]), py!(mapped_column(String(255)))),
        ann_assign(
            role,
            py!(Mapped[UserRole]),
            py!(mapped_column(text_enum(UserRole), default = UserRole.USER))
        ),
        ann_assign(is_active, py!(Mapped[bool]), py!(mapped_column(default = true))),
        ann_assign(
            email_verified_at,
            py!(Mapped[datetime | None]),
            py!(mapped_column(UTCDateTime))
        ),
        spec.auth.has_totp().then(|| ann_assign(
            totp_enabled_at,
            py!(Mapped[datetime | None]),
            py!(mapped_column(UTCDateTime))
        )),
        ann_assign(deleted_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime))),
        subscription_columns(spec, Payer::User)
    ])
}
