//! `backend/app/services/entitlement_service.py`: what an organization may use, as its members see it.

use crate::core::billing::{effective_plan, entitled_plan, has_entitlements};
use crate::core::feature_flags::flags_of;
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::payers::payer_for;
use crate::core::plans::{has_features, has_flags, has_limits};
use crate::models::base::utcnow;
use crate::python::builtins::{dict, list};
use crate::python::fastapi::Depends;
use crate::python::standard::{Annotated, dataclass};
use crate::schemas::entitlement::EntitlementsRead;
use crate::services::billing_usage::usage_of;
use crate::spec::{Billing, Payer};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.entitlement_service": EntitlementService, EntitlementServiceDep;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    names!(session, principal);
    let depends = py!(Annotated[(EntitlementService, Depends(EntitlementService))]);
    module("app.services.entitlement_service")
        .docstring("What an organization may use, as its members see it.")
        .body(block![
            class(EntitlementService).decorator(py!(dataclass(frozen = true))).body(block![
                docstring("The plan, and what was granted beside it."),
                annotate(session, TenantSessionDep),
                annotate(principal, PrincipalDep),
                entitlement_service_read(billing)
            ]),
            assign(EntitlementServiceDep, depends)
        ])
}

fn entitlement_service_read(billing: &Billing) -> FunctionDef {
    names!(payer, now, plan);
    let found = match has_entitlements(billing) {
        true => py!(entitled_plan(self.session, payer, now).await),
        false => py!(effective_plan(payer, now)),
    };
    let features = has_features(billing).then(|| kw("features", py!(list(plan.features))));
    let limits = has_limits(billing).then(|| {
        let usage = match billing.payer {
            Payer::Organization => py!(usage_of(self.session, payer).await),
            Payer::User => py!(usage_of(self.session, self.principal.organization).await),
        };
        [kw("limits", py!(dict(plan.limits))), kw("usage", usage)]
    });
    let limits = limits.into_iter().flatten();
    let flags = has_flags(billing).then(|| kw("flags", py!(flags_of(self.session, payer).await)));
    async_def("read").params([untyped("self")]).returns(EntitlementsRead).body(block![
        docstring("Tell what the caller's organization may use now."),
        assign(payer, payer_for(billing, py!(self.principal))),
        assign(now, py!(utcnow())),
        assign(plan, found),
        return_(py!(EntitlementsRead(plan = plan.name, ..features, ..limits, ..flags)))
    ])
}
