//! `backend/app/services/stripe_provider.py`: stripe, as the provider that takes the money.

use crate::core::plans::SubscriptionStatus;
use crate::core::settings::Settings;
use crate::python::aiohttp::ClientTimeout;
use crate::python::builtins::{TYPE, bool, bytes, float, int, list, min, property, str, tuple};
use crate::python::standard::{Any, Generator, Mapping, UTC, contextmanager, datetime};
use crate::python::stripe::{AIOHTTPClient, StripeClient, stripe};
use crate::services::billing_provider::{Delivery, Notice, ProviderError, Subscription};
use crate::services::stripe_events::{read_delivery, read_notice, read_subscription};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.stripe_provider": TIMEOUT_SECONDS, NETWORK_RETRIES, PRECEDENCE, BEGINNING,
        MissingError, StripeProvider, translated_errors, precedence;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "Stripe, as the provider that takes the money.";
    module("app.services.stripe_provider").docstring(docstring).body(block![
        assign(TIMEOUT_SECONDS, 8),
        assign(NETWORK_RETRIES, 1),
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
        missing_error_class(),
        stripe_provider_class(),
        translated_errors_def(),
        precedence_def()
    ])
}

fn missing_error_class() -> ClassDef {
    class(MissingError)
        .base(ProviderError)
        .body(block![docstring("Stripe has no object with the id.")])
}

fn stripe_provider_class() -> ClassDef {
    names!(name);
    class(StripeProvider).body(block![
        docstring("The calls to Stripe, each with a timeout and with the retries of the library."),
        assign(name, "stripe"),
        stripe_provider_init(),
        stripe_provider_is_connected(),
        stripe_provider_read_delivery(),
        stripe_provider_read_notice(),
        stripe_provider_find_subscription(),
        stripe_provider_list_subscriptions(),
        stripe_provider_retrieve_subscription(),
        stripe_provider_close()
    ])
}

fn stripe_provider_init() -> FunctionDef {
    names!(settings);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Prepare to connect; no connection is made before the first call."),
            assign(py!(self.secrets), py!(settings.stripe_webhook_secrets)),
            assign(py!(self.api_key), py!(settings.stripe_secret_key)),
            assign(
                py!(self.http),
                py!(AIOHTTPClient(timeout = ClientTimeout(total = TIMEOUT_SECONDS)))
            ),
            assign(
                py!(self.client),
                py!(StripeClient(
                    if self.api_key == None { "" } else { self.api_key.get_secret_value() },
                    base_addresses = dict!("api" => settings.stripe_api_base),
                    max_network_retries = NETWORK_RETRIES,
                    http_client = self.http
                ))
            )
        ],
    )
}

fn stripe_provider_is_connected() -> FunctionDef {
    def("is_connected").decorator(property).params([untyped("self")]).returns(bool).body(block![
        docstring("Tell whether there is a key to ask with."),
        return_(py!(self.api_key != None))
    ])
}

fn stripe_provider_read_delivery() -> FunctionDef {
    names!(body, signature);
    def("read_delivery")
        .params([untyped("self"), param(body, bytes), param(signature, py!(str | None))])
        .returns(Delivery)
        .body(block![
            docstring("Verify what came in by the webhook."),
            return_(py!(read_delivery(body, signature, self.secrets)))
        ])
}

fn stripe_provider_read_notice() -> FunctionDef {
    names!(kind, payload);
    def("read_notice")
        .params([untyped("self"), param(kind, str), param(payload, py!(Mapping[(str, Any)]))])
        .returns(py!(Notice | None))
        .body(block![docstring("Read a stored event."), return_(py!(read_notice(kind, payload)))])
}

fn stripe_provider_find_subscription() -> FunctionDef {
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

fn stripe_provider_list_subscriptions() -> FunctionDef {
    names!(customer_id, page);
    async_def("list_subscriptions").params([untyped("self"), param(customer_id, str)]).returns(py!(list[Subscription])).body(block![docstring("List every subscription of a customer, also those that have ended."), with(py!(translated_errors()), [assign(page, py!(self.client.v1.subscriptions.list_async(dict!("customer" => customer_id, "status" => "all", "limit" => 100, "expand" => ["data.latest_invoice"])).await))]), return_(py!(list!(read_subscription(found.to_dict()) for found in page.data)))])
}

fn stripe_provider_retrieve_subscription() -> FunctionDef {
    names!(subscription_id, found);
    async_def("retrieve_subscription")
        .params([untyped("self"), param(subscription_id, str)])
        .returns(py!(list[Subscription]))
        .body(block![
            docstring("Read one subscription, if there is such a one."),
            try_(with(
                py!(translated_errors()),
                [assign(
                    found,
                    py!(self
                        .client
                        .v1
                        .subscriptions
                        .retrieve_async(subscription_id, dict!("expand" => ["latest_invoice"]))
                        .await)
                )]
            ))
            .except(MissingError, [return_(py!([]))]),
            return_(py!([read_subscription(found.to_dict())]))
        ])
}

fn stripe_provider_close() -> FunctionDef {
    async_def("close").params([untyped("self")]).returns(none()).body(block![
        docstring("Hang up."),
        do_(py!(self.http.close_async().await)).trailing_comment("type: ignore[no-untyped-call]")
    ])
}

fn translated_errors_def() -> FunctionDef {
    names!(error);
    def(translated_errors)
        .decorator(contextmanager)
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring("Turn the errors of the library into ours, which repeat no value."),
            try_([do_(yield_(None))]).except_as(
                py!(stripe.StripeError),
                error,
                block![
                    if_(
                        py!(error.code == "resource_missing"),
                        [raise_from(py!(MissingError("There is no such object")), error)]
                    ),
                    raise_from(
                        py!(ProviderError(f!("{}: {}", TYPE(error).__name__, error.code))),
                        error
                    )
                ]
            )
        ])
}

fn precedence_def() -> FunctionDef {
    names!(subscription, started, place);
    def(precedence)
        .params([param(subscription, Subscription)])
        .returns(py!(tuple[(bool, int, float)]))
        .body(block![
            docstring("Place a subscription among those of its customer; the least one counts."),
            assign(started, py!((subscription.created_at || BEGINNING).timestamp())),
            assign(place, py!(PRECEDENCE.index(subscription.status))),
            return_(py!((subscription.plan == None, place, -started)))
        ])
}
