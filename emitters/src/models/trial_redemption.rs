//! `backend/app/models/trial_redemption.py`: trials that are used up.

use crate::models::base::{Base, Record};
use crate::python::builtins::str;
use crate::python::sqlalchemy::{Mapped, String, mapped_column};
use crate::python::standard::UUID;
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.trial_redemption": TrialRedemption;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.models.trial_redemption")
        .docstring("Trials that are used up.")
        .body(block![trial_redemption_class(billing)])
}

fn trial_redemption_class(billing: &Billing) -> ClassDef {
    names!(__tablename__, digest, payer_id);
    class(TrialRedemption).base(Record).base(Base).body(block![
        docstring("What has had its trial, as a digest that outlives the account."),
        assign(__tablename__, "trial_redemptions"),
        ann_assign(digest, py!(Mapped[str]), py!(mapped_column(String(64), unique = true)))
            .paragraph(),
        billing.card_trial().map(|_| annotate(payer_id, py!(Mapped[UUID | None])))
    ])
}
