//! `backend/app/services/password_service.py`: passwords of accounts: shown, forgotten, and changed.

use crate::core::database::{DatabaseDep, SessionDep};
use crate::core::errors::{ForbiddenError, NotFoundError};
use crate::core::lockout::LockoutDep;
use crate::core::passwords::PasswordHasherDep;
use crate::core::rbac::SignedIn;
use crate::core::security::{Purpose, SignerDep};
use crate::core::settings::SettingsDep;
use crate::models::api_key::ApiKey;
use crate::models::base::utcnow;
use crate::models::user::User;
use crate::models::webhook::WebhookEndpoint;
use crate::python::builtins::{bool, dict, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{Annotated, Any, Sequence, UUID, dataclass, timedelta, uuid4};
use crate::services::api_key_service::revoke_keys;
use crate::services::email_service::{Mail, password_notice, reset_mail};
use crate::services::organization_service::OrganizationServiceDep;
use crate::services::session_service::SessionServiceDep;
use crate::services::totp_service::TotpServiceDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.password_service": PasswordService, state_of, PasswordServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.password_service")
        .docstring("Passwords of accounts: shown, forgotten, and changed.")
        .body(block![
            password_service_class(spec),
            state_of_def(),
            assign(PasswordServiceDep, py!(Annotated[(PasswordService, Depends(PasswordService))]))
        ])
}

fn password_service_class(spec: &Spec) -> ClassDef {
    names!(session, settings, hasher, signer, sessions, totp, database, organizations, lockout);
    class(PasswordService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for passwords."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(hasher, PasswordHasherDep),
        annotate(signer, SignerDep),
        annotate(sessions, SessionServiceDep),
        annotate(lockout, LockoutDep),
        spec.auth.has_totp().then(|| annotate(totp, TotpServiceDep)),
        spec.webhooks.enabled.then(|| {
            block![annotate(database, DatabaseDep), annotate(organizations, OrganizationServiceDep)]
        }),
        password_service_matches(),
        password_service_forgot(),
        password_service_reset(spec),
        spec.webhooks.enabled.then(password_service_mute),
        password_service_change(),
        password_service_account_of(),
        password_service_find_by_token(),
        password_service_is_for(),
        password_service_reset_token()
    ])
}

fn password_service_matches() -> FunctionDef {
    names!(user, password, known, matches, new_hash, unchanged, locked);
    async_def("matches")
        .params([untyped("self"), param(user, py!(User | None)), param(password, str)])
        .returns(bool)
        .body(block![
            docstring(
                "Compare a password with that of a user; without one the work is the same.\n\
                 \n\
                 No lock is held during the comparison, which takes long. The account is locked\n\
                 after it, so that a password that was changed meanwhile is a wrong one."
            ),
            assign(known, py!(if user == None { None } else { user.password_hash })),
            do_(py!(self.session.commit().await)),
            assign(py!((matches, new_hash)), py!(self.hasher.verify(password, known).await)),
            if_(py!(user == None || !matches), [return_(false)]),
            assign(
                unchanged,
                py!(select(User.id).r#where(
                    User.id == user.id,
                    User.password_hash == known,
                    User.is_active
                ))
            ),
            assign(
                locked,
                py!(self.session.scalar(unchanged.with_for_update(key_share = true)).await)
            ),
            if_(py!(locked == None), [return_(false)]),
            assign(py!(user.password_hash), py!(new_hash || user.password_hash)),
            return_(true)
        ])
}

fn password_service_forgot() -> FunctionDef {
    names!(email, found, user);
    async_def("forgot").params([untyped("self"), param(email, str)]).returns(py!(Mail | None)).body(
        block![
            docstring(
                "Write a mail that lets its reader set a new password, if there is a user.\n\
                 \n\
                 Nothing is stored, and an unknown address costs as much work as a known one."
            ),
            assign(
                found,
                py!(self.session.scalars(select(User).r#where(User.email == email)).await)
            ),
            assign(user, py!(found.one_or_none())),
            if_(
                py!(user == None || !user.is_active),
                block![do_(py!(self.reset_token(uuid4(), self.hasher.decoy))), return_(none())]
            ),
            return_(py!(reset_mail(user.email, self.reset_token(user.id, state_of(user)))))
        ],
    )
}

fn password_service_reset(spec: &Spec) -> FunctionDef {
    names!(token, password, user, password_hash, claimed, is_first);
    names!(organization_id, organization_ids);
    let has_keys = spec.organizations.api_keys;
    let ends = block![
        has_keys.then(|| do_(py!(revoke_keys(self.session, ApiKey.user_id == user.id).await))),
        spec.auth.has_totp().then(|| do_(py!(self.totp.forget(user).await)))
    ];
    let (asks, mutes) = spec
        .webhooks
        .enabled
        .then(|| {
            let own = py!(self.organizations.ids_of(user).await);
            let asked = py!(if is_first { { own } } else { [] });
            let asks = ann_assign(organization_ids, py!(Sequence[UUID]), asked);
            let mute = do_(py!(self.mute(organization_id).await));
            (asks, for_(organization_id, organization_ids, [mute]))
        })
        .unzip();
    let tells = !ends.is_empty() || mutes.is_some();
    async_def("reset")
        .params([untyped("self"), param(token, str), param(password, str)])
        .returns(Mail)
        .body(block![
            docstring(
                "Set a new password, and sign the user out everywhere.\n\
                 \n\
                 The token is bound to the password that it replaces, and so is good once. It\n\
                 was mailed to the address, so who presents it has shown that it is theirs: if\n\
                 they are the first to, somebody else may have set up what lets them in."
            ),
            assign(user, py!(self.find_by_token(token).await)),
            tells.then(|| assign(is_first, py!(user.email_verified_at == None))),
            asks,
            do_(py!(self.session.commit().await)),
            mutes,
            assign(password_hash, py!(self.hasher.hash(password).await)),
            assign(
                claimed,
                py!(self
                    .session
                    .scalar(
                        update(User)
                            .r#where(
                                User.id == user.id,
                                User.email == user.email,
                                User.password_hash == user.password_hash,
                                User.is_active
                            )
                            .values(
                                password_hash = password_hash,
                                email_verified_at = user.email_verified_at || utcnow()
                            )
                            .returning(User.id)
                    )
                    .await)
            ),
            if_(
                py!(claimed == None),
                [raise(py!(NotFoundError("The token is not valid.", code = "invalid_token")))]
            ),
            do_(py!(self.sessions.end_all(user).await)),
            do_(py!(self.lockout.lift(user.email).await)),
            spec.auth.has_totp().then(|| do_(py!(self.totp.unlock(user).await))),
            (!ends.is_empty()).then(|| if_(is_first, ends)),
            return_(py!(password_notice(user.email)))
        ])
}

/// A session is bound to one organization, so each gets a session of its own.
fn password_service_mute() -> FunctionDef {
    names!(organization_id, session, told, endpoint);
    async_def("mute").params([untyped("self"), param(organization_id, UUID)]).returns(none()).body(
        block![
            docstring("Tell nobody any more what happens in an organization."),
            assign(
                told,
                py!(select(WebhookEndpoint).r#where(WebhookEndpoint.disabled_at.is_(None)))
            ),
            async_with_as(
                py!(self.database.tenant_session(organization_id)),
                session,
                for_(
                    endpoint,
                    py!(session.scalars(told).await.all()),
                    [assign(py!(endpoint.disabled_at), py!(utcnow()))]
                )
            )
        ],
    )
}

fn password_service_change() -> FunctionDef {
    names!(signed_in, current_password, new_password, user, password_hash);
    async_def("change")
        .params([
            untyped("self"),
            param(signed_in, SignedIn),
            param(current_password, str),
            param(new_password, str),
        ])
        .returns(Mail)
        .body(block![
            docstring("Replace the password, and end every other session of the user."),
            assign(user, py!(signed_in.user)),
            assign(password_hash, py!(self.hasher.hash(new_password).await)),
            do_(py!(self.lockout.enter(user.email).await)),
            if_(
                py!(!self.matches(user, current_password).await),
                [raise(py!(ForbiddenError("The password is wrong.", code = "wrong_password")))]
            ),
            do_(py!(self.lockout.lift(user.email).await)),
            assign(py!(user.password_hash), password_hash),
            do_(py!(self.sessions.end_all(user, keep = signed_in.session).await)),
            return_(py!(password_notice(user.email)))
        ])
}

fn password_service_account_of() -> FunctionDef {
    names!(token, claims);
    def("account_of").params([untyped("self"), param(token, str)]).returns(str).body(block![
        docstring("Name whose token it is; what is none of ours is nobody's."),
        assign(claims, py!(self.signer.read(Purpose.RESET, token))),
        return_(py!(if claims == None { "" } else { str(claims["sub"]) }))
    ])
}

fn password_service_find_by_token() -> FunctionDef {
    names!(token, claims, user);
    async_def("find_by_token").params([untyped("self"), param(token, str)]).returns(User).body(
        block![
            docstring("Find the user whose password a token may replace."),
            assign(claims, py!(self.signer.read(Purpose.RESET, token))),
            if_(
                py!(claims != None),
                block![
                    assign(user, py!(self.session.get(User, UUID(claims["sub"])).await)),
                    if_(py!(user != None && self.is_for(claims, user)), [return_(user)])
                ]
            ),
            raise(py!(NotFoundError("The token is not valid.", code = "invalid_token")))
        ],
    )
}

fn password_service_is_for() -> FunctionDef {
    names!(claims, user);
    def("is_for")
        .params([untyped("self"), param(claims, py!(dict[(str, Any)])), param(user, User)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the account is still as it was when the token was issued."),
            return_(py!(in_!(
                claims.get("for"),
                self.signer.digests(Purpose.RESET, state_of(user))
            )))
        ])
}

fn password_service_reset_token() -> FunctionDef {
    names!(user_id, state, lifetime, claims);
    def("reset_token")
        .params([untyped("self"), param(user_id, UUID), param(state, str)])
        .returns(str)
        .body(block![
            docstring("Issue a token that is void as soon as the password or address changes."),
            assign(lifetime, py!(timedelta(seconds = self.settings.reset_token_seconds))),
            assign(claims, py!(dict!("for" => self.signer.digest(Purpose.RESET, state)))),
            return_(py!(self.signer.sign(Purpose.RESET, user_id, lifetime, claims)))
        ])
}

fn state_of_def() -> FunctionDef {
    names!(user);
    def(state_of).params([param(user, User)]).returns(str).body(block![
        docstring("Write down what a reset of the password must not outlive."),
        return_(py!(f!("{} {}", user.email, user.password_hash)))
    ])
}
