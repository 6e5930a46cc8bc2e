//! `backend/tests/test_cookies.py`: the session in cookies, and what keeps other sites from using it.

use crate::core::cookies::{
    CSRF_COOKIE, CSRF_HEADER, REFRESH_COOKIE, REFRESH_PATH, SESSION_COOKIE,
};
use crate::python::builtins::{bool, dict, object, set, str};
use crate::python::httpx2::{AsyncClient, Response};
use crate::python::pytest::pytest;
use crate::python::standard::dataclass;
use crate::spec::{AuthMode, Spec, Totp};
use crate::tests::world::{PASSWORD, World, cookies_of, first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_cookies": FRONTEND, Browser, sign_in, answer_challenge, browser,
        browse;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_cookies")
        .docstring("The session in cookies, and what keeps other sites from using it.")
        .body(block![
            assign(FRONTEND, "http://localhost:3000"),
            browser_class(),
            sign_in_def(spec.auth.mode),
            spec.auth.has_totp().then(|| answer_challenge_def(spec.auth.mode)),
            browser_def(),
            browse_def(spec.auth.totp),
            test_cookies_are_for_this_host_only(),
            test_a_cookie_is_enough_to_read(),
            test_a_change_needs_the_token(),
            test_the_token_belongs_to_its_session(),
            test_pages_of_ours_may_change_things(),
            test_pages_of_others_may_not(),
            test_pages_of_others_do_not_sign_in(),
            by_mode(spec),
            test_a_session_is_refreshed(),
            test_a_forged_refresh_changes_nothing(),
            test_a_refresh_needs_its_token(spec.auth.mode),
            test_a_logout_drops_the_cookies(),
            test_scripts_of_the_frontend_may_send_cookies(),
            spec.auth.has_totp().then(|| test_a_challenge_ends_in_cookies(spec.auth.totp))
        ])
}

/// What a token in a header is worth.
fn by_mode(spec: &Spec) -> Vec<FunctionDef> {
    match spec.auth.mode {
        AuthMode::Bearer | AuthMode::Both => {
            vec![test_a_token_in_a_header_is_enough(), test_both_at_once_are_ambiguous()]
        }
        AuthMode::Cookie => {
            let keys = spec.organizations.api_keys.then(test_a_key_and_a_cookie_are_ambiguous);
            [test_a_token_in_a_header_is_worth_nothing()].into_iter().chain(keys).collect()
        }
    }
}

fn browser_class() -> ClassDef {
    names!(http, cookies);
    class(Browser).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("A browser that is signed in, on a page of ours."),
        annotate(http, AsyncClient),
        annotate(cookies, py!(dict[(str, str)])),
        browser_send(),
        browser_change()
    ])
}

fn browser_send() -> FunctionDef {
    names!(method, path, body, headers, sent, cookie, name, value);
    async_def("send")
        .params([
            untyped("self"),
            param(method, str),
            param(path, str),
            param(body, object).default(none()),
            param(headers, py!(dict[(str, str)] | None)).default(none()),
        ])
        .returns(Response)
        .body(block![
            docstring("Send a request with the cookies, and with no header but these."),
            assign(
                cookie,
                py!("; ".join(generator!(
                    f!("{}={}", name, value) for (name, value) in self.cookies.items()
                )))
            ),
            assign(sent, py!(dict!("Cookie" => cookie, **(headers || dict!())))),
            return_(py!(self.http.request(method, path, json = body, headers = sent).await))
        ])
}

fn browser_change() -> FunctionDef {
    names!(headers, sent);
    async_def("change").params([untyped("self"), kwargs(headers, str)]).returns(Response).body(
        block![
            docstring("Found an organization; an argument is a header."),
            assign(sent, py!(dict!(CSRF_HEADER => self.cookies[CSRF_COOKIE], **headers))),
            return_(py!(self.send("POST", "/organizations", dict!("name" => "New"), sent).await))
        ],
    )
}

fn sign_in_def(mode: AuthMode) -> FunctionDef {
    names!(world, email, headers, body);
    let sent = match mode {
        AuthMode::Cookie => py!(dict!("email" => email, "password" => PASSWORD)),
        AuthMode::Bearer | AuthMode::Both => {
            py!(dict!("email" => email, "password" => PASSWORD, "cookies" => true))
        }
    };
    async_def(sign_in)
        .params([param(world, World), param(email, str), kwargs(headers, str)])
        .returns(Response)
        .body(block![
            docstring("Register and send a sign-in with cookies; an argument is a header."),
            do_(py!(world.register(email).await)),
            assign(body, sent),
            return_(py!(world.http.post("/auth/login", json = body, headers = headers).await))
        ])
}

fn answer_challenge_def(mode: AuthMode) -> FunctionDef {
    names!(world, email, challenge, code, body);
    let sent = match mode {
        AuthMode::Cookie => py!(dict!("challenge" => challenge, "code" => code)),
        AuthMode::Bearer | AuthMode::Both => {
            py!(dict!("challenge" => challenge, "code" => code, "cookies" => true))
        }
    };
    async_def(answer_challenge)
        .params([param(world, World), param(email, str)])
        .returns(Response)
        .body(block![
            docstring("Sign in with a password and a code, for cookies."),
            assign(challenge, py!(world.login(email).await.json()["challenge"])),
            assign(code, py!(world.code(email).await)),
            assign(body, sent),
            return_(py!(world.http.post("/auth/totp/challenge", json = body).await))
        ])
}

fn browser_def() -> FunctionDef {
    names!(world, response, values, name, cookie);
    let pairs = py!(cookies_of(response).items());
    def(browser).params([param(world, World), param(response, Response)]).returns(Browser).body(
        block![
            docstring("Return a browser that keeps the cookies of an answer."),
            assign(values, py!(dict!(name => cookie.value for (name, cookie) in pairs))),
            return_(py!(Browser(world.http, values)))
        ],
    )
}

fn browse_def(totp: Totp) -> FunctionDef {
    names!(world, email, response);
    let signed_in = match totp {
        Totp::Off | Totp::Optional => {
            block![assign(response, py!(sign_in(world, email).await))]
        }
        Totp::Required => block![
            do_(py!(world.sign_up(email).await)),
            assign(response, py!(answer_challenge(world, email).await))
        ],
    };
    async_def(browse)
        .params([param(world, World), param(email, str).default("ada@example.com")])
        .returns(Browser)
        .body(block![
            docstring("Register and sign in with cookies."),
            signed_in,
            assert_that(py!(response.status_code == 200), py!(response.text)),
            return_(py!(browser(world, response)))
        ])
}

fn test_cookies_are_for_this_host_only() -> FunctionDef {
    names!(world, response, cookies, cookie, path, is_hidden, name, expected);
    let cases = py!((
        (SESSION_COOKIE, "/", true),
        (CSRF_COOKIE, "/", false),
        (REFRESH_COOKIE, REFRESH_PATH, true)
    ));
    world_test("test_cookies_are_for_this_host_only").body(block![
        assign(response, py!(sign_in(world, "ada@example.com").await)),
        assign(cookies, py!(cookies_of(response))),
        for_(
            py!((name, path, is_hidden)),
            cases,
            block![
                assign(cookie, py!(cookies[name])),
                assert_(py!((cookie["path"], cookie["domain"]) == (path, ""))),
                assert_(py!((cookie["secure"], cookie["samesite"]) == (true, "lax"))),
                assert_(py!(is_!(bool(cookie["httponly"]), is_hidden)))
            ]
        ),
        assign(expected, py!(set!("csrf_token", "expires_in"))),
        assert_(py!(set(response.json()) == expected)),
        assert_(py!(response.json()["csrf_token"] == cookies[CSRF_COOKIE].value))
    ])
}

fn test_a_cookie_is_enough_to_read() -> FunctionDef {
    names!(world, ada);
    world_test("test_a_cookie_is_enough_to_read").body(block![
        assign(ada, py!(browse(world).await)),
        assert_(py!(ada.send("GET", "/auth/me").await.status_code == 200)),
        assert_(py!(ada.send("GET", "/organizations").await.status_code == 200)),
        assert_(py!(world.http.get("/auth/me").await.status_code == 401))
    ])
}

fn test_a_change_needs_the_token() -> FunctionDef {
    names!(world, ada, headers, body, refused, token, wrong);
    world_test("test_a_change_needs_the_token").body(block![
        assign(ada, py!(browse(world).await)),
        assign(token, py!(ada.cookies[CSRF_COOKIE])),
        assign(body, py!(dict!("name" => "New"))),
        for_(
            headers,
            py!((dict!(), dict!(CSRF_HEADER => ""), dict!(CSRF_HEADER => token[..-1]))),
            block![
                assign(refused, py!(ada.send("POST", "/organizations", body, headers).await)),
                assert_(py!(
                    (refused.status_code, refused.json()["code"]) == (403, "csrf_token_invalid")
                ))
            ]
        ),
        assign(wrong, py!(Browser(world.http, dict!(**ada.cookies, CSRF_COOKIE => "made up")))),
        assert_(py!(wrong.change().await.status_code == 403)),
        assert_(py!(ada.change().await.status_code == 201))
    ])
}

fn test_the_token_belongs_to_its_session() -> FunctionDef {
    names!(world, ada, eve, mixed);
    world_test("test_the_token_belongs_to_its_session").body(block![
        assign(ada, py!(browse(world).await)),
        assign(eve, py!(browse(world, "eve@example.com").await)),
        assign(
            mixed,
            py!(Browser(world.http, dict!(**ada.cookies, CSRF_COOKIE => eve.cookies[CSRF_COOKIE])))
        ),
        assert_(py!(mixed.change().await.status_code == 403)),
        assert_(py!(eve.change().await.status_code == 201))
    ])
}

/// `@pytest.mark.parametrize("headers", […])`
fn headers_test(test: &'static str, headers: Expr) -> FunctionDef {
    world_test(test)
        .decorator(py!(pytest.mark.parametrize("headers", headers)))
        .params([param(name("headers"), py!(dict[(str, str)]))])
}

fn test_pages_of_ours_may_change_things() -> FunctionDef {
    names!(world, headers, ada, done);
    let ours = py!([
        dict!("Origin" => "http://test"),
        dict!("Origin" => FRONTEND, "Sec-Fetch-Site" => "same-site"),
        dict!("Sec-Fetch-Site" => "same-origin")
    ]);
    headers_test("test_pages_of_ours_may_change_things", ours).body(block![
        assign(ada, py!(browse(world).await)),
        assign(done, py!(ada.change(**headers).await)),
        assert_(py!(done.status_code == 201))
    ])
}

fn test_pages_of_others_may_not() -> FunctionDef {
    names!(world, headers, ada, refused);
    let others = py!([
        dict!("Origin" => "https://evil.example"),
        dict!("Origin" => "http://test.evil.example"),
        dict!("Origin" => "null"),
        dict!("Origin" => "http://["),
        dict!("Origin" => "http://test", "Sec-Fetch-Site" => "cross-site"),
        dict!("Sec-Fetch-Site" => "cross-site"),
        dict!("Sec-Fetch-Site" => "same-site")
    ]);
    headers_test("test_pages_of_others_may_not", others).body(block![
        assign(ada, py!(browse(world).await)),
        assign(refused, py!(ada.change(**headers).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "foreign_origin")))
    ])
}

fn test_pages_of_others_do_not_sign_in() -> FunctionDef {
    names!(world, refused);
    world_test("test_pages_of_others_do_not_sign_in").body(block![
        assign(
            refused,
            py!(sign_in(world, "ada@example.com", Origin = "https://evil.example").await)
        ),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "foreign_origin"))),
        assert_(py!(!refused.headers.get_list("Set-Cookie")))
    ])
}

fn test_a_token_in_a_header_is_enough() -> FunctionDef {
    names!(world, ada, headers, done);
    world_test("test_a_token_in_a_header_is_enough").body(block![
        assign(ada, py!(world.sign_up("ada@example.com").await)),
        assign(
            headers,
            py!(dict!(
                "Authorization" => f!("Bearer {}", ada.token),
                "Origin" => "https://evil.example",
                "Sec-Fetch-Site" => "cross-site"
            ))
        ),
        assign(
            done,
            py!(world
                .http
                .post("/organizations", json = dict!("name" => "New"), headers = headers)
                .await)
        ),
        assert_(py!(done.status_code == 201))
    ])
}

fn test_both_at_once_are_ambiguous() -> FunctionDef {
    names!(world, ada, bob, headers, path, refused);
    world_test("test_both_at_once_are_ambiguous").body(block![
        assign(ada, py!(browse(world).await)),
        assign(bob, py!(world.sign_up("bob@example.com").await)),
        assign(headers, py!(dict!("Authorization" => f!("Bearer {}", bob.token)))),
        for_(
            path,
            py!(("/auth/me", f!("/organizations/{}", bob.organization().await))),
            block![
                assign(refused, py!(ada.send("GET", path, headers = headers).await)),
                assert_(py!(
                    (refused.status_code, refused.json()["code"]) == (400, "ambiguous_credentials")
                ))
            ]
        )
    ])
}

fn test_a_session_is_refreshed() -> FunctionDef {
    names!(world, ada, headers, done, cookies);
    world_test("test_a_session_is_refreshed").body(block![
        assign(ada, py!(browse(world).await)),
        assign(headers, py!(dict!(CSRF_HEADER => ada.cookies[CSRF_COOKIE]))),
        assign(done, py!(ada.send("POST", REFRESH_PATH, dict!(), headers).await)),
        assert_that(py!(done.status_code == 200), py!(done.text)),
        assign(cookies, py!(cookies_of(done))),
        assert_(py!(cookies[REFRESH_COOKIE].value != ada.cookies[REFRESH_COOKIE])),
        assert_(py!(browser(world, done).change().await.status_code == 201))
    ])
}

fn test_a_forged_refresh_changes_nothing() -> FunctionDef {
    names!(world, ada, headers, forged, refused, done, token, code);
    world_test("test_a_forged_refresh_changes_nothing").body(block![
        assign(ada, py!(browse(world).await)),
        assign(token, py!(ada.cookies[CSRF_COOKIE])),
        for_(
            py!((forged, code)),
            py!((
                (dict!(), "csrf_token_invalid"),
                (dict!(CSRF_HEADER => token, "Origin" => "https://evil.example"), "foreign_origin")
            )),
            block![
                assign(refused, py!(ada.send("POST", REFRESH_PATH, dict!(), forged).await)),
                assert_(py!((refused.status_code, refused.json()["code"]) == (403, code)))
            ]
        ),
        assign(headers, py!(dict!(CSRF_HEADER => token))),
        assign(done, py!(ada.send("POST", REFRESH_PATH, dict!(), headers).await)),
        assert_(py!(done.status_code == 200))
    ])
}

fn test_a_refresh_needs_its_token(mode: AuthMode) -> FunctionDef {
    names!(world, ada, body, refused, missing);
    let twice = (mode == AuthMode::Both).then(|| {
        block![
            assign(ada, py!(browse(world).await)),
            assign(body, py!(dict!("refresh_token" => ada.cookies[REFRESH_COOKIE]))),
            assign(refused, py!(ada.send("POST", REFRESH_PATH, body).await)),
            assert_(py!(
                (refused.status_code, refused.json()["code"]) == (400, "ambiguous_credentials")
            ))
        ]
    });
    let (test, body) = match mode {
        AuthMode::Cookie => ("test_a_refresh_needs_its_cookie", None),
        AuthMode::Bearer | AuthMode::Both => {
            ("test_there_is_one_refresh_token", Some(kw("json", py!(dict!()))))
        }
    };
    world_test(test).body(block![
        twice,
        assign(missing, py!(world.http.post(REFRESH_PATH, ..body).await)),
        assert_(py!(missing.status_code == 401))
    ])
}

fn test_a_token_in_a_header_is_worth_nothing() -> FunctionDef {
    names!(world, ada, headers, path, refused);
    world_test("test_a_token_in_a_header_is_worth_nothing").body(block![
        sign_up(world, ada),
        assign(headers, py!(dict!("Authorization" => f!("Bearer {}", ada.token)))),
        for_(
            path,
            py!(("/auth/me", f!("/organizations/{}", ada.organization().await))),
            block![
                assign(refused, py!(world.http.get(path, headers = headers).await)),
                assert_(py!(refused.status_code == 401))
            ]
        )
    ])
}

fn test_a_key_and_a_cookie_are_ambiguous() -> FunctionDef {
    names!(world, ada, organization_id, headers, refused);
    world_test("test_a_key_and_a_cookie_are_ambiguous").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(headers, py!(dict!(**ada.headers, "Authorization" => "Bearer a-key"))),
        assign(
            refused,
            py!(world.http.get(f!("/organizations/{}", organization_id), headers = headers).await)
        ),
        assert_(py!(
            (refused.status_code, refused.json()["code"]) == (400, "ambiguous_credentials")
        ))
    ])
}

fn test_a_logout_drops_the_cookies() -> FunctionDef {
    names!(world, ada, headers, done, cookie);
    world_test("test_a_logout_drops_the_cookies").body(block![
        assign(ada, py!(browse(world).await)),
        assign(headers, py!(dict!(CSRF_HEADER => ada.cookies[CSRF_COOKIE]))),
        assign(done, py!(ada.send("POST", "/auth/logout", headers = headers).await)),
        assert_(py!(done.status_code == 204)),
        for_(
            cookie,
            py!(cookies_of(done).values()),
            [assert_(py!((cookie.value, cookie["max-age"]) == ("", "0")))]
        ),
        assert_(py!(set(cookies_of(done)) == set(ada.cookies))),
        assert_(py!(ada.send("GET", "/auth/me").await.status_code == 401))
    ])
}

fn test_scripts_of_the_frontend_may_send_cookies() -> FunctionDef {
    names!(world, headers, asked);
    world_test("test_scripts_of_the_frontend_may_send_cookies").body(block![
        assign(
            headers,
            py!(dict!(
                "Origin" => FRONTEND,
                "Access-Control-Request-Method" => "POST",
                "Access-Control-Request-Headers" => CSRF_HEADER
            ))
        ),
        assign(
            asked,
            py!(world.http.request("OPTIONS", "/organizations", headers = headers).await)
        ),
        assert_(py!(asked.status_code == 200)),
        assert_(py!(asked.headers["Access-Control-Allow-Origin"] == FRONTEND)),
        assert_(py!(asked.headers["Access-Control-Allow-Credentials"] == "true"))
    ])
}

fn test_a_challenge_ends_in_cookies(totp: Totp) -> FunctionDef {
    names!(world, ada, done);
    let enrolled = (totp == Totp::Optional).then(|| do_(py!(world.enroll(ada).await)));
    world_test("test_a_challenge_ends_in_cookies").body(block![
        sign_up(world, ada),
        enrolled,
        assign(done, py!(answer_challenge(world, ada.email).await)),
        assert_(py!(browser(world, done).change().await.status_code == 201))
    ])
}
