//! `backend/app/core/feature_flags.py`: what is on for some before it is on for all.

use crate::core::billing::{effective_plan, overrides_of};
use crate::core::database::SessionDep;
use crate::core::errors::ForbiddenError;
use crate::core::org_rbac::{Principal, PrincipalDep};
use crate::core::payers::{payer_for, payer_model};
use crate::core::plans::PlanName;
use crate::models::base::utcnow;
use crate::models::feature_flag::FeatureFlag;
use crate::models::r#override::OverrideKind;
use crate::python::builtins::{bool, dict, frozenset, int};
use crate::python::sqlalchemy::{AsyncSession, select};
use crate::python::standard::{Awaitable, Callable, StrEnum, UUID, dataclass, sha256};
use crate::spec::{self, Billing};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.feature_flags": Flag, FlagRule, FLAGS, flags_of, decide, bucket, require_flag;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.core.feature_flags")
        .docstring("Feature flags: what is on for some before it is on for all.")
        .body(block![
            flag_class(billing),
            flag_rule_class(),
            assign(FLAGS, rules(billing)),
            flags_of_def(billing),
            decide_def(),
            bucket_def(),
            require_flag_def(billing)
        ])
}

fn flag_class(billing: &Billing) -> ClassDef {
    let members = billing.flags.iter().map(|flag| assign(flag.constant, flag.name.as_str()));
    class(Flag).base(StrEnum).body(block![
        docstring("What is switched on while the application runs."),
        members.collect::<Vec<_>>()
    ])
}

fn flag_rule_class() -> ClassDef {
    names!(default, plans, rollout);
    class(FlagRule).decorator(py!(dataclass(frozen = true, kw_only = true))).body(block![
        docstring("Who has a flag: everybody, the payers of some plans, and so many of a hundred."),
        ann_assign(default, bool, false),
        ann_assign(plans, py!(frozenset[PlanName]), py!(frozenset())),
        ann_assign(rollout, int, 0)
    ])
}

fn rules(billing: &Billing) -> Expr {
    make::dict(billing.flags.iter().map(|flag| (Flag.attr(flag.constant), rule(billing, flag))))
}

/// `FlagRule(plans=frozenset({PlanName.BUSINESS}), rollout=10)`
fn rule(billing: &Billing, flag: &spec::Flag) -> Expr {
    let plans = billing.plans.iter().filter(|plan| flag.plans.contains(&plan.name));
    let plans: Vec<Expr> = plans.map(|plan| PlanName.attr(plan.constant)).collect();
    let arguments = [
        flag.default.then(|| kw("default", true)),
        (!plans.is_empty()).then(|| kw("plans", frozenset.call([arg(make::set(plans))]))),
        (flag.rollout > 0).then(|| kw("rollout", u32::from(flag.rollout))),
    ];
    FlagRule.call(arguments.into_iter().flatten())
}

fn flags_of_def(billing: &Billing) -> FunctionDef {
    names!(session, payer, now, rows, row, states, granted, switches, plan, flag);
    async_def(flags_of)
        .params([param(session, AsyncSession), param(payer, payer_model(billing))])
        .returns(py!(dict[(Flag, bool)]))
        .body(block![
            docstring("Tell of every flag whether it is on for a payer."),
            assign(now, py!(utcnow())),
            assign(rows, py!(session.scalars(select(FeatureFlag)).await)),
            assign(states, py!(dict!(row.name => row for row in rows))),
            assign(granted, py!(session.scalars(overrides_of(payer.id, now)).await)),
            assign(
                switches,
                py!(dict!(
                    row.name => row.is_on for row in granted if is_!(row.kind, OverrideKind.FLAG)
                ))
            ),
            assign(plan, py!(effective_plan(payer, now).name)),
            return_(py!(dict!(
                flag => decide(
                    flag,
                    payer.id,
                    plan,
                    state = states.get(flag),
                    switch = switches.get(flag)
                )
                for flag in Flag
            )))
        ])
}

fn decide_def() -> FunctionDef {
    names!(flag, state, switch, plan, payer_id, rule, rollout);
    def(decide)
        .params([
            param(flag, Flag),
            param(payer_id, UUID),
            param(plan, PlanName),
            star(),
            param(state, py!(FeatureFlag | None)),
            param(switch, py!(bool | None)),
        ])
        .returns(bool)
        .body(block![
            docstring(
                "Tell whether a flag is on for a payer.\n\
                 \n\
                 The kill switch comes before what was decided for this payer, and that before what\n\
                 the code says."
            ),
            if_(py!(state != None && state.is_killed), [return_(false)]),
            if_(py!(switch != None), [return_(switch)]),
            assign(rule, py!(FLAGS[flag])),
            assign(
                rollout,
                py!(if state == None || state.rollout == None {
                    rule.rollout
                } else {
                    state.rollout
                })
            ),
            if_(py!(rule.default || in_!(plan, rule.plans)), [return_(true)]),
            return_(py!(bucket(flag, payer_id) < rollout))
        ])
}

fn bucket_def() -> FunctionDef {
    names!(flag, payer_id, digest);
    def(bucket).params([param(flag, Flag), param(payer_id, UUID)]).returns(int).body(block![
        docstring(
            "Place a payer among a hundred: always at one place, at another for each flag.\n\
             \n\
             Who has a flag keeps it while its rollout grows."
        ),
        assign(digest, py!(sha256(f!("{}/{}", flag, payer_id).encode()).digest())),
        return_(py!(int.from_bytes(digest[..8], "big") % 100))
    ])
}

fn require_flag_def(billing: &Billing) -> FunctionDef {
    names!(flag, guard);
    def(require_flag)
        .params([param(flag, Flag)])
        .returns(py!(Callable[([Principal, AsyncSession], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: while the flag is off for the payer the answer is 403."),
            {
                names!(principal, session, flags);
                let payer = payer_for(billing, principal);
                async_def(guard)
                    .params([param(principal, PrincipalDep), param(session, SessionDep)])
                    .returns(none())
                    .body(block![
                        assign(flags, py!(flags_of(session, { payer }).await)),
                        if_(
                            py!(!flags[flag]),
                            [raise(py!(ForbiddenError(
                                f!("This is not switched on for you: {}.", flag),
                                code = "flag_off"
                            )))]
                        )
                    ])
            },
            return_(guard)
        ])
}
