//! `backend/app/core/idempotency.py`: a request that is sent twice is done once.
//!
//! The key and the answer are stored in the transaction of what was asked for: what was not committed was not
//! answered either, and a server that dies leaves no key behind that nobody can use again.

use crate::core::database::{SessionDep, get_database};
use crate::core::errors::{ConflictError, ProblemError};
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::rbac::CurrentUserDep;
use crate::models::base::utcnow;
use crate::models::idempotency_key::IdempotencyKey;
use crate::models::user::User;
use crate::python::builtins::{Exception, bytes, getattr, int, str};
use crate::python::fastapi::{APIRoute, Header, Request, Response};
use crate::python::pydantic::{Field, SkipJsonSchema};
use crate::python::sqlalchemy::{AsyncSession, BigInteger, func, literal, select};
use crate::python::standard::{
    Annotated, Any, Callable, Coroutine, HTTPStatus, dataclass, sha256, timedelta,
};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.idempotency": KEY_LIFETIME, REPLAYED_HEADER, KEPT_HEADERS, SentKey, IdempotencyKeyHeader,
        KeyReusedError, ReplayedError, Claim, IdempotentRoute, claim_key,
        claim_own_key, name_request, settle, lock_key;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let said = "Of requests with one key, one is done; it answers the others.";
    let key = py!(Annotated[(str, Field(max_length = 255, pattern = "^[!-~]+$"))]);
    let header = py!(Header(description = said));
    module("app.core.idempotency").docstring("A request that is sent twice is done once.").body(
        block![
            assign(KEY_LIFETIME, py!(timedelta(hours = 24))),
            assign(REPLAYED_HEADER, "Idempotent-Replayed"),
            assign(KEPT_HEADERS, py!(("content-type", "etag"))),
            assign(SentKey, key).paragraph(),
            assign(IdempotencyKeyHeader, py!(Annotated[(SentKey | SkipJsonSchema[None], header)])),
            key_reused_error_class(),
            replayed_error_class(),
            claim_class(),
            idempotent_route_class(),
            claim_key_def(spec.organizations.api_keys),
            claim_own_key_def(),
            name_request_def(),
            settle_def(),
            lock_key_def()
        ],
    )
}

fn key_reused_error_class() -> ClassDef {
    names!(status, code);
    class(KeyReusedError).base(ProblemError).body(block![
        docstring("The key belongs to another request."),
        assign(status, py!(HTTPStatus.UNPROCESSABLE_ENTITY)).paragraph(),
        assign(code, "idempotency_key_reused")
    ])
}

fn replayed_error_class() -> ClassDef {
    names!(earlier, headers);
    class(ReplayedError).base(Exception).body(block![
        docstring("The request was done before; this ends it with the answer of then."),
        def("__init__")
            .params([untyped("self"), param(earlier, IdempotencyKey)])
            .returns(none())
            .body(block![
                docstring("Keep the answer."),
                do_(py!(super().__init__(earlier.key))),
                assign(py!(self.earlier), earlier)
            ]),
        def("response").params([untyped("self")]).returns(Response).body(block![
            docstring("Give the answer again, and say so."),
            assign(earlier, py!(self.earlier)),
            assign(headers, py!(dict!(**{ py!(earlier.headers) }, REPLAYED_HEADER => "true"))),
            return_(py!(Response(earlier.body, earlier.status_code, headers)))
        ])
    ])
}

fn claim_class() -> ClassDef {
    names!(session, request, response, name);
    class(Claim).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The right to be the first to do what a key stands for."),
        annotate(session, AsyncSession),
        annotate(request, IdempotencyKey),
        async_def("keep")
            .params([untyped("self"), param(response, Response)])
            .returns(none())
            .body(block![
                docstring("Store the answer, in the transaction of what it tells."),
                assign(py!(self.request.status_code), py!(response.status_code)),
                assign(
                    py!(self.request.headers),
                    py!(dict!(
                        name => response.headers[name]
                        for name in KEPT_HEADERS
                        if in_!(name, response.headers)
                    ))
                ),
                assign(py!(self.request.body), py!(bytes(response.body).decode())),
                do_(py!(self.session.add(self.request))),
                do_(py!(self.session.flush().await))
            ])
    ])
}

fn idempotent_route_class() -> ClassDef {
    names!(handle, handle_once, request, response, error, claim);
    let handler = py!(Callable[([Request], Coroutine[(Any, Any, Response)])]);
    class(IdempotentRoute).base(APIRoute).body(block![
        docstring("A route that stores its answers to requests with a key, and gives them again."),
        def("get_route_handler").params([untyped("self")]).returns(handler).body(block![
            docstring("Wrap what FastAPI does for a request, inside of its transaction."),
            assign(handle, py!(super().get_route_handler())),
            async_def(handle_once).params([param(request, Request)]).returns(Response).body(
                block![
                    try_([assign(response, py!(handle(request).await))]).except_as(
                        ReplayedError,
                        error,
                        [return_(py!(error.response()))]
                    ),
                    ann_assign(
                        claim,
                        py!(Claim | None),
                        py!(getattr(request.state, "claim", None))
                    ),
                    if_(py!(claim != None), [do_(py!(claim.keep(response).await))]),
                    return_(response)
                ]
            ),
            return_(handle_once)
        ])
    ])
}

fn claim_key_def(has_keys: bool) -> FunctionDef {
    names!(request, principal, session, idempotency_key, named);
    let by_key =
        if_(py!(principal.key != None), [assign(py!(named.caller_id), py!(principal.key.id))]);
    async_def(claim_key)
        .params([
            param(request, Request),
            param(principal, PrincipalDep),
            param(session, TenantSessionDep),
            param(idempotency_key, IdempotencyKeyHeader).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Let a request with a key go on only if it is the first with it."),
            if_(py!(idempotency_key == None), [return_none()]),
            assign(named, py!(name_request(request, idempotency_key, principal.user).await)),
            assign(py!(named.organization_id), py!(principal.organization.id)),
            has_keys.then_some(by_key),
            do_(py!(settle(request, session, named).await))
        ])
}

fn claim_own_key_def() -> FunctionDef {
    names!(request, user, session, idempotency_key, named);
    async_def(claim_own_key)
        .params([
            param(request, Request),
            param(user, CurrentUserDep),
            param(session, SessionDep),
            param(idempotency_key, IdempotencyKeyHeader).default(none()),
        ])
        .returns(none())
        .body(block![
            docstring("Do the same for a route that names no organization."),
            if_(py!(idempotency_key == None), [return_none()]),
            assign(named, py!(name_request(request, idempotency_key, user).await)),
            do_(py!(settle(request, session, named).await))
        ])
}

fn name_request_def() -> FunctionDef {
    names!(request, key, user, content);
    async_def(name_request)
        .params([param(request, Request), param(key, str), param(user, User)])
        .returns(IdempotencyKey)
        .body(block![
            docstring(
                "Describe a request such that another one can be told from it.\n\
                 \n\
                 The route is a path, which names the organization."
            ),
            assign(content, py!(request.body().await)),
            return_(py!(IdempotencyKey(
                user_id = user.id,
                caller_id = user.id,
                route = f!("{} {}", request.method, request.url.path),
                key = key,
                fingerprint = sha256(content).hexdigest()
            )))
        ])
}

fn settle_def() -> FunctionDef {
    names!(request, session, named, earlier);
    async_def(settle)
        .params([
            param(request, Request),
            param(session, AsyncSession),
            param(named, IdempotencyKey),
        ])
        .returns(none())
        .body(block![
            docstring("End a request that was done before, or have its answer stored."),
            if_(
                py!(get_database(request).engine.dialect.name == "postgresql"),
                [do_(py!(lock_key(session, named).await))]
            ),
            assign(
                earlier,
                py!(session
                    .scalar(select(IdempotencyKey).r#where(
                        IdempotencyKey.caller_id == named.caller_id,
                        IdempotencyKey.route == named.route,
                        IdempotencyKey.key == named.key
                    ))
                    .await)
            ),
            if_(
                py!(earlier != None && earlier.created_at < utcnow() - KEY_LIFETIME),
                block![
                    do_(py!(session.delete(earlier).await)),
                    do_(py!(session.flush().await)),
                    assign(earlier, none())
                ]
            ),
            if_(
                py!(earlier == None),
                block![assign(py!(request.state.claim), py!(Claim(session, named))), return_none()]
            ),
            if_(
                py!(earlier.fingerprint != named.fingerprint),
                [raise(py!(KeyReusedError("The key was sent with another request before.")))]
            ),
            raise(py!(ReplayedError(earlier)))
        ])
}

fn lock_key_def() -> FunctionDef {
    names!(session, named, whole, number, lock, is_free, _user_id);
    async_def(lock_key)
        .params([param(session, AsyncSession), param(named, IdempotencyKey)])
        .returns(none())
        .body(block![
            docstring(
                "Answer 409 while another request with the key is at work.\n\nOn SQLite there is none: it lets \
                 one transaction write at a time."
            ),
            assign(
                whole,
                py!(f!("{}/{}/{}", named.caller_id, named.route, named.key))
            ),
            assign(
                number,
                py!(int.from_bytes(sha256(whole.encode()).digest()[..8], signed = true))
            ),
            assign(lock, py!(func.pg_try_advisory_xact_lock(literal(number, BigInteger)))),
            assign(
                py!((_user_id, is_free)),
                py!(session
                    .execute(
                        select(User.id, lock).r#where(User.id == named.user_id)
                    )
                    .await
                    .one())
            ),
            if_(
                py!(!is_free),
                [raise(py!(ConflictError(
                    "The request with this key is still at work.",
                    code = "request_in_progress"
                )))]
            )
        ])
}
