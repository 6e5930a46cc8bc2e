//! `backend/tests/test_api_keys.py`: API keys.

use crate::core::api_keys::new_key;
use crate::core::idempotency::REPLAYED_HEADER;
use crate::core::permissions::{FOR_PEOPLE, ROLE_PERMISSIONS};
use crate::core::roles::role;
use crate::models::base::utcnow;
use crate::models::package::{ApiKey, User};
use crate::python::anyio::anyio;
use crate::python::builtins::{any, dict, int, list, property, range, set, sorted, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{Any, re, replace, timedelta, uuid4};
use crate::spec::{Role as OrgRole, Spec};
use crate::tests::casting::{bystander, deputy, has_room};
use crate::tests::world::{Caller, World, first_organization, sign_up, unsubscribed, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_api_keys": READ, UPDATE, Made, Program, make_key, program, made_by;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    // Where a session is in cookies, a key is not sent as a session is.
    let has_program = !spec.auth.has_tokens();
    let owner = spec.organizations.owner();
    let lowest = spec.organizations.lowest();
    let manager = deputy(spec).filter(|_| has_room(spec, 2));
    let demoted = manager.filter(|one| one.rank < lowest.rank);
    module("tests.test_api_keys").docstring("API keys.").body(block![
        assign(READ, "organization:read"),
        assign(UPDATE, "organization:update"),
        assign(Made, py!(dict[(str, Any)])).paragraph(),
        has_program.then(program_class),
        make_key_def(),
        program_def(has_program),
        made_by_def(),
        test_a_key_is_shown_once(),
        test_a_key_does_what_its_scopes_say(),
        test_every_other_route_is_closed(),
        test_some_things_are_for_people(owner),
        (spec.organizations.roles.len() > 1).then(|| test_no_key_gives_the_highest_role(owner)),
        test_nobody_gives_more_than_they_may(),
        spec.billing.as_ref().and(manager).map(test_a_key_is_below_its_maker),
        test_bad_keys_are_not_made(),
        bystander(spec).map(test_not_every_role_makes_keys),
        test_junk_asks_no_database(),
        test_a_dead_key_opens_nothing(),
        test_a_key_is_good_for_one_organization(),
        manager.map(test_who_goes_leaves_no_key),
        manager.map(|one| test_who_deletes_their_account_leaves_no_key(spec, one)),
        demoted.map(|one| test_a_key_falls_with_its_maker(one, lowest)),
        manager.map(test_nobody_revokes_what_a_higher_rank_made),
        test_the_last_use_is_noted(),
        test_nobody_gets_the_answers_of_another(lowest),
        test_many_requests_use_one_key(),
        test_a_leaked_key_is_revoked(),
        test_there_are_not_too_many_keys()
    ])
}

fn make_key_def() -> FunctionDef {
    names!(caller, organization_id, scopes, body, response, made);
    async_def(make_key)
        .params([param(caller, Caller), param(organization_id, str), varargs(scopes, str)])
        .returns(Made)
        .body(block![
            docstring("Make a key and return the answer."),
            assign(body, py!(dict!("name" => "a program", "scopes" => scopes))),
            assign(
                response,
                py!(caller.post(f!("/organizations/{}/api-keys", organization_id), body).await)
            ),
            assert_that(py!(response.status_code == 201), py!(response.text)),
            ann_assign(made, Made, py!(response.json())),
            return_(made)
        ])
}

fn program_class() -> ClassDef {
    class(Program).base(Caller).body(block![
        docstring("Somebody who has nothing but a key."),
        def("headers")
            .decorator(property)
            .params([untyped("self")])
            .returns(py!(dict[(str, str)]))
            .body(block![
                docstring("Return the key."),
                return_(py!(dict!("Authorization" => f!("Bearer {}", self.token))))
            ])
    ])
}

fn program_def(has_program: bool) -> FunctionDef {
    names!(caller, key);
    let returned = match has_program {
        true => py!(Program(caller.http, caller.email, key, "", "")),
        false => py!(replace(caller, token = key)),
    };
    def(program)
        .params([param(caller, Caller), param(key, str)])
        .returns(Caller)
        .body(block![docstring("Return somebody who has nothing but a key."), return_(returned)])
}

fn made_by_def() -> FunctionDef {
    names!(world, caller, session, statement);
    async_def(made_by)
        .params([param(world, World), param(caller, Caller)])
        .returns(py!(list[ApiKey]))
        .body(block![
            docstring("Return the keys that somebody made, revoked ones among them."),
            assign(
                statement,
                py!(select(ApiKey)
                    .join(User, User.id == ApiKey.user_id)
                    .r#where(User.email == caller.email))
            ),
            async_with_as(
                py!(world.database.session()),
                session,
                [return_(py!([*session.scalars(statement).await]))]
            )
        ])
}

/// They are a person in a session and two programs of theirs, and all of them say `1`.
fn test_nobody_gets_the_answers_of_another(lowest: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, made, first, answer, caller, callers, path, body);
    names!(headers, key);
    world_test("test_nobody_gets_the_answers_of_another").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, py!(f!("/organizations/{}/invitations", organization_id))),
        assign(body, py!(dict!("email" => "bob@example.com", "role" => { lowest.name.as_str() }))),
        assign(
            made,
            py!(list!(
                make_key(ada, organization_id, "invitations:manage").await for _ in range(2)
            ))
        ),
        assign(callers, py!(list!(program(ada, key["key"]) for key in made))),
        assign(headers, py!(dict!("Idempotency-Key" => "1"))).paragraph(),
        assign(
            first,
            py!(world.http.post(path, json = body, headers = headers | ada.headers).await)
        ),
        assert_(py!(first.status_code == 201)),
        for_(
            caller,
            callers,
            block![
                assign(
                    answer,
                    py!(world
                        .http
                        .post(path, json = body, headers = headers | caller.headers)
                        .await)
                ),
                assert_(py!(answer.status_code != 201)),
                assert_(py!(not_in!(REPLAYED_HEADER, answer.headers)))
            ]
        )
    ])
}

fn test_a_key_is_shown_once() -> FunctionDef {
    names!(world, ada, organization_id, made, key, listed, stored);
    world_test("test_a_key_is_shown_once").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, READ).await)),
        assign(key, py!(made.pop("key"))),
        assign(listed, py!(ada.get(f!("/organizations/{}/api-keys", organization_id)).await)),
        assert_(py!(listed.json()["items"] == [made])),
        assert_(py!(key.startswith(made["hint"]))),
        assert_(py!(not_in!(key, listed.text))),
        assign(py!([stored]), py!(made_by(world, ada).await)),
        assert_(py!(not_in!(stored.key_hash, key))),
        assert_(py!(stored.expires_at != None)),
        assert_(py!(stored.expires_at > utcnow()))
    ])
}

fn test_a_key_does_what_its_scopes_say() -> FunctionDef {
    names!(world, ada, organization_id, base, made, robot, event, refused, log);
    world_test("test_a_key_does_what_its_scopes_say").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assign(made, py!(make_key(ada, organization_id, READ, UPDATE).await)),
        assign(robot, py!(program(ada, made["key"]))),
        assert_(py!(robot.get(base).await.status_code == 200)),
        assert_(py!(robot.patch(base, dict!("name" => "New")).await.status_code == 200)),
        assign(log, py!(ada.get(f!("{}/audit?target=organizations", base)).await.json())),
        assign(event, py!(log["items"][0])),
        assert_(py!((event["actor_kind"], event["actor_id"]) == ("api_key", made["id"]))),
        assign(robot, py!(program(ada, make_key(ada, organization_id, READ).await["key"])))
            .paragraph(),
        assert_(py!(robot.get(base).await.status_code == 200)),
        assign(refused, py!(robot.patch(base, dict!("name" => "Old")).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "scope_missing")))
    ])
}

fn test_every_other_route_is_closed() -> FunctionDef {
    names!(world, ada, organization_id, made, robot, path, operations, filled, method, response);
    let base = "/organizations/{organization_id}";
    world_test("test_every_other_route_is_closed").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, READ).await)),
        assign(robot, py!(program(ada, made["key"]))),
        for_(
            py!((path, operations)),
            py!(world.app.openapi()["paths"].items()),
            block![
                if_(py!(!path.startswith(base)), [continue_()]),
                assign(filled, py!(path.replace("{organization_id}", organization_id))),
                assign(filled, py!(re.sub("{[a-z_]+}", str(uuid4()), filled))),
                for_(
                    method,
                    py!(set(operations) - (if path == base { set!("get") } else { set() })),
                    block![
                        assign(response, py!(robot.send(method.upper(), filled).await)),
                        assert_that(
                            py!(response.status_code == 403),
                            py!(f!("{} {}", method, path))
                        )
                    ]
                )
            ]
        )
    ])
}

fn test_some_things_are_for_people(owner: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, base, scopes, made, robot, method, path, response);
    let owner = role(owner);
    world_test("test_some_things_are_for_people").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assign(scopes, py!(ROLE_PERMISSIONS[owner] - FOR_PEOPLE)),
        assign(made, py!(make_key(ada, organization_id, *scopes).await)),
        assign(robot, py!(program(ada, made["key"]))),
        for_(
            py!((method, path)),
            py!((
                ("POST", f!("{}/leave", base)),
                ("POST", f!("{}/switch", base)),
                ("DELETE", base),
                ("GET", f!("{}/api-keys", base)),
                ("POST", f!("{}/api-keys", base)),
                ("DELETE", f!("{}/api-keys/{}", base, made["id"]))
            )),
            block![
                assign(response, py!(robot.send(method, path).await)),
                assert_that(py!(response.status_code == 403), path)
            ]
        ),
        for_(
            path,
            py!(("/auth/me", "/organizations")),
            [assert_(py!(robot.get(path).await.status_code == 401))]
        )
    ])
}

fn test_no_key_gives_the_highest_role(owner: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, made, path, body, refused);
    let owner = owner.name.as_str();
    world_test("test_no_key_gives_the_highest_role").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, "invitations:manage").await)),
        assign(path, py!(f!("/organizations/{}/invitations", organization_id))),
        assign(body, py!(dict!("email" => "eve@example.com", "role" => owner))),
        assign(refused, py!(program(ada, made["key"]).post(path, body).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "session_required")))
    ])
}

fn test_nobody_gives_more_than_they_may() -> FunctionDef {
    names!(world, ada, organization_id, path, scope, body, refused);
    world_test("test_nobody_gives_more_than_they_may").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, py!(f!("/organizations/{}/api-keys", organization_id))),
        for_(
            scope,
            py!(sorted(FOR_PEOPLE)),
            block![
                assign(body, py!(dict!("name" => "a program", "scopes" => [READ, scope]))),
                assign(refused, py!(ada.post(path, body).await)),
                assert_(py!(
                    (refused.status_code, refused.json()["code"]) == (403, "scope_not_allowed")
                ))
            ]
        )
    ])
}

fn test_a_key_is_below_its_maker(manager: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, path, body, refused);
    let manager = manager.name.as_str();
    world_test("test_a_key_is_below_its_maker").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, manager).await)),
        assign(path, py!(f!("/organizations/{}/api-keys", organization_id))),
        assign(body, py!(dict!("name" => "a program", "scopes" => ["billing:manage"]))),
        assign(refused, py!(bob.post(path, body).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "scope_not_allowed"))),
        assert_(py!(ada.post(path, body).await.status_code == 201))
    ])
}

fn test_bad_keys_are_not_made() -> FunctionDef {
    names!(world, ada, organization_id, path, good, worse, bad);
    world_test("test_bad_keys_are_not_made").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, py!(f!("/organizations/{}/api-keys", organization_id))),
        ann_assign(
            good,
            Made,
            py!(dict!("name" => "a program", "scopes" => [READ], "expires_in_days" => None))
        ),
        ann_assign(
            worse,
            py!(list[Made]),
            py!([
                dict!("name" => ""),
                dict!("scopes" => []),
                dict!("scopes" => ["everything"]),
                dict!("expires_in_days" => 0),
                dict!("expires_in_days" => 3651)
            ])
        ),
        for_(
            bad,
            worse,
            [assert_(py!(ada.post(path, dict!(**good, **bad)).await.status_code == 422))]
        ),
        assert_(py!(ada.post(path, good).await.json()["expires_at"] == None))
    ])
}

fn test_not_every_role_makes_keys(bystander: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, path, body, made);
    let bystander = bystander.name.as_str();
    world_test("test_not_every_role_makes_keys").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, READ).await)),
        assign(bob, py!(world.member(ada, organization_id, bystander).await)),
        assign(path, py!(f!("/organizations/{}/api-keys", organization_id))),
        assign(body, py!(dict!("name" => "a program", "scopes" => [READ]))),
        assert_(py!(bob.post(path, body).await.status_code == 403)),
        assert_(py!(bob.get(path).await.status_code == 403)),
        assert_(py!(bob.delete(f!("{}/{}", path, made["id"])).await.status_code == 403)),
        assert_(py!(program(ada, made["key"])
            .get(f!("/organizations/{}", organization_id))
            .await
            .status_code
            == 200))
    ])
}

fn test_junk_asks_no_database() -> FunctionDef {
    names!(world, statements, ada, organization_id, base, made, key, junk);
    world_test("test_junk_asks_no_database").params([param(statements, py!(list[str]))]).body(
        block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            assign(base, py!(f!("/organizations/{}", organization_id))),
            assign(made, py!(make_key(ada, organization_id, READ).await)),
            ann_assign(key, str, py!(made["key"])),
            do_(py!(statements.clear())),
            for_(
                junk,
                py!((key[..-1], key + "0", key.swapcase(), made["hint"])),
                [assert_(py!(program(ada, junk).get(base).await.status_code == 401))]
            ),
            assert_(py!(statements == [])),
            assert_(py!(program(ada, new_key()).get(base).await.status_code == 401))
        ],
    )
}

fn test_a_dead_key_opens_nothing() -> FunctionDef {
    names!(world, ada, organization_id, base, made, end, path, past, again, _place, robot);
    let ends =
        py!((update(ApiKey).values(expires_at = past), update(User).values(is_active = false)));
    world_test("test_a_dead_key_opens_nothing").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assign(made, py!(make_key(ada, organization_id, READ).await)),
        assign(path, py!(f!("{}/api-keys/{}", base, made["id"]))),
        for_(_place, py!(range(2)), [assert_(py!(ada.delete(path).await.status_code == 204))]),
        assert_(py!(program(ada, made["key"]).get(base).await.status_code == 401)),
        assert_(py!(ada.get(f!("{}/api-keys", base)).await.json()["items"] == [])),
        assign(again, py!(ada.delete(f!("{}/api-keys/{}", base, uuid4())).await)),
        assert_(py!(again.status_code == 404)),
        assign(past, py!(utcnow() - timedelta(seconds = 1))).paragraph(),
        assign(robot, py!(program(ada, make_key(ada, organization_id, READ).await["key"]))),
        assert_(py!(robot.get(base).await.status_code == 200)),
        for_(
            end,
            ends,
            block![
                do_(py!(world.change(end).await)),
                assert_(py!(robot.get(base).await.status_code == 401))
            ]
        )
    ])
}

fn test_a_key_is_good_for_one_organization() -> FunctionDef {
    names!(world, ada, organization_id, made, robot, eve, other);
    world_test("test_a_key_is_good_for_one_organization").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, READ).await)),
        assign(robot, py!(program(ada, made["key"]))),
        sign_up(world, eve),
        for_(
            other,
            py!((eve.organization().await, ada.found("Another").await, str(uuid4()))),
            [assert_(py!(robot.get(f!("/organizations/{}", other)).await.status_code == 404))]
        ),
        assign(other, py!(eve.organization().await)),
        assert_(py!(eve
            .delete(f!("/organizations/{}/api-keys/{}", other, made["id"]))
            .await
            .status_code
            == 404)),
        assert_(py!(robot.get(f!("/organizations/{}", organization_id)).await.status_code == 200))
    ])
}

fn test_who_goes_leaves_no_key(manager: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, base, bob, made, robot, token);
    let manager = manager.name.as_str();
    world_test("test_who_goes_leaves_no_key").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assign(bob, py!(world.member(ada, organization_id, manager).await)),
        assign(made, py!(make_key(bob, organization_id, READ).await)),
        assign(robot, py!(program(bob, made["key"]))),
        assert_(py!(robot.get(base).await.status_code == 200)),
        assert_(py!(bob.post(f!("{}/leave", base), None).await.status_code == 204)),
        assert_(py!(robot.get(base).await.status_code == 401)),
        assign(token, py!(world.invite(ada, organization_id, bob.email, manager).await))
            .paragraph(),
        assert_(py!(
            bob.post("/invitations/accept", dict!("token" => token)).await.status_code == 201
        )),
        assert_(py!(bob.get(base).await.status_code == 200)),
        assert_(py!(robot.get(base).await.status_code == 401))
    ])
}

fn test_who_deletes_their_account_leaves_no_key(spec: &Spec, manager: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, stored);
    let manager = manager.name.as_str();
    world_test("test_who_deletes_their_account_leaves_no_key").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, manager).await)),
        do_(py!(make_key(bob, organization_id, READ).await)),
        assign(py!([stored]), py!(made_by(world, bob).await)),
        assert_(py!(stored.revoked_at == None)),
        unsubscribed(spec, world, bob),
        assert_(py!(bob.delete("/auth/me").await.status_code == 204)),
        {
            names!(session, found);
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(found, py!(session.get_one(ApiKey, stored.id).await)),
                    assert_(py!(found.revoked_at != None))
                ],
            )
        }
    ])
}

fn test_a_key_falls_with_its_maker(manager: &OrgRole, lowest: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, base, bob, robot, members, path, item, refused);
    let (manager, lowest) = (manager.name.as_str(), lowest.name.as_str());
    world_test("test_a_key_falls_with_its_maker").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assign(bob, py!(world.member(ada, organization_id, manager).await)),
        assign(robot, py!(program(bob, make_key(bob, organization_id, READ, UPDATE).await["key"]))),
        assert_(py!(robot.patch(base, dict!("name" => "New")).await.status_code == 200)),
        assign(members, py!(ada.get(f!("{}/members", base)).await.json()["items"])),
        assign(
            py!([path]),
            py!(list!(
                f!("{}/members/{}", base, item["id"]) for item in members
                if item["user"]["email"] == bob.email
            ))
        ),
        assert_(py!(ada.patch(path, dict!("role" => lowest)).await.status_code == 200)),
        assign(refused, py!(robot.patch(base, dict!("name" => "Old")).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "forbidden"))),
        assert_(py!(robot.get(base).await.status_code == 200))
    ])
}

fn test_nobody_revokes_what_a_higher_rank_made(manager: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, path, bob, high, low);
    let manager = manager.name.as_str();
    world_test("test_nobody_revokes_what_a_higher_rank_made").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, py!(f!("/organizations/{}/api-keys", organization_id))),
        assign(bob, py!(world.member(ada, organization_id, manager).await)),
        assign(high, py!(make_key(ada, organization_id, READ).await)),
        assign(low, py!(make_key(bob, organization_id, READ).await)),
        assert_(py!(bob.delete(f!("{}/{}", path, high["id"])).await.status_code == 403)),
        assert_(py!(ada.delete(f!("{}/{}", path, low["id"])).await.status_code == 204)),
        assert_(py!(ada.delete(f!("{}/{}", path, high["id"])).await.status_code == 204))
    ])
}

fn test_the_last_use_is_noted() -> FunctionDef {
    names!(world, statements, ada, organization_id, base, made, robot, stored, earlier, one, again);
    let writes = py!(any(generator!(one.startswith("UPDATE") for one in statements)));
    world_test("test_the_last_use_is_noted").params([param(statements, py!(list[str]))]).body(
        block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            assign(base, py!(f!("/organizations/{}", organization_id))),
            assign(made, py!(make_key(ada, organization_id, READ).await)),
            assert_(py!(made["last_used_at"] == None)),
            assign(robot, py!(program(ada, made["key"]))),
            do_(py!(robot.get(base).await)),
            assign(py!([stored]), py!(made_by(world, ada).await)),
            assert_(py!(stored.last_used_at != None)),
            do_(py!(statements.clear())),
            do_(py!(robot.get(base).await)),
            assert_(py!(!writes)),
            assign(earlier, py!(stored.last_used_at - timedelta(minutes = 2))).paragraph(),
            do_(py!(world.change(update(ApiKey).values(last_used_at = earlier)).await)),
            do_(py!(robot.get(base).await)),
            assign(py!([again]), py!(made_by(world, ada).await)),
            assert_(py!(again.last_used_at != None)),
            assert_(py!(again.last_used_at > earlier))
        ],
    )
}

fn test_many_requests_use_one_key() -> FunctionDef {
    names!(world, ada, organization_id, robot, statuses, response, tasks, use_key, _place);
    world_test("test_many_requests_use_one_key").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(robot, py!(program(ada, make_key(ada, organization_id, READ).await["key"]))),
        ann_assign(statuses, py!(list[int]), py!([])),
        async_def(use_key).returns(none()).body(block![
            assign(response, py!(robot.get(f!("/organizations/{}", organization_id)).await)),
            do_(py!(statuses.append(response.status_code)))
        ]),
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            [for_(_place, py!(range(8)), [do_(py!(tasks.start_soon(use_key)))])]
        ),
        assert_(py!(statuses == [200] * 8))
    ])
}

fn test_a_leaked_key_is_revoked() -> FunctionDef {
    names!(world, ada, organization_id, made, found, text, mail, robot);
    world_test("test_a_leaked_key_is_revoked").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, READ).await)),
        do_(py!(world.outbox.clear())),
        for_(
            text,
            py!(("junk", made["key"], made["key"])),
            block![
                assign(
                    found,
                    py!(world.http.post("/api-keys/leaked", json = dict!("key" => text)).await)
                ),
                assert_(py!(found.status_code == 204))
            ]
        ),
        assign(py!([mail]), py!(world.outbox)),
        assert_(py!(mail["To"] == ada.email)),
        assign(robot, py!(program(ada, made["key"]))),
        assert_(py!(robot.get(f!("/organizations/{}", organization_id)).await.status_code == 401))
    ])
}

fn test_there_are_not_too_many_keys() -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, body, refused);
    world_test("test_there_are_not_too_many_keys")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            do_(py!(monkeypatch.setattr("app.services.api_key_service.MAX_KEYS", 1))),
            sign_up(world, ada),
            first_organization(ada, organization_id),
            do_(py!(make_key(ada, organization_id, READ).await)),
            assign(body, py!(dict!("name" => "a program", "scopes" => [READ]))),
            assign(
                refused,
                py!(ada.post(f!("/organizations/{}/api-keys", organization_id), body).await)
            ),
            assert_(py!(
                (refused.status_code, refused.json()["code"]) == (409, "too_many_api_keys")
            ))
        ])
}
