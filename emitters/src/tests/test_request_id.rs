//! `backend/tests/test_request_id.py`: request ids, and the log they appear in.

use crate::core::logging::{JsonFormatter, configure_logging};
use crate::core::request_id::current_request_id;
use crate::core::settings::Settings;
use crate::python::builtins::{__file__, ValueError, all, len, str};
use crate::python::pytest::pytest;
use crate::python::standard::{json, logging};
use crate::tests::world::world_test;
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_request_id").docstring("Request ids, and the log they appear in.").body(
        block![
            test_each_request_gets_an_id(),
            test_the_id_of_the_caller_is_kept(),
            test_an_odd_id_is_replaced(),
            test_a_record_is_one_json_object(),
            test_the_level_comes_from_the_settings()
        ],
    )
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

fn test_a_record_is_one_json_object() -> FunctionDef {
    names!(error, record, written, entry);
    def("test_a_record_is_one_json_object").returns(none()).body(block![
        do_(py!(current_request_id.set("the-request"))),
        assign(error, py!(ValueError("the reason"))),
        assign(
            record,
            py!(logging.LogRecord(
                "app.tests",
                logging.ERROR,
                __file__,
                1,
                "two\n%s",
                ("lines",),
                None
            ))
        ),
        assign(py!(record.exc_info), py!((ValueError, error, None))),
        assign(written, py!(JsonFormatter().format(record))),
        assert_(py!(not_in!("\n", written))),
        assign(entry, py!(json.loads(written))),
        assert_(py!(entry["message"] == "two\nlines")),
        assert_(py!(entry["level"] == "ERROR")),
        assert_(py!(entry["request_id"] == "the-request")),
        assert_(py!(in_!("the reason", entry["exception"])))
    ])
}

fn test_the_level_comes_from_the_settings() -> FunctionDef {
    names!(logger, before);
    def("test_the_level_comes_from_the_settings").returns(none()).body(block![
        assign(logger, py!(logging.getLogger("app"))),
        assign(before, py!((logger.handlers, logger.level, logger.propagate))),
        try_(block![
            do_(py!(configure_logging(Settings(log_level = "WARNING")))),
            assert_(py!(logger.level == logging.WARNING)),
            assert_(py!(len(logger.handlers) == 1))
        ])
        .finally([assign(py!((logger.handlers, logger.level, logger.propagate)), before)])
    ])
}
