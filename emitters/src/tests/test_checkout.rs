//! `backend/tests/test_checkout.py`: subscribing, changing, ending: what an owner does, and what Stripe hears of it.

use crate::core::plans::{Limit, PLANS, PlanName};
use crate::python::anyio::anyio;
use crate::python::builtins::{KeyError, bool, dict, len, list, object, range, str};
use crate::python::httpx2::Response;
use crate::python::pytest::pytest;
use crate::python::standard::{Any, replace};
use crate::services::stripe_provider::StripeProvider;
use crate::spec::{Payer, Spec};
use crate::tests::casting::{Offer, has_limits, insider};
use crate::tests::stripe_state::Object;
use crate::tests::test_subscriptions::{LARGE, SMALL, payer, state, subscription_of};
use crate::tests::world::{Caller, World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_checkout": ADDRESS, act, check_out, checkouts;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, offer: Offer<'_>) -> Module {
    let offers_two = offer.small != offer.large;
    let docstring = "Subscribing, changing, ending: what an owner does, and what Stripe \
                     hears of it.";
    module("tests.test_checkout").docstring(docstring).body(block![
        assign(ADDRESS, "http://localhost:3000/billing?done={CHECKOUT_SESSION_ID}"),
        act_def(),
        check_out_def(offer),
        checkouts_def(),
        test_an_owner_subscribes(spec, offer),
        test_a_payment_counts_before_its_event_is_here(offer),
        offers_two.then(|| test_there_is_one_checkout_at_a_time(offer)),
        test_a_checkout_is_for_what_was_asked(),
        test_who_was_deleted_is_another_customer(),
        test_a_checkout_with_a_key_is_one(offer),
        test_two_tabs_make_one_customer_and_one_checkout(),
        test_a_crash_after_the_call_makes_no_second_checkout(),
        test_nobody_is_sent_to_a_strange_place(),
        test_people_come_back_to_the_frontend(),
        test_the_portal_is_for_who_has_paid(),
        test_the_portal_forgets_who_was_deleted(),
        test_while_stripe_is_down_nobody_is_forgotten(),
        test_what_is_asked_for_with_a_key_is_done_once(offer),
        offers_two.then(|| test_an_owner_changes_the_plan(offer)),
        offers_two.then(|| test_a_change_that_cannot_be_paid_changes_nothing(offer)),
        (offers_two && has_limits(spec)).then(|| test_a_plan_must_allow_what_there_is(offer)),
        test_an_owner_ends_and_resumes(),
        test_a_subscription_with_an_unknown_price_is_one(offer),
        test_what_cannot_be_read_is_no_answer(),
        test_an_owner_reads_the_invoices(),
        test_while_stripe_is_down_nothing_is_bought(),
        test_without_a_key_nothing_can_be_bought(),
        test_a_missing_price_is_a_defect_of_ours(),
        insider(spec).map(test_only_owners_deal_with_money)
    ])
}

fn act_def() -> FunctionDef {
    names!(caller, organization_id, action, body);
    async_def(act)
        .params([
            param(caller, Caller),
            param(organization_id, str),
            param(action, str),
            kwargs(body, object),
        ])
        .returns(Response)
        .body(block![
            docstring("Ask for something that concerns the subscription of an organization."),
            return_(py!(caller
                .post(f!("/organizations/{}/billing/{}", organization_id, action), body)
                .await))
        ])
}

fn check_out_def(offer: Offer<'_>) -> FunctionDef {
    names!(caller, organization_id, plan, url, body);
    let Offer { small, .. } = offer;
    async_def(check_out)
        .params([
            param(caller, Caller),
            param(organization_id, str),
            param(plan, str).default(small),
            param(url, str).default(ADDRESS),
        ])
        .returns(Response)
        .body(block![
            docstring("Ask for a checkout."),
            assign(body, py!(dict!("plan" => plan, "success_url" => url, "cancel_url" => url))),
            return_(py!(act(caller, organization_id, "checkout", **body).await))
        ])
}

fn checkouts_def() -> FunctionDef {
    names!(world);
    def(checkouts).params([param(world, World)]).returns(py!(list[Object])).body(block![
        docstring("List the checkouts at Stripe, the newest first."),
        return_(py!(world.stripe.state.all("checkout.session")))
    ])
}

fn test_an_owner_subscribes(spec: &Spec, offer: Offer<'_>) -> FunctionDef {
    names!(payer_id, world, ada, organization_id, answer, session, customer, again);
    let customer_name = match spec.has_payer(Payer::User) {
        true => py!(ada.email),
        false => "another".into_expr(),
    };
    let Offer { free, small, begun, .. } = offer;
    async_def("test_an_owner_subscribes").params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(answer, py!(check_out(ada, organization_id).await)),
            assert_that(py!(answer.status_code == 200), py!(answer.text)),
            assign(py!((session,)), py!(checkouts(world))),
            assert_(py!(answer.json() == dict!("url" => session["url"]))),
            assign(payer_id, py!(world.payer_id(organization_id).await)),
            assert_(py!(session["client_reference_id"] == payer_id)),
            assign(py!((customer,)), py!(world.stripe.state.all("customer"))),
            assert_(py!((customer["name"], customer["email"]) == ({ customer_name }, ada.email))),
            assert_(py!(state(ada, organization_id).await == (free, "none", "none"))),
            do_(py!(world.stripe.state.pay_checkout(session["id"]))).paragraph(),
            do_(py!(world.catch_up().await)),
            assert_(py!(state(ada, organization_id).await == (small, begun, "full"))),
            assign(again, py!(check_out(ada, organization_id).await)),
            assert_(py!((again.status_code, again.json()["code"]) == (409, "already_subscribed")))
        ],
    )
}

fn test_a_payment_counts_before_its_event_is_here(offer: Offer<'_>) -> FunctionDef {
    let Offer { begun, .. } = offer;
    names!(world, ada, organization_id, again, synced);
    async_def("test_a_payment_counts_before_its_event_is_here")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(check_out(ada, organization_id).await)),
            do_(py!(world.stripe.state.pay_checkout(checkouts(world)[0]["id"]))),
            assign(again, py!(check_out(ada, organization_id).await)),
            assert_(py!((again.status_code, again.json()["code"]) == (409, "already_subscribed"))),
            assign(synced, py!(act(ada, organization_id, "sync").await)),
            assert_(py!(synced.json()["status"] == begun)),
            assert_(py!(len(checkouts(world)) == 1))
        ])
}

fn test_there_is_one_checkout_at_a_time(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, first, second, newer, older, third);
    let Offer { large, .. } = offer;
    async_def("test_there_is_one_checkout_at_a_time")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(first, py!(check_out(ada, organization_id).await)),
            assert_(py!(check_out(ada, organization_id).await.json() == first.json())),
            assert_(py!(len(checkouts(world)) == 1)),
            assign(second, py!(check_out(ada, organization_id, large).await)).paragraph(),
            assign(py!((newer, older)), py!(checkouts(world))),
            assert_(py!(second.json() == dict!("url" => newer["url"]))),
            assert_(py!((older["status"], newer["status"]) == ("expired", "open"))),
            do_(py!(world.stripe.state.expire_checkout(newer))).paragraph(),
            assign(third, py!(check_out(ada, organization_id, large).await)),
            assert_(py!(third.json() == dict!("url" => checkouts(world)[0]["url"]))),
            assert_(py!(len(checkouts(world)) == 3))
        ])
}

fn test_two_tabs_make_one_customer_and_one_checkout() -> FunctionDef {
    names!(world, ada, organization_id, answers, click, tasks);
    async_def("test_two_tabs_make_one_customer_and_one_checkout")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            ann_assign(answers, py!(list[dict[(str, Any)]]), py!([])),
            {
                async_def(click)
                    .returns(none())
                    .body([do_(py!(answers.append(check_out(ada, organization_id).await.json())))])
            },
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                for_(py!(_), py!(range(4)), [do_(py!(tasks.start_soon(click)))])
            ),
            assert_(py!(answers == [dict!("url" => checkouts(world)[0]["url"])] * 4)).paragraph(),
            assert_(py!(len(world.stripe.state.all("customer")) == 1)),
            assert_(py!(len(checkouts(world)) == 1))
        ])
}

fn test_a_crash_after_the_call_makes_no_second_checkout() -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, create, crash, broken);
    async_def("test_a_crash_after_the_call_makes_no_second_checkout")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(create, py!(StripeProvider.create_checkout)),
            {
                names!(args);
                async_def(crash)
                    .params([varargs(args, Any)])
                    .returns(object)
                    .body(block![do_(py!(create(*args).await)), raise(py!(KeyError("a defect")))])
            }
            .trailing_comment("noqa: ANN401"),
            with_as(
                py!(monkeypatch.context()),
                broken,
                block![
                    do_(py!(broken.setattr(StripeProvider, "create_checkout", crash))),
                    assert_(py!(check_out(ada, organization_id).await.status_code == 500))
                ]
            ),
            assert_(py!(payer(world, organization_id).await.stripe_customer_id == None)),
            assert_(py!(check_out(ada, organization_id).await.status_code == 200)),
            assert_(py!(len(world.stripe.state.all("customer")) == 1)),
            assert_(py!(len(checkouts(world)) == 1))
        ])
}

fn test_nobody_is_sent_to_a_strange_place() -> FunctionDef {
    names!(world, url, ada, organization_id, answers, answer);
    async_def("test_nobody_is_sent_to_a_strange_place")
        .decorator(py!(pytest.mark.parametrize(
            "url",
            [
                "https://evil.example/",
                "http://localhost:3000.evil.example/",
                "http://localhost:3000@evil.example/",
                "http://localhost:30000/",
                "https://localhost:3000/",
                "https://[3000/"
            ]
        )))
        .params([param(world, World), param(url, str)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(
                answers,
                py!([
                    check_out(ada, organization_id, url = url).await,
                    act(ada, organization_id, "portal", return_url = url).await
                ])
            ),
            for_(
                answer,
                answers,
                block![
                    assert_(py!(answer.status_code == 403)),
                    assert_(py!(answer.json()["code"] == "redirect_not_allowed"))
                ]
            ),
            assert_(py!(world.stripe.calls == []))
        ])
}

fn test_people_come_back_to_the_frontend() -> FunctionDef {
    names!(world, before, ada, organization_id, moved, url);
    async_def("test_people_come_back_to_the_frontend")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(moved, py!(dict!("frontend_url" => "https://app.example.com/start"))),
            assign(url, "https://app.example.com/billing"),
            assign(before, py!(world.app.state.settings)),
            assign(py!(world.app.state.settings), py!(before.model_copy(update = moved))),
            try_([assert_(py!(
                check_out(ada, organization_id, url = url).await.status_code == 200
            ))])
            .finally([assign(py!(world.app.state.settings), before)])
        ])
}

fn test_the_portal_is_for_who_has_paid() -> FunctionDef {
    names!(world, ada, organization_id, refused, opened);
    async_def("test_the_portal_is_for_who_has_paid")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(refused, py!(act(ada, organization_id, "portal", return_url = ADDRESS).await)),
            assert_(py!((refused.status_code, refused.json()["code"]) == (409, "no_customer"))),
            do_(py!(world.subscribe(organization_id, SMALL).await)),
            assign(opened, py!(act(ada, organization_id, "portal", return_url = ADDRESS).await)),
            assert_(py!(opened.json()["url"].startswith("https://billing.stripe.com/")))
        ])
}

fn test_the_portal_forgets_who_was_deleted() -> FunctionDef {
    names!(world, is_traced, ada, organization_id, stripe, gone, refused, opened);
    let answer = py!((refused.status_code, refused.json()["code"]));
    world_test("test_the_portal_forgets_who_was_deleted")
        .decorator(py!(pytest.mark.parametrize("is_traced", [true, false])))
        .params([star(), param(is_traced, bool)])
        .body(block![
            docstring("A deleted customer leaves a trace; one of another account has none."),
            sign_up(world, ada),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(world.subscribe(organization_id, SMALL).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(gone, py!(stripe.all("customer")[0]["id"])),
            do_(py!(stripe.delete_customer(gone))),
            do_(py!(stripe.untold())),
            if_(py!(!is_traced), [do_(py!(stripe.objects.pop(gone)))]),
            for_(
                name("_"),
                py!(range(2)),
                block![
                    assign(
                        refused,
                        py!(act(ada, organization_id, "portal", return_url = ADDRESS).await)
                    ),
                    assert_(py!({ answer } == (409, "no_customer"))),
                    assert_(py!(payer(world, organization_id).await.stripe_customer_id == None))
                ]
            ),
            assert_(py!(subscription_of(ada, organization_id).await["status"] == "canceled")),
            assert_(py!(check_out(ada, organization_id).await.status_code == 200)),
            assign(opened, py!(act(ada, organization_id, "portal", return_url = ADDRESS).await)),
            assert_(py!(opened.status_code == 200))
        ])
}

fn test_while_stripe_is_down_nobody_is_forgotten() -> FunctionDef {
    names!(world, ada, organization_id, known, refused);
    let answer = py!((refused.status_code, refused.json()["code"]));
    world_test("test_while_stripe_is_down_nobody_is_forgotten").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(world.subscribe(organization_id, SMALL).await)),
        assign(known, py!(payer(world, organization_id).await.stripe_customer_id)),
        assign(py!(world.stripe.is_down), true),
        assign(refused, py!(act(ada, organization_id, "portal", return_url = ADDRESS).await)),
        assert_(py!({ answer } == (503, "billing_unavailable"))),
        assert_(py!(payer(world, organization_id).await.stripe_customer_id == known)),
        assert_(py!(known != None))
    ])
}

/// Each act is one that is refused, or opens another page, when it is done twice.
fn test_what_is_asked_for_with_a_key_is_done_once(offer: Offer<'_>) -> FunctionDef {
    names!(world, action, body, ada, organization_id, path, headers, first, calls, again);
    let Offer { small, large, .. } = offer;
    let change = (small != large).then(|| py!(("change-plan", dict!("plan" => large))));
    world_test("test_what_is_asked_for_with_a_key_is_done_once")
        .decorator(py!(pytest.mark.parametrize(
            ("action", "body"),
            [
                ("portal", dict!("return_url" => ADDRESS)),
                ..change,
                ("cancel", dict!()),
                ("resume", dict!()),
                ("sync", dict!())
            ]
        )))
        .params([param(action, str), param(body, py!(dict[(str, str)]))])
        .body(block![
            sign_up(world, ada),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(world.subscribe(organization_id, SMALL).await)),
            if_(py!(action == "resume"), [do_(py!(act(ada, organization_id, "cancel").await))]),
            assign(path, py!(f!("/organizations/{}/billing/{}", organization_id, action))),
            assign(headers, py!(dict!(**ada.headers, "Idempotency-Key" => "a-key"))),
            assign(first, py!(world.http.post(path, json = body, headers = headers).await))
                .paragraph(),
            assert_that(py!(first.status_code == 200), py!(first.text)),
            assign(calls, py!(len(world.stripe.calls))),
            assign(again, py!(world.http.post(path, json = body, headers = headers).await)),
            assert_(py!(again.json() == first.json())),
            assert_(py!(again.headers["Idempotent-Replayed"] == "true")),
            assert_(py!(len(world.stripe.calls) == calls))
        ])
}

fn test_an_owner_changes_the_plan(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, refused, started, same, moved, item);
    let Offer { small, large, .. } = offer;
    async_def("test_an_owner_changes_the_plan").params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(refused, py!(act(ada, organization_id, "change-plan", plan = large).await)),
            assert_(py!((refused.status_code, refused.json()["code"]) == (409, "not_subscribed"))),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            assign(same, py!(act(ada, organization_id, "change-plan", plan = small).await)),
            assert_(py!((same.status_code, same.json()["code"]) == (409, "same_plan"))),
            assign(moved, py!(act(ada, organization_id, "change-plan", plan = large).await))
                .paragraph(),
            assert_(py!((moved.status_code, moved.json()["plan"]) == (200, large))),
            assign(py!((item,)), py!(world.stripe.state.objects[started]["items"]["data"])),
            assert_(py!(item["price"]["lookup_key"] == LARGE)),
            do_(py!(world.catch_up().await)).paragraph(),
            assert_(py!(state(ada, organization_id).await == (large, "active", "full")))
        ],
    )
}

fn test_a_change_that_cannot_be_paid_changes_nothing(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, refused);
    let Offer { small, large, .. } = offer;
    async_def("test_a_change_that_cannot_be_paid_changes_nothing")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(world.subscribe(organization_id, SMALL).await)),
            assign(py!(world.stripe.state.declines), true),
            assign(refused, py!(act(ada, organization_id, "change-plan", plan = large).await)),
            assert_(py!((refused.status_code, refused.json()["code"]) == (402, "payment_failed"))),
            assert_(py!(state(ada, organization_id).await == (small, "active", "full")))
        ])
}

fn test_a_plan_must_allow_what_there_is(offer: Offer<'_>) -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, name, tight, patch, refused, moved);
    let Offer { small, .. } = offer;
    async_def("test_a_plan_must_allow_what_there_is")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(world.subscribe(organization_id, LARGE).await)),
            assign(name, py!(PlanName(small))),
            assign(tight, py!(replace(PLANS[name], limits = dict.fromkeys(Limit, -1)))),
            with_as(
                py!(monkeypatch.context()),
                patch,
                block![
                    do_(py!(patch.setitem(PLANS, name, tight))),
                    assign(
                        refused,
                        py!(act(ada, organization_id, "change-plan", plan = small).await)
                    )
                ]
            ),
            assert_(py!((refused.status_code, refused.json()["code"]) == (409, "limit_exceeded"))),
            assign(moved, py!(act(ada, organization_id, "change-plan", plan = small).await)),
            assert_(py!((moved.status_code, moved.json()["plan"]) == (200, small)))
        ])
}

fn test_an_owner_ends_and_resumes() -> FunctionDef {
    names!(world, ada, organization_id, refused, started, nothing, canceled, resumed);
    async_def("test_an_owner_ends_and_resumes").params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(refused, py!(act(ada, organization_id, "cancel").await)),
            assert_(py!((refused.status_code, refused.json()["code"]) == (409, "not_subscribed"))),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            assign(nothing, py!(act(ada, organization_id, "resume").await)),
            assert_(py!(
                (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_resume")
            )),
            assign(canceled, py!(act(ada, organization_id, "cancel").await.json())).paragraph(),
            assert_(py!(canceled["ends_at"] == canceled["renews_at"])),
            assert_(py!(is_!(canceled["active"], true))),
            assign(resumed, py!(act(ada, organization_id, "resume").await.json())),
            assert_(py!(resumed["ends_at"] == None)),
            do_(py!(world.stripe.state.change(started, "paused", status = "paused"))).paragraph(),
            do_(py!(world.catch_up().await)),
            assert_(py!(subscription_of(ada, organization_id).await["status"] == "paused")),
            assign(resumed, py!(act(ada, organization_id, "resume").await.json())),
            assert_(py!((resumed["status"], resumed["access"]) == ("active", "full")))
        ],
    )
}

fn test_a_checkout_is_for_what_was_asked() -> FunctionDef {
    names!(world, ada, organization_id, second, again, newer, older);
    let elsewhere = "http://localhost:3000/elsewhere";
    world_test("test_a_checkout_is_for_what_was_asked").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(check_out(ada, organization_id).await)),
        assign(second, py!(check_out(ada, organization_id, url = elsewhere).await)),
        assign(py!((newer, older)), py!(checkouts(world))),
        assert_(py!(second.json() == dict!("url" => newer["url"]))),
        assert_(py!((older["status"], newer["status"]) == ("expired", "open"))),
        assign(again, py!(check_out(ada, organization_id, url = elsewhere).await)),
        assert_(py!(again.json() == second.json()))
    ])
}

fn test_a_checkout_with_a_key_is_one(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, path, body, headers, first, again, other);
    let Offer { small, .. } = offer;
    world_test("test_a_checkout_with_a_key_is_one").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(path, py!(f!("/organizations/{}/billing/checkout", organization_id))),
        assign(
            body,
            py!(dict!("plan" => small, "success_url" => ADDRESS, "cancel_url" => ADDRESS))
        ),
        assign(headers, py!(dict!(**ada.headers, "Idempotency-Key" => "a-key"))),
        assign(first, py!(world.http.post(path, json = body, headers = headers).await)),
        assert_that(py!(first.status_code == 200), py!(first.text)),
        do_(py!(world.stripe.state.expire_checkout(checkouts(world)[0]))),
        assign(again, py!(world.http.post(path, json = body, headers = headers).await)),
        assert_(py!(again.json() == first.json())),
        assert_(py!(again.headers["Idempotent-Replayed"] == "true")),
        assign(body, py!(body | dict!("cancel_url" => "http://localhost:3000/"))),
        assign(other, py!(world.http.post(path, json = body, headers = headers).await)),
        assert_(py!(other.json()["code"] == "idempotency_key_reused"))
    ])
}

fn test_who_was_deleted_is_another_customer() -> FunctionDef {
    names!(world, ada, organization_id, stripe, is_told, gone, newest, answer);
    world_test("test_who_was_deleted_is_another_customer").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(check_out(ada, organization_id).await)),
        assign(stripe, py!(world.stripe.state)),
        for_(
            is_told,
            py!((false, true)),
            block![
                assign(gone, py!(stripe.all("customer")[0]["id"])),
                do_(py!(stripe.delete_customer(gone))),
                if_(py!(is_told), [do_(py!(world.catch_up().await))])
                    .else_([do_(py!(stripe.untold()))]),
                assign(answer, py!(check_out(ada, organization_id).await)),
                assert_that(py!(answer.status_code == 200), py!(answer.text)),
                assign(newest, py!(checkouts(world)[0]["customer"])),
                assert_(py!(newest != gone)),
                assert_(py!(payer(world, organization_id).await.stripe_customer_id == newest))
            ]
        )
    ])
}

fn test_a_subscription_with_an_unknown_price_is_one(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, stripe, customer, refused, action, answer);
    let Offer { free, .. } = offer;
    world_test("test_a_subscription_with_an_unknown_price_is_one").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(customer, py!(world.customer_of(organization_id).await)),
        assign(stripe, py!(world.stripe.state)),
        do_(py!(stripe.cancel(stripe.subscribe(customer, SMALL)["id"]))),
        do_(py!(stripe.add_price("unknown"))),
        do_(py!(stripe.subscribe(customer, "unknown"))),
        assign(refused, py!(check_out(ada, organization_id).await)).paragraph(),
        assert_(py!((refused.status_code, refused.json()["code"]) == (409, "already_subscribed"))),
        for_(
            action,
            py!(("sync", "cancel", "resume")),
            block![
                assign(answer, py!(act(ada, organization_id, action).await)),
                assert_that(py!(answer.status_code == 200), py!(answer.text)),
                assert_(py!((answer.json()["plan"], answer.json()["access"]) == (free, "full")))
            ]
        ),
        assert_(py!(checkouts(world) == []))
    ])
}

fn test_what_cannot_be_read_is_no_answer() -> FunctionDef {
    names!(world, ada, organization_id, started, action, answer);
    world_test("test_what_cannot_be_read_is_no_answer").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(started, py!(world.subscribe(organization_id, SMALL).await)),
        do_(py!(world.stripe.state.objects[started]["items"]["data"].clear())),
        for_(
            action,
            py!(("sync", "cancel")),
            block![
                assign(answer, py!(act(ada, organization_id, action).await)),
                assert_(py!(
                    (answer.status_code, answer.json()["code"]) == (503, "billing_unavailable")
                ))
            ]
        )
    ])
}

fn test_an_owner_reads_the_invoices() -> FunctionDef {
    names!(world, ada, organization_id, path, started, first, rest);
    async_def("test_an_owner_reads_the_invoices")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(path, py!(f!("/organizations/{}/billing/invoices", organization_id))),
            assert_(py!(ada.get(path).await.json() == dict!("items" => [], "next_cursor" => None))),
            assign(started, py!(world.subscribe(organization_id, SMALL).await)),
            for_(py!(_), py!(range(3)), [do_(py!(world.stripe.state.pay(started)))]),
            assign(first, py!(ada.get(f!("{}?limit=2", path)).await.json())),
            assert_(py!(list!(invoice["total"] for invoice in first["items"]) == [1900, 1900])),
            assign(
                rest,
                py!(ada.get(f!("{}?limit=2&cursor={}", path, first["next_cursor"])).await.json())
            ),
            assert_(py!((len(rest["items"]), rest["next_cursor"]) == (1, None))),
            assert_(py!(ada.get(f!("{}?cursor=nonsense", path)).await.status_code == 422))
        ])
}

fn test_while_stripe_is_down_nothing_is_bought() -> FunctionDef {
    names!(world, ada, organization_id, answer);
    async_def("test_while_stripe_is_down_nothing_is_bought")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(py!(world.stripe.is_down), true),
            assign(answer, py!(check_out(ada, organization_id).await)),
            assert_(py!(
                (answer.status_code, answer.json()["code"]) == (503, "billing_unavailable")
            )),
            assert_(py!(checkouts(world) == []))
        ])
}

fn test_without_a_key_nothing_can_be_bought() -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, answer);
    async_def("test_without_a_key_nothing_can_be_bought")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            do_(py!(monkeypatch.setattr(world.app.state.billing_provider, "api_key", None))),
            assign(answer, py!(check_out(ada, organization_id).await)),
            assert_(py!((answer.status_code, answer.json()["code"]) == (409, "billing_off")))
        ])
}

fn test_a_missing_price_is_a_defect_of_ours() -> FunctionDef {
    names!(world, ada, organization_id, price, answer);
    async_def("test_a_missing_price_is_a_defect_of_ours")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            for_(
                price,
                py!(world.stripe.state.all("price")),
                [assign(py!(price["active"]), false)]
            ),
            assign(answer, py!(check_out(ada, organization_id).await)),
            assert_(py!(
                (answer.status_code, answer.json()["code"]) == (503, "billing_unavailable")
            ))
        ])
}

fn test_only_owners_deal_with_money(role: &str) -> FunctionDef {
    names!(world, ada, organization_id, bob, eve, action, path);
    async_def("test_only_owners_deal_with_money")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(bob, py!(world.member(ada, organization_id, role).await)),
            assign(eve, py!(world.sign_up("eve@example.com").await)),
            for_(
                action,
                py!(("checkout", "portal", "change-plan", "cancel", "resume", "sync")),
                block![
                    assert_(py!(act(bob, organization_id, action).await.status_code == 403)),
                    assert_(py!(act(eve, organization_id, action).await.status_code == 404))
                ]
            ),
            assign(path, py!(f!("/organizations/{}/billing/invoices", organization_id))),
            assert_(py!(bob.get(path).await.status_code == 403)),
            assert_(py!(eve.get(path).await.status_code == 404)),
            assert_(py!(world.stripe.calls == []))
        ])
}
