//! `backend/tests/test_members.py`: the members of an organization, and that it always has an owner.

use crate::core::roles::role;
use crate::models::package::{Membership, User};
use crate::python::anyio::anyio;
use crate::python::builtins::{dict, int, list, sorted, str, tuple};
use crate::python::hypothesis::{HealthCheck, given, settings, st};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{UUID, uuid4};
use crate::spec::{Role as OrgRole, Spec};
use crate::tests::casting::{deputy, has_room, outsiders};
use crate::tests::world::{Caller, World, first_organization, sign_up, world_test};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_members": STEPS, ids_of, path_of, act;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let owner = spec.organizations.owner();
    let lowest = spec.organizations.lowest();
    let next = spec.organizations.roles.get(1);
    let others: Vec<_> = outsiders(spec).filter(|role| role.rank > 0).collect();
    let others: Vec<_> = others.into_iter().map(|role| role.name.as_str()).collect();
    module("tests.test_members")
        .docstring("The members of an organization, and that it always has an owner.")
        .body(block![
            next.map(|_| assign(STEPS, steps(spec))),
            ids_of_def(),
            path_of_def(),
            next.map(|_| act_def()),
            test_list_members(owner, lowest),
            next.map(|next| test_a_member_gets_another_role(next, lowest)),
            (!others.is_empty()).then(|| test_other_roles_manage_nobody(others, lowest)),
            deputy(spec).map(|deputy| test_nobody_touches_a_rank_above(deputy, owner)),
            test_the_last_owner_cannot_go(lowest),
            test_of_two_owners_that_leave_one_stays(owner),
            test_a_member_who_is_removed_is_out_at_once(lowest),
            test_members_of_other_organizations_are_not_found(spec),
            next.map(|next| {
                block![
                    test_an_organization_is_handed_over(owner, next),
                    test_only_an_active_member_takes_over(next),
                    test_the_highest_role_is_given_in_a_fresh_session(owner, next),
                    has_room(spec, 3).then(|| test_of_two_handovers_one_wins(owner, next)),
                    test_an_organization_always_has_an_owner(owner, next)
                ]
            })
        ])
}

/// What can happen to members: one who acts, what they do, whom it is done to.
fn steps(spec: &Spec) -> Expr {
    let roles = spec.organizations.roles.iter().map(|role| role.name.as_str());
    let actions = make::list(["remove", "leave", "transfer"].into_iter().chain(roles));
    py!(st.tuples(st.integers(0, 1), st.sampled_from(actions), st.integers(0, 1)))
}

fn ids_of_def() -> FunctionDef {
    names!(caller, organization_id, members);
    async_def(ids_of)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(py!(dict[(str, str)]))
        .body(block![
            docstring("Return the ids of the members by their addresses."),
            assign(
                members,
                py!(caller.get(f!("/organizations/{}/members", organization_id)).await)
            ),
            return_(py!(
                dict!(item["user"]["email"] => item["id"] for item in members.json()["items"])
            ))
        ])
}

fn path_of_def() -> FunctionDef {
    names!(caller, organization_id, member, ids);
    async_def(path_of)
        .params([param(caller, Caller), param(organization_id, str), param(member, Caller)])
        .returns(str)
        .body(block![
            docstring("Return the path of a member, as another one sees it."),
            assign(ids, py!(ids_of(caller, organization_id).await)),
            return_(py!(f!("/organizations/{}/members/{}", organization_id, ids[member.email])))
        ])
}

fn act_def() -> FunctionDef {
    names!(caller, organization_id, action, member_id, base, member);
    async_def(act)
        .params([
            param(caller, Caller),
            param(organization_id, str),
            param(action, str),
            param(member_id, str),
        ])
        .returns(int)
        .body(block![
            docstring("Do something to a member and return the status."),
            assign(base, py!(f!("/organizations/{}", organization_id))),
            assign(member, py!(f!("{}/members/{}", base, member_id))),
            if_(
                py!(action == "leave"),
                [return_(py!(caller.post(f!("{}/leave", base), None).await.status_code))]
            ),
            if_(py!(action == "remove"), [return_(py!(caller.delete(member).await.status_code))]),
            if_(
                py!(action == "transfer"),
                [return_(py!(caller
                    .post(f!("{}/transfer", base), dict!("member_id" => member_id))
                    .await
                    .status_code))]
            ),
            return_(py!(caller.patch(member, dict!("role" => action)).await.status_code))
        ])
}

fn test_list_members(owner: &OrgRole, lowest: &OrgRole) -> FunctionDef {
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

fn test_a_member_gets_another_role(next: &OrgRole, lowest: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, path, changed, unknown);
    let (next, lowest) = (next.name.as_str(), lowest.name.as_str());
    world_test("test_a_member_gets_another_role").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, lowest).await)),
        assign(path, py!(path_of(ada, organization_id, bob).await)),
        assign(changed, py!(ada.patch(path, dict!("role" => next)).await)).paragraph(),
        assert_(py!((changed.status_code, changed.json()["role"]) == (200, next))),
        assert_(py!(changed.json()["user"]["email"] == bob.email)),
        assert_(
            py!(bob.get(f!("/organizations/{}", organization_id)).await.json()["role"] == next)
        ),
        assert_(py!(ada.patch(path, dict!("role" => lowest)).await.status_code == 200)),
        assign(unknown, py!(ada.patch(path, dict!("role" => "emperor")).await)),
        assert_(py!(unknown.status_code == 422))
    ])
}

fn test_other_roles_manage_nobody(others: Vec<&str>, lowest: &OrgRole) -> FunctionDef {
    names!(world, role, ada, organization_id, bob, path, refused);
    let lowest = lowest.name.as_str();
    world_test("test_other_roles_manage_nobody")
        .decorator(py!(pytest.mark.parametrize("role", { make::list(others) })))
        .params([param(role, str)])
        .body(block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            assign(bob, py!(world.member(ada, organization_id, role).await)),
            assign(path, py!(path_of(bob, organization_id, bob).await)),
            for_(
                refused,
                py!((
                    bob.patch(path, dict!("role" => lowest)).await,
                    bob.delete(path).await,
                    bob.patch(f!("/organizations/{}", organization_id), dict!("name" => "Bob's"))
                        .await,
                    bob.delete(f!("/organizations/{}", organization_id)).await
                )),
                [assert_(py!(refused.status_code == 403))]
            )
        ])
}

fn test_nobody_touches_a_rank_above(deputy: &OrgRole, owner: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, of_ada, of_bob, refused);
    let (deputy, owner) = (deputy.name.as_str(), owner.name.as_str());
    world_test("test_nobody_touches_a_rank_above").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, deputy).await)),
        assign(of_ada, py!(path_of(bob, organization_id, ada).await)),
        assign(of_bob, py!(path_of(bob, organization_id, bob).await)),
        for_(
            refused,
            py!((
                bob.patch(of_ada, dict!("role" => deputy)).await,
                bob.delete(of_ada).await,
                bob.patch(of_bob, dict!("role" => owner)).await
            )),
            [assert_(py!(refused.status_code == 403))]
        ),
        assert_(py!(bob.patch(of_bob, dict!("role" => deputy)).await.status_code == 200))
    ])
}

fn test_the_last_owner_cannot_go(lowest: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, path, refused);
    let demotion = lowest.name.as_str();
    let demoted = (lowest.rank > 0).then(|| py!(ada.patch(path, dict!("role" => demotion)).await));
    let demoted = demoted.into_iter();
    let ways = make::tuple(demoted.chain([
        py!(ada.delete(path).await),
        py!(ada.post(f!("/organizations/{}/leave", organization_id), None).await),
    ]));
    world_test("test_the_last_owner_cannot_go").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(path, py!(path_of(ada, organization_id, ada).await)),
        for_(
            refused,
            ways,
            block![
                assert_(py!(refused.status_code == 409)),
                assert_(py!(refused.json()["code"] == "sole_owner"))
            ]
        )
    ])
}

fn test_of_two_owners_that_leave_one_stays(owner: &OrgRole) -> FunctionDef {
    names!(world, ada, bob, organization_id, statuses, leave, caller, path, left, tasks);
    let owner = owner.name.as_str();
    world_test("test_of_two_owners_that_leave_one_stays").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, owner).await)),
        assign(path, py!(f!("/organizations/{}/leave", organization_id))),
        ann_assign(statuses, py!(list[int]), py!([])),
        {
            async_def(leave).params([param(caller, Caller)]).returns(none()).body(block![
                assign(left, py!(caller.post(path, None).await)),
                do_(py!(statuses.append(left.status_code)))
            ])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(caller, py!((ada, bob)), [do_(py!(tasks.start_soon(leave, caller)))])
        ),
        assert_(py!(sorted(statuses) == [204, 409])).paragraph()
    ])
}

fn test_a_member_who_is_removed_is_out_at_once(lowest: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, base, path, listed);
    let lowest = lowest.name.as_str();
    world_test("test_a_member_who_is_removed_is_out_at_once").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, lowest).await)),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assert_(py!(bob.post(f!("{}/switch", base), None).await.status_code == 200)),
        assign(path, py!(path_of(ada, organization_id, bob).await)),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(bob.get(base).await.status_code == 404)),
        assert_(py!(bob.get("/auth/me").await.json()["active_organization_id"] == None)),
        assign(listed, py!(bob.get("/organizations").await.json()["items"])),
        assert_(py!(not_in!(
            organization_id,
            list!(item["organization"]["id"] for item in listed)
        ))),
        assert_(py!(ada.delete(path).await.status_code == 404))
    ])
}

fn test_members_of_other_organizations_are_not_found(spec: &Spec) -> FunctionDef {
    names!(world, ada, eve, organization_id, ids, path);
    let lowest = spec.organizations.lowest().name.as_str();
    world_test("test_members_of_other_organizations_are_not_found").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        assign(ids, py!(ids_of(eve, eve.organization().await).await)),
        assign(path, py!(f!("/organizations/{}/members/{}", organization_id, ids[eve.email]))),
        assert_(py!(ada.delete(path).await.status_code == 404)),
        assert_(py!(ada.patch(path, dict!("role" => lowest)).await.status_code == 404))
    ])
}

/// `{"member_id": …}`, the body that hands the first organization over to `heir`.
pub fn handover(ada: Name, organization_id: Name, heir: Name) -> Expr {
    py!(dict!("member_id" => ids_of(ada, organization_id).await[heir.email]))
}

fn test_an_organization_is_handed_over(owner: &OrgRole, next: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, base, body, stale, done, again);
    let (owner, next) = (owner.name.as_str(), next.name.as_str());
    world_test("test_an_organization_is_handed_over").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, next).await)),
        assign(base, py!(f!("/organizations/{}", organization_id))),
        assign(body, handover(ada, organization_id, bob)),
        assert_(py!(bob.post(f!("{}/transfer", base), body).await.status_code == 403)),
        do_(py!(world.grow_stale().await)),
        assign(stale, py!(ada.post(f!("{}/transfer", base), body).await)),
        assert_(py!((stale.status_code, stale.json()["code"]) == (403, "session_not_fresh"))),
        assign(ada, py!(world.sign_in(ada.email).await)).paragraph(),
        assign(done, py!(ada.post(f!("{}/transfer", base), body).await)),
        assert_(py!((done.status_code, done.json()["role"]) == (200, owner))),
        assert_(py!(bob.get(base).await.json()["role"] == owner)),
        assert_(py!(ada.get(base).await.json()["role"] == next)),
        assign(again, py!(ada.post(f!("{}/transfer", base), body).await)),
        assert_(py!(again.status_code == 403))
    ])
}

fn test_the_highest_role_is_given_in_a_fresh_session(
    owner: &OrgRole,
    next: &OrgRole,
) -> FunctionDef {
    names!(world, ada, organization_id, bob, path, invitations, change, body, stale);
    let (owner, next) = (owner.name.as_str(), next.name.as_str());
    world_test("test_the_highest_role_is_given_in_a_fresh_session").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, next).await)),
        assign(path, py!(path_of(ada, organization_id, bob).await)),
        assign(invitations, py!(f!("/organizations/{}/invitations", organization_id))),
        assign(change, py!(dict!("role" => owner))),
        assign(body, py!(dict!("email" => "eve@example.com", **change))),
        do_(py!(world.grow_stale().await)),
        for_(
            stale,
            py!((ada.patch(path, change).await, ada.post(invitations, body).await)),
            [assert_(py!((stale.status_code, stale.json()["code"]) == (403, "session_not_fresh")))]
        ),
        assign(ada, py!(world.sign_in(ada.email).await)),
        assert_(py!(ada.patch(path, change).await.status_code == 200))
    ])
}

fn test_only_an_active_member_takes_over(next: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, bob, base, body, refused);
    let next = next.name.as_str();
    world_test("test_only_an_active_member_takes_over").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, next).await)),
        assign(base, py!(f!("/organizations/{}/transfer", organization_id))),
        do_(py!(world
            .change(update(User).r#where(User.email == bob.email).values(is_active = false))
            .await)),
        for_(
            body,
            make::tuple(
                [handover(ada, organization_id, bob), handover(ada, organization_id, ada),]
            ),
            [assert_(py!(ada.post(base, body).await.status_code == 409))]
        ),
        assign(refused, py!(ada.post(base, dict!("member_id" => str(uuid4()))).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (409, "reference_missing")))
    ])
}

fn test_of_two_handovers_one_wins(owner: &OrgRole, next: &OrgRole) -> FunctionDef {
    names!(world, ada, bob, eve, organization_id, bodies, statuses, path, hand_over, body, done);
    names!(tasks, page, roles);
    let (owner, next) = (owner.name.as_str(), next.name.as_str());
    let bodies_of_both =
        make::list([handover(ada, organization_id, bob), handover(ada, organization_id, eve)]);
    world_test("test_of_two_handovers_one_wins").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, next).await)),
        assign(eve, py!(world.member(ada, organization_id, next).await)),
        assign(path, py!(f!("/organizations/{}", organization_id))),
        assign(bodies, bodies_of_both),
        ann_assign(statuses, py!(list[int]), py!([])),
        {
            async_def(hand_over).params([param(body, py!(dict[(str, str)]))]).returns(none()).body(
                block![
                    assign(done, py!(ada.post(f!("{}/transfer", path), body).await)),
                    do_(py!(statuses.append(done.status_code)))
                ],
            )
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(body, bodies, [do_(py!(tasks.start_soon(hand_over, body)))])
        ),
        assert_(py!(sorted(statuses) == [200, 403])).paragraph(),
        assign(page, py!(ada.get(f!("{}/members", path)).await.json())),
        assign(roles, py!(list!(item["role"] for item in page["items"]))),
        assert_(py!(sorted(roles) == sorted([owner, next, next])))
    ])
}

fn test_an_organization_always_has_an_owner(owner: &OrgRole, next: &OrgRole) -> FunctionDef {
    names!(world, steps, ada, bob, people, ids, actor, action, target, caller, status, owners);
    names!(organization_id, session, member_id);
    let (owner_role, next) = (role(owner), next.name.as_str());
    async_def("test_an_organization_always_has_an_owner")
        .decorator(py!(settings(
            max_examples = 15,
            deadline = None,
            database = None,
            suppress_health_check = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
        )))
        .decorator(py!(given(steps = st.lists(STEPS, min_size = 1, max_size = 6))))
        .params([param("world", World), param(steps, py!(list[tuple[(int, str, int)]]))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up(f!("{}@example.com", uuid4().hex)).await)),
            first_organization(ada, organization_id),
            assign(bob, py!(world.member(ada, organization_id, next).await)),
            assign(ids, py!(ids_of(ada, organization_id).await)),
            assign(people, py!((ada, bob))),
            for_(
                py!((actor, action, target)),
                steps,
                block![
                    assign(
                        py!((caller, member_id)),
                        py!((people[actor], ids[people[target].email]))
                    ),
                    assign(status, py!(act(caller, organization_id, action, member_id).await)),
                    assert_(py!(in_!(status, set!(200, 204, 403, 404, 409)))),
                    async_with_as(
                        py!(world.database.session()),
                        session,
                        block![
                            assign(
                                owners,
                                py!(select(Membership.id).r#where(
                                    Membership.organization_id == UUID(organization_id),
                                    Membership.role == owner_role
                                ))
                            ),
                            assert_(py!(session.scalars(owners).await.first() != None))
                        ]
                    )
                ]
            )
        ])
}
