//! `backend/app/core/billing.py`: what may be used, by the plan and the subscription of who pays.

use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, PaymentRequiredError};
use crate::core::org_rbac::{Principal, PrincipalDep};
use crate::core::payers::{payer_for, payer_model};
use crate::core::plans::{
    DEFAULT_PLAN, Feature, GRACE_PERIOD, Limit, PLANS, Plan, SubscriptionStatus,
};
use crate::core::plans::{has_features, has_flags, has_limits};
use crate::models::base::utcnow;
use crate::models::r#override::{Override, OverrideKind};
use crate::python::builtins::{bool, frozenset, int, list, str, tuple};
use crate::python::fastapi::Request;
use crate::python::sqlalchemy::{AsyncSession, Select, or_, select};
use crate::python::standard::{Awaitable, Callable, StrEnum, UUID, datetime, replace};
use crate::spec::{Billing, Payer};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.billing": TAKES_NOTHING, UNPAID_STATUSES, GOES_ON, Access, access_of,
        has_active_subscription, has_subscription, has_ended, grace_ends_at, effective_plan,
        entitled_plan, with_grants, overrides_of, require_active_subscription, refuse_unpaid, require_feature,
        plans_with_feature, consume_limit, plans_beyond;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = match billing.payer {
        Payer::Organization => "What an organization may use, by its plan and its subscription.",
        Payer::User => {
            "What an organization may use, by the plan and the subscription of who pays."
        }
    };
    module("app.core.billing").docstring(docstring).body(block![
        assign(TAKES_NOTHING, py!(frozenset(set!("GET", "HEAD", "OPTIONS")))),
        assign(
            UNPAID_STATUSES,
            py!(frozenset(set!(
                SubscriptionStatus.PAST_DUE,
                SubscriptionStatus.UNPAID,
                SubscriptionStatus.PAUSED,
                SubscriptionStatus.UNKNOWN
            )))
        ),
        assign(GOES_ON, py!(UNPAID_STATUSES | set!(SubscriptionStatus.ACTIVE))).paragraph(),
        access_class(),
        access_of_def(billing),
        has_active_subscription_def(billing),
        has_subscription_def(billing),
        has_ended_def(billing),
        grace_ends_at_def(billing),
        effective_plan_def(billing),
        has_entitlements(billing).then(|| entitled_plan_def(billing)),
        has_entitlements(billing).then(|| with_grants_def(billing)),
        has_overrides(billing).then(overrides_of_def),
        require_active_subscription_def(billing),
        refuse_unpaid_def(),
        has_features(billing).then(|| require_feature_def(billing)),
        has_features(billing).then(plans_with_feature_def),
        has_limits(billing).then(|| consume_limit_def(billing)),
        has_limits(billing).then(plans_beyond_def)
    ])
}

/// Whether plans say more than a price.
#[must_use]
pub fn has_entitlements(billing: &Billing) -> bool {
    has_features(billing) || has_limits(billing)
}

/// Whether there is something that can be granted to one payer alone.
#[must_use]
pub fn has_overrides(billing: &Billing) -> bool {
    has_entitlements(billing) || has_flags(billing)
}

fn access_class() -> ClassDef {
    names!(FULL, RESTRICTED, NONE);
    class(Access).base(StrEnum).body(block![
        docstring("What a subscription gives: all of its plan, only reading, or nothing."),
        assign(FULL, "full"),
        assign(RESTRICTED, "restricted"),
        assign(NONE, "none")
    ])
}

fn access_of_def(billing: &Billing) -> FunctionDef {
    names!(payer, now);
    def(access_of)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(Access)
        .body(block![
            docstring("Tell what the subscription gives at a time."),
            if_(py!(has_active_subscription(payer, now)), [return_(py!(Access.FULL))]),
            if_(
                py!(has_ended(payer, now) || not_in!(payer.subscription_status, UNPAID_STATUSES)),
                [return_(py!(Access.NONE))]
            ),
            return_(py!(Access.RESTRICTED))
        ])
}

fn has_active_subscription_def(billing: &Billing) -> FunctionDef {
    names!(payer, now, ends_at);
    def(has_active_subscription)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the payer pays, is still trying out, or is late by a bit."),
            if_(py!(has_ended(payer, now)), [return_(false)]),
            if_(
                py!(is_!(payer.subscription_status, SubscriptionStatus.PAST_DUE)),
                block![
                    assign(ends_at, py!(grace_ends_at(payer))),
                    return_(py!(ends_at == None || now < ends_at))
                ]
            ),
            return_(py!(in_!(
                payer.subscription_status,
                set!(SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE)
            )))
        ])
}

fn has_subscription_def(billing: &Billing) -> FunctionDef {
    names!(payer, status);
    def(has_subscription).params([param(payer, payer_model(billing))]).returns(bool).body(block![
        docstring("Tell whether a subscription at the provider goes on until somebody ends it."),
        assign(status, py!(payer.subscription_status)),
        if_(
            py!(is_!(status, SubscriptionStatus.TRIALING)),
            [return_(py!(payer.stripe_subscription_id != None))]
        ),
        return_(py!(in_!(status, GOES_ON)))
    ])
}

fn has_ended_def(billing: &Billing) -> FunctionDef {
    names!(payer, now, has_own_trial, ends_at);
    def(has_ended)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the subscription was to end by now, or the trial without one."),
            assign(
                has_own_trial,
                py!(is_!(payer.subscription_status, SubscriptionStatus.TRIALING)
                    && payer.stripe_subscription_id == None)
            ),
            assign(
                ends_at,
                py!(if has_own_trial { payer.trial_ends_at } else { payer.subscription_ends_at })
            ),
            return_(py!(ends_at != None && now >= ends_at))
        ])
}

fn grace_ends_at_def(billing: &Billing) -> FunctionDef {
    names!(payer);
    def(grace_ends_at)
        .params([param(payer, payer_model(billing))])
        .returns(py!(datetime | None))
        .body(block![
            docstring("Return until when a payment that is due may be late; none if none is due."),
            if_(py!(payer.past_due_since == None), [return_(none())]),
            return_(py!(payer.past_due_since + GRACE_PERIOD))
        ])
}

fn effective_plan_def(billing: &Billing) -> FunctionDef {
    names!(payer, now);
    def(effective_plan)
        .params([param(payer, payer_model(billing)), param(now, datetime)])
        .returns(Plan)
        .body(block![
            docstring("Return the plan that counts: without a subscription it is the default one."),
            if_(py!(is_!(access_of(payer, now), Access.NONE)), [return_(DEFAULT_PLAN)]),
            return_(py!(PLANS[payer.plan]))
        ])
}

fn entitled_plan_def(billing: &Billing) -> FunctionDef {
    names!(session, payer, now);
    async_def(entitled_plan)
        .params([
            param(session, AsyncSession),
            param(payer, payer_model(billing)),
            param(now, datetime),
        ])
        .returns(Plan)
        .body(block![
            docstring("Return the plan that counts, with what was granted to this payer alone."),
            return_(py!(with_grants(session, payer, effective_plan(payer, now), now).await))
        ])
}

fn with_grants_def(billing: &Billing) -> FunctionDef {
    names!(session, payer, now, plan, rows, row, switches, maxima, feature, limit, maximum);
    names!(features, limits);
    let switched = has_features(billing).then(|| {
        let rows = py!(dict!(
            row.name => row.is_on for row in rows if is_!(row.kind, OverrideKind.FEATURE)
        ));
        assign(switches, rows)
    });
    let features = has_features(billing).then(|| {
        let is_on = py!(switches.get(feature, in_!(feature, plan.features)));
        kw(features, py!(tuple(generator!(feature for feature in Feature if is_on))))
    });
    let counted = has_limits(billing).then(|| {
        let rows = py!(dict!(
            row.name => row.maximum for row in rows if is_!(row.kind, OverrideKind.LIMIT)
        ));
        assign(maxima, rows)
    });
    let limits = has_limits(billing).then(|| {
        let found = py!(maxima.get(limit, plan.limits.get(limit)));
        kw(
            limits,
            py!(dict!(limit => maximum for limit in Limit if walrus!(maximum, found) != None)),
        )
    });
    async_def(with_grants)
        .params([
            param(session, AsyncSession),
            param(payer, payer_model(billing)),
            param(plan, Plan),
            param(now, datetime),
        ])
        .returns(Plan)
        .body(block![
            docstring("Return a plan with what was granted to a payer alone."),
            assign(rows, py!(session.scalars(overrides_of(payer.id, now)).await.all())),
            switched,
            counted,
            return_(py!(replace(plan, ..features, ..limits)))
        ])
}

fn overrides_of_def() -> FunctionDef {
    names!(payer_id, now);
    def(overrides_of)
        .params([param(payer_id, UUID), param(now, datetime)])
        .returns(py!(Select[Override]))
        .body(block![
            docstring("Select what was granted to a payer and has not run out."),
            return_(py!(select(Override).r#where(
                Override.payer_id == payer_id,
                or_(Override.expires_at.is_(None), Override.expires_at > now)
            )))
        ])
}

fn require_active_subscription_def(billing: &Billing) -> FunctionDef {
    names!(principal, request, access);
    let payer = payer_for(billing, principal);
    async_def(require_active_subscription)
        .params([param(principal, PrincipalDep), param(request, Request)])
        .returns(none())
        .body(block![
            docstring(
                "Guard a route: without an active subscription the answer is 402.\n\
                 \n\
                 Who has not paid may still read."
            ),
            assign(access, py!(access_of({ payer }, utcnow()))),
            if_(
                py!(is_!(access, Access.NONE)),
                [raise(py!(PaymentRequiredError(
                    "This needs an active subscription.",
                    code = "subscription_required"
                )))]
            ),
            refuse_unpaid_change(request, access)
        ])
}

/// `if request.method not in TAKES_NOTHING: refuse_unpaid(access)`
fn refuse_unpaid_change(request: Name, access: impl IntoExpr) -> If {
    let access = access.into_expr();
    if_(py!(not_in!(request.method, TAKES_NOTHING)), [do_(py!(refuse_unpaid(access)))])
}

fn refuse_unpaid_def() -> FunctionDef {
    names!(access);
    def(refuse_unpaid).params([param(access, Access)]).returns(none()).body(block![
        docstring("Answer 402 to what changes anything while a payment is missing."),
        if_(
            py!(is_!(access, Access.RESTRICTED)),
            [raise(py!(PaymentRequiredError(
                "A payment is missing: until then this is read-only.",
                code = "payment_missing"
            )))]
        )
    ])
}

fn require_feature_def(billing: &Billing) -> FunctionDef {
    names!(feature, guard);
    def(require_feature)
        .params([param(feature, Feature)])
        .returns(py!(Callable[([Principal, AsyncSession, Request], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without the feature in the plan the answer is 403."),
            {
                names!(principal, session, request, payer, now, plan);
                async_def(guard)
                    .params([
                        param(principal, PrincipalDep),
                        param(session, SessionDep),
                        param(request, Request),
                    ])
                    .returns(none())
                    .body(block![
                        assign(payer, payer_for(billing, principal)),
                        assign(now, py!(utcnow())),
                        assign(plan, py!(entitled_plan(session, payer, now).await)),
                        if_(
                            py!(not_in!(feature, plan.features)),
                            [raise(py!(ForbiddenError(
                                f!("The plan {} does not include {}.", plan.title, feature),
                                code = "feature_not_in_plan",
                                upgrade = plans_with_feature(feature)
                            )))]
                        ),
                        refuse_unpaid_change(request, py!(access_of(payer, now)))
                    ])
            },
            return_(guard)
        ])
}

fn plans_with_feature_def() -> FunctionDef {
    names!(feature);
    def(plans_with_feature).params([param(feature, Feature)]).returns(py!(list[str])).body(block![
        docstring("Name the plans that include a feature."),
        return_(py!(list!(plan.name for plan in PLANS.values() if in_!(feature, plan.features))))
    ])
}

fn consume_limit_def(billing: &Billing) -> FunctionDef {
    names!(session, payer, limit, used, adding, now, plan, allowed);
    async_def(consume_limit)
        .params([
            param(session, AsyncSession),
            param(payer, payer_model(billing)),
            param(limit, Limit),
            param(used, py!(Select[int])),
            star(),
            param(adding, int).default(1),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Refuse to go past a limit of the plan.\n\
                 \n\
                 Call it in the transaction that adds: the payer stays locked until the end of it,\n\
                 so that two requests cannot both take the last place, and none of them takes one by\n\
                 a plan that has just been left."
            ),
            do_(py!(session.refresh(payer, with_for_update = true).await)),
            assign(now, py!(utcnow())),
            do_(py!(refuse_unpaid(access_of(payer, now)))),
            assign(plan, py!(entitled_plan(session, payer, now).await)),
            assign(allowed, py!(plan.limits.get(limit))),
            if_(py!(allowed == None), [return_none()]),
            if_(
                py!((session.scalar(used).await || 0) + adding > allowed),
                [raise(py!(ForbiddenError(
                    f!("The plan {} allows {} {}.", plan.title, allowed, limit),
                    code = "plan_limit_reached",
                    upgrade = plans_beyond(limit, allowed)
                )))]
            )
        ])
}

fn plans_beyond_def() -> FunctionDef {
    names!(limit, allowed);
    def(plans_beyond)
        .params([param(limit, Limit), param(allowed, int)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Name the plans that allow more."),
            return_(py!(list!(
                plan.name
                for plan in PLANS.values()
                if not_in!(limit, plan.limits) || plan.limits[limit] > allowed
            )))
        ])
}
