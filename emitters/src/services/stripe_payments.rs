//! `backend/app/services/stripe_payments.py`: payment at Stripe: customers, the pages on which they pay, and their invoices.

use crate::python::builtins::{bool, int, str};
use crate::python::standard::{UTC, datetime};
use crate::python::stripe::{
    CustomerCreateParams, InvoiceListParams, SessionCreateParams,
    SessionCreateParamsSubscriptionData, stripe,
};
use crate::schemas::stripe::{StripeCheckoutSession, StripeCustomer};
use crate::services::billing_provider::{Checkout, Customer, Invoice, InvoicePart, Order};
use crate::services::stripe_api::{MissingError, StripeApi, once, translated_errors};
use crate::spec::{Billing, Trial};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.stripe_payments": StripePayments, read_checkout, read_invoice;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring =
        "Payment at Stripe: customers, the pages on which they pay, and their invoices.";
    module("app.services.stripe_payments").docstring(docstring).body(block![
        stripe_payments_class(billing),
        read_checkout_def(),
        read_invoice_def()
    ])
}

fn stripe_payments_class(billing: &Billing) -> ClassDef {
    class(StripePayments).base(StripeApi).body(block![
        docstring("The calls about who pays, and how."),
        stripe_payments_create_customer(),
        stripe_payments_has_customer(),
        stripe_payments_create_checkout(billing),
        stripe_payments_find_checkout(),
        stripe_payments_expire_checkout(),
        stripe_payments_open_portal(),
        stripe_payments_list_invoices()
    ])
}

fn stripe_payments_create_customer() -> FunctionDef {
    names!(customer, params, key, made);
    async_def("create_customer")
        .params([untyped("self"), param(customer, Customer)])
        .returns(str)
        .body(block![
            docstring("Add a customer and return its id; asked twice, it is the same one."),
            ann_assign(
                params,
                CustomerCreateParams,
                py!(dict!(
                    "name" => customer.name,
                    "email" => customer.email,
                    "metadata" => dict!("payer_id" => str(customer.payer_id))
                )),
            ),
            assign(key, py!(once(params, customer.previous_id))),
            with(
                py!(translated_errors()),
                [assign(made, py!(self.client.v1.customers.create_async(params, key).await),)],
            ),
            return_(py!(made.id))
        ])
}

fn stripe_payments_has_customer() -> FunctionDef {
    names!(customer_id, found);
    async_def("has_customer").params([untyped("self"), param(customer_id, str)]).returns(bool).body(
        block![
            docstring("Tell whether there is such a customer, who was not deleted."),
            try_(with(
                py!(translated_errors()),
                block![
                    assign(found, py!(self.client.v1.customers.retrieve_async(customer_id).await)),
                    return_(py!(!StripeCustomer.model_validate(found.to_dict()).deleted))
                ]
            ))
            .except(MissingError, [return_(false)])
        ],
    )
}

fn stripe_payments_create_checkout(billing: &Billing) -> FunctionDef {
    names!(order, params, key, made, subscription);
    let metadata = py!(dict!("metadata" => dict!("payer_id" => str(order.payer_id))));
    let (begin, content) = match billing.card_trial() {
        Some(trial) => (Some(with_trial(trial, &metadata)), py!(subscription)),
        None => (None, metadata),
    };
    async_def("create_checkout")
        .params([untyped("self"), param(order, Order)])
        .returns(Checkout)
        .body(block![
            docstring("Open a checkout; asked twice for the same, it is the same one."),
            begin,
            ann_assign(
                params,
                SessionCreateParams,
                py!(dict!(
                    "mode" => "subscription",
                    "customer" => order.customer_id,
                    "client_reference_id" => str(order.payer_id),
                    "line_items" => [
                        dict!(
                            "price" => self.price_id(order.lookup_key).await,
                            "quantity" => order.quantity
                        )
                    ],
                    "success_url" => order.success_url,
                    "cancel_url" => order.cancel_url,
                    "metadata" => dict!("order" => order.fingerprint),
                    "subscription_data" => { content }
                )),
            ),
            assign(key, py!(once(params, order.previous_id))),
            with(
                py!(translated_errors()),
                [assign(
                    made,
                    py!(self.client.v1.checkout.sessions.create_async(params, key).await),
                )],
            ),
            return_(py!(read_checkout(made)))
        ])
}

/// What a subscription is to begin with: free time, if there is to be any.
fn with_trial(trial: Trial, metadata: &Expr) -> Vec<Stmt> {
    names!(subscription, order);
    let without_card = trial.without_card.as_str();
    block![
        ann_assign(subscription, SessionCreateParamsSubscriptionData, metadata.clone()),
        if_(
            py!(order.trial_days != None),
            block![
                assign(py!(subscription["trial_period_days"]), py!(order.trial_days)),
                assign(
                    py!(subscription["trial_settings"]),
                    py!(dict!(
                        "end_behavior" => dict!("missing_payment_method" => { without_card })
                    ))
                )
            ]
        )
    ]
}

fn stripe_payments_find_checkout() -> FunctionDef {
    names!(checkout_id, found);
    async_def("find_checkout")
        .params([untyped("self"), param(checkout_id, str)])
        .returns(py!(Checkout | None))
        .body(block![
            docstring("Return a checkout."),
            try_(with(
                py!(translated_errors()),
                [assign(
                    found,
                    py!(self.client.v1.checkout.sessions.retrieve_async(checkout_id).await)
                )]
            ))
            .except(MissingError, [return_(none())]),
            return_(py!(read_checkout(found)))
        ])
}

fn stripe_payments_expire_checkout() -> FunctionDef {
    names!(checkout_id);
    async_def("expire_checkout")
        .params([untyped("self"), param(checkout_id, str)])
        .returns(none())
        .body(block![
            docstring("Close a checkout before anybody has paid."),
            with(
                py!(translated_errors()),
                [do_(py!(self.client.v1.checkout.sessions.expire_async(checkout_id).await))]
            )
        ])
}

fn stripe_payments_open_portal() -> FunctionDef {
    names!(customer_id, return_url, made);
    async_def("open_portal")
        .params([untyped("self"), param(customer_id, str), param(return_url, str)])
        .returns(str)
        .body(block![
            docstring("Return where a customer sees to cards and addresses."),
            with(
                py!(translated_errors()),
                [assign(
                    made,
                    py!(self
                        .client
                        .v1
                        .billing_portal
                        .sessions
                        .create_async(dict!("customer" => customer_id, "return_url" => return_url))
                        .await)
                )]
            ),
            return_(py!(made.url))
        ])
}

fn stripe_payments_list_invoices() -> FunctionDef {
    names!(customer_id, limit, after, params, page, items);
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
            ann_assign(
                params,
                InvoiceListParams,
                py!(dict!("customer" => customer_id, "limit" => limit))
            ),
            if_(py!(after != None), [assign(py!(params["starting_after"]), after)]),
            with(
                py!(translated_errors()),
                [assign(page, py!(self.client.v1.invoices.list_async(params).await))]
            ),
            assign(items, py!(list!(read_invoice(found) for found in page.data))),
            return_(py!(InvoicePart(items = items, has_more = page.has_more)))
        ])
}

fn read_checkout_def() -> FunctionDef {
    names!(found, checkout);
    def(read_checkout).params([param(found, py!(stripe.checkout.Session))]).returns(Checkout).body(
        block![
            docstring("Read a checkout."),
            assign(checkout, py!(StripeCheckoutSession.model_validate(found.to_dict()))),
            return_(py!(Checkout(
                id = checkout.id,
                url = if checkout.status == "open" { checkout.url } else { None },
                order = checkout.metadata.get("order")
            )))
        ],
    )
}

fn read_invoice_def() -> FunctionDef {
    names!(found);
    def(read_invoice).params([param(found, py!(stripe.Invoice))]).returns(Invoice).body(block![
        docstring("Read an invoice."),
        return_(py!(Invoice(
            id = found.id,
            number = found.number,
            status = found.status,
            total = found.total,
            currency = found.currency,
            created_at = datetime.fromtimestamp(found.created, UTC),
            url = found.hosted_invoice_url
        )))
    ])
}
