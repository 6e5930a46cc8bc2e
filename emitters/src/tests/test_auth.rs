//! `backend/tests/test_auth.py`: accounts.

use crate::core::passwords::PasswordHasher;
use crate::core::security::{Purpose, Signer};
use crate::models::package::User;
use crate::python::builtins::{bool, chr, len, list, str, tuple};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{UUID, json, replace, timedelta, uuid4};
use crate::spec::{Auth, PasswordRules, Spec};
use crate::tests::world::{PASSWORD, first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_auth").docstring("Accounts.").body(block![
        test_register_and_sign_in(spec),
        test_register_does_not_tell_whether_an_address_is_known(),
        test_who_registers_twice_is_told_by_mail(),
        test_bad_registrations_are_refused(&spec.auth.password),
        test_odd_passwords_are_refused_at_sign_in(&spec.auth.password),
        test_sign_in_does_not_say_what_was_wrong(),
        test_an_unknown_address_costs_a_comparison(),
        test_a_disabled_user_is_locked_out(),
        test_a_disabled_user_who_registers_gets_no_mail(),
        test_signing_in_renews_an_old_hash(),
        test_verify_with_the_mailed_token(),
        test_only_the_account_itself_can_be_verified(),
        test_a_token_for_a_former_address_is_void(),
        test_an_access_token_does_not_verify(),
        test_the_token_of_a_user_who_is_gone(&spec.auth),
        test_an_access_token_names_a_session(),
        test_a_session_belongs_to_one_user(),
        test_a_bad_authorization_header_is_refused()
    ])
}

fn test_register_and_sign_in(spec: &Spec) -> FunctionDef {
    names!(world, registered, login, ada, me);
    let lifetime = spec.auth.access_token_lifetime.as_secs();
    world_test("test_register_and_sign_in").body(block![
        assign(registered, py!(world.register("Ada@Example.com").await)),
        assert_(py!(registered.status_code == 202)),
        assign(login, py!(world.login("ADA@example.com").await)).paragraph(),
        assert_(py!(login.status_code == 200)),
        spec.auth.has_tokens().then(|| assert_(py!(login.json()["token_type"] == "bearer"))),
        assert_(py!(login.json()["expires_in"] == lifetime)),
        assign(ada, py!(world.sign_in("ada@example.com").await)).paragraph(),
        assign(me, py!(ada.get("/auth/me").await.json())),
        assert_(py!(me["email"] == "ada@example.com")),
        assert_(py!(me["role"] == "user")),
        assert_(py!(me["email_verified_at"] == None))
    ])
}

fn test_register_does_not_tell_whether_an_address_is_known() -> FunctionDef {
    names!(world, first, again);
    world_test("test_register_does_not_tell_whether_an_address_is_known").body(block![
        assign(first, py!(world.register("ada@example.com").await)),
        assign(again, py!(world.register("ada@example.com", PASSWORD.upper()).await)),
        assert_(py!((again.status_code, again.json()) == (first.status_code, first.json()))),
        assert_(py!(world.login("ada@example.com", PASSWORD.upper()).await.status_code == 401)),
        assert_(py!(list!(mail["To"] for mail in world.outbox) == ["ada@example.com"] * 2))
    ])
}

fn test_who_registers_twice_is_told_by_mail() -> FunctionDef {
    names!(world, ada, token);
    world_test("test_who_registers_twice_is_told_by_mail").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(token, py!(world.mailed_token())),
        assign(ada, py!(world.sign_in("ada@example.com").await)),
        do_(py!(ada.post("/auth/verify", dict!("token" => token)).await)),
        do_(py!(world.register("ada@example.com").await)),
        assert_(py!(world.outbox[-1]["Subject"] == "You have an account"))
    ])
}

fn test_bad_registrations_are_refused(rules: &PasswordRules) -> FunctionDef {
    names!(world, email, password, refused);
    let (too_short, too_long) = (rules.min_length - 1, rules.max_length + 1);
    world_test("test_bad_registrations_are_refused")
        .decorator(py!(pytest.mark.parametrize(
            ("email", "password"),
            [
                ("ada@example.com", PASSWORD[..{ too_short }]),
                ("ada@example.com", "x" * too_long),
                ("ada@example.com", "a password\u{0}with NUL"),
                ("ada", PASSWORD),
                ("ada@example", PASSWORD),
                ("ada@example.com\nBcc: eve@example.com", PASSWORD),
                ("ada@exam ple.com", PASSWORD),
                ("@example.com", PASSWORD),
                ("a" * 65 + "@example.com", PASSWORD),
                ("ada@-example.com", PASSWORD)
            ]
        )))
        .params([param(email, str), param(password, str)])
        .body(block![
            assign(refused, py!(world.register(email, password).await)),
            assert_(py!(refused.status_code == 422)),
            assert_(py!(not_in!(password, refused.text)))
        ])
}

fn test_odd_passwords_are_refused_at_sign_in(rules: &PasswordRules) -> FunctionDef {
    names!(world, password, body, headers, refused);
    let too_long = rules.max_length + 1;
    world_test("test_odd_passwords_are_refused_at_sign_in")
        .decorator(py!(pytest.mark.parametrize("password", ["\u{0}", chr(0xD800), "x" * too_long])))
        .params([param(password, str)])
        .body(block![
            assign(
                body,
                py!(json.dumps(dict!("email" => "ada@example.com", "password" => password)))
            ),
            assign(headers, py!(dict!("Content-Type" => "application/json"))),
            assign(
                refused,
                py!(world.http.post("/auth/login", content = body, headers = headers).await)
            ),
            assert_(py!(refused.status_code == 422))
        ])
}

fn test_sign_in_does_not_say_what_was_wrong() -> FunctionDef {
    names!(world, wrong_password, unknown_user, differing);
    world_test("test_sign_in_does_not_say_what_was_wrong").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(wrong_password, py!(world.login("ada@example.com", "not the password").await)),
        assign(unknown_user, py!(world.login("eve@example.com", PASSWORD).await)),
        assert_(py!(chain!(wrong_password.status_code, "==", unknown_user.status_code, "==", 401))),
        assert_(py!(wrong_password.json()["code"] == "invalid_credentials")),
        assign(differing, py!(dict!("request_id" => None))),
        assert_(py!(wrong_password.json() | differing == unknown_user.json() | differing))
    ])
}

/// The work is the same, so that the time does not tell whether there is such a user.
fn test_an_unknown_address_costs_a_comparison() -> FunctionDef {
    names!(world, monkeypatch, hasher, compare, compared, spy, password, password_hash);
    world_test("test_an_unknown_address_costs_a_comparison")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            ann_assign(hasher, PasswordHasher, py!(world.app.state.password_hasher)),
            assign(compare, py!(hasher.passwords.verify_and_update)),
            ann_assign(compared, py!(list[str]), py!([])),
            {
                def(spy)
                    .params([param(password, str), param(password_hash, str)])
                    .returns(py!(tuple[(bool, str | None)]))
                    .body(block![
                        do_(py!(compared.append(password_hash))),
                        return_(py!(compare(password, password_hash)))
                    ])
            },
            do_(py!(monkeypatch.setattr(hasher.passwords, "verify_and_update", spy))).paragraph(),
            assert_(py!(world.login("eve@example.com").await.status_code == 401)),
            assert_(py!(compared == [hasher.decoy]))
        ])
}

fn test_a_disabled_user_who_registers_gets_no_mail() -> FunctionDef {
    names!(world);
    world_test("test_a_disabled_user_who_registers_gets_no_mail").body(block![
        do_(py!(world.register("ada@example.com").await)),
        do_(py!(world.change(update(User).values(is_active = false)).await)),
        assert_(py!(world.register("ada@example.com").await.status_code == 202)),
        assert_(py!(len(world.outbox) == 1))
    ])
}

fn test_a_disabled_user_is_locked_out() -> FunctionDef {
    names!(world, ada, organization_id, session);
    world_test("test_a_disabled_user_is_locked_out").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                do_(py!(session.execute(update(User).values(is_active = false)).await)),
                do_(py!(session.commit().await))
            ]
        ),
        assert_(py!(world.login("ada@example.com").await.status_code == 401)),
        assert_(py!(ada.get("/auth/me").await.status_code == 401)),
        assert_(py!(ada.get(f!("/organizations/{}", organization_id)).await.status_code == 401))
    ])
}

fn test_signing_in_renews_an_old_hash() -> FunctionDef {
    names!(world, old_settings, old_hash, session, stored);
    world_test("test_signing_in_renews_an_old_hash").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(
            old_settings,
            py!(world.app.state.settings.model_copy(update = dict!("password_memory_kib" => 16)))
        ),
        assign(old_hash, py!(PasswordHasher(old_settings).hash(PASSWORD).await)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                do_(py!(session.execute(update(User).values(password_hash = old_hash)).await)),
                do_(py!(session.commit().await))
            ]
        ),
        assert_(py!(world.login("ada@example.com").await.status_code == 200)).paragraph(),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(stored, py!(session.scalars(select(User.password_hash)).await.one()))]
        )
        .paragraph(),
        assert_(py!(in_!("m=8,t=1,p=1", stored))),
        assert_(py!(world.login("ada@example.com").await.status_code == 200))
    ])
}

fn test_verify_with_the_mailed_token() -> FunctionDef {
    names!(world, ada, token, verified, again);
    world_test("test_verify_with_the_mailed_token").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(token, py!(world.mailed_token())),
        assign(ada, py!(world.sign_in("ada@example.com").await)),
        assign(verified, py!(ada.post("/auth/verify", dict!("token" => token)).await)),
        assert_(py!(verified.status_code == 200)),
        assert_(py!(verified.json()["email_verified_at"] != None)),
        assign(again, py!(ada.post("/auth/verify", dict!("token" => token)).await)),
        assert_(py!(again.json() == verified.json()))
    ])
}

fn test_only_the_account_itself_can_be_verified() -> FunctionDef {
    names!(world, token, eve, refused);
    world_test("test_only_the_account_itself_can_be_verified").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(token, py!(world.mailed_token())),
        sign_up(world, eve),
        assign(refused, py!(eve.post("/auth/verify", dict!("token" => token)).await)),
        assert_(py!(refused.status_code == 404)),
        assert_(py!(eve.get("/auth/me").await.json()["email_verified_at"] == None))
    ])
}

fn test_a_token_for_a_former_address_is_void() -> FunctionDef {
    names!(world, ada, token, session);
    world_test("test_a_token_for_a_former_address_is_void").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(token, py!(world.mailed_token())),
        assign(ada, py!(world.sign_in("ada@example.com").await)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                do_(py!(session.execute(update(User).values(email = "new@example.com")).await)),
                do_(py!(session.commit().await))
            ]
        ),
        assert_(py!(ada.post("/auth/verify", dict!("token" => token)).await.status_code == 404))
    ])
}

fn test_an_access_token_does_not_verify() -> FunctionDef {
    names!(world, ada);
    world_test("test_an_access_token_does_not_verify").body(block![
        sign_up(world, ada),
        assert_(
            py!(ada.post("/auth/verify", dict!("token" => ada.token)).await.status_code == 404)
        )
    ])
}

fn test_the_token_of_a_user_who_is_gone(auth: &Auth) -> FunctionDef {
    let scheme = if auth.has_tokens() { "Bearer" } else { "Cookie" };
    names!(world, ada, signer, claims, token, gone, path, refused);
    world_test("test_the_token_of_a_user_who_is_gone").body(block![
        sign_up(world, ada),
        ann_assign(signer, Signer, py!(world.app.state.signer)),
        assign(claims, py!(dict!("sid" => str(uuid4())))),
        assign(token, py!(signer.sign(Purpose.ACCESS, uuid4(), timedelta(hours = 1), claims))),
        assign(gone, py!(replace(ada, token = token))),
        for_(
            path,
            py!(("/auth/me", f!("/organizations/{}", ada.organization().await))),
            block![
                assign(refused, py!(gone.get(path).await)),
                assert_(py!(refused.status_code == 401)),
                assert_(py!(refused.headers["WWW-Authenticate"] == scheme))
            ]
        )
    ])
}

fn test_an_access_token_names_a_session() -> FunctionDef {
    names!(world, ada, user_id, signer, token, forger);
    world_test("test_an_access_token_names_a_session").body(block![
        sign_up(world, ada),
        assign(user_id, py!(UUID(ada.get("/auth/me").await.json()["id"]))),
        ann_assign(signer, Signer, py!(world.app.state.signer)),
        assign(token, py!(signer.sign(Purpose.ACCESS, user_id, timedelta(hours = 1)))),
        assign(forger, py!(replace(ada, token = token))),
        assert_(py!(forger.get("/auth/me").await.status_code == 401))
    ])
}

fn test_a_session_belongs_to_one_user() -> FunctionDef {
    names!(world, ada, eve, user_id, session_id, signer, lifetime, claims, token, forger);
    world_test("test_a_session_belongs_to_one_user").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(user_id, py!(UUID(ada.get("/auth/me").await.json()["id"]))),
        assign(session_id, py!(eve.get("/auth/sessions").await.json()["current_id"])),
        ann_assign(signer, Signer, py!(world.app.state.signer)),
        assign(py!((lifetime, claims)), py!((timedelta(hours = 1), dict!("sid" => session_id)))),
        assign(token, py!(signer.sign(Purpose.ACCESS, user_id, lifetime, claims))),
        assign(forger, py!(replace(ada, token = token))),
        assert_(py!(forger.get("/auth/me").await.status_code == 401))
    ])
}

fn test_a_bad_authorization_header_is_refused() -> FunctionDef {
    names!(world, header, headers, refused);
    world_test("test_a_bad_authorization_header_is_refused")
        .decorator(py!(pytest
            .mark
            .parametrize("header", ["", "Bearer", "Bearer x", "Basic eDp5", "Bearer ÿ"])))
        .params([param(header, str)])
        .body(block![
            assign(headers, py!([(b"Authorization", header.encode("latin-1"))])),
            assign(refused, py!(world.http.get("/auth/me", headers = headers).await)),
            assert_(py!(refused.status_code == 401)),
            assert_(py!(refused.headers["content-type"] == "application/problem+json"))
        ])
}
