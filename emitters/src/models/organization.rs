//! `backend/app/models/organization.py`: organizations: the tenants, and who pays.

use crate::core::plans::{PlanName, SubscriptionStatus};
use crate::models::base::{Base, Record};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::str;
use crate::python::sqlalchemy::{Mapped, String, mapped_column};
use crate::python::standard::datetime;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.models.organization": Organization;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.models.organization")
        .docstring("Organizations: the tenants, and who pays.")
        .body(block![organization_class()])
}

fn organization_class() -> ClassDef {
    names!(
        __tablename__,
        name,
        plan,
        subscription_status,
        trial_ends_at,
        stripe_customer_id,
        stripe_subscription_id,
        subscription_event_at
    );
    class(Organization).base(Record).base(Base).body(block![
        docstring("A tenant. The billing columns follow the events of the provider."),
        assign(__tablename__, "organizations"),
        ann_assign(name, py!(Mapped[str]), py!(mapped_column(String(120)))).paragraph(),
        ann_assign(
            plan,
            py!(Mapped[PlanName]),
            py!(mapped_column(text_enum(PlanName), default = PlanName.FREE))
        ),
        ann_assign(
            subscription_status,
            py!(Mapped[SubscriptionStatus]),
            py!(mapped_column(text_enum(SubscriptionStatus), default = SubscriptionStatus.NONE))
        ),
        ann_assign(trial_ends_at, py!(Mapped[datetime | None]), py!(mapped_column(UTCDateTime))),
        ann_assign(
            stripe_customer_id,
            py!(Mapped[str | None]),
            py!(mapped_column(String(255), unique = true))
        ),
        ann_assign(
            stripe_subscription_id,
            py!(Mapped[str | None]),
            py!(mapped_column(String(255), unique = true))
        ),
        ann_assign(
            subscription_event_at,
            py!(Mapped[datetime | None]),
            py!(mapped_column(UTCDateTime))
        )
    ])
}
