//! `backend/app/schemas/api_key.py`: requests and responses about API keys.

use crate::core::permissions::Permission;
use crate::python::builtins::{len, list, str};
use crate::python::pydantic::{BeforeValidator, Field, StrictInt};
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::auth::Token;
use crate::schemas::base::{Page, RequestModel, ResponseModel};
use crate::schemas::fields::{NO_NUL, whole_number};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.api_key": ApiKeyCreate, ApiKeyToken, ApiKeyRead, ApiKeyCreated, ApiKeyPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.api_key").docstring("Requests and responses about API keys.").body(block![
        api_key_create_class(),
        api_key_token_class(),
        api_key_read_class(),
        api_key_created_class(),
        api_key_page_class()
    ])
}

fn api_key_create_class() -> ClassDef {
    names!(name, scopes, expires_in_days);
    class(ApiKeyCreate).base(RequestModel).body(block![
        docstring("A key for a program; with no number of days it never expires."),
        annotate(
            name,
            py!(Annotated[(str, Field(min_length = 1, max_length = 100, pattern = NO_NUL))])
        ),
        annotate(
            scopes,
            py!(Annotated[(list[Permission], Field(min_length = 1, max_length = len(Permission)))])
        ),
        ann_assign(
            expires_in_days,
            py!(Annotated[(StrictInt, Field(ge = 1, le = 3650), BeforeValidator(whole_number))]
                | None),
            90
        )
    ])
}

fn api_key_token_class() -> ClassDef {
    names!(key);
    class(ApiKeyToken).base(RequestModel).body(block![
        docstring("A key that was found where it should not be."),
        annotate(key, Token)
    ])
}

fn api_key_read_class() -> ClassDef {
    names!(id, created_at, user_id, name, hint, scopes, expires_at, last_used_at);
    class(ApiKeyRead).base(ResponseModel).body(block![
        docstring("A key, as those see it who look after the organization; not the key itself."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(user_id, UUID),
        annotate(name, str),
        annotate(hint, str),
        annotate(scopes, py!(list[Permission])),
        annotate(expires_at, py!(datetime | None)),
        annotate(last_used_at, py!(datetime | None))
    ])
}

fn api_key_created_class() -> ClassDef {
    names!(key);
    class(ApiKeyCreated).base(ApiKeyRead).body(block![
        docstring("A key that was just made: it is shown this once."),
        annotate(key, str)
    ])
}

fn api_key_page_class() -> ClassDef {
    class(ApiKeyPage)
        .base(py!(Page[ApiKeyRead]))
        .body(block![docstring("A part of the list of keys that were not revoked.")])
}
