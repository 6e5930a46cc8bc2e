//! `backend/tests/test_entity_access.py`: who may do what: by role, by plan, and by the age of a session.

use crate::python::builtins::{int, list, range, str};
use crate::python::httpx2::Response;
use crate::python::standard::uuid4;
use crate::tests::entities::{Entities, Fact};
use crate::tests::factories::Row;
use crate::tests::test_entities::{
    ada_and_hers, each_with, for_each, for_tuples, set_body, set_path, set_row, set_rows, test,
};
use crate::tests::world::{Caller, sign_up};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_entity_access": METHODS, attempt;
}

/// The module; none where everybody may do everything.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    let attempts = entities.know(Fact::Closed) || entities.know(Fact::Fresh);
    let tests = block![
        attempts.then(|| block![methods(), attempt_def()]),
        entities.know(Fact::PlanLimits).then(limit_test),
        entities.know(Fact::Closed).then(|| closed_test(entities.know(Fact::StandsAlone))),
        entities.know(Fact::OpenedBy).then(opened_test),
        entities.know(Fact::Fresh).then(fresh_test),
        entities.know(Fact::Writers).then(writers_test),
        entities.know(Fact::Readers).then(readers_test),
        entities.know(Fact::Strangers).then(strangers_test)
    ];
    (!tests.is_empty()).then(|| {
        module("tests.test_entity_access").docstring("Who may do what with an entity.").body(tests)
    })
}

/// `METHODS = {"list": "GET", …}`
fn methods() -> Stmt {
    assign(
        METHODS,
        py!(dict!(
            "list" => "GET", "create" => "POST", "read" => "GET", "update" => "PATCH",
            "delete" => "DELETE"
        )),
    )
}

fn attempt_def() -> FunctionDef {
    names!(caller, operation, rows, body, path);
    async_def(attempt)
        .params([param(caller, Caller), param(operation, str), param(rows, str), param(body, Row)])
        .returns(Response)
        .body(block![
            docstring("Try an operation on all rows, or on one that is not there."),
            assign(
                path,
                py!(if in_!(operation, ("list", "create")) {
                    rows
                } else {
                    f!("{}/{}", rows, uuid4())
                })
            ),
            return_(py!(caller.send(METHODS[operation], path, body, if_match = "*").await))
        ])
}

/// `organization_id = await world.unpaid_organization(ada)`
fn unpaid_organization() -> [Stmt; 2] {
    names!(world, ada, organization_id);
    [sign_up(world, ada), assign(organization_id, py!(world.unpaid_organization(ada).await))]
}

fn limit_test() -> FunctionDef {
    names!(entity, allowed, beyond, ada, organization_id, body, refused);
    test("test_a_plan_limits_rows", for_tuples(&["allowed", "beyond"], Fact::PlanLimits))
        .params([param(allowed, int), param(beyond, py!(list[str]))])
        .body(block![
            unpaid_organization(),
            for_(
                py!(_),
                py!(range(allowed)),
                [do_(py!(entity.create(ada, organization_id).await))]
            ),
            set_body(),
            assign(refused, py!(ada.post(entity.rows(organization_id), body).await)).paragraph(),
            assert_(py!(refused.status_code == 403)).paragraph(),
            assert_(py!(refused.json()["code"] == "plan_limit_reached")),
            assert_(py!(refused.json()["upgrade"] == beyond))
        ])
}

fn closed_test(can_stand_alone: bool) -> FunctionDef {
    names!(entity, ada, organization_id, rows, body, answers, operation, _status);
    let body_is = if can_stand_alone {
        let own = py!(entity.body(ada, organization_id).await);
        py!(if entity.stands_alone { own } else { dict!() })
    } else {
        py!(dict!())
    };
    test("test_what_is_paid_for_is_closed", each_with(Fact::Closed)).body(block![
        unpaid_organization(),
        set_rows(),
        ann_assign(body, Row, body_is),
        assign(
            answers,
            py!(list!(
                (operation, attempt(ada, operation, rows, body).await.status_code)
                for (operation, _status) in entity.closed
            ))
        )
        .paragraph(),
        assert_(py!(answers == list(entity.closed))).paragraph()
    ])
}

fn opened_test() -> FunctionDef {
    names!(world, price, ada, organization_id, rows, path, answers, answer);
    test("test_a_subscription_opens_it", for_each("price", Fact::OpenedBy))
        .params([param(price, str)])
        .body(block![
            unpaid_organization(),
            set_rows(),
            do_(py!(world.subscribe(organization_id, price).await)),
            set_row(ada).paragraph(),
            set_path(),
            assign(
                answers,
                py!([
                    ada.get(rows).await,
                    ada.get(path).await,
                    ada.patch(path, dict!()).await,
                    ada.delete(path).await
                ])
            ),
            assert_(py!(list!(answer.status_code for answer in answers) == [200, 200, 200, 204]))
                .paragraph()
        ])
}

fn fresh_test() -> FunctionDef {
    names!(world, operation, ada, rows, stale, fresh);
    test("test_needs_a_fresh_session", for_each("operation", Fact::Fresh))
        .params([param(operation, str)])
        .body(block![
            ada_and_hers(),
            set_rows(),
            do_(py!(world.grow_stale().await)),
            assign(stale, py!(attempt(ada, operation, rows, dict!()).await)).paragraph(),
            do_(py!(world.reauthenticate(ada).await)),
            assign(fresh, py!(attempt(ada, operation, rows, dict!()).await)),
            assert_(py!(stale.json()["code"] == "session_not_fresh")).paragraph(),
            assert_(py!(fresh.json().get("code") != "session_not_fresh"))
        ])
}

/// A test with a member of each of some roles.
fn role_test(name: &'static str, roles: Fact) -> FunctionDef {
    test(name, for_each("role", roles)).params([param("role", str)])
}

/// Ada's organization, and a member of the role.
fn set_member() -> Vec<Stmt> {
    names!(world, role, ada, organization_id, member);
    block![ada_and_hers(), assign(member, py!(world.member(ada, organization_id, role).await))]
}

fn writers_test() -> FunctionDef {
    names!(member, path);
    role_test("test_roles_that_may_write", Fact::Writers).body(block![
        set_member(),
        set_row(member),
        set_path(),
        assert_(py!(member.patch(path, dict!()).await.status_code == 200)).paragraph(),
        assert_(py!(member.delete(path).await.status_code == 204))
    ])
}

fn readers_test() -> FunctionDef {
    names!(ada, member, rows, body, path, reads, writes);
    role_test("test_roles_that_may_only_read", Fact::Readers).body(block![
        set_member(),
        set_rows(),
        set_body(),
        set_row(ada),
        set_path(),
        assign(reads, py!([member.get(rows).await, member.get(path).await])).paragraph(),
        assign(
            writes,
            py!([
                member.post(rows, body).await,
                member.patch(path, dict!()).await,
                member.delete(path).await
            ])
        ),
        assert_(py!(list!(answer.status_code for answer in reads) == [200, 200])).paragraph(),
        assert_(py!(list!(answer.status_code for answer in writes) == [403, 403, 403]))
    ])
}

fn strangers_test() -> FunctionDef {
    names!(ada, member, rows, path, reads);
    role_test("test_roles_that_may_not_read", Fact::Strangers).body(block![
        set_member(),
        set_rows(),
        set_row(ada),
        set_path(),
        assign(reads, py!([member.get(rows).await, member.get(path).await])).paragraph(),
        assert_(py!(list!(answer.status_code for answer in reads) == [403, 403])).paragraph()
    ])
}
