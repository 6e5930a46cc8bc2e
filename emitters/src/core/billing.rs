//! `backend/app/core/billing.py`: what may be used, by the plan and the subscription of who pays.

use crate::core::access::{Access, access_of, refuse_unpaid};
use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, PaymentRequiredError};
use crate::core::org_rbac::{Principal, PrincipalDep};
use crate::core::payers::{payer_for, payer_model};
use crate::core::plans::{DEFAULT_PLAN, Feature, Limit, PLANS, Plan};
use crate::core::plans::{has_features, has_flags, has_limits};
use crate::models::base::utcnow;
use crate::models::r#override::{Override, OverrideKind};
use crate::python::builtins::{int, list, str, tuple};
use crate::python::sqlalchemy::{AsyncSession, Select, or_, select};
use crate::python::standard::{Awaitable, Callable, UUID, datetime, replace};
use crate::spec::{Billing, Payer};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.billing": effective_plan,
        entitled_plan, with_grants, overrides_of, require_active_subscription, require_feature,
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
        effective_plan_def(billing),
        has_entitlements(billing).then(|| entitled_plan_def(billing)),
        has_entitlements(billing).then(|| with_grants_def(billing)),
        has_overrides(billing).then(overrides_of_def),
        require_active_subscription_def(billing),
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
    names!(principal);
    let payer = payer_for(billing, principal);
    async_def(require_active_subscription)
        .params([param(principal, PrincipalDep)])
        .returns(none())
        .body(block![
            docstring(
                "Guard a route: without an active subscription the answer is 402.\n\
                 \n\
                 Who is late with a payment may still read."
            ),
            if_(
                py!(is_!(access_of({ payer }, utcnow()), Access.NONE)),
                [raise(py!(PaymentRequiredError(
                    "This needs an active subscription.",
                    code = "subscription_required"
                )))]
            )
        ])
}

fn require_feature_def(billing: &Billing) -> FunctionDef {
    names!(feature, guard);
    def(require_feature)
        .params([param(feature, Feature)])
        .returns(py!(Callable[([Principal, AsyncSession], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without the feature in the plan the answer is 403."),
            {
                names!(principal, session, payer, plan);
                async_def(guard)
                    .params([param(principal, PrincipalDep), param(session, SessionDep)])
                    .returns(none())
                    .body(block![
                        assign(payer, payer_for(billing, principal)),
                        assign(plan, py!(entitled_plan(session, payer, utcnow()).await)),
                        if_(
                            py!(not_in!(feature, plan.features)),
                            [raise(py!(ForbiddenError(
                                f!("The plan {} does not include {}.", plan.title, feature),
                                code = "feature_not_in_plan",
                                upgrade = plans_with_feature(feature)
                            )))]
                        )
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
