//! `backend/tests/test_card_trials.py`: free time at the start of a subscription: once for each payer, mailbox and card.

use crate::core::plans::TRIAL_PERIOD;
use crate::python::builtins::{dict, object, str};
use crate::spec::{Billing, Trial};
use crate::tests::casting::Offer;
use crate::tests::test_billing_post::paid_for;
use crate::tests::test_checkout::{check_out, checkouts};
use crate::tests::test_subscriptions::state;
use crate::tests::world::{Caller, World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_card_trials": order, subscribe;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing, trial: Trial, offer: Offer<'_>) -> Module {
    let docstring =
        "Free time at the start of a subscription: once for each payer, mailbox and card.";
    module("tests.test_card_trials").docstring(docstring).body(block![
        order_def(),
        subscribe_def(),
        test_a_first_subscription_begins_with_free_time(trial, offer),
        test_who_leaves_a_checkout_keeps_the_trial(),
        test_another_organization_of_a_mailbox_has_no_trial(),
        test_a_card_has_one_trial(billing, offer),
        test_a_second_subscription_has_no_trial(offer)
    ])
}

fn order_def() -> FunctionDef {
    names!(world, caller, organization_id, answer, session);
    async_def(order)
        .params([param(world, World), param(caller, Caller), param(organization_id, str)])
        .returns(py!(dict[(str, object)]))
        .body(block![
            docstring("Open a checkout, and return what its subscription is to begin with."),
            assign(answer, py!(check_out(caller, organization_id).await)),
            assert_that(py!(answer.status_code == 200), py!(answer.text)),
            assign(session, py!(checkouts(world)[0])),
            return_(py!(world.stripe.state.orders[session["id"]]))
        ])
}

fn subscribe_def() -> FunctionDef {
    names!(world, caller, organization_id, card, begun, subscription_id);
    async_def(subscribe)
        .params([
            param(world, World),
            param(caller, Caller),
            param(organization_id, str),
            param(card, str),
        ])
        .returns(str)
        .body(block![
            docstring("Pay in a checkout with a card, and return the id of the subscription."),
            do_(py!(order(world, caller, organization_id).await)),
            assign(begun, py!(world.stripe.state.pay_checkout(checkouts(world)[0]["id"], card))),
            do_(py!(world.catch_up().await)),
            ann_assign(subscription_id, str, py!(begun["id"])),
            return_(subscription_id)
        ])
}

fn test_a_first_subscription_begins_with_free_time(trial: Trial, offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, content, event);
    let Offer { small, .. } = offer;
    world_test("test_a_first_subscription_begins_with_free_time").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(content, py!(order(world, ada, organization_id).await)),
        assert_(py!(content["trial_period_days"] == str(TRIAL_PERIOD.days))),
        assert_(py!(content["trial_settings"]
            == dict!(
                "end_behavior" =>
                    dict!("missing_payment_method" => { trial.without_card.as_str() })
            ))),
        do_(py!(world.stripe.state.pay_checkout(checkouts(world)[0]["id"], "4242"))),
        do_(py!(world.catch_up().await)),
        assert_(py!(state(ada, organization_id).await == (small, "trialing", "full"))),
        for_(
            event,
            py!(world.stripe.state.events),
            [do_(py!(world.deliver(event | dict!("id" => f!("{}_again", event["id"]))).await))]
        ),
        do_(py!(world.settle().await)),
        assert_(py!(state(ada, organization_id).await == (small, "trialing", "full")))
    ])
}

fn test_who_leaves_a_checkout_keeps_the_trial() -> FunctionDef {
    names!(world, ada, organization_id, session);
    world_test("test_who_leaves_a_checkout_keeps_the_trial").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(order(world, ada, organization_id).await)),
        assign(session, py!(checkouts(world)[0])),
        do_(py!(world.stripe.state.expire_checkout(session))),
        assert_(py!(in_!("trial_period_days", order(world, ada, organization_id).await)))
    ])
}

fn test_another_organization_of_a_mailbox_has_no_trial() -> FunctionDef {
    names!(world, ada, again, first, second);
    world_test("test_another_organization_of_a_mailbox_has_no_trial").body(block![
        sign_up(world, ada),
        assign(first, py!(world.unpaid_organization(ada).await)),
        assert_(py!(in_!("trial_period_days", order(world, ada, first).await))),
        assign(again, py!(world.sign_up("ada+again@example.com").await)),
        assign(second, py!(world.unpaid_organization(again).await)),
        assert_(py!(not_in!("trial_period_days", order(world, again, second).await)))
    ])
}

fn test_a_card_has_one_trial(billing: &Billing, offer: Offer<'_>) -> FunctionDef {
    let subject = format!("The trial of {} has ended", paid_for(billing, "another"));
    names!(world, ada, eve, first, second, mail);
    let Offer { free, small, .. } = offer;
    world_test("test_a_card_has_one_trial").body(block![
        sign_up(world, ada),
        assign(first, py!(world.unpaid_organization(ada).await)),
        do_(py!(subscribe(world, ada, first, "4242").await)),
        assign(eve, py!(world.sign_up("eve@example.com").await)),
        assign(second, py!(world.unpaid_organization(eve).await)),
        do_(py!(subscribe(world, eve, second, "4242").await)),
        assert_(py!(state(eve, second).await == (free, "canceled", "none"))),
        assign(mail, py!(world.outbox[-1])),
        assert_(py!(mail["Subject"] == { subject })),
        assert_(py!(mail["To"] == eve.email)),
        do_(py!(subscribe(world, eve, second, "4242").await)),
        assert_(py!(state(eve, second).await == (small, "active", "full"))),
        assert_(py!(state(ada, first).await == (small, "trialing", "full")))
    ])
}

fn test_a_second_subscription_has_no_trial(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, subscription_id);
    let Offer { free, .. } = offer;
    world_test("test_a_second_subscription_has_no_trial").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(subscription_id, py!(subscribe(world, ada, organization_id, "4242").await)),
        do_(py!(world.stripe.state.cancel(subscription_id))),
        do_(py!(world.catch_up().await)),
        assert_(py!(state(ada, organization_id).await == (free, "canceled", "none"))),
        assert_(py!(not_in!("trial_period_days", order(world, ada, organization_id).await)))
    ])
}
