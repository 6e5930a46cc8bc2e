//! `backend/app/core/org_rbac.py`: the signed-in user's place in the organization that the path names.

use crate::core::access::refuse_unpaid_change;
use crate::core::api_keys::{
    CallerCredentialDep, KeyCredential, key_actor, note_use, refuse_out_of_scope, require_scope,
};
use crate::core::audit::{act_as, user_actor};
use crate::core::client::ClientDep;
use crate::core::credentials::{Credential, CredentialDep};
use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, NotFoundError, UnauthorizedError};
use crate::core::log_context::current_organization;
use crate::core::payers::payer_id_of;
use crate::core::permissions::{Permission, ROLE_PERMISSIONS};
use crate::core::rate_guard::is_used;
use crate::core::rate_limit::{Pending, PendingDep};
use crate::core::rbac::{refuse_stale, refuse_unprotected};
use crate::core::roles::{Role, role};
use crate::core::settings::{Settings, SettingsDep};
use crate::core::tenancy::bind_tenant;
use crate::guards::guarded;
use crate::models::api_key::ApiKey;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::session::AuthSession;
use crate::models::user::User;
use crate::python::builtins::{isinstance, property, tuple};
use crate::python::fastapi::{Depends, Request};
use crate::python::sqlalchemy::{AsyncSession, aliased, and_, select};
use crate::python::standard::{Annotated, Awaitable, Callable, UUID, dataclass};
use crate::spec::{Payer, Role as OrgRole, Spec, Totp};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.org_rbac": Principal, get_principal, find_member, PrincipalDep, lock_organization,
        get_tenant_session, TenantSessionDep, require_org_roles, require_permission,
        require_fresh_session, require_session, get_key_principal, find_maker, guard_grant;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_keys = spec.organizations.api_keys;
    let pays = spec.has_payer(Payer::User);
    module("app.core.org_rbac")
        .docstring("The signed-in user's place in the organization that the path names.")
        .body(block![
            principal_class(spec),
            get_principal_def(spec),
            find_member_def(pays),
            has_keys.then(|| [get_key_principal_def(spec), find_maker_def(pays)]),
            assign(PrincipalDep, py!(Annotated[(Principal, Depends(get_principal))])),
            lock_organization_def(),
            get_tenant_session_def(),
            assign(TenantSessionDep, py!(Annotated[(AsyncSession, Depends(get_tenant_session))])),
            require_org_roles_def(),
            require_permission_def(),
            has_keys.then(require_session_def),
            require_fresh_session_def(),
            (spec.organizations.roles.len() > 1)
                .then(|| guard_grant_def(spec.organizations.owner()))
        ])
}

/// Puts the guard for people before a route, if there are keys to keep out.
#[must_use]
pub fn only_people(spec: &Spec, route: FunctionDef) -> FunctionDef {
    match spec.organizations.api_keys {
        true => guarded(route, &require_session.into_expr()),
        false => route,
    }
}

fn principal_class(spec: &Spec) -> ClassDef {
    let has_keys = spec.organizations.api_keys;
    names!(user, session, membership, organization, payer, auth_session, key);
    let pays = spec.has_payer(Payer::User).then(|| annotate(payer, User));
    let fields = if has_keys {
        block![
            docstring("Who asks, as a member of which organization: in a session, or by a key."),
            annotate(user, User),
            annotate(membership, Membership),
            annotate(organization, Organization),
            pays,
            ann_assign(auth_session, py!(AuthSession | None), none()),
            ann_assign(key, py!(ApiKey | None), none()),
            principal_session(),
            is_used(spec).then(principal_caller_id)
        ]
    } else {
        block![
            docstring("Who asks, as a member of which organization."),
            annotate(user, User),
            annotate(session, AuthSession),
            annotate(membership, Membership),
            annotate(organization, Organization),
            pays
        ]
    };
    class(Principal).decorator(py!(dataclass(frozen = true))).body(block![
        fields,
        principal_role(),
        principal_require(has_keys)
    ])
}

fn principal_session() -> FunctionDef {
    def("session").decorator(property).params([untyped("self")]).returns(AuthSession).body(block![
        docstring("Return the caller's session; with an API key there is none, which is 403."),
        if_(
            py!(self.auth_session == None),
            [raise(py!(ForbiddenError("An API key cannot do this.", code = "session_required")))]
        ),
        return_(py!(self.auth_session))
    ])
}

fn principal_caller_id() -> FunctionDef {
    def("caller_id").decorator(property).params([untyped("self")]).returns(UUID).body(block![
        docstring("Name the caller among all: the key, or else the membership."),
        return_(py!(if self.key == None { self.membership.id } else { self.key.id }))
    ])
}

fn principal_role() -> FunctionDef {
    def("role").decorator(property).params([untyped("self")]).returns(Role).body(block![
        docstring("Return the caller's role in the organization."),
        return_(py!(self.membership.role))
    ])
}

fn principal_require(has_keys: bool) -> FunctionDef {
    names!(permission);
    let scope = if_(py!(self.key != None), [do_(py!(require_scope(self.key, permission)))]);
    def("require").params([untyped("self"), param(permission, Permission)]).returns(none()).body(
        block![
            docstring(match has_keys {
                true =>
                    "Refuse what the key was not made for, or the caller's role does not allow.",
                false => "Refuse what the caller's role does not allow.",
            }),
            has_keys.then_some(scope),
            if_(
                py!(not_in!(permission, ROLE_PERMISSIONS[self.role])),
                [raise(py!(ForbiddenError("Your role in this organization does not allow this.")))]
            )
        ],
    )
}

fn get_principal_def(spec: &Spec) -> FunctionDef {
    let has_keys = spec.organizations.api_keys;
    let is_required = spec.auth.totp == Totp::Required;
    names!(request, organization_id, credential, session, client, pending, found, user);
    names!(auth_session, membership, organization, payer);
    let client_of_caller = if has_keys { py!(pending.client) } else { py!(client) };
    let payer = spec.has_payer(Payer::User).then_some(payer);
    let is_missing = match payer {
        None => py!(membership == None || organization == None),
        Some(payer) => py!(membership == None || organization == None || payer == None),
    };
    let paying = spec.billing.as_ref().map(|_| payer.unwrap_or(organization));
    let found_parts = [user, auth_session, membership, organization];
    let found_parts = make::tuple(found_parts.into_iter().chain(payer));
    let payer = payer.map(arg);
    let credential_dep = if has_keys { CallerCredentialDep } else { CredentialDep };
    let by_key = if_(
        py!(isinstance(credential, KeyCredential)),
        [return_(py!(
            get_key_principal(request, organization_id, credential, session, pending).await
        ))],
    );
    let principal = match has_keys {
        true => py!(Principal(user, membership, organization, ..payer, auth_session)),
        false => py!(Principal(user, auth_session, membership, organization, ..payer)),
    };
    async_def(get_principal)
        .params((has_keys || spec.billing.is_some()).then(|| param(request, Request)))
        .params([
            param(organization_id, UUID),
            param(credential, credential_dep),
            param(session, SessionDep),
            match has_keys {
                true => param(pending, PendingDep),
                false => param(client, ClientDep),
            },
        ])
        .returns(Principal)
        .body(block![
            docstring(
                "Look the caller's membership up, or answer 401 or 404.\n\
                 \n\
                An organization that the caller does not belong to is answered like one that does\n\
                 not exist."
            ),
            has_keys.then_some(by_key),
            assign(found, py!(find_member(session, credential, organization_id).await)),
            if_(py!(found == None), [raise(py!(UnauthorizedError("This session has ended.")))]),
            assign(found_parts, found),
            is_required.then(|| do_(py!(refuse_unprotected(user)))),
            if_(is_missing, [raise(py!(NotFoundError("There is no such organization.")))]),
            paying.map(|paying| do_(py!(refuse_unpaid_change(request, { paying })))),
            do_(py!(act_as(session, user_actor(user.id, client_of_caller)))),
            do_(py!(current_organization.set(organization.id))),
            return_(principal)
        ])
}

fn get_key_principal_def(spec: &Spec) -> FunctionDef {
    names!(request, organization_id, credential, session, pending, found, user, key);
    names!(membership, organization, payer);
    let payer = spec.has_payer(Payer::User).then_some(payer);
    let paying = spec.billing.as_ref().map(|_| payer.unwrap_or(organization));
    let found_parts = [user, key, membership, organization];
    let found_parts = make::tuple(found_parts.into_iter().chain(payer));
    let payer = payer.map(arg);
    async_def(get_key_principal)
        .params([
            param(request, Request),
            param(organization_id, UUID),
            param(credential, KeyCredential),
            param(session, AsyncSession),
            param(pending, Pending),
        ])
        .returns(Principal)
        .body(block![
            docstring("Look the maker of a key up: it acts for them, as its scopes allow."),
            assign(found, py!(find_maker(session, credential).await)),
            if_(
                py!(found == None),
                [raise(py!(pending.refuse("The API key is not valid.").await))]
            ),
            assign(found_parts, found),
            if_(
                py!(organization.id != organization_id),
                [raise(py!(NotFoundError("There is no such organization.")))]
            ),
            do_(py!(refuse_out_of_scope(request, key))),
            paying.map(|paying| do_(py!(refuse_unpaid_change(request, { paying })))),
            do_(py!(note_use(session, key).await)),
            do_(py!(act_as(session, key_actor(key, pending.client)))),
            do_(py!(current_organization.set(organization.id))),
            return_(py!(Principal(user, membership, organization, ..payer, key = key)))
        ])
}

fn find_maker_def(pays: bool) -> FunctionDef {
    names!(session, credential, membership_of_maker, payer, statement, result);
    let row = match pays {
        true => py!(tuple[(User, ApiKey, Membership, Organization, User)] | None),
        false => py!(tuple[(User, ApiKey, Membership, Organization)] | None),
    };
    let found = pays.then(|| arg(payer));
    let joined = py!(select(User, ApiKey, Membership, Organization, ..found)
        .join(ApiKey, ApiKey.user_id == User.id)
        .join(Membership, membership_of_maker)
        .join(Organization, Organization.id == ApiKey.organization_id));
    let joined = match pays {
        true => py!({ joined }.join(payer, payer.id == payer_id_of(ApiKey.organization_id))),
        false => joined,
    };
    async_def(find_maker)
        .params([param(session, AsyncSession), param(credential, KeyCredential)])
        .returns(row)
        .body(block![
            docstring(
                "Load a key, its maker, their membership and organization in one statement.\n\
                 \n\
                 Who does not belong to the organization any more has no key to it."
            ),
            pays.then(|| assign(payer, py!(aliased(User)))),
            assign(
                membership_of_maker,
                py!(and_(
                    Membership.user_id == ApiKey.user_id,
                    Membership.organization_id == ApiKey.organization_id
                ))
            ),
            assign(statement, py!({ joined }.r#where(credential.matches()))),
            assign(result, py!(session.execute(statement).await)),
            return_(py!(result.one_or_none()))
        ])
}

fn find_member_def(pays: bool) -> FunctionDef {
    names!(session, credential, organization_id, membership_of_user, payer, statement, result);
    let row = match pays {
        true => py!(tuple
            [(User, AuthSession, Membership | None, Organization | None, User | None)]
            | None),
        false => py!(tuple[(User, AuthSession, Membership | None, Organization | None)] | None),
    };
    let found = pays.then(|| arg(payer));
    let joined = py!(select(User, AuthSession, Membership, Organization, ..found)
        .join(AuthSession, AuthSession.user_id == User.id)
        .outerjoin(Membership, membership_of_user)
        .outerjoin(Organization, Organization.id == Membership.organization_id));
    let joined = match pays {
        true => py!({ joined }.outerjoin(payer, payer.id == payer_id_of(organization_id))),
        false => joined,
    };
    async_def(find_member)
        .params([
            param(session, AsyncSession),
            param(credential, Credential),
            param(organization_id, UUID),
        ])
        .returns(row)
        .body(block![
            docstring(match pays {
                true => {
                    "Load a user, their session and membership, the organization, and who pays for it.\n\
                     \n\
                     This is one statement."
                }
                false => "Load a user, their session, membership and organization in one statement.",
            }),
            pays.then(|| assign(payer, py!(aliased(User)))),
            assign(
                membership_of_user,
                py!(and_(
                    Membership.user_id == User.id,
                    Membership.organization_id == organization_id
                ))
            ),
            assign(
                statement,
                py!({ joined }.r#where(credential.matches()))
            ),
            assign(result, py!(session.execute(statement).await)),
            return_(py!(result.one_or_none()))
        ])
}

fn lock_organization_def() -> FunctionDef {
    names!(session, principal, permission, organization_id, locked, own);
    async_def(lock_organization)
        .params([
            param(session, AsyncSession),
            param(principal, Principal),
            param(permission, py!(Permission | None)).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Let nobody else change who belongs to the organization until this commits.\n\
                 \n\
                 The caller may have been removed or may have lost the role while the lock was\n\
                 waited for, so both are looked at again."
            ),
            assign(organization_id, py!(principal.organization.id)),
            assign(
                locked,
                py!(select(Organization.id).r#where(Organization.id == organization_id))
            ),
            do_(py!(session.execute(locked.with_for_update(key_share = true)).await)),
            assign(
                own,
                py!(select(Membership)
                    .r#where(Membership.id == principal.membership.id)
                    .execution_options(populate_existing = true))
            ),
            if_(
                py!(session.scalar(own).await == None),
                [raise(py!(NotFoundError("There is no such organization.")))]
            ),
            if_(py!(permission != None), [do_(py!(principal.require(permission)))])
        ])
}

fn get_tenant_session_def() -> FunctionDef {
    names!(principal, session);
    async_def(get_tenant_session)
        .params([param(principal, PrincipalDep), param(session, SessionDep)])
        .returns(AsyncSession)
        .body(block![
            docstring("Return the session of the request, bound to the caller's organization."),
            do_(py!(bind_tenant(session, principal.organization.id).await)),
            return_(session)
        ])
}

fn require_org_roles_def() -> FunctionDef {
    names!(roles, guard);
    def(require_org_roles)
        .params([varargs(roles, Role)])
        .returns(py!(Callable[([Principal], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without one of these roles the answer is 403."),
            {
                names!(principal);
                async_def(guard).params([param(principal, PrincipalDep)]).returns(none()).body(if_(
                    py!(not_in!(principal.role, roles)),
                    [raise(py!(ForbiddenError(
                        "Your role in this organization does not allow this."
                    )))],
                ))
            },
            return_(guard)
        ])
}

fn require_permission_def() -> FunctionDef {
    names!(permission, guard);
    def(require_permission)
        .params([param(permission, Permission)])
        .returns(py!(Callable[([Principal], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without a role that allows it the answer is 403."),
            {
                names!(principal);
                async_def(guard)
                    .params([param(principal, PrincipalDep)])
                    .returns(none())
                    .body([do_(py!(principal.require(permission)))])
            },
            return_(guard)
        ])
}

fn require_session_def() -> FunctionDef {
    names!(principal);
    async_def(require_session).params([param(principal, PrincipalDep)]).returns(none()).body(
        block![
            docstring("Guard a route that is for people: an API key is answered 403."),
            if_(
                py!(principal.auth_session == None),
                [raise(py!(ForbiddenError(
                    "An API key cannot do this.",
                    code = "session_required"
                )))]
            )
        ],
    )
}

/// Handing out the highest role is a handover, by whatever route.
fn guard_grant_def(owner: &OrgRole) -> FunctionDef {
    names!(principal, granted, settings);
    let owner_role = &role(owner);
    def(guard_grant)
        .params([param(principal, Principal), param(granted, Role), param(settings, Settings)])
        .returns(none())
        .body(block![
            docstring(
                "Let the highest role be given as it is handed over: by people, just signed in."
            ),
            if_(
                py!(is_!(granted, owner_role)),
                [do_(py!(refuse_stale(principal.session, settings)))]
            )
        ])
}

fn require_fresh_session_def() -> FunctionDef {
    names!(principal, settings);
    async_def(require_fresh_session)
        .params([param(principal, PrincipalDep), param(settings, SettingsDep)])
        .returns(none())
        .body(block![
            docstring("Guard a route: long after the last sign-in the answer is 403."),
            do_(py!(refuse_stale(principal.session, settings)))
        ])
}
