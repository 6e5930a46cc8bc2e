//! `backend/app/schemas/auth.py`: requests and responses about accounts.

use crate::core::roles::UserRole;
use crate::python::builtins::{int, str};
use crate::python::pydantic::Field;
use crate::python::standard::{Annotated, Literal, UUID, datetime};
use crate::schemas::base::{RequestModel, ResponseModel};
use crate::schemas::fields::{Email, NO_NUL, Password};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.auth": BEARER, Token, RegisterRequest, LoginRequest, VerifyRequest, Accepted,
        AccessTokenRead, UserRead;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.auth").docstring("Requests and responses about accounts.").body(block![
        ann_assign(BEARER, py!(Literal["bearer"]), "bearer"),
        assign(
            Token,
            py!(Annotated[(str, Field(min_length = 1, max_length = 2048, pattern = NO_NUL))])
        )
        .paragraph(),
        register_request_class(),
        login_request_class(),
        verify_request_class(),
        accepted_class(),
        access_token_read_class(),
        user_read_class()
    ])
}

fn register_request_class() -> ClassDef {
    names!(email, password);
    class(RegisterRequest).base(RequestModel).body(block![
        docstring("A new account."),
        annotate(email, Email),
        annotate(password, Password)
    ])
}

fn login_request_class() -> ClassDef {
    names!(email, password);
    class(LoginRequest).base(RequestModel).body(block![
        docstring("A sign-in; a password of any length is compared, not judged."),
        annotate(email, Email),
        annotate(password, py!(Annotated[(str, Field(max_length = 128, pattern = NO_NUL))]))
    ])
}

fn verify_request_class() -> ClassDef {
    names!(token);
    class(VerifyRequest)
        .base(RequestModel)
        .body(block![docstring("The token of a verification mail."), annotate(token, Token)])
}

fn accepted_class() -> ClassDef {
    names!(detail);
    class(Accepted).base(ResponseModel).body(block![
        docstring("An answer that does not tell whether the address is known."),
        ann_assign(detail, str, "If the address is yours, a mail is on its way.")
    ])
}

fn access_token_read_class() -> ClassDef {
    names!(access_token, token_type, expires_in);
    class(AccessTokenRead).base(ResponseModel).body(block![
        docstring("A token for the `Authorization` header."),
        annotate(access_token, str),
        ann_assign(token_type, py!(Literal["bearer"]), BEARER),
        ann_assign(expires_in, int, py!(Field(description = "Seconds until the token expires.")))
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
