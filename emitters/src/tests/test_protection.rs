//! `backend/tests/test_protection.py`: security headers, origins and host names.

use crate::app_main::create_app;
use crate::core::protection::{HEADERS, POLICY, is_trusted};
use crate::core::settings::{Environment, Settings};
use crate::python::builtins::{RuntimeError, bool, object, str};
use crate::python::fastapi::FastAPI;
use crate::python::httpx2::{ASGITransport, AsyncClient, Response};
use crate::python::pytest::pytest;
use crate::spec::Spec;
use crate::tests::servers::serving;
use crate::tests::world::world_test;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_protection": FRONTEND, STRANGER, client, preflight;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_protection").docstring("Security headers, origins and host names.").body(
        block![
            assign(FRONTEND, "http://localhost:3000"),
            assign(STRANGER, "https://stranger.example"),
            client_def(),
            preflight_def(spec.auth.has_tokens()),
            test_every_answer_has_the_headers(),
            test_the_pages_of_the_documentation_may_load_scripts(),
            test_browsers_come_back_by_https_in_production(),
            test_a_defect_has_them_too_and_can_be_read_by_the_frontend(),
            test_the_frontend_may_call(),
            test_origins_of_the_settings_may_call(),
            test_a_stranger_may_not_call(),
            (!spec.auth.has_cookies()).then(test_browsers_send_no_cookies),
            test_requests_for_other_hosts_are_refused(),
            test_probes_may_name_an_address(spec),
            test_host_patterns()
        ],
    )
}

fn client_def() -> FunctionDef {
    names!(settings, changes);
    def(client)
        .params([param(settings, Settings), kwargs(changes, object)])
        .returns(AsyncClient)
        .body(block![
            docstring("Talk to an application with some settings changed."),
            return_(py!(AsyncClient(
                transport = ASGITransport(
                    create_app(settings.model_copy(update = changes)),
                    raise_app_exceptions = false
                ),
                base_url = "http://api.example.com"
            )))
        ])
}

fn preflight_def(has_tokens: bool) -> FunctionDef {
    let asked = if has_tokens { "authorization,if-match" } else { "x-csrf-token,if-match" };
    names!(http, origin, headers);
    async_def(preflight)
        .params([param(http, AsyncClient), param(origin, str)])
        .returns(Response)
        .body(block![
            docstring("Ask what a browser asks before it sends a request with a token."),
            assign(
                headers,
                py!(dict!(
                    "Origin" => origin,
                    "Access-Control-Request-Method" => "PATCH",
                    "Access-Control-Request-Headers" => asked
                ))
            ),
            return_(py!(http.options("/me", headers = headers).await))
        ])
}

fn test_every_answer_has_the_headers() -> FunctionDef {
    names!(world, path, answer, header, value);
    world_test("test_every_answer_has_the_headers")
        .decorator(py!(pytest.mark.parametrize("path", ["/health/live", "/me", "/nowhere"])))
        .params([param(path, str)])
        .body(block![
            assign(answer, py!(world.http.get(path).await)),
            for_(
                py!((header, value)),
                py!(HEADERS.items()),
                [assert_(py!(answer.headers[header] == value))]
            ),
            assert_(py!(answer.headers["Content-Security-Policy"] == POLICY)),
            assert_(py!(not_in!("Strict-Transport-Security", answer.headers)))
        ])
}

fn test_the_pages_of_the_documentation_may_load_scripts() -> FunctionDef {
    names!(world, page);
    world_test("test_the_pages_of_the_documentation_may_load_scripts").body(block![
        assign(page, py!(world.http.get("/docs").await)),
        assert_(py!(page.status_code == 200)),
        assert_(py!(not_in!("Content-Security-Policy", page.headers))),
        assert_(py!(page.headers["X-Frame-Options"] == "DENY"))
    ])
}

fn test_browsers_come_back_by_https_in_production() -> FunctionDef {
    names!(settings, http, answer);
    async_def("test_browsers_come_back_by_https_in_production")
        .params([param(settings, Settings)])
        .returns(none())
        .body(async_with_as(
            py!(client(settings, environment = Environment.PRODUCTION)),
            http,
            block![
                assign(answer, py!(http.get("/health/live").await)),
                assert_(py!(answer.headers["Strict-Transport-Security"].startswith("max-age=")))
            ],
        ))
}

fn test_a_defect_has_them_too_and_can_be_read_by_the_frontend() -> FunctionDef {
    names!(settings, app, transport, http, answer, fail);
    async_def("test_a_defect_has_them_too_and_can_be_read_by_the_frontend")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            ann_assign(app, FastAPI, py!(create_app(settings))),
            def(fail)
                .decorator(py!(app.get("/fail")))
                .returns(none())
                .body([raise(py!(RuntimeError("a defect")))]),
            assign(transport, py!(ASGITransport(app, raise_app_exceptions = false))),
            async_with_as(
                py!(AsyncClient(transport = transport, base_url = "http://test")),
                http,
                [assign(
                    answer,
                    py!(http.get("/fail", headers = dict!("Origin" => FRONTEND)).await)
                )]
            ),
            assert_(py!(answer.status_code == 500)),
            assert_(py!(answer.headers["X-Content-Type-Options"] == "nosniff")),
            assert_(py!(answer.headers["Access-Control-Allow-Origin"] == FRONTEND))
        ])
}

fn test_the_frontend_may_call() -> FunctionDef {
    names!(world, allowed, answer);
    world_test("test_the_frontend_may_call").body(block![
        assign(allowed, py!(preflight(world.http, FRONTEND).await)),
        assert_(py!(allowed.status_code == 200)),
        assert_(py!(allowed.headers["Access-Control-Allow-Origin"] == FRONTEND)),
        assert_(py!(in_!("PATCH", allowed.headers["Access-Control-Allow-Methods"]))),
        assign(
            answer,
            py!(world.http.get("/health/live", headers = dict!("Origin" => FRONTEND)).await)
        ),
        assert_(py!(answer.headers["Access-Control-Allow-Origin"] == FRONTEND)),
        assert_(py!(in_!("ETag", answer.headers["Access-Control-Expose-Headers"])))
    ])
}

fn test_origins_of_the_settings_may_call() -> FunctionDef {
    names!(settings, http, origin, allowed);
    async_def("test_origins_of_the_settings_may_call")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(origin, "https://admin.example.com"),
            async_with_as(
                py!(client(settings, cors_origins = [f!("{}/", origin)])),
                http,
                [assign(allowed, py!(preflight(http, origin).await))]
            ),
            assert_(py!(allowed.headers["Access-Control-Allow-Origin"] == origin))
        ])
}

fn test_a_stranger_may_not_call() -> FunctionDef {
    names!(world, refused, answer);
    world_test("test_a_stranger_may_not_call").body(block![
        assign(refused, py!(preflight(world.http, STRANGER).await)),
        assert_(py!(refused.status_code == 400)),
        assert_(py!(not_in!("Access-Control-Allow-Origin", refused.headers))),
        assign(
            answer,
            py!(world.http.get("/health/live", headers = dict!("Origin" => STRANGER)).await)
        ),
        assert_(py!(not_in!("Access-Control-Allow-Origin", answer.headers)))
    ])
}

/// The one of cookies is in `test_cookies`.
fn test_browsers_send_no_cookies() -> FunctionDef {
    names!(world, origin, answers, answer);
    world_test("test_browsers_send_no_cookies")
        .decorator(py!(pytest.mark.parametrize("origin", [FRONTEND, STRANGER])))
        .params([param(origin, str)])
        .body(block![
            assign(
                answers,
                py!([
                    preflight(world.http, origin).await,
                    world.http.get("/health/live", headers = dict!("Origin" => origin)).await
                ])
            ),
            for_(
                answer,
                answers,
                [assert_(py!(not_in!("Access-Control-Allow-Credentials", answer.headers)))]
            )
        ])
}

fn test_requests_for_other_hosts_are_refused() -> FunctionDef {
    names!(settings, http, ours, refused);
    async_def("test_requests_for_other_hosts_are_refused")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            async_with_as(
                py!(client(settings, allowed_hosts = ["api.example.com"])),
                http,
                block![
                    assign(ours, py!(http.get("/openapi.json").await)),
                    assign(refused, py!(http.get("http://evil.example/openapi.json").await))
                ]
            ),
            assert_(py!(ours.status_code == 200)),
            assert_(py!(refused.status_code == 400)),
            assert_(py!(refused.json()["code"] == "bad_request")),
            assert_(py!(refused.json()["request_id"] == refused.headers["X-Request-ID"]))
        ])
}

fn test_probes_may_name_an_address(spec: &Spec) -> FunctionDef {
    let metrics = spec.observability.is_public().then_some("/metrics");
    let paths: Vec<&str> = ["/health", "/health/ready"].into_iter().chain(metrics).collect();
    names!(settings, http, path, hosts, answer);
    async_def("test_probes_may_name_an_address")
        .decorator(py!(pytest.mark.parametrize("path", [..paths])))
        .params([param(settings, Settings), param(path, str)])
        .returns(none())
        .body(block![
            assign(hosts, py!(dict!("allowed_hosts" => ["api.example.com"]))),
            async_with_as(
                py!(serving(create_app(settings.model_copy(update = hosts)))),
                http,
                [assign(answer, py!(http.get(f!("http://10.0.0.7:8000{}", path)).await))]
            ),
            assert_(py!(answer.status_code == 200))
        ])
}

fn test_host_patterns() -> FunctionDef {
    names!(host, trusted, allowed);
    let cases = py!([
        ("api.example.com", true),
        ("API.example.com:8443", true),
        ("eu.example.org", true),
        ("[::1]:8000", true),
        ("example.org", false),
        ("evilexample.org", false),
        ("api.example.com.evil.example", false),
        ("", false)
    ]);
    def("test_host_patterns")
        .decorator(py!(pytest.mark.parametrize(("host", "trusted"), cases)))
        .params([param(host, str), star(), param(trusted, bool)])
        .returns(none())
        .body(block![
            assign(allowed, py!(["api.example.com", "*.example.org", "[::1]"])),
            assert_(py!(is_!(is_trusted(host, allowed), trusted)))
        ])
}
