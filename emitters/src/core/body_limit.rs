//! `backend/app/core/body_limit.py`: a limit for the size of request bodies.

use crate::core::raw_headers::sent_header;
use crate::python::asgi;
use crate::python::builtins::{int, len, setattr};
use crate::python::fastapi::{ASGIApp, HTTPException, Message, Request, Scope};
use crate::python::standard::{Awaitable, Callable, HTTPStatus};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.body_limit": ALLOWED, BodyLimitMiddleware, announced_bytes, too_large, allow_body;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let has_files = spec.storage.is_on();
    module("app.core.body_limit").docstring("A limit for the size of request bodies.").body(block![
        has_files.then(|| assign(ALLOWED, "max_body_bytes")),
        body_limit_middleware_class(has_files),
        announced_bytes_def(),
        too_large_def(),
        has_files.then(allow_body_def)
    ])
}

fn body_limit_middleware_class(has_files: bool) -> ClassDef {
    class(BodyLimitMiddleware).body(block![
        docstring("Stop reading a body that is too large; a route that reads none is let be."),
        body_limit_middleware_init(),
        body_limit_middleware_call(has_files)
    ])
}

fn body_limit_middleware_init() -> FunctionDef {
    names!(app, max_bytes);
    def("__init__")
        .params([untyped("self"), param(app, ASGIApp), star(), param(max_bytes, int)])
        .returns(none())
        .body(block![
            docstring("Wrap an application."),
            assign(py!(self.app), app),
            assign(py!(self.max_bytes), max_bytes)
        ])
}

fn body_limit_middleware_call(has_files: bool) -> FunctionDef {
    names!(scope, receive, send, announced, state, received, receive_counted);
    asgi::call().body(block![
        docstring("Count what is read, and what is announced before any of it is read."),
        asgi::pass_on(),
        assign(announced, py!(announced_bytes(scope) || 0)),
        has_files.then(|| assign(state, py!(scope.setdefault("state", dict!())))),
        assign(received, 0),
        {
            names!(message, allowed);
            let most = if has_files { allowed.into_expr() } else { py!(self.max_bytes) };
            async_def(receive_counted).returns(Message).body(block![
                nonlocal([received]),
                has_files.then(|| ann_assign(
                    allowed,
                    int,
                    py!(state.get(ALLOWED, self.max_bytes))
                )),
                if_(py!(announced > { &most }), [raise(py!(too_large()))]),
                assign(message, py!(receive().await)),
                aug_assign(received, Operator::Add, py!(len(message.get("body", b"")))),
                if_(py!(received > { &most }), [raise(py!(too_large()))]),
                return_(message)
            ])
        },
        do_(py!(self.app(scope, receive_counted, send).await))
    ])
}

fn announced_bytes_def() -> FunctionDef {
    names!(scope, length);
    def(announced_bytes).params([param(scope, Scope)]).returns(py!(int | None)).body(block![
        docstring("Return how long a body is said to be, where that is said at all."),
        assign(length, py!(sent_header(scope, b"content-length"))),
        return_(py!(if length.isdecimal() { int(length) } else { None }))
    ])
}

fn allow_body_def() -> FunctionDef {
    names!(max_bytes, allow);
    def(allow_body)
        .params([param(max_bytes, int)])
        .returns(py!(Callable[([Request], Awaitable[None])]))
        .body(block![
            docstring("Let the body of a route be larger, or smaller, than that of others."),
            {
                names!(request);
                async_def(allow)
                    .params([param(request, Request)])
                    .returns(none())
                    .body([do_(py!(setattr(request.state, ALLOWED, max_bytes)))])
            },
            return_(allow)
        ])
}

fn too_large_def() -> FunctionDef {
    names!(status);
    def(too_large).returns(HTTPException).body(block![
        docstring("Say that the body is too large; FastAPI lets only this type through."),
        assign(status, py!(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)),
        return_(py!(HTTPException(status, "The body is too large.")))
    ])
}
