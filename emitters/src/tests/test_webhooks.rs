//! `backend/tests/test_webhooks.py`: webhooks: whoever listens is told, once, in order, and signed.

use crate::core::jobs::Dispatcher;
use crate::core::metrics::Metrics;
use crate::core::settings::{Settings, get_settings};
use crate::core::tenancy::bind_tenant;
use crate::models::base::utcnow;
use crate::models::job::{Job, JobStatus};
use crate::models::webhook::{WebhookDelivery, WebhookEndpoint};
use crate::python::builtins::{
    TYPE, dict, float, int, len, list, object, property, range, reversed, str,
};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{func, select, update};
use crate::python::standard::{Any, UUID, asyncio, dataclass, timedelta, uuid4};
use crate::services::job_clock::JobClock;
use crate::services::webhook_delivery::{DISABLE_AFTER, MAX_ATTEMPTS};
use crate::spec::{Role, Spec};
use crate::tests::casting::bystander;
use crate::tests::receiver::Receiver;
use crate::tests::servers::{LOCALHOST, free_port};
use crate::tests::subject::{Subject, subject};
use crate::tests::world::{Caller, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_webhooks": NAME, Listener, outcomes;
}

/// The module; none where no entity is plain enough to be made without others.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let subject = &subject(spec)?;
    Some(
        module("tests.test_webhooks")
            .docstring("Webhooks: whoever listens is told, in order, and with a signature.")
            .body(block![
                assign(NAME, subject.name()),
                listener_class(subject),
                listener_def(),
                test_a_change_is_told_and_signed(),
                test_what_happens_to_a_row_is_told_in_order(subject),
                test_many_rows_at_once_are_all_told(subject),
                test_only_what_an_endpoint_listens_to(),
                test_what_comes_to_nothing_is_not_told(subject),
                test_a_delivery_that_fails_comes_again_before_the_next(),
                spec.observability
                    .metrics
                    .then(|| block![outcomes_def(), test_deliveries_are_counted()]),
                test_an_endpoint_that_fails_for_long_is_disabled(),
                test_an_endpoint_that_is_gone_is_disabled_at_once(),
                test_a_delivery_is_given_up_in_the_end(),
                test_redirects_are_not_followed(),
                test_something_can_be_delivered_again(),
                test_after_a_rotation_both_secrets_sign(),
                test_of_many_jobs_one_delivers(),
                test_secrets_are_not_readable(),
                test_addresses_inside_are_refused(),
                test_others_do_not_see_an_endpoint(),
                bystander(spec).map(test_not_every_role_manages_endpoints),
                test_what_is_deleted_takes_its_deliveries_along()
            ]),
    )
}

fn listener_class(subject: &Subject<'_>) -> ClassDef {
    names!(world, receiver, caller, organization_id, endpoint);
    class(Listener).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("An organization and the endpoint that it has."),
        annotate(world, World),
        annotate(receiver, Receiver),
        annotate(caller, Caller),
        annotate(organization_id, str),
        annotate(endpoint, py!(dict[(str, Any)])),
        listener_base(),
        listener_path(),
        listener_read(),
        listener_deliveries(),
        listener_add(subject),
        listener_settle(),
        listener_change(),
        listener_wait()
    ])
}

fn listener_base() -> FunctionDef {
    def("base").decorator(property).params([untyped("self")]).returns(str).body(block![
        docstring("Return where the endpoints of the organization are."),
        return_(py!(f!("/organizations/{}/webhook-endpoints", self.organization_id)))
    ])
}

fn listener_path() -> FunctionDef {
    def("path").decorator(property).params([untyped("self")]).returns(str).body(block![
        docstring("Return where the endpoint is."),
        return_(py!(f!("{}/{}", self.base, self.endpoint["id"])))
    ])
}

fn listener_read() -> FunctionDef {
    names!(endpoint);
    async_def("read").params([untyped("self")]).returns(py!(dict[(str, Any)])).body(block![
        docstring("Read the endpoint."),
        ann_assign(endpoint, py!(dict[(str, Any)]), py!(self.caller.get(self.path).await.json())),
        return_(endpoint)
    ])
}

fn listener_deliveries() -> FunctionDef {
    names!(page, items);
    async_def("deliveries").params([untyped("self")]).returns(py!(list[dict[(str, Any)]])).body(
        block![
            docstring("List the deliveries, the oldest first."),
            assign(page, py!(self.caller.get(f!("{}/deliveries", self.path)).await.json())),
            ann_assign(items, py!(list[dict[(str, Any)]]), py!(page["items"])),
            return_(py!(list(reversed(items))))
        ],
    )
}

fn listener_add(subject: &Subject<'_>) -> FunctionDef {
    names!(words, row, session);
    let made = subject.made(words);
    async_def("add").params([untyped("self"), param(words, str)]).returns(UUID).body(block![
        docstring("Add a row, and let what follows happen."),
        assign(row, made),
        async_with_as(
            py!(self.world.database.tenant_session(UUID(self.organization_id))),
            session,
            [do_(py!(session.add(row)))]
        ),
        do_(py!(self.settle().await)),
        return_(py!(row.id))
    ])
}

fn listener_settle() -> FunctionDef {
    names!(dispatcher);
    async_def("settle").params([untyped("self")]).returns(none()).body(block![
        docstring("Wait for the jobs."),
        ann_assign(dispatcher, Dispatcher, py!(self.world.app.state.dispatcher)),
        do_(py!(dispatcher.drain().await))
    ])
}

fn listener_change() -> FunctionDef {
    names!(model, values, session);
    async_def("change")
        .params([
            untyped("self"),
            param(model, py!(TYPE[WebhookEndpoint | WebhookDelivery])),
            kwargs(values, object),
        ])
        .returns(none())
        .body(block![
            docstring("Change what the database says."),
            async_with_as(
                py!(self.world.database.tenant_session(UUID(self.organization_id))),
                session,
                [do_(py!(session.execute(update(model).values(**values)).await))]
            )
        ])
}

fn listener_wait() -> FunctionDef {
    names!(past, dispatcher, clock, session, waiting);
    async_def("wait").params([untyped("self")]).returns(none()).body(block![
        docstring("Have the time come of whatever waits."),
        assign(past, py!(utcnow() - timedelta(seconds = 1))),
        do_(py!(self.change(WebhookDelivery, due_at = past).await)),
        async_with_as(
            py!(self.world.database.session()),
            session,
            block![
                assign(
                    waiting,
                    py!(update(Job).r#where(Job.status == JobStatus.QUEUED).values(run_at = past))
                ),
                do_(py!(session.execute(waiting).await)),
                do_(py!(session.commit().await))
            ]
        ),
        ann_assign(dispatcher, Dispatcher, py!(self.world.app.state.dispatcher)),
        ann_assign(clock, JobClock, py!(self.world.app.state.clock)),
        do_(py!(dispatcher.dispatch(clock.take_due().await))),
        do_(py!(self.settle().await))
    ])
}

fn listener_def() -> FunctionDef {
    names!(world, receiver, ada, organization_id, path, created);
    async_def("listener")
        .decorator(py!(pytest.fixture))
        .params([param(world, World), param(receiver, Receiver)])
        .returns(Listener)
        .body(block![
            docstring("Sign somebody up whose organization has an endpoint."),
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(path, py!(f!("/organizations/{}/webhook-endpoints", organization_id))),
            assign(created, py!(ada.post(path, dict!("url" => f!("{}/hook", receiver.url))).await)),
            assert_that(py!(created.status_code == 201), py!(created.text)),
            return_(py!(Listener(world, receiver, ada, organization_id, created.json())))
        ])
}

fn listener_test(test: &'static str) -> FunctionDef {
    names!(listener);
    async_def(test).params([param(listener, Listener)]).returns(none())
}

fn test_a_change_is_told_and_signed() -> FunctionDef {
    names!(listener, row_id, received, sent_at);
    listener_test("test_a_change_is_told_and_signed").body(block![
        assign(row_id, py!(listener.add("new").await)),
        assign(py!([received]), py!(listener.receiver.received)),
        assert_(py!(received.path == "/hook")),
        assert_(py!(received.content["type"] == f!("{}.created", NAME))),
        assert_(py!(received.content["data"]["id"] == str(row_id))),
        assert_(py!(received.id.startswith("msg_"))),
        assert_(py!(received.headers["webhook-signature"]
            == received.signature_of(listener.endpoint["secret"]))),
        assign(sent_at, py!(int(received.headers["webhook-timestamp"]))),
        assert_(py!(chain!(-5, "<", utcnow().timestamp() - sent_at, "<", 30))),
        assert_(py!(list!(one["status"] for one in listener.deliveries().await) == ["delivered"]))
    ])
}

fn test_what_happens_to_a_row_is_told_in_order(subject: &Subject<'_>) -> FunctionDef {
    names!(listener, row_id, session, row, organization_id);
    let (model, words) = (subject.model, row.attr(subject.words));
    listener_test("test_what_happens_to_a_row_is_told_in_order").body(block![
        assign(row_id, py!(listener.add("new").await)),
        assign(organization_id, py!(UUID(listener.organization_id))),
        async_with_as(
            py!(listener.world.database.tenant_session(organization_id)),
            session,
            block![
                assign(row, py!(session.get_one(model, row_id).await)),
                assign(words, "other"),
                do_(py!(session.flush().await)),
                do_(py!(session.delete(row).await))
            ]
        ),
        do_(py!(listener.settle().await)),
        assert_(py!(listener.receiver.events
            == list!(f!("{}.{}", NAME, word) for word in ("created", "updated", "deleted")))),
        assert_(py!(listener.receiver.received[1].content["data"]["id"] == str(row_id))),
        assert_(py!(listener.receiver.received[2].content["data"] == dict!("id" => str(row_id))))
    ])
}

fn test_many_rows_at_once_are_all_told(subject: &Subject<'_>) -> FunctionDef {
    names!(listener, session, organization_id, number);
    let made = subject.made(f_number(number));
    listener_test("test_many_rows_at_once_are_all_told").body(block![
        assign(organization_id, py!(UUID(listener.organization_id))),
        async_with_as(
            py!(listener.world.database.tenant_session(organization_id)),
            session,
            [for_(number, py!(range(30)), [do_(py!(session.add({ made })))])]
        ),
        do_(py!(listener.settle().await)),
        assert_(py!(len(set!(one.id for one in listener.receiver.received)) == 30)),
        assert_(py!(len(listener.receiver.received) == 30))
    ])
}

/// `f"{number}"`
fn f_number(number: Name) -> Expr {
    py!(f!("{}", number))
}

fn test_only_what_an_endpoint_listens_to() -> FunctionDef {
    names!(listener, changed);
    listener_test("test_only_what_an_endpoint_listens_to").body(block![
        assign(
            changed,
            py!(listener
                .caller
                .patch(listener.path, dict!("events" => [f!("{}.deleted", NAME)]))
                .await)
        ),
        assert_that(py!(changed.status_code == 200), py!(changed.text)),
        do_(py!(listener.add("new").await)),
        assert_(py!(listener.receiver.received == [])),
        assert_(py!(listener.deliveries().await == []))
    ])
}

fn test_what_comes_to_nothing_is_not_told(subject: &Subject<'_>) -> FunctionDef {
    names!(listener, session);
    let made = subject.made("new");
    listener_test("test_what_comes_to_nothing_is_not_told").body(block![
        async_with_as(
            py!(listener.world.database.session()),
            session,
            block![
                do_(py!(bind_tenant(session, UUID(listener.organization_id)).await)),
                do_(py!(session.add({ made }))),
                do_(py!(session.flush().await)),
                do_(py!(session.rollback().await))
            ]
        ),
        do_(py!(listener.settle().await)),
        assert_(py!(listener.receiver.received == [])),
        assert_(py!(listener.deliveries().await == []))
    ])
}

fn test_a_delivery_that_fails_comes_again_before_the_next() -> FunctionDef {
    names!(listener, first, second, received, waiting);
    listener_test("test_a_delivery_that_fails_comes_again_before_the_next").body(block![
        do_(py!(listener.receiver.answers.append(500))),
        assign(first, py!(listener.add("first").await)),
        assign(second, py!(listener.add("second").await)),
        assign(py!([waiting, _]), py!(listener.deliveries().await)),
        assert_(py!((waiting["status"], waiting["attempts"]) == ("pending", 1))),
        assert_(py!(waiting["response_status"] == 500)),
        assert_(py!(len(waiting["response_body"]) == 2048)),
        assert_(py!(len(listener.receiver.received) == 1)),
        do_(py!(listener.wait().await)),
        assign(received, py!(listener.receiver.received)),
        assert_(py!(list!(one.content["data"]["id"] for one in received)
            == [str(first), str(first), str(second)])),
        assert_(py!(received[0].id == received[1].id)),
        assert_(py!(received[1].id != received[2].id)),
        assert_(py!(listener.read().await["failures"] == 0))
    ])
}

/// How often each outcome was counted: the application is that of other tests too.
fn outcomes_def() -> FunctionDef {
    names!(listener, metrics, read, outcome);
    def(outcomes).params([param(listener, Listener)]).returns(py!(list[float])).body(block![
        docstring("Return how many deliveries were accepted, refused, and not answered."),
        ann_assign(metrics, Metrics, py!(listener.world.app.state.metrics)),
        assign(read, py!(metrics.registry.get_sample_value)),
        return_(py!(
            list!(read("webhook_delivery_attempts_total", dict!("outcome" => outcome)) || 0
            for outcome in ("accepted", "refused", "unanswered"))
        ))
    ])
}

fn test_deliveries_are_counted() -> FunctionDef {
    names!(listener, before, count);
    let nowhere = py!(f!("http://{}:{}/", LOCALHOST, free_port()));
    listener_test("test_deliveries_are_counted").body(block![
        docstring("One is refused and comes again; nobody answers to another one."),
        assign(before, py!(outcomes(listener))),
        do_(py!(listener.receiver.answers.append(500))),
        do_(py!(listener.add("first").await)),
        do_(py!(listener.wait().await)),
        do_(py!(listener.change(WebhookEndpoint, url = { nowhere }).await)),
        do_(py!(listener.add("second").await)),
        assert_(py!(outcomes(listener) == list!(count + 1 for count in before)))
    ])
}

fn test_an_endpoint_that_fails_for_long_is_disabled() -> FunctionDef {
    names!(listener, body);
    listener_test("test_an_endpoint_that_fails_for_long_is_disabled").body(block![
        do_(py!(listener.change(WebhookEndpoint, failures = DISABLE_AFTER - 1).await)),
        do_(py!(listener.receiver.answers.append(500))),
        do_(py!(listener.add("first").await)),
        assert_(py!(is_!(listener.read().await["is_enabled"], false))),
        do_(py!(listener.add("unheard of").await)),
        do_(py!(listener.wait().await)),
        assert_(py!(len(listener.receiver.received) == 1)),
        assign(body, py!(dict!("is_enabled" => true))),
        do_(py!(listener.caller.patch(listener.path, body).await)),
        assert_(py!(len(listener.receiver.received) == 2)),
        assert_(py!(list!(one["status"] for one in listener.deliveries().await) == ["delivered"]))
    ])
}

fn test_an_endpoint_that_is_gone_is_disabled_at_once() -> FunctionDef {
    names!(listener, notice);
    listener_test("test_an_endpoint_that_is_gone_is_disabled_at_once").body(block![
        do_(py!(listener.receiver.answers.append(410))),
        do_(py!(listener.add("new").await)),
        assert_(py!(is_!(listener.read().await["is_enabled"], false))),
        assign(notice, py!(listener.world.outbox[-1])),
        assert_(py!(notice["To"] == listener.caller.email)).paragraph(),
        assert_(py!(notice["Subject"] == "A webhook is disabled"))
    ])
}

fn test_a_delivery_is_given_up_in_the_end() -> FunctionDef {
    names!(listener);
    listener_test("test_a_delivery_is_given_up_in_the_end").body(block![
        do_(py!(listener.receiver.answers.extend([500, 500]))),
        do_(py!(listener.add("first").await)),
        do_(py!(listener.change(WebhookDelivery, attempts = MAX_ATTEMPTS - 1).await)),
        do_(py!(listener.add("second").await)),
        do_(py!(listener.wait().await)),
        assert_(py!(
            list!(one["status"] for one in listener.deliveries().await) == ["failed", "delivered"]
        )),
        assert_(py!(is_!(listener.read().await["is_enabled"], true)))
    ])
}

fn test_redirects_are_not_followed() -> FunctionDef {
    names!(listener, delivery);
    listener_test("test_redirects_are_not_followed").body(block![
        do_(py!(listener.receiver.answers.append(302))),
        do_(py!(listener.add("new").await)),
        assign(py!([delivery]), py!(listener.deliveries().await)),
        assert_(py!((delivery["status"], delivery["response_status"]) == ("pending", 302))),
        assert_(py!(list!(one.path for one in listener.receiver.received) == ["/hook"]))
    ])
}

fn test_something_can_be_delivered_again() -> FunctionDef {
    names!(listener, delivery, path, again, unknown, refused);
    listener_test("test_something_can_be_delivered_again").body(block![
        do_(py!(listener.add("new").await)),
        assign(py!([delivery]), py!(listener.deliveries().await)),
        assign(path, py!(f!("{}/deliveries/{}/redeliver", listener.path, delivery["id"]))),
        assign(again, py!(listener.caller.post(path, None).await)),
        assert_that(py!(again.status_code == 200), py!(again.text)),
        assert_(py!(len(listener.receiver.received) == 2)),
        assert_(py!(len(set!(one.id for one in listener.receiver.received)) == 1)),
        assign(unknown, py!(f!("{}/deliveries/{}/redeliver", listener.path, uuid4()))),
        assert_(py!(listener.caller.post(unknown, None).await.status_code == 404)),
        do_(py!(listener.caller.patch(listener.path, dict!("is_enabled" => false)).await)),
        assign(refused, py!(listener.caller.post(path, None).await)),
        assert_(py!(refused.json()["code"] == "webhook_endpoint_disabled"))
    ])
}

fn test_after_a_rotation_both_secrets_sign() -> FunctionDef {
    names!(listener, old, rotated, new, received, signatures, late);
    listener_test("test_after_a_rotation_both_secrets_sign").body(block![
        assign(old, py!(listener.endpoint["secret"])),
        assign(
            rotated,
            py!(listener.caller.post(f!("{}/rotate-secret", listener.path), None).await)
        ),
        assign(new, py!(rotated.json()["secret"])),
        assert_(py!(new != old)),
        do_(py!(listener.add("new").await)),
        assign(py!([received]), py!(listener.receiver.received)),
        assign(signatures, py!(received.headers["webhook-signature"].split(" "))),
        assert_(py!(signatures == [received.signature_of(new), received.signature_of(old)])),
        do_(py!(listener.change(WebhookEndpoint, previous_until = utcnow()).await)),
        do_(py!(listener.add("late").await)),
        assign(late, py!(listener.receiver.received[-1])),
        assert_(py!(late.headers["webhook-signature"] == late.signature_of(new)))
    ])
}

fn test_of_many_jobs_one_delivers() -> FunctionDef {
    names!(listener, words);
    listener_test("test_of_many_jobs_one_delivers").body(block![
        assign(py!(listener.receiver.delay), py!(0.02)),
        assign(words, py!(list!(str(number) for number in range(8)))),
        do_(py!(asyncio.gather(*list!(listener.add(one) for one in words)).await)),
        assert_(py!(len(listener.receiver.received) == 8)),
        assert_(py!(len(set!(one.id for one in listener.receiver.received)) == 8))
    ])
}

fn test_secrets_are_not_readable() -> FunctionDef {
    names!(listener, secret, session, sealed, listed);
    listener_test("test_secrets_are_not_readable").body(block![
        assign(secret, py!(listener.endpoint["secret"])),
        assert_(py!(secret.startswith("whsec_"))),
        assert_(py!(not_in!("secret", listener.read().await))),
        assign(listed, py!(listener.caller.get(listener.base).await)),
        assert_(py!(not_in!("secret", listed.json()["items"][0]))),
        async_with_as(
            py!(listener.world.database.tenant_session(UUID(listener.organization_id))),
            session,
            [assign(sealed, py!(session.scalar(select(WebhookEndpoint.sealed_secret)).await))]
        ),
        assert_(py!(sealed != None)),
        assert_(py!(not_in!(secret, sealed)))
    ])
}

fn test_addresses_inside_are_refused() -> FunctionDef {
    names!(world, receiver, settings, guarded, ada, organization_id, path, url, refused);
    names!(monkeypatch);
    async_def("test_addresses_inside_are_refused")
        .params([
            param(world, World),
            param(receiver, Receiver),
            param(settings, Settings),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(none())
        .body(block![
            assign(
                guarded,
                py!(settings.model_copy(update = dict!("webhook_private_addresses" => false)))
            ),
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            do_(py!(monkeypatch.setitem(world.app.dependency_overrides, get_settings, || guarded))),
            assign(path, py!(f!("/organizations/{}/webhook-endpoints", organization_id))),
            for_(
                url,
                py!((receiver.url, "https://10.0.0.1/")),
                block![
                    assign(refused, py!(ada.post(path, dict!("url" => url)).await)),
                    assert_(py!(refused.status_code == 409)),
                    assert_(py!(refused.json()["code"] == "address_refused"))
                ]
            )
        ])
}

fn test_others_do_not_see_an_endpoint() -> FunctionDef {
    names!(listener, eve, theirs, path, method, suffix, delivery, own);
    listener_test("test_others_do_not_see_an_endpoint").body(block![
        do_(py!(listener.add("new").await)),
        assign(py!([delivery]), py!(listener.deliveries().await)),
        assign(eve, py!(listener.world.sign_up("eve@example.com").await)),
        assign(theirs, py!(eve.organization().await)),
        assign(
            own,
            py!(f!("/organizations/{}/webhook-endpoints/{}", theirs, listener.endpoint["id"]))
        ),
        for_(
            path,
            py!((listener.path, own)),
            [for_(
                py!((method, suffix)),
                routes(delivery),
                [assert_(py!(eve.send(method, path + suffix, dict!()).await.status_code == 404))]
            )]
        ),
        assert_(py!(eve.get(listener.base).await.status_code == 404)),
        assert_(py!(len(listener.receiver.received) == 1))
    ])
}

/// What there is below the path of an endpoint.
fn routes(delivery: Name) -> Expr {
    py!((
        ("GET", ""),
        ("PATCH", ""),
        ("DELETE", ""),
        ("POST", "/rotate-secret"),
        ("GET", "/deliveries"),
        ("POST", f!("/deliveries/{}/redeliver", delivery["id"]))
    ))
}

fn test_not_every_role_manages_endpoints(bystander: &Role) -> FunctionDef {
    names!(listener, bob, method, suffix, path, delivery, answers, answer);
    let bystander = bystander.name.as_str();
    listener_test("test_not_every_role_manages_endpoints").body(block![
        do_(py!(listener.add("new").await)),
        assign(py!([delivery]), py!(listener.deliveries().await)),
        assign(
            bob,
            py!(listener.world.member(listener.caller, listener.organization_id, bystander).await)
        ),
        for_(
            py!((method, suffix)),
            routes(delivery),
            block![
                assign(path, py!(listener.path + suffix)),
                assert_(py!(bob.send(method, path, dict!()).await.status_code == 403))
            ]
        ),
        assign(
            answers,
            py!([
                bob.get(listener.base).await,
                bob.post(listener.base, dict!("url" => listener.receiver.url)).await
            ])
        ),
        assert_(py!(list!(answer.status_code for answer in answers) == [403, 403])),
        assert_(py!(len(listener.receiver.received) == 1)).paragraph()
    ])
}

fn test_what_is_deleted_takes_its_deliveries_along() -> FunctionDef {
    names!(listener, session, counted);
    listener_test("test_what_is_deleted_takes_its_deliveries_along").body(block![
        do_(py!(listener.add("new").await)),
        assert_(py!(listener.caller.delete(listener.path).await.status_code == 204)),
        assert_(py!(listener.caller.get(listener.path).await.status_code == 404)),
        async_with_as(
            py!(listener.world.database.tenant_session(UUID(listener.organization_id))),
            session,
            [assign(
                counted,
                py!(session.scalar(select(func.count()).select_from(WebhookDelivery)).await)
            )]
        ),
        assert_(py!(counted == 0)),
        do_(py!(listener.add("unheard of").await)),
        assert_(py!(len(listener.receiver.received) == 1))
    ])
}
