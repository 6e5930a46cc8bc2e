//! `backend/tests/test_rate_limits.py`: how often something may be tried.

use crate::core::api_keys::new_key;
use crate::core::client::{Network, origin, plain};
use crate::core::errors::{TooManyRequestsError, UnavailableError};
use crate::core::lockout::{Lockout, keys_of};
use crate::core::permissions::{Permission, entity_scopes};
use crate::core::rate_guard::is_used;
use crate::core::rate_limit::{CREDENTIALS, RateLimiter, bucket};
use crate::core::security::{Purpose, Signer};
use crate::core::settings::Settings;
use crate::python::builtins::{OSError, int, isinstance, list, object, range, str};
use crate::python::limits::{RateLimitItemPerMinute, RedisStorage, RedispyBridge, StorageError};
use crate::python::pydantic::SecretStr;
use crate::python::pytest::pytest;
use crate::python::standard::{
    AsyncGenerator, Generator, IPv4Network, IPv6Network, Path, replace, timedelta, uuid4,
};
use crate::spec::{Entity, Guard, Operation, Spec, Totp};
use crate::tests::casting::{has_room, open_entity, ordinary};
use crate::tests::servers::{free_port, redis_server};
use crate::tests::test_api_keys::{make_key, program};
use crate::tests::world::{PASSWORD, World, first_organization};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_rate_limits": limited, proxied, shared, OURS;
}

/// The most requests that a test sends to see the limit of a route.
const MOST: u32 = 200;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let guarded = is_used(spec).then(|| limited_list(spec)).flatten();
    module("tests.test_rate_limits").docstring("How often something may be tried.").body(block![
        ann_assign(
            OURS,
            py!(list[Network]),
            py!([IPv4Network("10.0.0.0/8"), IPv6Network("fd00::/8")])
        ),
        limited_def(),
        proxied_def(),
        test_sign_ins_are_counted_by_account(),
        test_nobody_writes_their_own_address(),
        test_mails_are_counted(),
        test_nobody_is_flooded_from_many_addresses(),
        test_a_new_address_is_not_flooded(),
        test_a_token_is_not_tried_from_many_addresses(),
        test_answers_tell_what_is_left(),
        test_passwords_are_not_guessed_behind_a_sign_in(),
        spec.auth.has_totp().then(test_codes_are_counted),
        test_tokens_are_not_guessed(),
        test_who_was_signed_in_is_not_counted(),
        spec.organizations.api_keys.then(test_keys_are_not_guessed),
        has_room(spec, 2).then(|| test_invitations_are_counted(ordinary(spec).name.as_str())),
        guarded.map(|(entity, count)| test_a_route_counts_for_each_member(entity, count)),
        guarded
            .filter(|_| spec.organizations.api_keys)
            .map(|(entity, count)| test_a_key_counts_by_itself(entity, count)),
        test_only_proxies_of_ours_are_believed(),
        test_a_customer_has_a_whole_network(),
        test_an_address_has_no_port(),
        test_one_address_does_not_try_everybody(),
        test_an_account_is_locked_for_longer_each_time(),
        test_every_address_is_locked_alike(),
        spec.auth.has_totp().then(|| test_wrong_passwords_and_codes_are_counted_together(spec)),
        spec.jobs.has_workers().then(|| {
            [
                shared_def(),
                test_servers_count_together(),
                test_an_hour_has_fewer_attempts_than_its_minutes(),
            ]
        }),
        test_without_a_counter_only_guarded_attempts_stop()
    ])
}

/// The first entity whose list has a limit that a test can reach, and that limit.
fn limited_list(spec: &Spec) -> Option<(&Entity, u32)> {
    let entity = open_entity(spec, 1)?;
    entity.guards.of(Operation::List).iter().find_map(|guard| match guard {
        Guard::RateLimit { count, .. } if (2..=MOST).contains(count) => Some((entity, *count)),
        _ => None,
    })
}

/// A test in which attempts are counted.
fn limited_test(test: &'static str) -> FunctionDef {
    async_def(test).params([param("limited", World)]).returns(none())
}

fn limited_def() -> FunctionDef {
    names!(world, settings, counting, state, usual);
    def(limited)
        .decorator(py!(pytest.fixture))
        .params([param(world, World), param(settings, Settings)])
        .returns(py!(Generator[(World, None, None)]))
        .body(block![
            docstring("Count attempts, from none on."),
            assign(counting, py!(settings.model_copy(update = dict!("rate_limiting" => true)))),
            assign(state, py!(world.app.state)),
            assign(usual, py!(state.rate_limiter)),
            assign(py!(state.rate_limiter), py!(RateLimiter(counting))),
            do_(py!(yield_!(world))),
            assign(py!(state.rate_limiter), usual)
        ])
}

fn test_sign_ins_are_counted_by_account() -> FunctionDef {
    names!(tries, refused, other);
    limited_test("test_sign_ins_are_counted_by_account").body(block![
        assign(
            tries,
            py!(list!(limited.login("ada@example.com").await.status_code for _ in range(6)))
        ),
        assert_(py!(tries == [401] * 6)),
        assign(refused, py!(limited.login("ada@example.com").await)),
        assert_(py!(refused.status_code == 429)),
        assert_(py!(refused.json()["code"] == "too_many_requests")),
        assert_(py!(chain!(0, "<", int(refused.headers["Retry-After"]), "<=", 900))),
        assert_(py!(limited.login("ADA@example.com").await.status_code == 429)),
        assign(other, py!(limited.login("eve@example.com").await)),
        assert_(py!(other.status_code == 401))
    ])
}

fn test_nobody_writes_their_own_address() -> FunctionDef {
    names!(body, number, statuses);
    limited_test("test_nobody_writes_their_own_address").body(block![
        assign(body, py!(dict!("email" => "ada@example.com", "password" => PASSWORD))),
        assign(
            statuses,
            py!(list!(
                limited
                    .http
                    .post(
                        "/auth/login",
                        json = body,
                        headers = dict!("X-Forwarded-For" => f!("203.0.113.{}", number)),
                    )
                    .await
                    .status_code
                for number in range(7)
            ))
        ),
        assert_(py!(statuses == [401] * 6 + [429]))
    ])
}

fn test_mails_are_counted() -> FunctionDef {
    names!(body, path, statuses);
    limited_test("test_mails_are_counted")
        .decorator(py!(pytest
            .mark
            .parametrize("path", ["/auth/password/forgot", "/auth/verify/resend"])))
        .params([param(path, str)])
        .body(block![
            assign(body, py!(dict!("email" => "ada@example.com"))),
            assign(
                statuses,
                py!(list!(
                    limited.http.post(path, json = body).await.status_code for _ in range(7)
                ))
            ),
            assert_(py!(statuses == [202] * 6 + [429]))
        ])
}

fn proxied_def() -> FunctionDef {
    names!(settings, state, usual);
    def(proxied)
        .decorator(py!(pytest.fixture))
        .params([param("limited", World), param(settings, Settings)])
        .returns(py!(Generator[(World, None, None)]))
        .body(block![
            docstring("Believe what this host says of where requests come from."),
            assign(state, py!(limited.app.state)),
            assign(usual, py!(state.settings)),
            assign(
                py!(state.settings),
                py!(settings
                    .model_copy(update = dict!("trusted_proxies" => [IPv4Network("127.0.0.0/8")])))
            ),
            do_(py!(yield_!(limited))),
            assign(py!(state.settings), usual)
        ])
}

/// A test in which requests come from many addresses.
fn proxied_test(test: &'static str) -> FunctionDef {
    async_def(test).params([param("proxied", World)]).returns(none())
}

/// `statuses = […]`: of 21 requests, each from an address of its own.
fn statuses_from_many(path: Expr) -> Stmt {
    names!(body, number, statuses);
    assign(
        statuses,
        py!(list!(
            proxied
                .http
                .post(
                    path,
                    json = body,
                    headers = dict!("X-Forwarded-For" => f!("203.0.113.{}", number)),
                )
                .await
                .status_code
            for number in range(21)
        )),
    )
}

fn test_nobody_is_flooded_from_many_addresses() -> FunctionDef {
    names!(path, email, body, statuses, limiter);
    proxied_test("test_nobody_is_flooded_from_many_addresses")
        .decorator(py!(pytest
            .mark
            .parametrize("path", ["/auth/password/forgot", "/auth/verify/resend"])))
        .params([param(path, str)])
        .body(block![
            assign(limiter, py!(proxied.app.state.rate_limiter)),
            assign(py!(limiter.is_on), false),
            do_(py!(proxied.sign_up("ada@example.com").await)),
            assign(py!(limiter.is_on), true),
            for_(
                email,
                py!(("ada@example.com", "nobody@example.com")),
                block![
                    assign(body, py!(dict!("email" => email))),
                    statuses_from_many(path.into_expr()),
                    assert_(py!(statuses == [202] * 20 + [429]))
                ]
            )
        ])
}

fn test_a_new_address_is_not_flooded() -> FunctionDef {
    names!(callers, number, body, headers, statuses, answer, limiter);
    let forwarded = py!(f!("203.0.113.{}", number));
    proxied_test("test_a_new_address_is_not_flooded").body(block![
        assign(limiter, py!(proxied.app.state.rate_limiter)),
        assign(py!(limiter.is_on), false),
        assign(
            callers,
            py!(list!(
                proxied.sign_up(f!("{}@example.com", number)).await for number in range(3)
            ))
        ),
        assign(py!(limiter.is_on), true),
        assign(body, py!(dict!("email" => "eve@example.com"))),
        ann_assign(statuses, py!(list[int]), py!([])),
        for_(
            number,
            py!(range(21)),
            block![
                assign(
                    headers,
                    py!(dict!(**callers[number % 3].headers, "X-Forwarded-For" => { forwarded }))
                ),
                assign(
                    answer,
                    py!(proxied.http.post("/auth/email", json = body, headers = headers).await)
                ),
                do_(py!(statuses.append(answer.status_code)))
            ]
        ),
        assert_(py!(statuses == [202] * 20 + [429]))
    ])
}

fn test_a_token_is_not_tried_from_many_addresses() -> FunctionDef {
    names!(body, statuses, token, other);
    proxied_test("test_a_token_is_not_tried_from_many_addresses").body(block![
        do_(py!(proxied.sign_up("ada@example.com").await)),
        assign(body, py!(dict!("email" => "ada@example.com"))),
        do_(py!(proxied.http.post("/auth/password/forgot", json = body).await)),
        assign(token, py!(proxied.mailed_token())),
        assign(body, py!(dict!("token" => token, "password" => PASSWORD.swapcase()))),
        statuses_from_many("/auth/password/reset".into_expr()),
        assert_(py!(statuses == [204] + [404] * 19 + [429])),
        assign(
            other,
            py!(proxied
                .http
                .post("/auth/password/reset", json = body | dict!("token" => "another"))
                .await)
        ),
        assert_(py!(other.status_code == 404))
    ])
}

fn test_answers_tell_what_is_left() -> FunctionDef {
    names!(refused, body, mailed, answer, answers);
    limited_test("test_answers_tell_what_is_left").body(block![
        assign(answers, py!(list!(limited.login("ada@example.com").await for _ in range(6)))),
        assert_(py!(list!(answer.headers["RateLimit-Remaining"] for answer in answers)
            == ["5", "4", "3", "2", "1", "0"])),
        assert_(py!(answers[0].headers["RateLimit-Limit"] == "6")),
        assert_(py!(int(answers[0].headers["RateLimit-Reset"]) <= 60)),
        assign(refused, py!(limited.login("ada@example.com").await)),
        assert_(py!((refused.status_code, refused.headers["RateLimit-Remaining"]) == (429, "0"))),
        assert_(py!(refused.headers["RateLimit-Limit"] == "6")),
        assert_(py!(refused.headers["RateLimit-Reset"] == refused.headers["Retry-After"])),
        assign(body, py!(dict!("email" => "eve@example.com"))),
        assign(mailed, py!(limited.http.post("/auth/password/forgot", json = body).await)),
        assert_(py!((mailed.status_code, mailed.headers["RateLimit-Remaining"]) == (202, "5")))
    ])
}

fn test_passwords_are_not_guessed_behind_a_sign_in() -> FunctionDef {
    names!(ada, body, statuses);
    limited_test("test_passwords_are_not_guessed_behind_a_sign_in").body(block![
        do_(py!(limited.register("ada@example.com").await)),
        assign(ada, py!(limited.sign_in("ada@example.com").await)),
        assign(body, py!(dict!("password" => "wrong"))),
        assign(
            statuses,
            py!(list!(
                ada.post("/auth/reauthenticate", body).await.status_code for _ in range(6)
            ))
        ),
        assert_(py!(statuses == [403] * 5 + [429]))
    ])
}

fn test_codes_are_counted() -> FunctionDef {
    names!(body, statuses);
    limited_test("test_codes_are_counted").body(block![
        assign(body, py!(dict!("challenge" => "unknown", "code" => "123456"))),
        assign(
            statuses,
            py!(list!(
                limited.http.post("/auth/totp/challenge", json = body).await.status_code
                for _ in range(7)
            ))
        ),
        assert_(py!(statuses == [401] * 6 + [429]))
    ])
}

fn test_tokens_are_not_guessed() -> FunctionDef {
    names!(ada, number, statuses, refused);
    limited_test("test_tokens_are_not_guessed").body(block![
        assign(ada, py!(limited.sign_up("ada@example.com").await)),
        assign(
            statuses,
            py!(list!(
                replace(ada, token = f!("token-{}", number)).get("/auth/me").await.status_code
                for number in range(60)
            ))
        ),
        assert_(py!(statuses == [401] * 60)),
        assign(refused, py!(replace(ada, token = "another").get("/auth/me").await)),
        assert_(py!(refused.status_code == 429)),
        assert_(py!(chain!(0, "<", int(refused.headers["Retry-After"]), "<=", 60))),
        assert_(py!(ada.get("/auth/me").await.status_code == 200))
    ])
}

fn test_who_was_signed_in_is_not_counted() -> FunctionDef {
    names!(settings, ada, old, late, statuses);
    limited_test("test_who_was_signed_in_is_not_counted").params([param(settings, Settings)]).body(
        block![
            assign(ada, py!(limited.sign_up("ada@example.com").await)),
            assign(old, py!(Signer(settings).sign(Purpose.ACCESS, uuid4(), timedelta(hours = -1)))),
            assign(late, py!(replace(ada, token = old))),
            assign(statuses, py!(list!(late.get("/auth/me").await.status_code for _ in range(61)))),
            assert_(py!(statuses == [401] * 61))
        ],
    )
}

fn test_keys_are_not_guessed() -> FunctionDef {
    names!(ada, path, statuses);
    limited_test("test_keys_are_not_guessed").body(block![
        assign(ada, py!(limited.sign_up("ada@example.com").await)),
        assign(path, py!(f!("/organizations/{}", ada.organization().await))),
        assign(
            statuses,
            py!(list!(
                program(ada, new_key()).get(path).await.status_code for _ in range(61)
            ))
        ),
        assert_(py!(statuses == [401] * 60 + [429])),
        assert_(py!(ada.get(path).await.status_code == 200))
    ])
}

fn test_invitations_are_counted(member: &str) -> FunctionDef {
    names!(ada, path, body, answers, answer, statuses, left);
    limited_test("test_invitations_are_counted").body(block![
        assign(ada, py!(limited.sign_up("ada@example.com").await)),
        assign(path, py!(f!("/organizations/{}/invitations", ada.organization().await))),
        assign(body, py!(dict!("email" => "bob@example.com", "role" => member))),
        assign(answers, py!(list!(ada.post(path, body).await for _ in range(51)))),
        assign(statuses, py!(list!(answer.status_code for answer in answers))),
        assert_(py!(statuses == [201] + [409] * 49 + [429])),
        assign(left, py!(list!(answer.headers["RateLimit-Remaining"] for answer in answers[..2]))),
        assert_(py!(left == ["49", "48"]))
    ])
}

fn test_a_key_counts_by_itself(entity: &Entity, count: u32) -> FunctionDef {
    names!(ada, organization_id, path, made, robot, answers, caller);
    let path_of_rows = [
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ];
    let [scope, _] = entity_scopes(&entity.names).map(|one| Permission.attr(one));
    let [most, fewer] = [count - 1, count - 2].map(|left| left.to_string());
    limited_test("test_a_key_counts_by_itself").body(block![
        assign(ada, py!(limited.sign_up("ada@example.com").await)),
        first_organization(ada, organization_id),
        assign(path, f_string(path_of_rows)),
        assign(made, py!(make_key(ada, organization_id, scope).await)),
        assign(robot, py!(program(ada, made["key"]))),
        assign(
            answers,
            py!(list!(
                caller.get(path).await.headers["RateLimit-Remaining"]
                for caller in (ada, robot, robot)
            ))
        ),
        assert_(py!(answers == [most, most, fewer]))
    ])
}

fn test_a_route_counts_for_each_member(entity: &Entity, count: u32) -> FunctionDef {
    names!(ada, organization_id, path, first, statuses, last, refused);
    let path_of_rows = [
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ];
    let (left, limit, rest) = ((count - 1).to_string(), count.to_string(), count - 1);
    limited_test("test_a_route_counts_for_each_member").body(block![
        assign(ada, py!(limited.sign_up("ada@example.com").await)),
        first_organization(ada, organization_id),
        assign(path, f_string(path_of_rows)),
        assign(first, py!(ada.get(path).await)),
        assert_(py!(first.headers["RateLimit-Limit"] == limit)),
        assert_(py!(first.headers["RateLimit-Remaining"] == left)),
        assign(statuses, py!(list!(ada.get(path).await.status_code for _ in range(rest)))),
        assert_(py!(statuses == [200] * { rest })),
        assign(refused, py!(ada.get(path).await)),
        assert_(py!(refused.status_code == 429)),
        assert_(py!(refused.headers["RateLimit-Remaining"] == "0")),
        assert_(py!(refused.headers["Retry-After"] == refused.headers["RateLimit-Reset"]))
    ])
}

fn test_only_proxies_of_ours_are_believed() -> FunctionDef {
    names!(hops, expected);
    def("test_only_proxies_of_ours_are_believed")
        .decorator(py!(pytest.mark.parametrize(
            ("hops", "expected"),
            [
                (["203.0.113.9"], "203.0.113.9"),
                (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
                (["198.51.100.1", "203.0.113.9", "10.0.0.1"], "203.0.113.9"),
                (["203.0.113.9", "fd00::1", "10.0.0.1"], "203.0.113.9"),
                (["10.0.0.2", "10.0.0.1"], "10.0.0.2"),
                (["203.0.113.9", "::ffff:10.0.0.1"], "203.0.113.9"),
                (["nonsense", "10.0.0.1"], "nonsense"),
                ([""], "")
            ]
        )))
        .params([param(hops, py!(list[str])), param(expected, str)])
        .returns(none())
        .body([assert_(py!(origin(hops, OURS) == expected))])
}

fn test_a_customer_has_a_whole_network() -> FunctionDef {
    def("test_a_customer_has_a_whole_network").returns(none()).body(block![
        assert_(py!(bucket("2001:db8::1") == bucket("2001:db8::ffff:1"))),
        assert_(py!(bucket("2001:db8::1") != bucket("2001:db8:0:1::1"))),
        assert_(py!(bucket("203.0.113.9") == "203.0.113.9")),
        assert_(py!(bucket("::ffff:203.0.113.9") == "203.0.113.9")),
        assert_(py!(bucket("unknown") == "unknown"))
    ])
}

fn test_an_address_has_no_port() -> FunctionDef {
    names!(hop, expected);
    def("test_an_address_has_no_port")
        .decorator(py!(pytest.mark.parametrize(
            ("hop", "expected"),
            [
                ("203.0.113.9:443", "203.0.113.9"),
                ("[2001:db8::1]:443", "2001:db8::1"),
                ("2001:db8::1", "2001:db8::1"),
                ("unknown:1", "unknown:1")
            ]
        )))
        .params([param(hop, str), param(expected, str)])
        .returns(none())
        .body([assert_(py!(plain(hop) == expected))])
}

fn test_one_address_does_not_try_everybody() -> FunctionDef {
    names!(number, statuses);
    limited_test("test_one_address_does_not_try_everybody").body(block![
        assign(
            statuses,
            py!(list!(
                limited.login(f!("user-{}@example.com", number)).await.status_code
                for number in range(31)
            ))
        ),
        assert_(py!(statuses == [401] * 30 + [429]))
    ])
}

fn test_an_account_is_locked_for_longer_each_time() -> FunctionDef {
    names!(lockout, wait, refused, email);
    let locked = |seconds: u32| {
        block![
            with_as(
                py!(pytest.raises(TooManyRequestsError)),
                refused,
                [do_(py!(lockout.enter(email).await))]
            ),
            assert_(py!(refused.value.problem_code == "account_locked")),
            assign(wait, py!(int(refused.value.headers["Retry-After"]))),
            assert_(py!(in_!({ seconds } - wait, range(6))))
        ]
    };
    limited_test("test_an_account_is_locked_for_longer_each_time").body(block![
        assign(lockout, py!(Lockout(limited.app.state.rate_limiter))),
        assign(email, "ada@example.com"),
        for_(py!(_), py!(range(10)), [do_(py!(lockout.enter(email).await))]),
        locked(900),
        do_(py!(lockout.limiter.storage.clear(keys_of(email)[1]).await)),
        do_(py!(lockout.enter(email).await)),
        locked(1800),
        do_(py!(lockout.enter("eve@example.com").await)),
        do_(py!(lockout.lift(email).await)),
        do_(py!(lockout.enter(email).await))
    ])
}

fn test_every_address_is_locked_alike() -> FunctionDef {
    names!(monkeypatch, ada, email, statuses, refused, body, wrong, token, again);
    limited_test("test_every_address_is_locked_alike")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            assign(ada, py!(limited.sign_up("ada@example.com").await)),
            do_(py!(monkeypatch.setattr("app.core.lockout.MAX_FAILURES", 2))),
            for_(
                email,
                py!((ada.email, "nobody@example.com")),
                block![
                    assign(
                        statuses,
                        py!(list!(
                            limited.login(email, "wrong").await.status_code for _ in range(2)
                        ))
                    ),
                    assert_(py!(statuses == [401] * 2)),
                    assign(refused, py!(limited.login(email).await)),
                    assert_(py!(refused.status_code == 429)),
                    assert_(py!(refused.json()["code"] == "account_locked"))
                ]
            ),
            assign(wrong, py!(dict!("password" => PASSWORD))),
            assign(again, py!(ada.post("/auth/reauthenticate", wrong).await)),
            assert_(py!(again.json()["code"] == "account_locked")),
            assign(body, py!(dict!("email" => ada.email))),
            do_(py!(limited.http.post("/auth/password/forgot", json = body).await)),
            assign(token, py!(limited.mailed_token())),
            assign(body, py!(dict!("token" => token, "password" => PASSWORD.swapcase()))),
            assert_(py!(
                limited.http.post("/auth/password/reset", json = body).await.status_code == 204
            )),
            assign(again, py!(limited.login(ada.email, PASSWORD.swapcase()).await)),
            assert_(py!(again.status_code == 200))
        ])
}

fn test_wrong_passwords_and_codes_are_counted_together(spec: &Spec) -> FunctionDef {
    names!(monkeypatch, ada, wrong, opened, body, answers, one, refused);
    let enrolled = spec.auth.totp != Totp::Required;
    let statuses = py!(list!(one.status_code for one in (wrong, *answers)));
    limited_test("test_wrong_passwords_and_codes_are_counted_together")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            assign(ada, py!(limited.sign_up("ada@example.com").await)),
            enrolled.then(|| {
                [do_(py!(limited.enroll(ada).await)), do_(py!(limited.sign_in(ada.email).await))]
            }),
            do_(py!(monkeypatch.setattr("app.core.lockout.MAX_FAILURES", 4))),
            assign(wrong, py!(limited.login(ada.email, "wrong").await)),
            assign(opened, py!(limited.login(ada.email).await)),
            assign(
                body,
                py!(dict!("challenge" => opened.json()["challenge"], "code" => "1234567"))
            ),
            assign(
                answers,
                py!(list!(
                    limited.http.post("/auth/totp/challenge", json = body).await
                    for _ in range(2)
                ))
            ),
            assert_(py!(statuses == [401] * 3)),
            for_(
                refused,
                py!((
                    limited.answer(ada.email, body["challenge"]).await,
                    limited.login(ada.email).await
                )),
                block![
                    assert_(py!(refused.status_code == 429)),
                    assert_(py!(refused.json()["code"] == "account_locked"))
                ]
            )
        ])
}

fn shared_def() -> FunctionDef {
    names!(settings, tmp_path, url, changes, counting, limiters, limiter, storage);
    async_def(shared)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings), param(tmp_path, Path)])
        .returns(py!(AsyncGenerator[(list[RateLimiter], None)]))
        .body(block![
            docstring("Count in one Redis on two servers."),
            with_as(
                py!(redis_server(tmp_path, free_port())),
                url,
                block![
                    assign(
                        changes,
                        py!(dict!("rate_limiting" => true, "redis_url" => SecretStr(url)))
                    ),
                    assign(counting, py!(settings.model_copy(update = changes))),
                    assign(limiters, py!([RateLimiter(counting), RateLimiter(counting)])),
                    do_(py!(yield_!(limiters))),
                    for_(
                        limiter,
                        limiters,
                        block![
                            assign(storage, py!(limiter.storage)),
                            assert_(py!(isinstance(storage, RedisStorage))),
                            assert_(py!(isinstance(storage.bridge, RedispyBridge))),
                            do_(py!(storage.bridge.storage.aclose().await))
                        ]
                    )
                ]
            )
        ])
}

fn test_servers_count_together() -> FunctionDef {
    names!(first, second, account, minute, limiter, refused, left);
    async_def("test_servers_count_together")
        .params([param(shared, py!(list[RateLimiter]))])
        .returns(none())
        .body(block![
            assign(py!((first, second)), shared),
            assign(account, py!((CREDENTIALS, "203.0.113.9", "ada"))),
            assign(py!((minute, _)), py!(CREDENTIALS.rates)),
            for_(limiter, py!((first, second) * 3), [do_(py!(limiter.spend(*account).await))]),
            for_(
                limiter,
                py!((first, second)),
                block![
                    with_as(
                        py!(pytest.raises(TooManyRequestsError)),
                        refused,
                        [do_(py!(limiter.spend(*account).await))]
                    ),
                    assign(left, py!(int(refused.value.headers["Retry-After"]))),
                    assert_(py!(in_!(900 - left, range(6)))),
                    do_(py!(limiter
                        .storage
                        .clear(minute.key_for("credentials", *account[1..]))
                        .await))
                    .comment("The minute is over for both.")
                ]
            ),
            do_(py!(second.spend(CREDENTIALS, "203.0.113.9", "eve").await))
        ])
}

fn test_an_hour_has_fewer_attempts_than_its_minutes() -> FunctionDef {
    names!(first, second, minute, limiter);
    let over = py!(minute.key_for("credentials", "203.0.113.9"));
    async_def("test_an_hour_has_fewer_attempts_than_its_minutes")
        .params([param(shared, py!(list[RateLimiter]))])
        .returns(none())
        .body(block![
            assign(py!((first, second)), shared),
            assign(py!((minute, _)), py!(CREDENTIALS.rates)),
            for_(
                limiter,
                py!((first, second) * 6),
                block![
                    do_(py!(limiter.spend(CREDENTIALS, "203.0.113.9").await)),
                    do_(py!(limiter.storage.clear(over).await))
                ]
            ),
            with(
                py!(pytest.raises(TooManyRequestsError)),
                [do_(py!(first.spend(CREDENTIALS, "203.0.113.9").await))]
            )
        ])
}

fn test_without_a_counter_only_guarded_attempts_stop() -> FunctionDef {
    names!(settings, monkeypatch, limiter, fail, rate);
    async_def("test_without_a_counter_only_guarded_attempts_stop")
        .params([param(settings, Settings), param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(none())
        .body(block![
            assign(limiter, py!(RateLimiter(settings))),
            do_(py!(monkeypatch.setattr(limiter, "is_on", true))),
            {
                async_def(fail)
                    .params([varargs(name("_"), py!(object))])
                    .returns(none())
                    .body([raise(py!(StorageError(OSError("the counter is gone"))))])
            },
            for_(
                name("method"),
                py!(("hit", "test", "get_window_stats")),
                [do_(py!(monkeypatch.setattr(limiter.windows, { name("method") }, fail)))]
            ),
            with(
                py!(pytest.raises(UnavailableError)),
                [do_(py!(limiter.spend(CREDENTIALS, "203.0.113.9").await))]
            ),
            assign(rate, py!(RateLimitItemPerMinute(1))),
            assert_(py!(limiter.count(rate, "203.0.113.9").await == dict!()))
        ])
}
