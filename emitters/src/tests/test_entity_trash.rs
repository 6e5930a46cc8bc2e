//! `backend/tests/test_entity_trash.py`: what is deleted can be restored, until it is purged.

use crate::models::base::utcnow;
use crate::python::builtins::str;
use crate::python::standard::{UUID, timedelta};
use crate::services::deletion::purge;
use crate::tests::entities::{ENTITIES, Entities, Fact};
use crate::tests::test_entities::{
    ada_and_hers, each_with, for_cases, set_path, set_row, set_rows, test,
};
use crate::tests::test_entity_relations::{reference_test, set_paths};
use crate::tests::world::sign_up;
use astgen_pyast::prelude::*;

/// The module; none where nothing can be restored.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    entities.know(Fact::IsRestorable).then(|| {
        let returns = entities.come_back();
        module("tests.test_entity_trash")
            .docstring("What is deleted can be restored, until it is purged.")
            .body(block![
                restore_test(),
                purge_test(),
                foreign_test(),
                entities.know(Fact::Unique).then(unique_test),
                returns.then(|| [together_test(), apart_test()])
            ])
    })
}

/// `await ada.post(f"{path}/restore", None)`
fn restored(caller: Name, path: Name) -> Expr {
    py!(caller.post(f!("{}/restore", path), None).await)
}

fn restore_test() -> FunctionDef {
    names!(ada, rows, row, path, trash, back, again, updated_at, deleted);
    test("test_a_deleted_row_can_be_restored", each_with(Fact::IsRestorable)).body(block![
        ada_and_hers(),
        set_rows(),
        set_row(ada),
        set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.get(rows).await.json()["items"] == [])).paragraph(),
        assign(trash, py!(ada.get(f!("{}?deleted=true&include_total=true", rows)).await.json())),
        assert_(py!(list!(deleted["id"] for deleted in trash["items"]) == [row["id"]])),
        assert_(py!((trash["items"][0]["deleted_at"] != None, trash["total"]) == (true, 1))),
        assign(back, restored(ada, path)).paragraph(),
        assert_that(py!(back.status_code == 200), py!(back.text)).paragraph(),
        assign(updated_at, py!(back.json()["updated_at"])),
        assert_(py!(back.json() == row | dict!("updated_at" => updated_at))),
        assert_(py!(ada.get(path).await.headers["ETag"] == back.headers["ETag"])),
        assign(again, restored(ada, path)).comment("Whoever lost the answer asks again."),
        assert_(py!((again.status_code, again.json()) == (200, back.json())))
    ])
}

fn purge_test() -> FunctionDef {
    names!(world, ada, organization_id, path, now, session);
    let removed = |before: Expr| py!(purge(session, before).await);
    test("test_a_purged_row_is_gone", each_with(Fact::IsRestorable)).body(block![
        ada_and_hers(),
        set_row(ada),
        set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assign(now, py!(utcnow())),
        async_with_as(
            py!(world.database.tenant_session(UUID(organization_id))),
            session,
            block![
                assert_(removed(py!(now - timedelta(days = 1))).eq(0)),
                assert_(removed(now.into_expr()).eq(1))
            ]
        )
        .paragraph(),
        assert_({ restored(ada, path) }.attr("status_code").eq(404))
    ])
}

fn foreign_test() -> FunctionDef {
    names!(world, entity, ada, eve, row, path, theirs);
    test("test_another_tenant_cannot_restore", each_with(Fact::IsRestorable)).body(block![
        ada_and_hers(),
        sign_up(world, eve),
        set_row(ada),
        set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assign(theirs, py!(entity.path_of(eve.organization().await, row))).paragraph(),
        assert_({ restored(eve, path) }.attr("status_code").eq(404)).paragraph(),
        assert_({ restored(eve, theirs) }.attr("status_code").eq(404))
    ])
}

fn unique_test() -> FunctionDef {
    names!(entity, name, ada, organization_id, rows, row, body, path, again);
    let cases = py!(list!(
        (entity, name) for entity in ENTITIES if entity.is_restorable for name in entity.unique
    ));
    test("test_a_deleted_row_keeps_no_value", for_cases(&["name"], cases))
        .params([param(name, str)])
        .body(block![
            ada_and_hers(),
            set_rows(),
            set_row(ada),
            set_path(),
            assert_(py!(ada.delete(path).await.status_code == 204)),
            assign(body, py!(entity.body(ada, organization_id).await | dict!(name => row[name]))),
            assign(again, py!(ada.post(rows, body).await)).paragraph(),
            assert_that(py!(again.status_code == 201), py!(again.text)).paragraph(),
            assert_({ restored(ada, path) }.attr("status_code").eq(409))
        ])
}

/// A test of the references to what can be restored.
fn return_test(name: &'static str) -> FunctionDef {
    names!(reference);
    reference_test(name, Some(py!(reference.comes_back)))
}

fn together_test() -> FunctionDef {
    names!(ada, path, parent);
    return_test("test_a_row_comes_back_with_what_it_refers_to").body(block![
        ada_and_hers(),
        set_paths(),
        assert_(py!(ada.delete(parent).await.status_code == 204)),
        assert_(py!(ada.get(path).await.status_code == 404)).paragraph(),
        assert_({ restored(ada, path) }.attr("status_code").eq(409)),
        assert_({ restored(ada, parent) }.attr("status_code").eq(200)),
        assert_(py!(ada.get(path).await.status_code == 200))
    ])
}

fn apart_test() -> FunctionDef {
    names!(ada, path, parent);
    return_test("test_a_row_that_was_deleted_before_stays_deleted").body(block![
        ada_and_hers(),
        set_paths(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.delete(parent).await.status_code == 204)),
        assert_({ restored(ada, parent) }.attr("status_code").eq(200)).paragraph(),
        assert_(py!(ada.get(path).await.status_code == 404))
    ])
}
