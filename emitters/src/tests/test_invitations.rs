//! `backend/tests/test_invitations.py`: invitations.

use crate::core::roles::Role;
use crate::models::base::utcnow;
use crate::models::package::{Invitation, Membership};
use crate::python::anyio::anyio;
use crate::python::builtins::{int, len, list, object, range, sorted, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::timedelta;
use crate::tests::world::{Caller, World};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_invitations": invitations_of, accept, test_invite_and_accept,
        test_the_token_is_stored_as_a_hash, test_a_token_works_once,
        test_of_parallel_requests_one_wins, test_a_wrong_user_is_refused,
        test_an_unknown_token_is_refused, test_an_invitation_runs_out,
        test_an_address_is_invited_once, test_members_are_not_invited,
        test_only_owners_and_admins_see_invitations, test_nobody_invites_above_their_own_role,
        test_the_inviter_must_still_be_able_to, test_the_plan_limits_members,
        test_a_seat_that_is_gone_by_then_is_refused, test_bad_invitations_are_refused;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_invitations").docstring("Invitations.").body(block![
        invitations_of_def(),
        accept_def(),
        test_invite_and_accept_def(),
        test_the_token_is_stored_as_a_hash_def(),
        test_a_token_works_once_def(),
        test_of_parallel_requests_one_wins_def(),
        test_a_wrong_user_is_refused_def(),
        test_an_unknown_token_is_refused_def(),
        test_an_invitation_runs_out_def(),
        test_an_address_is_invited_once_def(),
        test_members_are_not_invited_def(),
        test_only_owners_and_admins_see_invitations_def(),
        test_nobody_invites_above_their_own_role_def(),
        test_the_inviter_must_still_be_able_to_def(),
        test_the_plan_limits_members_def(),
        test_a_seat_that_is_gone_by_then_is_refused_def(),
        test_bad_invitations_are_refused_def()
    ])
}

fn invitations_of_def() -> FunctionDef {
    names!(organization_id);
    def(invitations_of).params([param(organization_id, str)]).returns(str).body(block![
        docstring("Return the path of the invitations of an organization."),
        return_(py!(f!("/organizations/{}/invitations", organization_id)))
    ])
}

fn accept_def() -> FunctionDef {
    names!(caller, token, response);
    async_def(accept).params([param(caller, Caller), param(token, str)]).returns(int).body(block![
        docstring("Accept an invitation and return the status."),
        assign(response, py!(caller.post("/invitations/accept", dict!("token" => token)).await)),
        return_(py!(response.status_code))
    ])
}

fn test_invite_and_accept_def() -> FunctionDef {
    names!(world, ada, bob, organization_id, body, created, token, pending, accepted);
    async_def(test_invite_and_accept).params([param(world, World)]).returns(none()).body(block![
        assign(ada, py!(world.sign_up("ada@example.com").await)),
        assign(bob, py!(world.sign_up("bob@example.com").await)),
        assign(organization_id, py!(ada.organization().await)),
        assign(body, py!(dict!("email" => "Bob@Example.com", "role" => "member"))),
        assign(created, py!(ada.post(invitations_of(organization_id), body).await)).paragraph(),
        assert_(py!(created.status_code == 201)),
        assert_(py!(created.json()["email"] == "bob@example.com")),
        assign(token, py!(world.mailed_token())),
        assert_(py!(not_in!(token, created.text))),
        assert_(py!(world.outbox[-1]["To"] == "bob@example.com")),
        assign(pending, py!(ada.get(f!("{}/pending", invitations_of(organization_id))).await)),
        assert_(py!(pending.json()["items"] == [created.json()])),
        assign(accepted, py!(bob.post("/invitations/accept", dict!("token" => token)).await))
            .paragraph(),
        assert_(py!(accepted.status_code == 201)),
        assert_(py!(accepted.json()["role"] == "member")),
        assert_(py!(accepted.json()["organization_id"] == organization_id)),
        assert_(py!(
            bob.get(f!("/organizations/{}", organization_id)).await.json()["role"] == "member"
        )),
        assert_(py!(bob.get("/auth/me").await.json()["email_verified_at"] != None)),
        assign(pending, py!(ada.get(f!("{}/pending", invitations_of(organization_id))).await)),
        assert_(py!(pending.json()["items"] == []))
    ])
}

fn test_the_token_is_stored_as_a_hash_def() -> FunctionDef {
    names!(world, ada, organization_id, token, session, invitation);
    async_def(test_the_token_is_stored_as_a_hash)
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(
                token,
                py!(world.invite(ada, organization_id, "bob@example.com", "member").await)
            ),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(invitation, py!(session.scalars(select(Invitation)).await.one()))]
            ),
            assert_(py!(len(token) >= 43)),
            assert_(py!(len(invitation.token_hash) == 64)),
            assert_(py!(not_in!(token, invitation.token_hash)))
        ])
}

fn test_a_token_works_once_def() -> FunctionDef {
    names!(world, ada, bob, organization_id, token);
    async_def(test_a_token_works_once).params([param(world, World)]).returns(none()).body(block![
        assign(ada, py!(world.sign_up("ada@example.com").await)),
        assign(bob, py!(world.sign_up("bob@example.com").await)),
        assign(organization_id, py!(ada.organization().await)),
        assign(token, py!(world.invite(ada, organization_id, bob.email, "member").await)),
        assert_(py!(accept(bob, token).await == 201)),
        assert_(py!(accept(bob, token).await == 410))
    ])
}

fn test_of_parallel_requests_one_wins_def() -> FunctionDef {
    names!(world, ada, bob, organization_id, token, statuses, try_it, tasks);
    async_def(test_of_parallel_requests_one_wins)
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(bob, py!(world.sign_up("bob@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(token, py!(world.invite(ada, organization_id, bob.email, "member").await)),
            ann_assign(statuses, py!(list[int]), py!([])),
            {
                async_def(try_it)
                    .returns(none())
                    .body([do_(py!(statuses.append(accept(bob, token).await)))])
            },
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                for_(py!(_), py!(range(8)), [do_(py!(tasks.start_soon(try_it)))])
            ),
            assert_(py!(sorted(statuses) == [201] + [410] * 7)).paragraph()
        ])
}

fn test_a_wrong_user_is_refused_def() -> FunctionDef {
    names!(world, ada, bob, eve, organization_id, token, refused);
    async_def(test_a_wrong_user_is_refused).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(bob, py!(world.sign_up("bob@example.com").await)),
            assign(eve, py!(world.sign_up("eve@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(token, py!(world.invite(ada, organization_id, bob.email, "member").await)),
            assign(refused, py!(eve.post("/invitations/accept", dict!("token" => token)).await)),
            assert_(py!(refused.status_code == 403)),
            assert_(py!(not_in!(bob.email, refused.text))),
            assert_(
                py!(eve.get(f!("/organizations/{}", organization_id)).await.status_code == 404)
            ),
            assert_(py!(accept(bob, token).await == 201))
        ],
    )
}

fn test_an_unknown_token_is_refused_def() -> FunctionDef {
    names!(world, ada);
    async_def(test_an_unknown_token_is_refused).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assert_(py!(accept(ada, "unknown").await == 404))
        ],
    )
}

fn test_an_invitation_runs_out_def() -> FunctionDef {
    names!(world, ada, bob, organization_id, token, session, past, pending);
    async_def(test_an_invitation_runs_out).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(bob, py!(world.sign_up("bob@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(token, py!(world.invite(ada, organization_id, bob.email, "member").await)),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(past, py!(utcnow() - timedelta(seconds = 1))),
                    do_(py!(session.execute(update(Invitation).values(expires_at = past)).await)),
                    do_(py!(session.commit().await))
                ]
            ),
            assert_(py!(accept(bob, token).await == 410)).paragraph(),
            assign(pending, py!(ada.get(f!("{}/pending", invitations_of(organization_id))).await)),
            assert_(py!(pending.json()["items"] == [])),
            assign(token, py!(world.invite(ada, organization_id, bob.email, "member").await))
                .paragraph(),
            assert_(py!(accept(bob, token).await == 201))
        ],
    )
}

fn test_an_address_is_invited_once_def() -> FunctionDef {
    names!(world, ada, organization_id, body, again, elsewhere);
    async_def(test_an_address_is_invited_once).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            do_(py!(world.invite(ada, organization_id, "bob@example.com", "member").await)),
            assign(body, py!(dict!("email" => "bob@example.com", "role" => "viewer"))),
            assign(again, py!(ada.post(invitations_of(organization_id), body).await)),
            assert_(py!(again.status_code == 409)),
            assign(elsewhere, py!(ada.found("another").await)),
            do_(py!(world.invite(ada, elsewhere, "bob@example.com", "member").await))
        ],
    )
}

fn test_members_are_not_invited_def() -> FunctionDef {
    names!(world, ada, body, refused);
    async_def(test_members_are_not_invited).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(body, py!(dict!("email" => ada.email, "role" => "member"))),
            assign(refused, py!(ada.post(invitations_of(ada.organization().await), body).await)),
            assert_(py!(refused.status_code == 409))
        ],
    )
}

fn test_only_owners_and_admins_see_invitations_def() -> FunctionDef {
    names!(world, role, ada, organization_id, member, body, created, pending);
    async_def(test_only_owners_and_admins_see_invitations)
        .decorator(py!(pytest.mark.parametrize("role", ["member", "viewer"])))
        .params([param(world, World), param(role, str)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(member, py!(world.member(ada, organization_id, role).await)),
            assign(body, py!(dict!("email" => "bob@example.com", "role" => "viewer"))),
            assign(created, py!(member.post(invitations_of(organization_id), body).await)),
            assign(
                pending,
                py!(member.get(f!("{}/pending", invitations_of(organization_id))).await)
            ),
            assert_(py!((created.status_code, pending.status_code) == (403, 403)))
        ])
}

fn test_nobody_invites_above_their_own_role_def() -> FunctionDef {
    names!(world, ada, organization_id, admin, body, refused);
    async_def(test_nobody_invites_above_their_own_role)
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(admin, py!(world.member(ada, organization_id, "admin").await)),
            assign(body, py!(dict!("email" => "bob@example.com", "role" => "owner"))),
            assign(refused, py!(admin.post(invitations_of(organization_id), body).await)),
            assert_(py!(refused.status_code == 403)),
            do_(py!(world.invite(admin, organization_id, "bob@example.com", "admin").await))
        ])
}

fn test_the_inviter_must_still_be_able_to_def() -> FunctionDef {
    names!(world, role, ada, bob, organization_id, admin, token, session, admins, membership);
    async_def(test_the_inviter_must_still_be_able_to)
        .decorator(py!(pytest.mark.parametrize("role", ["member", None])))
        .params([param(world, World), param(role, py!(str | None))])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(bob, py!(world.sign_up("bob@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(admin, py!(world.member(ada, organization_id, "admin").await)),
            assign(token, py!(world.invite(admin, organization_id, bob.email, "admin").await)),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(admins, py!(select(Membership).r#where(Membership.role == "admin"))),
                    assign(membership, py!(session.scalars(admins).await.one())),
                    if_(py!(role == None), [do_(py!(session.delete(membership).await))])
                        .else_([assign(py!(membership.role), py!(Role(role)))]),
                    do_(py!(session.commit().await))
                ]
            ),
            assert_(py!(accept(bob, token).await == 410))
        ])
}

fn test_the_plan_limits_members_def() -> FunctionDef {
    names!(world, ada, organization_id, token, body, refused, bob);
    async_def(test_the_plan_limits_members).params([param(world, World)]).returns(none()).body(
        block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(ada.found("without a subscription").await)),
            do_(py!(world.member(ada, organization_id, "member").await)),
            assign(
                token,
                py!(world.invite(ada, organization_id, "bob@example.com", "member").await)
            ),
            assign(body, py!(dict!("email" => "carol@example.com", "role" => "member"))),
            assign(refused, py!(ada.post(invitations_of(organization_id), body).await)).paragraph(),
            assert_(py!(refused.status_code == 403)).paragraph(),
            assert_(py!(refused.json()["code"] == "plan_limit_reached")),
            assign(bob, py!(world.sign_up("bob@example.com").await)),
            assert_(py!(accept(bob, token).await == 201))
        ],
    )
}

fn test_a_seat_that_is_gone_by_then_is_refused_def() -> FunctionDef {
    names!(world, ada, bob, organization_id, token, refused);
    async_def(test_a_seat_that_is_gone_by_then_is_refused)
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(bob, py!(world.sign_up("bob@example.com").await)),
            assign(organization_id, py!(ada.organization().await)),
            assign(token, py!(world.invite(ada, organization_id, bob.email, "member").await)),
            for_(
                py!(_),
                py!(range(2)),
                [do_(py!(world.member(ada, organization_id, "viewer").await))]
            ),
            do_(py!(world.end_trial(organization_id).await)),
            assign(refused, py!(bob.post("/invitations/accept", dict!("token" => token)).await)),
            assert_(py!(refused.status_code == 403)),
            assert_(py!(refused.json()["code"] == "plan_limit_reached")),
            do_(py!(world.subscribe(organization_id, "acme_team_month").await)),
            assert_(py!(accept(bob, token).await == 201))
        ])
}

fn test_bad_invitations_are_refused_def() -> FunctionDef {
    names!(world, body, ada, refused);
    async_def(test_bad_invitations_are_refused)
        .decorator(py!(pytest.mark.parametrize(
            "body",
            [
                dict!("email" => "bob@example.com", "role" => "emperor"),
                dict!("email" => "bob", "role" => "member"),
                dict!("email" => "bob@example.com"),
                dict!("role" => "member")
            ]
        )))
        .params([param(world, World), param(body, object)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(refused, py!(ada.post(invitations_of(ada.organization().await), body).await)),
            assert_(py!(refused.status_code == 422))
        ])
}
