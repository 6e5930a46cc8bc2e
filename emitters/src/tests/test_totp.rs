//! `backend/tests/test_totp.py`: one-time codes.

use crate::models::base::utcnow;
use crate::models::package::{BackupCode, LoginChallenge, TotpFactor};
use crate::python::anyio::anyio;
use crate::python::builtins::{
    RuntimeError, chr, int, len, list, object, ord, range, set, sorted, str,
};
use crate::python::httpx2::Response;
use crate::python::pyotp::TOTP;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{time, timedelta};
use crate::services::totp_service::TotpService;
use crate::spec::{Spec, Totp};
use crate::tests::world::{PASSWORD, World, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_totp": challenge, answer;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let is_required = spec.auth.totp == Totp::Required;
    module("tests.test_totp").docstring("One-time codes.").body(block![
        challenge_def(),
        answer_def(),
        (!is_required).then(test_nothing_changes_before_the_first_code),
        is_required.then(test_everybody_must_have_them),
        test_a_sign_in_takes_a_code(is_required),
        test_a_code_works_once(is_required),
        test_codes_of_the_neighbouring_steps_are_right(is_required),
        test_digits_of_other_scripts_are_read(is_required),
        test_a_backup_code_works_once(is_required),
        test_new_backup_codes_replace_the_old(is_required),
        test_a_challenge_has_five_attempts(is_required),
        test_a_burst_gets_no_more_attempts(is_required),
        test_an_attempt_that_fails_before_the_code_is_not_spent(is_required),
        test_a_challenge_is_good_once(is_required),
        test_a_challenge_runs_out(is_required),
        test_a_new_password_voids_a_challenge(is_required),
        test_many_wrong_codes_lock_the_account(is_required),
        test_no_secret_is_stored_as_it_is(is_required),
        test_they_are_switched_off(is_required),
        test_reauthentication_takes_a_code(is_required),
        test_they_are_set_up_in_order(is_required)
    ])
}

/// Somebody who has one-time codes: `sign_up` alone sets them up where they are required.
fn protected(world: Name, ada: Name, is_required: bool) -> Vec<Stmt> {
    let enrolled = (!is_required).then(|| do_(py!(world.enroll(ada).await)));
    block![sign_up(world, ada), enrolled]
}

fn challenge_def() -> FunctionDef {
    names!(world, email, response, token);
    async_def(challenge).params([param(world, World), param(email, str)]).returns(str).body(block![
        docstring("Show the password and return the challenge."),
        assign(response, py!(world.login(email).await)),
        assert_that(py!(response.status_code == 200), py!(response.text)),
        assert_(py!(set(response.json()) == set!("challenge", "expires_in"))),
        ann_assign(token, str, py!(response.json()["challenge"])),
        return_(token)
    ])
}

fn answer_def() -> FunctionDef {
    names!(world, token, code, body);
    async_def(answer)
        .params([param(world, World), param(token, str), param(code, str)])
        .returns(Response)
        .body(block![
            docstring("Answer a challenge."),
            assign(body, py!(dict!("challenge" => token, "code" => code))),
            return_(py!(world.http.post("/auth/totp/challenge", json = body).await))
        ])
}

fn test_nothing_changes_before_the_first_code() -> FunctionDef {
    names!(world, ada, first, second, wrong, state);
    world_test("test_nothing_changes_before_the_first_code").body(block![
        sign_up(world, ada),
        assign(first, py!(ada.post("/auth/totp/enroll", None).await.json())),
        assign(second, py!(ada.post("/auth/totp/enroll", None).await.json())),
        assert_(py!(first["secret"] != second["secret"])),
        assert_(py!(len(second["secret"]) == 32)),
        assert_(py!(second["uri"].startswith("otpauth://totp/"))),
        assert_(py!(not_in!("challenge", world.login(ada.email).await.json()))),
        assign(wrong, py!(ada.post("/auth/totp/enable", dict!("code" => "not-a-code")).await))
            .paragraph(),
        assert_(py!((wrong.status_code, wrong.json()["code"]) == (403, "wrong_code"))),
        assign(state, py!(ada.get("/auth/totp").await.json())),
        assert_(py!(state == dict!("enabled_at" => None, "backup_codes_left" => 0)))
    ])
}

fn test_everybody_must_have_them() -> FunctionDef {
    names!(world, ada, bob, caller, path, refused, left);
    world_test("test_everybody_must_have_them").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(caller, py!(world.caller("ada@example.com", world.login("ada@example.com").await))),
        assign(refused, py!(caller.get("/organizations").await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "totp_required"))),
        assert_(py!(caller.get("/auth/me").await.status_code == 200)),
        assign(ada, py!(world.sign_in("ada@example.com").await)),
        assert_(py!(ada.get("/organizations").await.status_code == 200)),
        sign_up(world, bob),
        assign(path, py!(f!("/organizations/{}", bob.organization().await))),
        assert_(py!(bob.get(path).await.status_code == 200)),
        do_(py!(bob.post("/auth/totp/disable", None).await)),
        assign(left, py!(bob.get(path).await)),
        assert_(py!((left.status_code, left.json()["code"]) == (403, "totp_required")))
    ])
}

fn test_a_sign_in_takes_a_code(is_required: bool) -> FunctionDef {
    names!(world, ada, token, wrong, right, caller);
    world_test("test_a_sign_in_takes_a_code").body(block![
        protected(world, ada, is_required),
        assert_(py!(world.outbox[-1]["Subject"] == "One-time codes are on")),
        assign(token, py!(challenge(world, ada.email).await)),
        assign(wrong, py!(answer(world, token, "wrong-code").await)),
        assert_(py!((wrong.status_code, wrong.json()["code"]) == (401, "wrong_code"))),
        assign(right, py!(answer(world, token, world.code(ada.email).await).await)),
        assert_(py!(right.status_code == 200)),
        assign(caller, py!(world.caller(ada.email, right))),
        assert_(py!(caller.get("/auth/me").await.status_code == 200)),
        assert_(py!(world.login(ada.email, "wrong password").await.status_code == 401))
    ])
}

fn test_a_code_works_once(is_required: bool) -> FunctionDef {
    names!(world, ada, code, first, again);
    world_test("test_a_code_works_once").body(block![
        protected(world, ada, is_required),
        assign(code, py!(world.code(ada.email).await)),
        assign(first, py!(answer(world, challenge(world, ada.email).await, code).await)),
        assign(again, py!(answer(world, challenge(world, ada.email).await, code).await)),
        assert_(py!((first.status_code, again.status_code) == (200, 401)))
    ])
}

fn test_codes_of_the_neighbouring_steps_are_right(is_required: bool) -> FunctionDef {
    names!(world, ada, totp, statuses, steps, code, answered);
    world_test("test_codes_of_the_neighbouring_steps_are_right").body(block![
        protected(world, ada, is_required),
        assign(totp, py!(TOTP(world.secrets[ada.email]))),
        ann_assign(statuses, py!(list[int]), py!([])),
        for_(
            steps,
            py!((-3, -1, 0, 1, 3)),
            block![
                do_(py!(world.code(ada.email).await)),
                assign(code, py!(totp.at(int(time.time()) + 30 * steps))),
                assign(answered, py!(answer(world, challenge(world, ada.email).await, code).await)),
                do_(py!(statuses.append(answered.status_code)))
            ]
        ),
        assert_(py!(statuses == [401, 200, 200, 200, 401]))
    ])
}

fn test_digits_of_other_scripts_are_read(is_required: bool) -> FunctionDef {
    names!(world, ada, code, wide, digit, answered);
    world_test("test_digits_of_other_scripts_are_read").body(block![
        protected(world, ada, is_required),
        assign(code, py!(world.code(ada.email).await)),
        assign(wide, py!("".join(generator!(chr(ord(digit) + 0xFEE0) for digit in code)))),
        assign(
            answered,
            py!(answer(
                world,
                challenge(world, ada.email).await,
                f!("{} {}", wide[..3], wide[3..])
            )
            .await)
        ),
        assert_(py!(answered.status_code == 200))
    ])
}

/// `codes`, the backup codes of somebody who has just set one-time codes up.
fn with_backup_codes(world: Name, ada: Name, codes: Name, is_required: bool) -> Vec<Stmt> {
    let first = match is_required {
        false => py!(world.enroll(ada).await),
        true => py!(ada.post("/auth/totp/backup-codes", None).await.json()["codes"]),
    };
    block![sign_up(world, ada), assign(codes, first)]
}

fn test_a_backup_code_works_once(is_required: bool) -> FunctionDef {
    names!(world, ada, codes, first, again, left);
    world_test("test_a_backup_code_works_once").body(block![
        with_backup_codes(world, ada, codes, is_required),
        assert_(py!(len(set(codes)) == 10)),
        assign(
            first,
            py!(answer(world, challenge(world, ada.email).await, codes[0].upper()).await)
        ),
        assign(again, py!(answer(world, challenge(world, ada.email).await, codes[0]).await)),
        assert_(py!((first.status_code, again.status_code) == (200, 401))),
        assign(left, py!(ada.get("/auth/totp").await.json())),
        assert_(py!(left["backup_codes_left"] == 9)),
        assert_(py!(left["enabled_at"] != None))
    ])
}

fn test_new_backup_codes_replace_the_old(is_required: bool) -> FunctionDef {
    names!(world, ada, codes, renewed, answers);
    world_test("test_new_backup_codes_replace_the_old").body(block![
        with_backup_codes(world, ada, codes, is_required),
        assign(renewed, py!(ada.post("/auth/totp/backup-codes", None).await.json()["codes"])),
        assign(
            answers,
            py!(list!(
                answer(world, challenge(world, ada.email).await, code).await
                for code in (codes[0], renewed[0])
            ))
        ),
        assert_(py!(list!(one.status_code for one in answers) == [401, 200]))
    ])
}

fn test_a_challenge_has_five_attempts(is_required: bool) -> FunctionDef {
    names!(world, ada, token, wrong, late, code);
    world_test("test_a_challenge_has_five_attempts").body(block![
        protected(world, ada, is_required),
        assign(token, py!(challenge(world, ada.email).await)),
        for_(
            py!(_),
            py!(range(5)),
            block![
                assign(wrong, py!(answer(world, token, "wrong-code").await)),
                assert_(py!(wrong.json()["code"] == "wrong_code"))
            ]
        ),
        assign(code, py!(world.code(ada.email).await)),
        assign(late, py!(answer(world, token, code).await)),
        assert_(py!((late.status_code, late.json()["code"]) == (401, "invalid_challenge"))),
        assert_(py!(
            answer(world, challenge(world, ada.email).await, code).await.status_code == 200
        ))
    ])
}

fn test_a_burst_gets_no_more_attempts(is_required: bool) -> FunctionDef {
    names!(world, ada, token, codes, guess, tasks, guessed);
    world_test("test_a_burst_gets_no_more_attempts").body(block![
        protected(world, ada, is_required),
        assign(token, py!(challenge(world, ada.email).await)),
        ann_assign(codes, py!(list[str]), py!([])),
        {
            async_def(guess).returns(none()).body(block![
                assign(guessed, py!(answer(world, token, "wrong-code").await)),
                do_(py!(codes.append(guessed.json()["code"])))
            ])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(py!(_), py!(range(12)), [do_(py!(tasks.start_soon(guess)))])
        ),
        assert_(py!(sorted(codes) == ["invalid_challenge"] * 7 + ["wrong_code"] * 5)).paragraph()
    ])
}

fn test_an_attempt_that_fails_before_the_code_is_not_spent(is_required: bool) -> FunctionDef {
    names!(world, monkeypatch, ada, token, fail, patch, failed);
    world_test("test_an_attempt_that_fails_before_the_code_is_not_spent")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            protected(world, ada, is_required),
            assign(token, py!(challenge(world, ada.email).await)),
            {
                async_def(fail)
                    .params([varargs(name("_"), py!(object))])
                    .returns(none())
                    .body([raise(py!(RuntimeError("a defect")))])
            },
            with_as(
                py!(monkeypatch.context()),
                patch,
                block![
                    do_(py!(patch.setattr(TotpService, "lock", fail))),
                    for_(
                        py!(_),
                        py!(range(6)),
                        block![
                            assign(failed, py!(answer(world, token, "wrong-code").await)),
                            assert_(py!(failed.status_code == 500))
                        ]
                    )
                ]
            )
            .paragraph(),
            assert_(py!(world.answer(ada.email, token).await.status_code == 200))
        ])
}

fn test_a_challenge_is_good_once(is_required: bool) -> FunctionDef {
    names!(world, ada, token, statuses, sign_in, tasks, codes, code, answered);
    world_test("test_a_challenge_is_good_once").body(block![
        with_backup_codes(world, ada, codes, is_required),
        assign(token, py!(challenge(world, ada.email).await)),
        ann_assign(statuses, py!(list[int]), py!([])),
        {
            async_def(sign_in).params([param(code, str)]).returns(none()).body(block![
                assign(answered, py!(answer(world, token, code).await)),
                do_(py!(statuses.append(answered.status_code)))
            ])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(code, py!(codes[..4]), [do_(py!(tasks.start_soon(sign_in, code)))])
        ),
        assert_(py!(sorted(statuses) == [200, 401, 401, 401])).paragraph()
    ])
}

fn test_a_challenge_runs_out(is_required: bool) -> FunctionDef {
    names!(world, ada, token, past, late, session, left);
    world_test("test_a_challenge_runs_out").body(block![
        protected(world, ada, is_required),
        assign(token, py!(challenge(world, ada.email).await)),
        assign(past, py!(utcnow() - timedelta(seconds = 1))),
        do_(py!(world.change(update(LoginChallenge).values(expires_at = past)).await)),
        assign(late, py!(world.answer(ada.email, token).await)),
        assert_(py!(late.json()["code"] == "invalid_challenge")),
        do_(py!(challenge(world, ada.email).await)),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(left, py!(session.scalars(select(LoginChallenge)).await.all()))]
        ),
        assert_(py!(len(left) == 1))
    ])
}

fn test_a_new_password_voids_a_challenge(is_required: bool) -> FunctionDef {
    names!(world, ada, token, body, late);
    world_test("test_a_new_password_voids_a_challenge").body(block![
        protected(world, ada, is_required),
        assign(token, py!(challenge(world, ada.email).await)),
        assign(body, py!(dict!("current_password" => PASSWORD, "new_password" => PASSWORD + "!"))),
        assert_(py!(ada.post("/auth/password", body).await.status_code == 204)),
        assign(late, py!(world.answer(ada.email, token).await)),
        assert_(py!(late.json()["code"] == "invalid_challenge"))
    ])
}

fn test_many_wrong_codes_lock_the_account(is_required: bool) -> FunctionDef {
    names!(world, ada, code, token, locked, past, opened);
    let test = world_test("test_many_wrong_codes_lock_the_account")
        .decorator(py!(pytest.mark.parametrize("code", ["wrong-code", "1234567"])))
        .params([param(code, str)]);
    test.body(block![
        protected(world, ada, is_required),
        for_(
            py!(_),
            py!(range(2)),
            block![
                assign(token, py!(challenge(world, ada.email).await)),
                for_(py!(_), py!(range(5)), [do_(py!(answer(world, token, code).await))])
            ]
        ),
        assign(token, py!(challenge(world, ada.email).await)),
        for_(
            py!(_),
            py!(range(6)),
            block![
                assign(locked, py!(world.answer(ada.email, token).await)),
                assert_(py!(locked.status_code == 429)),
                assert_(py!(locked.json()["code"] == "account_locked")),
                assert_(py!(chain!(0, "<", int(locked.headers["Retry-After"]), "<=", 900)))
            ]
        ),
        assign(past, py!(utcnow() - timedelta(seconds = 1))).paragraph(),
        do_(py!(world.change(update(TotpFactor).values(locked_until = past)).await)),
        assign(opened, py!(world.answer(ada.email, token).await)),
        assert_(py!(opened.status_code == 200))
    ])
}

fn test_no_secret_is_stored_as_it_is(is_required: bool) -> FunctionDef {
    names!(world, ada, codes, session, factor, stored, hashes);
    world_test("test_no_secret_is_stored_as_it_is").body(block![
        with_backup_codes(world, ada, codes, is_required),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(factor, py!(session.scalars(select(TotpFactor)).await.one())),
                assign(stored, py!(session.scalars(select(BackupCode)).await.all()))
            ]
        ),
        assert_(py!(not_in!(world.secrets[ada.email], factor.sealed_secret))),
        assign(hashes, py!(set!(code.code_hash for code in stored))),
        assert_(py!(len(hashes) == 10)),
        assert_(py!(hashes.isdisjoint(codes)))
    ])
}

fn test_they_are_switched_off(is_required: bool) -> FunctionDef {
    names!(world, ada, stale, again, session, left);
    world_test("test_they_are_switched_off").body(block![
        protected(world, ada, is_required),
        do_(py!(world.grow_stale().await)),
        assign(stale, py!(ada.post("/auth/totp/disable", None).await)),
        assert_(py!((stale.status_code, stale.json()["code"]) == (403, "session_not_fresh"))),
        assign(ada, py!(world.sign_in(ada.email).await)),
        assert_(py!(ada.post("/auth/totp/disable", None).await.status_code == 204)),
        assert_(py!(world.outbox[-1]["Subject"] == "One-time codes are off")),
        assert_(py!(not_in!("challenge", world.login(ada.email).await.json()))),
        assign(again, py!(ada.post("/auth/totp/disable", None).await)),
        assert_(py!((again.status_code, again.json()["code"]) == (409, "totp_disabled"))),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(left, py!(session.scalars(select(BackupCode)).await.all()))]
        ),
        assert_(py!(left == []))
    ])
}

fn test_reauthentication_takes_a_code(is_required: bool) -> FunctionDef {
    names!(world, ada, body, code, statuses, answered);
    world_test("test_reauthentication_takes_a_code").body(block![
        protected(world, ada, is_required),
        ann_assign(statuses, py!(list[int]), py!([])),
        for_(
            code,
            py!((None, "wrong-code", world.code(ada.email).await)),
            block![
                assign(body, py!(dict!("password" => PASSWORD, "code" => code))),
                assign(answered, py!(ada.post("/auth/reauthenticate", body).await)),
                do_(py!(statuses.append(answered.status_code)))
            ]
        ),
        assert_(py!(statuses == [403, 403, 204]))
    ])
}

fn test_they_are_set_up_in_order(is_required: bool) -> FunctionDef {
    names!(world, ada, path, refused, code, expected);
    world_test("test_they_are_set_up_in_order")
        .decorator(py!(pytest.mark.parametrize(
            ("path", "expected"),
            [
                ("enroll", "totp_enabled"),
                ("enable", "not_enrolled"),
                ("disable", "totp_disabled"),
                ("backup-codes", "totp_disabled")
            ]
        )))
        .params([param(path, str), param(expected, str)])
        .body(block![
            protected(world, ada, is_required),
            assign(code, py!(dict!("code" => world.code(ada.email).await))),
            if_(
                py!(expected != "totp_enabled"),
                [do_(py!(ada.post("/auth/totp/disable", None).await))]
            ),
            assign(
                refused,
                py!(ada
                    .post(f!("/auth/totp/{}", path), if path == "enable" { code } else { None })
                    .await)
            ),
            assert_(py!(refused.status_code == 409)),
            assert_(py!(refused.json()["code"] == expected))
        ])
}
