//! The shapes of a pure ASGI middleware.

use crate::python::fastapi::{ASGIApp, Message, Receive, Scope, Send};
use astgen_pyast::make::If;
use astgen_pyast::prelude::*;

/// `async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: …`
#[must_use]
pub fn call() -> FunctionDef {
    async_def("__call__")
        .params([
            untyped("self"),
            param("scope", Scope),
            param("receive", Receive),
            param("send", Send),
        ])
        .returns(none())
}

/// `def __init__(self, app: ASGIApp) -> None: …`, with what else there is to set.
#[must_use]
pub fn wrap_app(others: impl Statements) -> FunctionDef {
    names!(app);
    def("__init__").params([untyped("self"), param(app, ASGIApp)]).returns(none()).body(block![
        docstring("Wrap an application."),
        assign(py!(self.app), app),
        others
    ])
}

/// What is no request goes on as it is: `if scope["type"] != "http": …`
#[must_use]
pub fn pass_on() -> If {
    names!(scope);
    pass_on_if(py!(scope["type"] != "http"))
}

/// What goes on as it is: `if …: await self.app(scope, receive, send); return`
#[must_use]
pub fn pass_on_if(is_passed_on: Expr) -> If {
    names!(scope, receive, send);
    if_(is_passed_on, block![do_(py!(self.app(scope, receive, send).await)), return_none()])
}

/// A `send` that does something when the answer starts.
#[must_use]
pub fn sending(function: Name, at_start: impl Statements) -> FunctionDef {
    sender(function, None, at_start)
}

/// A `send` that notes the status of the answer in `status`, a variable of the function around it.
#[must_use]
pub fn noting_status(function: Name) -> FunctionDef {
    names!(status, message);
    sender(function, Some(nonlocal([status])), [assign(status, py!(message["status"]))])
}

fn sender(function: Name, outer: Option<Stmt>, at_start: impl Statements) -> FunctionDef {
    names!(message, send);
    async_def(function).params([param(message, Message)]).returns(none()).body(block![
        outer,
        if_(py!(message["type"] == "http.response.start"), at_start),
        do_(py!(send(message).await))
    ])
}
