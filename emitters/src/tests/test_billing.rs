//! `backend/tests/test_billing.py`: the webhook of Stripe, and what follows from its events.

use crate::app_main::create_app;
use crate::core::roles::UserRole;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::package::{BillingEvent, User};
use crate::python::anyio::anyio;
use crate::python::builtins::{dict, int, list, range, str, tuple};
use crate::python::httpx2::{ASGITransport, AsyncClient};
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{func, select, update};
use crate::python::standard::{Any, json, time, timedelta};
use crate::spec::{Plan, Spec};
use crate::tests::casting::{lookup_key, paid_plans};
use crate::tests::world::{Caller, World, sign_up, subscription, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services": billing_service;
    "tests.test_billing": HOUR, state, count_events;
}

/// The plans in the story: what an organization has without a subscription, and the first and the last
/// that it can subscribe to, which may be one and the same.
#[derive(Clone, Copy)]
struct Offer<'a> {
    free: &'a str,
    small: &'a str,
    /// The constant that holds the lookup key of the small plan.
    small_key: Name,
    large: &'a str,
    /// The constant that holds the lookup key of the large plan.
    large_key: Name,
}

/// The module; none when nothing is for sale.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let billing = spec.billing.as_ref()?;
    let paid = paid_plans(billing);
    let (small, large) = (*paid.first()?, *paid.last()?);
    let offer = Offer {
        free: billing.free_plan().name.as_str(),
        small: small.name.as_str(),
        small_key: key_of(small),
        large: large.name.as_str(),
        large_key: key_of(large),
    };
    let key = |plan: &Plan| assign(key_of(plan), lookup_key(plan));
    let docstring = "The webhook of Stripe, and what follows from its events.";
    Some(module("tests.test_billing").docstring(docstring).body(block![
        key(small),
        (small != large).then(|| key(large)),
        assign(HOUR, py!(timedelta(hours = 1))),
        state_def(),
        count_events_def(),
        test_a_subscription_from_its_start_to_its_end(offer),
        test_a_repeated_event_is_stored_and_applied_once(offer),
        test_an_older_event_does_not_undo_a_newer_one(offer),
        test_what_has_ended_stays_ended(offer),
        test_an_event_that_nobody_handles_is_stored(),
        test_a_new_status_of_stripe_counts_as_none(offer),
        test_an_event_that_cannot_be_followed_is_kept(offer),
        test_a_failed_event_is_tried_again(offer),
        test_a_customer_pays_for_one_organization(),
        test_a_crash_leaves_the_event_for_the_next_delivery(offer),
        test_forged_deliveries_are_refused(),
        test_signed_nonsense_is_refused(),
        test_bytes_that_are_not_text_are_refused(),
        test_large_bodies_are_refused(),
        test_every_secret_in_the_settings_is_accepted(),
        test_without_a_secret_the_webhook_is_off(),
        test_only_the_platform_sees_events()
    ]))
}

/// The constant for the lookup key of a plan, which is no name that the module has already.
fn key_of(plan: &Plan) -> Name {
    if plan.constant == HOUR.binding() { name("HOUR_PRICE") } else { plan.constant }
}

fn state_def() -> FunctionDef {
    names!(caller, organization_id, path, answer);
    async_def(state)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(py!(tuple[(str, str)]))
        .body(block![
            docstring("Return the plan and the status of an organization."),
            assign(path, py!(f!("/organizations/{}/billing/subscription", organization_id))),
            assign(answer, py!(caller.get(path).await.json())),
            return_(py!((answer["plan"], answer["status"])))
        ])
}

fn count_events_def() -> FunctionDef {
    names!(world, session, statement);
    async_def(count_events).params([param(world, World)]).returns(int).body(block![
        docstring("Count the stored events."),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(statement, py!(select(func.count()).select_from(BillingEvent))),
                return_(py!(session.scalars(statement).await.one()))
            ]
        )
    ])
}

fn test_a_subscription_from_its_start_to_its_end(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, kind, lookup_key, status, expected, content, answer);
    let Offer { free, small, small_key, large, large_key } = offer;
    world_test("test_a_subscription_from_its_start_to_its_end").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        assert_(py!(world.check_out(organization_id, "cus_1").await.status_code == 200)),
        for_(
            py!((kind, lookup_key, status, expected)),
            py!([
                ("created", small_key, "trialing", (small, "trialing")),
                ("updated", small_key, "active", (small, "active")),
                ("updated", large_key, "active", (large, "active")),
                ("updated", large_key, "past_due", (large, "past_due")),
                ("updated", large_key, "unpaid", (free, "unpaid")),
                ("updated", large_key, "active", (large, "active")),
                ("paused", large_key, "paused", (free, "paused")),
                ("resumed", large_key, "active", (large, "active")),
                ("deleted", large_key, "canceled", (free, "canceled"))
            ]),
            block![
                assign(content, py!(subscription("cus_1", lookup_key, status = status))),
                assign(
                    answer,
                    py!(world.deliver(f!("customer.subscription.{}", kind), content).await)
                ),
                assert_(py!(answer.json() == dict!("status" => "processed"))),
                assert_(py!(state(ada, organization_id).await == expected))
            ]
        )
    ])
}

fn test_a_repeated_event_is_stored_and_applied_once(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, content, answers, deliver, tasks);
    let Offer { small, small_key, .. } = offer;
    world_test("test_a_repeated_event_is_stored_and_applied_once").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        do_(py!(world.check_out(organization_id, "cus_1").await)),
        assign(content, py!(subscription("cus_1", small_key))),
        ann_assign(answers, py!(list[dict[(str, Any)]]), py!([])),
        {
            names!(kind, answer);
            async_def(deliver).returns(none()).body(block![
                assign(kind, "customer.subscription.created"),
                assign(answer, py!(world.deliver(kind, content, event_id = "evt_1").await)),
                do_(py!(answers.append(answer.json())))
            ])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(py!(_), py!(range(8)), [do_(py!(tasks.start_soon(deliver)))])
        ),
        assert_(py!(answers == [dict!("status" => "processed")] * 8)).paragraph(),
        assert_(py!(count_events(world).await == 2)),
        assert_(py!(state(ada, organization_id).await == (small, "active")))
    ])
}

fn test_an_older_event_does_not_undo_a_newer_one(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, now, kind, newer, older, late);
    let Offer { small_key, large, large_key, .. } = offer;
    let small_one = match small_key == large_key {
        true => py!(subscription("cus_1", small_key, status = "trialing")),
        false => py!(subscription("cus_1", small_key)),
    };
    world_test("test_an_older_event_does_not_undo_a_newer_one").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        do_(py!(world.check_out(organization_id, "cus_1").await)),
        assign(now, py!(utcnow())),
        assign(kind, "customer.subscription.updated"),
        assign(py!((newer, older)), py!((subscription("cus_1", large_key), small_one))),
        do_(py!(world.deliver(kind, newer, created = now).await)),
        assign(late, py!(world.deliver(kind, older, created = now - HOUR).await)),
        assert_(py!(late.json() == dict!("status" => "processed"))),
        assert_(py!(state(ada, organization_id).await == (large, "active")))
    ])
}

fn test_what_has_ended_stays_ended(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, session, known, content, ended, later, renewed);
    let Offer { free, small, small_key, .. } = offer;
    world_test("test_what_has_ended_stays_ended").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        do_(py!(world.subscribe(organization_id, small_key).await)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(
                    known,
                    py!(select(BillingEvent.payload).order_by(BillingEvent.created_at.desc()))
                ),
                assign(content, py!(session.scalars(known.limit(1)).await.one()["data"]["object"]))
            ]
        ),
        assign(ended, py!(content | dict!("status" => "canceled"))),
        do_(py!(world.deliver("customer.subscription.deleted", ended).await)),
        assign(later, py!(utcnow() + HOUR)),
        do_(py!(world.deliver("customer.subscription.updated", content, created = later).await)),
        assert_(py!(state(ada, organization_id).await == (free, "canceled"))),
        assign(renewed, py!(content | dict!("id" => "sub_2"))).paragraph(),
        do_(py!(world.deliver("customer.subscription.created", renewed, created = later).await)),
        assert_(py!(state(ada, organization_id).await == (small, "active"))),
        do_(py!(world.deliver("customer.subscription.deleted", ended, created = later).await)),
        assert_(py!(state(ada, organization_id).await == (small, "active")))
    ])
}

fn test_an_event_that_nobody_handles_is_stored() -> FunctionDef {
    names!(world, answer);
    world_test("test_an_event_that_nobody_handles_is_stored").body(block![
        assign(answer, py!(world.deliver("invoice.upcoming", dict!("id" => "in_1")).await)),
        assert_(py!((answer.status_code, answer.json()) == (200, dict!("status" => "skipped")))),
        assert_(py!(count_events(world).await == 1))
    ])
}

fn test_a_new_status_of_stripe_counts_as_none(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, content);
    let Offer { free, small_key, .. } = offer;
    world_test("test_a_new_status_of_stripe_counts_as_none").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        do_(py!(world.check_out(organization_id, "cus_1").await)),
        assign(content, py!(subscription("cus_1", small_key, status = "a_new_word"))),
        do_(py!(world.deliver("customer.subscription.updated", content).await)),
        assert_(py!(state(ada, organization_id).await == (free, "unknown")))
    ])
}

fn test_an_event_that_cannot_be_followed_is_kept(offer: Offer<'_>) -> FunctionDef {
    names!(world, kind, content, ada, organization_id, before, answer, again);
    let Offer { small_key, .. } = offer;
    world_test("test_an_event_that_cannot_be_followed_is_kept")
        .decorator(py!(pytest.mark.parametrize(
            ("kind", "content"),
            [
                ("customer.subscription.updated", subscription("cus_1", "unknown price")),
                ("customer.subscription.updated", subscription("cus_unknown", small_key)),
                ("customer.subscription.updated", dict!("id" => "sub_1")),
                ("checkout.session.completed", dict!("customer" => "cus_2"))
            ]
        )))
        .params([param(kind, str), param(content, py!(dict[(str, Any)]))])
        .body(block![
            sign_up(world, ada),
            assign(organization_id, py!(ada.found("another").await)),
            do_(py!(world.check_out(organization_id, "cus_1").await)),
            assign(before, py!(state(ada, organization_id).await)),
            assign(answer, py!(world.deliver(kind, content, event_id = "evt_1").await)).paragraph(),
            assert_(py!((answer.status_code, answer.json()) == (200, dict!("status" => "failed"))))
                .paragraph(),
            assert_(py!(state(ada, organization_id).await == before)),
            assign(again, py!(world.deliver(kind, content, event_id = "evt_1").await)),
            assert_(py!(again.json() == dict!("status" => "failed")))
        ])
}

fn test_a_failed_event_is_tried_again(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, kind, content, early, again);
    let Offer { small, small_key, .. } = offer;
    world_test("test_a_failed_event_is_tried_again").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        assign(
            py!((kind, content)),
            py!(("customer.subscription.created", subscription("cus_1", small_key)))
        ),
        assign(early, py!(world.deliver(kind, content, event_id = "evt_1").await)),
        assert_(py!(early.json() == dict!("status" => "failed"))),
        do_(py!(world.check_out(organization_id, "cus_1").await)),
        assign(again, py!(world.deliver(kind, content, event_id = "evt_1").await)),
        assert_(py!(again.json() == dict!("status" => "processed"))),
        assert_(py!(state(ada, organization_id).await == (small, "active")))
    ])
}

fn test_a_customer_pays_for_one_organization() -> FunctionDef {
    names!(world, ada, first, second, unknown);
    world_test("test_a_customer_pays_for_one_organization").body(block![
        sign_up(world, ada),
        assign(py!((first, second)), py!((ada.found("one").await, ada.found("two").await))),
        assert_(
            py!(world.check_out(first, "cus_1").await.json() == dict!("status" => "processed"))
        ),
        assert_(
            py!(world.check_out(first, "cus_1").await.json() == dict!("status" => "processed"))
        ),
        assert_(py!(world.check_out(second, "cus_1").await.json() == dict!("status" => "failed"))),
        assert_(py!(world.check_out(first, "cus_2").await.json() == dict!("status" => "failed"))),
        assign(
            unknown,
            py!(world.check_out("00000000-0000-0000-0000-000000000000", "cus_3").await)
        ),
        assert_(py!(unknown.json() == dict!("status" => "failed")))
    ])
}

fn test_a_crash_leaves_the_event_for_the_next_delivery(offer: Offer<'_>) -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, kind, content, broken, crashed, again);
    let Offer { free, small, small_key, .. } = offer;
    world_test("test_a_crash_leaves_the_event_for_the_next_delivery")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            sign_up(world, ada),
            assign(organization_id, py!(ada.found("another").await)),
            do_(py!(world.check_out(organization_id, "cus_1").await)),
            assign(
                py!((kind, content)),
                py!(("customer.subscription.created", subscription("cus_1", small_key)))
            ),
            with_as(
                py!(monkeypatch.context()),
                broken,
                block![
                    do_(py!(broken.setattr(billing_service, "plan_of", None))),
                    assign(crashed, py!(world.deliver(kind, content, event_id = "evt_1").await))
                ]
            )
            .paragraph(),
            assert_(py!(crashed.status_code == 500)),
            assert_(py!(count_events(world).await == 2)),
            assert_(py!(state(ada, organization_id).await == (free, "none"))),
            assign(again, py!(world.deliver(kind, content, event_id = "evt_1").await)).paragraph(),
            assert_(py!(again.json() == dict!("status" => "processed"))),
            assert_(py!(state(ada, organization_id).await == (small, "active")))
        ])
}

fn test_forged_deliveries_are_refused() -> FunctionDef {
    names!(world, body, unsigned, wrong_secret, replayed, noise, garbled, answer);
    world_test("test_forged_deliveries_are_refused").body(block![
        assign(body, py!(json.dumps(dict!("id" => "evt_1", "object" => "event")))),
        assign(unsigned, py!(world.http.post("/billing/webhook", content = body).await)),
        assign(wrong_secret, py!(world.deliver_raw(body, secret = "whsec_wrong").await)),
        assign(replayed, py!(world.deliver_raw(body, timestamp = int(time.time()) - 301).await)),
        assign(noise, py!(dict!("Stripe-Signature" => "t=x,v1="))),
        assign(
            garbled,
            py!(world.http.post("/billing/webhook", content = body, headers = noise).await)
        ),
        for_(
            answer,
            py!((unsigned, wrong_secret, replayed, garbled)),
            block![
                assert_(py!(answer.status_code == 400)),
                assert_(py!(answer.json()["code"] == "invalid_signature"))
            ]
        ),
        assert_(py!(count_events(world).await == 0))
    ])
}

fn test_signed_nonsense_is_refused() -> FunctionDef {
    names!(world, body);
    world_test("test_signed_nonsense_is_refused")
        .decorator(py!(pytest.mark.parametrize(
            "body",
            ["", "{", "[]", "null", "{}", "{\"object\": \"event\"}", "[" * 10_000]
        )))
        .params([param(body, str)])
        .body([assert_(py!(world.deliver_raw(body).await.status_code == 400))])
}

fn test_bytes_that_are_not_text_are_refused() -> FunctionDef {
    names!(world, headers, content, answer);
    world_test("test_bytes_that_are_not_text_are_refused").body(block![
        assign(headers, py!(dict!("Stripe-Signature" => "t=1,v1=00"))),
        assign(content, py!(b"{\x22a\x22: \x22\xff\x22}")),
        assign(
            answer,
            py!(world.http.post("/billing/webhook", content = content, headers = headers).await)
        ),
        assert_(py!(answer.status_code == 400))
    ])
}

fn test_large_bodies_are_refused() -> FunctionDef {
    names!(world, answer);
    world_test("test_large_bodies_are_refused").body(block![
        assign(answer, py!(world.deliver_raw(" " * 1_048_577).await)),
        assert_(py!(answer.status_code == 413)),
        assert_(py!(answer.headers["content-type"] == "application/problem+json"))
    ])
}

fn test_every_secret_in_the_settings_is_accepted() -> FunctionDef {
    names!(settings, secrets, app, http, world, secret, event, body, answer);
    async_def("test_every_secret_in_the_settings_is_accepted").params([param(settings, Settings)]).returns(none()).body(block![assign(secrets, py!([SecretStr("whsec_old"), SecretStr("whsec_new")])), assign(app, py!(create_app(settings.model_copy(update = dict!("stripe_webhook_secrets" => secrets))))), async_with_as(py!(AsyncClient(transport = ASGITransport(app), base_url = "http://test")), http, block![assign(world, py!(World(app, http))), for_(secret, py!(("whsec_old", "whsec_new")), block![assign(event, py!(dict!("id" => secret, "object" => "event", "type" => "x", "created" => 1))), assign(body, py!(json.dumps(event | dict!("data" => dict!("object" => dict!()))))), assign(answer, py!(world.deliver_raw(body, secret = secret).await)), assert_(py!(answer.json() == dict!("status" => "skipped")))]), do_(py!(world.forget().await)), do_(py!(world.database.close().await))])])
}

fn test_without_a_secret_the_webhook_is_off() -> FunctionDef {
    names!(settings, app, http, answer);
    async_def("test_without_a_secret_the_webhook_is_off")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(
                app,
                py!(create_app(
                    settings.model_copy(update = dict!("stripe_webhook_secrets" => []))
                ))
            ),
            async_with_as(
                py!(AsyncClient(transport = ASGITransport(app), base_url = "http://test")),
                http,
                [assign(answer, py!(World(app, http).deliver_raw("{}", secret = "").await))]
            ),
            assert_(py!(answer.status_code == 503)),
            assert_(py!(answer.json()["code"] == "webhook_off"))
        ])
}

fn test_only_the_platform_sees_events() -> FunctionDef {
    names!(world, ada, session, page);
    world_test("test_only_the_platform_sees_events").body(block![
        sign_up(world, ada),
        do_(py!(world
            .deliver("invoice.upcoming", dict!("id" => "in_1"), event_id = "evt_1")
            .await)),
        assert_(py!(ada.get("/billing/events").await.status_code == 403)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                do_(py!(session.execute(update(User).values(role = UserRole.ADMIN)).await)),
                do_(py!(session.commit().await))
            ]
        ),
        assign(page, py!(ada.get("/billing/events").await.json())),
        assert_(py!(list!(event["event_id"] for event in page["items"]) == ["evt_1"])),
        assert_(py!(not_in!("payload", page["items"][0])))
    ])
}
