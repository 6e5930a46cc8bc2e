//! `backend/app/services/auth_service.py`: accounts: sign-up, sign-in, and whose address it is.

use crate::core::database::SessionDep;
use crate::core::errors::{ForbiddenError, NotFoundError, UnauthorizedError};
use crate::core::lockout::LockoutDep;
use crate::core::passwords::PasswordHasherDep;
use crate::core::rbac::SignedIn;
use crate::core::security::{Purpose, SignerDep};
use crate::core::settings::SettingsDep;
use crate::models::base::utcnow;
use crate::models::user::User;
use crate::python::builtins::{bool, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{IntegrityError, select};
use crate::python::standard::{Annotated, UUID, dataclass, timedelta, uuid4};
use crate::schemas::auth::{LoginRequest, RegisterRequest};
use crate::services::challenge_service::{Challenge, ChallengeServiceDep};
use crate::services::email_service::{Mail, registration_notice, verification_mail, welcome_mail};
use crate::services::invitation_reply_service::InvitationReplyServiceDep;
use crate::services::organization_service::OrganizationServiceDep;
use crate::services::password_service::PasswordServiceDep;
use crate::services::session_service::{SessionServiceDep, Tokens};
use crate::services::totp_service::TotpServiceDep;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.auth_service": AuthService, AuthServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.auth_service")
        .docstring("Accounts: sign-up, sign-in, and whose address it is.")
        .body(block![
            auth_service_class(spec.organizations.personal, spec.auth.has_totp()),
            assign(AuthServiceDep, py!(Annotated[(AuthService, Depends(AuthService))]))
        ])
}

fn auth_service_class(personal: bool, has_totp: bool) -> ClassDef {
    names!(session, settings, hasher, signer, passwords, sessions, organizations, replies);
    names!(totp, challenges, lockout);
    class(AuthService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for signing up and signing in."),
        annotate(session, SessionDep),
        annotate(settings, SettingsDep),
        annotate(hasher, PasswordHasherDep),
        annotate(signer, SignerDep),
        annotate(lockout, LockoutDep),
        annotate(passwords, PasswordServiceDep),
        annotate(sessions, SessionServiceDep),
        annotate(replies, InvitationReplyServiceDep),
        personal.then(|| annotate(organizations, OrganizationServiceDep)),
        has_totp
            .then(|| [annotate(totp, TotpServiceDep), annotate(challenges, ChallengeServiceDep)]),
        auth_service_register(personal),
        auth_service_is_invited(),
        auth_service_login(has_totp),
        auth_service_reauthenticate(has_totp),
        auth_service_verify(),
        auth_service_resend_verification(),
        auth_service_find_user(),
        auth_service_mail_to_known(),
        auth_service_verification_mail(),
        auth_service_verification_token()
    ])
}

fn auth_service_register(personal: bool) -> FunctionDef {
    names!(payload, password_hash, known, invited, user);
    async_def("register")
        .params([untyped("self"), param(payload, RegisterRequest)])
        .returns(py!(Mail | None))
        .body(block![
            docstring(if personal {
                "Create an account, and its organization unless it was invited to one.\n\
                 \n\
                 The caller learns nothing about the address; its owner gets the mail that is\n\
                 returned. A known address costs as much work as a new one."
            } else {
                "Create an account.\n\
                 \n\
                 The caller learns nothing about the address; its owner gets the mail that is\n\
                 returned. A known address costs as much work as a new one."
            }),
            assign(password_hash, py!(self.hasher.hash(payload.password).await)),
            assign(known, py!(self.find_user(payload.email).await)),
            if_(py!(known != None), [return_(py!(self.mail_to_known(known)))]),
            assign(invited, py!(self.is_invited(payload).await)),
            assign(
                user,
                py!(User(
                    email = payload.email,
                    password_hash = password_hash,
                    email_verified_at = if invited { utcnow() } else { None }
                ))
            ),
            do_(py!(self.session.add(user))),
            try_([do_(py!(self.session.flush().await))]).except(
                IntegrityError,
                block![
                    do_(py!(self.session.rollback().await)),
                    return_(py!(registration_notice(payload.email)))
                ]
            ),
            if_(py!(invited), [return_(py!(welcome_mail(user.email)))]),
            personal.then(|| found_personal_organization(user)),
            return_(py!(self.verification_mail(user)))
        ])
}

fn found_personal_organization(user: Name) -> Stmt {
    do_(py!(self.organizations.create(user, user.email.partition("@")[0]).await))
}

fn auth_service_is_invited() -> FunctionDef {
    names!(payload, token);
    async_def("is_invited")
        .params([untyped("self"), param(payload, RegisterRequest)])
        .returns(bool)
        .body(block![
            docstring("Tell whether the caller shows a token that was mailed to the address."),
            assign(token, py!(payload.invitation_token)),
            return_(py!(token != None && self.replies.is_invited(payload.email, token).await))
        ])
}

fn auth_service_login(has_totp: bool) -> FunctionDef {
    names!(payload, user, matches);
    let outcome = if has_totp { py!(Tokens | Challenge) } else { Tokens.into_expr() };
    let challenge = has_totp.then(|| {
        if_(py!(user.totp_enabled_at != None), [return_(py!(self.challenges.open(user).await))])
    });
    async_def("login")
        .params([untyped("self"), param(payload, LoginRequest)])
        .returns(outcome)
        .body(block![
            docstring(if has_totp {
                "Open a session or ask for a code, or refuse without saying why."
            } else {
                "Open a session, or refuse without saying what was wrong."
            }),
            do_(py!(self.lockout.enter(payload.email).await)),
            assign(user, py!(self.find_user(payload.email).await)),
            assign(matches, py!(self.passwords.matches(user, payload.password).await)),
            if_(
                py!(user == None || !matches),
                [raise(py!(UnauthorizedError(
                    "The address or the password is wrong.",
                    code = "invalid_credentials"
                )))]
            ),
            challenge,
            do_(py!(self.lockout.lift(user.email).await)),
            return_(py!(self.sessions.open(user).await))
        ])
}

fn auth_service_reauthenticate(has_totp: bool) -> FunctionDef {
    names!(signed_in, password, code);
    async_def("reauthenticate")
        .params([untyped("self"), param(signed_in, SignedIn), param(password, str)])
        .params(has_totp.then(|| param(code, py!(str | None)).default(none())))
        .returns(none())
        .body(block![
            docstring(if has_totp {
                "Make the session fresh again: its user has shown who they are."
            } else {
                "Make the session fresh again: its user has shown the password."
            }),
            do_(py!(self.lockout.enter(signed_in.user.email).await)),
            if_(
                py!(!self.passwords.matches(signed_in.user, password).await),
                [raise(py!(ForbiddenError("The password is wrong.", code = "wrong_password")))]
            ),
            has_totp.then(|| do_(py!(self.totp.require_code(signed_in.user, code).await))),
            do_(py!(self.lockout.lift(signed_in.user.email).await)),
            do_(py!(self.sessions.renew(signed_in.session).await))
        ])
}

fn auth_service_verify() -> FunctionDef {
    names!(user, token, claims);
    async_def("verify")
        .params([untyped("self"), param(user, User), param(token, str)])
        .returns(none())
        .body(block![
            docstring(
                "Believe that the address is the user's.\n\
                 \n\
                 They must be signed in: who registered somebody else's address gets nothing\n\
                 out of its owner following the link."
            ),
            assign(claims, py!(self.signer.read(Purpose.VERIFICATION, token) || dict!())),
            if_(
                py!(claims.get("sub") != str(user.id) || claims.get("email") != user.email),
                [raise(py!(NotFoundError("The token is not valid.", code = "invalid_token")))]
            ),
            assign(py!(user.email_verified_at), py!(user.email_verified_at || utcnow()))
        ])
}

fn auth_service_resend_verification() -> FunctionDef {
    names!(email, user);
    async_def("resend_verification")
        .params([untyped("self"), param(email, str)])
        .returns(py!(Mail | None))
        .body(block![
            docstring("Write another verification mail, if there is somebody to verify."),
            assign(user, py!(self.find_user(email).await)),
            if_(
                py!(user == None || user.email_verified_at || !user.is_active),
                block![do_(py!(self.verification_token(uuid4(), email))), return_(none())]
            ),
            return_(py!(self.verification_mail(user)))
        ])
}

fn auth_service_find_user() -> FunctionDef {
    names!(email, found);
    async_def("find_user")
        .params([untyped("self"), param(email, str)])
        .returns(py!(User | None))
        .body(block![
            docstring("Find a user by address."),
            assign(
                found,
                py!(self.session.scalars(select(User).r#where(User.email == email)).await)
            ),
            return_(py!(found.one_or_none()))
        ])
}

fn auth_service_mail_to_known() -> FunctionDef {
    names!(user);
    def("mail_to_known")
        .params([untyped("self"), param(user, User)])
        .returns(py!(Mail | None))
        .body(block![
            docstring("Write to whose address is registered again; nothing if they are disabled."),
            if_(
                py!(user.email_verified_at == None && user.is_active),
                [return_(py!(self.verification_mail(user)))]
            ),
            do_(py!(self.verification_token(user.id, user.email))),
            return_(py!(if user.is_active { registration_notice(user.email) } else { None }))
        ])
}

fn auth_service_verification_mail() -> FunctionDef {
    names!(user);
    def("verification_mail").params([untyped("self"), param(user, User)]).returns(Mail).body(
        block![
            docstring("Write a mail whose token proves that its reader owns the address."),
            return_(py!(verification_mail(
                user.email,
                self.verification_token(user.id, user.email)
            )))
        ],
    )
}

fn auth_service_verification_token() -> FunctionDef {
    names!(user_id, email, lifetime, claims);
    def("verification_token")
        .params([untyped("self"), param(user_id, UUID), param(email, str)])
        .returns(str)
        .body(block![
            docstring("Issue a token that is void as soon as the address changes."),
            assign(lifetime, py!(timedelta(seconds = self.settings.verification_token_seconds))),
            assign(claims, py!(dict!("email" => email))),
            return_(py!(self.signer.sign(Purpose.VERIFICATION, user_id, lifetime, claims)))
        ])
}
