//! Who plays in the tests: the roles and plans of a spec that they use, and what these allow.

use crate::spec::{Billing, Counted, Plan, Role, Spec};

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
    let starting = if billing.trial.is_some() { paid.first() } else { paid.last() };
    starting.copied().unwrap_or_else(|| billing.free_plan())
}

/// Whether a first organization is in its trial.
#[must_use]
pub fn has_trial(spec: &Spec) -> bool {
    spec.billing.as_ref().is_some_and(|billing| billing.trial.is_some())
}

/// The plan that `World.sign_up` gives to an organization that has no trial.
#[must_use]
pub fn given_plan(spec: &Spec) -> Option<&Plan> {
    let billing = spec.billing.as_ref().filter(|billing| billing.trial.is_none())?;
    paid_plans(billing).last().copied()
}

/// The plans that allow more of a limit than `allowed`.
pub fn plans_beyond<'a>(
    billing: &'a Billing,
    limit: &Counted,
    allowed: u32,
) -> impl Iterator<Item = &'a Plan> {
    let name = billing.limits.iter().find(|one| one.counts == *limit).map(|one| one.name);
    billing.plans.iter().filter(move |plan| {
        name.and_then(|name| plan.limit(name)).is_none_or(|maximum| maximum > allowed)
    })
}
