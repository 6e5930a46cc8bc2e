//! `backend/tests/test_organizations.py`: organizations.

use crate::core::idempotency::REPLAYED_HEADER;
use crate::python::builtins::{len, object, range};
use crate::python::pytest::pytest;
use crate::python::standard::uuid4;
use crate::spec::{Payer, Plan, Role, Spec};
use crate::tests::casting::{has_trial, lookup_key, paid_plans};
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let owner = spec.organizations.owner();
    let is_of_users = spec.has_payer(Payer::User);
    let paid = spec.billing.iter().flat_map(paid_plans).next();
    module("tests.test_organizations").docstring("Organizations.").body(block![
        spec.organizations.personal.then(|| test_an_account_comes_with_an_organization(owner)),
        test_found_another_organization(owner),
        test_an_organization_with_a_key_is_founded_once(),
        (has_trial(spec) && !is_of_users).then(test_only_the_first_organization_has_a_trial),
        test_list_in_pages(),
        test_an_organization_is_renamed(),
        test_a_session_remembers_where_it_works(),
        test_an_organization_is_deleted(),
        paid.filter(|_| !is_of_users).map(test_who_pays_is_not_deleted),
        test_strangers_learn_nothing(spec),
        test_bad_names_are_refused()
    ])
}

fn test_an_account_comes_with_an_organization(owner: &Role) -> FunctionDef {
    names!(world, ada, page);
    world_test("test_an_account_comes_with_an_organization").body(block![
        sign_up(world, ada),
        assign(page, py!(ada.get("/organizations").await.json())),
        assert_(py!(list!(item["role"] for item in page["items"]) == [{ owner.name.as_str() }])),
        assert_(py!(page["items"][0]["organization"]["name"] == "ada"))
    ])
}

fn test_found_another_organization(owner: &Role) -> FunctionDef {
    names!(world, ada, created, organization, read);
    world_test("test_found_another_organization").body(block![
        sign_up(world, ada),
        assign(
            created,
            py!(ada.post("/organizations", dict!("name" => "Analytical Engines")).await)
        ),
        assert_(py!(created.status_code == 201)),
        assert_(py!(created.json()["role"] == { owner.name.as_str() })),
        assign(organization, py!(created.json()["organization"])),
        assign(read, py!(ada.get(f!("/organizations/{}", organization["id"])).await)),
        assert_(py!(read.json() == created.json()))
    ])
}

fn test_an_organization_with_a_key_is_founded_once() -> FunctionDef {
    names!(world, ada, bob, caller, body, headers, first, again, other, item, items, found);
    let post = |content: Expr| {
        py!(world.http.post("/organizations", json = content, headers = headers).await)
    };
    world_test("test_an_organization_with_a_key_is_founded_once").body(block![
        sign_up(world, ada),
        sign_up(world, bob),
        assign(body, py!(dict!("name" => "Analytical Engines"))),
        for_(
            caller,
            py!((ada, bob)),
            block![
                assign(headers, py!(dict!(**caller.headers, "Idempotency-Key" => "a-key"))),
                assign(first, post(body.into_expr())),
                assign(again, post(body.into_expr())),
                assign(other, post(py!(dict!("name" => "Another")))),
                assert_(py!((first.status_code, again.status_code) == (201, 201))),
                assert_(py!(again.content == first.content)),
                assert_(py!(again.headers[REPLAYED_HEADER] == "true")),
                assert_(py!(other.json()["code"] == "idempotency_key_reused")),
                assign(items, py!(caller.get("/organizations").await.json()["items"])),
                assign(
                    found,
                    py!(list!(
                        item for item in items
                        if item["organization"]["name"] == body["name"]
                    ))
                ),
                assert_(py!(found == [first.json()]))
            ]
        )
    ])
}

fn test_only_the_first_organization_has_a_trial() -> FunctionDef {
    names!(world, ada, first, second);
    world_test("test_only_the_first_organization_has_a_trial").body(block![
        sign_up(world, ada),
        assign(first, py!(f!("/organizations/{}/billing/subscription", ada.organization().await))),
        assign(
            second,
            py!(f!("/organizations/{}/billing/subscription", ada.found("another").await))
        ),
        assert_(py!(ada.get(first).await.json()["status"] == "trialing")),
        assert_(py!(ada.get(second).await.json()["status"] == "none"))
    ])
}

fn test_list_in_pages() -> FunctionDef {
    names!(world, ada, ids, first, cursor, second, found);
    world_test("test_list_in_pages").body(block![
        sign_up(world, ada),
        assign(ids, py!([ada.organization().await])),
        aug_assign(ids, Operator::Add, py!(list!(ada.found("another").await for _ in range(2)))),
        assign(first, py!(ada.get("/organizations?limit=2").await.json())),
        assign(cursor, py!(first["next_cursor"])),
        assign(second, py!(ada.get(f!("/organizations?limit=2&cursor={}", cursor)).await.json())),
        assign(
            found,
            py!(list!(item["organization"]["id"] for item in first["items"] + second["items"]))
        ),
        assert_(py!(found == ids[{ slice(None, None, Some(py!(-1))) }]))
    ])
}

fn test_an_organization_is_renamed() -> FunctionDef {
    names!(world, ada, path, renamed);
    world_test("test_an_organization_is_renamed").body(block![
        sign_up(world, ada),
        assign(path, py!(f!("/organizations/{}", ada.organization().await))),
        assign(renamed, py!(ada.patch(path, dict!("name" => "Analytical Engines")).await)),
        assert_(py!(renamed.status_code == 200)),
        assert_(py!(renamed.json()["organization"]["name"] == "Analytical Engines")),
        assert_(py!(ada.get(path).await.json() == renamed.json())),
        assert_(py!(ada.patch(path, dict!("name" => "")).await.status_code == 422))
    ])
}

fn test_a_session_remembers_where_it_works() -> FunctionDef {
    names!(world, ada, other, organization_id, path, switched, me);
    world_test("test_a_session_remembers_where_it_works").body(block![
        sign_up(world, ada),
        assign(other, py!(world.sign_in(ada.email).await)),
        assign(organization_id, py!(ada.found("another").await)),
        assign(path, py!(f!("/organizations/{}", organization_id))),
        assert_(py!(ada.get("/auth/me").await.json()["active_organization_id"] == None)),
        assign(switched, py!(ada.post(f!("{}/switch", path), None).await)),
        assert_(py!(switched.json() == ada.get(path).await.json())),
        assign(me, py!(ada.get("/auth/me").await.json())),
        assert_(py!(me["active_organization_id"] == organization_id)),
        assert_(py!(other.get("/auth/me").await.json()["active_organization_id"] == None)),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.get("/auth/me").await.json()["active_organization_id"] == None))
    ])
}

fn test_an_organization_is_deleted() -> FunctionDef {
    names!(world, ada, organization_id, path, stale);
    world_test("test_an_organization_is_deleted").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        assign(path, py!(f!("/organizations/{}", organization_id))),
        do_(py!(world.grow_stale().await)),
        assign(stale, py!(ada.delete(path).await)),
        assert_(py!((stale.status_code, stale.json()["code"]) == (403, "session_not_fresh"))),
        assign(ada, py!(world.sign_in(ada.email).await)),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.get(path).await.status_code == 404)),
        assert_(py!(len(ada.get("/organizations").await.json()["items"]) == 1))
    ])
}

fn test_who_pays_is_not_deleted(plan: &Plan) -> FunctionDef {
    names!(world, ada, organization_id, refused);
    world_test("test_who_pays_is_not_deleted").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(ada.found("another").await)),
        do_(py!(world.subscribe(organization_id, { lookup_key(plan) }).await)),
        assign(refused, py!(ada.delete(f!("/organizations/{}", organization_id)).await)),
        assert_(py!(refused.status_code == 409)),
        assert_(py!(refused.json()["code"] == "subscription_goes_on"))
    ])
}

fn test_strangers_learn_nothing(spec: &Spec) -> FunctionDef {
    names!(world, ada, eve, organization_id, path, hidden, missing);
    let paid = spec.billing.iter().map(|_| "/billing/subscription");
    let paths = ["", "/members"].into_iter().chain(paid).chain(["/invitations/pending"]);
    world_test("test_strangers_learn_nothing").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        for_(
            path,
            tuple(paths),
            block![
                assign(
                    hidden,
                    py!(eve.get(f!("/organizations/{}{}", organization_id, path)).await)
                ),
                assign(missing, py!(eve.get(f!("/organizations/{}{}", uuid4(), path)).await)),
                assert_(py!(chain!(hidden.status_code, "==", missing.status_code, "==", 404))),
                assert_(py!(hidden.json()["detail"] == missing.json()["detail"]))
            ]
        )
    ])
}

fn test_bad_names_are_refused() -> FunctionDef {
    names!(world, name, ada);
    world_test("test_bad_names_are_refused")
        .decorator(py!(pytest.mark.parametrize("name", ["", "x" * 121, "a\u{0}b", None, 1])))
        .params([param(name, object)])
        .body(block![
            sign_up(world, ada),
            assert_(
                py!(ada.post("/organizations", dict!("name" => name)).await.status_code == 422)
            )
        ])
}
