//! `backend/tests/test_request_id.py`: request ids.

use crate::python::builtins::{all, len, str};
use crate::python::pytest::pytest;
use crate::tests::world::world_test;
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_request_id").docstring("Request ids.").body(block![
        test_each_request_gets_an_id(),
        test_the_id_of_the_caller_is_kept(),
        test_an_odd_id_is_replaced()
    ])
}

fn test_each_request_gets_an_id() -> FunctionDef {
    names!(world, first, second, ids);
    world_test("test_each_request_gets_an_id").body(block![
        assign(first, py!(world.http.get("/health/live").await)),
        assign(second, py!(world.http.get("/health/live").await)),
        assign(ids, py!(set!(first.headers["x-request-id"], second.headers["x-request-id"]))),
        assert_(py!(len(ids) == 2)),
        assert_(py!(all(generator!(len(request_id) == 32 for request_id in ids))))
    ])
}

fn test_the_id_of_the_caller_is_kept() -> FunctionDef {
    names!(world, sent, answer);
    world_test("test_the_id_of_the_caller_is_kept").body(block![
        assign(sent, py!(dict!("X-Request-ID" => "caller-1.2_3"))),
        assign(answer, py!(world.http.get("/health/live", headers = sent).await)),
        assert_(py!(answer.headers["x-request-id"] == "caller-1.2_3"))
    ])
}

fn test_an_odd_id_is_replaced() -> FunctionDef {
    names!(world, sent, answer);
    world_test("test_an_odd_id_is_replaced")
        .decorator(py!(pytest
            .mark
            .parametrize("sent", ["short", "x" * 65, "with blank", "<script>"])))
        .params([param(sent, str)])
        .body(block![
            assign(
                answer,
                py!(world.http.get("/health/live", headers = dict!("X-Request-ID" => sent)).await)
            ),
            assert_(py!(len(answer.headers["x-request-id"]) == 32))
        ])
}
