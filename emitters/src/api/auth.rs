//! `backend/app/api/auth.py`: sign-up and sign-in.

use crate::core::cookies::{Cookies, CookiesDep};
use crate::core::errors::{BadRequestError, UnauthorizedError};
use crate::core::rate_limit::{AttemptsDep, CREDENTIALS, MAILS, RESETS};
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
use crate::spec::{Auth, AuthMode, Spec};
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
        login_def(&spec.auth),
        match spec.auth.mode {
            AuthMode::Bearer => refresh_def(),
            AuthMode::Cookie => refresh_cookie_def(),
            AuthMode::Both => refresh_either_def(),
        },
        logout_def(has_cookies),
        reauthenticate_def(has_totp),
        verify_def(),
        resend_verification_def(),
        forgot_password_def(),
        reset_password_def(),
        spec.auth.has_tokens().then(tokens_read_def),
        match spec.auth.mode {
            AuthMode::Bearer => None,
            AuthMode::Cookie => Some(session_kept_def()),
            AuthMode::Both => Some(session_read_def()),
        }
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
            do_(py!(outbox.add_or_pretend(accounts.register(payload).await))),
            return_(py!(Accepted()))
        ])
}

fn login_def(auth: &Auth) -> FunctionDef {
    let has_totp = auth.has_totp();
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
    let session = session_answer(auth.mode);
    let answer = if has_totp { py!(session | ChallengeRead) } else { session };
    let read = session_handed_over(auth.mode, payload, outcome, settings, cookies);
    async_def(login)
        .decorator(py!(router.post("/login")))
        .params([
            param(payload, LoginRequest),
            param(accounts, AuthServiceDep),
            param(settings, SettingsDep),
            param(attempts, AttemptsDep),
        ])
        .params(auth.has_cookies().then(|| param(cookies, CookiesDep)))
        .returns(answer)
        .body(block![
            docstring(match (auth.has_tokens(), has_totp) {
                (true, true) => {
                    "Exchange an address and a password for tokens, or for a challenge to answer."
                }
                (true, false) => {
                    "Exchange an address and a password for the tokens of a new session."
                }
                (false, true) => {
                    "Sign in with an address and a password, or get a challenge to answer."
                }
                (false, false) => "Sign in with an address and a password.",
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
pub fn session_answer(mode: AuthMode) -> Expr {
    match mode {
        AuthMode::Bearer => TokensRead.into_expr(),
        AuthMode::Cookie => CookieSession.into_expr(),
        AuthMode::Both => py!(TokensRead | CookieSession),
    }
}

/// `session_read(tokens, settings, cookies if payload.cookies else None)`
#[must_use]
pub fn session_handed_over(
    mode: AuthMode,
    payload: Name,
    tokens: Name,
    settings: Name,
    cookies: Name,
) -> Expr {
    match mode {
        AuthMode::Bearer => py!(tokens_read(tokens, settings)),
        AuthMode::Cookie => py!(session_read(tokens, settings, cookies)),
        AuthMode::Both => {
            py!(session_read(tokens, settings, if payload.cookies { cookies } else { None }))
        }
    }
}

fn refresh_cookie_def() -> FunctionDef {
    names!(sessions, settings, cookies);
    async_def(refresh)
        .decorator(py!(router.post("/refresh")))
        .params([
            param(sessions, SessionServiceDep),
            param(settings, SettingsDep),
            param(cookies, CookiesDep),
        ])
        .returns(CookieSession)
        .body(block![
            docstring("Go on with the session whose refresh token, good once, is in the cookie."),
            refreshed_by_cookie()
        ])
}

/// Goes on with the session of the cookies.
fn refreshed_by_cookie() -> Vec<Stmt> {
    names!(sessions, settings, cookies, tokens, token);
    block![
        assign(token, py!(cookies.refresh_token)),
        if_(py!(token == None), [raise(py!(UnauthorizedError("There is no refresh token.")))]),
        do_(py!(cookies.refuse_foreign())),
        assign(tokens, py!(sessions.refresh(token).await)),
        do_(py!(cookies.refuse_forged(tokens.session_id))),
        return_(py!(session_read(tokens, settings, cookies)))
    ]
}

fn refresh_either_def() -> FunctionDef {
    names!(payload, sessions, settings, cookies);
    async_def(refresh)
        .decorator(py!(router.post("/refresh")))
        .params([
            param(payload, RefreshRequest),
            param(sessions, SessionServiceDep),
            param(settings, SettingsDep),
            param(cookies, CookiesDep),
        ])
        .returns(session_answer(AuthMode::Both))
        .body(block![
            docstring(
                "Exchange a refresh token, which is good once, for the next tokens.\n\
                 \n\
                 The token is in the body or in the cookie, and so is what comes back."
            ),
            if_(
                py!(payload.refresh_token != None && cookies.refresh_token != None),
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
            refreshed_by_cookie()
        ])
}

fn session_read_def() -> FunctionDef {
    names!(tokens, settings, cookies);
    def(session_read)
        .params([
            param(tokens, Tokens),
            param(settings, Settings),
            param(cookies, py!(Cookies | None)),
        ])
        .returns(session_answer(AuthMode::Both))
        .body(block![
            docstring("Hand a session over to its client: in cookies, if there are any to use."),
            if_(py!(cookies == None), [return_(py!(tokens_read(tokens, settings)))]),
            kept_in_cookies()
        ])
}

fn session_kept_def() -> FunctionDef {
    names!(tokens, settings, cookies);
    def(session_read)
        .params([param(tokens, Tokens), param(settings, Settings), param(cookies, Cookies)])
        .returns(CookieSession)
        .body(block![
            docstring("Hand a session over to its client, in cookies."),
            kept_in_cookies()
        ])
}

/// Puts a session into cookies, and answers with what a page has to know of it.
fn kept_in_cookies() -> [Stmt; 2] {
    names!(tokens, settings, cookies, token);
    [
        assign(
            token,
            py!(cookies.keep(tokens.session_id, tokens.access_token, tokens.refresh_token)),
        ),
        return_(py!(CookieSession(csrf_token = token, expires_in = settings.access_token_seconds))),
    ]
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
            do_(py!(attempts.spend(RESETS, passwords.account_of(payload.token)).await)),
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
