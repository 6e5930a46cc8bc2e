//! `backend/app/core/body_limit.py`: a limit for the size of request bodies.

use crate::python::builtins::{int, len};
use crate::python::fastapi::{ASGIApp, HTTPException, Headers, Message, Receive, Scope, Send};
use crate::python::standard::HTTPStatus;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.body_limit": BodyLimitMiddleware, too_large;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.body_limit")
        .docstring("A limit for the size of request bodies.")
        .body(block![body_limit_middleware_class(), too_large_def()])
}

fn body_limit_middleware_class() -> ClassDef {
    class(BodyLimitMiddleware).body(block![
        docstring("Stop reading a body that is too large; a route that reads none is let be."),
        body_limit_middleware_init(),
        body_limit_middleware_call()
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

fn body_limit_middleware_call() -> FunctionDef {
    names!(scope, receive, send, announced, refused, received, receive_counted);
    async_def("__call__")
        .params([untyped("self"), param(scope, Scope), param(receive, Receive), param(send, Send)])
        .returns(none())
        .body(block![
            docstring("Count what is read, and what is announced before any of it is read."),
            if_(
                py!(scope["type"] != "http"),
                block![do_(py!(self.app(scope, receive, send).await)), return_none()]
            ),
            assign(announced, py!(Headers(scope = scope).get("Content-Length", ""))),
            assign(refused, py!(announced.isdecimal() && int(announced) > self.max_bytes)),
            assign(received, 0),
            {
                names!(message);
                async_def(receive_counted).returns(Message).body(block![
                    nonlocal([received]),
                    if_(refused, [raise(py!(too_large()))]),
                    assign(message, py!(receive().await)),
                    aug_assign(received, Operator::Add, py!(len(message.get("body", b"")))),
                    if_(py!(received > self.max_bytes), [raise(py!(too_large()))]),
                    return_(message)
                ])
            },
            do_(py!(self.app(scope, receive_counted, send).await))
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
