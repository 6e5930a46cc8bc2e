//! `backend/app/models/email.py`: mail that is to leave or has left, and addresses that take none.

use crate::models::base::{Base, Record};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::str;
use crate::python::sqlalchemy::{Mapped, String, Text, mapped_column};
use crate::python::standard::{StrEnum, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.email": EmailStatus, Email, EmailSuppression;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.email")
        .docstring("Mail that is to leave or has left, and addresses that take none.")
        .body(block![email_status_class(), email_class(), email_suppression_class()])
}

fn email_status_class() -> ClassDef {
    names!(QUEUED, SENT, REFUSED, SUPPRESSED);
    class(EmailStatus).base(StrEnum).body(block![
        docstring("Where a mail stands."),
        assign(QUEUED, "queued"),
        assign(SENT, "sent"),
        assign(REFUSED, "refused"),
        assign(SUPPRESSED, "suppressed")
    ])
}

fn email_class() -> ClassDef {
    names!(__tablename__, recipient, subject, sealed_message, status, error, finished_at);
    class(Email).base(Record).base(Base).body(block![
        docstring("A mail. What it says is sealed, and dropped as soon as it is not needed."),
        assign(__tablename__, "emails"),
        ann_assign(recipient, py!(Mapped[str]), py!(mapped_column(String(254)))).paragraph(),
        ann_assign(subject, py!(Mapped[str]), py!(mapped_column(Text))),
        ann_assign(sealed_message, py!(Mapped[str | None]), py!(mapped_column(Text))),
        ann_assign(
            status,
            py!(Mapped[EmailStatus]),
            py!(mapped_column(text_enum(EmailStatus), default = EmailStatus.QUEUED))
        ),
        ann_assign(error, py!(Mapped[str | None]), py!(mapped_column(Text))),
        ann_assign(finished_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime)))
    ])
}

fn email_suppression_class() -> ClassDef {
    names!(__tablename__, address, reason);
    class(EmailSuppression).base(Record).base(Base).body(block![
        docstring("An address that a mail server has refused for good: nothing is sent to it."),
        assign(__tablename__, "email_suppressions"),
        ann_assign(address, py!(Mapped[str]), py!(mapped_column(String(254), unique = true)))
            .paragraph(),
        ann_assign(reason, py!(Mapped[str]), py!(mapped_column(Text)))
    ])
}
