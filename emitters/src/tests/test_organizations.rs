//! `backend/tests/test_organizations.py`: organizations and their members.

use crate::python::builtins::{object, range};
use crate::python::pytest::pytest;
use crate::python::standard::uuid4;
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_organizations": test_an_account_comes_with_an_organization,
        test_found_another_organization, test_only_the_first_organization_has_a_trial,
        test_list_in_pages, test_list_members, test_strangers_learn_nothing,
        test_bad_names_are_refused;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_organizations").docstring("Organizations and their members.").body(block![
        test_an_account_comes_with_an_organization_def(),
        test_found_another_organization_def(),
        test_only_the_first_organization_has_a_trial_def(),
        test_list_in_pages_def(),
        test_list_members_def(),
        test_strangers_learn_nothing_def(),
        test_bad_names_are_refused_def()
    ])
}

fn test_an_account_comes_with_an_organization_def() -> FunctionDef {
    names!(world, ada, page);
    async_def(test_an_account_comes_with_an_organization)
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(page, py!(ada.get("/organizations").await.json())),
            assert_(py!(list!(item["role"] for item in page["items"]) == ["owner"])),
            assert_(py!(page["items"][0]["organization"]["name"] == "ada"))
        ])
}

fn test_found_another_organization_def() -> FunctionDef {
    names!(world, ada, created, organization, read);
    async_def(test_found_another_organization).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(
                created,
                py!(ada.post("/organizations", dict!("name" => "Analytical Engines")).await)
            ),
            assert_(py!(created.status_code == 201)),
            assert_(py!(created.json()["role"] == "owner")),
            assign(organization, py!(created.json()["organization"])),
            assign(read, py!(ada.get(f!("/organizations/{}", organization["id"])).await)),
            assert_(py!(read.json() == created.json()))
        ],
    )
}

fn test_only_the_first_organization_has_a_trial_def() -> FunctionDef {
    names!(world, ada, first, second);
    async_def(test_only_the_first_organization_has_a_trial)
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(
                first,
                py!(f!("/organizations/{}/billing/subscription", ada.organization().await))
            ),
            assign(
                second,
                py!(f!("/organizations/{}/billing/subscription", ada.found("another").await))
            ),
            assert_(py!(ada.get(first).await.json()["status"] == "trialing")),
            assert_(py!(ada.get(second).await.json()["status"] == "none"))
        ])
}

fn test_list_in_pages_def() -> FunctionDef {
    names!(world, ada, ids, first, cursor, second, found);
    async_def(test_list_in_pages).params([param(world, World)]).returns(none()).body(block![
        assign(ada, py!(world.sign_up("ada@example.com").await)),
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

fn test_list_members_def() -> FunctionDef {
    names!(world, ada, organization_id, viewer, page, members);
    async_def(test_list_members).params([param(world, World)]).returns(none()).body(block![
        assign(ada, py!(world.sign_up("ada@example.com").await)),
        assign(organization_id, py!(ada.organization().await)),
        assign(viewer, py!(world.member(ada, organization_id, "viewer").await)),
        assign(
            page,
            py!(viewer.get(f!("/organizations/{}/members", organization_id)).await.json())
        ),
        assign(
            members,
            py!(list!((item["user"]["email"], item["role"]) for item in page["items"]))
        ),
        assert_(py!(members == [(viewer.email, "viewer"), (ada.email, "owner")]))
    ])
}

fn test_strangers_learn_nothing_def() -> FunctionDef {
    names!(world, ada, eve, organization_id, path, hidden, missing);
    async_def(test_strangers_learn_nothing).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(eve, py!(world.sign_up("eve@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            for_(
                path,
                py!(("", "/members", "/billing/subscription", "/invitations/pending")),
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
        ],
    )
}

fn test_bad_names_are_refused_def() -> FunctionDef {
    names!(world, name, ada);
    async_def(test_bad_names_are_refused)
        .decorator(py!(pytest.mark.parametrize("name", ["", "x" * 121, "a\u{0}b", None, 1])))
        .params([param(world, World), param(name, object)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assert_(
                py!(ada.post("/organizations", dict!("name" => name)).await.status_code == 422)
            )
        ])
}
