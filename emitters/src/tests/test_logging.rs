//! `backend/tests/test_logging.py`: what the log says, and what it does not tell.

use crate::app_main::create_app;
use crate::core::log_context::{
    begin_request, current_organization, current_user, describe_work, working_for,
};
use crate::core::logging::{JsonFormatter, VERBATIM, configure_logging};
use crate::core::redaction::redact;
use crate::core::settings::Settings;
use crate::models::user::User;
use crate::python::builtins::{
    __file__, ValueError, any, bool, dict, isinstance, len, list, object, str,
};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::IntegrityError;
use crate::python::standard::{Any, Iterator, StringIO, UUID, json, logging};
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_logging": ORGANIZATION, entries, record_of, SECRETS, HARMLESS;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_logging").docstring("What the log says, and what it does not tell.").body(
        block![
            assign(ORGANIZATION, py!(UUID(int = 7))),
            written_def(),
            entries_def(),
            record_of_def(),
            test_a_record_is_one_json_object(),
            test_the_level_comes_from_the_settings(),
            test_all_records_are_written_alike(),
            secrets(),
            test_secrets_and_people_are_hidden(),
            harmless(),
            test_nothing_else_is_hidden(),
            test_what_may_say_all_is_not_searched(),
            test_an_error_of_the_database_tells_no_values(),
            test_each_request_is_logged(),
            test_a_path_that_does_not_exist_is_not_told(),
            test_who_asked_before_is_forgotten(),
            test_the_log_of_requests_can_be_off(),
            test_work_in_the_middle_of_other_work()
        ],
    )
}

fn written_def() -> FunctionDef {
    names!(stream, handler, app);
    def("written").decorator(py!(pytest.fixture)).returns(py!(Iterator[StringIO])).body(block![
        docstring("Write what the application logs into a text too."),
        assign(stream, py!(StringIO())),
        assign(handler, py!(logging.StreamHandler(stream))),
        do_(py!(handler.setFormatter(JsonFormatter()))),
        assign(app, py!(logging.getLogger("app"))),
        do_(py!(app.addHandler(handler))),
        do_(py!(yield_!(stream))),
        do_(py!(app.removeHandler(handler)))
    ])
}

fn entries_def() -> FunctionDef {
    names!(written, line);
    def(entries).params([param(written, StringIO)]).returns(py!(list[dict[(str, Any)]])).body(
        block![
            docstring("Read the records back."),
            return_(py!(list!(json.loads(line) for line in written.getvalue().splitlines())))
        ],
    )
}

fn record_of_def() -> FunctionDef {
    names!(message, arguments);
    def(record_of)
        .params([param(message, str), varargs(arguments, object)])
        .returns(py!(logging.LogRecord))
        .body(block![
            docstring("Make a record."),
            return_(py!(logging.LogRecord(
                "app.tests",
                logging.ERROR,
                __file__,
                1,
                message,
                arguments,
                None
            )))
        ])
}

fn test_a_record_is_one_json_object() -> FunctionDef {
    names!(record, error, written, entry);
    def("test_a_record_is_one_json_object").returns(none()).body(block![
        do_(py!(begin_request("the-request"))),
        assign(error, py!(ValueError("the reason"))),
        assign(record, py!(record_of("two\n%s", "lines"))),
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

/// `@pytest.mark.usefixtures("log_as_it_was")`
fn setting_up(test: &'static str) -> FunctionDef {
    def(test).decorator(py!(pytest.mark.usefixtures("log_as_it_was"))).returns(none())
}

fn test_the_level_comes_from_the_settings() -> FunctionDef {
    setting_up("test_the_level_comes_from_the_settings").body(block![
        do_(py!(configure_logging(Settings(log_level = "WARNING")))),
        assert_(py!(logging.getLogger("app").level == logging.WARNING))
    ])
}

fn test_all_records_are_written_alike() -> FunctionDef {
    names!(root, ours, handler);
    setting_up("test_all_records_are_written_alike").body(block![
        do_(py!(configure_logging(Settings()))),
        do_(py!(configure_logging(Settings()))),
        assign(root, py!(logging.getLogger())).paragraph(),
        assign(
            ours,
            py!(list!(
                handler for handler in root.handlers
                if isinstance(handler.formatter, JsonFormatter)
            ))
        ),
        assert_(py!(len(ours) == 1)),
        assert_(py!(logging.getLogger("uvicorn.error").hasHandlers()))
            .comment("Uvicorn logs through the root, but for its own log of requests."),
        assert_(py!(!any(logging.getLogger("uvicorn").handlers))),
        assert_(py!(!logging.getLogger("uvicorn.access").hasHandlers()))
    ])
}

fn secrets() -> Stmt {
    let token = "kJ4rS0v9Xy2bQm7TnL5wZc8Hd1Fg6Ap3Ue_Ri-OxWqY";
    let (bearer, quoted) = (format!("Bearer {token}"), format!("{{'refresh_token': '{token}'}}"));
    assign(
        SECRETS,
        py!([
            ("mail to ada.l+x@example.co.uk", "mail to [email]"),
            ("Key DETAIL:  Key (email)=(ada) exists.\nnext", "Key DETAIL: [hidden]\nnext"),
            (
                "[type=string, input_value='Ada, L', input_type=str]",
                "[type=string, input_value=[hidden], input_type=str]",
            ),
            (
                "postgresql+asyncpg://app:p%40ss@host:5432/db",
                "postgresql+asyncpg://[hidden]@host:5432/db",
            ),
            (
                "{\"password\": \"of several words\", \"x\": 1}",
                "{\"password\": [hidden], \"x\": 1}"
            ),
            ("/files/content?token=abc&x=1", "/files/content?token=[hidden]&x=1"),
            ({ format!("Authorization: {bearer}") }, "Authorization: [hidden]"),
            (quoted, "{'refresh_token': [hidden]}"),
            ({ format!("found {token}") }, "found [hidden]"),
            ("sk_live_51H8 and whsec_abc", "[hidden] and [hidden]"),
            ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP", "got [hidden]")
        ]),
    )
}

fn test_secrets_and_people_are_hidden() -> FunctionDef {
    names!(text, shown);
    def("test_secrets_and_people_are_hidden")
        .decorator(py!(pytest.mark.parametrize(("text", "shown"), SECRETS)))
        .params([param(text, str), param(shown, str)])
        .returns(none())
        .body([assert_(py!(redact(text) == shown))])
}

fn harmless() -> Stmt {
    assign(
        HARMLESS,
        py!([
            "Job 0c7b3a52-6a1c-4b58-9a53-2a2b8a3b7e11 (send_email) is dead",
            "Event evt_1PabcdefghijklmnopqRSTUV is put off: no answer",
            "UNIQUE constraint failed: refresh_tokens.token_hash",
            "in test_a_server_that_is_told_to_stop_says_so_first",
            "http://127.0.0.1:8000 @ 12:00"
        ]),
    )
}

fn test_nothing_else_is_hidden() -> FunctionDef {
    names!(text);
    def("test_nothing_else_is_hidden")
        .decorator(py!(pytest.mark.parametrize("text", HARMLESS)))
        .params([param(text, str)])
        .returns(none())
        .body([assert_(py!(redact(text) == text))])
}

fn test_what_may_say_all_is_not_searched() -> FunctionDef {
    names!(written, logger, first, second);
    def("test_what_may_say_all_is_not_searched")
        .params([param(written, StringIO)])
        .returns(none())
        .body(block![
            assign(logger, py!(logging.getLogger("app.tests"))),
            do_(py!(logger.error("to %s", "ada@example.com"))),
            do_(py!(logger.error("to %s", "ada@example.com", extra = VERBATIM))),
            assign(py!((first, second)), py!(entries(written))).paragraph(),
            assert_(py!(first["message"] == "to [email]")),
            assert_(py!(second["message"] == "to ada@example.com"))
        ])
}

fn test_an_error_of_the_database_tells_no_values() -> FunctionDef {
    names!(world, written, session, logger, entry);
    let user = || py!(User(email = "ada@example.com", password_hash = "the-hash"));
    world_test("test_an_error_of_the_database_tells_no_values")
        .params([param(written, StringIO)])
        .body(block![
            assign(logger, py!(logging.getLogger("app.tests"))),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    do_(py!(session.add_all([{ user() }, { user() }]))),
                    try_([do_(py!(session.flush().await))])
                        .except(IntegrityError, [do_(py!(logger.exception("It failed")))])
                ]
            ),
            assign(py!([entry]), py!(entries(written))).paragraph(),
            assert_(py!(in_!("IntegrityError", entry["exception"]))),
            assert_(py!(not_in!("ada@", entry["exception"]))),
            assert_(py!(not_in!("the-hash", entry["exception"])))
        ])
}

fn test_each_request_is_logged() -> FunctionDef {
    names!(world, ada, organization_id, written, answer, entry);
    world_test("test_each_request_is_logged").params([param(written, StringIO)]).body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(
            answer,
            py!(ada.get(f!("/organizations/{}/members?limit=1", organization_id)).await)
        )
        .paragraph(),
        assign(entry, py!(entries(written)[-1])).paragraph(),
        assert_(py!(entry["message"] == "GET /organizations/{organization_id}/members 200")),
        assert_(py!(entry["route"] == "/organizations/{organization_id}/members")),
        assert_(py!((entry["method"], entry["status"]) == ("GET", answer.status_code))),
        assert_(py!(entry["milliseconds"] > 0)),
        assert_(py!(entry["request_id"] == answer.headers["x-request-id"])),
        assert_(py!(entry["organization_id"] == organization_id)),
        assert_(py!(entry["user_id"] == ada.get("/auth/me").await.json()["id"]))
    ])
}

fn test_a_path_that_does_not_exist_is_not_told() -> FunctionDef {
    names!(world, written, entry);
    world_test("test_a_path_that_does_not_exist_is_not_told")
        .params([param(written, StringIO)])
        .body(block![
            do_(py!(world.http.get("/of/ada@example.com?token=secret").await)),
            assign(entry, py!(entries(written)[-1])).paragraph(),
            assert_(py!((entry["route"], entry["status"]) == ("unmatched", 404))),
            assert_(py!(not_in!("ada@", written.getvalue()))),
            assert_(py!(not_in!("secret", written.getvalue())))
        ])
}

fn test_who_asked_before_is_forgotten() -> FunctionDef {
    names!(world, ada, written, entry);
    world_test("test_who_asked_before_is_forgotten").params([param(written, StringIO)]).body(
        block![
            sign_up(world, ada),
            do_(py!(ada.get("/auth/me").await)),
            do_(py!(world.http.get("/auth/me").await)),
            assign(entry, py!(entries(written)[-1])).paragraph(),
            assert_(py!(entry["status"] == 401)),
            assert_(py!(not_in!("user_id", entry)))
        ],
    )
}

fn test_the_log_of_requests_can_be_off() -> FunctionDef {
    names!(is_on, application, installed, settings);
    setting_up("test_the_log_of_requests_can_be_off")
        .decorator(py!(pytest.mark.parametrize("is_on", [true, false])))
        .params([param(settings, Settings), star(), param(is_on, bool)])
        .body(block![
            assign(
                application,
                py!(create_app(settings.model_copy(update = dict!("access_log" => is_on))))
            ),
            assign(installed, py!(str(application.user_middleware))),
            assert_(py!(in_!("AccessLogMiddleware", installed) == is_on))
        ])
}

fn test_work_in_the_middle_of_other_work() -> FunctionDef {
    names!(inside, outside);
    def("test_work_in_the_middle_of_other_work").returns(none()).body(block![
        do_(py!(begin_request("the-request"))),
        do_(py!(current_user.set(ORGANIZATION))),
        with(
            py!(working_for(ORGANIZATION, "an-earlier-request")),
            [assign(inside, py!(describe_work()))]
        ),
        assign(outside, py!(describe_work())),
        assert_(py!(inside
            == dict!(
                "request_id" => "an-earlier-request",
                "organization_id" => str(ORGANIZATION),
                "user_id" => str(ORGANIZATION)
            )))
        .paragraph(),
        assert_(py!(current_organization.get() == None)),
        assert_(py!(outside["request_id"] == "the-request"))
    ])
}
