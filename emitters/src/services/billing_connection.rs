//! `backend/app/services/billing_connection.py`: which provider it is, said in one place.

use crate::core::settings::Settings;
use crate::python::standard::{AsyncGenerator, asynccontextmanager};
use crate::services::billing_provider::BillingProvider;
use crate::services::stripe_provider::StripeProvider;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_connection": connect_provider, connected_provider;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.billing_connection")
        .docstring("Which provider takes the money: nothing else here knows.")
        .body(block![connect_provider_def(), connected_provider_def()])
}

fn connect_provider_def() -> FunctionDef {
    names!(settings);
    def(connect_provider).params([param(settings, Settings)]).returns(BillingProvider).body(block![
        docstring("Return the provider; no connection is made before the first call."),
        return_(py!(StripeProvider(settings)))
    ])
}

fn connected_provider_def() -> FunctionDef {
    names!(settings, provider);
    async_def(connected_provider)
        .decorator(asynccontextmanager)
        .params([param(settings, Settings)])
        .returns(py!(AsyncGenerator[(BillingProvider, None)]))
        .body(block![
            docstring("Return the provider, and hang up in the end."),
            assign(provider, py!(connect_provider(settings))),
            try_([do_(py!(yield_!(provider)))]).finally([do_(py!(provider.close().await))])
        ])
}
