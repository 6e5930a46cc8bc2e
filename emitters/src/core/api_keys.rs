//! `backend/app/core/api_keys.py`: API keys: what they look like, and what a router opens to them.

use crate::core::access::serve_unpaid;
use crate::core::audit::Actor;
use crate::core::client::Client;
use crate::core::cookies::CookiesDep;
use crate::core::credentials::{Credential, ProofDep, bearer, get_credential, session_cookie};
use crate::core::errors::{BadRequestError, ForbiddenError};
use crate::core::permissions::Permission;
use crate::core::rate_limit::PendingDep;
use crate::core::security::{Purpose, SignerDep};
use crate::models::api_key::ApiKey;
use crate::models::audit_event::ActorKind;
use crate::models::base::utcnow;
use crate::models::user::User;
use crate::python::builtins::{bool, divmod, frozenset, getattr, len, list, range, str};
use crate::python::fastapi::{
    APIRouter, Depends, HTTPAuthorizationCredentials, HTTPBearer, Request,
};
use crate::python::sqlalchemy::{AsyncSession, ColumnElement, and_, or_, select, update};
use crate::python::standard::{
    Annotated, Awaitable, Callable, ascii_letters, crc32, dataclass, digits, secrets, timedelta,
};
use crate::spec::{AuthMode, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.api_keys": key_header, PREFIX, ALPHABET, SECRET_LENGTH, CHECKSUM_LENGTH, HINT_LENGTH, READING,
        USE_INTERVAL, KeyCredential, new_key, is_key, checksum, get_caller_credential,
        CallerCredentialDep, accept_keys, refuse_out_of_scope, require_scope, key_actor, note_use;
}

/// `APIRouter(prefix=…, tags=[tag])`, open to keys with one scope to read and with another to write,
/// if the project has keys.
#[must_use]
pub fn keyed_router(
    spec: &Spec,
    prefix: &str,
    tag: &str,
    scopes: [Name; 2],
    more: impl IntoIterator<Item = Arg>,
) -> Expr {
    router(prefix, tag, more, opened(spec, scopes))
}

/// The same, open also to organizations that have not paid.
#[must_use]
pub fn unpaid_router(
    spec: &Spec,
    prefix: &str,
    tag: &str,
    scopes: [Name; 2],
    more: impl IntoIterator<Item = Arg>,
) -> Expr {
    let served = [py!(Depends(serve_unpaid))];
    router(prefix, tag, more, served.into_iter().chain(opened(spec, scopes)))
}

/// `APIRouter(prefix=…, tags=[tag], dependencies=[…])`
fn router(
    prefix: &str,
    tag: &str,
    more: impl IntoIterator<Item = Arg>,
    dependencies: impl IntoIterator<Item = Expr>,
) -> Expr {
    let dependencies: Vec<Expr> = dependencies.into_iter().collect();
    let dependencies =
        (!dependencies.is_empty()).then(|| kw("dependencies", py!([..dependencies])));
    py!(APIRouter(prefix = prefix, tags = [tag], ..more, ..dependencies))
}

/// `Depends(accept_keys(read=…, write=…))`, if the project has keys.
fn opened(spec: &Spec, [read, write]: [Name; 2]) -> Option<Expr> {
    let (read, write) = (Permission.attr(read), Permission.attr(write));
    spec.organizations.api_keys.then(|| py!(Depends(accept_keys(read = read, write = write))))
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let prefix = format!("{}_", spec.project.name);
    let caller = py!(Annotated[(Credential | KeyCredential, Depends(get_caller_credential))]);
    module("app.core.api_keys")
        .docstring("API keys: what they look like, and what a router opens to them.")
        .body(block![
            (spec.auth.mode == AuthMode::Cookie).then(key_header_of),
            assign(PREFIX, prefix.as_str()),
            assign(ALPHABET, py!(digits + ascii_letters)),
            assign(SECRET_LENGTH, 37),
            assign(CHECKSUM_LENGTH, 6),
            assign(HINT_LENGTH, py!(len(PREFIX) + 4)),
            assign(READING, py!(frozenset(set!("GET", "HEAD")))),
            assign(USE_INTERVAL, py!(timedelta(minutes = 1)))
                .comment("How exactly it is known when a key was last used."),
            key_credential_class(),
            new_key_def(),
            is_key_def(),
            checksum_def(),
            match spec.auth.mode {
                AuthMode::Bearer => get_caller_credential_def(),
                AuthMode::Cookie => get_caller_credential_of_key_or_cookie_def(),
                AuthMode::Both => get_caller_credential_of_proof_def(),
            },
            assign(CallerCredentialDep, caller),
            accept_keys_def(),
            refuse_out_of_scope_def(),
            require_scope_def(),
            key_actor_def(),
            note_use_def()
        ])
}

/// `key_header = HTTPBearer(…)`
fn key_header_of() -> Stmt {
    assign(key_header, py!(HTTPBearer(description = "An API key.", auto_error = false)))
}

fn key_credential_class() -> ClassDef {
    names!(hashes);
    class(KeyCredential).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The API key that a request names; if it is still good, the database knows."),
        annotate(hashes, py!(list[str])),
        key_credential_matches()
    ])
}

fn key_credential_matches() -> FunctionDef {
    def("matches").params([untyped("self")]).returns(py!(ColumnElement[bool])).body(block![
        docstring("Select the key and who made it, unless one of them has ended."),
        return_(py!(and_(
            ApiKey.key_hash.in_(self.hashes),
            ApiKey.revoked_at.is_(None),
            or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > utcnow()),
            User.is_active
        )))
    ])
}

fn new_key_def() -> FunctionDef {
    names!(body, _place);
    let random = py!(generator!(secrets.choice(ALPHABET) for _place in range(SECRET_LENGTH)));
    def(new_key).returns(str).body(block![
        docstring(
            "Make a key that nobody can guess.\n\
             \n\
             By its prefix and its checksum, what looks for secrets in code knows it for one."
        ),
        assign(body, py!(PREFIX + "".join(random))),
        return_(py!(body + checksum(body)))
    ])
}

fn is_key_def() -> FunctionDef {
    names!(text, body);
    def(is_key).params([param(text, str)]).returns(bool).body(block![
        docstring("Tell whether a text has the form of a key; junk never asks the database."),
        assign(body, py!(text[..-CHECKSUM_LENGTH])),
        return_(py!(body.startswith(PREFIX)
            && len(body) == len(PREFIX) + SECRET_LENGTH
            && text == body + checksum(body)))
    ])
}

fn checksum_def() -> FunctionDef {
    names!(text, number, figures, digit, _place);
    def(checksum).params([param(text, str)]).returns(str).body(block![
        docstring("Return the CRC-32 of a text, in base 62."),
        assign(py!((number, figures)), py!((crc32(text.encode()), ""))),
        for_(
            _place,
            py!(range(CHECKSUM_LENGTH)),
            block![
                assign(py!((number, digit)), py!(divmod(number, len(ALPHABET)))),
                assign(figures, py!(ALPHABET[digit] + figures))
            ]
        ),
        return_(figures)
    ])
}

fn get_caller_credential_def() -> FunctionDef {
    names!(credentials, signer, pending, token);
    async_def(get_caller_credential)
        .params([
            param(credentials, py!(Annotated[(HTTPAuthorizationCredentials, Depends(bearer))])),
            param(signer, SignerDep),
            param(pending, PendingDep),
        ])
        .returns(py!(Credential | KeyCredential))
        .body(block![
            docstring("Return the session or the API key that the request names, or answer 401."),
            assign(token, py!(credentials.credentials)),
            if_(
                py!(is_key(token)),
                [return_(py!(KeyCredential(signer.digests(Purpose.API_KEY, token))))]
            ),
            return_(py!(get_credential(credentials, signer, pending).await))
        ])
}

fn get_caller_credential_of_proof_def() -> FunctionDef {
    names!(proof, signer, cookies, pending);
    async_def(get_caller_credential)
        .params([
            param(proof, ProofDep),
            param(signer, SignerDep),
            param(cookies, CookiesDep),
            param(pending, PendingDep),
        ])
        .returns(py!(Credential | KeyCredential))
        .body(block![
            docstring("Return the session or the API key that the request names, or answer 401."),
            if_(
                py!(is_key(proof.token) && !proof.is_cookie),
                [return_(py!(KeyCredential(signer.digests(Purpose.API_KEY, proof.token))))]
            ),
            return_(py!(get_credential(proof, signer, cookies, pending).await))
        ])
}

fn get_caller_credential_of_key_or_cookie_def() -> FunctionDef {
    names!(header, cookie, signer, cookies, pending, hashes);
    let authorization = py!(HTTPAuthorizationCredentials | None);
    async_def(get_caller_credential)
        .params([
            param(header, py!(Annotated[(authorization, Depends(key_header))])),
            param(cookie, py!(Annotated[(str | None, Depends(session_cookie))])),
            param(signer, SignerDep),
            param(cookies, CookiesDep),
            param(pending, PendingDep),
        ])
        .returns(py!(Credential | KeyCredential))
        .body(block![
            docstring("Return the session or the API key that the request names, or answer 401."),
            if_(
                py!(header != None && cookie != None),
                [raise(py!(BadRequestError(
                    "Send a key or a cookie, not both.",
                    code = "ambiguous_credentials"
                )))]
            ),
            if_(
                py!(header == None),
                [return_(py!(get_credential(cookie, signer, cookies, pending).await))]
            ),
            if_(
                py!(!is_key(header.credentials)),
                [raise(py!(pending.refuse("The API key is not valid.").await))]
            ),
            assign(hashes, py!(signer.digests(Purpose.API_KEY, header.credentials))),
            return_(py!(KeyCredential(hashes)))
        ])
}

fn accept_keys_def() -> FunctionDef {
    names!(read, write, note_scope);
    def(accept_keys)
        .params([star(), param(read, Permission), param(write, Permission)])
        .returns(py!(Callable[([Request], Awaitable[None])]))
        .body(block![
            docstring(
                "Open a router to API keys: with one scope to read, with another to write.\n\
                 \n\
                 A router that does not say this is closed to them."
            ),
            {
                names!(request);
                async_def(note_scope).params([param(request, Request)]).returns(none()).body([
                    assign(
                        py!(request.state.scope),
                        py!(if in_!(request.method, READING) { read } else { write }),
                    ),
                ])
            },
            return_(note_scope)
        ])
}

fn refuse_out_of_scope_def() -> FunctionDef {
    names!(request, key, scope);
    def(refuse_out_of_scope)
        .params([param(request, Request), param(key, ApiKey)])
        .returns(none())
        .body(block![
            docstring("Refuse a key on a route that it has no scope for."),
            ann_assign(scope, py!(Permission | None), py!(getattr(request.state, "scope", None))),
            if_(
                py!(scope == None),
                [raise(py!(ForbiddenError(
                    "An API key cannot do this.",
                    code = "session_required"
                )))]
            ),
            do_(py!(require_scope(key, scope)))
        ])
}

fn require_scope_def() -> FunctionDef {
    names!(key, scope);
    def(require_scope).params([param(key, ApiKey), param(scope, Permission)]).returns(none()).body(
        block![
            docstring("Refuse what the key was not made for."),
            if_(
                py!(not_in!(scope, key.scopes)),
                [raise(py!(ForbiddenError(
                    f!("The API key lacks the scope {}.", scope),
                    code = "scope_missing"
                )))]
            )
        ],
    )
}

fn key_actor_def() -> FunctionDef {
    names!(key, client);
    def(key_actor).params([param(key, ApiKey), param(client, Client)]).returns(Actor).body(block![
        docstring("Describe a program that has a key."),
        return_(py!(Actor(
            ActorKind.API_KEY,
            key.id,
            key.user_id,
            client.ip_address,
            client.user_agent
        )))
    ])
}

fn note_use_def() -> FunctionDef {
    names!(session, key, now, free);
    async_def(note_use)
        .params([param(session, AsyncSession), param(key, ApiKey)])
        .returns(none())
        .body(block![
            docstring("Note when a key was last used, now and then; no request waits for that."),
            assign(now, py!(utcnow())),
            if_(
                py!(key.last_used_at != None && now - key.last_used_at < USE_INTERVAL),
                [return_none()]
            ),
            assign(
                free,
                py!(select(ApiKey.id)
                    .r#where(ApiKey.id == key.id)
                    .with_for_update(skip_locked = true))
            ),
            do_(py!(session
                .execute(
                    update(ApiKey)
                        .r#where(ApiKey.id.in_(free))
                        .values(last_used_at = now)
                        .execution_options(synchronize_session = false)
                )
                .await))
        ])
}
