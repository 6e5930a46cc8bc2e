//! `backend/app/services/api_key_service.py`: API keys: who may make them, and how they end.

use crate::core::api_keys::{HINT_LENGTH, is_key, new_key};
use crate::core::database::SessionDep;
use crate::core::errors::{ConflictError, ForbiddenError, NotFoundError};
use crate::core::org_rbac::{Principal, lock_organization};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::permissions::{FOR_PEOPLE, Permission, ROLE_PERMISSIONS};
use crate::core::security::{Purpose, SignerDep};
use crate::models::api_key::ApiKey;
use crate::models::base::utcnow;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{bool, set, sorted, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{AsyncSession, ColumnElement, func, select};
use crate::python::standard::{Annotated, UUID, dataclass, timedelta};
use crate::schemas::api_key::ApiKeyCreate;
use crate::services::email_service::{Mail, leaked_key_notice};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.api_key_service": MAX_KEYS, ApiKeyService, ApiKeyServiceDep, revoke_keys;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.api_key_service")
        .docstring("API keys: who may make them, and how they end.")
        .body(block![
            assign(MAX_KEYS, 100),
            api_key_service_class(),
            revoke_keys_def(),
            assign(ApiKeyServiceDep, py!(Annotated[(ApiKeyService, Depends(ApiKeyService))]))
        ])
}

fn api_key_service_class() -> ClassDef {
    names!(session, signer);
    class(ApiKeyService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for API keys."),
        annotate(session, SessionDep),
        annotate(signer, SignerDep),
        api_key_service_create(),
        api_key_service_page(),
        api_key_service_revoke(),
        api_key_service_revoke_leaked(),
        api_key_service_refuse_too_many()
    ])
}

fn api_key_service_create() -> FunctionDef {
    names!(principal, payload, organization, allowed, key, days, row);
    async_def("create")
        .params([untyped("self"), param(principal, Principal), param(payload, ApiKeyCreate)])
        .returns(py!(tuple[(ApiKey, str)]))
        .body(block![
            docstring(
                "Make a key and return it: this is the only copy of it.\n\
                 \n\
                 Nobody makes a key that can do more than they may, nor what only people may."
            ),
            do_(py!(lock_organization(self.session, principal, Permission.API_KEYS_MANAGE).await)),
            assign(organization, py!(principal.organization)),
            assign(allowed, py!(ROLE_PERMISSIONS[principal.role] - FOR_PEOPLE)),
            if_(
                py!(!set(payload.scopes).issubset(allowed)),
                [raise(py!(ForbiddenError(
                    "You cannot give these scopes to a key.",
                    code = "scope_not_allowed"
                )))]
            ),
            do_(py!(self.refuse_too_many(organization).await)),
            assign(py!((key, days)), py!((new_key(), payload.expires_in_days))),
            assign(
                row,
                py!(ApiKey(
                    organization_id = organization.id,
                    user_id = principal.user.id,
                    name = payload.name,
                    hint = key[..HINT_LENGTH],
                    key_hash = self.signer.digest(Purpose.API_KEY, key),
                    scopes = sorted(set(payload.scopes)),
                    expires_at =
                        if days == None { None } else { utcnow() + timedelta(days = days) }
                ))
            ),
            do_(py!(self.session.add(row))),
            do_(py!(self.session.flush().await)),
            return_(py!((row, key)))
        ])
}

fn api_key_service_page() -> FunctionDef {
    names!(principal, page, statement);
    async_def("page")
        .params([untyped("self"), param(principal, Principal), param(page, PageRequest)])
        .returns(py!(Slice[ApiKey]))
        .body(block![
            docstring("List the keys of the caller's organization that were not revoked."),
            assign(
                statement,
                py!(select(ApiKey).r#where(
                    ApiKey.organization_id == principal.organization.id,
                    ApiKey.revoked_at.is_(None)
                ))
            ),
            return_(py!(fetch_page(self.session, statement, ApiKey, page).await))
        ])
}

fn api_key_service_revoke() -> FunctionDef {
    names!(principal, key_id, statement, key, role_of_maker, role);
    async_def("revoke")
        .params([untyped("self"), param(principal, Principal), param(key_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Revoke a key, unless a higher rank made it; doing it twice is no error."),
            do_(py!(lock_organization(self.session, principal, Permission.API_KEYS_MANAGE).await)),
            assign(
                statement,
                py!(select(ApiKey).r#where(
                    ApiKey.id == key_id,
                    ApiKey.organization_id == principal.organization.id
                ))
            ),
            assign(key, py!(self.session.scalar(statement).await)),
            if_(py!(key == None), [raise(py!(NotFoundError("There is no such API key.")))]),
            assign(
                role_of_maker,
                py!(select(Membership.role).r#where(
                    Membership.user_id == key.user_id,
                    Membership.organization_id == key.organization_id
                ))
            ),
            assign(role, py!(self.session.scalar(role_of_maker).await)),
            if_(
                py!(role != None && role.outranks(principal.role)),
                [raise(py!(ForbiddenError("A higher rank made this API key.")))]
            ),
            assign(py!(key.revoked_at), py!(key.revoked_at || utcnow())),
            do_(py!(self.session.flush().await))
        ])
}

fn api_key_service_revoke_leaked() -> FunctionDef {
    names!(key, hashes, statement, found, row, maker);
    async_def("revoke_leaked")
        .params([untyped("self"), param(key, str)])
        .returns(py!(Mail | None))
        .body(block![
            docstring("Revoke a key that its caller should not have, and write to who made it."),
            if_(py!(!is_key(key)), [return_(none())]),
            assign(hashes, py!(self.signer.digests(Purpose.API_KEY, key))),
            assign(
                statement,
                py!(select(ApiKey, User)
                    .join(User, User.id == ApiKey.user_id)
                    .r#where(ApiKey.key_hash.in_(hashes), ApiKey.revoked_at.is_(None))
                    .with_for_update(of = ApiKey))
            ),
            assign(found, py!(self.session.execute(statement).await.one_or_none())),
            if_(py!(found == None), [return_(none())]),
            assign(py!((row, maker)), found),
            assign(py!(row.revoked_at), py!(utcnow())),
            do_(py!(self.session.flush().await)),
            return_(py!(leaked_key_notice(maker.email, row.name)))
        ])
}

fn api_key_service_refuse_too_many() -> FunctionDef {
    names!(organization, keys);
    async_def("refuse_too_many")
        .params([untyped("self"), param(organization, Organization)])
        .returns(none())
        .body(block![
            docstring("Refuse to make more keys than anyone can look after."),
            assign(
                keys,
                py!(select(func.count()).select_from(ApiKey).r#where(
                    ApiKey.organization_id == organization.id,
                    ApiKey.revoked_at.is_(None)
                ))
            ),
            if_(
                py!((self.session.scalar(keys).await || 0) >= MAX_KEYS),
                [raise(py!(ConflictError(
                    "There are too many API keys already.",
                    code = "too_many_api_keys"
                )))]
            )
        ])
}

fn revoke_keys_def() -> FunctionDef {
    names!(session, criteria, keys, key, now);
    async_def(revoke_keys)
        .params([param(session, AsyncSession), varargs(criteria, py!(ColumnElement[bool]))])
        .returns(none())
        .body(block![
            docstring("Revoke the keys of somebody who goes; they stay revoked if they come back."),
            assign(keys, py!(select(ApiKey).r#where(*criteria, ApiKey.revoked_at.is_(None)))),
            assign(now, py!(utcnow())),
            for_(key, py!(session.scalars(keys).await.all()), [assign(py!(key.revoked_at), now)]),
            do_(py!(session.flush().await))
        ])
}
