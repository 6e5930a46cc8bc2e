//! `backend/app/core/billing.py`: what an organization may use, by its plan and its subscription.

use crate::core::errors::{ForbiddenError, PaymentRequiredError};
use crate::core::org_rbac::{Principal, PrincipalDep};
use crate::core::plans::{DEFAULT_PLAN, Feature, Limit, PLANS, Plan, SubscriptionStatus};
use crate::core::plans::{has_features, has_limits};
use crate::models::base::utcnow;
use crate::models::organization::Organization;
use crate::python::builtins::{bool, frozenset, int, list, str};
use crate::python::sqlalchemy::{AsyncSession, Select, select};
use crate::python::standard::{Awaitable, Callable, datetime};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.billing": PAID_STATUSES, effective_plan, enforce_limit, has_active_subscription,
        plans_beyond, plans_with_feature, require_active_subscription, require_feature;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let paid = py!(frozenset(set!(SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE)));
    let grace =
        "Stripe retries a failed payment for weeks before it gives up: access stays meanwhile.";
    module("app.core.billing")
        .docstring("What an organization may use, by its plan and its subscription.")
        .body(block![
            assign(PAID_STATUSES, paid).comment(grace),
            has_active_subscription_def(),
            effective_plan_def(),
            require_active_subscription_def(),
            has_features(billing).then(|| [require_feature_def(), plans_with_feature_def()]),
            has_limits(billing).then(|| [enforce_limit_def(), plans_beyond_def()])
        ])
}

fn has_active_subscription_def() -> FunctionDef {
    names!(organization, now, trial_ends_at);
    def(has_active_subscription)
        .params([param(organization, Organization), param(now, datetime)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the organization pays, or is still trying out."),
            if_(
                py!(is_!(organization.subscription_status, SubscriptionStatus.TRIALING)),
                block![
                    assign(trial_ends_at, py!(organization.trial_ends_at)),
                    return_(py!(trial_ends_at == None || now < trial_ends_at))
                ]
            ),
            return_(py!(in_!(organization.subscription_status, PAID_STATUSES)))
        ])
}

fn effective_plan_def() -> FunctionDef {
    names!(organization, now);
    def(effective_plan)
        .params([param(organization, Organization), param(now, datetime)])
        .returns(Plan)
        .body(block![
            docstring("Return the plan that counts: without a subscription it is the default one."),
            if_(
                py!(has_active_subscription(organization, now)),
                [return_(py!(PLANS[organization.plan]))]
            ),
            return_(DEFAULT_PLAN)
        ])
}

fn require_active_subscription_def() -> FunctionDef {
    names!(principal);
    async_def(require_active_subscription)
        .params([param(principal, PrincipalDep)])
        .returns(none())
        .body(block![
            docstring("Guard a route: without an active subscription the answer is 402."),
            if_(
                py!(!has_active_subscription(principal.organization, utcnow())),
                [raise(py!(PaymentRequiredError(
                    "This needs an active subscription.",
                    code = "subscription_required"
                )))]
            )
        ])
}

fn require_feature_def() -> FunctionDef {
    names!(feature, guard);
    def(require_feature)
        .params([param(feature, Feature)])
        .returns(py!(Callable[([Principal], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without the feature in the plan the answer is 403."),
            {
                names!(principal, plan);
                async_def(guard).params([param(principal, PrincipalDep)]).returns(none()).body(
                    block![
                        assign(plan, py!(effective_plan(principal.organization, utcnow()))),
                        if_(
                            py!(not_in!(feature, plan.features)),
                            [raise(py!(ForbiddenError(
                                f!("The plan {} does not include {}.", plan.title, feature),
                                code = "feature_not_in_plan",
                                upgrade = plans_with_feature(feature)
                            )))]
                        )
                    ],
                )
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

fn enforce_limit_def() -> FunctionDef {
    names!(session, organization, limit, used, plan, allowed, lock);
    async_def(enforce_limit)
        .params([
            param(session, AsyncSession),
            param(organization, Organization),
            param(limit, Limit),
            param(used, py!(Select[int])),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Refuse to go past a limit of the plan.\n\
                 \n\
                 Call it in the transaction that adds: the organization stays locked until the end\n\
                 of it, so that two requests cannot both take the last place."
            ),
            assign(plan, py!(effective_plan(organization, utcnow()))),
            assign(allowed, py!(plan.limits.get(limit))),
            if_(py!(allowed == None), [return_none()]),
            assign(lock, py!(select(Organization.id).r#where(Organization.id == organization.id))),
            do_(py!(session.execute(lock.with_for_update()).await)),
            if_(
                py!((session.scalar(used).await || 0) >= allowed),
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
                plan.name for plan in PLANS.values()
                if not_in!(limit, plan.limits) || plan.limits[limit] > allowed
            )))
        ])
}
