//! `backend/tests/test_entity_bulk.py`: several rows by one request, all of them or none.

use crate::python::builtins::str;
use crate::python::standard::uuid4;
use crate::tests::entities::{Entities, Fact};
use crate::tests::test_entities::{ada_and_hers, each_with, for_each, set_body, set_rows, test};
use astgen_pyast::prelude::*;

/// The module; none where no entity takes several rows at once.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    entities.know(Fact::TakesMany).then(|| {
        module("tests.test_entity_bulk")
            .docstring("Several rows by one request: all of them, or none.")
            .body(block![
                together_test(),
                entities.know(Fact::Clashes).then(|| refusal_test(entities.know(Fact::Unique))),
                bounds_test()
            ])
    })
}

/// `await ada.post(f"{rows}/bulk", {"items": […]})`
fn sent(items: Expr) -> Expr {
    names!(ada, rows);
    py!(ada.post(f!("{}/bulk", rows), dict!("items" => items)).await)
}

fn set_other_body() -> Stmt {
    names!(entity, ada, organization_id, other);
    assign(other, py!(entity.body(ada, organization_id).await))
}

fn together_test() -> FunctionDef {
    names!(ada, rows, body, other, added, items);
    test("test_several_rows_are_added", each_with(Fact::TakesMany)).body(block![
        ada_and_hers(),
        set_rows(),
        set_body(),
        set_other_body(),
        assign(added, sent(py!([body, other]))).paragraph(),
        assert_that(py!(added.status_code == 201), py!(added.text)).paragraph(),
        assign(items, py!(added.json()["items"])),
        assert_(py!(dict!(name => items[0][name] for name in body) == body)),
        assert_(py!(dict!(name => items[1][name] for name in other) == other)),
        assert_(py!(ada.get(f!("{}/{}", rows, items[1]["id"])).await.json() == items[1]))
    ])
}

/// A row is refused for a value that another one has, or for what it refers to.
fn refusal_test(is_unique: bool) -> FunctionDef {
    names!(entity, ada, rows, body, other, clash, value, answer);
    let nothing = py!(uuid4().hex);
    let value_is = match is_unique {
        true => py!(if in_!(clash, entity.unique) { body[clash] } else { nothing }),
        false => nothing,
    };
    test("test_none_is_added_if_one_is_refused", for_each("clash", Fact::Clashes))
        .params([param(clash, str)])
        .body(block![
            ada_and_hers(),
            set_rows(),
            set_body(),
            set_other_body(),
            assign(value, value_is),
            assign(answer, sent(py!([body, other | dict!(clash => value)]))).paragraph(),
            assert_(py!(answer.status_code == 409)).paragraph(),
            assert_(py!(ada.get(rows).await.json()["items"] == []))
        ])
}

fn bounds_test() -> FunctionDef {
    names!(body, count);
    let refusal = sent(py!([body] * count)).attr("status_code").eq(422);
    test("test_one_to_a_hundred_rows_are_added", each_with(Fact::TakesMany)).body(block![
        ada_and_hers(),
        set_rows(),
        set_body(),
        for_(count, py!((0, 101)), [assert_(refusal)]).paragraph()
    ])
}
