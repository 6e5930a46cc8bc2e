//! `backend/app/services/billing_provider.py`: what this application asks of whoever takes the money.

use crate::core::errors::{PaymentRequiredError, UnavailableError};
use crate::core::plans::{PlanName, SubscriptionStatus};
use crate::python::builtins::{Exception, bool, bytes, dict, int, list, property, repr, str};
use crate::python::fastapi::{Depends, Request};
use crate::python::standard::{
    Annotated, Any, Mapping, Protocol, UUID, dataclass, datetime, replace, sha256,
};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_provider": ProviderError, PaymentFailedError, UnusableEventError,
        Delivery, Subscription, TrialEnding, PaymentFailed, Notice, Customer, Order, Checkout, Invoice, InvoicePart,
        BillingProvider, get_billing_provider, BillingProviderDep;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "What this application asks of whoever takes the money.";
    module("app.services.billing_provider").docstring(docstring).body(block![
        provider_error_class(),
        payment_failed_error_class(),
        unusable_event_error_class(),
        delivery_class(),
        subscription_class(billing),
        trial_ending_class(),
        payment_failed_class(),
        notice_class(),
        customer_class(),
        order_class(billing),
        checkout_class(),
        invoice_class(),
        invoice_part_class(),
        billing_provider_class(billing),
        get_billing_provider_def(),
        assign(
            BillingProviderDep,
            py!(Annotated[(BillingProvider, Depends(get_billing_provider))])
        )
    ])
}

fn provider_error_class() -> ClassDef {
    names!(code);
    class(ProviderError).base(UnavailableError).body(block![
        docstring("The provider did not do what it was asked for."),
        assign(code, "billing_unavailable"),
        provider_error_init()
    ])
}

fn provider_error_init() -> FunctionDef {
    names!(reason);
    def("__init__").params([untyped("self"), param(reason, str)]).returns(none()).body(block![
        docstring("Keep the reason for the log; the caller is not told."),
        do_(py!(super().__init__("The payment provider does not answer at the moment."))),
        assign(py!(self.reason), reason)
    ])
}

fn payment_failed_error_class() -> ClassDef {
    names!(code);
    class(PaymentFailedError).base(PaymentRequiredError).body(block![
        docstring("The provider could not collect what a change costs."),
        assign(code, "payment_failed")
    ])
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

fn subscription_class(billing: &Billing) -> ClassDef {
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
        invoiced_at,
        card
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
        annotate(invoiced_at, py!(datetime | None)),
        billing.card_trial().map(|_| ann_assign(card, py!(str | None), none()))
    ])
}

fn trial_ending_class() -> ClassDef {
    names!(ends_at, amount, currency);
    class(TrialEnding).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("A trial is about to end, and something is charged then."),
        annotate(ends_at, datetime),
        annotate(amount, int),
        annotate(currency, str)
    ])
}

fn payment_failed_class() -> ClassDef {
    names!(amount, currency, url);
    class(PaymentFailed).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("Something could not be collected; it can be paid at an address."),
        annotate(amount, int),
        annotate(currency, str),
        annotate(url, py!(str | None))
    ])
}

fn notice_class() -> ClassDef {
    names!(customer_id, payer_id, subscription, customer_is_gone, alert);
    class(Notice).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("What an event is about; the subscription in it may be out of date."),
        annotate(customer_id, str),
        ann_assign(payer_id, py!(UUID | None), none()),
        ann_assign(subscription, py!(Subscription | None), none()),
        ann_assign(customer_is_gone, bool, false),
        ann_assign(alert, py!(TrialEnding | PaymentFailed | None), none())
    ])
}

fn customer_class() -> ClassDef {
    names!(payer_id, name, email, previous_id);
    class(Customer).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("Who is to pay."),
        annotate(payer_id, UUID),
        annotate(name, str),
        annotate(email, str),
        annotate(previous_id, py!(str | None))
    ])
}

fn order_class(billing: &Billing) -> ClassDef {
    names!(payer_id, customer_id, lookup_key, quantity, trial_days);
    names!(success_url, cancel_url, previous_id);
    class(Order).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("What somebody is about to pay for, and where they come back to."),
        annotate(payer_id, UUID),
        annotate(customer_id, str),
        annotate(lookup_key, str),
        annotate(quantity, int),
        billing.card_trial().map(|_| annotate(trial_days, py!(int | None))),
        annotate(success_url, str),
        annotate(cancel_url, str),
        annotate(previous_id, py!(str | None)),
        order_fingerprint()
    ])
}

fn order_fingerprint() -> FunctionDef {
    names!(content);
    def("fingerprint").decorator(property).params([untyped("self")]).returns(str).body(block![
        docstring("Return what an order has in common with those for the very same."),
        assign(content, py!(repr(replace(self, previous_id = None)))),
        return_(py!(sha256(content.encode()).hexdigest()))
    ])
}

fn checkout_class() -> ClassDef {
    names!(id, url, order);
    class(Checkout).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("A page on which somebody pays; the address is gone when it is closed."),
        annotate(id, str),
        annotate(url, py!(str | None)),
        annotate(order, py!(str | None))
    ])
}

fn invoice_class() -> ClassDef {
    names!(id, number, status, total, currency, created_at, url);
    class(Invoice).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("An invoice, in the smallest unit of its currency."),
        annotate(id, str),
        annotate(number, py!(str | None)),
        annotate(status, py!(str | None)),
        annotate(total, int),
        annotate(currency, str),
        annotate(created_at, datetime),
        annotate(url, py!(str | None))
    ])
}

fn invoice_part_class() -> ClassDef {
    names!(items, has_more);
    class(InvoicePart).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("A part of the list of invoices, newest first."),
        annotate(items, py!(list[Invoice])),
        annotate(has_more, bool)
    ])
}

fn billing_provider_class(billing: &Billing) -> ClassDef {
    class(BillingProvider).base(Protocol).body(block![
        docstring("Who takes the money."),
        billing_provider_name(),
        billing_provider_is_connected(),
        billing_provider_read_delivery(),
        billing_provider_read_notice(),
        billing_provider_find_subscription(),
        billing_provider_create_customer(),
        billing_provider_has_customer(),
        billing_provider_create_checkout(),
        billing_provider_find_checkout(),
        billing_provider_expire_checkout(),
        billing_provider_open_portal(),
        billing_provider_change_price(),
        billing.has_seats().then(billing_provider_change_quantity),
        billing_provider_end_later(),
        billing_provider_go_on(),
        billing_provider_resume(),
        billing.card_trial().map(|_| billing_provider_cancel()),
        billing_provider_list_invoices(),
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
    names!(body, headers);
    def("read_delivery")
        .params([untyped("self"), param(body, bytes), param(headers, py!(Mapping[(str, str)]))])
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

fn billing_provider_create_customer() -> FunctionDef {
    names!(customer);
    async_def("create_customer")
        .params([untyped("self"), param(customer, Customer)])
        .returns(str)
        .body(block![
            docstring("Add a customer and return its id; asked twice, it is the same one."),
            do_(ellipsis())
        ])
}

fn billing_provider_has_customer() -> FunctionDef {
    names!(customer_id);
    async_def("has_customer").params([untyped("self"), param(customer_id, str)]).returns(bool).body(
        block![
            docstring("Tell whether there is such a customer, who was not deleted."),
            do_(ellipsis())
        ],
    )
}

fn billing_provider_create_checkout() -> FunctionDef {
    names!(order);
    async_def("create_checkout")
        .params([untyped("self"), param(order, Order)])
        .returns(Checkout)
        .body(block![
            docstring("Open a checkout; asked twice for the same, it is the same one."),
            do_(ellipsis())
        ])
}

fn billing_provider_find_checkout() -> FunctionDef {
    names!(checkout_id);
    async_def("find_checkout")
        .params([untyped("self"), param(checkout_id, str)])
        .returns(py!(Checkout | None))
        .body(block![docstring("Return a checkout."), do_(ellipsis())])
}

fn billing_provider_expire_checkout() -> FunctionDef {
    names!(checkout_id);
    async_def("expire_checkout")
        .params([untyped("self"), param(checkout_id, str)])
        .returns(none())
        .body(block![docstring("Close a checkout before anybody has paid."), do_(ellipsis())])
}

fn billing_provider_open_portal() -> FunctionDef {
    names!(customer_id, return_url);
    async_def("open_portal")
        .params([untyped("self"), param(customer_id, str), param(return_url, str)])
        .returns(str)
        .body(block![
            docstring("Return where a customer sees to cards and addresses."),
            do_(ellipsis())
        ])
}

fn billing_provider_change_price() -> FunctionDef {
    names!(subscription_id, lookup_key, quantity);
    async_def("change_price")
        .params([
            untyped("self"),
            param(subscription_id, str),
            param(lookup_key, str),
            param(quantity, int),
        ])
        .returns(none())
        .body(block![
            docstring("Move a subscription to another price and charge the difference."),
            do_(ellipsis())
        ])
}

fn billing_provider_change_quantity() -> FunctionDef {
    names!(subscription_id, quantity);
    async_def("change_quantity")
        .params([untyped("self"), param(subscription_id, str), param(quantity, int)])
        .returns(none())
        .body(block![
            docstring("Have a subscription pay for another number of members from now on."),
            do_(ellipsis())
        ])
}

fn billing_provider_end_later() -> FunctionDef {
    names!(subscription_id);
    async_def("end_later")
        .params([untyped("self"), param(subscription_id, str)])
        .returns(none())
        .body(block![
            docstring("Let a subscription end when what is paid for does."),
            do_(ellipsis())
        ])
}

fn billing_provider_go_on() -> FunctionDef {
    names!(subscription_id);
    async_def("go_on")
        .params([untyped("self"), param(subscription_id, str)])
        .returns(none())
        .body(block![docstring("Let a subscription go on that was to end."), do_(ellipsis())])
}

fn billing_provider_resume() -> FunctionDef {
    names!(subscription_id);
    async_def("resume")
        .params([untyped("self"), param(subscription_id, str)])
        .returns(none())
        .body(block![docstring("Start a paused subscription again."), do_(ellipsis())])
}

fn billing_provider_cancel() -> FunctionDef {
    names!(subscription_id);
    async_def("cancel")
        .params([untyped("self"), param(subscription_id, str)])
        .returns(none())
        .body(block![docstring("End a subscription at once."), do_(ellipsis())])
}

fn billing_provider_list_invoices() -> FunctionDef {
    names!(customer_id, limit, after);
    async_def("list_invoices")
        .params([
            untyped("self"),
            param(customer_id, str),
            param(limit, int),
            param(after, py!(str | None)),
        ])
        .returns(InvoicePart)
        .body(block![
            docstring("List the invoices of a customer after one of them."),
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
