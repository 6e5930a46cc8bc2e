//! `backend/tests/test_billing_properties.py`: laws of billing: events may come twice, late, in any order, and workers may die.

use crate::core::plans::PLANS;
use crate::python::builtins::{BaseException, dict, float, getattr, int, list, object, range, str};
use crate::python::hypothesis::{HealthCheck, given, settings, st};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::AsyncSession;
use crate::python::standard::{Any, Awaitable, Callable, Random, uuid4};
use crate::services::stripe_provider::StripeProvider;
use crate::tests::stripe_state::{OVER, Object, StripeState, in_old_shape};
use crate::tests::test_webhook::stored;
use crate::tests::world::World;
use crate::tests::world_billing::find_payer;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_billing_properties": KEYS, CHANGES, ACTIONS, CrashError, Steps, act, of,
        expected, actual, deliver_some, dying;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "Laws of billing: events may come twice, late, in any order, and \
                     workers may die.";
    module("tests.test_billing_properties").docstring(docstring).body(block![
        assign(
            KEYS,
            py!(list!(
                plan.price.lookup_key
                for plan in PLANS.values()
                if plan.price != None
            )),
        ),
        ann_assign(
            CHANGES,
            py!(dict[(str, Object)]),
            py!(dict!(
                "trial" => dict!("status" => "trialing", "trial_end" => 4102444800),
                "activate" => dict!("status" => "active", "trial_end" => None),
                "stop collecting" => dict!("status" => "unpaid"),
                "pause" => dict!("status" => "paused"),
                "resume" => dict!("status" => "active"),
                "cancel later" => dict!("cancel_at_period_end" => true),
                "cancel at" => dict!("cancel_at" => 4102444800),
                "do not cancel" => dict!(
                    "cancel_at_period_end" => false,
                    "cancel_at" => None
                )
            )),
        )
        .comment(
            "What can happen to a subscription, and what of it Stripe writes into \
                         which fields."
        ),
        assign(
            ACTIONS,
            py!(["subscribe", "move", "fail", "pay", "cancel", "say nothing new", *CHANGES]),
        ),
        crash_error_class(),
        steps_class(),
        act_def(),
        of_def(),
        expected_def(),
        actual_def(),
        deliver_some_def(),
        test_whatever_the_order_the_state_is_that_of_stripe(),
        dying_def(),
        test_a_crash_between_any_two_steps_loses_nothing()
    ])
}

fn crash_error_class() -> ClassDef {
    class(CrashError).base(BaseException).body(block![docstring("The process died.")])
}

fn steps_class() -> ClassDef {
    class(Steps).body(block![
        docstring("The steps of a process that dies at one of them."),
        steps_init(),
        steps_take()
    ])
}

fn steps_init() -> FunctionDef {
    names!(before_death);
    def("__init__")
        .params([untyped("self"), param(before_death, int)])
        .returns(none())
        .body(block![docstring("Live for some steps."), assign(py!(self.left), before_death)])
}

fn steps_take() -> FunctionDef {
    def("take").params([untyped("self")]).returns(none()).body(block![
        docstring("Take a step."),
        aug_assign(py!(self.left), Operator::Sub, 1),
        if_(py!(self.left < 0), [raise(CrashError)])
    ])
}

fn act_def() -> FunctionDef {
    names!(stripe, customer, action, chance, live, subscription_id);
    def(act)
        .params([
            param(stripe, StripeState),
            param(customer, str),
            param(action, str),
            param(chance, Random),
        ])
        .returns(none())
        .body(block![
            docstring("Let something happen at Stripe, if it can."),
            assign(
                live,
                py!(list!(one for one in of(stripe, customer) if not_in!(one["status"], OVER)))
            ),
            if_(
                py!(action == "subscribe" || !live),
                block![
                    if_(py!(!live), [do_(py!(stripe.subscribe(customer, chance.choice(KEYS))))]),
                    return_none()
                ]
            ),
            assign(subscription_id, py!(live[0]["id"])),
            if_(
                py!(action == "move"),
                [do_(py!(stripe.r#move(subscription_id, chance.choice(KEYS))))]
            )
            .elif(py!(action == "fail"), [do_(py!(stripe.fail_payment(subscription_id)))])
            .elif(py!(action == "pay"), [do_(py!(stripe.pay(subscription_id)))])
            .elif(py!(action == "cancel"), [do_(py!(stripe.cancel(subscription_id)))])
            .else_([do_(py!(stripe.change(
                subscription_id,
                "updated",
                **CHANGES.get(action, dict!())
            )))])
        ])
}

fn of_def() -> FunctionDef {
    names!(stripe, customer);
    def(of)
        .params([param(stripe, StripeState), param(customer, str)])
        .returns(py!(list[Object]))
        .body(block![
            docstring("List the subscriptions of a customer, the newest first."),
            return_(py!(stripe.all("subscription", customer = customer)))
        ])
}

fn expected_def() -> FunctionDef {
    names!(stripe, customer, found, item, period_end, at_period_end);
    def(expected).params([param(stripe, StripeState), param(customer, str)]).returns(Object).body(
        block![
            docstring("Return what the payer is to have, by what Stripe has."),
            assign(found, py!(of(stripe, customer)[0])),
            assign(py!((item,)), py!(found["items"]["data"])),
            assign(period_end, py!(item["current_period_end"])),
            assign(
                at_period_end,
                py!(if found["cancel_at_period_end"] { period_end } else { None }),
            ),
            return_(py!(dict!(
                "lookup_key" => item["price"]["lookup_key"],
                "status" => found["status"],
                "id" => found["id"],
                "trial_end" => found["trial_end"],
                "renews_at" => period_end,
                "ends_at" => found["ended_at"] || found["cancel_at"] || at_period_end,
                "is_late" => found["status"] == "past_due"
            )))
        ],
    )
}

fn actual_def() -> FunctionDef {
    names!(world, organization_id, session, row, price, times);
    async_def(actual)
        .params([param(world, World), param(organization_id, str)])
        .returns(Object)
        .body(block![
            docstring("Return what the payer has."),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(row, py!(find_payer(session, organization_id).await))],
            ),
            assign(price, py!(PLANS[row.plan].price)),
            assign(
                times,
                py!(dict!(
                    "trial_end" => row.trial_ends_at,
                    "renews_at" => row.subscription_renews_at,
                    "ends_at" => row.subscription_ends_at
                )),
            ),
            return_(py!(dict!(
                "lookup_key" => if price == None { None } else { price.lookup_key },
                "status" => row.subscription_status.value,
                "id" => row.stripe_subscription_id,
                "is_late" => row.past_due_since != None,
                **dict!(
                    name => time && int(time.timestamp())
                    for (name, time) in times.items()
                )
            )))
        ])
}

fn deliver_some_def() -> FunctionDef {
    names!(world, pending, chance, uptime, event, delivery);
    async_def(deliver_some)
        .params([
            param(world, World),
            param(pending, py!(list[Object])),
            param(chance, Random),
            param(uptime, float),
        ])
        .returns(none())
        .body(block![
            docstring("Deliver some of the events, now and then twice, and process some of those."),
            do_(py!(chance.shuffle(pending))),
            for_(
                event,
                py!(list(pending)),
                block![
                    assign(py!(world.stripe.is_down), py!(chance.random() >= uptime)),
                    if_(py!(chance.random() < 0.3), [continue_()]),
                    assign(
                        delivery,
                        py!(if chance.random() < 0.3 { in_old_shape(event) } else { event })
                    ),
                    assert_(py!(world.deliver(delivery).await.status_code == 200)),
                    if_(py!(chance.random() < 0.7), [do_(py!(pending.remove(event)))]),
                    if_(py!(chance.random() < 0.5), [do_(py!(world.settle().await))])
                ]
            )
        ])
}

fn test_whatever_the_order_the_state_is_that_of_stripe() -> FunctionDef {
    names!(world, actions, chance, uptime, ada, organization_id, customer, stripe, pending, action);
    async_def("test_whatever_the_order_the_state_is_that_of_stripe")
        .decorator(py!(settings(
            max_examples = 15,
            deadline = None,
            database = None,
            suppress_health_check = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        )))
        .decorator(py!(given(
            actions = st.lists(st.sampled_from(ACTIONS), min_size = 1, max_size = 10),
            chance = st.randoms(use_true_random = true),
            uptime = st.sampled_from([0, 0.5, 1])
        )))
        .params([
            param(world, World),
            param(actions, py!(list[str])),
            param(chance, Random),
            param(uptime, float),
        ])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up(f!("{}@example.com", uuid4().hex)).await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(customer, py!(world.customer_of(organization_id).await)),
            assign(stripe, py!(world.stripe.state)),
            ann_assign(pending, py!(list[Object]), py!([])),
            for_(
                action,
                actions,
                block![
                    do_(py!(act(stripe, customer, action, chance))),
                    do_(py!(stripe.pass_time(chance.choice([0, 0, 1, 60])))),
                    aug_assign(pending, Operator::Add, py!(stripe.untold())),
                    if_(
                        py!(chance.random() < 0.5),
                        [do_(py!(deliver_some(world, pending, chance, uptime).await))]
                    )
                ]
            ),
            while_(pending, [do_(py!(deliver_some(world, pending, chance, uptime).await))]),
            assign(py!(world.stripe.is_down), false),
            do_(py!(world.settle().await)),
            assert_(py!(set!(event.due_at for event in stored(world).await) == set!(None)))
                .paragraph(),
            assert_(py!(actual(world, organization_id).await == expected(stripe, customer)))
        ])
}

fn dying_def() -> FunctionDef {
    names!(operation, steps, stepped);
    def(dying)
        .params([
            param(operation, py!(Callable[(ellipsis!(), Awaitable[Any])])),
            param(steps, Steps),
        ])
        .returns(py!(Callable[(ellipsis!(), Awaitable[Any])]))
        .body(block![
            docstring("Return the operation with a step before it and a step after it."),
            {
                names!(args, options, answer);
                async_def(stepped)
                    .params([varargs(args, object), kwargs(options, object)])
                    .returns(object)
                    .body(block![
                        do_(py!(steps.take())),
                        assign(answer, py!(operation(*args, **options).await)),
                        do_(py!(steps.take())),
                        return_(answer)
                    ])
            },
            return_(stepped)
        ])
}

fn test_a_crash_between_any_two_steps_loses_nothing() -> FunctionDef {
    names!(
        world,
        monkeypatch,
        ada,
        organization_id,
        customer,
        stripe,
        started,
        survived_at,
        fatal,
        steps,
        event,
        patch,
        owner,
        name
    );
    async_def("test_a_crash_between_any_two_steps_loses_nothing")
        .params([param(world, World), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(world.unpaid_organization(ada).await)),
            assign(customer, py!(world.customer_of(organization_id).await)),
            assign(stripe, py!(world.stripe.state)),
            assign(started, py!(stripe.subscribe(customer, KEYS[0]))),
            do_(py!(stripe.untold())),
            ann_assign(survived_at, py!(int | None), none()),
            for_(
                fatal,
                py!(range(100)),
                block![
                    assign(steps, py!(Steps(fatal))),
                    do_(py!(stripe.fail_payment(started["id"]))),
                    do_(py!(stripe.pass_time(1))),
                    do_(py!(stripe.pay(started["id"]))),
                    assign(event, py!(stripe.untold()[-1])),
                    with_as(
                        py!(monkeypatch.context()),
                        patch,
                        block![
                            for_(
                                py!((owner, name)),
                                py!([
                                    (AsyncSession, "commit"),
                                    (AsyncSession, "scalar"),
                                    (StripeProvider, "find_subscription")
                                ]),
                                [do_(py!(patch.setattr(
                                    owner,
                                    name,
                                    dying(getattr(owner, name), steps)
                                )))]
                            ),
                            try_(block![
                                do_(py!(world.deliver(event).await)),
                                do_(py!(world.settle().await)),
                                assign(survived_at, fatal)
                            ])
                            .except(CrashError, [assign(survived_at, none())])
                        ]
                    ),
                    do_(py!(world.deliver(event).await)),
                    do_(py!(world.settle().await)),
                    assert_(py!(set!(found.status.value for found in stored(world).await)
                        == set!("processed"))),
                    assert_(
                        py!(actual(world, organization_id).await == expected(stripe, customer))
                    ),
                    if_(py!(survived_at != None), [break_()])
                ]
            ),
            assert_(py!(survived_at != None)),
            assert_(py!(survived_at > 10))
        ])
}
