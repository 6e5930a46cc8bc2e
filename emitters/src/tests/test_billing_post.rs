//! `backend/tests/test_billing_post.py`: what owners are told about payments.

use crate::python::builtins::{len, list, str};
use crate::python::standard::{UTC, datetime};
use crate::services::billing_post::money;
use crate::services::mailer::plain_body;
use crate::spec::{Billing, Payer};
use crate::tests::test_subscriptions::SMALL;
use crate::tests::world::{World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_billing_post": told;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("tests.test_billing_post").docstring("What owners are told about payments.").body(
        block![
            told_def(),
            test_amounts_are_written_out(),
            test_owners_hear_that_a_trial_ends(billing),
            test_owners_hear_that_a_payment_failed(billing),
            test_nobody_hears_twice()
        ],
    )
}

fn told_def() -> FunctionDef {
    names!(world, mail);
    def(told).params([param(world, World)]).returns(py!(list[str])).body(block![
        docstring("Return the mails since the last call, each in one line, and to whom."),
        assign(
            mail,
            py!(list!(
                f!("{} {}", mail["To"], " ".join(plain_body(mail).split()))
                for mail in world.outbox
            ))
        ),
        do_(py!(world.outbox.clear())),
        return_(mail)
    ])
}

fn test_amounts_are_written_out() -> FunctionDef {
    def("test_amounts_are_written_out").returns(none()).body(block![
        assert_(py!(money(1900, "usd") == "19.00 USD")),
        assert_(py!(money(5, "usd") == "0.05 USD"))
    ])
}

/// `ada` has a subscription, and her mails so far are read.
fn ada_with_a_subscription() -> Vec<Stmt> {
    names!(world, ada, organization_id, subscription_id, stripe);
    block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("The  Engine").await)),
        assign(subscription_id, py!(world.subscribe(organization_id, SMALL, "trialing").await)),
        assign(stripe, py!(world.stripe.state)),
        do_(py!(told(world)))
    ]
}

/// What a mail calls that which is paid for.
#[must_use]
pub fn paid_for(billing: &Billing, organization: &'static str) -> &'static str {
    match billing.payer {
        Payer::Organization => organization,
        Payer::User => "your account",
    }
}

fn test_owners_hear_that_a_trial_ends(billing: &Billing) -> FunctionDef {
    let sentence = format!("The trial of {} on", paid_for(billing, "The Engine"));
    names!(world, stripe, subscription_id, subscription, day, mail);
    world_test("test_owners_hear_that_a_trial_ends").body(block![
        ada_with_a_subscription(),
        assign(subscription, py!(stripe.objects[subscription_id])),
        assign(py!(subscription["items"]["data"][0]["quantity"]), 3),
        do_(py!(stripe.change(subscription_id, "trial_will_end"))),
        do_(py!(world.catch_up().await)),
        do_(py!(world.app.state.dispatcher.drain().await)),
        assign(py!((mail,)), py!(told(world))).paragraph(),
        assign(day, py!(f!("{:%d %B %Y}", datetime.fromtimestamp(subscription["trial_end"], UTC)))),
        assert_(py!(mail.startswith("ada@example.com "))),
        assert_(py!(in_!(f!("ends on {}.", day), mail))),
        assert_(py!(in_!({ sentence }, mail))),
        assert_(py!(in_!("it costs 57.00 USD", mail)))
    ])
}

fn test_owners_hear_that_a_payment_failed(billing: &Billing) -> FunctionDef {
    let sentence = format!("could not collect 19.00 USD for {}", paid_for(billing, "The Engine"));
    names!(world, stripe, subscription_id, mail);
    world_test("test_owners_hear_that_a_payment_failed").body(block![
        ada_with_a_subscription(),
        do_(py!(stripe.fail_payment(subscription_id))),
        do_(py!(world.catch_up().await)),
        do_(py!(world.app.state.dispatcher.drain().await)),
        assign(py!((mail,)), py!(told(world))).paragraph(),
        assert_(py!(in_!({ sentence }, mail))),
        assert_(py!(in_!("https://invoice.stripe.com/i", mail)))
    ])
}

fn test_nobody_hears_twice() -> FunctionDef {
    names!(world, stripe, subscription_id, event);
    world_test("test_nobody_hears_twice").body(block![
        ada_with_a_subscription(),
        do_(py!(stripe.fail_payment(subscription_id))),
        assign(py!(world.stripe.is_down), true),
        for_(event, py!(stripe.events), [do_(py!(world.deliver(event).await))]),
        do_(py!(world.settle().await)),
        do_(py!(world.settle().await)),
        do_(py!(world.app.state.dispatcher.drain().await)),
        assert_(py!(told(world) == [])),
        assign(py!(world.stripe.is_down), false).paragraph(),
        for_(event, py!(stripe.events), [do_(py!(world.deliver(event).await))]),
        do_(py!(world.settle().await)),
        do_(py!(world.settle().await)),
        do_(py!(world.app.state.dispatcher.drain().await)),
        assert_(py!(len(told(world)) == 1))
    ])
}
