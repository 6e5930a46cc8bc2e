//! `backend/tests/test_reconcile.py`: subscriptions asked for without an event, at night and by hand.

use crate::billing_main::run;
use crate::core::jobs::JobKind;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::python::builtins::{sorted, str};
use crate::python::pytest::pytest;
use crate::python::standard::{UUID, timedelta, uuid4};
use crate::services::billing_reconcile::{RECONCILE_BILLING, ReconcileError, reconcile};
use crate::services::billing_worker::BillingWorker;
use crate::services::job_context::JobContext;
use crate::services::job_registry::{HANDLERS, SCHEDULES};
use crate::services::maintenance::{Nothing, PRUNE};
use crate::services::resources::Resources;
use crate::tests::casting::Offer;
use crate::tests::test_subscriptions::{SMALL, payer, state};
use crate::tests::test_webhook::stored;
use crate::tests::world::{World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services": billing_reconcile;
    "tests.test_reconcile": lost_payment, work_at_night;
}

/// The module.
#[must_use]
pub fn emit(offer: Offer<'_>) -> Module {
    module("tests.test_reconcile")
        .docstring("Subscriptions asked for without an event: at night, and by hand.")
        .body(block![
            lost_payment_def(),
            work_at_night_def(),
            test_what_no_event_told_is_found_at_night(offer),
            test_each_batch_is_asked_for(offer),
            test_who_cannot_be_asked_for_is_tried_again(offer),
            test_who_cannot_be_read_holds_nobody_up(),
            test_without_a_key_nobody_is_asked(),
            test_a_person_brings_payers_up_to_date(offer),
            test_a_person_deals_with_failed_events(),
            test_the_platform_replays_an_event(),
            test_events_are_forgotten_in_the_end()
        ])
}

fn lost_payment_def() -> FunctionDef {
    names!(world, organization_id, customer);
    async_def(lost_payment)
        .params([param(world, World), param(organization_id, str)])
        .returns(none())
        .body(block![
            docstring("Let a subscription begin of which no event tells."),
            assign(customer, py!(world.customer_of(organization_id).await)),
            do_(py!(world.stripe.state.subscribe(customer, SMALL))),
            do_(py!(world.stripe.state.untold()))
        ])
}

fn work_at_night_def() -> FunctionDef {
    names!(settings, kind, resources, context);
    let params =
        [param(settings, Settings), param(kind, py!(JobKind[Nothing])).default(RECONCILE_BILLING)];
    async_def(work_at_night).params(params).returns(none()).body(block![
        docstring("Do a job of the schedule once."),
        assign(resources, py!(Resources.build(settings))),
        assign(context, py!(JobContext(resources, uuid4(), None, 1))),
        try_([do_(py!(HANDLERS[kind.name].run(context, dict!()).await))])
            .finally([do_(py!(resources.database.close().await))])
    ])
}

/// `ada` has an organization whose payment nobody told of.
fn ada_who_paid() -> [Stmt; 3] {
    names!(world, ada, organization_id);
    [
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(lost_payment(world, organization_id).await)),
    ]
}

fn has_subscribed(offer: Offer<'_>) -> Stmt {
    names!(ada, organization_id);
    let Offer { small, .. } = offer;
    assert_(py!(state(ada, organization_id).await == (small, "active", "full")))
}

fn has_nothing(offer: Offer<'_>) -> Stmt {
    names!(ada, organization_id);
    let Offer { free, .. } = offer;
    assert_(py!(state(ada, organization_id).await == (free, "none", "none")))
}

fn test_what_no_event_told_is_found_at_night(offer: Offer<'_>) -> FunctionDef {
    names!(settings, schedule);
    world_test("test_what_no_event_told_is_found_at_night")
        .params([param(settings, Settings)])
        .body(block![
            ada_who_paid(),
            has_nothing(offer),
            do_(py!(work_at_night(settings).await)),
            has_subscribed(offer),
            assert_(py!(in_!(RECONCILE_BILLING, list!(schedule.kind for schedule in SCHEDULES))))
        ])
}

fn test_each_batch_is_asked_for(offer: Offer<'_>) -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, organization_ids, worker, name);
    world_test("test_each_batch_is_asked_for")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            do_(py!(monkeypatch.setattr(billing_reconcile, "BATCH", 2))),
            ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
            sign_up(world, ada),
            assign(
                organization_ids,
                py!(list!(
                    ada.found(name).await for name in ("one", "two", "three", "four", "five")
                ))
            ),
            for_(
                organization_id,
                organization_ids,
                [do_(py!(lost_payment(world, organization_id).await))]
            ),
            assert_(py!(reconcile(worker.sync).await == [])),
            for_(
                organization_id,
                organization_ids,
                [assert_({
                    let Offer { small, .. } = offer;
                    py!(state(ada, organization_id).await[..2] == (small, "active"))
                })]
            )
        ])
}

fn test_who_cannot_be_asked_for_is_tried_again(offer: Offer<'_>) -> FunctionDef {
    names!(world, settings, organization_id, worker, payer_id);
    world_test("test_who_cannot_be_asked_for_is_tried_again")
        .params([param(settings, Settings)])
        .body(block![
            ada_who_paid(),
            assign(py!(world.stripe.is_down), true),
            with(py!(pytest.raises(ReconcileError)), [do_(py!(work_at_night(settings).await))]),
            ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
            assign(payer_id, py!(world.payer_id(organization_id).await)),
            assert_(py!(reconcile(worker.sync).await == [UUID(payer_id)])),
            assign(py!(world.stripe.is_down), false).paragraph(),
            do_(py!(work_at_night(settings).await)),
            has_subscribed(offer)
        ])
}

fn test_who_cannot_be_read_holds_nobody_up() -> FunctionDef {
    names!(world, worker, organization_ids, email, one, first, last, stripe);
    let founded = py!(world.unpaid_organization(world.sign_up(email).await).await);
    world_test("test_who_cannot_be_read_holds_nobody_up").body(block![
        ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
        assign(
            organization_ids,
            py!(list!(founded for email in ("ada@example.com", "eve@example.com")))
        ),
        assign(
            py!((first, last)),
            py!(sorted(list!((world.payer_id(one).await, one) for one in organization_ids)))
        ),
        for_(py!((_, one)), py!((first, last)), [do_(py!(lost_payment(world, one).await))]),
        assign(stripe, py!(world.stripe.state)).paragraph(),
        assign(one, py!(world.customer_of(first[1]).await)),
        do_(py!(stripe.all("subscription", customer = one)[0]["items"]["data"].clear())),
        assert_(py!(reconcile(worker.sync).await == [UUID(first[0])])),
        assert_(py!(payer(world, last[1]).await.subscription_status == "active"))
    ])
}

fn test_events_are_forgotten_in_the_end() -> FunctionDef {
    names!(world, settings, session, status, days, event, handled_at);
    let rows = py!((
        (BillingEventStatus.PROCESSED, 91),
        (BillingEventStatus.SKIPPED, 91),
        (BillingEventStatus.FAILED, 91),
        (BillingEventStatus.PROCESSED, 89)
    ));
    world_test("test_events_are_forgotten_in_the_end").params([param(settings, Settings)]).body(
        block![
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    for_(
                        py!((status, days)),
                        rows,
                        block![
                            assign(handled_at, py!(utcnow() - timedelta(days = days))),
                            do_(py!(session.add(BillingEvent(
                                provider = "stripe",
                                event_id = f!("{} {}", status, days),
                                r#type = "invoice.paid",
                                occurred_at = handled_at,
                                payload = dict!(),
                                status = status,
                                handled_at = handled_at
                            ))))
                        ]
                    ),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(work_at_night(settings, PRUNE).await)),
            assert_(py!(set!(event.event_id for event in stored(world).await)
                == set!("failed 91", "processed 89")))
        ],
    )
}

fn test_without_a_key_nobody_is_asked() -> FunctionDef {
    names!(world, settings, keyless);
    world_test("test_without_a_key_nobody_is_asked").params([param(settings, Settings)]).body(
        block![
            ada_who_paid(),
            assign(keyless, py!(settings.model_copy(update = dict!("stripe_secret_key" => None)))),
            do_(py!(world.stripe.calls.clear())),
            do_(py!(work_at_night(keyless).await)),
            assert_(py!(world.stripe.calls == []))
        ],
    )
}

fn test_a_person_brings_payers_up_to_date(offer: Offer<'_>) -> FunctionDef {
    names!(world, settings, organization_id, capsys, payer_id, subscription);
    let Offer { free, .. } = offer;
    names!(ada);
    world_test("test_a_person_brings_payers_up_to_date")
        .params([param(settings, Settings), param(capsys, py!(pytest.CaptureFixture[str]))])
        .body(block![
            ada_who_paid(),
            assign(payer_id, py!(world.payer_id(organization_id).await)),
            assert_(py!(run(settings, ["sync", payer_id]).await == 0)),
            has_subscribed(offer),
            assign(py!((subscription,)), py!(world.stripe.state.all("subscription"))).paragraph(),
            do_(py!(world.stripe.state.cancel(subscription["id"]))),
            assert_(py!(run(settings, ["sync"]).await == 0)),
            assert_(py!(state(ada, organization_id).await == (free, "canceled", "none"))),
            assign(py!(world.stripe.is_down), true).paragraph(),
            assert_(py!(run(settings, ["sync", payer_id]).await == 1)),
            assert_(py!(in_!(payer_id, capsys.readouterr().out)))
        ])
}

/// `ada` has an organization that is one customer, and paid as another one: an event failed.
fn ada_whose_event_failed() -> [Stmt; 8] {
    names!(world, ada, organization_id, other, checkout, session);
    [
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(world.customer_of(organization_id).await)),
        assign(other, py!(world.stripe.state.add_customer()["id"])),
        assign(
            checkout,
            py!(dict!(
                "customer" => other,
                "client_reference_id" => world.payer_id(organization_id).await
            )),
        ),
        assign(session, py!(world.stripe.state.add("cs", "checkout.session", **checkout))),
        do_(py!(world.stripe.state.emit("checkout.session.completed", session))),
        do_(py!(world.catch_up().await)),
    ]
}

fn test_a_person_deals_with_failed_events() -> FunctionDef {
    names!(world, settings, capsys, listed, event_id, customer, organization_id);
    world_test("test_a_person_deals_with_failed_events")
        .params([param(settings, Settings), param(capsys, py!(pytest.CaptureFixture[str]))])
        .body(block![
            assert_(py!(run(settings, ["failed"]).await == 0)),
            ada_whose_event_failed(),
            assert_(py!(run(settings, ["failed"]).await == 1)).paragraph(),
            assign(listed, py!(capsys.readouterr().out)),
            assert_(py!(in_!("There is another customer already", listed))),
            assign(event_id, py!(listed.split(maxsplit = 1)[0])),
            assert_(py!(run(settings, ["replay", event_id, "evt_unknown"]).await == 1)),
            assert_(py!(capsys.readouterr().out == "no such event: evt_unknown\n")),
            assign(customer, py!(world.customer_of(organization_id).await)).paragraph(),
            do_(py!(world.stripe.state.delete_customer(customer))),
            do_(py!(world.catch_up().await)),
            assert_(py!(run(settings, ["replay"]).await == 0)),
            do_(py!(world.settle().await)),
            assert_(py!(run(settings, ["failed"]).await == 0))
        ])
}

fn test_the_platform_replays_an_event() -> FunctionDef {
    names!(world, ada, path, events, again);
    world_test("test_the_platform_replays_an_event").body(block![
        ada_whose_event_failed(),
        assert_(py!(
            ada.post(f!("/billing/events/{}/replay", uuid4()), dict!()).await.status_code == 403
        )),
        do_(py!(world.promote(ada).await)),
        assert_(py!(
            ada.post(f!("/billing/events/{}/replay", uuid4()), dict!()).await.status_code == 404
        )),
        assign(events, py!(ada.get("/billing/events?status=failed").await.json()["items"]))
            .paragraph(),
        assign(path, py!(f!("/billing/events/{}/replay", events[0]["id"]))),
        assign(again, py!(ada.post(path, dict!()).await)),
        assert_(py!((again.status_code, again.json()["status"]) == (200, "received"))),
        assert_(py!(ada.post(path, dict!()).await.status_code == 409))
    ])
}
