//! `backend/app/schemas/billing.py`: requests and responses about plans and subscriptions.

use crate::core::plans::{Feature, Limit, PlanName, SubscriptionStatus};
use crate::core::plans::{has_features, has_limits};
use crate::models::billing_event::BillingEventStatus;
use crate::python::builtins::{bool, dict, int, list, str};
use crate::python::pydantic::{BaseModel, Field};
use crate::python::standard::{Any, Literal, UUID, datetime};
use crate::schemas::base::{Page, ResponseModel};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.billing": PriceRead, PlanRead, SubscriptionRead, WebhookAnswer, BillingEventRead,
        BillingEventPage, StripeData, StripeEvent, StripePrice, StripeItem, StripeItems,
        StripeSubscription, StripeCheckoutSession;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.schemas.billing")
        .docstring("Requests and responses about plans and subscriptions.")
        .body(block![
            price_read_class(),
            plan_read_class(billing),
            subscription_read_class(),
            webhook_answer_class(),
            billing_event_read_class(),
            billing_event_page_class(),
            stripe_data_class(),
            stripe_event_class(),
            stripe_price_class(),
            stripe_item_class(),
            stripe_items_class(),
            stripe_subscription_class(),
            stripe_checkout_session_class()
        ])
}

fn price_read_class() -> ClassDef {
    names!(amount, currency, interval);
    class(PriceRead).base(ResponseModel).body(block![
        docstring("What a plan costs, in the smallest unit of the currency."),
        annotate(amount, int),
        annotate(currency, str),
        annotate(interval, py!(Literal[("month", "year")]))
    ])
}

fn plan_read_class(billing: &Billing) -> ClassDef {
    names!(name, title, price, features, limits);
    class(PlanRead).base(ResponseModel).body(block![
        docstring("A plan; a limit that is not listed is unlimited."),
        annotate(name, PlanName),
        annotate(title, str),
        annotate(price, py!(PriceRead | None)),
        has_features(billing).then(|| annotate(features, py!(list[Feature]))),
        has_limits(billing).then(|| annotate(limits, py!(dict[(Limit, int)])))
    ])
}

fn subscription_read_class() -> ClassDef {
    names!(plan, status, active, trial_ends_at);
    class(SubscriptionRead).base(ResponseModel).body(block![
        docstring("What the organization has now."),
        ann_assign(plan, PlanName, py!(Field(description = "The plan that counts at the moment."))),
        annotate(status, SubscriptionStatus),
        annotate(active, bool),
        annotate(trial_ends_at, py!(datetime | None))
    ])
}

fn webhook_answer_class() -> ClassDef {
    names!(status);
    class(WebhookAnswer)
        .base(ResponseModel)
        .body(block![docstring("What became of an event."), annotate(status, BillingEventStatus)])
}

fn billing_event_read_class() -> ClassDef {
    names!(id, created_at, provider, event_id, r#type, occurred_at, status, error, handled_at);
    class(BillingEventRead).base(ResponseModel).body(block![
        docstring("An event of the provider, without what it says about customers."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(provider, str),
        annotate(event_id, str),
        annotate(r#type, str),
        annotate(occurred_at, datetime),
        annotate(status, BillingEventStatus),
        annotate(error, py!(str | None)),
        annotate(handled_at, py!(datetime | None))
    ])
}

fn billing_event_page_class() -> ClassDef {
    class(BillingEventPage)
        .base(py!(Page[BillingEventRead]))
        .body(block![docstring("A part of the list of events.")])
}

fn stripe_data_class() -> ClassDef {
    names!(object);
    class(StripeData).base(BaseModel).body(block![
        docstring("The object that an event is about."),
        annotate(object, py!(dict[(str, Any)]))
    ])
}

fn stripe_event_class() -> ClassDef {
    names!(id, r#type, created, data);
    class(StripeEvent).base(BaseModel).body(block![
        docstring("The envelope of an event of Stripe."),
        ann_assign(id, str, py!(Field(max_length = 255))),
        ann_assign(r#type, str, py!(Field(max_length = 255))),
        annotate(created, datetime),
        annotate(data, StripeData)
    ])
}

fn stripe_price_class() -> ClassDef {
    names!(lookup_key);
    class(StripePrice).base(BaseModel).body(block![
        docstring("A price of Stripe; the lookup key says which plan it is."),
        ann_assign(lookup_key, py!(str | None), none())
    ])
}

fn stripe_item_class() -> ClassDef {
    names!(price);
    class(StripeItem)
        .base(BaseModel)
        .body(block![docstring("A line of a subscription."), annotate(price, StripePrice)])
}

fn stripe_items_class() -> ClassDef {
    names!(data);
    class(StripeItems).base(BaseModel).body(block![
        docstring("The lines of a subscription."),
        annotate(data, py!(list[StripeItem]))
    ])
}

fn stripe_subscription_class() -> ClassDef {
    names!(id, customer, status, items, metadata, trial_end);
    class(StripeSubscription).base(BaseModel).body(block![
        docstring("What this application reads of a subscription."),
        annotate(id, str),
        annotate(customer, str),
        annotate(status, str),
        annotate(items, StripeItems),
        ann_assign(metadata, py!(dict[(str, str)]), py!(Field(default_factory = dict[(str, str)]))),
        ann_assign(trial_end, py!(datetime | None), none())
    ])
}

fn stripe_checkout_session_class() -> ClassDef {
    names!(customer, client_reference_id);
    class(StripeCheckoutSession).base(BaseModel).body(block![
        docstring("What this application reads of a finished checkout."),
        annotate(customer, str),
        annotate(client_reference_id, UUID)
    ])
}
