//! `backend/tests/test_invitations.py`: invitations.

use crate::core::idempotency::REPLAYED_HEADER;
use crate::core::roles::Role;
use crate::models::base::utcnow;
use crate::models::invitation::InvitationStatus;
use crate::models::package::{Invitation, Membership};
use crate::python::anyio::anyio;
use crate::python::builtins::{int, len, list, object, range, sorted, str, tuple};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::{UUID, timedelta};
use crate::spec::{Billing, Role as OrgRole, Spec};
use crate::tests::casting::{
    deputy, has_room, lookup_key, ordinary, outsiders, seats, starting_plan,
};
use crate::tests::world::{
    Caller, PASSWORD, end_of_subscription, first_organization, sign_up, sign_up_verified,
    world_test,
};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_invitations": invitations_of, accept;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let member = ordinary(spec).name.as_str();
    let lowest = spec.organizations.lowest().name.as_str();
    let deputy = deputy(spec).filter(|_| has_room(spec, 3));
    let others: Vec<_> = outsiders(spec).map(|role| role.name.as_str()).collect();
    module("tests.test_invitations").docstring("Invitations.").body(block![
        invitations_of_def(),
        accept_def(),
        test_invite_and_accept(member),
        test_an_invitation_with_a_key_is_sent_once(member),
        test_the_token_is_stored_as_a_hash(member),
        test_a_token_works_once(member),
        test_of_parallel_requests_one_wins(member),
        test_a_wrong_user_is_refused(member),
        test_an_unknown_token_is_refused(),
        test_only_a_confirmed_address_is_believed(member),
        test_an_account_of_an_invited_address(spec, member),
        test_an_invitation_runs_out(member),
        test_it_is_sent_again_after_a_while(spec, member),
        test_it_is_taken_back(member),
        test_it_is_turned_down(member),
        test_a_preview_shows_no_addresses(member),
        test_nobody_reaches_into_other_organizations(member),
        test_there_are_not_too_many(member),
        test_none_that_ran_out_is_sent_past_the_cap(member),
        test_an_address_is_invited_once(spec, member, lowest),
        test_members_are_not_invited(member),
        has_room(spec, 3).then(|| test_a_member_does_not_join_again(member)),
        (!others.is_empty()).then(|| test_other_roles_see_no_invitations(others, lowest)),
        deputy.map(|deputy| [
            test_nobody_invites_above_their_own_role(deputy, spec.organizations.owner()),
            test_the_inviter_must_still_be_able_to(deputy, below(spec, deputy), lowest)
        ]),
        spec.billing.as_ref().map(|billing| test_seats(spec, billing, member, lowest)),
        test_bad_invitations_are_refused(member)
    ])
}

/// The highest role below another, but rather one that may not invite.
fn below<'a>(spec: &'a Spec, role: &OrgRole) -> Option<&'a OrgRole> {
    [ordinary(spec), spec.organizations.lowest()].into_iter().find(|other| other.rank > role.rank)
}

/// The tests of the limit on members, as far as the plans allow them.
fn test_seats(spec: &Spec, billing: &Billing, member: &str, lowest: &str) -> Vec<FunctionDef> {
    // Each seat is taken by an account of its own: past this, the tests would take minutes.
    const MOST: u32 = 10;
    let Some(free) = seats(billing.free_plan()).filter(|free| *free <= MOST) else {
        return Vec::new();
    };
    let start = starting_plan(billing);
    let can_grow = start.price.is_some() && has_room(spec, free.max(1) + 1);
    let gone = || {
        test_a_seat_that_is_gone_by_then_is_refused(spec, member, lowest, free, lookup_key(start))
    };
    let races = start.price.is_some() && (2..=5).contains(&free) && has_room(spec, free + 3);
    let race = || test_parallel_guests_share_the_seats(spec, member, free);
    let limit = test_the_plan_limits_members(member, free);
    let absent = (free > 1).then(|| test_who_has_gone_holds_no_seat_for_guests(member, free));
    let tests = [limit].into_iter().chain(absent);
    tests.chain(can_grow.then(gone)).chain(races.then(race)).collect()
}

/// Members that join, one statement or a loop.
fn joined(world: Name, ada: Name, organization_id: Name, role: &str, count: u32) -> Vec<Stmt> {
    let one = do_(py!(world.member(ada, organization_id, role).await));
    match count {
        0 => block![],
        1 => block![one],
        _ => block![for_(py!(_), py!(range(count)), [one])],
    }
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

fn test_an_invitation_with_a_key_is_sent_once(member: &str) -> FunctionDef {
    names!(world, ada, path, body, headers, first, again, other, sent);
    let post = |content: Expr| py!(world.http.post(path, json = content, headers = headers).await);
    world_test("test_an_invitation_with_a_key_is_sent_once").body(block![
        sign_up(world, ada),
        assign(path, py!(invitations_of(ada.organization().await))),
        assign(body, py!(dict!("email" => "bob@example.com", "role" => member))),
        assign(headers, py!(dict!(**ada.headers, "Idempotency-Key" => "a-key"))),
        assign(first, post(body.into_expr())),
        assign(sent, py!(len(world.outbox))),
        assign(again, post(body.into_expr())),
        assign(other, post(py!(body | dict!("email" => "eve@example.com")))),
        assert_(py!((first.status_code, again.status_code) == (201, 201))).paragraph(),
        assert_(py!(again.content == first.content)),
        assert_(py!(again.headers[REPLAYED_HEADER] == "true")),
        assert_(py!(other.json()["code"] == "idempotency_key_reused")),
        assert_(py!(len(world.outbox) == sent)),
        assert_(py!(not_in!(world.mailed_token(), again.text)))
    ])
}

fn test_invite_and_accept(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, body, created, token, pending, accepted);
    world_test("test_invite_and_accept").body(block![
        sign_up(world, ada),
        sign_up_verified(world, bob),
        first_organization(ada, organization_id),
        assign(body, py!(dict!("email" => "Bob@Example.com", "role" => member))),
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
        assert_(py!(accepted.json()["role"] == member)),
        assert_(py!(accepted.json()["organization_id"] == organization_id)),
        assert_(py!(
            bob.get(f!("/organizations/{}", organization_id)).await.json()["role"] == member
        )),
        assign(pending, py!(ada.get(f!("{}/pending", invitations_of(organization_id))).await)),
        assert_(py!(pending.json()["items"] == []))
    ])
}

fn test_the_token_is_stored_as_a_hash(member: &str) -> FunctionDef {
    names!(world, ada, organization_id, token, session, invitation);
    world_test("test_the_token_is_stored_as_a_hash").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
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

fn test_a_token_works_once(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token);
    world_test("test_a_token_works_once").body(block![
        bob_is_invited(member),
        assert_(py!(accept(bob, token).await == 201)),
        assert_(py!(accept(bob, token).await == 410))
    ])
}

fn test_of_parallel_requests_one_wins(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, statuses, try_it, tasks);
    world_test("test_of_parallel_requests_one_wins").body(block![
        bob_is_invited(member),
        ann_assign(statuses, py!(list[int]), py!([])),
        {
            async_def(try_it)
                .returns(none())
                .body([do_(py!(statuses.append(accept(bob, token).await)))])
        },
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(py!(_), py!(range(20)), [do_(py!(tasks.start_soon(try_it)))])
        ),
        assert_(py!(sorted(statuses) == [201] + [410] * 19)).paragraph()
    ])
}

fn test_a_wrong_user_is_refused(member: &str) -> FunctionDef {
    names!(world, ada, bob, eve, organization_id, token, refused);
    world_test("test_a_wrong_user_is_refused").body(block![
        sign_up(world, ada),
        sign_up_verified(world, bob),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, bob.email, member).await)),
        assign(refused, py!(eve.post("/invitations/accept", dict!("token" => token)).await)),
        assert_(py!(refused.status_code == 403)),
        assert_(py!(not_in!(bob.email, refused.text))),
        assert_(py!(eve.get(f!("/organizations/{}", organization_id)).await.status_code == 404)),
        assert_(py!(accept(bob, token).await == 201))
    ])
}

fn test_only_a_confirmed_address_is_believed(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, refused);
    world_test("test_only_a_confirmed_address_is_believed").body(block![
        sign_up(world, ada),
        sign_up(world, bob),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, bob.email, member).await)),
        assign(refused, py!(bob.post("/invitations/accept", dict!("token" => token)).await)),
        assert_(py!(refused.status_code == 403)),
        assert_(py!(refused.json()["code"] == "email_not_verified")),
        do_(py!(world.verify(bob).await)),
        assert_(py!(accept(bob, token).await == 201))
    ])
}

fn test_an_account_of_an_invited_address(spec: &Spec, member: &str) -> FunctionDef {
    names!(world, ada, bob, eve, email, organization_id, token, body, listed);
    let elsewhere = usize::from(spec.organizations.personal);
    let register = py!(world.http.post("/auth/register", json = body).await.status_code);
    world_test("test_an_account_of_an_invited_address").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
        for_(
            email,
            py!(("bob@example.com", "eve@example.com")),
            block![
                assign(
                    body,
                    py!(dict!(
                        "email" => email,
                        "password" => PASSWORD,
                        "invitation_token" => token
                    ))
                ),
                assert_(py!(register == 202))
            ]
        ),
        assign(bob, py!(world.sign_in("bob@example.com").await)).paragraph(),
        assert_(py!(bob.get("/organizations").await.json()["items"] == [])),
        assert_(py!(bob.get("/auth/me").await.json()["email_verified_at"] != None)),
        assert_(py!(accept(bob, token).await == 201)),
        assign(eve, py!(world.sign_in("eve@example.com").await)).paragraph(),
        assign(listed, py!(eve.get("/organizations").await.json()["items"])),
        assert_(py!(len(listed) == elsewhere)),
        assert_(py!(eve.get("/auth/me").await.json()["email_verified_at"] == None))
    ])
}

/// `path = f"{invitations_of(organization_id)}/{…}"`, the path of the one invitation that is open.
fn path_of_open(caller: Name, organization_id: Name, path: Name) -> [Stmt; 2] {
    names!(pending);
    [
        assign(pending, py!(caller.get(f!("{}/pending", invitations_of(organization_id))).await)),
        assign(
            path,
            py!(f!("{}/{}", invitations_of(organization_id), pending.json()["items"][0]["id"])),
        ),
    ]
}

fn test_it_is_sent_again_after_a_while(spec: &Spec, member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, path, early, earlier, past, sent, again, other);
    let others = outsiders(spec).find(|role| role.rank > 0 && has_room(spec, 3));
    let refused = others.map(|role| {
        let role = role.name.as_str();
        block![
            assign(other, py!(world.member(ada, organization_id, role).await)),
            assert_(py!(other.post(f!("{}/resend", path), None).await.status_code == 403))
        ]
    });
    world_test("test_it_is_sent_again_after_a_while").body(block![
        bob_is_invited(member),
        path_of_open(ada, organization_id, path),
        refused,
        assign(early, py!(ada.post(f!("{}/resend", path), None).await)).paragraph(),
        assert_(py!(early.status_code == 429)),
        assert_(py!(chain!(0, "<", int(early.headers["Retry-After"]), "<=", 60))),
        assign(py!((earlier, past)), py!((utcnow() - timedelta(minutes = 2), utcnow()))),
        do_(py!(world
            .change(update(Invitation).values(last_sent_at = earlier, expires_at = past))
            .await)),
        assign(sent, py!(ada.post(f!("{}/resend", path), None).await)).paragraph(),
        assert_(py!((sent.status_code, sent.json()["sent_count"]) == (200, 2))),
        assign(again, py!(world.mailed_token())),
        assert_(py!(world.outbox[-1]["To"] == bob.email)),
        assert_(py!(again != token)),
        assert_(py!(accept(bob, token).await == 404)),
        assert_(py!(accept(bob, again).await == 201)),
        assert_(py!(ada.post(f!("{}/resend", path), None).await.status_code == 404))
    ])
}

fn test_it_is_taken_back(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, path);
    world_test("test_it_is_taken_back").body(block![
        bob_is_invited(member),
        path_of_open(ada, organization_id, path),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(accept(bob, token).await == 410)),
        assign(token, py!(world.invite(ada, organization_id, bob.email, member).await)),
        path_of_open(ada, organization_id, path),
        assert_(py!(accept(bob, token).await == 201)),
        assert_(py!(ada.delete(path).await.status_code == 409))
    ])
}

fn test_it_is_turned_down(member: &str) -> FunctionDef {
    names!(world, ada, bob, eve, organization_id, token, body, session, declined, kept, path, log);
    world_test("test_it_is_turned_down").body(block![
        sign_up(world, ada),
        sign_up_verified(world, bob),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, bob.email, member).await)),
        assign(body, py!(dict!("token" => token))),
        assert_(py!(eve.post("/invitations/decline", body).await.status_code == 403)),
        assert_(py!(bob.post("/invitations/decline", body).await.status_code == 204)),
        assert_(py!(bob.post("/invitations/decline", body).await.status_code == 410)),
        assert_(py!(accept(bob, token).await == 410)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(declined, py!(session.scalars(select(Invitation)).await.one())),
                assert_(py!(is_!(declined.status, InvitationStatus.DECLINED)))
            ]
        ),
        assign(path, py!(f!("{}/{}", invitations_of(organization_id), declined.id))),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(kept, py!(session.scalars(select(Invitation)).await.one())),
                assert_(py!(is_!(kept.status, InvitationStatus.DECLINED)))
            ]
        ),
        assign(log, py!(ada.get(f!("/organizations/{}/audit", organization_id)).await.json())),
        assert_(py!(in_!(
            dict!("before" => "pending", "after" => "declined"),
            list!(event["changes"].get("status") for event in log["items"])
        )))
    ])
}

fn test_a_preview_shows_no_addresses(member: &str) -> FunctionDef {
    names!(world, ada, organization_id, token, body, shown, preview, path);
    world_test("test_a_preview_shows_no_addresses").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
        assign(body, py!(dict!("token" => token))),
        assign(shown, py!(world.http.post("/invitations/preview", json = body).await)),
        assert_(py!(shown.status_code == 200)),
        assign(preview, py!(shown.json())),
        assert_(py!(preview["email"] == "b***@example.com")),
        assert_(py!(preview["inviter_email"] == "a***@example.com")),
        assert_(py!(preview["role"] == member)),
        path_of_open(ada, organization_id, path),
        do_(py!(ada.delete(path).await)),
        assign(shown, py!(world.http.post("/invitations/preview", json = body).await)),
        assert_(py!(shown.status_code == 404))
    ])
}

fn test_nobody_reaches_into_other_organizations(member: &str) -> FunctionDef {
    names!(world, ada, eve, organization_id, path, foreign);
    world_test("test_nobody_reaches_into_other_organizations").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        do_(py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
        path_of_open(ada, organization_id, path),
        assign(foreign, py!(path.replace(organization_id, eve.organization().await))),
        assert_(py!(eve.delete(path).await.status_code == 404)),
        assert_(py!(eve.delete(foreign).await.status_code == 404)),
        assert_(py!(eve.post(f!("{}/resend", foreign), None).await.status_code == 404)),
        assert_(py!(ada.delete(path).await.status_code == 204))
    ])
}

fn test_there_are_not_too_many(member: &str) -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, body, refused);
    world_test("test_there_are_not_too_many")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            do_(py!(monkeypatch.setattr("app.services.invitation_service.MAX_PENDING", 1))),
            do_(py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
            assign(body, py!(dict!("email" => "carol@example.com", "role" => member))),
            assign(refused, py!(ada.post(invitations_of(organization_id), body).await)),
            assert_(py!(refused.status_code == 409)),
            assert_(py!(refused.json()["code"] == "too_many_invitations"))
        ])
}

fn test_none_that_ran_out_is_sent_past_the_cap(member: &str) -> FunctionDef {
    names!(world, monkeypatch, ada, organization_id, path, past, refused);
    world_test("test_none_that_ran_out_is_sent_past_the_cap")
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .body(block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            do_(py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
            path_of_open(ada, organization_id, path),
            assign(past, py!(utcnow() - timedelta(minutes = 2))),
            do_(py!(world
                .change(update(Invitation).values(last_sent_at = past, expires_at = past))
                .await)),
            do_(py!(monkeypatch.setattr("app.services.invitation_service.MAX_PENDING", 1))),
            do_(py!(world.invite(ada, organization_id, "carol@example.com", member).await)),
            assign(refused, py!(ada.post(f!("{}/resend", path), None).await)),
            assert_(py!(refused.status_code == 409)),
            assert_(py!(refused.json()["code"] == "too_many_invitations"))
        ])
}

/// Ada has invited Bob, whose address is confirmed, and he has the token.
fn bob_is_invited(member: &str) -> Vec<Stmt> {
    names!(world, ada, bob, organization_id, token);
    block![
        sign_up(world, ada),
        sign_up_verified(world, bob),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, bob.email, member).await)),
    ]
}

fn test_an_unknown_token_is_refused() -> FunctionDef {
    names!(world, ada);
    world_test("test_an_unknown_token_is_refused")
        .body(block![sign_up(world, ada), assert_(py!(accept(ada, "unknown").await == 404))])
}

fn test_an_invitation_runs_out(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, session, past, pending);
    world_test("test_an_invitation_runs_out").body(block![
        bob_is_invited(member),
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
        assign(token, py!(world.invite(ada, organization_id, bob.email, member).await)).paragraph(),
        assert_(py!(accept(bob, token).await == 201))
    ])
}

fn test_an_address_is_invited_once(spec: &Spec, member: &str, lowest: &str) -> FunctionDef {
    names!(world, ada, organization_id, body, again, elsewhere);
    let free = spec.billing.as_ref().and_then(|billing| seats(billing.free_plan()));
    let elsewhere = free.is_none_or(|seats| seats > 1).then(|| {
        block![
            assign(elsewhere, py!(ada.found("another").await)),
            do_(py!(world.invite(ada, elsewhere, "bob@example.com", member).await))
        ]
    });
    world_test("test_an_address_is_invited_once").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        do_(py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
        assign(body, py!(dict!("email" => "bob@example.com", "role" => lowest))),
        assign(again, py!(ada.post(invitations_of(organization_id), body).await)),
        assert_(py!(again.status_code == 409)),
        elsewhere
    ])
}

fn test_members_are_not_invited(member: &str) -> FunctionDef {
    names!(world, ada, body, refused);
    world_test("test_members_are_not_invited").body(block![
        sign_up(world, ada),
        assign(body, py!(dict!("email" => ada.email, "role" => member))),
        assign(refused, py!(ada.post(invitations_of(ada.organization().await), body).await)),
        assert_(py!(refused.status_code == 409))
    ])
}

/// There is a seat left, so that nothing else is in the way.
fn test_a_member_does_not_join_again(member: &str) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, session, membership, refused, pending, one);
    world_test("test_a_member_does_not_join_again").body(block![
        bob_is_invited(member),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(
                    membership,
                    py!(Membership(
                        organization_id = UUID(organization_id),
                        user_id = UUID(bob.get("/auth/me").await.json()["id"]),
                        role = Role(member)
                    ))
                ),
                do_(py!(session.add(membership))),
                do_(py!(session.commit().await))
            ]
        ),
        assign(refused, py!(bob.post("/invitations/accept", dict!("token" => token)).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (409, "conflict"))),
        assign(pending, py!(ada.get(f!("{}/pending", invitations_of(organization_id))).await)),
        assert_(py!(list!(one["email"] for one in pending.json()["items"]) == [bob.email]))
    ])
}

fn test_other_roles_see_no_invitations(others: Vec<&str>, lowest: &str) -> FunctionDef {
    names!(world, role, ada, organization_id, member, body, created, pending);
    world_test("test_other_roles_see_no_invitations")
        .decorator(py!(pytest.mark.parametrize("role", { make::list(others) })))
        .params([param(role, str)])
        .body(block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            assign(member, py!(world.member(ada, organization_id, role).await)),
            assign(body, py!(dict!("email" => "bob@example.com", "role" => lowest))),
            assign(created, py!(member.post(invitations_of(organization_id), body).await)),
            assign(
                pending,
                py!(member.get(f!("{}/pending", invitations_of(organization_id))).await)
            ),
            assert_(py!((created.status_code, pending.status_code) == (403, 403)))
        ])
}

fn test_nobody_invites_above_their_own_role(deputy: &OrgRole, owner: &OrgRole) -> FunctionDef {
    names!(world, ada, organization_id, inviter, body, refused);
    let (deputy, owner) = (deputy.name.as_str(), owner.name.as_str());
    world_test("test_nobody_invites_above_their_own_role").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(inviter, py!(world.member(ada, organization_id, deputy).await)),
        assign(body, py!(dict!("email" => "bob@example.com", "role" => owner))),
        assign(refused, py!(inviter.post(invitations_of(organization_id), body).await)),
        assert_(py!(refused.status_code == 403)),
        do_(py!(world.invite(inviter, organization_id, "bob@example.com", deputy).await))
    ])
}

fn test_the_inviter_must_still_be_able_to(
    deputy: &OrgRole,
    below: Option<&OrgRole>,
    lowest: &str,
) -> FunctionDef {
    names!(world, role, ada, bob, organization_id, inviter, token, session, rows, membership);
    names!(body, preview);
    let deputy = deputy.name.as_str();
    let dismiss = do_(py!(session.delete(membership).await));
    let test = world_test("test_the_inviter_must_still_be_able_to");
    let (test, change) = match below {
        None => (test, block![dismiss]),
        Some(below) => (
            test.decorator(py!(pytest.mark.parametrize("role", [{ below.name.as_str() }, None])))
                .params([param(role, py!(str | None))]),
            block![
                if_(py!(role == None), [dismiss])
                    .else_([assign(py!(membership.role), py!(Role(role)))])
            ],
        ),
    };
    test.body(block![
        sign_up(world, ada),
        sign_up_verified(world, bob),
        first_organization(ada, organization_id),
        assign(inviter, py!(world.member(ada, organization_id, deputy).await)),
        assign(token, py!(world.invite(inviter, organization_id, bob.email, lowest).await)),
        assign(body, py!(dict!("token" => token))),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(rows, py!(select(Membership).r#where(Membership.role == deputy))),
                assign(membership, py!(session.scalars(rows).await.one())),
                change,
                do_(py!(session.commit().await))
            ]
        ),
        assert_(py!(accept(bob, token).await == 410)),
        assign(preview, py!(world.http.post("/invitations/preview", json = body).await)),
        assert_(py!(preview.status_code == 404))
    ])
}

fn test_the_plan_limits_members(member: &str, free: u32) -> FunctionDef {
    names!(world, ada, organization_id, token, body, refused, bob);
    let members = free.saturating_sub(2);
    let invited = py!(world.invite(ada, organization_id, "bob@example.com", member).await);
    let last_seat = (free > 1).then(|| assign(token, invited));
    let accepted = (free > 1).then(|| {
        block![sign_up_verified(world, bob), assert_(py!(accept(bob, token).await == 201))]
    });
    world_test("test_the_plan_limits_members").body(block![
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        joined(world, ada, organization_id, member, members),
        last_seat,
        assign(body, py!(dict!("email" => "carol@example.com", "role" => member))),
        assign(refused, py!(ada.post(invitations_of(organization_id), body).await)).paragraph(),
        assert_(py!(refused.status_code == 403)).paragraph(),
        assert_(py!(refused.json()["code"] == "plan_limit_reached")),
        accepted
    ])
}

fn test_who_has_gone_holds_no_seat_for_guests(member: &str, free: u32) -> FunctionDef {
    names!(world, ada, eve, eve_id, organization_id, body, refused);
    world_test("test_who_has_gone_holds_no_seat_for_guests").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(eve_id, py!(UUID(eve.get("/auth/me").await.json()["id"]))),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        joined(world, ada, organization_id, member, free.saturating_sub(2)),
        do_(py!(world.invite(ada, organization_id, "bob@example.com", member).await)),
        assign(body, py!(dict!("email" => "carol@example.com", "role" => member))),
        assign(refused, py!(ada.post(invitations_of(organization_id), body).await)),
        assert_(py!(refused.status_code == 403)),
        do_(py!(world.change(update(Invitation).values(inviter_id = eve_id)).await)),
        do_(py!(world.invite(ada, organization_id, "carol@example.com", member).await))
    ])
}

fn test_a_seat_that_is_gone_by_then_is_refused(
    spec: &Spec,
    member: &str,
    lowest: &str,
    free: u32,
    price: &str,
) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, refused);
    world_test("test_a_seat_that_is_gone_by_then_is_refused").body(block![
        bob_is_invited(member),
        joined(world, ada, organization_id, lowest, free.saturating_sub(1)),
        end_of_subscription(spec, world, organization_id),
        assign(refused, py!(bob.post("/invitations/accept", dict!("token" => token)).await)),
        assert_(py!(refused.status_code == 403)),
        assert_(py!(refused.json()["code"] == "plan_limit_reached")),
        do_(py!(world.subscribe(organization_id, price).await)),
        assert_(py!(accept(bob, token).await == 201))
    ])
}

/// The owner has a seat already.
fn test_parallel_guests_share_the_seats(spec: &Spec, member: &str, free: u32) -> FunctionDef {
    names!(world, ada, organization_id, guests, number, guest, token, statuses, try_it, tasks);
    let (seats, refused) = (free - 1, 3);
    let count = seats + refused;
    world_test("test_parallel_guests_share_the_seats").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        ann_assign(guests, py!(list[tuple[(Caller, str)]]), py!([])),
        for_(
            number,
            py!(range(count)),
            block![
                assign(guest, py!(world.sign_up(f!("guest{}@example.com", number)).await)),
                do_(py!(world.verify(guest).await)),
                assign(token, py!(world.invite(ada, organization_id, guest.email, member).await)),
                do_(py!(guests.append((guest, token))))
            ]
        ),
        end_of_subscription(spec, world, organization_id),
        ann_assign(statuses, py!(list[int]), py!([])),
        async_def(try_it)
            .params([param(guest, Caller), param(token, str)])
            .returns(none())
            .body([do_(py!(statuses.append(accept(guest, token).await)))]),
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            for_(py!((guest, token)), guests, [do_(py!(tasks.start_soon(try_it, guest, token)))])
        ),
        assert_(py!(sorted(statuses) == [201] * seats + [403] * refused)).paragraph()
    ])
}

fn test_bad_invitations_are_refused(member: &str) -> FunctionDef {
    names!(world, body, ada, refused);
    world_test("test_bad_invitations_are_refused")
        .decorator(py!(pytest.mark.parametrize(
            "body",
            [
                dict!("email" => "bob@example.com", "role" => "emperor"),
                dict!("email" => "bob", "role" => member),
                dict!("email" => "bob@example.com"),
                dict!("role" => member)
            ]
        )))
        .params([param(body, object)])
        .body(block![
            sign_up(world, ada),
            assign(refused, py!(ada.post(invitations_of(ada.organization().await), body).await)),
            assert_(py!(refused.status_code == 422))
        ])
}
