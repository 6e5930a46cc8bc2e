//! `backend/tests/test_sessions.py`: sessions.

use crate::models::base::utcnow;
use crate::models::package::{AuthSession, RefreshToken, User};
use crate::python::anyio::anyio;
use crate::python::builtins::{int, len, list, object, range, set, str, tuple};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{replace, timedelta, uuid4};
use crate::spec::Spec;
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_sessions": LONG_AGO;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("tests.test_sessions").docstring("Sessions.").body(block![
        assign(LONG_AGO, py!(timedelta(days = 366))),
        test_a_refresh_token_brings_the_next_tokens(spec.auth.has_tokens()),
        test_a_token_that_comes_back_ends_the_session(),
        test_tabs_that_refresh_together_get_the_same_successor(),
        test_refresh_tokens_are_stored_as_hashes(),
        test_nothing_else_refreshes(),
        test_signing_out_ends_the_session_at_once(),
        test_sessions_are_listed(),
        test_a_session_is_ended_from_another_one(),
        test_nobody_ends_a_session_of_somebody_else(),
        test_all_others_are_ended(),
        test_a_session_that_is_not_used_runs_out(),
        test_using_a_session_prolongs_it(),
        test_a_disabled_user_cannot_refresh(),
        spec.auth
            .has_tokens()
            .then(|| test_bad_refresh_tokens_are_refused(spec.auth.has_cookies()))
    ])
}

fn test_a_refresh_token_brings_the_next_tokens(has_tokens: bool) -> FunctionDef {
    names!(world, ada, refreshed, successor, again);
    world_test("test_a_refresh_token_brings_the_next_tokens").body(block![
        sign_up(world, ada),
        assign(refreshed, py!(world.refresh(ada).await)),
        assert_(py!(refreshed.status_code == 200)),
        has_tokens.then(|| assert_(py!(refreshed.json()["token_type"] == "bearer"))),
        assign(successor, py!(world.caller(ada.email, refreshed))),
        assert_(py!(successor.refresh_token != ada.refresh_token)),
        assert_(py!(len(successor.refresh_token) == 43)),
        assert_(py!(successor.get("/auth/me").await.status_code == 200)),
        assign(again, py!(world.refresh(successor).await)),
        assert_(py!(again.status_code == 200))
    ])
}

fn test_a_token_that_comes_back_ends_the_session() -> FunctionDef {
    names!(world, ada, other, successor, rotated, earlier, reused);
    world_test("test_a_token_that_comes_back_ends_the_session").body(block![
        sign_up(world, ada),
        assign(other, py!(world.sign_in("ada@example.com").await)),
        assign(successor, py!(world.caller(ada.email, world.refresh(ada).await))),
        assign(rotated, py!(RefreshToken.rotated_at.is_not(None))),
        assign(earlier, py!(utcnow() - timedelta(seconds = 11))),
        do_(py!(world
            .change(update(RefreshToken).r#where(rotated).values(rotated_at = earlier))
            .await)),
        assign(reused, py!(world.refresh(ada).await)).paragraph(),
        assert_(py!(reused.status_code == 401)),
        assert_(py!(reused.json()["code"] == "refresh_token_reused")),
        assert_(py!(world.refresh(successor).await.status_code == 401)),
        assert_(py!(ada.get("/auth/me").await.status_code == 401)),
        assert_(py!(other.get("/auth/me").await.status_code == 200))
    ])
}

fn test_tabs_that_refresh_together_get_the_same_successor() -> FunctionDef {
    names!(world, ada, answers, refresh, tabs, status, successor, latest);
    world_test("test_tabs_that_refresh_together_get_the_same_successor").body(block![
        sign_up(world, ada),
        ann_assign(answers, py!(list[tuple[(int, str)]]), py!([])),
        {
            names!(response, tab);
            async_def(refresh).returns(none()).body(block![
                assign(response, py!(world.refresh(ada).await)),
                assign(tab, py!(world.caller(ada.email, response))),
                do_(py!(answers.append((response.status_code, tab.refresh_token))))
            ])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tabs,
            for_(py!(_), py!(range(5)), [do_(py!(tabs.start_soon(refresh)))])
        ),
        assert_(py!(len(set(answers)) == 1)).paragraph(),
        assign(py!((status, successor)), py!(answers[0])),
        assert_(py!(status == 200)),
        assign(latest, py!(replace(ada, refresh_token = successor))),
        assert_(py!(world.refresh(latest).await.status_code == 200))
    ])
}

fn test_refresh_tokens_are_stored_as_hashes() -> FunctionDef {
    names!(world, ada, session, stored);
    world_test("test_refresh_tokens_are_stored_as_hashes").body(block![
        sign_up(world, ada),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(stored, py!(session.scalars(select(RefreshToken)).await.one()))]
        ),
        assert_(py!(len(stored.token_hash) == 64)),
        assert_(py!(not_in!(ada.refresh_token, stored.token_hash)))
    ])
}

fn test_nothing_else_refreshes() -> FunctionDef {
    names!(world, ada, token, refused);
    world_test("test_nothing_else_refreshes").body(block![
        sign_up(world, ada),
        for_(
            token,
            py!(("x", ada.token, ada.refresh_token[..-1])),
            block![
                assign(refused, py!(world.refresh(replace(ada, refresh_token = token)).await)),
                assert_(py!(refused.status_code == 401)),
                assert_(py!(refused.json()["code"] == "unauthorized"))
            ]
        )
    ])
}

fn test_signing_out_ends_the_session_at_once() -> FunctionDef {
    names!(world, ada, organization_id, other);
    world_test("test_signing_out_ends_the_session_at_once").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(other, py!(world.sign_in("ada@example.com").await)),
        assert_(py!(ada.post("/auth/logout", None).await.status_code == 204)),
        assert_(py!(ada.get("/auth/me").await.status_code == 401)),
        assert_(py!(ada.get(f!("/organizations/{}", organization_id)).await.status_code == 401)),
        assert_(py!(world.refresh(ada).await.status_code == 401)),
        assert_(py!(other.get("/auth/me").await.status_code == 200))
    ])
}

fn test_sessions_are_listed() -> FunctionDef {
    names!(world, ada, other, page, newest, oldest);
    world_test("test_sessions_are_listed").body(block![
        sign_up(world, ada),
        assign(py!(world.http.headers["User-Agent"]), py!("x" * 300)),
        assign(other, py!(world.sign_in("ada@example.com").await)),
        assign(page, py!(other.get("/auth/sessions").await.json())),
        assign(py!((newest, oldest)), py!(page["items"])),
        assert_(py!(newest["id"] == page["current_id"])),
        assert_(py!(newest["user_agent"] == "x" * 255)),
        assert_(py!(ada.get("/auth/sessions").await.json()["current_id"] == oldest["id"]))
    ])
}

fn test_a_session_is_ended_from_another_one() -> FunctionDef {
    names!(world, ada, lost, lost_id);
    world_test("test_a_session_is_ended_from_another_one").body(block![
        sign_up(world, ada),
        assign(lost, py!(world.sign_in("ada@example.com").await)),
        assign(lost_id, py!(lost.get("/auth/sessions").await.json()["current_id"])),
        assert_(py!(ada.delete(f!("/auth/sessions/{}", lost_id)).await.status_code == 204)),
        assert_(py!(lost.get("/auth/me").await.status_code == 401)),
        assert_(py!(ada.delete(f!("/auth/sessions/{}", lost_id)).await.status_code == 404)),
        assert_(py!(ada.get("/auth/me").await.status_code == 200))
    ])
}

fn test_nobody_ends_a_session_of_somebody_else() -> FunctionDef {
    names!(world, ada, eve, session_id);
    world_test("test_nobody_ends_a_session_of_somebody_else").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(session_id, py!(ada.get("/auth/sessions").await.json()["current_id"])),
        assert_(py!(eve.delete(f!("/auth/sessions/{}", session_id)).await.status_code == 404)),
        assert_(py!(eve.delete(f!("/auth/sessions/{}", uuid4())).await.status_code == 404)),
        assert_(py!(ada.get("/auth/me").await.status_code == 200))
    ])
}

fn test_all_others_are_ended() -> FunctionDef {
    names!(world, ada, eve, others);
    world_test("test_all_others_are_ended").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(others, py!(list!(world.sign_in("ada@example.com").await for _ in range(2)))),
        assert_(py!(ada.delete("/auth/sessions").await.status_code == 204)),
        assert_(py!(
            list!(other.get("/auth/me").await.status_code for other in others) == [401, 401]
        )),
        assert_(py!(ada.get("/auth/me").await.status_code == 200)),
        assert_(py!(eve.get("/auth/me").await.status_code == 200))
    ])
}

fn test_a_session_that_is_not_used_runs_out() -> FunctionDef {
    names!(world, ada, past, again, page, session);
    world_test("test_a_session_that_is_not_used_runs_out").body(block![
        sign_up(world, ada),
        assign(past, py!(utcnow() - timedelta(seconds = 1))),
        do_(py!(world.change(update(AuthSession).values(expires_at = past)).await)),
        assert_(py!(ada.get("/auth/me").await.status_code == 401)),
        assert_(py!(world.refresh(ada).await.status_code == 401)),
        assign(again, py!(world.sign_in("ada@example.com").await)),
        assign(page, py!(again.get("/auth/sessions").await.json())),
        assert_(py!(list!(item["id"] for item in page["items"]) == [page["current_id"]])),
        async_with_as(
            py!(world.database.session()),
            session,
            [assert_(py!(len(session.scalars(select(AuthSession)).await.all()) == 1))]
        )
    ])
}

fn test_using_a_session_prolongs_it() -> FunctionDef {
    names!(world, ada, soon, session, stored);
    world_test("test_using_a_session_prolongs_it").body(block![
        sign_up(world, ada),
        assign(soon, py!(utcnow() + timedelta(seconds = 30))),
        do_(py!(world.change(update(AuthSession).values(expires_at = soon, used_at = soon)).await)),
        do_(py!(world.refresh(ada).await)),
        async_with_as(
            py!(world.database.session()),
            session,
            [assign(stored, py!(session.scalars(select(AuthSession)).await.one()))]
        ),
        assert_(py!(stored.expires_at > soon)),
        assert_(py!(stored.used_at < soon))
    ])
}

fn test_a_disabled_user_cannot_refresh() -> FunctionDef {
    names!(world, ada);
    world_test("test_a_disabled_user_cannot_refresh").body(block![
        sign_up(world, ada),
        do_(py!(world.change(update(User).values(is_active = false)).await)),
        assert_(py!(world.refresh(ada).await.status_code == 401))
    ])
}

fn test_bad_refresh_tokens_are_refused(has_cookies: bool) -> FunctionDef {
    names!(world, token, body, refused);
    // Where it may come in a cookie, the body may have none.
    let missing = (!has_cookies).then(none);
    let bad = [string(""), py!("x" * 2049), string("a\u{0}b")];
    let bad = make::list(bad.into_iter().chain(missing).chain([py!(1)]));
    world_test("test_bad_refresh_tokens_are_refused")
        .decorator(py!(pytest.mark.parametrize("token", bad)))
        .params([param(token, object)])
        .body(block![
            assign(body, py!(dict!("refresh_token" => token))),
            assign(refused, py!(world.http.post("/auth/refresh", json = body).await)),
            assert_(py!(refused.status_code == 422))
        ])
}
