//! `backend/app/schemas/billing.py`: requests and responses about plans and subscriptions.

use crate::core::access::Access;
use crate::core::plans::{Feature, Limit, PaidPlanName, PlanName, SubscriptionStatus};
use crate::core::plans::{has_features, has_limits, has_prices};
use crate::models::billing_event::BillingEventStatus;
use crate::python::builtins::{bool, dict, int, list, str};
use crate::python::pydantic::Field;
use crate::python::standard::{Annotated, Literal, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.billing": ReturnUrl, PriceRead, PlanRead, SubscriptionRead, CheckoutCreate,
        PortalCreate, PlanChange, RedirectRead, InvoiceRead, InvoicePage, WebhookAnswer,
        BillingEventRead, BillingEventPage;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "Requests and responses about plans and subscriptions.";
    module("app.schemas.billing").docstring(docstring).body(block![
        has_prices(billing).then(|| assign(
            ReturnUrl,
            py!(Annotated[(str, Field(max_length = 2000, pattern = "^https?://[!-~]+$"))])
        )),
        price_read_class(billing),
        plan_read_class(billing),
        subscription_read_class(billing),
        has_prices(billing).then(checkout_create_class),
        has_prices(billing).then(portal_create_class),
        has_prices(billing).then(plan_change_class),
        has_prices(billing).then(redirect_read_class),
        has_prices(billing).then(invoice_read_class),
        has_prices(billing).then(invoice_page_class),
        webhook_answer_class(),
        billing_event_read_class(),
        billing_event_page_class()
    ])
}

fn price_read_class(billing: &Billing) -> ClassDef {
    names!(amount, currency, interval, per_member);
    class(PriceRead).base(ResponseModel).body(block![
        docstring("What a plan costs, in the smallest unit of the currency."),
        annotate(amount, int),
        annotate(currency, str),
        annotate(interval, py!(Literal[("month", "year")])),
        billing.has_seats().then(|| annotate(per_member, bool))
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

fn subscription_read_class(billing: &Billing) -> ClassDef {
    names!(plan, status, access, active, seats);
    names!(trial_ends_at, renews_at, ends_at, grace_ends_at);
    let paid_seats = || {
        let description = "How many members are paid for, if each of them is.";
        ann_assign(seats, int, py!(Field(description = { description })))
    };
    class(SubscriptionRead).base(ResponseModel).body(block![
        docstring("What the organization has now."),
        ann_assign(plan, PlanName, py!(Field(description = "The plan that counts at the moment."))),
        annotate(status, SubscriptionStatus),
        ann_assign(
            access,
            Access,
            py!(Field(description = "What the subscription gives at the moment."))
        ),
        annotate(active, bool),
        billing.has_seats().then(paid_seats),
        annotate(trial_ends_at, py!(datetime | None)),
        annotate(renews_at, py!(datetime | None)),
        annotate(ends_at, py!(datetime | None)),
        ann_assign(
            grace_ends_at,
            py!(datetime | None),
            py!(Field(description = "Until when a payment that is due may be late."))
        )
    ])
}

fn checkout_create_class() -> ClassDef {
    names!(plan, success_url, cancel_url);
    class(CheckoutCreate).base(RequestModel).body(block![
        docstring("What to subscribe to, and where to come back to."),
        annotate(plan, PaidPlanName),
        annotate(success_url, ReturnUrl),
        annotate(cancel_url, ReturnUrl)
    ])
}

fn portal_create_class() -> ClassDef {
    names!(return_url);
    class(PortalCreate).base(RequestModel).body(block![
        docstring("Where to come back to from the page with cards and addresses."),
        annotate(return_url, ReturnUrl)
    ])
}

fn plan_change_class() -> ClassDef {
    names!(plan);
    class(PlanChange)
        .base(RequestModel)
        .body(block![docstring("What to move to."), annotate(plan, PaidPlanName)])
}

fn redirect_read_class() -> ClassDef {
    names!(url);
    class(RedirectRead)
        .base(ResponseModel)
        .body(block![docstring("Where to send the person."), annotate(url, str)])
}

fn invoice_read_class() -> ClassDef {
    names!(id, number, status, total, currency, created_at, url);
    class(InvoiceRead).base(ResponseModel).body(block![
        docstring("An invoice, in the smallest unit of its currency."),
        annotate(id, str),
        annotate(number, py!(str | None)),
        annotate(status, py!(str | None)),
        annotate(total, int),
        annotate(currency, str),
        annotate(created_at, datetime),
        ann_assign(
            url,
            py!(str | None),
            py!(Field(description = "Where it can be paid and downloaded."))
        )
    ])
}

fn invoice_page_class() -> ClassDef {
    names!(items, next_cursor);
    class(InvoicePage).base(ResponseModel).body(block![
        docstring("A part of the list of invoices."),
        annotate(items, py!(list[InvoiceRead])),
        annotate(next_cursor, py!(str | None))
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
