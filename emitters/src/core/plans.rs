//! `backend/app/core/plans.py`: the plans an organization can have, and what each of them holds.

use crate::python::builtins::{dict, int, str, tuple};
use crate::python::standard::{Literal, Mapping, StrEnum, dataclass, field, timedelta};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.plans": PlanName, Feature, Limit, SubscriptionStatus, Price, Plan, FREE, TEAM, BUSINESS, PLANS, DEFAULT_PLAN, TRIAL_PLAN, TRIAL_PERIOD, plan_for_lookup_key;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.plans")
        .docstring("The plans an organization can have, and what each of them holds.")
        .body(block![
            plan_name_class(),
            feature_class(),
            limit_class(),
            subscription_status_class(),
            price_class(),
            plan_class(),
            assign(
                FREE,
                py!(Plan(
                    name = PlanName.FREE,
                    title = "Free",
                    limits = dict!(Limit.PROJECTS => 3, Limit.MEMBERS => 3)
                ))
            ),
            assign(
                TEAM,
                py!(Plan(
                    name = PlanName.TEAM,
                    title = "Team",
                    price = Price(
                        amount = 1900,
                        currency = "usd",
                        interval = "month",
                        lookup_key = "acme_team_month"
                    ),
                    features = (Feature.REPORTS,),
                    limits = dict!(Limit.PROJECTS => 50, Limit.MEMBERS => 25)
                ))
            ),
            assign(
                BUSINESS,
                py!(Plan(
                    name = PlanName.BUSINESS,
                    title = "Business",
                    price = Price(
                        amount = 9900,
                        currency = "usd",
                        interval = "month",
                        lookup_key = "acme_business_month"
                    ),
                    features = (Feature.REPORTS, Feature.EXPORTS),
                    limits = dict!(Limit.MEMBERS => 500)
                ))
            ),
            assign(PLANS, py!(dict!(plan.name => plan for plan in (FREE, TEAM, BUSINESS))))
                .paragraph(),
            assign(DEFAULT_PLAN, FREE),
            assign(TRIAL_PLAN, TEAM),
            assign(TRIAL_PERIOD, py!(timedelta(days = 14))),
            plan_for_lookup_key_def()
        ])
}

fn plan_name_class() -> ClassDef {
    class(PlanName).base(StrEnum).body(block![
        docstring("The plans, the one without a subscription first."),
        assign(FREE, "free"),
        assign(TEAM, "team"),
        assign(BUSINESS, "business")
    ])
}

fn feature_class() -> ClassDef {
    names!(REPORTS, EXPORTS);
    class(Feature).base(StrEnum).body(block![
        docstring("What a plan can switch on."),
        assign(REPORTS, "reports"),
        assign(EXPORTS, "exports")
    ])
}

fn limit_class() -> ClassDef {
    names!(PROJECTS, MEMBERS);
    class(Limit).base(StrEnum).body(block![
        docstring("What a plan can count."),
        assign(PROJECTS, "projects"),
        assign(MEMBERS, "members")
    ])
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

fn price_class() -> ClassDef {
    names!(amount, currency, interval, lookup_key);
    class(Price).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("What a plan costs, in the smallest unit of the currency."),
        annotate(amount, int),
        annotate(currency, str),
        annotate(interval, py!(Literal[("month", "year")])),
        annotate(lookup_key, str)
    ])
}

fn plan_class() -> ClassDef {
    names!(name, title, price, features, limits);
    class(Plan).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("A plan; a limit that it does not name is unlimited."),
        annotate(name, PlanName),
        annotate(title, str),
        ann_assign(price, py!(Price | None), none()),
        ann_assign(features, py!(tuple[(Feature, ellipsis!())]), py!(())),
        ann_assign(
            limits,
            py!(Mapping[(Limit, int)]),
            py!(field(default_factory = dict[(Limit, int)]))
        )
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
