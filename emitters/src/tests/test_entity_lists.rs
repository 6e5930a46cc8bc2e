//! `backend/tests/test_entity_lists.py`: how lists are read page by page, filtered, searched and sorted.

use crate::python::builtins::{dict, int, len, object, range, sorted, str};
use crate::python::pytest::pytest;
use crate::python::standard::{Sequence, urlencode};
use crate::tests::entities::{ENTITIES, Entities, Fact};
use crate::tests::entity::Entity;
use crate::tests::factories::{created, every_row};
use crate::tests::test_entities::{
    ada_and_hers, each_with_room, for_cases, for_each, for_tuples, set_body, set_row, set_rows,
    test,
};
use crate::tests::world::Caller;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// The module; none where no test can make as many rows.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    entities.have_room(3).then(|| {
        module("tests.test_entity_lists")
            .docstring("Lists: read page by page, filtered, searched and sorted.")
            .body(block![
                pages_test(),
                entities.know(Fact::Filters).then(value_filter_test),
                entities.know(Fact::OwnFilters).then(row_filter_test),
                entities.know(Fact::Searched).then(search_test),
                create_three_def(entities),
                reverse_test(entities.know(Fact::Sorts)),
                order_test(entities.know(Fact::Comparable))
            ])
    })
}

fn pages_test() -> FunctionDef {
    names!(entity, ada, organization_id, rows, made, first, cursor, second);
    let backwards = slice(None, None, Some(integer(-1)));
    test("test_list_in_pages", each_with_room(3)).body(block![
        ada_and_hers(),
        set_rows(),
        assign(made, py!(list!(entity.create(ada, organization_id).await for _ in range(3)))),
        assign(first, py!(ada.get(f!("{}?limit=2", rows)).await.json())).paragraph(),
        assign(cursor, py!(first["next_cursor"])),
        assign(second, py!(ada.get(f!("{}?limit=2&cursor={}", rows, cursor)).await.json())),
        assert_(py!(first["items"] + second["items"] == made[backwards])).paragraph(),
        assert_(py!(second["next_cursor"] == None))
    ])
}

fn value_filter_test() -> FunctionDef {
    names!(entity, name, value, query, ada, organization_id, rows, body, other, found);
    test("test_list_is_filtered", for_tuples(&["name", "value", "query"], Fact::Filters))
        .params([param(name, str), param(value, object), param(query, py!(dict[(str, str)]))])
        .body(block![
            ada_and_hers(),
            set_rows(),
            set_body(),
            do_(py!(entity.create(ada, organization_id).await)),
            assign(other, py!(created(ada, rows, body | dict!(name => value)).await)),
            assign(found, py!(ada.get(f!("{}?{}", rows, urlencode(query))).await)).paragraph(),
            assert_that(py!(found.json()["items"] == [other]), py!(found.text)).paragraph()
        ])
}

fn row_filter_test() -> FunctionDef {
    names!(entity, name, parameters, ada, organization_id, rows, row, query, found);
    test("test_list_is_filtered_by_a_row", for_tuples(&["name", "parameters"], Fact::OwnFilters))
        .params([param(name, str), param(parameters, py!(Sequence[str]))])
        .body(block![
            ada_and_hers(),
            set_rows(),
            set_row(ada),
            do_(py!(entity.create(ada, organization_id).await)),
            assign(query, py!(urlencode(dict.fromkeys(parameters, row[name])))).paragraph(),
            assign(found, py!(ada.get(f!("{}?{}", rows, query)).await)),
            assert_that(py!(found.json()["items"] == [row]), py!(found.text)).paragraph()
        ])
}

fn search_test() -> FunctionDef {
    names!(entity, name, search, count, ada, organization_id, rows, body, found, query);
    let words = "Green 100% x";
    let cases = [("green", 1), ("x GREEN", 1), ("100%", 1), ("green red", 0), ("1%x", 0), (" ", 2)];
    let cases = cases.map(|(search, count)| py!((search, count)));
    test("test_list_is_searched", for_each("name", Fact::Searched))
        .decorator(py!(pytest.mark.parametrize(("search", "count"), [..cases])))
        .params([param(name, str), param(search, str), param(count, int)])
        .body(block![
            ada_and_hers(),
            set_rows(),
            set_body(),
            do_(py!(entity.create(ada, organization_id).await)),
            do_(py!(created(ada, rows, body | dict!(name => words)).await)),
            assign(query, py!(urlencode(dict!("search" => search)))).paragraph(),
            assign(found, py!(ada.get(f!("{}?{}", rows, query)).await.json()["items"])),
            assert_(py!(len(found) == count)).paragraph()
        ])
}

/// `async def create_three(…)`: a row with other values, one as the factory makes it, one without values.
fn create_three_def(entities: &Entities<'_>) -> FunctionDef {
    names!(create_three, entity, caller, organization_id, rows, values, body);
    let empty = entities.know(Fact::Empty).then(|| py!(entity.empty));
    let different = entities.know(Fact::Different).then(|| py!(entity.different));
    let rows_are_made = if different.is_none() && empty.is_none() {
        let made = py!(entity.create(caller, organization_id).await);
        block![for_(py!(_), py!(range(3)), [do_(made)])]
    } else {
        let [different, empty] = [different, empty].map(|one| one.unwrap_or_else(|| py!(dict!())));
        block![
            set_rows(),
            for_(
                values,
                py!((different, dict!(), empty)),
                block![
                    assign(body, py!(entity.body(caller, organization_id).await)),
                    do_(py!(created(caller, rows, body | values).await))
                ]
            )
        ]
    };
    async_def(create_three)
        .params([param(entity, Entity), param(caller, Caller), param(organization_id, str)])
        .returns(none())
        .body(block![docstring("Add rows that differ in what they are sorted by."), rows_are_made])
}

/// The list in an order, read page by page.
fn in_order(prefix: &str) -> Expr {
    names!(ada, rows, sort);
    let path = [formatted(rows), string(format!("?limit=1&sort={prefix}")), formatted(sort)];
    let path = f_string(path);
    py!(every_row(ada, path).await)
}

fn sort_test(name: &'static str, orders: Option<Fact>) -> FunctionDef {
    names!(create_three, entity, sort, ada, organization_id);
    let orders = match orders {
        Some(fact) => {
            let columns = make::starred(entity.attr(fact.attribute()));
            make::tuple([string("created_at"), columns])
        }
        None => py!(("created_at",)),
    };
    let cases = py!(list!(
        (entity, sort) for entity in ENTITIES if entity.room >= 3 for sort in { orders }
    ));
    test(name, for_cases(&["sort"], cases)).params([param(sort, str)]).body(block![
        ada_and_hers(),
        set_rows(),
        do_(py!(create_three(entity, ada, organization_id).await))
    ])
}

fn reverse_test(has_sorts: bool) -> FunctionDef {
    names!(forwards, backwards);
    let reversed = slice(None, None, Some(integer(-1)));
    sort_test("test_every_order_can_be_reversed", has_sorts.then_some(Fact::Sorts)).body(block![
        assign(forwards, in_order("")).paragraph(),
        assign(backwards, in_order("-")),
        assert_(py!(len(forwards) == 3)).paragraph(),
        assert_(py!(backwards == forwards[reversed]))
    ])
}

fn order_test(has_comparable: bool) -> FunctionDef {
    names!(sort, values, present, row, value);
    let rows_in_order = in_order("");
    let nulls = py!([None] * (len(values) - len(present)));
    sort_test("test_list_is_sorted", has_comparable.then_some(Fact::Comparable)).body(block![
        assign(values, py!(list!(row[sort] for row in { rows_in_order }))).paragraph(),
        assign(present, py!(list!(value for value in values if value != None))),
        assert_(py!(values == sorted(present) + nulls)).paragraph()
    ])
}
