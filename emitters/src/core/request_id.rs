//! `backend/app/core/request_id.py`: a name for each request, in its answer and in every log record.

use crate::core::log_context::begin_request;
use crate::core::raw_headers::sent_header;
use crate::python::asgi;
use crate::python::builtins::str;
use crate::python::fastapi::{MutableHeaders, Scope};
use crate::python::standard::{re, uuid4};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.request_id": REQUEST_ID_HEADER, VALID_ID, RequestIdMiddleware, inbound_id;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.request_id")
        .docstring("A name for each request, in its answer and in every log record.")
        .body(block![
            assign(REQUEST_ID_HEADER, "X-Request-ID"),
            assign(VALID_ID, py!(re.compile("[A-Za-z0-9._-]{8,64}"))),
            request_id_middleware_class(),
            inbound_id_def()
        ])
}

fn request_id_middleware_class() -> ClassDef {
    class(RequestIdMiddleware).body(block![
        docstring("Take over the id of the caller if it is a sane one, else make one."),
        request_id_middleware_init(),
        request_id_middleware_call()
    ])
}

fn request_id_middleware_init() -> FunctionDef {
    asgi::wrap_app(None::<Stmt>)
}

fn request_id_middleware_call() -> FunctionDef {
    names!(scope, receive, request_id, send_named);
    asgi::call().body(block![
        docstring("Name the request and its answer."),
        asgi::pass_on(),
        assign(request_id, py!(inbound_id(scope) || uuid4().hex)),
        assign(py!(scope.setdefault("state", dict!())["request_id"]), request_id),
        {
            names!(message);
            let header = py!(MutableHeaders(scope = message)[REQUEST_ID_HEADER]);
            asgi::sending(send_named, [assign(header, request_id)])
        },
        do_(py!(begin_request(request_id)))
            .comment("Never reset: the handler of last resort logs outside of this middleware."),
        do_(py!(self.app(scope, receive, send_named).await))
    ])
}

fn inbound_id_def() -> FunctionDef {
    names!(scope, sent);
    def(inbound_id).params([param(scope, Scope)]).returns(py!(str | None)).body(block![
        docstring("Return the id that the caller sent, unless it could be an attack."),
        assign(sent, py!(sent_header(scope, b"x-request-id"))),
        return_(py!(if VALID_ID.fullmatch(sent) { sent } else { None }))
    ])
}
