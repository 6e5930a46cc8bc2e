//! `backend/tests/test_idempotency.py`: a key stands for one request of one user.

use crate::core::idempotency::lock_key;
use crate::models::package::IdempotencyKey;
use crate::python::pytest::pytest;
use crate::python::standard::UUID;
use crate::spec::{Entity, Operation, Role, Spec};
use crate::tests::casting::has_room;
use crate::tests::entity_rows::{Needs, most_rows};
use crate::tests::factories;
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

/// The module; none where the tests can make no two rows.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let needs = Needs::of(spec);
    let is_made = |entity: &&Entity| most_rows(&needs, entity).is_some_and(|most| most >= 2);
    let entity = spec.entities.iter().find(is_made)?;
    let writers = entity.roles(Operation::Create).iter();
    let role = writers.filter(|_| has_room(spec, 2)).find(|role| role.rank > 0);
    let of_others = |role: &Role| {
        let role = role.name.as_str();
        [
            test_another_user_has_other_keys(entity, role),
            test_another_organization_has_other_keys(entity, role),
        ]
    };
    Some(
        module("tests.test_idempotency")
            .docstring("A key stands for one request of one user.")
            .body(block![
                test_a_request_that_is_at_work_is_not_done_again(entity),
                role.map(of_others)
            ]),
    )
}

/// `f"/organizations/{organization_id}/projects"`
fn path_of_rows(entity: &Entity) -> Expr {
    names!(organization_id);
    f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ])
}

/// `headers = {**ada.headers, "Idempotency-Key": "a-key"}`
fn set_headers(caller: Name) -> Stmt {
    names!(headers);
    assign(headers, py!(dict!(**caller.headers, "Idempotency-Key" => "a-key")))
}

fn test_a_request_that_is_at_work_is_not_done_again(entity: &Entity) -> FunctionDef {
    names!(world, ada, organization_id, path, body, headers, named, session, early, done, user_id);
    let write = factories::body_of(&entity.names);
    let posted = || py!(world.http.post(path, json = body, headers = headers).await);
    world_test("test_a_request_that_is_at_work_is_not_done_again").body(block![
        if_(
            py!(world.database.engine.dialect.name != "postgresql"),
            [do_(py!(pytest.skip("SQLite does one request after the other")))]
        ),
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, path_of_rows(entity)),
        assign(body, py!(write(ada, organization_id).await)),
        set_headers(ada),
        assign(user_id, py!(UUID(ada.get("/auth/me").await.json()["id"]))),
        assign(
            named,
            py!(IdempotencyKey(
                organization_id = UUID(organization_id),
                user_id = user_id,
                caller_id = user_id,
                route = f!("POST {}", path),
                key = "a-key"
            ))
        ),
        async_with_as(
            py!(world.database.tenant_session(UUID(organization_id))),
            session,
            block![do_(py!(lock_key(session, named).await)), assign(early, posted())]
        ),
        assign(done, posted()),
        assert_(py!((early.status_code, early.json()["code"]) == (409, "request_in_progress"))),
        assert_that(py!(done.status_code == 201), py!(done.text))
    ])
}

fn test_another_user_has_other_keys(entity: &Entity, role: &str) -> FunctionDef {
    names!(world, ada, organization_id, member, path, caller, body, headers, added);
    let write = factories::body_of(&entity.names);
    world_test("test_another_user_has_other_keys").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(member, py!(world.member(ada, organization_id, role).await)),
        assign(path, path_of_rows(entity)),
        for_(
            caller,
            py!((ada, member)),
            block![
                assign(body, py!(write(ada, organization_id).await)),
                set_headers(caller),
                assign(added, py!(world.http.post(path, json = body, headers = headers).await)),
                assert_that(py!(added.status_code == 201), py!(added.text))
            ]
        )
    ])
}

fn test_another_organization_has_other_keys(entity: &Entity, role: &str) -> FunctionDef {
    names!(world, ada, eve, ours, theirs, owner, organization_id, path, body, headers, added);
    let write = factories::body_of(&entity.names);
    world_test("test_another_organization_has_other_keys").body(block![
        sign_up(world, ada),
        do_(py!(world.verify(ada).await)),
        sign_up(world, eve),
        assign(py!((ours, theirs)), py!((ada.organization().await, eve.organization().await))),
        assign(body, py!(dict!("token" => world.invite(eve, theirs, ada.email, role).await))),
        assert_(py!(ada.post("/invitations/accept", body).await.status_code == 201)),
        set_headers(ada),
        for_(
            py!((owner, organization_id)),
            py!(((ada, ours), (eve, theirs))),
            block![
                assign(path, path_of_rows(entity)),
                assign(body, py!(write(owner, organization_id).await)),
                assign(added, py!(world.http.post(path, json = body, headers = headers).await)),
                assert_that(py!(added.status_code == 201), py!(added.text))
            ]
        )
    ])
}
