//! `backend/app/services/stripe_api.py`: the connection to Stripe, and what its errors mean here.

use crate::core::settings::Settings;
use crate::python::aiohttp::ClientTimeout;
use crate::python::builtins::{TYPE, bool, isinstance, object, property, str};
use crate::python::pydantic::ValidationError;
use crate::python::standard::{Any, Generator, Mapping, contextmanager, json, sha256};
use crate::python::stripe::{AIOHTTPClient, RequestOptions, StripeClient, stripe};
use crate::services::billing_provider::{PaymentFailedError, ProviderError};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.stripe_api": TIMEOUT_SECONDS, NETWORK_RETRIES, MissingError, StripeApi,
        translated_errors, once;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "The connection to Stripe, and what its errors mean here.";
    module("app.services.stripe_api").docstring(docstring).body(block![
        assign(TIMEOUT_SECONDS, 8),
        assign(NETWORK_RETRIES, 1),
        missing_error_class(),
        stripe_api_class(),
        translated_errors_def(),
        once_def()
    ])
}

fn missing_error_class() -> ClassDef {
    class(MissingError)
        .base(ProviderError)
        .body(block![docstring("Stripe has no object with the id.")])
}

fn stripe_api_class() -> ClassDef {
    class(StripeApi).body(block![
        docstring("A client whose calls have a timeout and the retries of the library."),
        stripe_api_init(),
        stripe_api_is_connected(),
        stripe_api_price_id(),
        stripe_api_close()
    ])
}

fn stripe_api_init() -> FunctionDef {
    names!(settings);
    def("__init__").params([untyped("self"), param(settings, Settings)]).returns(none()).body(
        block![
            docstring("Prepare to connect; no connection is made before the first call."),
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

fn stripe_api_is_connected() -> FunctionDef {
    def("is_connected").decorator(property).params([untyped("self")]).returns(bool).body(block![
        docstring("Tell whether there is a key to ask with."),
        return_(py!(self.api_key != None))
    ])
}

fn stripe_api_price_id() -> FunctionDef {
    names!(lookup_key, page, price);
    async_def("price_id").params([untyped("self"), param(lookup_key, str)]).returns(str).body(
        block![
            docstring("Return the price that is on sale under a lookup key."),
            with(
                py!(translated_errors()),
                [assign(
                    page,
                    py!(self
                        .client
                        .v1
                        .prices
                        .list_async(
                            dict!("lookup_keys" => [lookup_key], "active" => true, "limit" => 1)
                        )
                        .await)
                )]
            ),
            for_(price, py!(page.data), [return_(py!(price.id))]),
            raise(py!(ProviderError(f!("No price has the lookup key {}", lookup_key))))
        ],
    )
}

fn stripe_api_close() -> FunctionDef {
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
            try_([do_(yield_(None))])
                .except_as(
                    py!(stripe.StripeError),
                    error,
                    block![
                        if_(
                            py!(error.code == "resource_missing"),
                            [raise_from(py!(MissingError("There is no such object")), error)]
                        ),
                        if_(
                            py!(isinstance(error, stripe.CardError)),
                            [raise_from(
                                py!(PaymentFailedError("The payment was refused.")),
                                error
                            )]
                        ),
                        raise_from(
                            py!(ProviderError(f!("{}: {}", TYPE(error).__name__, error.code))),
                            error
                        )
                    ]
                )
                .except_as(
                    ValidationError,
                    error,
                    [raise_from(py!(ProviderError("The answer cannot be read")), error)]
                )
        ])
}

fn once_def() -> FunctionDef {
    names!(params, others, content);
    def(once)
        .params([param(params, py!(Mapping[(str, Any)])), varargs(others, object)])
        .returns(RequestOptions)
        .body(block![
            docstring("Make a request one with its repetitions: those with the same parameters."),
            assign(content, py!(json.dumps([params, *others], sort_keys = true))),
            return_(py!(dict!("idempotency_key" => sha256(content.encode()).hexdigest())))
        ])
}
