//! `backend/app/core/credentials.py`: what a request proves its caller with.

use crate::core::cookies::{CookiesDep, SESSION_COOKIE};
use crate::core::errors::{BadRequestError, UnauthorizedError};
use crate::core::rate_limit::{Pending, PendingDep};
use crate::core::security::{Purpose, Signer, SignerDep};
use crate::models::base::utcnow;
use crate::models::session::AuthSession;
use crate::models::user::User;
use crate::python::builtins::{bool, str};
use crate::python::fastapi::{APIKeyCookie, Depends, HTTPAuthorizationCredentials, HTTPBearer};
use crate::python::sqlalchemy::{ColumnElement, and_};
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::spec::{AuthMode, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.credentials": bearer, Credential, LONG_AGO_SECONDS, refusal, get_credential, CredentialDep, session_cookie, Proof,
        get_proof, ProofDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let mode = spec.auth.mode;
    module("app.core.credentials").docstring("What a request proves its caller with.").body(block![
        spec.auth.has_tokens().then(|| bearer_of(mode)),
        spec.auth.has_cookies().then(session_cookie_of),
        credential_class(),
        (mode == AuthMode::Both).then(|| {
            block![
                proof_class(),
                get_proof_def(),
                assign(ProofDep, py!(Annotated[(Proof, Depends(get_proof))]))
            ]
        }),
        assign(LONG_AGO_SECONDS, py!(30 * 24 * 60 * 60)),
        refusal_def(),
        match mode {
            AuthMode::Bearer => get_credential_def(),
            AuthMode::Cookie => get_credential_of_cookie_def(),
            AuthMode::Both => get_any_credential_def(),
        },
        assign(CredentialDep, py!(Annotated[(Credential, Depends(get_credential))]))
    ])
}

/// `bearer = HTTPBearer(…)`
fn bearer_of(mode: AuthMode) -> Stmt {
    let description = "The access token from `POST /auth/login`.";
    let optional = (mode == AuthMode::Both).then(|| kw("auto_error", false));
    assign(bearer, py!(HTTPBearer(description = description, ..optional)))
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

fn refusal_def() -> FunctionDef {
    names!(token, signer, pending);
    let is_ours = py!(signer.read(Purpose.ACCESS, token, leeway = LONG_AGO_SECONDS) != None);
    async_def(refusal)
        .params([param(token, str), param(signer, Signer), param(pending, Pending)])
        .returns(UnauthorizedError)
        .body(block![
            docstring(
                "Return the error for a token that is not good any more, or never was.\n\
                 \n\
                 Only the latter is counted: whoever was signed in may find out that they are not."
            ),
            if_(is_ours, [return_(py!(UnauthorizedError("The access token has expired.")))]),
            return_(py!(pending.refuse("The access token is not valid.").await))
        ])
}

fn get_credential_def() -> FunctionDef {
    names!(credentials, signer, pending, claims);
    async_def(get_credential)
        .params([
            param(credentials, py!(Annotated[(HTTPAuthorizationCredentials, Depends(bearer))])),
            param(signer, SignerDep),
            param(pending, PendingDep),
        ])
        .returns(Credential)
        .body(block![
            docstring("Return the session that the access token names, or answer 401."),
            assign(claims, py!(signer.read(Purpose.ACCESS, credentials.credentials) || dict!())),
            if_(
                py!(not_in!("sid", claims)),
                [raise(py!(refusal(credentials.credentials, signer, pending).await))]
            ),
            return_(py!(Credential(UUID(claims["sub"]), UUID(claims["sid"]))))
        ])
}

fn get_credential_of_cookie_def() -> FunctionDef {
    names!(token, signer, cookies, pending, claims, credential);
    async_def(get_credential)
        .params([
            param(token, py!(Annotated[(str | None, Depends(session_cookie))])),
            param(signer, SignerDep),
            param(cookies, CookiesDep),
            param(pending, PendingDep),
        ])
        .returns(Credential)
        .body(block![
            docstring("Return the session that the cookie names, or answer 401."),
            if_(py!(token == None), [raise(py!(UnauthorizedError("Sign in first.")))]),
            assign(claims, py!(signer.read(Purpose.ACCESS, token) || dict!())),
            if_(py!(not_in!("sid", claims)), [raise(py!(refusal(token, signer, pending).await))]),
            assign(credential, py!(Credential(UUID(claims["sub"]), UUID(claims["sid"])))),
            do_(py!(cookies.guard(credential.session_id))),
            return_(credential)
        ])
}

/// `session_cookie = APIKeyCookie(…)`
fn session_cookie_of() -> Stmt {
    assign(
        session_cookie,
        py!(APIKeyCookie(
            name = SESSION_COOKIE,
            description = "The cookie from `POST /auth/login`.",
            auto_error = false
        )),
    )
}

fn proof_class() -> ClassDef {
    names!(token, is_cookie);
    class(Proof).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The token that a request carries, and whether a browser sent it unasked."),
        annotate(token, str),
        ann_assign(is_cookie, bool, false)
    ])
}

fn get_proof_def() -> FunctionDef {
    names!(header, cookie);
    async_def(get_proof)
        .params([
            param(header, py!(Annotated[(HTTPAuthorizationCredentials | None, Depends(bearer))])),
            param(cookie, py!(Annotated[(str | None, Depends(session_cookie))])),
        ])
        .returns(Proof)
        .body(block![
            docstring("Return the token of the request's header or cookie, or answer 401."),
            if_(
                py!(header != None && cookie != None),
                [raise(py!(BadRequestError(
                    "Send a token or a cookie, not both.",
                    code = "ambiguous_credentials"
                )))]
            ),
            if_(py!(header != None), [return_(py!(Proof(header.credentials)))]),
            if_(py!(cookie == None), [raise(py!(UnauthorizedError("Sign in first.")))]),
            return_(py!(Proof(cookie, is_cookie = true)))
        ])
}

fn get_any_credential_def() -> FunctionDef {
    names!(proof, signer, cookies, pending, claims, credential);
    async_def(get_credential)
        .params([
            param(proof, ProofDep),
            param(signer, SignerDep),
            param(cookies, CookiesDep),
            param(pending, PendingDep),
        ])
        .returns(Credential)
        .body(block![
            docstring("Return the session that the request names, or answer 401."),
            assign(claims, py!(signer.read(Purpose.ACCESS, proof.token) || dict!())),
            if_(
                py!(not_in!("sid", claims)),
                [raise(py!(refusal(proof.token, signer, pending).await))]
            ),
            assign(credential, py!(Credential(UUID(claims["sub"]), UUID(claims["sid"])))),
            if_(py!(proof.is_cookie), [do_(py!(cookies.guard(credential.session_id)))]),
            return_(credential)
        ])
}
