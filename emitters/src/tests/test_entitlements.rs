//! `backend/tests/test_entitlements.py`: what the platform grants to one payer alone.

use crate::core::billing::consume_limit;
use crate::core::errors::{ForbiddenError, PaymentRequiredError};
use crate::core::plans::{Limit, PlanName};
use crate::models::package::Organization;
use crate::python::builtins::{dict, int, object, str};
use crate::python::httpx2::Response;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{literal, select};
use crate::python::standard::{Any, UUID, uuid4};
use crate::spec::{self, Billing, Entity, Spec};
use crate::tests::test_plans::feature_on_sale;
use crate::tests::world::{Caller, World, first_organization, sign_up, world_test};
use crate::tests::world_billing::find_payer;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_entitlements": GRANT, entitlements, grant, consume;
}

/// The module; none where nothing can be granted.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let billing = spec.billing.as_ref()?;
    let feature = billing.features.iter().find(|one| !billing.free_plan().has_feature(one.name));
    let limit = billing.limits.first();
    let of_feature = feature.map(|one| (format!("features/{}", one.name), kw("is_on", true)));
    let of_limit = limit.map(|one| (format!("limits/{}", one.name), kw("maximum", 1)));
    let (subject, body) = of_feature.or(of_limit)?;
    let docstring = "What the platform grants to one payer alone.";
    Some(module("tests.test_entitlements").docstring(docstring).body(block![
        ann_assign(GRANT, py!(dict[(str, Any)]), py!(dict!("reason" => "a pilot"))),
        entitlements_def(),
        grant_def(),
        limit.map(consume_def),
        feature.map(test_a_feature_is_granted_for_a_while),
        feature_on_sale(spec, billing).map(|(entity, feature)| {
            test_a_granted_feature_opens_its_routes(billing, entity, feature)
        }),
        limit.map(test_a_limit_is_granted),
        limit.map(|_| test_while_a_payment_is_missing_nothing_is_added()),
        test_only_the_platform_grants(subject, body)
    ]))
}

fn entitlements_def() -> FunctionDef {
    names!(caller, organization_id, answer, content);
    async_def(entitlements)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(py!(dict[(str, Any)]))
        .body(block![
            docstring("Ask what an organization may use."),
            assign(
                answer,
                py!(caller.get(f!("/organizations/{}/entitlements", organization_id)).await)
            ),
            assert_that(py!(answer.status_code == 200), py!(answer.text)),
            ann_assign(content, py!(dict[(str, Any)]), py!(answer.json())),
            return_(content)
        ])
}

fn grant_def() -> FunctionDef {
    names!(caller, payer_id, subject, body, path);
    async_def(grant)
        .params([
            param(caller, Caller),
            param(payer_id, str),
            param(subject, str),
            kwargs(body, object),
        ])
        .returns(Response)
        .body(block![
            docstring("Grant something to a payer."),
            assign(path, py!(f!("/entitlements/payers/{}/{}", payer_id, subject))),
            return_(py!(caller.send("PUT", path, GRANT | body).await))
        ])
}

fn consume_def(limit: &spec::Limit) -> FunctionDef {
    names!(world, organization_id, used, session, payer, organization, count);
    let limit = Limit.attr(limit.constant);
    async_def(consume)
        .params([param(world, World), param(organization_id, str), param(used, int)])
        .returns(none())
        .body(block![
            docstring("Add one to so many of what is limited."),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(payer, py!(find_payer(session, organization_id).await)),
                    assign(organization, py!(Organization.id == UUID(organization_id))),
                    assign(
                        count,
                        py!(select(literal(used)).select_from(Organization).r#where(organization))
                    ),
                    do_(py!(consume_limit(session, payer, limit, count).await))
                ]
            )
        ])
}

/// `ada` is of the platform, and has an organization without a subscription.
fn ada_of_the_platform() -> [Stmt; 3] {
    names!(world, ada, organization_id);
    [
        sign_up(world, ada),
        assign(organization_id, py!(world.unpaid_organization(ada).await)),
        do_(py!(world.promote(ada).await)),
    ]
}

fn test_a_feature_is_granted_for_a_while(feature: &spec::Feature) -> FunctionDef {
    names!(world, ada, organization_id, payer_id, granted, off, expired, listed, row, path);
    let name = feature.name.as_str();
    let subject = format!("features/{name}");
    let features = || py!(entitlements(ada, organization_id).await["features"]);
    let has_it = || {
        let features = features();
        assert_(py!(in_!(name, features)))
    };
    let has_it_not = || {
        let features = features();
        assert_(py!(not_in!(name, features)))
    };
    let granting = |is_on: bool| {
        let subject = subject.as_str();
        py!(grant(ada, payer_id, subject, is_on = is_on).await)
    };
    let past = {
        let subject = subject.as_str();
        py!(grant(ada, payer_id, subject, is_on = true, expires_at = "2020-01-01T00:00:00Z").await)
    };
    let rows = || py!(ada.get(f!("/entitlements/payers/{}", payer_id)).await.json());
    world_test("test_a_feature_is_granted_for_a_while").body(block![
        ada_of_the_platform(),
        assign(payer_id, py!(world.payer_id(organization_id).await)),
        has_it_not(),
        assign(granted, granting(true)),
        assert_that(py!(granted.status_code == 200), py!(granted.text)),
        has_it(),
        assign(off, granting(false)).paragraph(),
        assert_(py!(off.json()["id"] == granted.json()["id"])),
        has_it_not(),
        assign(expired, past).paragraph(),
        assert_(py!(expired.status_code == 200)),
        has_it_not(),
        assign(listed, rows()).paragraph(),
        assert_(py!(list!(row["name"] for row in listed) == [name])),
        assign(
            path,
            py!(f!("/entitlements/payers/{}/overrides/{}", payer_id, granted.json()["id"]))
        ),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.delete(path).await.status_code == 404)),
        assert_({
            let rows = rows();
            py!(rows == [])
        })
    ])
}

fn test_a_granted_feature_opens_its_routes(
    billing: &Billing,
    entity: &Entity,
    feature: Name,
) -> FunctionDef {
    names!(world, ada, organization_id, payer_id, session, path);
    let free = PlanName.attr(billing.free_plan().constant);
    let path_of_rows = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ]);
    let subject = format!("features/{feature}");
    world_test("test_a_granted_feature_opens_its_routes").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                assign(py!(find_payer(session, organization_id).await.plan), free),
                do_(py!(session.commit().await))
            ]
        ),
        assign(path, path_of_rows),
        assert_(py!(ada.get(path).await.status_code == 403)),
        do_(py!(world.promote(ada).await)),
        assign(payer_id, py!(world.payer_id(organization_id).await)),
        do_(py!(grant(ada, payer_id, subject, is_on = true).await)),
        assert_(py!(ada.get(path).await.status_code == 200))
    ])
}

fn test_a_limit_is_granted(limit: &spec::Limit) -> FunctionDef {
    names!(world, ada, organization_id, payer_id, refused);
    let name = limit.name.as_str();
    let subject = format!("limits/{name}");
    let granting = |maximum: Expr| {
        let subject = subject.as_str();
        do_(py!(grant(ada, payer_id, subject, maximum = maximum).await))
    };
    let limits = || py!(entitlements(ada, organization_id).await["limits"]);
    world_test("test_a_limit_is_granted").body(block![
        ada_of_the_platform(),
        assign(payer_id, py!(world.payer_id(organization_id).await)),
        granting(1.into_expr()),
        assert_({
            let limits = limits();
            py!(limits[name] == 1)
        }),
        do_(py!(consume(world, organization_id, 0).await)),
        with_as(
            py!(pytest.raises(ForbiddenError)),
            refused,
            [do_(py!(consume(world, organization_id, 1).await))]
        ),
        assert_(py!(refused.value.problem_code == "plan_limit_reached")),
        granting(none()).paragraph(),
        assert_({
            let limits = limits();
            py!(not_in!(name, limits))
        }),
        do_(py!(consume(world, organization_id, 1_000_000).await))
    ])
}

fn test_while_a_payment_is_missing_nothing_is_added() -> FunctionDef {
    names!(world, organization_id, refused);
    world_test("test_while_a_payment_is_missing_nothing_is_added").body(block![
        ada_of_the_platform(),
        do_(py!(world.stop_paying(organization_id).await)),
        with_as(
            py!(pytest.raises(PaymentRequiredError)),
            refused,
            [do_(py!(consume(world, organization_id, 0).await))]
        ),
        assert_(py!(refused.value.problem_code == "payment_missing"))
    ])
}

fn test_only_the_platform_grants(subject: String, body: Arg) -> FunctionDef {
    names!(world, ada, organization_id, payer_id, path, stranger);
    world_test("test_only_the_platform_grants").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(payer_id, py!(world.payer_id(organization_id).await)),
        assign(path, py!(f!("/entitlements/payers/{}", payer_id))),
        assert_(py!(ada.get(path).await.status_code == 403)),
        assert_({
            let (subject, body) = (subject.as_str(), body.clone());
            py!(grant(ada, payer_id, subject, ..[body]).await.status_code == 403)
        }),
        assert_(py!(ada.delete(f!("{}/overrides/{}", path, uuid4())).await.status_code == 403)),
        do_(py!(world.promote(ada).await)).paragraph(),
        assign(stranger, py!(str(uuid4()))),
        assert_({
            let (subject, body) = (subject.as_str(), body.clone());
            py!(grant(ada, stranger, subject, ..[body]).await.status_code == 404)
        })
    ])
}
