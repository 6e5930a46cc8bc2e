//! `backend/tests/test_errors.py`: errors, as the caller sees them.

use crate::app_main::create_app;
use crate::core::errors::{ConflictError, PROBLEM_JSON};
use crate::core::settings::Settings;
use crate::python::builtins::{Exception, RuntimeError, bytes, int, range, str};
use crate::python::httpx2::{ASGITransport, AsyncClient, Response};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::DBAPIError;
use crate::python::standard::{AsyncGenerator, uuid4};
use crate::schemas::base::RequestModel;
use crate::schemas::fields::Password;
use crate::spec::Spec;
use crate::tests::world::{sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_errors": Secret, fail, clash, take, http, check, RefusalError, refuse;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_errors").docstring("Errors, as the caller sees them.").body(block![
        secret_class(),
        fail_def(),
        clash_def(spec),
        take_def(),
        refusal_class(),
        refuse_def(),
        http_def(),
        check_def(),
        test_an_error_of_the_application(spec),
        test_a_busy_database_asks_to_come_again(),
        test_a_path_that_does_not_exist(),
        test_a_method_that_does_not_exist_names_the_others(spec),
        test_a_defect_keeps_its_reason_for_the_log(),
        test_nothing_that_was_sent_comes_back(),
        test_a_body_that_cannot_be_decoded(),
        test_a_body_that_is_too_large()
    ])
}

fn secret_class() -> ClassDef {
    names!(secret);
    class(Secret).base(RequestModel).body(block![
        docstring("A body with something in it that must not come back."),
        annotate(secret, Password)
    ])
}

fn fail_def() -> FunctionDef {
    async_def(fail).returns(none()).body(block![
        docstring("Fail in a way that nobody foresaw."),
        raise(py!(RuntimeError("the reason")))
    ])
}

fn clash_def(spec: &Spec) -> FunctionDef {
    let upgrade = spec.billing.iter().map(|_| kw("upgrade", py!(["team"])));
    async_def(clash).returns(none()).body(block![
        docstring("Fail in a way that the caller is told about."),
        raise(py!(ConflictError("It clashes.", ..upgrade)))
    ])
}

fn take_def() -> FunctionDef {
    names!(payload);
    async_def(take)
        .params([param(payload, Secret)])
        .returns(none())
        .body(block![docstring("Take a body."), delete([payload])])
}

fn refusal_class() -> ClassDef {
    names!(sqlstate);
    class(RefusalError).base(Exception).body(block![
        docstring("What a driver raises."),
        def("__init__").params([untyped("self"), param(sqlstate, str)]).returns(none()).body(
            block![
                docstring("Keep the code."),
                do_(py!(super().__init__(sqlstate))),
                assign(py!(self.sqlstate), sqlstate)
            ]
        )
    ])
}

fn refuse_def() -> FunctionDef {
    names!(sqlstate);
    async_def(refuse).params([param(sqlstate, str)]).returns(none()).body(block![
        docstring("Fail as a statement does that the database refuses."),
        raise(py!(DBAPIError("SELECT 1", None, RefusalError(sqlstate))))
    ])
}

fn http_def() -> FunctionDef {
    names!(settings, app, transport);
    async_def(http)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings)])
        .returns(py!(AsyncGenerator[(AsyncClient, None)]))
        .body(block![
            assign(app, py!(create_app(settings))),
            do_(py!(app.add_api_route("/tests/fail", fail))),
            do_(py!(app.add_api_route("/tests/clash", clash))),
            do_(py!(app.add_api_route("/tests/refuse/{sqlstate}", refuse))),
            do_(py!(app.add_api_route("/tests/take", take, methods = ["PUT"]))),
            assign(transport, py!(ASGITransport(app = app, raise_app_exceptions = false))),
            async_with_as(
                py!(AsyncClient(transport = transport, base_url = "http://test")),
                http,
                [do_(py!(yield_!(http)))]
            )
        ])
}

fn check_def() -> FunctionDef {
    names!(response, status, code, problem);
    def(check)
        .params([param(response, Response), param(status, int), param(code, str)])
        .returns(none())
        .body(block![
            docstring("Compare a problem document with what it should say."),
            assert_(py!(response.status_code == status)),
            assert_(py!(response.headers["content-type"] == PROBLEM_JSON)),
            assign(problem, py!(response.json())),
            assert_(py!(problem["type"] == "about:blank")),
            assert_(py!(problem["status"] == status)),
            assert_(py!(problem["code"] == code)),
            assert_(py!(problem["request_id"] == response.headers["x-request-id"]))
        ])
}

fn test_an_error_of_the_application(spec: &Spec) -> FunctionDef {
    names!(response);
    let upgrade = spec.billing.as_ref().map(|_| py!(response.json()["upgrade"] == ["team"]));
    async_def("test_an_error_of_the_application")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            assign(response, py!(http.get("/tests/clash").await)),
            do_(py!(check(response, 409, "conflict"))),
            assert_(py!(response.json()["detail"] == "It clashes.")),
            upgrade.map(assert_),
            assert_(py!(not_in!("errors", response.json())))
        ])
}

fn test_a_busy_database_asks_to_come_again() -> FunctionDef {
    names!(sqlstate, response);
    async_def("test_a_busy_database_asks_to_come_again")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            for_(
                sqlstate,
                py!(("40001", "40P01", "55P03")),
                block![
                    assign(response, py!(http.get(f!("/tests/refuse/{}", sqlstate)).await)),
                    do_(py!(check(response, 503, "database_busy"))),
                    assert_(py!(response.headers["Retry-After"] == "1"))
                ]
            ),
            assign(response, py!(http.get("/tests/refuse/22003").await)),
            do_(py!(check(response, 500, "internal_error")))
        ])
}

fn test_a_path_that_does_not_exist() -> FunctionDef {
    async_def("test_a_path_that_does_not_exist")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body([do_(py!(check(http.get("/nowhere").await, 404, "not_found")))])
}

fn test_a_method_that_does_not_exist_names_the_others(spec: &Spec) -> FunctionDef {
    names!(world, ada, path, whole, one, word);
    let rows = spec.entities.first().map(|entity| {
        f_string([
            string("/organizations/"),
            formatted(py!(ada.organization().await)),
            string(format!("/{}", entity.names.path)),
        ])
    });
    let of_a_row = rows.as_ref().map(|_| {
        [
            assign(one, py!(ada.send("PUT", f!("{}/{}", path, uuid4())).await)),
            assert_(py!(one.headers["allow"] == "DELETE, GET, PATCH")),
        ]
    });
    world_test("test_a_method_that_does_not_exist_names_the_others").body(block![
        sign_up(world, ada),
        assign(path, rows.unwrap_or_else(|| string("/organizations"))),
        assign(whole, py!(ada.send("PUT", path).await)),
        do_(py!(check(whole, 405, "method_not_allowed"))),
        assert_(py!(whole.headers["allow"] == "GET, POST")),
        assign(word, py!(ada.send("PUT", "/auth/sessions").await)),
        assert_(py!(word.headers["allow"] == "DELETE, GET")),
        assign(
            word,
            py!(ada.send("PUT", f!("/organizations/{}/invitations/pending", uuid4())).await)
        ),
        assert_(py!(word.headers["allow"] == "GET")),
        of_a_row
    ])
}

fn test_a_defect_keeps_its_reason_for_the_log() -> FunctionDef {
    names!(caplog, response);
    async_def("test_a_defect_keeps_its_reason_for_the_log")
        .params([param(http, AsyncClient), param(caplog, py!(pytest.LogCaptureFixture))])
        .returns(none())
        .body(block![
            assign(response, py!(http.get("/tests/fail").await)),
            do_(py!(check(response, 500, "internal_error"))),
            assert_(py!(not_in!("the reason", response.text))),
            assert_(py!(in_!("the reason", caplog.text)))
        ])
}

fn test_nothing_that_was_sent_comes_back() -> FunctionDef {
    names!(body, headers, response, error);
    async_def("test_nothing_that_was_sent_comes_back")
        .decorator(py!(pytest.mark.parametrize(
            "body",
            [
                b"{\x22secret\x22: 12345678}",
                b"{\x22hidden\x22: \x2212345678\x22}",
                b"{\x22secret\x22: [\x2212345678\x22]}",
                b"{\x22secret\x22: \x22\x5cud800 12345678\x22}",
                b"{\x22secret\x22: 1e400}",
                b"{\x22\x5cud800\x22: 12345678}",
                b"{\x22secret\x22: \x2212345678"
            ]
        )))
        .params([param(http, AsyncClient), param(body, bytes)])
        .returns(none())
        .body(block![
            assign(headers, py!(dict!("Content-Type" => "application/json"))),
            assign(response, py!(http.put("/tests/take", content = body, headers = headers).await)),
            do_(py!(check(response, 422, "invalid_request"))),
            assert_(py!(not_in!("12345678", response.text))),
            for_(
                error,
                py!(response.json()["errors"]),
                [assert_(py!(error.keys() == set!("loc", "msg", "type")))]
            )
        ])
}

fn test_a_body_that_cannot_be_decoded() -> FunctionDef {
    names!(body, headers, response);
    async_def("test_a_body_that_cannot_be_decoded")
        .decorator(py!(pytest.mark.parametrize("body", [b"\xff", b"[" * 100_000])))
        .params([param(http, AsyncClient), param(body, bytes)])
        .returns(none())
        .body(block![
            assign(headers, py!(dict!("Content-Type" => "application/json"))),
            assign(response, py!(http.put("/tests/take", content = body, headers = headers).await)),
            do_(py!(check(response, 400, "bad_request")))
        ])
}

fn test_a_body_that_is_too_large() -> FunctionDef {
    names!(endless, announced, streamed);
    async_def("test_a_body_that_is_too_large")
        .params([param(http, AsyncClient)])
        .returns(none())
        .body(block![
            {
                async_def(endless).returns(py!(AsyncGenerator[(bytes, None)])).body(for_(
                    py!(_),
                    py!(range(100)),
                    [do_(py!(yield_!(b" " * 100_000)))],
                ))
            },
            assign(announced, py!(http.put("/tests/take", content = b" " * 1_048_577).await)),
            do_(py!(check(announced, 413, "body_too_large"))),
            assign(streamed, py!(http.put("/tests/take", content = endless()).await)),
            do_(py!(check(streamed, 413, "body_too_large")))
        ])
}
