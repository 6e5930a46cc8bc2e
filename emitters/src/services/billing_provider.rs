//! `backend/app/services/billing_provider.py`: what this application asks of whoever takes the money.

use crate::core::plans::{PlanName, SubscriptionStatus};
use crate::python::builtins::{Exception, bool, bytes, dict, int, property, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{Annotated, Any, Mapping, Protocol, UUID, dataclass, datetime};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_provider": ProviderError, UnusableEventError, Delivery, Subscription,
        Notice, BillingProvider, get_billing_provider, BillingProviderDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "What this application asks of whoever takes the money.";
    module("app.services.billing_provider").docstring(docstring).body(block![
        provider_error_class(),
        unusable_event_error_class(),
        delivery_class(),
        subscription_class(),
        notice_class(),
        billing_provider_class(),
        get_billing_provider_def(),
        assign(
            BillingProviderDep,
            py!(Annotated[(BillingProvider, Depends(get_billing_provider))])
        )
    ])
}

fn provider_error_class() -> ClassDef {
    class(ProviderError)
        .base(Exception)
        .body(block![docstring("The provider did not do what it was asked for.")])
}

fn unusable_event_error_class() -> ClassDef {
    class(UnusableEventError)
        .base(Exception)
        .body(block![docstring("An event is sound, but says something that cannot be followed.")])
}

fn delivery_class() -> ClassDef {
    names!(event_id, r#type, occurred_at, payload);
    class(Delivery).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("An event that the provider signed."),
        annotate(event_id, str),
        annotate(r#type, str),
        annotate(occurred_at, datetime),
        annotate(payload, py!(dict[(str, Any)]))
    ])
}

fn subscription_class() -> ClassDef {
    names!(
        id,
        customer_id,
        status,
        plan,
        quantity,
        created_at,
        trial_ends_at,
        period_ends_at,
        ends_at,
        invoiced_at
    );
    class(Subscription).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("A subscription as the provider knows it."),
        annotate(id, str),
        annotate(customer_id, str),
        annotate(status, SubscriptionStatus),
        annotate(plan, py!(PlanName | None)),
        annotate(quantity, int),
        annotate(created_at, py!(datetime | None)),
        annotate(trial_ends_at, py!(datetime | None)),
        annotate(period_ends_at, py!(datetime | None)),
        annotate(ends_at, py!(datetime | None)),
        annotate(invoiced_at, py!(datetime | None))
    ])
}

fn notice_class() -> ClassDef {
    names!(customer_id, payer_id, subscription, customer_is_gone);
    class(Notice).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("What an event is about; the subscription in it may be out of date."),
        annotate(customer_id, str),
        ann_assign(payer_id, py!(UUID | None), none()),
        ann_assign(subscription, py!(Subscription | None), none()),
        ann_assign(customer_is_gone, bool, false)
    ])
}

fn billing_provider_class() -> ClassDef {
    class(BillingProvider).base(Protocol).body(block![
        docstring("Who takes the money."),
        billing_provider_name(),
        billing_provider_is_connected(),
        billing_provider_read_delivery(),
        billing_provider_read_notice(),
        billing_provider_find_subscription(),
        billing_provider_close()
    ])
}

fn billing_provider_name() -> FunctionDef {
    def("name")
        .decorator(property)
        .params([untyped("self")])
        .returns(str)
        .body(block![docstring("Return what its events are stored under."), do_(ellipsis())])
}

fn billing_provider_is_connected() -> FunctionDef {
    def("is_connected").decorator(property).params([untyped("self")]).returns(bool).body(block![
        docstring("Tell whether it can be asked; without a key there are events only."),
        do_(ellipsis())
    ])
}

fn billing_provider_read_delivery() -> FunctionDef {
    names!(body, signature);
    def("read_delivery")
        .params([untyped("self"), param(body, bytes), param(signature, py!(str | None))])
        .returns(Delivery)
        .body(block![docstring("Verify what came in by the webhook."), do_(ellipsis())])
}

fn billing_provider_read_notice() -> FunctionDef {
    names!(kind, payload);
    def("read_notice")
        .params([untyped("self"), param(kind, str), param(payload, py!(Mapping[(str, Any)]))])
        .returns(py!(Notice | None))
        .body(block![
            docstring("Read a stored event; none if events of this kind change nothing."),
            do_(ellipsis())
        ])
}

fn billing_provider_find_subscription() -> FunctionDef {
    names!(customer_id, known_id);
    async_def("find_subscription")
        .params([untyped("self"), param(customer_id, str), param(known_id, py!(str | None))])
        .returns(py!(Subscription | None))
        .body(block![
            docstring("Return the subscription of a customer that counts, or the known one."),
            do_(ellipsis())
        ])
}

fn billing_provider_close() -> FunctionDef {
    async_def("close")
        .params([untyped("self")])
        .returns(none())
        .body(block![docstring("Hang up."), do_(ellipsis())])
}

fn get_billing_provider_def() -> FunctionDef {
    names!(request, provider);
    def(get_billing_provider).params([param(request, Request)]).returns(BillingProvider).body(
        block![
            docstring("Return the provider of the application."),
            ann_assign(provider, BillingProvider, py!(request.app.state.billing_provider)),
            return_(provider)
        ],
    )
}
