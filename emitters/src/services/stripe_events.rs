//! `backend/app/services/stripe_events.py`: events of Stripe: verified when they come in, read when they are processed.

use crate::core::errors::{BadRequestError, UnavailableError};
use crate::core::plans::{SubscriptionStatus, plan_for_lookup_key};
use crate::python::builtins::{__name__, ValueError, any, bool, bytes, dict, isinstance, str};
use crate::python::pydantic::{JsonValue, SecretStr, TypeAdapter, ValidationError};
use crate::python::standard::{Any, Callable, Mapping, Sequence, logging, replace};
use crate::python::stripe::{SignatureVerificationError, WebhookSignature};
use crate::schemas::stripe::{
    StripeCheckoutSession, StripeCustomer, StripeDueInvoice, StripeEvent, StripeInvoice,
    StripeItem, StripeSubject, StripeSubscription, id_of,
};
use crate::services::billing_provider::{
    Delivery, Notice, PaymentFailed, Subscription, TrialEnding,
};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.stripe_events": logger, TOLERANCE_SECONDS, CONTENT, STATUSES, read_delivery,
        is_signed, read_notice, read_checkout, read_subscription_notice, read_trial_end, read_failed_payment, read_subject,
        read_customer, read_deleted_customer, READERS, read_subscription, item_of, read_status;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "Events of Stripe: verified when they come in, read when they are processed.";
    module("app.services.stripe_events").docstring(docstring).body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        assign(TOLERANCE_SECONDS, 300).paragraph(),
        assign(CONTENT, py!(TypeAdapter(dict[(str, JsonValue)]))),
        assign(STATUSES, py!(dict!(status.value => status for status in SubscriptionStatus)),),
        read_delivery_def(),
        is_signed_def(),
        read_notice_def(),
        read_checkout_def(),
        read_subscription_notice_def(),
        read_subject_def(),
        read_customer_def(),
        read_trial_end_def(),
        read_failed_payment_def(),
        read_deleted_customer_def(),
        ann_assign(
            READERS,
            py!(dict[(str, Callable[([Mapping[(str, Any)]], Notice | None)])]),
            py!(dict!(
                "checkout.session.completed" => read_checkout,
                "checkout.session.async_payment_succeeded" => read_checkout,
                "checkout.session.async_payment_failed" => read_checkout,
                "checkout.session.expired" => read_checkout,
                "customer.subscription.created" => read_subscription_notice,
                "customer.subscription.updated" => read_subscription_notice,
                "customer.subscription.deleted" => read_subscription_notice,
                "customer.subscription.paused" => read_subscription_notice,
                "customer.subscription.resumed" => read_subscription_notice,
                "customer.subscription.trial_will_end" => read_trial_end,
                "invoice.paid" => read_subject,
                "invoice.payment_failed" => read_failed_payment,
                "invoice.payment_action_required" => read_subject,
                "invoice.upcoming" => read_subject,
                "customer.updated" => read_customer,
                "customer.deleted" => read_deleted_customer
            )),
        ),
        read_subscription_def(billing),
        item_of_def(),
        read_status_def()
    ])
}

fn read_delivery_def() -> FunctionDef {
    names!(body, signature, secrets, content, event, error);
    def(read_delivery)
        .params([
            param(body, bytes),
            param(signature, py!(str | None)),
            param(secrets, py!(Sequence[SecretStr])),
        ])
        .returns(Delivery)
        .body(block![
            docstring("Verify a delivery with each of the secrets; with none the webhook is off."),
            if_(
                py!(!secrets),
                [raise(py!(UnavailableError("The webhook is off.", code = "webhook_off")))]
            ),
            if_(
                py!(!any(generator!(is_signed(body, signature, secret) for secret in secrets))),
                [raise(py!(BadRequestError(
                    "The signature is not valid.",
                    code = "invalid_signature"
                )))]
            ),
            try_(block![
                assign(content, py!(CONTENT.validate_json(body))),
                assign(event, py!(StripeEvent.model_validate(content)))
            ])
            .except_as(
                ValidationError,
                error,
                [raise_from(py!(BadRequestError("The body is not an event of Stripe.")), error)]
            ),
            return_(py!(Delivery(
                event_id = event.id,
                r#type = event.r#type,
                occurred_at = event.created,
                payload = content
            )))
        ])
}

fn is_signed_def() -> FunctionDef {
    names!(body, signature, secret, key);
    def(is_signed)
        .params([param(body, bytes), param(signature, py!(str | None)), param(secret, SecretStr)])
        .returns(bool)
        .body(block![
            docstring("Tell whether Stripe signed the body with the secret, and lately."),
            assign(key, py!(secret.get_secret_value())),
            try_([do_(py!(WebhookSignature.verify_header(
                body,
                signature,
                key,
                TOLERANCE_SECONDS
            )))
            .trailing_comment("pyright: ignore[reportUnknownMemberType]")])
            .except(py!((SignatureVerificationError, ValueError)), [return_(false)]),
            return_(true)
        ])
}

fn read_notice_def() -> FunctionDef {
    names!(kind, payload, reader);
    def(read_notice)
        .params([param(kind, str), param(payload, py!(Mapping[(str, Any)]))])
        .returns(py!(Notice | None))
        .body(block![
            docstring(
                "Read what an event is about, if it is of a kind that changes anything here."
            ),
            assign(reader, py!(READERS.get(kind))),
            return_(py!(if reader == None { None } else { reader(payload["data"]["object"]) }))
        ])
}

fn read_checkout_def() -> FunctionDef {
    names!(content, checkout);
    def(read_checkout)
        .params([param(content, py!(Mapping[(str, Any)]))])
        .returns(py!(Notice | None))
        .body(block![
            docstring("Read a checkout, if it is that of a customer."),
            assign(checkout, py!(StripeCheckoutSession.model_validate(content))),
            if_(py!(checkout.customer == None), [return_(none())]),
            return_(py!(Notice(
                customer_id = id_of(checkout.customer),
                payer_id = checkout.payer_id
            )))
        ])
}

fn read_subscription_notice_def() -> FunctionDef {
    names!(content, subscription);
    def(read_subscription_notice)
        .params([param(content, py!(Mapping[(str, Any)]))])
        .returns(Notice)
        .body(block![
            docstring("Read a change of a subscription."),
            assign(subscription, py!(read_subscription(content))),
            return_(py!(Notice(
                customer_id = subscription.customer_id,
                subscription = subscription
            )))
        ])
}

fn read_trial_end_def() -> FunctionDef {
    names!(content, notice, found, item, alert);
    def(read_trial_end).params([param(content, py!(Mapping[(str, Any)]))]).returns(Notice).body(
        block![
            docstring("Read that a trial ends soon: when, and what it costs from then on."),
            assign(notice, py!(read_subscription_notice(content))),
            assign(found, py!(StripeSubscription.model_validate(content))),
            assign(item, py!(item_of(found))),
            if_(
                py!(found.trial_end == None
                    || item.price.unit_amount == None
                    || item.price.currency == None),
                [return_(notice)]
            ),
            assign(
                alert,
                py!(TrialEnding(
                    ends_at = found.trial_end,
                    amount = item.price.unit_amount * item.quantity,
                    currency = item.price.currency
                ))
            ),
            return_(py!(replace(notice, alert = alert)))
        ],
    )
}

fn read_failed_payment_def() -> FunctionDef {
    names!(content, invoice, alert);
    def(read_failed_payment)
        .params([param(content, py!(Mapping[(str, Any)]))])
        .returns(Notice)
        .body(block![
            docstring("Read of an invoice whose it is, and what could not be collected."),
            assign(invoice, py!(StripeDueInvoice.model_validate(content))),
            assign(
                alert,
                py!(PaymentFailed(
                    amount = invoice.amount_due,
                    currency = invoice.currency,
                    url = invoice.hosted_invoice_url
                ))
            ),
            return_(py!(Notice(customer_id = id_of(invoice.customer), alert = alert)))
        ])
}

fn read_subject_def() -> FunctionDef {
    names!(content);
    def(read_subject).params([param(content, py!(Mapping[(str, Any)]))]).returns(Notice).body(
        block![
            docstring("Read of an invoice whose it is; all else is asked for."),
            return_(py!(Notice(
                customer_id = id_of(StripeSubject.model_validate(content).customer)
            )))
        ],
    )
}

fn read_customer_def() -> FunctionDef {
    names!(content);
    def(read_customer).params([param(content, py!(Mapping[(str, Any)]))]).returns(Notice).body(
        block![
            docstring("Read a change of a customer."),
            return_(py!(Notice(customer_id = StripeCustomer.model_validate(content).id)))
        ],
    )
}

fn read_deleted_customer_def() -> FunctionDef {
    names!(content, customer);
    def(read_deleted_customer)
        .params([param(content, py!(Mapping[(str, Any)]))])
        .returns(Notice)
        .body(block![
            docstring("Read the end of a customer."),
            assign(customer, py!(StripeCustomer.model_validate(content))),
            return_(py!(Notice(customer_id = customer.id, customer_is_gone = true)))
        ])
}

fn read_subscription_def(billing: &Billing) -> FunctionDef {
    names!(content, found, item, plan, invoice);
    let card = billing.card_trial().map(|_| kw("card", py!(found.card)));
    def(read_subscription)
        .params([param(content, py!(Mapping[(str, Any)]))])
        .returns(Subscription)
        .body(block![
            docstring("Read a subscription, from an event or from an answer."),
            assign(found, py!(StripeSubscription.model_validate(content))),
            assign(item, py!(item_of(found))),
            assign(plan, py!(plan_for_lookup_key(item.price.lookup_key || ""))),
            assign(invoice, py!(found.latest_invoice)),
            return_(py!(Subscription(
                id = found.id,
                customer_id = id_of(found.customer),
                status = read_status(found.status),
                plan = if plan == None { None } else { plan.name },
                quantity = item.quantity,
                created_at = found.created,
                trial_ends_at = found.trial_end,
                period_ends_at = found.period_end,
                ends_at = found.ends_at,
                invoiced_at =
                    if isinstance(invoice, StripeInvoice) { invoice.created } else { None },
                ..card
            )))
        ])
}

fn item_of_def() -> FunctionDef {
    names!(subscription, item);
    def(item_of).params([param(subscription, StripeSubscription)]).returns(StripeItem).body(block![
        docstring("Return the line that pays for a plan, or else the first one."),
        for_(
            item,
            py!(subscription.items.data),
            if_(py!(plan_for_lookup_key(item.price.lookup_key || "") != None), [return_(item)])
        ),
        return_(py!(subscription.items.data[0]))
    ])
}

fn read_status_def() -> FunctionDef {
    names!(word);
    def(read_status).params([param(word, str)]).returns(SubscriptionStatus).body(block![
        docstring("Translate a status; a word that is new counts as no subscription."),
        if_(
            py!(not_in!(word, STATUSES)),
            [do_(py!(logger.error("Stripe has a new subscription status: %s", word)))]
        ),
        return_(py!(STATUSES.get(word, SubscriptionStatus.UNKNOWN)))
    ])
}
