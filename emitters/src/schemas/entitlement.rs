//! `backend/app/schemas/entitlement.py`: requests and responses about what payers may use.

use crate::core::feature_flags::Flag;
use crate::core::plans::{Feature, Limit, PlanName};
use crate::core::plans::{has_features, has_flags, has_limits};
use crate::models::r#override::OverrideKind;
use crate::python::builtins::{bool, dict, int, list, str};
use crate::python::pydantic::{BeforeValidator, Field, StrictBool, StrictInt};
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{RequestModel, ResponseModel};
use crate::schemas::fields::{NO_NUL, UtcDatetime, whole_number};
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.entitlement": EntitlementsRead, Grant, SwitchGrant, LimitGrant, OverrideRead,
        FlagSetting, FlagRead;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.schemas.entitlement")
        .docstring("Requests and responses about what payers may use.")
        .body(block![
            entitlements_read_class(billing),
            grant_class(),
            (has_features(billing) || has_flags(billing)).then(switch_grant_class),
            has_limits(billing).then(limit_grant_class),
            override_read_class(),
            has_flags(billing).then(flag_setting_class),
            has_flags(billing).then(flag_read_class)
        ])
}

fn entitlements_read_class(billing: &Billing) -> ClassDef {
    names!(plan, features, limits, usage, flags);
    class(EntitlementsRead).base(ResponseModel).body(block![
        docstring("What an organization may use now, by its plan and beside it."),
        annotate(plan, PlanName),
        has_features(billing).then(|| annotate(features, py!(list[Feature]))),
        has_limits(billing).then(|| [
            ann_assign(
                limits,
                py!(dict[(Limit, int)]),
                py!(Field(description = "A limit that is not listed is unlimited."))
            ),
            ann_assign(
                usage,
                py!(dict[(Limit, int)]),
                py!(Field(description = "How much there is of what is limited."))
            )
        ]),
        has_flags(billing).then(|| annotate(flags, py!(dict[(Flag, bool)])))
    ])
}

fn grant_class() -> ClassDef {
    names!(expires_at, reason);
    class(Grant).base(RequestModel).body(block![
        docstring("An exception for one payer: until when, and why."),
        ann_assign(expires_at, py!(UtcDatetime | None), none()),
        annotate(
            reason,
            py!(Annotated[(str, Field(min_length = 1, max_length = 500, pattern = NO_NUL))])
        )
    ])
}

fn switch_grant_class() -> ClassDef {
    names!(is_on);
    class(SwitchGrant).base(Grant).body(block![
        docstring("Something switched on or off for one payer."),
        annotate(is_on, StrictBool)
    ])
}

fn limit_grant_class() -> ClassDef {
    names!(maximum);
    class(LimitGrant).base(Grant).body(block![
        docstring("A limit for one payer."),
        ann_assign(
            maximum,
            py!(Annotated
                [(StrictInt, Field(ge = 0, le = 1_000_000_000), BeforeValidator(whole_number))]
                | None),
            py!(Field(description = "Null is unlimited."))
        )
    ])
}

fn override_read_class() -> ClassDef {
    names!(id, created_at, kind, name, is_on, maximum, expires_at, reason);
    class(OverrideRead).base(ResponseModel).body(block![
        docstring("An exception that was made for a payer."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(kind, OverrideKind),
        annotate(name, str),
        annotate(is_on, bool),
        annotate(maximum, py!(int | None)),
        annotate(expires_at, py!(datetime | None)),
        annotate(reason, str)
    ])
}

fn flag_setting_class() -> ClassDef {
    names!(is_killed, rollout);
    class(FlagSetting).base(RequestModel).body(block![
        docstring("How far a flag is out from now on."),
        ann_assign(
            is_killed,
            StrictBool,
            py!(Field(default = false, description = "Off for everybody, whatever else is said."))
        ),
        ann_assign(
            rollout,
            py!(Annotated[(StrictInt, Field(ge = 0, le = 100), BeforeValidator(whole_number))]
                | None),
            py!(Field(
                default = None,
                description = "How many payers in a hundred; null leaves it to the code."
            ))
        )
    ])
}

fn flag_read_class() -> ClassDef {
    names!(name, default, plans, rollout, is_killed);
    class(FlagRead).base(ResponseModel).body(block![
        docstring("A flag and how far it is out."),
        annotate(name, Flag),
        annotate(default, bool),
        annotate(plans, py!(list[PlanName])),
        annotate(rollout, int),
        annotate(is_killed, bool)
    ])
}
