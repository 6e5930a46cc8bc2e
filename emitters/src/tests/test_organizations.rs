//! `backend/tests/test_organizations.py`: organizations and their members.

use crate::python::builtins::{object, range};
use crate::python::pytest::pytest;
use crate::python::standard::uuid4;
use crate::spec::{Role, Spec};
use crate::tests::casting::{has_room, has_trial};
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let owner = spec.organizations.owner();
    module("tests.test_organizations").docstring("Organizations and their members.").body(block![
        spec.organizations.personal.then(|| test_an_account_comes_with_an_organization(owner)),
        test_found_another_organization(owner),
        has_trial(spec).then(test_only_the_first_organization_has_a_trial),
        test_list_in_pages(),
        has_room(spec, 2).then(|| test_list_members(owner, spec.organizations.lowest())),
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

fn test_list_members(owner: &Role, lowest: &Role) -> FunctionDef {
    names!(world, ada, organization_id, bob, page, members);
    let (owner, lowest) = (owner.name.as_str(), lowest.name.as_str());
    world_test("test_list_members").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, lowest).await)),
        assign(page, py!(bob.get(f!("/organizations/{}/members", organization_id)).await.json())),
        assign(
            members,
            py!(list!((item["user"]["email"], item["role"]) for item in page["items"]))
        ),
        assert_(py!(members == [(bob.email, lowest), (ada.email, owner)]))
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
