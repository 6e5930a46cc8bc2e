//! `backend/tests/test_subscriptions.py`: subscriptions: in whatever order Stripe tells, the payer has its state in the end.

use crate::app_main::create_app;
use crate::core::payers::payer_model;
use crate::core::plans::{GRACE_PERIOD, SubscriptionStatus};
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::python::builtins::{dict, int, object, set, str, tuple};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::update;
use crate::python::standard::{Any, UUID};
use crate::services::billing_worker::BillingWorker;
use crate::spec::{Billing, Payer, Spec};
use crate::tests::casting::{Offer, has_trial};
use crate::tests::stripe_state::{DAY, in_old_shape};
use crate::tests::test_webhook::{statuses, stored};
use crate::tests::world::{Caller, World, sign_up, world_test};
use crate::tests::world_billing::find_payer;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_subscriptions": SMALL, LARGE, subscription_of, state, payer;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, billing: &Billing, offer: Offer<'_>) -> Module {
    let docstring = "Subscriptions: in whatever order Stripe tells, the payer has its state \
                     in the end.";
    module("tests.test_subscriptions").docstring(docstring).body(block![
        assign(SMALL, offer.small_key),
        assign(LARGE, offer.large_key),
        subscription_of_def(),
        state_def(),
        payer_def(billing),
        test_a_subscription_from_its_start_to_its_end(offer),
        test_what_each_status_gives(offer),
        test_a_payment_may_be_late_for_a_while(billing, offer),
        test_what_is_paid_for_lasts_until_its_end(offer),
        test_the_latest_state_counts_and_not_the_latest_delivery(offer),
        test_the_end_of_an_old_subscription_is_not_that_of_a_new_one(offer),
        test_a_deleted_customer_has_no_subscription(offer),
        test_while_stripe_is_down_the_events_themselves_count(offer),
        test_without_a_key_there_are_events_only(offer),
        test_each_event_leads_to_the_same_state(offer),
        test_a_finished_checkout_links_the_customer(offer),
        test_a_customer_is_one_payer(),
        test_a_price_that_no_plan_has_is_left_to_a_person(offer),
        test_a_deleted_customer_is_not_linked_again(),
        test_a_plan_outlives_its_price(offer),
        test_an_active_subscription_counts_whatever_its_price(offer),
        (billing.payer == Payer::Organization).then(test_what_stripe_changes_is_in_the_audit_log),
        test_customers_of_others_are_none_of_ours(),
        test_a_write_never_replaces_a_later_one(offer),
        has_trial(spec).then(|| test_a_trial_of_our_own_outlives_a_payment_that_fails(offer))
    ])
}

fn subscription_of_def() -> FunctionDef {
    names!(caller, organization_id, path, answer);
    async_def(subscription_of)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(py!(dict[(str, Any)]))
        .body(block![
            docstring("Return the subscription of an organization as its members see it."),
            assign(path, py!(f!("/organizations/{}/billing/subscription", organization_id))),
            ann_assign(answer, py!(dict[(str, Any)]), py!(caller.get(path).await.json())),
            return_(answer)
        ])
}

fn state_def() -> FunctionDef {
    names!(caller, organization_id, found);
    async_def(state)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(py!(tuple[(str, str, str)]))
        .body(block![
            docstring("Return the plan, the status and the access of an organization."),
            assign(found, py!(subscription_of(caller, organization_id).await)),
            return_(py!((found["plan"], found["status"], found["access"])))
        ])
}

fn payer_def(billing: &Billing) -> FunctionDef {
    names!(world, organization_id, session);
    async_def(payer)
        .params([param(world, World), param(organization_id, str)])
        .returns(payer_model(billing))
        .body(block![
            docstring("Return the row of who pays for an organization."),
            async_with_as(
                py!(world.database.session()),
                session,
                [return_(py!(find_payer(session, organization_id).await))]
            )
        ])
}

fn test_a_subscription_from_its_start_to_its_end(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, stripe, started);
    let Offer { free, small, large, .. } = offer;
    async_def("test_a_subscription_from_its_start_to_its_end")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assert_(py!(state(ada, organization_id).await == (free, "none", "none"))),
            assign(stripe, py!(world.stripe.state)),
            assign(started, py!(world.subscribe(organization_id, SMALL, "trialing").await)),
            assert_(py!(state(ada, organization_id).await == (small, "trialing", "full"))),
            do_(py!(stripe.change(started, "updated", status = "active", trial_end = None))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
            do_(py!(stripe.r#move(started, LARGE))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            do_(py!(stripe.fail_payment(started))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (large, "past_due", "full"))),
            do_(py!(stripe.pay(started))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            do_(py!(stripe.cancel(started))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none")))
        ])
}

fn test_what_each_status_gives(offer: Offer<'_>) -> FunctionDef {
    names!(world, status, expected, ada, organization_id, active);
    let Offer { free, small, .. } = offer;
    async_def("test_what_each_status_gives")
        .decorator(py!(pytest.mark.parametrize(
            ("status", "expected"),
            [
                ("incomplete", (free, "incomplete", "none")),
                ("incomplete_expired", (free, "incomplete_expired", "none")),
                ("trialing", (small, "trialing", "full")),
                ("active", (small, "active", "full")),
                ("past_due", (small, "past_due", "full")),
                ("unpaid", (small, "unpaid", "restricted")),
                ("paused", (small, "paused", "restricted")),
                ("canceled", (free, "canceled", "none")),
                ("a_new_word", (small, "unknown", "restricted"))
            ]
        )))
        .params([
            param(world, World),
            param(status, str),
            param(expected, py!(tuple[(str, str, str)])),
        ])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(world.subscribe(organization_id, SMALL, status).await)),
            assert_(py!(state(ada, organization_id).await == expected)),
            assign(active, py!(subscription_of(ada, organization_id).await["active"])),
            assert_(py!(is_!(active, expected[2] == "full")))
        ])
}

fn test_a_payment_may_be_late_for_a_while(billing: &Billing, offer: Offer<'_>) -> FunctionDef {
    let model = payer_model(billing);
    names!(world, ada, organization_id, stripe, started, since, found, session, late);
    let Offer { small, .. } = offer;
    async_def("test_a_payment_may_be_late_for_a_while")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            do_(py!(stripe.fail_payment(started))),
            do_(py!(world.catch_up().await)),
            assign(since, py!(payer(world, organization_id).await.past_due_since)),
            assert_(py!(since != None)),
            assert_(py!(int(since.timestamp()) == stripe.now)),
            assign(found, py!(subscription_of(ada, organization_id).await)),
            assert_(py!(found["grace_ends_at"] != None)),
            do_(py!(stripe.pass_time(DAY))).paragraph(),
            do_(py!(stripe.fail_payment(started))),
            do_(py!(world.catch_up().await)),
            assert_(py!(payer(world, organization_id).await.past_due_since == since)),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(late, py!(utcnow() - GRACE_PERIOD)),
                    do_(py!(session.execute(update(model).values(past_due_since = late)).await)),
                    do_(py!(session.commit().await))
                ]
            )
            .paragraph(),
            assert_(py!(state(ada, organization_id).await == (small, "past_due", "restricted"))),
            do_(py!(stripe.pay(started))).paragraph(),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
            assert_(py!(payer(world, organization_id).await.past_due_since == None))
        ])
}

fn test_what_is_paid_for_lasts_until_its_end(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, stripe, started, renewed, found);
    let Offer { free, .. } = offer;
    async_def("test_what_is_paid_for_lasts_until_its_end")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            assign(renewed, py!(stripe.change(started, "updated", cancel_at_period_end = true))),
            do_(py!(world.catch_up().await)),
            assign(found, py!(subscription_of(ada, organization_id).await)),
            assert_(py!((found["access"], found["ends_at"]) == ("full", found["renews_at"]))),
            assign(py!(renewed["items"]["data"][0]["current_period_end"]), py!(stripe.now - 1))
                .paragraph(),
            do_(py!(stripe.change(started, "updated"))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "active", "none")))
        ])
}

fn test_the_latest_state_counts_and_not_the_latest_delivery(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, stripe, customer, started, made);
    let Offer { large, .. } = offer;
    async_def("test_the_latest_state_counts_and_not_the_latest_delivery")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(customer, py!(world.customer_of(organization_id).await)),
            assign(started, py!(stripe.subscribe(customer, SMALL))),
            assign(py!((made,)), py!(stripe.untold()[-1..])),
            do_(py!(stripe.r#move(started["id"], LARGE))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            do_(py!(world.deliver(made).await)),
            do_(py!(world.settle().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full")))
        ])
}

fn test_the_end_of_an_old_subscription_is_not_that_of_a_new_one(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, stripe, old, new);
    let Offer { free, large, .. } = offer;
    async_def("test_the_end_of_an_old_subscription_is_not_that_of_a_new_one")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(old, py!(world.subscribe(organization_id, SMALL).await)),
            assign(new, py!(world.subscribe(organization_id, LARGE).await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            do_(py!(stripe.cancel(old))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            do_(py!(stripe.cancel(new))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none")))
        ])
}

fn test_a_deleted_customer_has_no_subscription(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, started, late);
    let Offer { free, .. } = offer;
    async_def("test_a_deleted_customer_has_no_subscription")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            assign(late, py!(world.stripe.state.change(started, "updated"))),
            do_(py!(world.stripe.state.delete_customer(late["customer"]))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none"))),
            assert_(py!(payer(world, organization_id).await.stripe_customer_id == None))
        ])
}

fn test_while_stripe_is_down_the_events_themselves_count(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, stripe, customer, started, made, moved);
    let Offer { free, large, .. } = offer;
    async_def("test_while_stripe_is_down_the_events_themselves_count")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(customer, py!(world.customer_of(organization_id).await)),
            assign(py!(world.stripe.is_down), true),
            assign(started, py!(stripe.subscribe(customer, SMALL))),
            do_(py!(stripe.pass_time(1))),
            do_(py!(stripe.r#move(started["id"], LARGE))),
            assign(py!((made, moved)), py!(stripe.untold()[-2..])),
            do_(py!(world.deliver(moved).await)),
            do_(py!(world.settle().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            do_(py!(world.deliver(made).await)),
            do_(py!(world.settle().await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            assert_(py!(statuses(world).await == ["received", "received"])),
            do_(py!(stripe.pass_time(1))).paragraph(),
            do_(py!(stripe.cancel(started["id"]))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none"))),
            do_(py!(stripe.pass_time(1))),
            do_(py!(stripe.emit("customer.subscription.updated", made["data"]["object"]))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none"))),
            assign(py!(world.stripe.is_down), false).paragraph(),
            do_(py!(world.settle().await)),
            assert_(py!(set(statuses(world).await) == set!("processed"))),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none")))
        ])
}

fn test_without_a_key_there_are_events_only(offer: Offer<'_>) -> FunctionDef {
    names!(
        payer_id,
        world,
        settings,
        ada,
        organization_id,
        app,
        worker,
        stripe,
        customer,
        started,
        checkout,
        session,
        event,
        found,
        row
    );
    let Offer { free, small, .. } = offer;
    async_def("test_without_a_key_there_are_events_only")
        .params([param(world, World), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(
                app,
                py!(create_app(settings.model_copy(update = dict!("stripe_secret_key" => None))))
            ),
            ann_assign(worker, BillingWorker, py!(app.state.billing_worker)),
            assign(stripe, py!(world.stripe.state)),
            assign(customer, py!(stripe.add_customer()["id"])),
            assign(started, py!(stripe.subscribe(customer, SMALL))),
            assign(payer_id, py!(world.payer_id(organization_id).await)),
            assign(checkout, py!(dict!("customer" => customer, "client_reference_id" => payer_id))),
            assign(session, py!(stripe.add("cs", "checkout.session", **checkout))),
            do_(py!(stripe.emit("checkout.session.completed", session))),
            for_(event, py!(stripe.untold()), [do_(py!(world.deliver(in_old_shape(event)).await))]),
            do_(py!(worker.drain().await)),
            assert_(py!(state(ada, organization_id).await == (free, "none", "none"))),
            do_(py!(world.hurry().await)),
            do_(py!(worker.drain().await)),
            assert_(py!(world.stripe.calls == [])),
            assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
            assign(found, py!(subscription_of(ada, organization_id).await)),
            assert_(py!(found["renews_at"] != None)),
            assign(row, py!(payer(world, organization_id).await)),
            assert_(py!(row.stripe_subscription_id == started["id"])),
            assert_(py!(set(statuses(world).await) <= set!("processed", "skipped"))),
            do_(py!(worker.sync.provider.close().await)),
            do_(py!(worker.inbox.database.close().await))
        ])
}

fn test_each_event_leads_to_the_same_state(offer: Offer<'_>) -> FunctionDef {
    names!(
        world,
        ada,
        stripe,
        kinds,
        kind,
        organization_id,
        customer,
        subscription,
        invoice,
        subject,
        event
    );
    let Offer { small, .. } = offer;
    async_def("test_each_event_leads_to_the_same_state")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(stripe, py!(world.stripe.state)),
            assign(
                kinds,
                py!([
                    "customer.subscription.created",
                    "customer.subscription.updated",
                    "customer.subscription.paused",
                    "customer.subscription.resumed",
                    "customer.subscription.trial_will_end",
                    "invoice.paid",
                    "invoice.payment_failed",
                    "invoice.payment_action_required",
                    "invoice.upcoming",
                    "customer.updated"
                ]),
            ),
            for_(
                kind,
                kinds,
                block![
                    assign(organization_id, py!(ada.found(kind).await)),
                    assign(customer, py!(world.customer_of(organization_id).await)),
                    assign(subscription, py!(stripe.subscribe(customer, SMALL))),
                    assign(invoice, py!(stripe.add_invoice(subscription, "paid"))),
                    assign(
                        subject,
                        py!(dict!(
                            "invoice" => invoice,
                            "customer" => stripe.objects[customer],
                            "customer.subscription" => subscription
                        )[kind.rpartition(".")[0]]),
                    ),
                    do_(py!(stripe.untold())),
                    assign(event, py!(stripe.emit(kind, subject))),
                    do_(py!(world.deliver(event).await)),
                    do_(py!(world
                        .deliver(in_old_shape(event | dict!("id" => f!("{}_old", event["id"]))))
                        .await)),
                    do_(py!(world.settle().await)),
                    assert_(py!(state(ada, organization_id).await == (small, "active", "full")))
                ],
            ),
            assert_(py!(set(statuses(world).await) == set!("processed")))
        ])
}

fn test_a_finished_checkout_links_the_customer(offer: Offer<'_>) -> FunctionDef {
    names!(
        world,
        ada,
        organization_id,
        stripe,
        customer,
        subscription,
        payer_id,
        checkout,
        session
    );
    let Offer { small, .. } = offer;
    async_def("test_a_finished_checkout_links_the_customer")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(customer, py!(stripe.add_customer()["id"])),
            assign(subscription, py!(stripe.subscribe(customer, SMALL))),
            assign(payer_id, py!(world.payer_id(organization_id).await)),
            assign(
                checkout,
                py!(dict!(
                    "customer" => customer,
                    "client_reference_id" => payer_id,
                    "subscription" => subscription["id"]
                )),
            ),
            assign(session, py!(stripe.add("cs", "checkout.session", **checkout))),
            do_(py!(stripe.emit("checkout.session.completed", session))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
            assert_(py!(payer(world, organization_id).await.stripe_customer_id == customer))
        ])
}

fn test_a_customer_is_one_payer() -> FunctionDef {
    names!(
        world,
        ada,
        eve,
        organization_id,
        first,
        second,
        customer,
        other,
        nobody,
        paying,
        named,
        expected,
        checkout,
        session,
        event,
        event_id,
        found
    );
    async_def("test_a_customer_is_one_payer").params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(eve, py!(world.sign_up("eve@example.com").await)),
            assign(second, py!(world.payer_id(world.unpaid_organization(eve).await).await)),
            do_(py!(world.subscribe(organization_id, SMALL).await)),
            assign(first, py!(world.payer_id(organization_id).await)),
            assign(customer, py!(world.customer_of(organization_id).await)),
            assign(other, py!(world.stripe.state.add_customer()["id"])),
            assign(nobody, "00000000-0000-0000-0000-000000000000"),
            for_(
                py!((paying, named, expected)),
                py!([
                    (customer, first, "processed"),
                    (customer, second, "failed"),
                    (other, first, "failed"),
                    (other, nobody, "skipped"),
                    (other, "a reference of somebody else", "skipped"),
                    (None, first, "skipped")
                ]),
                block![
                    assign(
                        checkout,
                        py!(dict!("customer" => paying, "client_reference_id" => named))
                    ),
                    assign(
                        session,
                        py!(world.stripe.state.add("cs", "checkout.session", **checkout))
                    ),
                    assign(
                        event,
                        py!(world.stripe.state.emit("checkout.session.completed", session))
                    ),
                    do_(py!(world.deliver(event).await)),
                    do_(py!(world.settle().await)),
                    assign(event_id, py!(event["id"])),
                    assign(
                        py!((found,)),
                        py!(list!(one for one in stored(world).await if one.event_id == event_id))
                    ),
                    assert_(py!(found.status == expected))
                ]
            )
        ],
    )
}

fn test_a_price_that_no_plan_has_is_left_to_a_person(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, started);
    let Offer { free, small, .. } = offer;
    async_def("test_a_price_that_no_plan_has_is_left_to_a_person")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(world.stripe.state.add_price("unknown"))),
            assign(started, py!(world.subscribe(organization_id, "unknown").await)),
            assert_(py!(state(ada, organization_id).await == (free, "active", "full"))),
            assert_(py!(payer(world, organization_id).await.price_is_unknown)),
            do_(py!(world.stripe.state.fail_payment(started))),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (free, "past_due", "full"))),
            assert_(py!(not_in!("failed", statuses(world).await))),
            do_(py!(world.stripe.state.r#move(started, SMALL))).paragraph(),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (small, "past_due", "full"))),
            assert_(py!(!payer(world, organization_id).await.price_is_unknown))
        ])
}

fn test_a_deleted_customer_is_not_linked_again() -> FunctionDef {
    names!(world, ada, organization_id, stripe, checkout, session);
    world_test("test_a_deleted_customer_is_not_linked_again").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(stripe, py!(world.stripe.state)),
        assign(
            checkout,
            py!(dict!(
                "customer" => world.customer_of(organization_id).await,
                "client_reference_id" => world.payer_id(organization_id).await
            ))
        ),
        assign(session, py!(stripe.add("cs", "checkout.session", **checkout))),
        do_(py!(stripe.delete_customer(session["customer"]))),
        do_(py!(world.catch_up().await)),
        do_(py!(stripe.emit("checkout.session.expired", session))),
        do_(py!(world.catch_up().await)),
        assert_(py!(payer(world, organization_id).await.stripe_customer_id == None)),
        assert_(py!(not_in!("failed", statuses(world).await)))
    ])
}

fn test_a_plan_outlives_its_price(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, started);
    let Offer { free, small, .. } = offer;
    world_test("test_a_plan_outlives_its_price").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(started, py!(world.subscribe(organization_id, SMALL).await)),
        do_(py!(world.stripe.state.add_price("unknown"))),
        do_(py!(world.stripe.state.r#move(started, "unknown"))),
        do_(py!(world.catch_up().await)),
        assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
        do_(py!(world.stripe.state.cancel(started))).paragraph(),
        do_(py!(world.catch_up().await)),
        assert_(py!(state(ada, organization_id).await == (free, "canceled", "none"))),
        assert_(py!(!payer(world, organization_id).await.price_is_unknown)),
        do_(py!(world.subscribe(organization_id, "unknown").await)).paragraph(),
        assert_(py!(state(ada, organization_id).await == (free, "active", "full")))
    ])
}

fn test_an_active_subscription_counts_whatever_its_price(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, started);
    let Offer { small, .. } = offer;
    world_test("test_an_active_subscription_counts_whatever_its_price").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(started, py!(world.subscribe(organization_id, SMALL).await)),
        do_(py!(world.stripe.state.add_price("unknown"))),
        do_(py!(world.subscribe(organization_id, "unknown").await)),
        assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
        assert_(py!(!payer(world, organization_id).await.price_is_unknown)),
        do_(py!(world.stripe.state.cancel(started))),
        do_(py!(world.catch_up().await)),
        assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
        assert_(py!(payer(world, organization_id).await.price_is_unknown))
    ])
}

fn test_what_stripe_changes_is_in_the_audit_log() -> FunctionDef {
    names!(world, ada, organization_id, path, found, newest);
    world_test("test_what_stripe_changes_is_in_the_audit_log").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(world.subscribe(organization_id, SMALL).await)),
        assign(path, py!(f!("/organizations/{}/audit?target=organizations", organization_id))),
        assign(found, py!(ada.get(path).await.json()["items"])),
        assign(newest, py!(found[0])),
        assert_(py!((newest["actor_kind"], newest["action"]) == ("system", "changed"))),
        assert_(py!(newest["changes"]["subscription_status"]["after"] == "active")),
        assert_(py!(not_in!("subscription_version", newest["changes"])))
    ])
}

fn test_customers_of_others_are_none_of_ours() -> FunctionDef {
    names!(world, stripe);
    async_def("test_customers_of_others_are_none_of_ours")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(stripe, py!(world.stripe.state)),
            do_(py!(stripe.subscribe(stripe.add_customer()["id"], SMALL))),
            do_(py!(world.catch_up().await)),
            assert_(py!(set(statuses(world).await) == set!("skipped")))
        ])
}

fn test_a_write_never_replaces_a_later_one(offer: Offer<'_>) -> FunctionDef {
    names!(
        payer_id,
        world,
        monkeypatch,
        ada,
        organization_id,
        started,
        worker,
        provider,
        ask,
        moves,
        overtaken
    );
    let Offer { large, .. } = offer;
    async_def("test_a_write_never_replaces_a_later_one")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
            assign(payer_id, py!(world.payer_id(organization_id).await)),
            assign(provider, py!(worker.sync.provider)),
            assign(ask, py!(provider.find_subscription)),
            assign(moves, py!([LARGE])),
            {
                names!(customer_id, known_id, found);
                async_def(overtaken)
                    .params([param(customer_id, str), param(known_id, py!(str | None))])
                    .returns(object)
                    .body(block![
                        assign(found, py!(ask(customer_id, known_id).await)),
                        while_(
                            moves,
                            block![
                                do_(py!(world.stripe.state.r#move(started, moves.pop()))),
                                do_(py!(worker.sync.refresh(UUID(payer_id)).await))
                            ]
                        ),
                        return_(found)
                    ])
            },
            do_(py!(monkeypatch.setattr(provider, "find_subscription", overtaken))),
            do_(py!(worker.sync.refresh(UUID(payer_id)).await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            assert_(py!(payer(world, organization_id).await.subscription_version == 3))
        ])
}

fn test_a_trial_of_our_own_outlives_a_payment_that_fails(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, row);
    let Offer { small, large, .. } = offer;
    async_def("test_a_trial_of_our_own_outlives_a_payment_that_fails")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            do_(py!(world.subscribe(organization_id, LARGE, "incomplete").await)),
            assert_(py!(state(ada, organization_id).await == (small, "trialing", "full"))),
            do_(py!(world.subscribe(organization_id, LARGE).await)),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full"))),
            assign(row, py!(payer(world, organization_id).await)),
            assert_(py!(is_!(row.subscription_status, SubscriptionStatus.ACTIVE)))
        ])
}
