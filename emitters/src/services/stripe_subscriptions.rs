//! `backend/app/services/stripe_subscriptions.py`: subscriptions at Stripe: found, changed, ended.

use crate::core::plans::SubscriptionStatus;
use crate::python::builtins::{bool, float, int, list, min, str, tuple};
use crate::python::standard::{UTC, datetime};
use crate::schemas::stripe::StripeSubscription;
use crate::services::billing_provider::{ProviderError, Subscription};
use crate::services::stripe_api::{MissingError, StripeApi, translated_errors};
use crate::services::stripe_events::{item_of, read_subscription};
use crate::spec::Billing;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.stripe_subscriptions": PRECEDENCE, BEGINNING, StripeSubscriptions, precedence;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "Subscriptions at Stripe: found, changed, ended.";
    module("app.services.stripe_subscriptions").docstring(docstring).body(block![
        assign(
            PRECEDENCE,
            py!((
                SubscriptionStatus.ACTIVE,
                SubscriptionStatus.TRIALING,
                SubscriptionStatus.PAST_DUE,
                SubscriptionStatus.UNPAID,
                SubscriptionStatus.PAUSED,
                SubscriptionStatus.UNKNOWN,
                SubscriptionStatus.INCOMPLETE,
                SubscriptionStatus.CANCELED,
                SubscriptionStatus.INCOMPLETE_EXPIRED
            ))
        )
        .comment("Of several subscriptions of one customer, the first of these counts."),
        assign(BEGINNING, py!(datetime(1970, 1, 1, tzinfo = UTC))),
        stripe_subscriptions_class(billing),
        precedence_def()
    ])
}

fn stripe_subscriptions_class(billing: &Billing) -> ClassDef {
    class(StripeSubscriptions).base(StripeApi).body(block![
        docstring("The calls about subscriptions."),
        stripe_subscriptions_find_subscription(),
        stripe_subscriptions_list_subscriptions(billing),
        stripe_subscriptions_retrieve_subscription(billing),
        stripe_subscriptions_change_price(),
        billing.has_seats().then(stripe_subscriptions_change_quantity),
        stripe_subscriptions_item_id(),
        stripe_subscriptions_end_later(),
        stripe_subscriptions_go_on(),
        stripe_subscriptions_resume(),
        billing.card_trial().map(|_| stripe_subscriptions_cancel())
    ])
}

fn stripe_subscriptions_find_subscription() -> FunctionDef {
    names!(customer_id, known_id, found);
    async_def("find_subscription")
        .params([untyped("self"), param(customer_id, str), param(known_id, py!(str | None))])
        .returns(py!(Subscription | None))
        .body(block![
            docstring(
                "Return the subscription of a customer that counts, or the one known so far.\n\
                 \n\
                 A customer who is gone has no list any more, but a subscription of theirs can\n\
                 still be read by its id."
            ),
            if_(
                py!(!self.is_connected),
                [raise(py!(ProviderError("There is no key to ask with")))]
            ),
            try_([assign(found, py!(self.list_subscriptions(customer_id).await))])
                .except(MissingError, [assign(found, py!([]))]),
            if_(
                py!(!found && known_id != None),
                [assign(found, py!(self.retrieve_subscription(known_id).await))]
            ),
            return_(py!(min(found, key = precedence, default = None)))
        ])
}

fn stripe_subscriptions_list_subscriptions(billing: &Billing) -> FunctionDef {
    names!(customer_id, page);
    let expanded = expanded(billing, "data.");
    async_def("list_subscriptions")
        .params([untyped("self"), param(customer_id, str)])
        .returns(py!(list[Subscription]))
        .body(block![
            docstring("List every subscription of a customer, also those that have ended."),
            with(
                py!(translated_errors()),
                block![
                    assign(
                        page,
                        py!(self
                            .client
                            .v1
                            .subscriptions
                            .list_async(dict!(
                                "customer" => customer_id,
                                "status" => "all",
                                "limit" => 100,
                                "expand" => { expanded }
                            ))
                            .await),
                    ),
                    return_(py!(list!(read_subscription(found.to_dict()) for found in page.data)))
                ]
            )
        ])
}

/// What is to be in the place of its id.
fn expanded(billing: &Billing, prefix: &str) -> Expr {
    let card = billing.card_trial().map(|_| "default_payment_method");
    make::list(["latest_invoice"].into_iter().chain(card).map(|name| format!("{prefix}{name}")))
}

fn stripe_subscriptions_retrieve_subscription(billing: &Billing) -> FunctionDef {
    names!(subscription_id, found);
    let expanded = expanded(billing, "");
    async_def("retrieve_subscription")
        .params([untyped("self"), param(subscription_id, str)])
        .returns(py!(list[Subscription]))
        .body(block![
            docstring("Read one subscription, if there is such a one."),
            try_(with(
                py!(translated_errors()),
                block![
                    assign(
                        found,
                        py!(self
                            .client
                            .v1
                            .subscriptions
                            .retrieve_async(subscription_id, dict!("expand" => { expanded }))
                            .await)
                    ),
                    return_(py!([read_subscription(found.to_dict())]))
                ]
            ))
            .except(MissingError, [return_(py!([]))])
        ])
}

fn stripe_subscriptions_change_price() -> FunctionDef {
    names!(subscription_id, lookup_key, quantity, subscriptions, price_id, item_id);
    async_def("change_price")
        .params([
            untyped("self"),
            param(subscription_id, str),
            param(lookup_key, str),
            param(quantity, int),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Move a subscription to another price and charge the difference.\n\nIf the \
                     difference cannot be collected, nothing has changed."
            ),
            assign(subscriptions, py!(self.client.v1.subscriptions)),
            assign(price_id, py!(self.price_id(lookup_key).await)),
            assign(item_id, py!(self.item_id(subscription_id).await)),
            with(
                py!(translated_errors()),
                [do_(py!(subscriptions
                    .update_async(
                        subscription_id,
                        dict!(
                            "items" => [
                                dict!(
                                    "id" => item_id,
                                    "price" => price_id,
                                    "quantity" => quantity
                                )
                            ],
                            "proration_behavior" => "always_invoice",
                            "payment_behavior" => "error_if_incomplete"
                        ),
                    )
                    .await))],
            )
        ])
}

fn stripe_subscriptions_change_quantity() -> FunctionDef {
    names!(subscription_id, quantity, item_id);
    async_def("change_quantity")
        .params([untyped("self"), param(subscription_id, str), param(quantity, int)])
        .returns(none())
        .body(block![
            docstring(
                "Have a subscription pay for another number of members from now on.\n\nThe difference \
                     is on the next invoice."
            ),
            assign(item_id, py!(self.item_id(subscription_id).await)),
            with(
                py!(translated_errors()),
                [do_(py!(self
                    .client
                    .v1
                    .subscriptions
                    .update_async(
                        subscription_id,
                        dict!(
                            "items" => [dict!("id" => item_id, "quantity" => quantity)],
                            "proration_behavior" => "create_prorations"
                        ),
                    )
                    .await))],
            )
        ])
}

fn stripe_subscriptions_item_id() -> FunctionDef {
    names!(subscription_id, found);
    async_def("item_id").params([untyped("self"), param(subscription_id, str)]).returns(str).body(
        block![
            docstring("Return the line of a subscription that pays for the plan."),
            with(
                py!(translated_errors()),
                block![
                    assign(
                        found,
                        py!(self.client.v1.subscriptions.retrieve_async(subscription_id).await)
                    ),
                    return_(py!(item_of(StripeSubscription.model_validate(found.to_dict())).id))
                ]
            )
        ],
    )
}

/// A method that has Stripe do something with a subscription.
fn act(method: &'static str, sentence: &'static str, call: Expr) -> FunctionDef {
    async_def(method)
        .params([untyped("self"), param("subscription_id", str)])
        .returns(none())
        .body(block![docstring(sentence), with(py!(translated_errors()), [do_(call)])])
}

fn stripe_subscriptions_end_later() -> FunctionDef {
    names!(subscription_id);
    let params = py!(dict!("cancel_at_period_end" => true));
    act(
        "end_later",
        "Let a subscription end when what is paid for does.",
        py!(self.client.v1.subscriptions.update_async(subscription_id, params).await),
    )
}

fn stripe_subscriptions_go_on() -> FunctionDef {
    names!(subscription_id);
    let params = py!(dict!("cancel_at_period_end" => false, "cancel_at" => ""));
    act(
        "go_on",
        "Let a subscription go on that was to end.",
        py!(self.client.v1.subscriptions.update_async(subscription_id, params).await),
    )
}

fn stripe_subscriptions_cancel() -> FunctionDef {
    names!(subscription_id);
    act(
        "cancel",
        "End a subscription at once.",
        py!(self.client.v1.subscriptions.cancel_async(subscription_id).await),
    )
}

fn stripe_subscriptions_resume() -> FunctionDef {
    names!(subscription_id);
    act(
        "resume",
        "Start a paused subscription again.",
        py!(self.client.v1.subscriptions.resume_async(subscription_id).await),
    )
}

fn precedence_def() -> FunctionDef {
    names!(subscription, started, place);
    def(precedence)
        .params([param(subscription, Subscription)])
        .returns(py!(tuple[(int, bool, float)]))
        .body(block![
            docstring(
                "Place a subscription among those of its customer; the least one counts.\n\
                 \n\
                 Its status says more than its price: who pays for something that no plan has\n\
                 does pay."
            ),
            assign(started, py!((subscription.created_at || BEGINNING).timestamp())),
            assign(place, py!(PRECEDENCE.index(subscription.status))),
            return_(py!((place, subscription.plan == None, -started)))
        ])
}
