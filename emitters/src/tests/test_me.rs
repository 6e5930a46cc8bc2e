//! `backend/tests/test_me.py`: the account of the caller.

use crate::models::package::{Membership, Organization, User};
use crate::python::anyio::anyio;
use crate::python::builtins::{int, list, object, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{select, update};
use crate::python::standard::UUID;
use crate::spec::{Payer, Plan, Spec};
use crate::tests::casting::{deputy, has_room, lookup_key, ordinary, paid_plans};
use crate::tests::world::{Caller, World, first_organization, sign_up, unsubscribed, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_me": change_email, confirm;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let (member, has_members) = (ordinary(spec), has_room(spec, 2));
    let others = has_members.then(|| {
        let orphaned = member.rank > 0;
        let orphaned = orphaned.then(|| test_the_only_owner_of_others_cannot_be_deleted(spec));
        let handed = deputy(spec).map(|_| test_a_handover_comes_before_a_deletion(spec));
        block![orphaned, test_a_member_can_be_deleted(spec), handed]
    });
    let paid = spec.billing.iter().flat_map(paid_plans).next();
    module("tests.test_me").docstring("The account of the caller.").body(block![
        change_email_def(),
        confirm_def(),
        test_the_address_changes_when_the_new_one_confirms(),
        test_a_change_of_address_is_confirmed_once(),
        test_a_change_of_address_voids_the_verification(),
        test_only_who_asked_confirms_an_address(),
        test_an_address_in_use_is_not_given_away(),
        test_dangerous_acts_need_a_fresh_session(),
        test_a_refreshed_session_is_not_a_fresh_one(),
        test_reauthentication_freshens_one_session(spec),
        test_an_account_is_deleted(spec),
        test_the_address_of_a_deleted_account_is_free_again(spec),
        others,
        paid.map(|plan| test_who_pays_cannot_be_deleted(spec, plan)),
        test_bad_addresses_are_refused()
    ])
}

fn change_email_def() -> FunctionDef {
    names!(world, caller, email, asked);
    async_def(change_email)
        .params([param(world, World), param(caller, Caller), param(email, str)])
        .returns(str)
        .body(block![
            docstring("Ask for another address and return the token from its mailbox."),
            assign(asked, py!(caller.post("/auth/email", dict!("email" => email)).await)),
            assert_that(py!(asked.status_code == 202), py!(asked.text)),
            assert_(py!(world.outbox[-1]["To"] == email)),
            return_(py!(world.mailed_token()))
        ])
}

fn confirm_def() -> FunctionDef {
    names!(caller, token, response);
    async_def(confirm).params([param(caller, Caller), param(token, str)]).returns(int).body(block![
        docstring("Confirm an address and return the status."),
        assign(response, py!(caller.post("/auth/email/confirm", dict!("token" => token)).await)),
        return_(py!(response.status_code))
    ])
}

fn test_the_address_changes_when_the_new_one_confirms() -> FunctionDef {
    names!(world, ada, other, token, confirmed);
    world_test("test_the_address_changes_when_the_new_one_confirms").body(block![
        sign_up(world, ada),
        assign(other, py!(world.sign_in(ada.email).await)),
        assign(token, py!(change_email(world, ada, "countess@example.com").await)),
        assert_(py!(ada.get("/auth/me").await.json()["email"] == "ada@example.com")),
        assign(confirmed, py!(ada.post("/auth/email/confirm", dict!("token" => token)).await))
            .paragraph(),
        assert_(py!(confirmed.status_code == 200)),
        assert_(py!(confirmed.json()["email"] == "countess@example.com")),
        assert_(py!(confirmed.json()["email_verified_at"] != None)),
        assert_(py!(world.outbox[-1]["To"] == "ada@example.com")),
        assert_(py!(world.outbox[-1]["Subject"] == "Your address was changed")),
        assert_(py!(other.get("/auth/me").await.status_code == 401)),
        assert_(py!(world.login("ada@example.com").await.status_code == 401)),
        assert_(py!(world.login("countess@example.com").await.status_code == 200))
    ])
}

fn test_a_change_of_address_is_confirmed_once() -> FunctionDef {
    names!(world, ada, first, second);
    world_test("test_a_change_of_address_is_confirmed_once").body(block![
        sign_up(world, ada),
        assign(first, py!(change_email(world, ada, "one@example.com").await)),
        assign(second, py!(change_email(world, ada, "two@example.com").await)),
        assert_(py!(confirm(ada, first).await == 200)),
        assert_(py!(confirm(ada, first).await == 404)),
        assert_(py!(confirm(ada, second).await == 404))
    ])
}

fn test_a_change_of_address_voids_the_verification() -> FunctionDef {
    names!(world, verification, ada, token, verified);
    world_test("test_a_change_of_address_voids_the_verification").body(block![
        do_(py!(world.register("ada@example.com").await)),
        assign(verification, py!(world.mailed_token())),
        assign(ada, py!(world.sign_in("ada@example.com").await)),
        assign(token, py!(change_email(world, ada, "countess@example.com").await)),
        assert_(py!(confirm(ada, verification).await == 404)),
        assert_(py!(confirm(ada, token).await == 200)),
        assign(verified, py!(ada.post("/auth/verify", dict!("token" => verification)).await)),
        assert_(py!(verified.status_code == 404))
    ])
}

fn test_only_who_asked_confirms_an_address() -> FunctionDef {
    names!(world, ada, eve, token);
    world_test("test_only_who_asked_confirms_an_address").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(token, py!(change_email(world, ada, "countess@example.com").await)),
        assert_(py!(confirm(eve, token).await == 404)),
        assert_(py!(confirm(ada, token).await == 200))
    ])
}

fn test_an_address_in_use_is_not_given_away() -> FunctionDef {
    names!(world, ada, free, token, taken);
    world_test("test_an_address_in_use_is_not_given_away").body(block![
        sign_up(world, ada),
        do_(py!(world.register("eve@example.com").await)),
        assign(free, py!(ada.post("/auth/email", dict!("email" => "free@example.com")).await)),
        assign(token, py!(world.mailed_token())),
        assign(taken, py!(ada.post("/auth/email", dict!("email" => "eve@example.com")).await)),
        assert_(py!((taken.status_code, taken.text) == (free.status_code, free.text))),
        assert_(py!(world.outbox[-1]["To"] == "eve@example.com")),
        assert_(py!(world.outbox[-1]["Subject"] == "You have an account")),
        do_(py!(world.register("free@example.com").await)).paragraph(),
        assert_(py!(confirm(ada, token).await == 409)),
        assert_(py!(ada.get("/auth/me").await.json()["email"] == "ada@example.com"))
    ])
}

fn test_dangerous_acts_need_a_fresh_session() -> FunctionDef {
    names!(world, ada, body, refused, wrong, right);
    world_test("test_dangerous_acts_need_a_fresh_session").body(block![
        sign_up(world, ada),
        do_(py!(world.grow_stale().await)),
        assign(body, py!(dict!("email" => "countess@example.com"))),
        for_(
            refused,
            py!((ada.post("/auth/email", body).await, ada.delete("/auth/me").await)),
            block![
                assert_(py!(refused.status_code == 403)),
                assert_(py!(refused.json()["code"] == "session_not_fresh"))
            ]
        ),
        assign(wrong, py!(ada.post("/auth/reauthenticate", dict!("password" => "wrong")).await))
            .paragraph(),
        assert_(py!(wrong.status_code == 403)),
        assert_(py!(wrong.json()["code"] == "wrong_password")),
        assert_(py!(ada.post("/auth/email", body).await.status_code == 403)),
        assign(right, py!(world.reauthenticate(ada).await)),
        assert_(py!(right.status_code == 204)),
        assert_(py!(ada.post("/auth/email", body).await.status_code == 202))
    ])
}

fn test_a_refreshed_session_is_not_a_fresh_one() -> FunctionDef {
    names!(world, ada, caller);
    world_test("test_a_refreshed_session_is_not_a_fresh_one").body(block![
        sign_up(world, ada),
        do_(py!(world.grow_stale().await)),
        assign(caller, py!(world.caller(ada.email, world.refresh(ada).await))),
        assert_(py!(caller.delete("/auth/me").await.status_code == 403))
    ])
}

fn test_reauthentication_freshens_one_session(spec: &Spec) -> FunctionDef {
    names!(world, ada, other);
    world_test("test_reauthentication_freshens_one_session").body(block![
        sign_up(world, ada),
        assign(other, py!(world.sign_in(ada.email).await)),
        do_(py!(world.grow_stale().await)),
        do_(py!(world.reauthenticate(ada).await)),
        assert_(py!(other.delete("/auth/me").await.status_code == 403)),
        unsubscribed(spec, world, ada),
        assert_(py!(ada.delete("/auth/me").await.status_code == 204))
    ])
}

fn test_an_account_is_deleted(spec: &Spec) -> FunctionDef {
    names!(world, ada, organization_id, session, left);
    world_test("test_an_account_is_deleted").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        unsubscribed(spec, world, ada),
        assert_(py!(ada.delete("/auth/me").await.status_code == 204)),
        assert_(py!(world.outbox[-1]["To"] == "ada@example.com")),
        assert_(py!(world.outbox[-1]["Subject"] == "Your account is deleted")),
        assert_(py!(ada.get("/auth/me").await.status_code == 401)),
        assert_(py!(world.refresh(ada).await.status_code == 401)),
        assert_(py!(world.login("ada@example.com").await.status_code == 401)),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assert_(py!(session.get(Organization, UUID(organization_id)).await == None)),
                assign(left, py!(session.scalars(select(User)).await.one()))
            ]
        ),
        assert_(py!(left.email == f!("{}@deleted.invalid", left.id.hex))),
        assert_(py!(left.deleted_at != None)),
        assert_(py!(world.login(left.email).await.status_code == 401))
    ])
}

fn test_the_address_of_a_deleted_account_is_free_again(spec: &Spec) -> FunctionDef {
    names!(world, ada, again);
    world_test("test_the_address_of_a_deleted_account_is_free_again").body(block![
        sign_up(world, ada),
        unsubscribed(spec, world, ada),
        do_(py!(ada.delete("/auth/me").await)),
        assign(again, py!(world.sign_up("ada@example.com").await)),
        assert_(py!(again.get("/auth/me").await.status_code == 200))
    ])
}

fn test_the_only_owner_of_others_cannot_be_deleted(spec: &Spec) -> FunctionDef {
    names!(world, ada, organization_id, member, refused, kept);
    let (role, owner) = (ordinary(spec).name.as_str(), spec.organizations.owner().name.as_str());
    world_test("test_the_only_owner_of_others_cannot_be_deleted").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(member, py!(world.member(ada, organization_id, role).await)),
        assign(refused, py!(ada.delete("/auth/me").await)),
        assert_(py!(refused.status_code == 409)),
        assert_(py!(refused.json()["code"] == "sole_owner")),
        assert_(py!(ada.get(f!("/organizations/{}", organization_id)).await.status_code == 200)),
        do_(py!(world
            .change(
                update(Membership)
                    .r#where(Membership.organization_id == UUID(organization_id))
                    .values(role = owner)
            )
            .await))
        .paragraph(),
        unsubscribed(spec, world, ada),
        assert_(py!(ada.delete("/auth/me").await.status_code == 204)),
        assign(kept, py!(member.get(f!("/organizations/{}/members", organization_id)).await)),
        assert_(py!(
            list!(item["user"]["email"] for item in kept.json()["items"]) == [member.email]
        ))
    ])
}

fn test_a_member_can_be_deleted(spec: &Spec) -> FunctionDef {
    names!(world, ada, organization_id, member, kept);
    let role = ordinary(spec).name.as_str();
    world_test("test_a_member_can_be_deleted").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(member, py!(world.member(ada, organization_id, role).await)),
        unsubscribed(spec, world, member),
        assert_(py!(member.delete("/auth/me").await.status_code == 204)),
        assign(kept, py!(ada.get(f!("/organizations/{}/members", organization_id)).await)),
        assert_(py!(list!(item["user"]["email"] for item in kept.json()["items"]) == [ada.email]))
    ])
}

fn test_a_handover_comes_before_a_deletion(spec: &Spec) -> FunctionDef {
    names!(world, ada, organization_id, member, ours, theirs, statuses, go, session, tasks, gone);
    let (next, owner) = (ordinary(spec).name.as_str(), spec.organizations.owner().name.as_str());
    world_test("test_a_handover_comes_before_a_deletion").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(member, py!(world.member(ada, organization_id, next).await)),
        unsubscribed(spec, world, member),
        assign(
            ours,
            py!(update(Membership).r#where(Membership.organization_id == UUID(organization_id)))
        ),
        assign(theirs, py!(select(User.id).r#where(User.email == member.email))),
        ann_assign(statuses, py!(list[int]), py!([])),
        async_def(go).returns(none()).body(block![
            assign(gone, py!(member.delete("/auth/me").await)),
            do_(py!(statuses.append(gone.status_code)))
        ]),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                do_(py!(session
                    .execute(
                        select(Organization.id)
                            .r#where(Organization.id == UUID(organization_id))
                            .with_for_update(key_share = true)
                    )
                    .await)),
                do_(py!(session.execute(ours.values(role = next)).await)),
                do_(py!(session
                    .execute(ours.r#where(Membership.user_id.in_(theirs)).values(role = owner))
                    .await)),
                async_with_as(
                    py!(anyio.create_task_group()),
                    tasks,
                    block![
                        do_(py!(tasks.start_soon(go))),
                        do_(py!(anyio.sleep(0.3).await)),
                        do_(py!(session.commit().await))
                    ]
                )
            ]
        ),
        assert_(py!(statuses == [409]))
    ])
}

fn test_who_pays_cannot_be_deleted(spec: &Spec, plan: &Plan) -> FunctionDef {
    let code = if spec.has_payer(Payer::User) { "subscription_goes_on" } else { "sole_owner" };
    names!(world, ada, refused);
    world_test("test_who_pays_cannot_be_deleted").body(block![
        sign_up(world, ada),
        do_(py!(world.subscribe(ada.organization().await, { lookup_key(plan) }).await)),
        assign(refused, py!(ada.delete("/auth/me").await)),
        assert_(py!(refused.status_code == 409)),
        assert_(py!(refused.json()["code"] == code))
    ])
}

fn test_bad_addresses_are_refused() -> FunctionDef {
    names!(world, email, ada);
    world_test("test_bad_addresses_are_refused")
        .decorator(py!(pytest
            .mark
            .parametrize("email", ["ada", "ada@example", "a\u{0}b@example.com", None])))
        .params([param(email, object)])
        .body(block![
            sign_up(world, ada),
            assert_(py!(ada.post("/auth/email", dict!("email" => email)).await.status_code == 422))
        ])
}
