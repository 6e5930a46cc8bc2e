//! Tests of an entity: what is deleted can be restored, until it is purged.

use crate::entity_names::framed;
use crate::models::base::utcnow;
use crate::python::standard::{UUID, timedelta};
use crate::relations::columns_pointing_at;
use crate::services::deletion::purge;
use crate::spec::{Entity, Field, FieldKind, OnDelete};
use crate::tests::entity::{Tested, ada_and_hers, test, variable};
use crate::tests::entity_rows::most_rows;
use crate::tests::factories;
use crate::tests::world::sign_up;
use astgen_pyast::prelude::*;

/// The tests of an entity whose rows can be restored.
#[must_use]
pub fn trash_tests(tested: &Tested<'_>, most: u32) -> Vec<FunctionDef> {
    if !tested.entity.soft_delete {
        return Vec::new();
    }
    let unique = tested
        .entity
        .fields
        .iter()
        .find(|field| field.unique && !matches!(field.kind, FieldKind::Reference(_)));
    let children = columns_pointing_at(tested.spec, tested.names, OnDelete::Cascade);
    let children = children.filter(|(child, field)| is_made(tested, child, field));
    let tests = [
        Some(restore_test(tested)),
        Some(purge_test(tested)),
        Some(foreign_test(tested)),
        unique.filter(|_| most >= 3).map(|field| unique_test(tested, field)),
    ];
    let tests = tests.into_iter().flatten();
    tests.chain(children.flat_map(|(child, field)| child_tests(tested, child, field))).collect()
}

/// Whether the tests can make a row that cannot be without one of this entity.
fn is_made(tested: &Tested<'_>, child: &Entity, field: &Field) -> bool {
    !field.optional
        && child.names != *tested.names
        && most_rows(tested.needs, child).is_some_and(|most| most >= 2)
}

/// `f"{path}/restore"`
fn restored(caller: Name, path: Name) -> Expr {
    py!(caller.post(f!("{}/restore", path), None).await)
}

fn restore_test(tested: &Tested<'_>) -> FunctionDef {
    names!(ada, path, trash, back, again, updated_at);
    let (rows_variable, row) = (tested.rows, tested.row);
    test("test_a_deleted_row_can_be_restored").body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_row(ada),
        tested.set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.get(rows_variable).await.json()["items"] == [])).paragraph(),
        assign(
            trash,
            py!(ada.get(f!("{}?deleted=true&include_total=true", rows_variable)).await.json())
        ),
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

fn purge_test(tested: &Tested<'_>) -> FunctionDef {
    names!(world, ada, organization_id, path, now, session);
    let removed = |before: Expr| py!(purge(session, before).await);
    test("test_a_purged_row_is_gone").body(block![
        ada_and_hers(),
        tested.set_row(ada),
        tested.set_path(),
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

fn foreign_test(tested: &Tested<'_>) -> FunctionDef {
    names!(world, ada, eve, path, theirs);
    let (rows_of, row) = (tested.rows_of, tested.row);
    test("test_another_tenant_cannot_restore").body(block![
        ada_and_hers(),
        sign_up(world, eve),
        tested.set_row(ada),
        tested.set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assign(theirs, py!(f!("{}/{}", rows_of(eve.organization().await), row["id"]))).paragraph(),
        assert_({ restored(eve, path) }.attr("status_code").eq(404)).paragraph(),
        assert_({ restored(eve, theirs) }.attr("status_code").eq(404))
    ])
}

fn unique_test(tested: &Tested<'_>, field: &Field) -> FunctionDef {
    names!(ada, organization_id, body, path, again);
    let (rows, row, write) = (tested.rows, tested.row, tested.write);
    let column = field.column.as_str();
    test(framed("test_a_deleted_row_keeps_no_", field.column, "")).body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_row(ada),
        tested.set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assign(body, py!(write(ada, organization_id).await | dict!(column => row[column]))),
        assign(again, py!(ada.post(rows, body).await)).paragraph(),
        assert_that(py!(again.status_code == 201), py!(again.text)).paragraph(),
        assert_({ restored(ada, path) }.attr("status_code").eq(409))
    ])
}

fn child_tests(tested: &Tested<'_>, child: &Entity, field: &Field) -> [FunctionDef; 2] {
    [together_test(tested, child, field), apart_test(tested, child, field)]
}

/// A row of the child, and the paths of it and of what it belongs to.
fn family(tested: &Tested<'_>, child: &Entity, field: &Field) -> Vec<Stmt> {
    names!(ada, organization_id, path, other);
    let (rows_of, create) = (tested.rows_of, factories::create(&child.names));
    let column = field.column.as_str();
    let row = child_variable(tested, child);
    let child_path = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}/", child.names.path)),
        formatted(py!(row["id"])),
    ]);
    block![
        ada_and_hers(),
        assign(row, py!(create(ada, organization_id).await)),
        assign(path, py!(f!("{}/{}", rows_of(organization_id), row[column]))),
        assign(other, child_path)
    ]
}

fn child_variable(tested: &Tested<'_>, child: &Entity) -> Name {
    let wanted = variable(child.names.name, name("child"));
    if wanted == tested.row { name("child") } else { wanted }
}

fn together_test(tested: &Tested<'_>, child: &Entity, field: &Field) -> FunctionDef {
    names!(ada, path, other);
    let name = framed("test_", child.names.plural, "_come_back_too");
    test(name).body(block![
        family(tested, child, field),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_(py!(ada.get(other).await.status_code == 404)).paragraph(),
        assert_({ restored(ada, other) }.attr("status_code").eq(409)),
        assert_({ restored(ada, path) }.attr("status_code").eq(200)),
        assert_(py!(ada.get(other).await.status_code == 200))
    ])
}

fn apart_test(tested: &Tested<'_>, child: &Entity, field: &Field) -> FunctionDef {
    names!(ada, path, other);
    let name = framed("test_", child.names.plural, "_deleted_before_stay_deleted");
    test(name).body(block![
        family(tested, child, field),
        assert_(py!(ada.delete(other).await.status_code == 204)),
        assert_(py!(ada.delete(path).await.status_code == 204)),
        assert_({ restored(ada, path) }.attr("status_code").eq(200)).paragraph(),
        assert_(py!(ada.get(other).await.status_code == 404))
    ])
}
