//! `backend/app/core/credentials.py`: what a request proves its caller with.

use crate::core::errors::UnauthorizedError;
use crate::core::security::{Purpose, SignerDep};
use crate::models::base::utcnow;
use crate::models::session::AuthSession;
use crate::models::user::User;
use crate::python::builtins::bool;
use crate::python::fastapi::{Depends, HTTPAuthorizationCredentials, HTTPBearer};
use crate::python::sqlalchemy::{ColumnElement, and_};
use crate::python::standard::{Annotated, UUID, dataclass};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.credentials": bearer, Credential, get_credential, CredentialDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.credentials").docstring("What a request proves its caller with.").body(block![
        assign(bearer, py!(HTTPBearer(description = "The access token from `POST /auth/login`."))),
        credential_class(),
        get_credential_def(),
        assign(CredentialDep, py!(Annotated[(Credential, Depends(get_credential))]))
    ])
}

fn credential_class() -> ClassDef {
    names!(user_id, session_id);
    class(Credential).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The session that a request names; if it still lives, the database knows."),
        annotate(user_id, UUID),
        annotate(session_id, UUID),
        credential_matches()
    ])
}

fn credential_matches() -> FunctionDef {
    def("matches").params([untyped("self")]).returns(py!(ColumnElement[bool])).body(block![
        docstring("Select the session and its user, unless one of them has ended."),
        return_(py!(and_(
            AuthSession.id == self.session_id,
            AuthSession.user_id == self.user_id,
            AuthSession.expires_at > utcnow(),
            User.is_active
        )))
    ])
}

fn get_credential_def() -> FunctionDef {
    names!(credentials, signer, claims);
    def(get_credential)
        .params([
            param(credentials, py!(Annotated[(HTTPAuthorizationCredentials, Depends(bearer))])),
            param(signer, SignerDep),
        ])
        .returns(Credential)
        .body(block![
            docstring("Return the session that the access token names, or answer 401."),
            assign(claims, py!(signer.read(Purpose.ACCESS, credentials.credentials) || dict!())),
            if_(
                py!(not_in!("sid", claims)),
                [raise(py!(UnauthorizedError("The access token is not valid.")))]
            ),
            return_(py!(Credential(UUID(claims["sub"]), UUID(claims["sid"]))))
        ])
}
