//! `backend/tests/test_reconcile.py`: subscriptions asked for without an event, at night and by hand.

use crate::billing_main::run;
use crate::core::jobs::JobKind;
use crate::core::settings::Settings;
use crate::python::builtins::str;
use crate::python::pytest::pytest;
use crate::python::standard::{UUID, uuid4};
use crate::services::billing_reconcile::{RECONCILE_BILLING, ReconcileError, reconcile};
use crate::services::billing_worker::BillingWorker;
use crate::services::job_context::JobContext;
use crate::services::job_registry::{HANDLERS, SCHEDULES};
use crate::services::maintenance::Nothing;
use crate::services::resources::Resources;
use crate::tests::casting::Offer;
use crate::tests::test_subscriptions::{SMALL, state};
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
            test_without_a_key_nobody_is_asked(),
            test_a_person_brings_payers_up_to_date(offer),
            test_a_person_deals_with_failed_events(),
            test_the_platform_replays_an_event()
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

/// `ada` has an organization and a subscription whose price belongs to no plan: an event failed.
fn ada_whose_event_failed() -> [Stmt; 6] {
    names!(world, ada, organization_id, customer);
    [
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(customer, py!(world.customer_of(organization_id).await)),
        do_(py!(world.stripe.state.add_price("unheard_of"))),
        do_(py!(world.stripe.state.subscribe(customer, "unheard_of"))),
        do_(py!(world.catch_up().await)),
    ]
}

fn test_a_person_deals_with_failed_events() -> FunctionDef {
    names!(world, settings, capsys, listed, event_id, subscription);
    world_test("test_a_person_deals_with_failed_events")
        .params([param(settings, Settings), param(capsys, py!(pytest.CaptureFixture[str]))])
        .body(block![
            assert_(py!(run(settings, ["failed"]).await == 0)),
            ada_whose_event_failed(),
            assert_(py!(run(settings, ["failed"]).await == 1)).paragraph(),
            assign(listed, py!(capsys.readouterr().out)),
            assert_(py!(in_!("No price of the subscription belongs to a plan", listed))),
            assign(event_id, py!(listed.split(maxsplit = 1)[0])),
            assert_(py!(run(settings, ["replay", event_id, "evt_unknown"]).await == 1)),
            assert_(py!(capsys.readouterr().out == "no such event: evt_unknown\n")),
            assign(py!((subscription,)), py!(world.stripe.state.all("subscription"))).paragraph(),
            do_(py!(world.stripe.state.r#move(subscription["id"], SMALL))),
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
