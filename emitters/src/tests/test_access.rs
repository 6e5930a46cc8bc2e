//! `backend/tests/test_access.py`: what an organization may do that has not paid.

use crate::python::builtins::{dict, list, object, str};
use crate::python::standard::{re, uuid4};
use crate::services::member_service::deputy;
use crate::spec::Spec;
use crate::tests::casting::{has_room, offer};
use crate::tests::test_api_keys::{READ, UPDATE, make_key, program};
use crate::tests::world::{
    Caller, World, first_organization, sign_up, sign_up_verified, world_test,
};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_access": SERVED, PLACE, codes;
}

/// The module; only where somebody pays.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    spec.billing.as_ref()?;
    let docstring = "What an organization may do that has not paid: read, pay, and become less.";
    let bought = ["checkout", "portal", "change-plan", "cancel", "resume", "sync"];
    let bought = offer(spec).into_iter().flat_map(|_| bought);
    let bought = bought.map(|action| format!("/billing/{action}"));
    let handed = deputy(spec).map(|_| "/transfer".to_owned());
    let always = ["/leave", "/switch", "/jobs/{job_id}/cancel"].map(str::to_owned);
    Some(module("tests.test_access").docstring(docstring).body(block![
        assign(SERVED, make::tuple(bought.chain(handed).chain(always))),
        assign(PLACE, py!(re.compile("{[^}]*}"))),
        codes_def(),
        test_who_has_not_paid_adds_nothing(),
        test_who_has_not_paid_reads_and_becomes_less(),
        spec.organizations.api_keys.then(test_a_key_adds_nothing_either),
        has_room(spec, 2).then(|| test_nobody_joins_while_a_payment_is_missing(spec))
    ]))
}

fn codes_def() -> FunctionDef {
    names!(world, caller, organization_id, methods, found, path, operations, method, one, answer);
    names!(name, paths);
    async_def(codes)
        .params([
            param(world, World),
            param(caller, Caller),
            param(organization_id, str),
            param(methods, py!(list[str])),
        ])
        .returns(py!(dict[(str, str | None)]))
        .body(block![
            docstring("Call all that can be done with an organization, and return what is wrong."),
            ann_assign(
                paths,
                py!(dict[(str, dict[(str, object)])]),
                py!(world.app.openapi()["paths"])
            ),
            ann_assign(found, py!(dict[(str, str | None)]), py!(dict!())),
            for_(
                py!((path, operations)),
                py!(paths.items()),
                block![
                    if_(py!(!path.startswith("/organizations/{organization_id}")), [continue_()]),
                    assign(one, py!(path.replace("{organization_id}", organization_id))),
                    for_(
                        method,
                        py!(list!(name for name in methods if in_!(name, operations))),
                        block![
                            assign(
                                answer,
                                py!(caller
                                    .send(method.upper(), PLACE.sub(str(uuid4()), one), dict!())
                                    .await)
                            ),
                            assign(
                                py!(found[path]),
                                py!(if answer.content { answer.json().get("code") } else { None })
                            )
                        ]
                    )
                ]
            ),
            return_(found)
        ])
}

fn test_who_has_not_paid_adds_nothing() -> FunctionDef {
    names!(world, ada, organization_id, method, found, path, code);
    world_test("test_who_has_not_paid_adds_nothing").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        do_(py!(world.stop_paying(organization_id).await)),
        for_(
            method,
            py!(("post", "put", "patch")),
            block![
                assign(found, py!(codes(world, ada, organization_id, [method]).await)),
                for_(
                    py!((path, code)),
                    py!(found.items()),
                    [assert_that(py!((code != "payment_missing") == path.endswith(SERVED)), path)]
                )
            ]
        )
    ])
}

fn test_who_has_not_paid_reads_and_becomes_less() -> FunctionDef {
    names!(world, ada, organization_id, found);
    world_test("test_who_has_not_paid_reads_and_becomes_less").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        do_(py!(world.stop_paying(organization_id).await)),
        assert_(py!(ada.get(f!("/organizations/{}", organization_id)).await.status_code == 200)),
        assign(found, py!(codes(world, ada, organization_id, ["delete"]).await)),
        assert_(found),
        assert_(py!(not_in!("payment_missing", found.values())))
    ])
}

fn test_a_key_adds_nothing_either() -> FunctionDef {
    names!(world, ada, organization_id, made, path, refused);
    world_test("test_a_key_adds_nothing_either").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(made, py!(make_key(ada, organization_id, READ, UPDATE).await)),
        do_(py!(world.stop_paying(organization_id).await)),
        assign(path, py!(f!("/organizations/{}", organization_id))),
        assert_(py!(program(ada, made["key"]).get(path).await.status_code == 200)),
        assign(refused, py!(program(ada, made["key"]).patch(path, dict!("name" => "new")).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (402, "payment_missing")))
    ])
}

fn test_nobody_joins_while_a_payment_is_missing(spec: &Spec) -> FunctionDef {
    names!(world, ada, bob, organization_id, token, refused);
    let role = spec.organizations.lowest().name.as_str();
    world_test("test_nobody_joins_while_a_payment_is_missing").body(block![
        sign_up(world, ada),
        sign_up_verified(world, bob),
        first_organization(ada, organization_id),
        assign(token, py!(world.invite(ada, organization_id, "bob@example.com", { role }).await)),
        do_(py!(world.stop_paying(organization_id).await)),
        assign(refused, py!(bob.post("/invitations/accept", dict!("token" => token)).await)),
        assert_(py!((refused.status_code, refused.json()["code"]) == (402, "payment_missing")))
    ])
}
