//! `backend/tests/test_webhook.py`: the webhook of Stripe: what it takes in, and that nothing of it is lost.

use crate::app_main::create_app;
use crate::core::settings::Settings;
use crate::models::base::utcnow;
use crate::models::billing_event::BillingEventStatus;
use crate::models::package::BillingEvent;
use crate::python::anyio::anyio;
use crate::python::builtins::{KeyError, dict, int, list, min, range, str, sum};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::{ASGITransport, AsyncClient};
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Any, json, time};
use crate::services::billing_sync::BillingSync;
use crate::services::billing_worker::BillingWorker;
use crate::tests::fake_stripe::FakeStripe;
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services": billing_inbox, billing_worker;
    "tests.test_webhook": EVENT, stored, statuses;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "The webhook of Stripe: what it takes in, and that nothing of it is lost.";
    module("tests.test_webhook").docstring(docstring).body(block![
        ann_assign(
            EVENT,
            py!(dict[(str, Any)]),
            py!(dict!(
                "id" => "evt_1",
                "object" => "event",
                "type" => "invoice.finalized",
                "created" => 1,
                "data" => dict!("object" => dict!("id" => "in_1"))
            )),
        ),
        stored_def(),
        statuses_def(),
        test_an_event_is_stored_before_it_is_processed(),
        test_an_event_is_stored_once(),
        test_an_event_is_processed_by_one_of_many(),
        test_forged_deliveries_are_refused(),
        test_a_clock_may_be_off_by_a_bit(),
        test_signed_nonsense_is_refused(),
        test_bytes_that_are_not_text_are_refused(),
        test_large_bodies_are_refused(),
        test_every_secret_in_the_settings_is_accepted(),
        test_without_a_secret_the_webhook_is_off(),
        test_what_cannot_be_read_is_left_to_a_person(),
        test_a_crash_leaves_the_event_where_it_was(),
        test_a_claim_that_was_left_runs_out(),
        test_in_the_end_an_event_waits_for_a_person(),
        test_each_attempt_waits_longer(),
        test_the_worker_processes_behind_the_answers(),
        test_the_worker_survives_the_database(),
        test_only_the_platform_sees_events()
    ])
}

fn stored_def() -> FunctionDef {
    names!(world, statement, session);
    async_def(stored).params([param(world, World)]).returns(py!(list[BillingEvent])).body(block![
        docstring("Return the stored events, the oldest first."),
        assign(statement, py!(select(BillingEvent).order_by(BillingEvent.created_at))),
        async_with_as(
            py!(world.database.session()),
            session,
            [return_(py!(list(session.scalars(statement).await)))]
        )
    ])
}

fn statuses_def() -> FunctionDef {
    names!(world);
    async_def(statuses).params([param(world, World)]).returns(py!(list[str])).body(block![
        docstring("Return what became of the events."),
        return_(py!(list!(event.status.value for event in stored(world).await)))
    ])
}

fn test_an_event_is_stored_before_it_is_processed() -> FunctionDef {
    names!(world, answer);
    async_def("test_an_event_is_stored_before_it_is_processed")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(answer, py!(world.deliver(EVENT).await)),
            assert_(py!(
                (answer.status_code, answer.json()) == (200, dict!("status" => "received"))
            )),
            assert_(py!(statuses(world).await == ["received"])),
            do_(py!(world.settle().await)).paragraph(),
            assert_(py!(statuses(world).await == ["skipped"])).paragraph(),
            assert_(py!(world.deliver(EVENT).await.json() == dict!("status" => "skipped")))
        ])
}

fn test_an_event_is_stored_once() -> FunctionDef {
    names!(world, answers, deliver, tasks);
    async_def("test_an_event_is_stored_once").params([param(world, World)]).returns(none()).body(
        block![
            ann_assign(answers, py!(list[int]), py!([])),
            {
                async_def(deliver)
                    .returns(none())
                    .body([do_(py!(answers.append(world.deliver(EVENT).await.status_code)))])
            },
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                for_(py!(_), py!(range(8)), [do_(py!(tasks.start_soon(deliver)))])
            ),
            assert_(py!(answers == [200] * 8)).paragraph(),
            assert_(py!(statuses(world).await == ["received"]))
        ],
    )
}

fn test_an_event_is_processed_by_one_of_many() -> FunctionDef {
    names!(world, worker, number, counts, drain, tasks);
    async_def("test_an_event_is_processed_by_one_of_many")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
            for_(
                number,
                py!(range(10)),
                [do_(py!(world.deliver(EVENT | dict!("id" => f!("evt_{}", number))).await))]
            ),
            ann_assign(counts, py!(list[int]), py!([])),
            {
                async_def(drain)
                    .returns(none())
                    .body([do_(py!(counts.append(worker.drain().await)))])
            },
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                for_(py!(_), py!(range(4)), [do_(py!(tasks.start_soon(drain)))])
            ),
            assert_(py!(sum(counts) == 10)).paragraph(),
            assert_(py!(list!(event.attempts for event in stored(world).await) == [1] * 10)),
            assert_(py!(statuses(world).await == ["skipped"] * 10))
        ])
}

fn test_forged_deliveries_are_refused() -> FunctionDef {
    names!(world, body, unsigned, wrong_secret, replayed, noise, garbled, answer);
    async_def("test_forged_deliveries_are_refused")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(body, py!(json.dumps(EVENT))),
            assign(unsigned, py!(world.http.post("/billing/webhook", content = body).await)),
            assign(wrong_secret, py!(world.deliver_raw(body, secret = "whsec_wrong").await)),
            assign(
                replayed,
                py!(world.deliver_raw(body, timestamp = int(time.time()) - 301).await)
            ),
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
            assert_(py!(statuses(world).await == []))
        ])
}

fn test_a_clock_may_be_off_by_a_bit() -> FunctionDef {
    names!(world, skew, timestamp, answer);
    async_def("test_a_clock_may_be_off_by_a_bit")
        .decorator(py!(pytest.mark.parametrize("skew", [-290, 0, 290])))
        .params([param(world, World), param(skew, int)])
        .returns(none())
        .body(block![
            assign(timestamp, py!(int(time.time()) + skew)),
            assign(answer, py!(world.deliver_raw(json.dumps(EVENT), timestamp = timestamp).await)),
            assert_(py!(answer.status_code == 200))
        ])
}

fn test_signed_nonsense_is_refused() -> FunctionDef {
    names!(world, body);
    async_def("test_signed_nonsense_is_refused")
        .decorator(py!(pytest.mark.parametrize(
            "body",
            ["", "{", "[]", "null", "{}", "{\"object\": \"event\"}", "[" * 10000]
        )))
        .params([param(world, World), param(body, str)])
        .returns(none())
        .body([assert_(py!(world.deliver_raw(body).await.status_code == 400))])
}

fn test_bytes_that_are_not_text_are_refused() -> FunctionDef {
    names!(world, headers, content, answer);
    async_def("test_bytes_that_are_not_text_are_refused")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(headers, py!(dict!("Stripe-Signature" => "t=1,v1=00"))),
            assign(content, py!(b"{\x22a\x22: \x22\xff\x22}")),
            assign(
                answer,
                py!(world
                    .http
                    .post("/billing/webhook", content = content, headers = headers)
                    .await)
            ),
            assert_(py!(answer.status_code == 400))
        ])
}

fn test_large_bodies_are_refused() -> FunctionDef {
    names!(world, answer);
    async_def("test_large_bodies_are_refused").params([param(world, World)]).returns(none()).body(
        block![
            assign(answer, py!(world.deliver_raw(" " * 1048577).await)),
            assert_(py!(answer.status_code == 413)),
            assert_(py!(answer.headers["content-type"] == "application/problem+json"))
        ],
    )
}

fn test_every_secret_in_the_settings_is_accepted() -> FunctionDef {
    names!(settings, stripe, secrets, app, http, world, secret, body, answer, retired);
    async_def("test_every_secret_in_the_settings_is_accepted")
        .params([param(settings, Settings), param(stripe, FakeStripe)])
        .returns(none())
        .body(block![
            assign(secrets, py!([SecretStr("whsec_old"), SecretStr("whsec_new")])),
            assign(
                app,
                py!(create_app(
                    settings.model_copy(update = dict!("stripe_webhook_secrets" => secrets))
                ))
            ),
            async_with_as(
                py!(AsyncClient(transport = ASGITransport(app), base_url = "http://test")),
                http,
                block![
                    assign(world, py!(World(app, http, stripe))),
                    for_(
                        secret,
                        py!(("whsec_old", "whsec_new")),
                        block![
                            assign(body, py!(json.dumps(EVENT | dict!("id" => secret)))),
                            assign(answer, py!(world.deliver_raw(body, secret = secret).await)),
                            assert_(py!(answer.json() == dict!("status" => "received")))
                        ]
                    ),
                    assign(
                        retired,
                        py!(world.deliver_raw(json.dumps(EVENT), secret = "whsec_retired").await)
                    ),
                    assert_(py!(retired.status_code == 400)),
                    do_(py!(world.forget().await)),
                    do_(py!(world.database.close().await))
                ]
            )
        ])
}

fn test_without_a_secret_the_webhook_is_off() -> FunctionDef {
    names!(settings, stripe, app, http, answer);
    async_def("test_without_a_secret_the_webhook_is_off")
        .params([param(settings, Settings), param(stripe, FakeStripe)])
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
                [assign(
                    answer,
                    py!(World(app, http, stripe).deliver_raw("{}", secret = "").await)
                )]
            ),
            assert_(py!(answer.status_code == 503)),
            assert_(py!(answer.json()["code"] == "webhook_off"))
        ])
}

fn test_what_cannot_be_read_is_left_to_a_person() -> FunctionDef {
    names!(world, subscription, event, again);
    async_def("test_what_cannot_be_read_is_left_to_a_person")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(subscription, py!(EVENT | dict!("type" => "customer.subscription.updated"))),
            do_(py!(world.deliver(subscription).await)),
            do_(py!(world.settle().await)),
            assign(py!((event,)), py!(stored(world).await)),
            assert_(py!((event.status, event.due_at) == (BillingEventStatus.FAILED, None))),
            assert_(py!(event.error != None)),
            assert_(py!(in_!("customer", event.error))),
            assign(again, py!(world.deliver(subscription).await)).paragraph(),
            assert_(py!(again.json() == dict!("status" => "received"))),
            do_(py!(world.settle().await)),
            assert_(py!(statuses(world).await == ["failed"]))
        ])
}

fn test_a_crash_leaves_the_event_where_it_was() -> FunctionDef {
    names!(world, monkeypatch, crash, broken, event);
    async_def("test_a_crash_leaves_the_event_where_it_was")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            do_(py!(world.deliver(EVENT).await)),
            {
                names!(_sync, _event);
                async_def(crash)
                    .params([param(_sync, BillingSync), param(_event, BillingEvent)])
                    .returns(none())
                    .body([raise(py!(KeyError("a defect")))])
            },
            with_as(
                py!(monkeypatch.context()),
                broken,
                block![
                    do_(py!(broken.setattr(BillingSync, "follow", crash))),
                    do_(py!(world.settle().await))
                ]
            ),
            assign(py!((event,)), py!(stored(world).await)),
            assert_(py!((event.status, event.error) == (BillingEventStatus.RECEIVED, "KeyError"))),
            assert_(py!(event.due_at != None)),
            assert_(py!(event.due_at > utcnow())),
            do_(py!(world.settle().await)).paragraph(),
            assign(py!((event,)), py!(stored(world).await)).paragraph(),
            assert_(py!((event.status, event.error) == (BillingEventStatus.SKIPPED, None)))
        ])
}

fn test_a_claim_that_was_left_runs_out() -> FunctionDef {
    names!(world, worker, claimed, event);
    async_def("test_a_claim_that_was_left_runs_out")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
            do_(py!(world.deliver(EVENT).await)),
            assign(claimed, py!(worker.inbox.claim().await)),
            assert_(py!(claimed != None)),
            assert_(py!(worker.drain().await == 0)),
            do_(py!(world.settle().await)).paragraph(),
            assert_(py!(statuses(world).await == ["skipped"])),
            do_(py!(worker.process(claimed).await)).paragraph(),
            assign(py!((event,)), py!(stored(world).await)),
            assert_(py!((event.status, event.attempts) == (BillingEventStatus.SKIPPED, 2)))
        ])
}

fn test_in_the_end_an_event_waits_for_a_person() -> FunctionDef {
    names!(world, monkeypatch, worker, crash, broken);
    async_def("test_in_the_end_an_event_waits_for_a_person")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            ann_assign(worker, BillingWorker, py!(world.app.state.billing_worker)),
            do_(py!(world.deliver(EVENT).await)),
            {
                names!(_sync, _event);
                async_def(crash)
                    .params([param(_sync, BillingSync), param(_event, BillingEvent)])
                    .returns(none())
                    .body([raise(py!(KeyError("a defect")))])
            },
            with_as(
                py!(monkeypatch.context()),
                broken,
                block![
                    do_(py!(broken.setattr(BillingSync, "follow", crash))),
                    for_(
                        py!(_),
                        py!(range(billing_inbox.MAX_ATTEMPTS)),
                        block![
                            assert_(py!(statuses(world).await == ["received"])),
                            do_(py!(world.settle().await))
                        ]
                    )
                ]
            ),
            assert_(py!(statuses(world).await == ["failed"])),
            do_(py!(world.settle().await)),
            assert_(py!(statuses(world).await == ["failed"])),
            assert_(py!(worker.inbox.replay().await == 1)).paragraph(),
            do_(py!(world.settle().await)),
            assert_(py!(statuses(world).await == ["skipped"])),
            assert_(py!(worker.inbox.replay().await == 0)),
            assert_(py!(worker.inbox.replay("evt_1").await == 1))
        ])
}

fn test_each_attempt_waits_longer() -> FunctionDef {
    names!(attempts, wait, longest);
    def("test_each_attempt_waits_longer").returns(none()).body(block![for_(
        attempts,
        py!(range(1, billing_inbox.MAX_ATTEMPTS)),
        block![
            assign(wait, py!(billing_inbox.delay(attempts))),
            assign(longest, py!(billing_inbox.FIRST_DELAY * pow!(2, attempts))),
            assert_(py!(wait <= min(longest, billing_inbox.LONGEST_DELAY))),
            assert_(py!(wait >= min(longest, billing_inbox.LONGEST_DELAY) / 2))
        ]
    )])
}

fn test_the_worker_processes_behind_the_answers() -> FunctionDef {
    names!(settings, stripe, app, transport, http, world, number);
    async_def("test_the_worker_processes_behind_the_answers")
        .params([param(settings, Settings), param(stripe, FakeStripe)])
        .returns(none())
        .body(block![
            assign(
                app,
                py!(create_app(settings.model_copy(update = dict!("billing_worker" => true))))
            ),
            assign(transport, py!(ASGITransport(app))),
            async_with(
                py!(app.router.lifespan_context(app)),
                block![
                    assign(world, py!(World(app, http, stripe))),
                    for_(
                        number,
                        py!(range(20)),
                        [do_(py!(world
                            .deliver(EVENT | dict!("id" => f!("evt_{}", number)))
                            .await))]
                    ),
                    for_(
                        py!(_),
                        py!(range(1000)),
                        block![
                            if_(py!(statuses(world).await == ["skipped"] * 20), [break_()]),
                            do_(py!(anyio.sleep(0.01).await))
                        ]
                    ),
                    assert_(py!(statuses(world).await == ["skipped"] * 20)),
                    do_(py!(world.forget().await))
                ]
            )
            .and_as(py!(AsyncClient(transport = transport, base_url = "http://test")), http)
        ])
}

fn test_the_worker_survives_the_database() -> FunctionDef {
    names!(app, monkeypatch, worker, alarm);
    async_def("test_the_worker_survives_the_database")
        .params([param(app, FastAPI), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            ann_assign(worker, BillingWorker, py!(app.state.billing_worker)),
            do_(py!(monkeypatch.setattr(worker, "inbox", None))),
            assert_(py!(worker.next_event().await == None)),
            with(
                py!(anyio.fail_after(1)),
                block![
                    assign(alarm, py!(worker.alarm)),
                    do_(py!(worker.wake())),
                    do_(py!(worker.nap(alarm).await))
                ]
            ),
            do_(py!(monkeypatch.setattr(billing_worker, "LONGEST_NAP_SECONDS", 0))),
            do_(py!(worker.nap(worker.alarm).await))
        ])
}

fn test_only_the_platform_sees_events() -> FunctionDef {
    names!(world, ada, page, failed);
    async_def("test_only_the_platform_sees_events")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            do_(py!(world.deliver(EVENT).await)),
            assert_(py!(ada.get("/billing/events").await.status_code == 403)),
            do_(py!(world.promote(ada).await)),
            assign(page, py!(ada.get("/billing/events").await.json())),
            assert_(py!(list!(event["event_id"] for event in page["items"]) == ["evt_1"])),
            assert_(py!(not_in!("payload", page["items"][0]))),
            assign(failed, py!(ada.get("/billing/events?status=failed").await.json())),
            assert_(py!(failed["items"] == []))
        ])
}
