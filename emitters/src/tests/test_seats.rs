//! `backend/tests/test_seats.py`: who pays for each member pays for those there are.

use crate::python::builtins::{int, sorted, str};
use crate::python::pytest::pytest;
use crate::services::billing_seats::{SYNC_SEATS, SeatsError};
use crate::services::job_registry::SCHEDULES;
use crate::spec::{Plan, Spec};
use crate::tests::casting::{lookup_key, seat_plan};
use crate::tests::test_checkout::check_out;
use crate::tests::test_reconcile::work_at_night;
use crate::tests::test_subscriptions::subscription_of;
use crate::tests::world::{World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_seats": PLAN, seats, updates;
}

/// The module; `None` where no plan is paid for each member, or none has room for some.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let plan = seat_plan(spec)?;
    let role = spec.organizations.roles.get(1)?.name.as_str();
    let docstring = "Who pays for each member pays for those there are.";
    let module = module("tests.test_seats").docstring(docstring).body(block![
        assign(PLAN, lookup_key(plan)),
        seats_def(),
        updates_def(),
        test_a_checkout_is_for_all_members(plan),
        test_members_who_come_at_once_are_one_change(role),
        test_members_who_leave_are_not_paid_for(role),
        test_while_stripe_is_down_the_number_waits(role),
        test_who_cannot_be_read_holds_nobody_up(role),
        test_what_no_plan_sells_is_not_counted(role)
    ]);
    Some(module)
}

fn seats_def() -> FunctionDef {
    names!(world, subscription_id, item, quantity);
    def(seats).params([param(world, World), param(subscription_id, str)]).returns(int).body(block![
        docstring("Return how many members are paid for at Stripe."),
        assign(py!((item,)), py!(world.stripe.state.objects[subscription_id]["items"]["data"])),
        ann_assign(quantity, int, py!(item["quantity"])),
        return_(quantity)
    ])
}

fn updates_def() -> FunctionDef {
    names!(world, subscription_id);
    def(updates).params([param(world, World), param(subscription_id, str)]).returns(int).body(
        block![
            docstring("Count how often a subscription was changed."),
            return_(py!(world
                .stripe
                .calls
                .count(f!("POST /v1/subscriptions/{}", subscription_id))))
        ],
    )
}

/// `ada` owns an organization that pays for each member.
fn ada_pays() -> [Stmt; 3] {
    names!(world, ada, organization_id, subscription_id);
    [
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(subscription_id, py!(world.subscribe(organization_id, PLAN).await)),
    ]
}

fn work() -> Stmt {
    names!(world);
    do_(py!(work_at_night(world.app.state.settings, SYNC_SEATS).await))
}

fn test_a_checkout_is_for_all_members(plan: &Plan) -> FunctionDef {
    names!(world, ada, organization_id, answer, cart);
    world_test("test_a_checkout_is_for_all_members").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        assign(answer, py!(check_out(ada, organization_id, { plan.name.as_str() }).await)),
        assert_that(py!(answer.status_code == 200), py!(answer.text)),
        assign(py!((cart,)), py!(world.stripe.state.carts.values())),
        assert_(py!(cart == (PLAN, 1)))
    ])
}

fn test_members_who_come_at_once_are_one_change(role: &str) -> FunctionDef {
    names!(world, ada, organization_id, subscription_id, found, schedule);
    world_test("test_members_who_come_at_once_are_one_change").body(block![
        ada_pays(),
        work(),
        assert_(py!(updates(world, subscription_id) == 0)),
        do_(py!(world.member(ada, organization_id, { role }).await)),
        do_(py!(world.member(ada, organization_id, { role }).await)),
        assert_(py!(seats(world, subscription_id) == 1)),
        work(),
        work(),
        assert_(py!(seats(world, subscription_id) == 3)),
        assert_(py!(updates(world, subscription_id) == 1)),
        assign(found, py!(subscription_of(ada, organization_id).await)),
        assert_(py!(found["seats"] == 3)),
        assert_(py!(in_!(SYNC_SEATS, list!(schedule.kind for schedule in SCHEDULES))))
    ])
}

fn test_members_who_leave_are_not_paid_for(role: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, subscription_id, path, answer);
    world_test("test_members_who_leave_are_not_paid_for").body(block![
        ada_pays(),
        assign(bob, py!(world.member(ada, organization_id, { role }).await)),
        work(),
        assert_(py!(seats(world, subscription_id) == 2)),
        assign(path, py!(f!("/organizations/{}/leave", organization_id))),
        assign(answer, py!(bob.post(path, None).await)),
        assert_that(py!(answer.status_code == 204), py!(answer.text)),
        work(),
        assert_(py!(seats(world, subscription_id) == 1))
    ])
}

fn test_while_stripe_is_down_the_number_waits(role: &str) -> FunctionDef {
    names!(world, ada, organization_id, subscription_id);
    world_test("test_while_stripe_is_down_the_number_waits").body(block![
        ada_pays(),
        do_(py!(world.member(ada, organization_id, { role }).await)),
        assign(py!(world.stripe.is_down), true),
        with(py!(pytest.raises(SeatsError)), [work()]),
        assign(py!(world.stripe.is_down), false),
        assert_(py!(seats(world, subscription_id) == 1)),
        work(),
        assert_(py!(seats(world, subscription_id) == 2))
    ])
}

fn test_who_cannot_be_read_holds_nobody_up(role: &str) -> FunctionDef {
    names!(world, ada, name, organization_ids, one, broken, whole, stripe);
    let ids = py!(sorted(list!(ada.found(name).await for name in ("one", "two"))));
    world_test("test_who_cannot_be_read_holds_nobody_up").body(block![
        sign_up(world, ada),
        assign(organization_ids, ids),
        assign(
            py!((broken, whole)),
            py!(list!(world.subscribe(one, PLAN).await for one in organization_ids))
        ),
        for_(one, organization_ids, [do_(py!(world.member(ada, one, { role }).await))]),
        assign(stripe, py!(world.stripe.state)),
        do_(py!(stripe.objects[broken]["items"]["data"].clear())),
        with(py!(pytest.raises(SeatsError)), [work()]),
        assert_(py!(seats(world, whole) == 2))
    ])
}

fn test_what_no_plan_sells_is_not_counted(role: &str) -> FunctionDef {
    names!(world, ada, organization_id, subscription_id, stripe);
    world_test("test_what_no_plan_sells_is_not_counted").body(block![
        ada_pays(),
        assign(stripe, py!(world.stripe.state)),
        do_(py!(stripe.add_price("unknown"))),
        do_(py!(stripe.r#move(subscription_id, "unknown"))),
        do_(py!(world.catch_up().await)),
        do_(py!(world.member(ada, organization_id, { role }).await)),
        work(),
        assert_(py!(updates(world, subscription_id) == 0))
    ])
}
