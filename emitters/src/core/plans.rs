//! `backend/app/core/plans.py`: the plans an organization can have, and what each of them holds.

use crate::python::builtins::{bool, dict, int, str, tuple};
use crate::python::standard::{Literal, Mapping, StrEnum, dataclass, field, timedelta};
use crate::spec::{self, Billing, Counted, PriceUnit};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.plans": DEFAULT_PLAN, Feature, GRACE_PERIOD, Limit, PLANS, PaidPlanName, Plan, PlanName, Price,
        SubscriptionStatus, TRIAL_PERIOD, TRIAL_PLAN, plan_for_lookup_key;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let plans = make::tuple(billing.plans.iter().map(|plan| plan.constant));
    let first = billing.plans.iter().find(|plan| plan.price.is_some());
    let trial_plan = billing.own_trial().and(first).map(|plan| assign(TRIAL_PLAN, plan.constant));
    let trial_period = billing.trial.map(|trial| {
        let days = trial.period.as_secs() / SECONDS_A_DAY;
        assign(TRIAL_PERIOD, py!(timedelta(days = days)))
    });
    let grace_days = billing.grace_period.as_secs() / SECONDS_A_DAY;
    module("app.core.plans")
        .docstring("The plans an organization can have, and what each of them holds.")
        .body(block![
            plan_name_class(billing),
            has_features(billing).then(|| feature_class(billing)),
            has_limits(billing).then(|| limit_class(billing)),
            subscription_status_class(),
            price_class(billing),
            plan_class(billing),
            billing.plans.iter().map(plan_constant).collect::<Vec<_>>(),
            has_prices(billing).then(|| paid_plan_name(billing)),
            plans_by_name(billing, plans),
            assign(DEFAULT_PLAN, billing.free_plan().constant),
            trial_plan,
            trial_period,
            assign(GRACE_PERIOD, py!(timedelta(days = grace_days))),
            plan_for_lookup_key_def()
        ])
}

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Whether a plan costs anything.
#[must_use]
pub fn has_prices(billing: &Billing) -> bool {
    billing.plans.iter().any(|plan| plan.price.is_some())
}

/// The plans that can be bought: `PaidPlanName = Literal[PlanName.TEAM, …]`.
fn paid_plan_name(billing: &Billing) -> Stmt {
    let paid = billing.plans.iter().filter(|plan| plan.price.is_some());
    let mut names: Vec<Expr> = paid.map(|plan| PlanName.attr(plan.constant)).collect();
    let index = if names.len() == 1 { names.remove(0) } else { make::tuple(names) };
    assign(PaidPlanName, Literal.index(index)).paragraph()
}

fn plans_by_name(billing: &Billing, plans: Expr) -> Stmt {
    let plans = assign(PLANS, py!(dict!(plan.name => plan for plan in plans)));
    if has_prices(billing) { plans } else { plans.paragraph() }
}

/// Whether a plan switches anything on.
#[must_use]
pub fn has_features(billing: &Billing) -> bool {
    !billing.features.is_empty()
}

/// Whether a plan counts anything.
#[must_use]
pub fn has_limits(billing: &Billing) -> bool {
    !billing.limits.is_empty()
}

/// Whether something is switched on while the product runs.
#[must_use]
pub fn has_flags(billing: &Billing) -> bool {
    !billing.flags.is_empty()
}

/// Whether plans limit the megabytes of the files.
#[must_use]
pub fn limits_storage(billing: &Billing) -> bool {
    billing.limits.iter().any(|limit| limit.counts == Counted::Storage)
}

/// Whether the members of an organization are counted.
#[must_use]
pub fn limits_members(billing: &Billing) -> bool {
    billing.limits.iter().any(|limit| limit.counts == Counted::Members)
}

fn plan_constant(plan: &spec::Plan) -> Stmt {
    let price = plan.price.as_ref().map(|price| {
        let mut arguments = vec![
            kw("amount", price.amount),
            kw("currency", price.currency.code),
            kw("interval", price.interval.as_str()),
        ];
        arguments.extend((price.per == PriceUnit::Member).then(|| kw("per_member", true)));
        arguments.push(kw("lookup_key", price.lookup_key.as_str()));
        Price.call(arguments)
    });
    let features = plan.features.iter().map(|name| Feature.attr(constant(*name)));
    let limits = plan.limits.iter().map(|limit| (Limit.attr(constant(limit.name)), limit.maximum));
    let mut arguments =
        vec![kw("name", PlanName.attr(plan.constant)), kw("title", plan.title.as_str())];
    arguments.extend(price.map(|price| kw("price", price)));
    arguments.extend((!plan.features.is_empty()).then(|| kw("features", make::tuple(features))));
    arguments.extend((!plan.limits.is_empty()).then(|| kw("limits", make::dict(limits))));
    assign(plan.constant, Plan.call(arguments))
}

/// The member of an enum that stands for a name of the spec.
#[must_use]
pub fn constant(name: Name) -> Name {
    Name::parse(&name.as_str().to_uppercase()).unwrap_or(name)
}

fn plan_name_class(billing: &Billing) -> ClassDef {
    class(PlanName).base(StrEnum).body(block![
        docstring("The plans, the one without a subscription first."),
        members(billing.plans.iter().map(|plan| (plan.constant, plan.name)))
    ])
}

fn feature_class(billing: &Billing) -> ClassDef {
    class(Feature).base(StrEnum).body(block![
        docstring("What a plan can switch on."),
        members(billing.features.iter().map(|feature| (feature.constant, feature.name)))
    ])
}

fn limit_class(billing: &Billing) -> ClassDef {
    class(Limit).base(StrEnum).body(block![
        docstring("What a plan can count."),
        members(billing.limits.iter().map(|limit| (limit.constant, limit.name)))
    ])
}

fn members(members: impl Iterator<Item = (Name, Name)>) -> Vec<Stmt> {
    members.map(|(constant, value)| assign(constant, value.as_str())).collect()
}

fn subscription_status_class() -> ClassDef {
    names!(
        NONE,
        TRIALING,
        ACTIVE,
        PAST_DUE,
        UNPAID,
        PAUSED,
        INCOMPLETE,
        INCOMPLETE_EXPIRED,
        CANCELED,
        UNKNOWN
    );
    class(SubscriptionStatus).base(StrEnum).body(block![
        docstring("Where a subscription stands: the words of Stripe, and two of our own."),
        assign(NONE, "none"),
        assign(TRIALING, "trialing"),
        assign(ACTIVE, "active"),
        assign(PAST_DUE, "past_due"),
        assign(UNPAID, "unpaid"),
        assign(PAUSED, "paused"),
        assign(INCOMPLETE, "incomplete"),
        assign(INCOMPLETE_EXPIRED, "incomplete_expired"),
        assign(CANCELED, "canceled"),
        assign(UNKNOWN, "unknown")
    ])
}

fn price_class(billing: &Billing) -> ClassDef {
    names!(amount, currency, interval, per_member, lookup_key);
    class(Price).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("What a plan costs, in the smallest unit of the currency."),
        annotate(amount, int),
        annotate(currency, str),
        annotate(interval, py!(Literal[("month", "year")])),
        billing.has_seats().then(|| ann_assign(per_member, bool, false)),
        annotate(lookup_key, str)
    ])
}

fn plan_class(billing: &Billing) -> ClassDef {
    names!(name, title, price, features, limits);
    let features = has_features(billing)
        .then(|| ann_assign(features, py!(tuple[(Feature, ellipsis!())]), py!(())));
    let limits = has_limits(billing).then(|| {
        ann_assign(
            limits,
            py!(Mapping[(Limit, int)]),
            py!(field(default_factory = dict[(Limit, int)])),
        )
    });
    class(Plan).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("A plan; a limit that it does not name is unlimited."),
        annotate(name, PlanName),
        annotate(title, str),
        ann_assign(price, py!(Price | None), none()),
        features,
        limits
    ])
}

fn plan_for_lookup_key_def() -> FunctionDef {
    names!(lookup_key, plan);
    def(plan_for_lookup_key).params([param(lookup_key, str)]).returns(py!(Plan | None)).body(
        block![
            docstring("Find the plan that a price of the provider belongs to."),
            for_(
                plan,
                py!(PLANS.values()),
                if_(
                    py!(plan.price != None && plan.price.lookup_key == lookup_key),
                    [return_(plan)]
                )
            ),
            return_(none())
        ],
    )
}
