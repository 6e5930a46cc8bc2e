//! `backend/app/api/api_keys.py`: the API keys of an organization.

use crate::core::org_rbac::{PrincipalDep, require_fresh_session, require_permission};
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::core::rate_limit::{AttemptsDep, CREDENTIALS};
use crate::guards::guarded;
use crate::python::fastapi::{APIRouter, status};
use crate::python::standard::UUID;
use crate::schemas::api_key::{ApiKeyCreate, ApiKeyCreated, ApiKeyPage, ApiKeyRead, ApiKeyToken};
use crate::services::api_key_service::ApiKeyServiceDep;
use crate::services::outbox::OutboxDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.api_keys": router, organization_router, create_api_key, list_api_keys, revoke_api_key,
        revoke_leaked_api_key;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let managers = py!(require_permission(Permission.API_KEYS_MANAGE));
    let fresh = require_fresh_session.into_expr();
    module("app.api.api_keys").docstring("The API keys of an organization.").body(block![
        assign(router, py!(APIRouter(prefix = "/api-keys", tags = ["api-keys"]))),
        assign(
            organization_router,
            py!(APIRouter(
                prefix = "/organizations/{organization_id}/api-keys",
                tags = ["api-keys"]
            ))
        )
        .comment("No key opens these routes: a leaked one must not make others."),
        guarded(guarded(create_api_key_def(), &managers), &fresh),
        guarded(list_api_keys_def(), &managers),
        guarded(revoke_api_key_def(), &managers),
        revoke_leaked_api_key_def()
    ])
}

fn create_api_key_def() -> FunctionDef {
    names!(payload, principal, keys, row, key, shown);
    async_def(create_api_key)
        .decorator(py!(organization_router.post("", status_code = status.HTTP_201_CREATED)))
        .params([
            param(payload, ApiKeyCreate),
            param(principal, PrincipalDep),
            param(keys, ApiKeyServiceDep),
        ])
        .returns(ApiKeyCreated)
        .body(block![
            docstring("Make a key for a program; the answer is the only place where it is shown."),
            assign(py!((row, key)), py!(keys.create(principal, payload).await)),
            assign(shown, py!(ApiKeyRead.model_validate(row))),
            return_(py!(ApiKeyCreated(**shown.model_dump(), key = key)))
        ])
}

fn list_api_keys_def() -> FunctionDef {
    names!(principal, page, keys, found);
    async_def(list_api_keys)
        .decorator(py!(organization_router.get("")))
        .params([
            param(principal, PrincipalDep),
            param(page, PageRequestDep),
            param(keys, ApiKeyServiceDep),
        ])
        .returns(ApiKeyPage)
        .body(block![
            docstring("List the keys of the organization."),
            assign(found, py!(keys.page(principal, page).await)),
            return_(py!(ApiKeyPage.model_validate(found)))
        ])
}

fn revoke_api_key_def() -> FunctionDef {
    names!(key_id, principal, keys);
    async_def(revoke_api_key)
        .decorator(py!(
            organization_router.delete("/{key_id}", status_code = status.HTTP_204_NO_CONTENT)
        ))
        .params([
            param(key_id, UUID),
            param(principal, PrincipalDep),
            param(keys, ApiKeyServiceDep),
        ])
        .returns(none())
        .body(block![
            docstring("Revoke a key; it opens nothing from now on."),
            do_(py!(keys.revoke(principal, key_id).await))
        ])
}

fn revoke_leaked_api_key_def() -> FunctionDef {
    names!(payload, keys, outbox, attempts, mail);
    async_def(revoke_leaked_api_key)
        .decorator(py!(router.post("/leaked", status_code = status.HTTP_204_NO_CONTENT)))
        .params([
            param(payload, ApiKeyToken),
            param(keys, ApiKeyServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Revoke a key that was found in public; the answer is the same for any text."
            ),
            do_(py!(attempts.spend(CREDENTIALS).await)),
            assign(mail, py!(keys.revoke_leaked(payload.key).await)),
            if_(py!(mail != None), [do_(py!(outbox.add(mail)))])
        ])
}
