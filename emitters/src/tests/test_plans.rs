//! `backend/tests/test_plans.py`: what plans and subscriptions allow.

use crate::core::access::{Access, access_of, grace_ends_at, has_active_subscription};
use crate::core::billing::{effective_plan, plans_beyond};
use crate::core::payers::payer_model;
use crate::core::plans::{
    GRACE_PERIOD, Limit, PLANS, PlanName, SubscriptionStatus, plan_for_lookup_key,
};
use crate::core::plans::{has_features, has_limits};
use crate::python::builtins::list;
use crate::python::pytest::pytest;
use crate::python::standard::{UTC, datetime, timedelta};
use crate::spec::{Billing, Entity, Guard, Plan, Price, PriceUnit, Spec};
use crate::tests::casting::{has_trial, lookup_key, paid_plans, starting_plan};
use crate::tests::world::{end_of_subscription, first_organization, sign_up, world_test};
use crate::tests::world_billing::find_payer;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_plans": NOW, SECOND, ACCESS;
}

/// The module; none when nothing is for sale.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let billing = spec.billing.as_ref()?;
    let paid = paid_plans(billing);
    let (first, last) = (*paid.first()?, *paid.last()?);
    let docstring = "What plans and subscriptions allow.";
    Some(module("tests.test_plans").docstring(docstring).body(block![
        assign(NOW, py!(datetime(2026, 1, 31, 12, tzinfo = UTC))),
        assign(SECOND, py!(timedelta(seconds = 1))),
        assign(ACCESS, access_by_status()),
        test_each_status(billing, last),
        test_a_payment_may_be_late(billing, last),
        test_a_subscription_ends(billing, last),
        test_a_trial_ends(billing, first),
        test_prices_belong_to_plans(&paid),
        has_limits(billing).then(|| test_plans_that_allow_more(billing)),
        test_everybody_can_read_the_plans(billing, first),
        test_members_can_read_the_subscription(spec, billing),
        feature_on_sale(spec, billing).map(|(entity, feature)| {
            test_a_feature_needs_a_plan_that_has_it(billing, entity, feature)
        })
    ]))
}

/// The constant of a plan: `TEAM`.
fn constant(plan: &Plan) -> Import {
    Import { name: Some(plan.constant), ..PLANS }
}

/// The names of plans, as a list in an answer.
fn names_of<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Expr {
    make::list(plans.into_iter().map(|plan| plan.name.as_str()))
}

/// The first entity that owners can list with a feature only, of those that the free plan has not.
#[must_use]
pub fn feature_on_sale<'a>(spec: &'a Spec, billing: &Billing) -> Option<(&'a Entity, Name)> {
    let owner = spec.organizations.owner();
    spec.entities.iter().filter(|entity| entity.readers.contains(owner)).find_map(|entity| {
        let missing = entity.guards.list.iter().find_map(|guard| match guard {
            Guard::Feature(name) => {
                Some(*name).filter(|name| !billing.free_plan().has_feature(*name))
            }
            _ => None,
        });
        missing.map(|feature| (entity, feature))
    })
}

/// What each status gives to who has no trial and no end in sight.
fn access_by_status() -> Expr {
    py!(dict!(
        SubscriptionStatus.NONE => Access.NONE,
        SubscriptionStatus.TRIALING => Access.FULL,
        SubscriptionStatus.ACTIVE => Access.FULL,
        SubscriptionStatus.PAST_DUE => Access.FULL,
        SubscriptionStatus.UNPAID => Access.RESTRICTED,
        SubscriptionStatus.PAUSED => Access.RESTRICTED,
        SubscriptionStatus.INCOMPLETE => Access.NONE,
        SubscriptionStatus.INCOMPLETE_EXPIRED => Access.NONE,
        SubscriptionStatus.CANCELED => Access.NONE,
        SubscriptionStatus.UNKNOWN => Access.RESTRICTED
    ))
}

fn test_each_status(billing: &Billing, last: &Plan) -> FunctionDef {
    let model = payer_model(billing);
    names!(status, payer, access, active, expected);
    let (paid, free) = (constant(last), constant(billing.free_plan()));
    let plan = PlanName.attr(last.constant);
    def("test_each_status")
        .decorator(py!(pytest.mark.parametrize("status", list(SubscriptionStatus))))
        .params([param(status, SubscriptionStatus)])
        .returns(none())
        .body(block![
            assign(payer, py!(model(plan = plan, subscription_status = status))),
            assign(access, py!(ACCESS[status])),
            assert_(py!(is_!(access_of(payer, NOW), access))),
            assign(active, py!(is_!(access, Access.FULL))),
            assert_(py!(is_!(has_active_subscription(payer, NOW), active))),
            assign(expected, py!(if is_!(access, Access.NONE) { free } else { paid })),
            assert_(py!(is_!(effective_plan(payer, NOW), expected)))
        ])
}

fn test_a_payment_may_be_late(billing: &Billing, last: &Plan) -> FunctionDef {
    let model = payer_model(billing);
    names!(payer);
    let plan = PlanName.attr(last.constant);
    def("test_a_payment_may_be_late").returns(none()).body(block![
        assign(
            payer,
            py!(model(
                plan = plan,
                subscription_status = SubscriptionStatus.PAST_DUE,
                past_due_since = NOW - GRACE_PERIOD
            ))
        ),
        assert_(py!(grace_ends_at(payer) == NOW)),
        assert_(py!(is_!(access_of(payer, NOW - SECOND), Access.FULL))),
        assert_(py!(is_!(access_of(payer, NOW), Access.RESTRICTED)))
    ])
}

fn test_a_subscription_ends(billing: &Billing, last: &Plan) -> FunctionDef {
    let model = payer_model(billing);
    names!(payer);
    let plan = PlanName.attr(last.constant);
    def("test_a_subscription_ends").returns(none()).body(block![
        assign(
            payer,
            py!(model(
                plan = plan,
                subscription_status = SubscriptionStatus.ACTIVE,
                subscription_ends_at = NOW
            ))
        ),
        assert_(py!(is_!(access_of(payer, NOW - SECOND), Access.FULL))),
        assert_(py!(is_!(access_of(payer, NOW), Access.NONE)))
    ])
}

fn test_a_trial_ends(billing: &Billing, first: &Plan) -> FunctionDef {
    let model = payer_model(billing);
    names!(payer);
    let plan = PlanName.attr(first.constant);
    def("test_a_trial_ends").returns(none()).body(block![
        assign(
            payer,
            py!(model(
                plan = plan,
                subscription_status = SubscriptionStatus.TRIALING,
                trial_ends_at = NOW
            ))
        ),
        assert_(py!(is_!(has_active_subscription(payer, NOW - SECOND), true))),
        assert_(py!(is_!(has_active_subscription(payer, NOW), false)))
    ])
}

fn test_prices_belong_to_plans(paid: &[&Plan]) -> FunctionDef {
    let found = |plan: &&Plan| {
        assert_(py!(is_!(plan_for_lookup_key({ lookup_key(plan) }), { constant(plan) })))
    };
    def("test_prices_belong_to_plans").returns(none()).body(block![
        paid.iter().map(found).collect::<Vec<_>>(),
        assert_(py!(plan_for_lookup_key("unknown") == None)),
        assert_(py!(plan_for_lookup_key("") == None))
    ])
}

fn test_plans_that_allow_more(billing: &Billing) -> FunctionDef {
    // Each limit is asked for at another plan, so that the answers differ.
    let checks = (0..).zip(&billing.limits).filter_map(|(place, limit)| {
        let maxima: Vec<u32> =
            billing.plans.iter().filter_map(|plan| plan.limit(limit.name)).collect();
        let allowed = *maxima.get(place).or(maxima.first())?;
        let beyond = |plan: &&Plan| plan.limit(limit.name).is_none_or(|most| most > allowed);
        let names = names_of(billing.plans.iter().filter(beyond));
        let constant = Limit.attr(limit.constant);
        Some(assert_(py!(plans_beyond(constant, allowed) == names)))
    });
    def("test_plans_that_allow_more").returns(none()).body(checks.collect::<Vec<_>>())
}

fn test_everybody_can_read_the_plans(billing: &Billing, first: &Plan) -> FunctionDef {
    names!(world, plans, plan);
    let names = names_of(&billing.plans);
    world_test("test_everybody_can_read_the_plans").body(block![
        assign(plans, py!(world.http.get("/billing/plans").await.json())),
        assert_(py!(list!(plan["name"] for plan in plans) == names)),
        assert_(py!(plans[0]["price"] == None)),
        assert_(py!(plans[1] == { read_plan(billing, first) }))
    ])
}

/// A plan as the API shows it.
fn read_plan(billing: &Billing, plan: &Plan) -> Expr {
    let price = plan.price.as_ref().map_or_else(none, |price| read_price(billing, price));
    let features = || make::list(plan.features.iter().map(|name| name.as_str()));
    let limits = || make::dict(plan.limits.iter().map(|one| (one.name.as_str(), one.maximum)));
    let mut items = vec![
        ("name", string(plan.name.as_str())),
        ("title", string(&plan.title)),
        ("price", price),
    ];
    items.extend(has_features(billing).then(|| ("features", features())));
    items.extend(has_limits(billing).then(|| ("limits", limits())));
    make::dict(items)
}

fn read_price(billing: &Billing, price: &Price) -> Expr {
    let mut items = vec![
        ("amount", price.amount.into_expr()),
        ("currency", string(price.currency.code)),
        ("interval", string(price.interval.as_str())),
    ];
    let per_member = || ("per_member", (price.per == PriceUnit::Member).into_expr());
    items.extend(billing.has_seats().then(per_member));
    make::dict(items)
}

fn test_members_can_read_the_subscription(spec: &Spec, billing: &Billing) -> FunctionDef {
    names!(world, ada, organization_id, path, begun, ended);
    let (plan, free) = (starting_plan(billing).name.as_str(), billing.free_plan().name.as_str());
    let status = if has_trial(spec) { "trialing" } else { "active" };
    world_test("test_members_can_read_the_subscription").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, py!(f!("/organizations/{}/billing/subscription", organization_id))),
        assign(begun, py!(ada.get(path).await.json())),
        assert_(py!((begun["plan"], begun["status"], begun["active"]) == (plan, status, true))),
        has_trial(spec).then(|| assert_(py!(begun["trial_ends_at"] != None))),
        end_of_subscription(spec, world, organization_id).paragraph(),
        assign(ended, py!(ada.get(path).await.json())),
        assert_(py!((ended["plan"], ended["active"]) == (free, false)))
    ])
}

fn test_a_feature_needs_a_plan_that_has_it(
    billing: &Billing,
    entity: &Entity,
    feature: Name,
) -> FunctionDef {
    names!(world, ada, organization_id, session, refused);
    let path = [
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ];
    let free = PlanName.attr(billing.free_plan().constant);
    let plans = names_of(billing.plans.iter().filter(|plan| plan.has_feature(feature)));
    world_test("test_a_feature_needs_a_plan_that_has_it").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(py!(find_payer(session, organization_id).await.plan), free),
                do_(py!(session.commit().await))
            ]
        ),
        assign(refused, py!(ada.get({ f_string(path) }).await)),
        assert_(py!(refused.status_code == 403)),
        assert_(py!(refused.json()["code"] == "feature_not_in_plan")),
        assert_(py!(refused.json()["upgrade"] == plans))
    ])
}
