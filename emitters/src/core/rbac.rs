//! `backend/app/core/rbac.py`: the signed-in user and their role on the platform.

use crate::core::audit::{act_as, user_actor};
use crate::core::client::ClientDep;
use crate::core::credentials::CredentialDep;
use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, UnauthorizedError};
use crate::core::roles::UserRole;
use crate::core::settings::{Settings, SettingsDep};
use crate::models::base::utcnow;
use crate::models::session::AuthSession;
use crate::models::user::User;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, Awaitable, Callable, dataclass, timedelta};
use crate::spec::{Spec, Totp};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.rbac": SignedIn, get_signed_in, SignedInDep, get_current_user, CurrentUserDep,
        require_user_roles, require_fresh_sign_in, refuse_stale, refuse_unprotected;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_required = spec.auth.totp == Totp::Required;
    module("app.core.rbac").docstring("The signed-in user and their role on the platform.").body(
        block![
            signed_in_class(),
            get_signed_in_def(),
            assign(SignedInDep, py!(Annotated[(SignedIn, Depends(get_signed_in))])),
            get_current_user_def(is_required),
            assign(CurrentUserDep, py!(Annotated[(User, Depends(get_current_user))])),
            require_user_roles_def(),
            require_fresh_sign_in_def(),
            refuse_stale_def(),
            is_required.then(refuse_unprotected_def)
        ],
    )
}

fn signed_in_class() -> ClassDef {
    names!(user, session);
    class(SignedIn).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Who asks, and in which session."),
        annotate(user, User),
        annotate(session, AuthSession)
    ])
}

fn get_signed_in_def() -> FunctionDef {
    names!(credential, session, client, statement, found, user, auth_session);
    async_def(get_signed_in)
        .params([
            param(credential, CredentialDep),
            param(session, SessionDep),
            param(client, ClientDep),
        ])
        .returns(SignedIn)
        .body(block![
            docstring("Load the caller and their session in one statement, or answer 401."),
            assign(
                statement,
                py!(select(User, AuthSession)
                    .join(AuthSession, AuthSession.user_id == User.id)
                    .r#where(credential.matches()))
            ),
            assign(found, py!(session.execute(statement).await.one_or_none())),
            if_(py!(found == None), [raise(py!(UnauthorizedError("This session has ended.")))]),
            assign(py!((user, auth_session)), found),
            do_(py!(act_as(session, user_actor(user.id, client)))),
            return_(py!(SignedIn(user, auth_session)))
        ])
}

fn get_current_user_def(is_required: bool) -> FunctionDef {
    names!(signed_in);
    def(get_current_user).params([param(signed_in, SignedInDep)]).returns(User).body(block![
        docstring("Return the caller, or answer 401."),
        is_required.then(|| do_(py!(refuse_unprotected(signed_in.user)))),
        return_(py!(signed_in.user))
    ])
}

fn refuse_unprotected_def() -> FunctionDef {
    names!(user);
    def(refuse_unprotected).params([param(user, User)]).returns(none()).body(block![
        docstring("Refuse a user who has not set up one-time codes, which everybody must."),
        if_(
            py!(user.totp_enabled_at == None),
            [raise(py!(ForbiddenError("Set up one-time codes first.", code = "totp_required")))]
        )
    ])
}

fn require_user_roles_def() -> FunctionDef {
    names!(roles, guard);
    def(require_user_roles)
        .params([varargs(roles, UserRole)])
        .returns(py!(Callable[([User], Awaitable[None])]))
        .body(block![
            docstring("Guard a route: without one of these roles the answer is 403."),
            {
                names!(user);
                async_def(guard).params([param(user, CurrentUserDep)]).returns(none()).body(if_(
                    py!(not_in!(user.role, roles)),
                    [raise(py!(ForbiddenError("Your role does not allow this.")))],
                ))
            },
            return_(guard)
        ])
}

fn require_fresh_sign_in_def() -> FunctionDef {
    names!(signed_in, settings);
    async_def(require_fresh_sign_in)
        .params([param(signed_in, SignedInDep), param(settings, SettingsDep)])
        .returns(none())
        .body(block![
            docstring(
                "Guard a route of the account: long after the last sign-in the answer is 403."
            ),
            do_(py!(refuse_stale(signed_in.session, settings)))
        ])
}

fn refuse_stale_def() -> FunctionDef {
    names!(auth_session, settings, fresh);
    def(refuse_stale)
        .params([param(auth_session, AuthSession), param(settings, Settings)])
        .returns(none())
        .body(block![
            docstring("Refuse a session whose user has not shown the password for a while."),
            assign(fresh, py!(timedelta(seconds = settings.fresh_session_seconds))),
            if_(
                py!(utcnow() - auth_session.authenticated_at > fresh),
                [raise(py!(ForbiddenError(
                    "Confirm that it is you first.",
                    code = "session_not_fresh"
                )))]
            )
        ])
}
