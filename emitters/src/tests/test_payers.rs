//! `backend/tests/test_payers.py`: users who pay for the organizations that they own.

use crate::core::plans::{Limit, limits_members};
use crate::models::package::Organization;
use crate::python::standard::UUID;
use crate::services::billing_usage::{count_of, most_used_by};
use crate::spec::{Billing, Payer, Spec};
use crate::tests::casting::{Offer, has_room, ordinary};
use crate::tests::test_checkout::check_out;
use crate::tests::test_members::handover;
use crate::tests::test_subscriptions::{LARGE, SMALL, state};
use crate::tests::world::{first_organization, sign_up, world_test};
use crate::tests::world_billing::find_payer;
use astgen_pyast::prelude::*;

/// The module; `None` where organizations pay.
#[must_use]
pub fn emit(spec: &Spec, billing: &Billing, offer: Offer<'_>) -> Option<Module> {
    let is_counted = limits_members(billing) && has_room(spec, 2);
    (billing.payer == Payer::User).then(|| {
        module("tests.test_payers")
            .docstring("Users who pay for the organizations that they own.")
            .body(block![
                test_one_subscription_serves_all_organizations(offer),
                has_room(spec, 2).then(|| test_nobody_sees_to_the_money_of_another(spec, offer)),
                has_room(spec, 2).then(|| test_who_takes_over_pays(spec)),
                is_counted.then(|| test_what_each_organization_has_counts(spec))
            ])
    })
}

fn test_one_subscription_serves_all_organizations(offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, first);
    let Offer { small, .. } = offer;
    world_test("test_one_subscription_serves_all_organizations").body(block![
        sign_up(world, ada),
        assign(first, py!(ada.organization().await)),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(world.subscribe(organization_id, SMALL).await)),
        assert_(py!(state(ada, organization_id).await == (small, "active", "full"))),
        assert_(py!(state(ada, first).await == (small, "active", "full")))
    ])
}

fn test_nobody_sees_to_the_money_of_another(spec: &Spec, offer: Offer<'_>) -> FunctionDef {
    names!(world, ada, organization_id, bob, refused, invoices);
    let Offer { large, .. } = offer;
    let owner = spec.organizations.owner().name.as_str();
    world_test("test_nobody_sees_to_the_money_of_another").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, owner).await)),
        do_(py!(world.subscribe(organization_id, LARGE).await)),
        assert_(py!(state(bob, organization_id).await == (large, "active", "full"))),
        assign(refused, py!(check_out(bob, organization_id).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (403, "not_payer"))),
        assign(invoices, py!(f!("/organizations/{}/billing/invoices", organization_id))),
        assert_(py!(bob.get(invoices).await.status_code == 403)),
        assert_(py!(ada.get(invoices).await.status_code == 200))
    ])
}

fn test_who_takes_over_pays(spec: &Spec) -> FunctionDef {
    names!(world, ada, organization_id, bob, path, body, before, heir);
    let owner = spec.organizations.owner().name.as_str();
    world_test("test_who_takes_over_pays").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(bob, py!(world.member(ada, organization_id, owner).await)),
        assign(before, py!(world.payer_id(organization_id).await)),
        assert_(py!(before == ada.get("/auth/me").await.json()["id"])),
        assign(path, py!(f!("/organizations/{}/transfer", organization_id))),
        assign(body, handover(ada, organization_id, bob)),
        assert_(py!(ada.post(path, body).await.status_code == 200)),
        assign(heir, py!(bob.get("/auth/me").await.json()["id"])),
        assert_(py!(world.payer_id(organization_id).await == heir))
    ])
}

fn test_what_each_organization_has_counts(spec: &Spec) -> FunctionDef {
    names!(world, ada, first, second, session, payer, organization, usage, limit);
    let role = ordinary(spec).name.as_str();
    let limit_name = Limit.attr(name("MEMBERS"));
    world_test("test_what_each_organization_has_counts").body(block![
        sign_up(world, ada),
        assign(first, py!(ada.organization().await)),
        assign(second, py!(ada.found("another").await)),
        do_(py!(world.member(ada, second, role).await)),
        async_with_as(
            py!(world.database.tenant_session(UUID(first))),
            session,
            block![
                assign(payer, py!(find_payer(session, first).await)),
                assign(organization, py!(session.get_one(Organization, UUID(first)).await)),
                assign(limit, limit_name),
                assert_(py!(session.scalar(count_of(limit, organization)).await == 1)),
                assign(usage, py!(most_used_by(session, payer).await)),
                assert_(py!(usage[limit] == 2)),
                assert_(py!(session.scalar(count_of(limit, organization)).await == 1))
            ]
        )
    ])
}
