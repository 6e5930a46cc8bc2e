//! `backend/app/schemas/auth.py`: requests and responses about accounts.

use crate::core::roles::UserRole;
use crate::python::builtins::{int, str};
use crate::python::pydantic::{Field, StrictBool};
use crate::python::standard::{Annotated, Literal, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::{Email, NO_NUL, Password};
use crate::spec::{AuthMode, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.auth": BEARER, Token, Code, KnownPassword, RegisterRequest, LoginRequest, RefreshRequest,
        ReauthenticateRequest, TokenRequest, EmailRequest, PasswordReset, PasswordChange, Accepted,
        TokensRead, CookieSession, UserRead, MeRead, SessionRead, SessionPage;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let mode = spec.auth.mode;
    let has_tokens = spec.auth.has_tokens();
    let longest = u32::from(spec.auth.password.max_length);
    module("app.schemas.auth").docstring("Requests and responses about accounts.").body(block![
        has_tokens.then(|| ann_assign(BEARER, py!(Literal["bearer"]), "bearer")),
        assign(
            Token,
            py!(Annotated[(str, Field(min_length = 1, max_length = 2048, pattern = NO_NUL))])
        )
        .paragraph(),
        assign(KnownPassword, py!(Annotated[(str, Field(max_length = longest, pattern = NO_NUL))]))
            .comment("A password that is compared, not judged."),
        spec.auth.has_totp().then(|| assign(
            Code,
            py!(Annotated[(str, Field(min_length = 6, max_length = 64, pattern = NO_NUL))])
        )),
        register_request_class(),
        login_request_class(mode),
        has_tokens.then(|| refresh_request_class(spec.auth.has_cookies())),
        reauthenticate_request_class(spec.auth.has_totp()),
        token_request_class(),
        email_request_class(),
        password_reset_class(),
        password_change_class(),
        accepted_class(),
        has_tokens.then(tokens_read_class),
        spec.auth.has_cookies().then(cookie_session_class),
        user_read_class(),
        me_read_class(),
        session_read_class(),
        session_page_class()
    ])
}

fn register_request_class() -> ClassDef {
    names!(email, password, invitation_token);
    class(RegisterRequest).base(RequestModel).body(block![
        docstring("A new account; the token of an invitation shows whose the address is."),
        annotate(email, Email),
        annotate(password, Password),
        ann_assign(invitation_token, py!(Token | None), none())
    ])
}

/// `cookies: StrictBool = False`, where a client has the choice.
#[must_use]
pub fn wants_cookies(mode: AuthMode) -> Option<Stmt> {
    names!(cookies);
    let description = "Put the session into cookies, for a browser.";
    let choice = py!(Annotated[(StrictBool, Field(description = description))]);
    (mode == AuthMode::Both).then(|| ann_assign(cookies, choice, false))
}

fn cookie_session_class() -> ClassDef {
    names!(csrf_token, expires_in);
    class(CookieSession).base(ResponseModel).body(block![
        docstring("A session in cookies; what changes something needs the token in a header."),
        ann_assign(
            csrf_token,
            str,
            py!(Field(description = "The value of the header `X-CSRF-Token`."))
        ),
        ann_assign(
            expires_in,
            int,
            py!(Field(description = "Seconds until the session has to be refreshed."))
        )
    ])
}

fn login_request_class(mode: AuthMode) -> ClassDef {
    names!(email, password);
    class(LoginRequest).base(RequestModel).body(block![
        docstring("A sign-in."),
        annotate(email, Email),
        annotate(password, KnownPassword),
        wants_cookies(mode)
    ])
}

fn refresh_request_class(has_cookies: bool) -> ClassDef {
    names!(refresh_token);
    let body = match has_cookies {
        true => block![
            docstring("The refresh token of a session; none where it comes in a cookie."),
            ann_assign(refresh_token, py!(Token | None), none())
        ],
        false => {
            block![docstring("The refresh token of a session."), annotate(refresh_token, Token)]
        }
    };
    class(RefreshRequest).base(RequestModel).body(body)
}

fn reauthenticate_request_class(has_totp: bool) -> ClassDef {
    names!(password, code);
    class(ReauthenticateRequest).base(RequestModel).body(block![
        docstring(if has_totp {
            "The password of the caller, and a code where one is asked for at a sign-in."
        } else {
            "The password of the caller."
        }),
        annotate(password, KnownPassword),
        has_totp.then(|| ann_assign(code, py!(Code | None), none()))
    ])
}

fn token_request_class() -> ClassDef {
    names!(token);
    class(TokenRequest)
        .base(RequestModel)
        .body(block![docstring("The token of a mail."), annotate(token, Token)])
}

fn email_request_class() -> ClassDef {
    names!(email);
    class(EmailRequest)
        .base(RequestModel)
        .body(block![docstring("An address."), annotate(email, Email)])
}

fn password_reset_class() -> ClassDef {
    names!(token, password);
    class(PasswordReset).base(RequestModel).body(block![
        docstring("The token of a reset mail, and the new password."),
        annotate(token, Token),
        annotate(password, Password)
    ])
}

fn password_change_class() -> ClassDef {
    names!(current_password, new_password);
    class(PasswordChange).base(RequestModel).body(block![
        docstring("The password of the caller, and the one to replace it."),
        annotate(current_password, KnownPassword),
        annotate(new_password, Password)
    ])
}

fn accepted_class() -> ClassDef {
    names!(detail);
    class(Accepted).base(ResponseModel).body(block![
        docstring("An answer that does not tell whether the address is known."),
        ann_assign(detail, str, "If the address is yours, a mail is on its way.")
    ])
}

fn tokens_read_class() -> ClassDef {
    names!(access_token, token_type, expires_in, refresh_token);
    class(TokensRead).base(ResponseModel).body(block![
        docstring("A token for the `Authorization` header, and one to get the next with."),
        annotate(access_token, str),
        ann_assign(token_type, py!(Literal["bearer"]), BEARER),
        ann_assign(
            expires_in,
            int,
            py!(Field(description = "Seconds until the access token expires."))
        ),
        annotate(refresh_token, str)
    ])
}

fn user_read_class() -> ClassDef {
    names!(id, created_at, email, role, email_verified_at);
    class(UserRead).base(ResponseModel).body(block![
        docstring("An account, as its owner sees it."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(email, str),
        annotate(role, UserRole),
        annotate(email_verified_at, py!(datetime | None))
    ])
}

fn me_read_class() -> ClassDef {
    names!(active_organization_id);
    class(MeRead).base(UserRead).body(block![
        docstring("The account of the caller, and where this session was last."),
        annotate(active_organization_id, py!(UUID | None))
    ])
}

fn session_read_class() -> ClassDef {
    names!(id, created_at, used_at, expires_at, ip_address, user_agent);
    class(SessionRead).base(ResponseModel).body(block![
        docstring("A place where the caller is signed in."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(used_at, datetime),
        annotate(expires_at, datetime),
        annotate(ip_address, str),
        annotate(user_agent, str)
    ])
}

fn session_page_class() -> ClassDef {
    names!(current_id);
    class(SessionPage).base(py!(Page[SessionRead])).body(block![
        docstring("A part of the list of the caller's sessions, and which of them is this one."),
        annotate(current_id, UUID)
    ])
}
