//! `backend/app/api/entitlements.py`: what organizations may use, and what the platform grants them.

use crate::core::api_keys::keyed_router;
use crate::core::feature_flags::Flag;
use crate::core::plans::{Feature, Limit, has_features, has_flags, has_limits};
use crate::core::rbac::require_user_roles;
use crate::core::roles::{UserRole, required};
use crate::guards::guarded;
use crate::models::r#override::OverrideKind;
use crate::python::builtins::list;
use crate::python::fastapi::{APIRouter, status};
use crate::python::standard::UUID;
use crate::schemas::entitlement::{
    EntitlementsRead, FlagRead, FlagSetting, LimitGrant, OverrideRead, SwitchGrant,
};
use crate::services::entitlement_service::EntitlementServiceDep;
use crate::services::flag_service::FlagServiceDep;
use crate::services::override_service::OverrideServiceDep;
use crate::spec::{Billing, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.entitlements": router, organization_router, read_entitlements, list_overrides,
        grant_feature, grant_limit, grant_flag, revoke_override, list_flags, set_flag;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, billing: &Billing) -> Module {
    names!(BILLING_READ, BILLING_MANAGE);
    let members = required(&spec.organizations.roles);
    let platform = py!(require_user_roles(UserRole.ADMIN));
    let flags = has_flags(billing);
    let docstring = "What organizations may use, and what the platform grants them.";
    let admins = [
        Some(list_overrides_def()),
        has_features(billing).then(grant_feature_def),
        has_limits(billing).then(grant_limit_def),
        flags.then(grant_flag_def),
        Some(revoke_override_def()),
        flags.then(list_flags_def),
        flags.then(set_flag_def),
    ];
    let admins = admins.into_iter().flatten().map(|route| guarded(route, &platform));
    module("app.api.entitlements").docstring(docstring).body(block![
        assign(router, py!(APIRouter(prefix = "/entitlements", tags = ["entitlements"]))),
        assign(
            organization_router,
            keyed_router(
                spec,
                "/organizations/{organization_id}/entitlements",
                "entitlements",
                [BILLING_READ, BILLING_MANAGE],
                []
            )
        ),
        guarded(read_entitlements_def(), &members),
        admins.collect::<Vec<_>>()
    ])
}

fn read_entitlements_def() -> FunctionDef {
    names!(entitlements);
    async_def(read_entitlements)
        .decorator(py!(organization_router.get("")))
        .params([param(entitlements, EntitlementServiceDep)])
        .returns(EntitlementsRead)
        .body(block![
            docstring("Tell what the organization may use now."),
            return_(py!(entitlements.read().await))
        ])
}

fn list_overrides_def() -> FunctionDef {
    names!(payer_id, overrides, one);
    async_def(list_overrides)
        .decorator(py!(router.get("/payers/{payer_id}")))
        .params([param(payer_id, UUID), param(overrides, OverrideServiceDep)])
        .returns(py!(list[OverrideRead]))
        .body(block![
            docstring("List the exceptions that were made for a payer."),
            return_(py!(list!(
                OverrideRead.model_validate(one) for one in overrides.all_of(payer_id).await
            )))
        ])
}

fn grant_feature_def() -> FunctionDef {
    names!(feature);
    let docstring = "Switch a feature on or off for a payer, whatever the plan says.";
    let route = py!(router.put("/payers/{payer_id}/features/{feature}"));
    grant(
        grant_feature,
        route,
        docstring,
        param(feature, Feature),
        SwitchGrant,
        py!(OverrideKind.FEATURE),
        feature,
    )
}

fn grant_limit_def() -> FunctionDef {
    names!(limit);
    let docstring = "Give a payer a limit of its own.";
    let route = py!(router.put("/payers/{payer_id}/limits/{limit}"));
    grant(
        grant_limit,
        route,
        docstring,
        param(limit, Limit),
        LimitGrant,
        py!(OverrideKind.LIMIT),
        limit,
    )
}

fn grant_flag_def() -> FunctionDef {
    names!(flag);
    let docstring = "Switch a flag on or off for a payer.";
    let route = py!(router.put("/payers/{payer_id}/flags/{flag}"));
    grant(
        grant_flag,
        route,
        docstring,
        param(flag, Flag),
        SwitchGrant,
        py!(OverrideKind.FLAG),
        flag,
    )
}

/// A route that makes an exception.
fn grant(
    route: Import,
    decorator: Expr,
    text: &'static str,
    subject: Param,
    body: Import,
    kind: Expr,
    named: Name,
) -> FunctionDef {
    names!(payer_id, payload, overrides, granted);
    async_def(route)
        .decorator(decorator)
        .params([
            param(payer_id, UUID),
            subject,
            param(payload, body),
            param(overrides, OverrideServiceDep),
        ])
        .returns(OverrideRead)
        .body(block![
            docstring(text),
            assign(granted, py!(overrides.grant(payer_id, kind, named, payload).await)),
            return_(py!(OverrideRead.model_validate(granted)))
        ])
}

fn revoke_override_def() -> FunctionDef {
    names!(payer_id, override_id, overrides);
    async_def(revoke_override)
        .decorator(py!(router.delete(
            "/payers/{payer_id}/overrides/{override_id}",
            status_code = status.HTTP_204_NO_CONTENT
        )))
        .params([
            param(payer_id, UUID),
            param(override_id, UUID),
            param(overrides, OverrideServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("Take an exception back."),
            do_(py!(overrides.revoke(payer_id, override_id).await))
        ])
}

fn list_flags_def() -> FunctionDef {
    names!(flags);
    async_def(list_flags)
        .decorator(py!(router.get("/flags")))
        .params([param(flags, FlagServiceDep)])
        .returns(py!(list[FlagRead]))
        .body(block![
            docstring("Tell of every flag how far it is out."),
            return_(py!(flags.all().await))
        ])
}

fn set_flag_def() -> FunctionDef {
    names!(flag, payload, flags);
    async_def(set_flag)
        .decorator(py!(router.put("/flags/{flag}")))
        .params([param(flag, Flag), param(payload, FlagSetting), param(flags, FlagServiceDep)])
        .returns(FlagRead)
        .body(block![
            docstring("Roll a flag out, or kill it."),
            return_(py!(flags.set(flag, payload).await))
        ])
}
