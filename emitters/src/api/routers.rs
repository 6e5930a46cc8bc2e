//! `backend/app/api/routers.py`: every router of the application.

use crate::core::billing::has_overrides;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.routers": ROUTERS;
    "app.api": api_keys, audit, auth, billing, entitlements, files, health, invitations, jobs, me, members, organizations,
        totp, webhook_endpoints;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let keys = spec.organizations.api_keys;
    let keys = keys.then(|| [py!(api_keys.router), py!(api_keys.organization_router)]);
    let codes = spec.auth.has_totp().then(|| py!(totp.router));
    let fixed = [
        py!(health.router),
        py!(auth.router),
        py!(me.router),
        py!(organizations.router),
        py!(organizations.organization_router),
        py!(members.router),
        py!(invitations.router),
        py!(invitations.organization_router),
        py!(jobs.router),
        py!(audit.router),
    ];
    let stored = spec.storage.is_on();
    let stored = stored.then(|| [py!(files.router), py!(files.organization_router)]);
    let told = spec.webhooks.enabled.then(|| py!(webhook_endpoints.router));
    let paid = [py!(billing.router), py!(billing.organization_router)];
    let paid = spec.billing.iter().flat_map(|_| paid.clone());
    let granted = spec.billing.as_ref().filter(|one| has_overrides(one));
    let granted =
        granted.map(|_| [py!(entitlements.router), py!(entitlements.organization_router)]);
    let entities = spec.entities.iter().map(|entity| {
        let module = Import { name: Some(entity.names.plural), ..auth };
        py!(module.router)
    });
    let granted = granted.into_iter().flatten();
    let routers = tuple(
        fixed
            .into_iter()
            .chain(stored.into_iter().flatten())
            .chain(keys.into_iter().flatten())
            .chain(codes)
            .chain(told)
            .chain(paid)
            .chain(granted)
            .chain(entities),
    );
    module("app.api.routers")
        .docstring("Every router of the application.")
        .body([assign(ROUTERS, routers)])
}
