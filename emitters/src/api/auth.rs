//! `backend/app/api/auth.py`: sign-up and sign-in.

use crate::core::cookies::{Cookies, CookiesDep};
use crate::core::errors::{BadRequestError, UnauthorizedError};
use crate::core::rate_limit::{AttemptsDep, CREDENTIALS, MAILS};
use crate::core::rbac::{CurrentUserDep, SignedInDep};
use crate::core::settings::{Settings, SettingsDep};
use crate::python::builtins::{int, isinstance};
use crate::python::fastapi::{APIRouter, status};
use crate::schemas::auth::{
    Accepted, CookieSession, EmailRequest, LoginRequest, PasswordReset, ReauthenticateRequest,
    RefreshRequest, RegisterRequest, TokenRequest, TokensRead, UserRead,
};
use crate::schemas::totp::ChallengeRead;
use crate::services::auth_service::AuthServiceDep;
use crate::services::challenge_service::{Challenge, LIFETIME};
use crate::services::outbox::OutboxDep;
use crate::services::password_service::PasswordServiceDep;
use crate::services::session_service::{SessionServiceDep, Tokens};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.auth": router, register, login, refresh, logout, reauthenticate, verify,
        resend_verification, forgot_password, reset_password, tokens_read, session_read;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_totp = spec.auth.has_totp();
    let has_cookies = spec.auth.has_cookies();
    module("app.api.auth").docstring("Sign-up and sign-in.").body(block![
        assign(router, py!(APIRouter(prefix = "/auth", tags = ["auth"]))),
        register_def(),
        login_def(has_totp, has_cookies),
        if has_cookies { refresh_either_def() } else { refresh_def() },
        logout_def(has_cookies),
        reauthenticate_def(has_totp),
        verify_def(),
        resend_verification_def(),
        forgot_password_def(),
        reset_password_def(),
        tokens_read_def(),
        has_cookies.then(session_read_def)
    ])
}

fn register_def() -> FunctionDef {
    names!(attempts, payload, accounts, outbox);
    async_def(register)
        .decorator(py!(router.post("/register", status_code = status.HTTP_202_ACCEPTED)))
        .params([
            param(payload, RegisterRequest),
            param(accounts, AuthServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(Accepted)
        .body(block![
            docstring("Create an account; the answer is the same for a known address."),
            do_(py!(attempts.spend(MAILS, payload.email).await)),
            do_(py!(outbox.add(accounts.register(payload).await))),
            return_(py!(Accepted()))
        ])
}

fn login_def(has_totp: bool, has_cookies: bool) -> FunctionDef {
    names!(attempts, payload, accounts, settings, outcome, cookies);
    let challenge = has_totp.then(|| {
        if_(
            py!(isinstance(outcome, Challenge)),
            [return_(py!(ChallengeRead(
                challenge = outcome.token,
                expires_in = int(LIFETIME.total_seconds())
            )))],
        )
    });
    let session = session_answer(has_cookies);
    let answer = if has_totp { py!(session | ChallengeRead) } else { session };
    let read = session_handed_over(has_cookies, payload, outcome, settings, cookies);
    async_def(login)
        .decorator(py!(router.post("/login")))
        .params([
            param(payload, LoginRequest),
            param(accounts, AuthServiceDep),
            param(settings, SettingsDep),
            param(attempts, AttemptsDep),
        ])
        .params(has_cookies.then(|| param(cookies, CookiesDep)))
        .returns(answer)
        .body(block![
            docstring(if has_totp {
                "Exchange an address and a password for tokens, or for a challenge to answer."
            } else {
                "Exchange an address and a password for the tokens of a new session."
            }),
            do_(py!(attempts.spend(CREDENTIALS, payload.email).await)),
            assign(outcome, py!(accounts.login(payload).await)),
            challenge,
            return_(read)
        ])
}

fn refresh_def() -> FunctionDef {
    names!(payload, sessions, settings);
    async_def(refresh)
        .decorator(py!(router.post("/refresh")))
        .params([
            param(payload, RefreshRequest),
            param(sessions, SessionServiceDep),
            param(settings, SettingsDep),
        ])
        .returns(TokensRead)
        .body(block![
            docstring("Exchange a refresh token, which is good once, for the next tokens."),
            return_(py!(tokens_read(sessions.refresh(payload.refresh_token).await, settings)))
        ])
}

/// What a route answers that opens a session: `TokensRead | CookieSession`.
#[must_use]
pub fn session_answer(has_cookies: bool) -> Expr {
    if has_cookies { py!(TokensRead | CookieSession) } else { TokensRead.into_expr() }
}

/// `session_read(tokens, settings, cookies if payload.cookies else None)`
#[must_use]
pub fn session_handed_over(
    has_cookies: bool,
    payload: Name,
    tokens: Name,
    settings: Name,
    cookies: Name,
) -> Expr {
    match has_cookies {
        true => py!(session_read(tokens, settings, if payload.cookies { cookies } else { None })),
        false => py!(tokens_read(tokens, settings)),
    }
}

fn refresh_either_def() -> FunctionDef {
    names!(payload, sessions, settings, cookies, tokens, token);
    async_def(refresh)
        .decorator(py!(router.post("/refresh")))
        .params([
            param(payload, RefreshRequest),
            param(sessions, SessionServiceDep),
            param(settings, SettingsDep),
            param(cookies, CookiesDep),
        ])
        .returns(session_answer(true))
        .body(block![
            docstring(
                "Exchange a refresh token, which is good once, for the next tokens.\n\
                 \n\
                 The token is in the body or in the cookie, and so is what comes back."
            ),
            assign(token, py!(cookies.refresh_token)),
            if_(
                py!(payload.refresh_token != None && token != None),
                [raise(py!(BadRequestError(
                    "Send a token or a cookie, not both.",
                    code = "ambiguous_credentials"
                )))]
            ),
            if_(
                py!(payload.refresh_token != None),
                [return_(py!(tokens_read(
                    sessions.refresh(payload.refresh_token).await,
                    settings
                )))]
            ),
            if_(py!(token == None), [raise(py!(UnauthorizedError("There is no refresh token.")))]),
            do_(py!(cookies.refuse_foreign())),
            assign(tokens, py!(sessions.refresh(token).await)),
            do_(py!(cookies.refuse_forged(tokens.session_id))),
            return_(py!(session_read(tokens, settings, cookies)))
        ])
}

fn session_read_def() -> FunctionDef {
    names!(tokens, settings, cookies, token);
    def(session_read)
        .params([
            param(tokens, Tokens),
            param(settings, Settings),
            param(cookies, py!(Cookies | None)),
        ])
        .returns(session_answer(true))
        .body(block![
            docstring("Hand a session over to its client: in cookies, if there are any to use."),
            if_(py!(cookies == None), [return_(py!(tokens_read(tokens, settings)))]),
            assign(
                token,
                py!(cookies.keep(tokens.session_id, tokens.access_token, tokens.refresh_token))
            ),
            return_(py!(CookieSession(
                csrf_token = token,
                expires_in = settings.access_token_seconds
            )))
        ])
}

fn logout_def(has_cookies: bool) -> FunctionDef {
    names!(signed_in, sessions, cookies);
    async_def(logout)
        .decorator(py!(router.post("/logout", status_code = status.HTTP_204_NO_CONTENT)))
        .params([param(signed_in, SignedInDep), param(sessions, SessionServiceDep)])
        .params(has_cookies.then(|| param(cookies, CookiesDep)))
        .returns(none())
        .body(block![
            docstring("End the session; its tokens are worth nothing from now on."),
            do_(py!(sessions.end(signed_in.user, signed_in.session.id).await)),
            has_cookies.then(|| do_(py!(cookies.drop())))
        ])
}

fn reauthenticate_def(has_totp: bool) -> FunctionDef {
    names!(attempts, payload, signed_in, accounts);
    let code = has_totp.then(|| arg(py!(payload.code)));
    async_def(reauthenticate)
        .decorator(py!(router.post("/reauthenticate", status_code = status.HTTP_204_NO_CONTENT)))
        .params([
            param(payload, ReauthenticateRequest),
            param(signed_in, SignedInDep),
            param(accounts, AuthServiceDep),
            param(attempts, AttemptsDep),
        ])
        .returns(none())
        .body(block![
            docstring(if has_totp {
                "Show password and code again, for an act that asks for a fresh session."
            } else {
                "Show the password again, before an act that asks for a fresh session."
            }),
            do_(py!(attempts.spend(CREDENTIALS, signed_in.user.email).await)),
            do_(py!(accounts.reauthenticate(signed_in, payload.password, ..code).await))
        ])
}

fn verify_def() -> FunctionDef {
    names!(payload, user, accounts);
    async_def(verify)
        .decorator(py!(router.post("/verify")))
        .params([
            param(payload, TokenRequest),
            param(user, CurrentUserDep),
            param(accounts, AuthServiceDep),
        ])
        .returns(UserRead)
        .body(block![
            docstring("Confirm the caller's address with the token that was mailed to it."),
            do_(py!(accounts.verify(user, payload.token).await)),
            return_(py!(UserRead.model_validate(user)))
        ])
}

fn resend_verification_def() -> FunctionDef {
    names!(attempts, payload, accounts, outbox, mail);
    async_def(resend_verification)
        .decorator(py!(router.post("/verify/resend", status_code = status.HTTP_202_ACCEPTED)))
        .params([
            param(payload, EmailRequest),
            param(accounts, AuthServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(Accepted)
        .body(block![
            docstring("Send the verification mail again; the answer is the same for any address."),
            do_(py!(attempts.spend(MAILS, payload.email).await)),
            assign(mail, py!(accounts.resend_verification(payload.email).await)),
            do_(py!(outbox.add_or_pretend(mail))),
            return_(py!(Accepted()))
        ])
}

fn forgot_password_def() -> FunctionDef {
    names!(attempts, payload, passwords, outbox, mail);
    async_def(forgot_password)
        .decorator(py!(router.post("/password/forgot", status_code = status.HTTP_202_ACCEPTED)))
        .params([
            param(payload, EmailRequest),
            param(passwords, PasswordServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(Accepted)
        .body(block![
            docstring("Send a reset mail; the answer is the same for any address."),
            do_(py!(attempts.spend(MAILS, payload.email).await)),
            assign(mail, py!(passwords.forgot(payload.email).await)),
            do_(py!(outbox.add_or_pretend(mail))),
            return_(py!(Accepted()))
        ])
}

fn reset_password_def() -> FunctionDef {
    names!(attempts, payload, passwords, outbox, mail);
    async_def(reset_password)
        .decorator(py!(router.post("/password/reset", status_code = status.HTTP_204_NO_CONTENT)))
        .params([
            param(payload, PasswordReset),
            param(passwords, PasswordServiceDep),
            param(outbox, OutboxDep),
            param(attempts, AttemptsDep),
        ])
        .returns(none())
        .body(block![
            docstring("Set a new password with the token of a reset mail; every session ends."),
            do_(py!(attempts.spend(CREDENTIALS).await)),
            assign(mail, py!(passwords.reset(payload.token, payload.password).await)),
            do_(py!(outbox.add(mail)))
        ])
}

fn tokens_read_def() -> FunctionDef {
    names!(tokens, settings);
    def(tokens_read)
        .params([param(tokens, Tokens), param(settings, Settings)])
        .returns(TokensRead)
        .body(block![
            docstring("Write the tokens of a session down for its client."),
            return_(py!(TokensRead(
                access_token = tokens.access_token,
                expires_in = settings.access_token_seconds,
                refresh_token = tokens.refresh_token
            )))
        ])
}
