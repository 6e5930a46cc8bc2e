//! `backend/app/models/override.py`: what one payer may use, other than by the plan.

use crate::core::plans::{has_features, has_flags, has_limits};
use crate::models::base::{Base, Record};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{bool, int, str};
use crate::python::sqlalchemy::{ForeignKey, Mapped, String, UniqueConstraint, mapped_column};
use crate::python::standard::{StrEnum, UUID, datetime};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.override": OverrideKind, Override;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.models.override")
        .docstring("What one payer may use, other than by the plan.")
        .body(block![override_kind_class(billing), override_class(billing)])
}

fn override_kind_class(billing: &Billing) -> ClassDef {
    names!(FEATURE, LIMIT, FLAG);
    class(OverrideKind).base(StrEnum).body(block![
        docstring("What an override is of."),
        has_features(billing).then(|| assign(FEATURE, "feature")),
        has_limits(billing).then(|| assign(LIMIT, "limit")),
        has_flags(billing).then(|| assign(FLAG, "flag"))
    ])
}

fn override_class(billing: &Billing) -> ClassDef {
    let payer_key = format!("{}.id", billing.payer.table());
    names!(__tablename__, __table_args__, payer_id, kind, name, is_on, maximum);
    names!(expires_at, reason);
    class(Override).base(Record).base(Base).body(block![
        docstring("An exception that somebody made for one payer, for a while or for good."),
        assign(__tablename__, "overrides"),
        assign(__table_args__, py!((UniqueConstraint("payer_id", "kind", "name"),))),
        ann_assign(
            payer_id,
            py!(Mapped[UUID]),
            py!(mapped_column(ForeignKey(payer_key, ondelete = "CASCADE")))
        )
        .paragraph(),
        ann_assign(kind, py!(Mapped[OverrideKind]), py!(mapped_column(text_enum(OverrideKind)))),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(64)))),
        ann_assign(is_on, py!(Mapped[bool]), py!(mapped_column(default = true)))
            .comment("A limit without a maximum is unlimited."),
        ann_assign(maximum, py!(Mapped[int | None]), py!(mapped_column())),
        ann_assign(expires_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime))),
        ann_assign(reason, py!(Mapped[str]), py!(mapped_column(String(500))))
    ])
}
