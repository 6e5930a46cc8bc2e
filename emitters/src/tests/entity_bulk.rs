//! Tests of an entity: several rows by one request, all of them or none.

use crate::python::standard::uuid4;
use crate::spec::{Field, FieldKind};
use crate::tests::entity::{Tested, ada_and_hers, test};
use astgen_pyast::prelude::*;

/// The tests of an entity that takes several rows at once; each makes two.
#[must_use]
pub fn bulk_tests(tested: &Tested<'_>) -> Vec<FunctionDef> {
    if !tested.entity.bulk_create {
        return Vec::new();
    }
    let tests = [Some(together_test(tested)), refusal_test(tested), Some(bounds_test(tested))];
    tests.into_iter().flatten().collect()
}

/// `await ada.post(f"{tasks}/bulk", {"items": […]})`
fn sent(tested: &Tested<'_>, items: Expr) -> Expr {
    names!(ada);
    let rows = tested.rows;
    py!(ada.post(f!("{}/bulk", rows), dict!("items" => items)).await)
}

fn set_bodies(tested: &Tested<'_>) -> Stmt {
    names!(ada, organization_id, body, other);
    let write = tested.write;
    assign(
        py!((body, other)),
        py!((write(ada, organization_id).await, write(ada, organization_id).await)),
    )
}

fn together_test(tested: &Tested<'_>) -> FunctionDef {
    names!(ada, body, other, added, items);
    let rows = tested.rows;
    test("test_several_rows_are_added").body(block![
        ada_and_hers(),
        tested.set_rows(),
        set_bodies(tested),
        assign(added, sent(tested, py!([body, other]))).paragraph(),
        assert_that(py!(added.status_code == 201), py!(added.text)).paragraph(),
        assign(items, py!(added.json()["items"])),
        assert_(py!(dict!(name => items[0][name] for name in body) == body)),
        assert_(py!(dict!(name => items[1][name] for name in other) == other)),
        assert_(py!(ada.get(f!("{}/{}", rows, items[1]["id"])).await.json() == items[1]))
    ])
}

/// What the database refuses in a row.
fn refused(field: &Field) -> Option<(&'static str, Expr)> {
    names!(body);
    let column = field.column.as_str();
    match &field.kind {
        FieldKind::Reference(_) => Some((column, py!(uuid4().hex))),
        _ if field.unique => Some((column, py!(body[column]))),
        _ => None,
    }
}

fn refusal_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    names!(ada, body, other, answer);
    let rows = tested.rows;
    let (column, value) = tested.entity.fields.iter().find_map(refused)?;
    Some(test("test_none_is_added_if_one_is_refused").body(block![
        ada_and_hers(),
        tested.set_rows(),
        set_bodies(tested),
        assign(answer, sent(tested, py!([body, other | dict!(column => value)]))).paragraph(),
        assert_(py!(answer.status_code == 409)).paragraph(),
        assert_(py!(ada.get(rows).await.json()["items"] == []))
    ]))
}

fn bounds_test(tested: &Tested<'_>) -> FunctionDef {
    names!(body, count);
    let refusal = sent(tested, py!([body] * count)).attr("status_code").eq(422);
    test("test_one_to_a_hundred_rows_are_added").body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_body(),
        for_(count, py!((0, 101)), [assert_(refusal)]).paragraph()
    ])
}
