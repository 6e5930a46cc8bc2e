//! `backend/app/models/totp.py`: one-time codes as a second factor.

use crate::models::base::{Base, Record};
use crate::models::types::UTCDateTime;
use crate::python::builtins::{int, str};
use crate::python::sqlalchemy::{BigInteger, ForeignKey, Mapped, String, Text, mapped_column};
use crate::python::standard::{UUID, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.totp": TotpFactor, BackupCode, LoginChallenge;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.totp").docstring("One-time codes as a second factor.").body(block![
        totp_factor_class(),
        backup_code_class(),
        login_challenge_class()
    ])
}

/// `mapped_column(ForeignKey("users.id", …), …)`
fn user_key(options: impl IntoIterator<Item = Arg>) -> Expr {
    py!(mapped_column(ForeignKey("users.id", ondelete = "CASCADE"), ..options))
}

fn totp_factor_class() -> ClassDef {
    names!(__tablename__, user_id, sealed_secret, last_step, failures, locked_until);
    class(TotpFactor).base(Record).base(Base).body(block![
        docstring("The secret that a user's device shares; until the first code it is on trial."),
        assign(__tablename__, "totp_factors"),
        ann_assign(user_id, py!(Mapped[UUID]), user_key([kw("unique", true)])).paragraph(),
        ann_assign(sealed_secret, py!(Mapped[str]), py!(mapped_column(Text))),
        ann_assign(last_step, py!(Mapped[int | None]), py!(mapped_column(BigInteger)))
            .comment("The time step of the last code that was right: none up to it is again."),
        ann_assign(failures, py!(Mapped[int]), py!(mapped_column(default = 0))),
        ann_assign(locked_until, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}

fn backup_code_class() -> ClassDef {
    names!(__tablename__, user_id, code_hash);
    class(BackupCode).base(Record).base(Base).body(block![
        docstring("A code for when the device is lost; it is deleted when it is used."),
        assign(__tablename__, "backup_codes"),
        ann_assign(user_id, py!(Mapped[UUID]), user_key([kw("index", true)])).paragraph(),
        ann_assign(code_hash, py!(Mapped[str]), py!(mapped_column(String(64), unique = true)))
    ])
}

fn login_challenge_class() -> ClassDef {
    names!(__tablename__, user_id, token_hash, attempts, expires_at);
    class(LoginChallenge).base(Record).base(Base).body(block![
        docstring("A sign-in whose password was right and whose code is still to come."),
        assign(__tablename__, "login_challenges"),
        ann_assign(user_id, py!(Mapped[UUID]), user_key([kw("index", true)])).paragraph(),
        ann_assign(token_hash, py!(Mapped[str]), py!(mapped_column(String(64), unique = true))),
        ann_assign(attempts, py!(Mapped[int]), py!(mapped_column(default = 0))),
        ann_assign(expires_at, py!(Mapped[datetime]), py!(mapped_column(UTCDateTime)))
    ])
}
