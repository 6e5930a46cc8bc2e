//! `backend/app/services/stripe_provider.py`: stripe, as the provider that takes the money.

use crate::core::settings::Settings;
use crate::python::builtins::{bytes, str};
use crate::python::standard::{Any, Mapping};
use crate::services::billing_provider::{Delivery, Notice};
use crate::services::stripe_events::{read_delivery, read_notice};
use crate::services::stripe_payments::StripePayments;
use crate::services::stripe_subscriptions::StripeSubscriptions;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.stripe_provider": SIGNATURE, StripeProvider;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "Stripe, as the provider that takes the money.";
    module("app.services.stripe_provider")
        .docstring(docstring)
        .body(block![assign(SIGNATURE, "Stripe-Signature"), stripe_provider_class()])
}

fn stripe_provider_class() -> ClassDef {
    names!(name);
    class(StripeProvider).base(StripeSubscriptions).base(StripePayments).body(block![
        docstring("All that Stripe does for this application."),
        assign(name, "stripe"),
        stripe_provider_init(),
        stripe_provider_read_delivery(),
        stripe_provider_read_notice()
    ])
}

fn stripe_provider_init() -> FunctionDef {
    names!(settings);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Prepare to connect; no connection is made before the first call."),
            do_(py!(super().__init__(settings))),
            assign(py!(self.secrets), py!(settings.stripe_webhook_secrets))
        ],
    )
}

fn stripe_provider_read_delivery() -> FunctionDef {
    names!(body, headers);
    def("read_delivery")
        .params([untyped("self"), param(body, bytes), param(headers, py!(Mapping[(str, str)]))])
        .returns(Delivery)
        .body(block![
            docstring("Verify what came in by the webhook."),
            return_(py!(read_delivery(body, headers.get(SIGNATURE), self.secrets)))
        ])
}

fn stripe_provider_read_notice() -> FunctionDef {
    names!(kind, payload);
    def("read_notice")
        .params([untyped("self"), param(kind, str), param(payload, py!(Mapping[(str, Any)]))])
        .returns(py!(Notice | None))
        .body(block![docstring("Read a stored event."), return_(py!(read_notice(kind, payload)))])
}
