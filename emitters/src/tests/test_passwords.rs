//! `backend/tests/test_passwords.py`: passwords.

use crate::core::passwords::{PasswordHasher, is_common};
use crate::core::settings::Settings;
use crate::models::package::User;
use crate::python::anyio::{anyio, create_task_group, sleep};
use crate::python::builtins::{bool, int, len, list, range, sorted, str, tuple};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::update;
use crate::spec::{Spec, Totp};
use crate::tests::test_api_keys::{make_key, program};
use crate::tests::world::{Caller, PASSWORD, World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_passwords": NEW_PASSWORD, reset, forgot, change;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_passwords").docstring("Passwords.").body(block![
        assign(NEW_PASSWORD, py!(PASSWORD.swapcase())),
        reset_def(),
        forgot_def(),
        change_def(),
        test_passwords_are_hashed_with_the_parameters_in_the_settings(),
        test_an_unknown_user_never_matches(),
        test_a_hash_with_old_parameters_is_replaced(),
        test_the_loop_runs_while_passwords_are_hashed(),
        test_common_passwords(),
        test_uncommon_passwords(),
        test_a_common_password_is_refused(),
        test_a_forgotten_password_is_replaced(),
        test_a_reset_signs_the_user_out_everywhere(),
        test_the_first_reset_ends_what_was_set_up(spec),
        (spec.auth.totp == Totp::Optional).then(test_a_later_reset_keeps_the_second_factor),
        test_a_reset_token_is_good_once(),
        test_of_parallel_resets_one_wins(),
        test_a_reset_token_is_void_when_the_account_has_changed(),
        test_other_tokens_do_not_reset(),
        test_a_reset_asks_for_a_good_password(),
        test_mails_do_not_tell_whether_an_address_is_known(),
        test_a_disabled_user_gets_no_mail(),
        test_changing_the_password_ends_every_other_session(),
        test_changing_the_password_needs_the_old_one(),
        test_a_password_that_changes_during_a_sign_in_is_wrong()
    ])
}

fn reset_def() -> FunctionDef {
    names!(world, token, password, body);
    async_def(reset)
        .params([
            param(world, World),
            param(token, str),
            param(password, str).default(NEW_PASSWORD),
        ])
        .returns(int)
        .body(block![
            docstring("Reset a password and return the status."),
            assign(body, py!(dict!("token" => token, "password" => password))),
            return_(py!(world.http.post("/auth/password/reset", json = body).await.status_code))
        ])
}

fn forgot_def() -> FunctionDef {
    names!(world, email);
    async_def(forgot).params([param(world, World), param(email, str)]).returns(str).body(block![
        docstring("Ask for a reset and return the token from the mailbox."),
        do_(py!(world.http.post("/auth/password/forgot", json = dict!("email" => email)).await)),
        assert_(py!(world.outbox[-1]["Subject"] == "Set a new password")),
        return_(py!(world.mailed_token()))
    ])
}

fn change_def() -> FunctionDef {
    names!(caller, current, new, body);
    async_def(change)
        .params([param(caller, Caller), param(current, str), param(new, str)])
        .returns(int)
        .body(block![
            docstring("Change a password and return the status."),
            assign(body, py!(dict!("current_password" => current, "new_password" => new))),
            return_(py!(caller.post("/auth/password", body).await.status_code))
        ])
}

fn test_passwords_are_hashed_with_the_parameters_in_the_settings() -> FunctionDef {
    names!(hasher, password_hash);
    async_def("test_passwords_are_hashed_with_the_parameters_in_the_settings").returns(none()).body(
        block![
            assign(
                hasher,
                py!(PasswordHasher(Settings(password_time_cost = 1, password_memory_kib = 64)))
            ),
            assign(password_hash, py!(hasher.hash("correct horse battery").await)),
            assert_(py!(password_hash.startswith("$argon2id$v=19$m=64,t=1,p=1$"))),
            assert_(py!(hasher.decoy.startswith("$argon2id$v=19$m=64,t=1,p=1$"))),
            assert_(py!(
                hasher.verify("correct horse battery", password_hash).await == (true, None)
            )),
            assert_(py!(is_!(hasher.verify("another one", password_hash).await[0], false)))
        ],
    )
}

fn test_an_unknown_user_never_matches() -> FunctionDef {
    names!(settings, hasher);
    async_def("test_an_unknown_user_never_matches")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(hasher, py!(PasswordHasher(settings))),
            assert_(py!(is_!(hasher.verify("correct horse battery", None).await[0], false)))
        ])
}

fn test_a_hash_with_old_parameters_is_replaced() -> FunctionDef {
    names!(settings, cheap, old_hash, verified);
    async_def("test_a_hash_with_old_parameters_is_replaced")
        .params([param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(cheap, py!(settings.model_copy(update = dict!("password_memory_kib" => 16)))),
            assign(old_hash, py!(PasswordHasher(cheap).hash("correct horse battery").await)),
            assign(
                verified,
                py!(PasswordHasher(settings).verify("correct horse battery", old_hash).await)
            ),
            assert_(py!(is_!(verified[0], true))),
            assert_(py!(verified[1] != None)),
            assert_(py!(in_!("m=8,t=1,p=1", verified[1])))
        ])
}

fn test_the_loop_runs_while_passwords_are_hashed() -> FunctionDef {
    names!(hasher, tasks);
    async_def("test_the_loop_runs_while_passwords_are_hashed").returns(none()).body(block![
        assign(hasher, py!(PasswordHasher(Settings(password_workers = 1)))),
        async_with_as(
            py!(create_task_group()),
            tasks,
            block![
                for_(
                    py!(_),
                    py!(range(3)),
                    [do_(py!(tasks.start_soon(hasher.hash, "correct horse battery")))]
                ),
                for_(
                    py!(_),
                    py!(range(3)),
                    block![
                        do_(py!(sleep(0.001).await)),
                        assert_(py!(hasher.limiter.borrowed_tokens == 1))
                    ]
                )
            ]
        ),
        assert_(py!(hasher.limiter.borrowed_tokens == 0))
    ])
}

fn test_common_passwords() -> FunctionDef {
    names!(password);
    def("test_common_passwords")
        .decorator(py!(pytest.mark.parametrize(
            "password",
            [
                "qwertyuiopasdfghjkl",
                "Password1234",
                "P@ssw0rd2026!",
                "iloveyou!!!!",
                "1234letmein1234",
                "aaaaaaaaaaaa",
                "abcabcabcabca",
                "123456789012",
                "210987654321",
                "abcdefghijkl"
            ]
        )))
        .params([param(password, str)])
        .returns(none())
        .body([assert_(py!(is_common(password)))])
}

fn test_uncommon_passwords() -> FunctionDef {
    names!(password);
    def("test_uncommon_passwords")
        .decorator(py!(pytest
            .mark
            .parametrize("password", [PASSWORD, "mypasswordhorse", "k2#x9qf!z0vb"])))
        .params([param(password, str)])
        .returns(none())
        .body([assert_(py!(!is_common(password)))])
}

fn test_a_common_password_is_refused() -> FunctionDef {
    names!(world, common, refused);
    world_test("test_a_common_password_is_refused").body(block![
        assign(common, py!("Password" + "1" * (len(PASSWORD) - 8))),
        assign(refused, py!(world.register("ada@example.com", common).await)),
        assert_(py!(refused.status_code == 422)),
        assert_(py!(refused.json()["errors"][0]["type"] == "common_password")),
        assert_(py!(not_in!(common, refused.text)))
    ])
}

fn test_a_forgotten_password_is_replaced() -> FunctionDef {
    names!(world, ada, token, again);
    world_test("test_a_forgotten_password_is_replaced").body(block![
        sign_up(world, ada),
        assign(token, py!(forgot(world, ada.email).await)),
        assert_(py!(reset(world, token).await == 204)),
        assert_(py!(world.outbox[-1]["Subject"] == "Your password was changed")),
        assert_(py!(world.login(ada.email).await.status_code == 401)),
        assign(again, py!(world.sign_in(ada.email, NEW_PASSWORD).await)),
        assert_(py!(again.get("/auth/me").await.json()["email_verified_at"] != None))
    ])
}

fn test_a_reset_signs_the_user_out_everywhere() -> FunctionDef {
    names!(world, ada);
    world_test("test_a_reset_signs_the_user_out_everywhere").body(block![
        sign_up(world, ada),
        assert_(py!(reset(world, forgot(world, ada.email).await).await == 204)),
        assert_(py!(ada.get("/auth/me").await.status_code == 401)),
        assert_(py!(world.refresh(ada).await.status_code == 401))
    ])
}

fn test_the_first_reset_ends_what_was_set_up(spec: &Spec) -> FunctionDef {
    names!(world, ada, key, path, signed_in, body, endpoints, made, again, endpoint);
    let has_keys = spec.organizations.api_keys;
    let is_optional = spec.auth.totp == Totp::Optional;
    let has_webhooks = spec.webhooks.enabled && spec.auth.totp != Totp::Required;
    world_test("test_the_first_reset_ends_what_was_set_up").body(block![
        sign_up(world, ada),
        (has_keys || has_webhooks)
            .then(|| assign(path, py!(f!("/organizations/{}", ada.organization().await)))),
        has_keys.then(|| assign(
            key,
            py!(make_key(ada, ada.organization().await, "organization:read").await["key"])
        )),
        has_webhooks.then(|| block![
            assign(endpoints, py!(f!("{}/webhook-endpoints", path))),
            assign(body, py!(dict!("url" => "http://127.0.0.1:9/", "description" => ""))),
            assign(made, py!(ada.post(endpoints, body).await)),
            assert_that(py!(made.status_code == 201), py!(made.text))
        ]),
        is_optional.then(|| do_(py!(world.enroll(ada).await))),
        assert_(py!(reset(world, forgot(world, ada.email).await).await == 204)),
        assign(signed_in, py!(world.login(ada.email, NEW_PASSWORD).await)),
        assert_(py!(signed_in.status_code == 200)),
        assert_(py!(not_in!("challenge", signed_in.json()))),
        has_keys.then(|| assert_(py!(program(ada, key).get(path).await.status_code == 401))),
        has_webhooks.then(|| block![
            is_optional.then(|| do_(py!(world.secrets.clear()))),
            assign(again, py!(world.caller(ada.email, signed_in))),
            assign(endpoint, py!(again.get(endpoints).await.json()["items"][0])),
            assert_(py!(endpoint["disabled_at"] != None))
        ])
    ])
}

fn test_a_later_reset_keeps_the_second_factor() -> FunctionDef {
    names!(world, ada, signed_in);
    world_test("test_a_later_reset_keeps_the_second_factor").body(block![
        sign_up(world, ada),
        do_(py!(world.verify(ada).await)),
        do_(py!(world.enroll(ada).await)),
        assert_(py!(reset(world, forgot(world, ada.email).await).await == 204)),
        assign(signed_in, py!(world.login(ada.email, NEW_PASSWORD).await)),
        assert_(py!(in_!("challenge", signed_in.json())))
    ])
}

fn test_a_reset_token_is_good_once() -> FunctionDef {
    names!(world, ada, token, other);
    world_test("test_a_reset_token_is_good_once").body(block![
        sign_up(world, ada),
        assign(
            py!((token, other)),
            py!((forgot(world, ada.email).await, forgot(world, ada.email).await))
        ),
        assert_(py!(reset(world, token).await == 204)),
        assert_(py!(reset(world, token).await == 404)),
        assert_(py!(reset(world, other).await == 404))
    ])
}

fn test_of_parallel_resets_one_wins() -> FunctionDef {
    names!(world, ada, token, statuses, try_it, tasks, number);
    world_test("test_of_parallel_resets_one_wins").body(block![
        sign_up(world, ada),
        assign(token, py!(forgot(world, ada.email).await)),
        ann_assign(statuses, py!(list[int]), py!([])),
        {
            names!(number, password);
            async_def(try_it).params([param(number, int)]).returns(none()).body(block![
                assign(password, py!(f!("{}{}", number, NEW_PASSWORD[1..]))),
                do_(py!(statuses.append(reset(world, token, password).await)))
            ])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(number, py!(range(5)), [do_(py!(tasks.start_soon(try_it, number)))])
        ),
        assert_(py!(sorted(statuses) == [204] + [404] * 4)).paragraph()
    ])
}

fn test_a_reset_token_is_void_when_the_account_has_changed() -> FunctionDef {
    names!(world, ada, token);
    world_test("test_a_reset_token_is_void_when_the_account_has_changed").body(block![
        sign_up(world, ada),
        assign(token, py!(forgot(world, ada.email).await)),
        assert_(py!(change(ada, PASSWORD, NEW_PASSWORD).await == 204)),
        assert_(py!(reset(world, token).await == 404)),
        assign(token, py!(forgot(world, ada.email).await)),
        do_(py!(world.change(update(User).values(email = "new@example.com")).await)),
        assert_(py!(reset(world, token).await == 404)),
        assign(token, py!(forgot(world, "new@example.com").await)),
        do_(py!(world.change(update(User).values(is_active = false)).await)),
        assert_(py!(reset(world, token).await == 404))
    ])
}

fn test_other_tokens_do_not_reset() -> FunctionDef {
    names!(world, verification, ada, token);
    world_test("test_other_tokens_do_not_reset").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(verification, py!(world.mailed_token())),
        assign(ada, py!(world.sign_in("ada@example.com").await)),
        for_(
            token,
            py!((verification, ada.token, ada.refresh_token, "x")),
            [assert_(py!(reset(world, token).await == 404))]
        )
    ])
}

fn test_a_reset_asks_for_a_good_password() -> FunctionDef {
    names!(world, ada, token);
    world_test("test_a_reset_asks_for_a_good_password").body(block![
        sign_up(world, ada),
        assign(token, py!(forgot(world, ada.email).await)),
        assert_(py!(reset(world, token, "short").await == 422)),
        assert_(py!(reset(world, token).await == 204))
    ])
}

fn test_mails_do_not_tell_whether_an_address_is_known() -> FunctionDef {
    names!(world, statements, path, answers, email, answer);
    world_test("test_mails_do_not_tell_whether_an_address_is_known")
        .decorator(py!(pytest
            .mark
            .parametrize("path", ["/auth/password/forgot", "/auth/verify/resend"])))
        .params([param(statements, py!(list[str])), param(path, str)])
        .body(block![
            do_(py!(world.register("ada@example.com").await)),
            ann_assign(answers, py!(list[tuple[(int, str, list[str])]]), py!([])),
            for_(
                email,
                py!(("ada@example.com", "eve@example.com")),
                block![
                    do_(py!(statements.clear())),
                    assign(
                        answer,
                        py!(world.http.post(path, json = dict!("email" => email)).await)
                    ),
                    do_(py!(answers.append((answer.status_code, answer.text, statements.copy()))))
                ]
            ),
            assert_(py!(answers[0] == answers[1])),
            assert_(py!(answers[0][0] == 202)),
            assert_(py!(list!(mail["To"] for mail in world.outbox) == ["ada@example.com"] * 2))
        ])
}

fn test_a_disabled_user_gets_no_mail() -> FunctionDef {
    names!(world, path);
    world_test("test_a_disabled_user_gets_no_mail").body(block![
        do_(py!(world.register("ada@example.com").await)),
        do_(py!(world.change(update(User).values(is_active = false)).await)),
        for_(
            path,
            py!(("/auth/password/forgot", "/auth/verify/resend")),
            [do_(py!(world.http.post(path, json = dict!("email" => "ada@example.com")).await))]
        ),
        assert_(py!(len(world.outbox) == 1))
    ])
}

fn test_changing_the_password_ends_every_other_session() -> FunctionDef {
    names!(world, ada, other);
    world_test("test_changing_the_password_ends_every_other_session").body(block![
        sign_up(world, ada),
        assign(other, py!(world.sign_in(ada.email).await)),
        assert_(py!(change(ada, PASSWORD, NEW_PASSWORD).await == 204)),
        assert_(py!(world.outbox[-1]["Subject"] == "Your password was changed")),
        assert_(py!(ada.get("/auth/me").await.status_code == 200)),
        assert_(py!(other.get("/auth/me").await.status_code == 401)),
        assert_(py!(world.login(ada.email).await.status_code == 401)),
        assert_(py!(world.login(ada.email, NEW_PASSWORD).await.status_code == 200))
    ])
}

fn test_changing_the_password_needs_the_old_one() -> FunctionDef {
    names!(world, ada, body, refused);
    let body_value = py!(dict!("current_password" => "wrong", "new_password" => NEW_PASSWORD));
    world_test("test_changing_the_password_needs_the_old_one").body(block![
        sign_up(world, ada),
        assign(body, py!(body_value)),
        assign(refused, py!(ada.post("/auth/password", body).await)),
        assert_(py!(refused.status_code == 403)),
        assert_(py!(refused.json()["code"] == "wrong_password")),
        assert_(py!(change(ada, PASSWORD, "short").await == 422)),
        assert_(py!(world.login(ada.email).await.status_code == 200))
    ])
}

fn test_a_password_that_changes_during_a_sign_in_is_wrong() -> FunctionDef {
    names!(world, monkeypatch, ada, token, hasher, verify, verify_slowly);
    world_test("test_a_password_that_changes_during_a_sign_in_is_wrong")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            sign_up(world, ada),
            assign(token, py!(forgot(world, ada.email).await)),
            ann_assign(hasher, PasswordHasher, py!(world.app.state.password_hasher)),
            assign(verify, py!(hasher.verify)),
            {
                names!(password, password_hash, matches);
                async_def(verify_slowly)
                    .params([param(password, str), param(password_hash, py!(str | None))])
                    .returns(py!(tuple[(bool, str | None)]))
                    .body(block![
                        assign(matches, py!(verify(password, password_hash).await)),
                        assert_(py!(reset(world, token).await == 204)),
                        return_(matches)
                    ])
            },
            do_(py!(monkeypatch.setattr(hasher, "verify", verify_slowly))),
            assert_(py!(world.login(ada.email).await.status_code == 401))
        ])
}
