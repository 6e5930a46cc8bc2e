//! `backend/tests/receiver.py`: a server that takes webhooks, as the programs of others do.

use crate::python::aiohttp::web;
use crate::python::builtins::{dict, float, int, list, property, str};
use crate::python::standard::{
    Any, AsyncGenerator, asynccontextmanager, asyncio, b64decode, b64encode, dataclass, field,
    hmac, json,
};
use crate::tests::servers::hosting;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.receiver": LONG_ANSWER, Received, Receiver;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.receiver")
        .docstring("A server that takes webhooks, as the programs of others do.")
        .body(block![assign(LONG_ANSWER, py!("x" * 5000)), received_class(), receiver_class()])
}

fn received_class() -> ClassDef {
    names!(path, headers, body);
    class(Received).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A request that came in."),
        annotate(path, str),
        annotate(headers, py!(dict[(str, str)])),
        annotate(body, str),
        def("content")
            .decorator(property)
            .params([untyped("self")])
            .returns(py!(dict[(str, Any)]))
            .body(block![
                docstring("Read the body."),
                ann_assign(name("content"), py!(dict[(str, Any)]), py!(json.loads(self.body))),
                return_(name("content"))
            ]),
        def("id").decorator(property).params([untyped("self")]).returns(str).body(block![
            docstring("Return the id of the message."),
            return_(py!(self.headers["webhook-id"]))
        ]),
        received_signed_with()
    ])
}

fn received_signed_with() -> FunctionDef {
    names!(secret, key, text, digest);
    def("signature_of").params([untyped("self"), param(secret, str)]).returns(str).body(block![
        docstring("Compute the signature that a secret makes, without any code of ours."),
        assign(key, py!(b64decode(secret.split("_", 1)[1]))),
        assign(text, py!(".".join([self.id, self.headers["webhook-timestamp"], self.body]))),
        assign(digest, py!(hmac.new(key, text.encode(), "sha256").digest())),
        return_(py!(f!("v1,{}", b64encode(digest).decode())))
    ])
}

fn receiver_class() -> ClassDef {
    names!(url, delay, received, answers);
    class(Receiver).decorator(dataclass).body(block![
        docstring("Takes everything, and answers as it was told, or with 204."),
        ann_assign(url, str, ""),
        ann_assign(delay, float, py!(0.0)),
        ann_assign(received, py!(list[Received]), py!(field(default_factory = list[Received]))),
        ann_assign(answers, py!(list[int]), py!(field(default_factory = list[int]))),
        def("events").decorator(property).params([untyped("self")]).returns(py!(list[str])).body(
            block![
                docstring("Name what it was told of, in the order of its coming."),
                return_(py!(list!(one.content["type"] for one in self.received)))
            ]
        ),
        receiver_take(),
        receiver_serving()
    ])
}

fn receiver_take() -> FunctionDef {
    names!(request, headers, status);
    async_def("take")
        .params([untyped("self"), param(request, py!(web.Request))])
        .returns(py!(web.Response))
        .body(block![
            docstring("Take a request."),
            assign(
                headers,
                py!(dict!(key.lower() => value for (key, value) in request.headers.items()))
            ),
            do_(py!(self.received.append(Received(request.path, headers, request.text().await)))),
            assign(status, py!(if self.answers { self.answers.pop(0) } else { 204 })),
            do_(py!(asyncio.sleep(self.delay).await)),
            return_(py!(web.Response(
                status = status,
                text = if status == 204 { None } else { LONG_ANSWER },
                headers = dict!("Location" => f!("{}/elsewhere", self.url))
            )))
        ])
}

fn receiver_serving() -> FunctionDef {
    names!(app);
    async_def("serving")
        .decorator(asynccontextmanager)
        .params([untyped("self")])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring("Serve on a free port."),
            assign(app, py!(web.Application())),
            do_(py!(app.router.add_route("POST", "/{path:.*}", self.take))),
            async_with_as(py!(hosting(app)), py!(self.url), [do_(yield_(None))])
        ])
}
