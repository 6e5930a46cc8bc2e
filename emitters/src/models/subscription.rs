//! The columns of a subscription, in the model of whoever pays.

use crate::core::plans::{PlanName, SubscriptionStatus};
use crate::models::types::{UTCDateTime, text_enum};
use crate::python::builtins::{bool, int, str};
use crate::python::sqlalchemy::{Mapped, String, mapped_column};
use crate::python::standard::datetime;
use crate::spec::{Payer, Spec};
use astgen_pyast::prelude::*;

/// The columns of who pays; none for a model that does not.
#[must_use]
pub fn subscription_columns(spec: &Spec, payer: Payer) -> Vec<Stmt> {
    let Some(billing) = spec.billing.as_ref().filter(|billing| billing.payer == payer) else {
        return Vec::new();
    };
    names!(
        plan,
        subscription_status,
        trial_ends_at,
        trial_reminded_at,
        stripe_customer_id,
        stripe_subscription_id,
        checkout_id,
        subscription_renews_at,
        subscription_ends_at,
        subscription_event_at,
        subscription_version,
        paid_seats,
        past_due_since,
        price_is_unknown
    );
    let free_plan = PlanName.attr(billing.free_plan().constant);
    let moment = || py!(mapped_column(UTCDateTime));
    let stripe_id = || py!(mapped_column(String(255), unique = true));
    block![
        ann_assign(
            plan,
            py!(Mapped[PlanName]),
            py!(mapped_column(text_enum(PlanName), default = free_plan))
        ),
        ann_assign(
            subscription_status,
            py!(Mapped[SubscriptionStatus]),
            py!(mapped_column(text_enum(SubscriptionStatus), default = SubscriptionStatus.NONE))
        ),
        ann_assign(trial_ends_at, py!(Mapped[datetime | None]), moment()),
        billing.own_trial().map(|_| ann_assign(
            trial_reminded_at,
            py!(Mapped[datetime | None]),
            moment()
        )),
        ann_assign(stripe_customer_id, py!(Mapped[str | None]), stripe_id()),
        ann_assign(stripe_subscription_id, py!(Mapped[str | None]), stripe_id()),
        ann_assign(checkout_id, py!(Mapped[str | None]), py!(mapped_column(String(255)))),
        ann_assign(subscription_renews_at, py!(Mapped[datetime | None]), moment()),
        ann_assign(subscription_ends_at, py!(Mapped[datetime | None]), moment()),
        ann_assign(subscription_event_at, py!(Mapped[datetime | None]), moment()),
        ann_assign(subscription_version, py!(Mapped[int]), py!(mapped_column(default = 0)))
            .comment("Goes up with each change of the above."),
        billing.has_seats().then(|| ann_assign(
            paid_seats,
            py!(Mapped[int]),
            py!(mapped_column(default = 0))
        )),
        ann_assign(past_due_since, py!(Mapped[datetime | None]), moment()),
        ann_assign(price_is_unknown, py!(Mapped[bool]), py!(mapped_column(default = false)))
            .comment("What is paid for is the price of no plan: a person has to look.")
    ]
}
