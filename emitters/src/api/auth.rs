//! `backend/app/api/auth.py`: sign-up, sign-in, and the account of the caller.

use crate::core::rbac::CurrentUserDep;
use crate::core::settings::SettingsDep;
use crate::python::fastapi::{APIRouter, BackgroundTasks, status};
use crate::schemas::auth::{
    Accepted, AccessTokenRead, LoginRequest, RegisterRequest, UserRead, VerifyRequest,
};
use crate::services::auth_service::AuthServiceDep;
use crate::services::email_service::MailerDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.auth": router, register, login, verify, read_me;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.api.auth").docstring("Sign-up, sign-in, and the account of the caller.").body(
        block![
            assign(router, py!(APIRouter(prefix = "/auth", tags = ["auth"]))),
            register_def(),
            login_def(),
            verify_def(),
            read_me_def()
        ],
    )
}

fn register_def() -> FunctionDef {
    names!(payload, accounts, mailer, background, mail);
    async_def(register)
        .decorator(py!(router.post("/register", status_code = status.HTTP_202_ACCEPTED)))
        .params([
            param(payload, RegisterRequest),
            param(accounts, AuthServiceDep),
            param(mailer, MailerDep),
            param(background, BackgroundTasks),
        ])
        .returns(Accepted)
        .body(block![
            docstring("Create an account; the answer is the same for a known address."),
            assign(mail, py!(accounts.register(payload).await)),
            do_(py!(background.add_task(mailer.send, mail))),
            return_(py!(Accepted()))
        ])
}

fn login_def() -> FunctionDef {
    names!(payload, accounts, settings, access_token, lifetime);
    async_def(login)
        .decorator(py!(router.post("/login")))
        .params([
            param(payload, LoginRequest),
            param(accounts, AuthServiceDep),
            param(settings, SettingsDep),
        ])
        .returns(AccessTokenRead)
        .body(block![
            docstring("Exchange an address and a password for an access token."),
            assign(access_token, py!(accounts.login(payload).await)),
            assign(lifetime, py!(settings.access_token_seconds)),
            return_(py!(AccessTokenRead(access_token = access_token, expires_in = lifetime)))
        ])
}

fn verify_def() -> FunctionDef {
    names!(payload, user, accounts);
    async_def(verify)
        .decorator(py!(router.post("/verify")))
        .params([
            param(payload, VerifyRequest),
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

fn read_me_def() -> FunctionDef {
    names!(user);
    async_def(read_me)
        .decorator(py!(router.get("/me")))
        .params([param(user, CurrentUserDep)])
        .returns(UserRead)
        .body(block![
            docstring("Return the caller's account."),
            return_(py!(UserRead.model_validate(user)))
        ])
}
