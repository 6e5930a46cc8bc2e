//! `backend/app/core/access.py`: what a subscription gives: all of a plan, only reading, or nothing.

use crate::core::errors::PaymentRequiredError;
use crate::core::payers::payer_model;
use crate::core::plans::{GRACE_PERIOD, SubscriptionStatus};
use crate::models::base::utcnow;
use crate::python::builtins::{bool, frozenset, getattr};
use crate::python::fastapi::Request;
use crate::python::standard::{StrEnum, datetime};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.access": ADDS_NOTHING, UNPAID_STATUSES, GOES_ON, Access, access_of, has_active_subscription,
        has_subscription, has_ended, grace_ends_at, refuse_unpaid, refuse_unpaid_change, serve_unpaid;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.core.access")
        .docstring(
            "What a subscription gives: all of a plan, only reading, or nothing.\n\
             \n\
             While a payment is missing, an organization is read-only, wherever it is not said\n\
             otherwise. What makes less of it stays possible: `DELETE` is never refused, and a\n\
             route that depends on `serve_unpaid` neither: paying, leaving, handing over.",
        )
        .body(block![
            assign(ADDS_NOTHING, py!(frozenset(set!("GET", "HEAD", "OPTIONS", "DELETE")))),
            assign(
                UNPAID_STATUSES,
                py!(frozenset(set!(
                    SubscriptionStatus.PAST_DUE,
                    SubscriptionStatus.UNPAID,
                    SubscriptionStatus.PAUSED,
                    SubscriptionStatus.UNKNOWN
                )))
            ),
            assign(GOES_ON, py!(UNPAID_STATUSES | set!(SubscriptionStatus.ACTIVE))).paragraph(),
            access_class(),
            access_of_def(billing),
            has_active_subscription_def(billing),
            has_subscription_def(billing),
            has_ended_def(billing),
            grace_ends_at_def(billing),
            refuse_unpaid_def(),
            refuse_unpaid_change_def(billing),
            serve_unpaid_def()
        ])
}

fn access_class() -> ClassDef {
    names!(FULL, RESTRICTED, NONE);
    class(Access).base(StrEnum).body(block![
        docstring("What a subscription gives: all of its plan, only reading, or nothing."),
        assign(FULL, "full"),
        assign(RESTRICTED, "restricted"),
        assign(NONE, "none")
    ])
}

fn access_of_def(billing: &Billing) -> FunctionDef {
    names!(payer, now);
    def(access_of)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(Access)
        .body(block![
            docstring("Tell what the subscription gives at a time."),
            if_(py!(has_active_subscription(payer, now)), [return_(py!(Access.FULL))]),
            if_(
                py!(has_ended(payer, now) || not_in!(payer.subscription_status, UNPAID_STATUSES)),
                [return_(py!(Access.NONE))]
            ),
            return_(py!(Access.RESTRICTED))
        ])
}

fn has_active_subscription_def(billing: &Billing) -> FunctionDef {
    names!(payer, now, ends_at);
    def(has_active_subscription)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the payer pays, is still trying out, or is late by a bit."),
            if_(py!(has_ended(payer, now)), [return_(false)]),
            if_(
                py!(is_!(payer.subscription_status, SubscriptionStatus.PAST_DUE)),
                block![
                    assign(ends_at, py!(grace_ends_at(payer))),
                    return_(py!(ends_at == None || now < ends_at))
                ]
            ),
            return_(py!(in_!(
                payer.subscription_status,
                set!(SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE)
            )))
        ])
}

fn has_subscription_def(billing: &Billing) -> FunctionDef {
    names!(payer, status);
    def(has_subscription).params([param(payer, payer_model(billing))]).returns(bool).body(block![
        docstring("Tell whether a subscription at the provider goes on until somebody ends it."),
        assign(status, py!(payer.subscription_status)),
        if_(
            py!(is_!(status, SubscriptionStatus.TRIALING)),
            [return_(py!(payer.stripe_subscription_id != None))]
        ),
        return_(py!(in_!(status, GOES_ON)))
    ])
}

fn has_ended_def(billing: &Billing) -> FunctionDef {
    names!(payer, now, has_own_trial, ends_at);
    def(has_ended)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the subscription was to end by now, or the trial without one."),
            assign(
                has_own_trial,
                py!(is_!(payer.subscription_status, SubscriptionStatus.TRIALING)
                    && payer.stripe_subscription_id == None)
            ),
            assign(
                ends_at,
                py!(if has_own_trial { payer.trial_ends_at } else { payer.subscription_ends_at })
            ),
            return_(py!(ends_at != None && now >= ends_at))
        ])
}

fn grace_ends_at_def(billing: &Billing) -> FunctionDef {
    names!(payer);
    def(grace_ends_at)
        .params([param(payer, payer_model(billing))])
        .returns(py!(datetime | None))
        .body(block![
            docstring("Return until when a payment that is due may be late; none if none is due."),
            if_(py!(payer.past_due_since == None), [return_(none())]),
            return_(py!(payer.past_due_since + GRACE_PERIOD))
        ])
}

fn refuse_unpaid_def() -> FunctionDef {
    names!(access);
    def(refuse_unpaid).params([param(access, Access)]).returns(none()).body(block![
        docstring("Answer 402 to what changes anything while a payment is missing."),
        if_(
            py!(is_!(access, Access.RESTRICTED)),
            [raise(py!(PaymentRequiredError(
                "A payment is missing: until then this is read-only.",
                code = "payment_missing"
            )))]
        )
    ])
}

fn refuse_unpaid_change_def(billing: &Billing) -> FunctionDef {
    names!(request, payer, is_served);
    def(refuse_unpaid_change)
        .params([param(request, Request), param(payer, payer_model(billing))])
        .returns(none())
        .body(block![
            docstring(
                "Answer 402 to a request that may add something, while a payment is missing."
            ),
            assign(is_served, py!(getattr(request.state, "serves_unpaid", false))),
            if_(
                py!(!is_served && not_in!(request.method, ADDS_NOTHING)),
                [do_(py!(refuse_unpaid(access_of(payer, utcnow()))))]
            )
        ])
}

fn serve_unpaid_def() -> FunctionDef {
    names!(request);
    async_def(serve_unpaid).params([param(request, Request)]).returns(none()).body(block![
        docstring("Open a router or a route to organizations that have not paid."),
        assign(py!(request.state.serves_unpaid), true)
    ])
}
