//! Who plays in the tests: the roles and plans of a spec that they use, and what these allow.

use crate::spec::{
    Billing, Entity, EntityNames, Field, FieldKind, Guard, Plan, PriceUnit, Role, Spec,
};
use crate::tests::entity_rows::{is_on, required};

/// The role of a new member who is nothing special: the highest that may not invite.
#[must_use]
pub fn ordinary(spec: &Spec) -> &Role {
    outsiders(spec).next().unwrap_or_else(|| spec.organizations.lowest())
}

/// The roles that may not invite.
pub fn outsiders(spec: &Spec) -> impl Iterator<Item = &Role> {
    let organizations = &spec.organizations;
    organizations.roles.iter().filter(|role| !organizations.inviters.contains(role))
}

/// A role below the owner that may not invite, if an account can ask someone in who has it.
#[must_use]
pub fn bystander(spec: &Spec) -> Option<&Role> {
    outsiders(spec).find(|role| role.rank > 0).filter(|_| has_room(spec, 2))
}

/// The highest role below the owner that may invite.
#[must_use]
pub fn deputy(spec: &Spec) -> Option<&Role> {
    spec.organizations.inviters.iter().find(|role| role.rank > 0)
}

/// Whether an account can ask others in: its role may, and its plan has room for `people` in all.
#[must_use]
pub fn has_room(spec: &Spec, people: u32) -> bool {
    let seats = spec.billing.as_ref().and_then(|billing| seats(starting_plan(billing)));
    spec.organizations.inviters.contains(spec.organizations.owner())
        && seats.is_none_or(|seats| seats >= people)
}

/// The members that a plan allows; `None` is unlimited.
#[must_use]
pub fn seats(plan: &Plan) -> Option<u32> {
    plan.limits.iter().find(|limit| limit.name.as_str() == "members").map(|limit| limit.maximum)
}

/// The plans that cost something.
#[must_use]
pub fn paid_plans(billing: &Billing) -> Vec<&Plan> {
    billing.plans.iter().filter(|plan| plan.price.is_some()).collect()
}

/// The first plan that is paid for each member and has room for three.
#[must_use]
pub fn seat_plan(spec: &Spec) -> Option<&Plan> {
    let is_per_member =
        |plan: &&Plan| plan.price.as_ref().is_some_and(|price| price.per == PriceUnit::Member);
    let mut plans = spec.billing.as_ref()?.plans.iter().filter(is_per_member);
    plans.find(|plan| seats(plan).is_none_or(|seats| seats >= 3))
}

/// Whether a plan counts anything.
#[must_use]
pub fn has_limits(spec: &Spec) -> bool {
    spec.billing.as_ref().is_some_and(crate::core::plans::has_limits)
}

/// The highest role below the owner, if one can come into the first organization of an account.
#[must_use]
pub fn insider(spec: &Spec) -> Option<&str> {
    let role = spec.organizations.roles.get(1).filter(|_| has_room(spec, 2));
    role.map(|role| role.name.as_str())
}

/// What the stories of billing are about: what an organization has without a subscription, and the first
/// and the last plan that it can subscribe to, which may be one and the same.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    /// The stored text of the plan without a price.
    pub free: &'a str,
    /// The stored text of the first plan that costs something.
    pub small: &'a str,
    /// By what Stripe finds its price.
    pub small_key: &'a str,
    /// The stored text of the last plan.
    pub large: &'a str,
    /// By what Stripe finds its price.
    pub large_key: &'a str,
    /// Where a first subscription stands when it has been checked out.
    pub begun: &'static str,
}

/// What is for sale, if anything is.
#[must_use]
pub fn offer(spec: &Spec) -> Option<Offer<'_>> {
    let billing = spec.billing.as_ref()?;
    let paid = paid_plans(billing);
    let (small, large) = (*paid.first()?, *paid.last()?);
    Some(Offer {
        free: billing.free_plan().name.as_str(),
        small: small.name.as_str(),
        small_key: lookup_key(small),
        large: large.name.as_str(),
        large_key: lookup_key(large),
        begun: if billing.card_trial().is_some() { "trialing" } else { "active" },
    })
}

/// By what Stripe finds the price of a paid plan.
#[must_use]
pub fn lookup_key(plan: &Plan) -> &str {
    plan.price.as_ref().map_or("", |price| &price.lookup_key)
}

/// The plan of the organization that `Caller.organization` returns: the one that the trial is of, or
/// the last one, which `World.sign_up` gives it.
#[must_use]
pub fn starting_plan(billing: &Billing) -> &Plan {
    let paid = paid_plans(billing);
    let starting = if billing.own_trial().is_some() { paid.first() } else { paid.last() };
    starting.copied().unwrap_or_else(|| billing.free_plan())
}

/// Whether a first organization is in its trial.
#[must_use]
pub fn has_trial(spec: &Spec) -> bool {
    spec.billing.as_ref().is_some_and(|billing| billing.own_trial().is_some())
}

/// The plan that `World.sign_up` gives to an organization that has no trial.
#[must_use]
pub fn given_plan(spec: &Spec) -> Option<&Plan> {
    let billing = spec.billing.as_ref().filter(|billing| billing.own_trial().is_none())?;
    paid_plans(billing).last().copied()
}

/// The first entity of which an owner can make so many rows in the first organization of an account.
#[must_use]
pub fn open_entity(spec: &Spec, rows: u32) -> Option<&Entity> {
    spec.entities.iter().find(|entity| is_open(spec, entity, rows))
}

/// Whether an owner can make so many rows of an entity, and of all that they point at.
fn is_open(spec: &Spec, entity: &Entity, rows: u32) -> bool {
    let owner = spec.organizations.owner();
    let plan = spec.billing.as_ref().map(starting_plan);
    let allows = |guard: &Guard| match guard {
        Guard::ActiveSubscription => plan.is_some_and(|plan| plan.price.is_some()),
        Guard::Feature(feature) => plan.is_some_and(|plan| plan.has_feature(*feature)),
        Guard::Flag(flag) => is_on(spec, *flag, plan),
        Guard::Limit(name) => {
            plan.and_then(|plan| plan.limit(*name)).is_none_or(|most| most >= rows)
        }
        Guard::FreshSession | Guard::RateLimit { .. } => true,
    };
    let guards = [&entity.guards.create, &entity.guards.list, &entity.guards.read];
    entity.readers.contains(owner)
        && entity.writers.contains(owner)
        && guards.into_iter().flatten().all(allows)
        && required(entity)
            .filter_map(|to| spec.entity(to))
            .all(|target| is_open(spec, target, rows))
}

/// What a field points at.
#[must_use]
pub fn target(field: &Field) -> Option<&EntityNames> {
    match &field.kind {
        FieldKind::Reference(reference) => Some(&reference.to),
        _ => None,
    }
}
