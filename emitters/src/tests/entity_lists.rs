//! Tests of an entity: how its list is filtered, searched and sorted.

use crate::entity_filters::{Filter, filters, sortable};
use crate::entity_names::framed;
use crate::python::builtins::{dict, int, len, list, object, sorted, str, tuple};
use crate::python::pytest::pytest;
use crate::python::standard::urlencode;
use crate::spec::{Field, FieldKind, Text};
use crate::tests::entity::{Tested, ada_and_hers, test};
use crate::tests::entity_values::changes;
use crate::tests::factories::{created, every_row};
use crate::tests::world::Caller;
use astgen_pyast::ast::{Constant, UnaryOp};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// The tests; each makes three rows at most.
#[must_use]
pub fn list_tests(tested: &Tested<'_>) -> Vec<Stmt> {
    let by_row = filters(tested.entity).into_iter().filter(|filter| differs(filter.field()));
    block![
        value_filter_test(tested),
        by_row.map(|filter| row_filter_test(tested, &filter)).collect::<Vec<_>>(),
        search_test(tested),
        sort_tests(tested)
    ]
}

/// Whether the field is another one in each row that a factory makes.
fn differs(field: &Field) -> bool {
    field.unique && !matches!(field.kind, FieldKind::Reference(_))
        || matches!(field.kind, FieldKind::Reference(_)) && !field.optional
}

/// A value that no row of a factory has, but for null, and the same in a query.
fn other_value(field: &Field) -> Option<(Expr, String)> {
    let value = changes(field).into_iter().next()?;
    let text = in_query(&value)?;
    Some((value, text))
}

fn in_query(value: &Expr) -> Option<String> {
    match value {
        Expr::Constant(constant) => match &constant.value {
            Constant::Str(text) => Some(text.clone()),
            Constant::Int(number) => Some(number.to_string()),
            Constant::Bool(flag) => Some(flag.to_string()),
            _ => None,
        },
        Expr::UnaryOp(unary) if unary.op == UnaryOp::USub => {
            in_query(&unary.operand).map(|number| format!("-{number}"))
        }
        _ => None,
    }
}

fn value_filter_test(tested: &Tested<'_>) -> Option<Vec<Stmt>> {
    names!(FILTERS, name, value, query, ada, organization_id, body, other, found);
    let (rows, create) = (tested.rows, tested.create);
    let cases = filters(tested.entity).into_iter().filter(|filter| !differs(filter.field()));
    let cases = cases.filter_map(|filter| {
        let column = filter.field().column.as_str();
        let (value, text) = other_value(filter.field())?;
        let query = filter.parameters().into_iter().map(|one| (string(one), string(&text)));
        let query = make::dict(query);
        Some(py!((column, value, query)))
    });
    let cases: Vec<Expr> = cases.collect();
    if cases.is_empty() {
        return None;
    }
    let case = py!(tuple[(str, object, dict[(str, str)])]);
    let filtered = test("test_list_is_filtered")
        .decorator(py!(pytest.mark.parametrize(("name", "value", "query"), FILTERS)))
        .params([param(name, str), param(value, object), param(query, py!(dict[(str, str)]))])
        .body(block![
            ada_and_hers(),
            tested.set_rows(),
            tested.set_body(),
            do_(py!(create(ada, organization_id).await)),
            assign(other, py!(created(ada, rows, body | dict!(name => value)).await)),
            assign(found, py!(ada.get(f!("{}?{}", rows, urlencode(query))).await)).paragraph(),
            assert_that(py!(found.json()["items"] == [other]), py!(found.text)).paragraph()
        ]);
    Some(block![ann_assign(FILTERS, py!(list[case]), make::list(cases)), filtered])
}

fn row_filter_test(tested: &Tested<'_>, filter: &Filter<'_>) -> FunctionDef {
    names!(ada, organization_id, query, found);
    let Tested { rows, row, create, .. } = *tested;
    let column = filter.field().column.as_str();
    let parameters = filter.parameters().into_iter().map(|one| (string(one), py!(row[column])));
    let parameters = make::dict(parameters);
    test(framed("test_list_is_filtered_by_", filter.field().column, "")).body(block![
        ada_and_hers(),
        tested.set_rows(),
        tested.set_row(ada),
        do_(py!(create(ada, organization_id).await)),
        assign(query, py!(urlencode(parameters))).paragraph(),
        assign(found, py!(ada.get(f!("{}?{}", rows, query)).await)),
        assert_that(py!(found.json()["items"] == [row]), py!(found.text)).paragraph()
    ])
}

/// The first field that a search looks into, where it can hold the words of the test.
fn searched<'t>(tested: &Tested<'t>) -> Option<&'t Field> {
    let names = &tested.entity.search;
    let fields = tested.entity.fields.iter().filter(|field| names.contains(&field.name));
    fields.into_iter().find(|field| match &field.kind {
        FieldKind::Text(Text { min_length, max_length, .. }) => {
            (*min_length..=*max_length).contains(&12)
        }
        _ => false,
    })
}

fn search_test(tested: &Tested<'_>) -> Option<FunctionDef> {
    names!(search, count, ada, organization_id, body, found, query);
    let field = searched(tested)?;
    let (rows, create) = (tested.rows, tested.create);
    let column = field.column.as_str();
    let words = "Green 100% x";
    let cases = [("green", 1), ("x GREEN", 1), ("100%", 1), ("green red", 0), ("1%x", 0), (" ", 2)];
    let cases = cases.map(|(search, count)| py!((search, count)));
    Some(
        test("test_list_is_searched")
            .decorator(py!(pytest.mark.parametrize(("search", "count"), [..cases])))
            .params([param(search, str), param(count, int)])
            .body(block![
                ada_and_hers(),
                tested.set_rows(),
                tested.set_body(),
                do_(py!(create(ada, organization_id).await)),
                do_(py!(created(ada, rows, body | dict!(column => words)).await)),
                assign(query, py!(urlencode(dict!("search" => search)))).paragraph(),
                assign(found, py!(ada.get(f!("{}?{}", rows, query)).await.json()["items"])),
                assert_(py!(len(found) == count)).paragraph()
            ]),
    )
}

/// Whether values compare in JSON as they do in the database.
fn compares(field: &Field) -> bool {
    matches!(
        field.kind,
        FieldKind::Integer(_)
            | FieldKind::Money(_)
            | FieldKind::Date { .. }
            | FieldKind::DateTime { .. }
    )
}

fn sort_tests(tested: &Tested<'_>) -> Vec<Stmt> {
    let fields = sortable(tested.entity);
    let columns = |is_wanted: fn(&Field) -> bool| {
        let wanted = fields.iter().filter(|field| is_wanted(field));
        let wanted = wanted.map(|field| field.column.as_str());
        ["created_at"].into_iter().chain(wanted).collect::<Vec<_>>()
    };
    block![
        create_three_def(tested, &fields),
        reverse_test(tested, &columns(|_| true)),
        order_test(tested, &columns(compares))
    ]
}

/// `async def create_three(…)`: a row as the factory makes it, one with other values, one without.
fn create_three_def(tested: &Tested<'_>, fields: &[&Field]) -> FunctionDef {
    names!(create_three, caller, organization_id);
    let Tested { rows, create, write, .. } = *tested;
    let column = |field: &&Field| string(field.column.as_str());
    let changed = fields.iter().filter(|field| !field.unique);
    let changed = changed.filter_map(|field| Some((column(field), other_value(field)?.0)));
    let missing = fields.iter().filter(|field| field.optional);
    let missing = missing.map(|field| (column(field), none()));
    let body = |values: Vec<(Expr, Expr)>| {
        let body = py!(write(caller, organization_id).await);
        if values.is_empty() { body } else { body.or(make::dict(values)) }
    };
    let (changed, missing) = (body(changed.collect()), body(missing.collect()));
    async_def(create_three)
        .params([param(caller, Caller), param(organization_id, str)])
        .returns(none())
        .body(block![
            docstring("Add rows that differ in what they are sorted by."),
            tested.set_rows(),
            do_(py!(created(caller, rows, changed).await)),
            do_(py!(create(caller, organization_id).await)),
            do_(py!(created(caller, rows, missing).await))
        ])
}

/// The list in an order, read page by page.
fn in_order(tested: &Tested<'_>, prefix: &str) -> Expr {
    names!(ada, sort);
    let path = [formatted(tested.rows), string(format!("?limit=1&sort={prefix}")), formatted(sort)];
    let path = f_string(path);
    py!(every_row(ada, path).await)
}

fn sort_test(name: &'static str, tested: &Tested<'_>, orders: &[&str]) -> FunctionDef {
    names!(create_three, sort, ada, organization_id);
    let orders = orders.iter().map(|order| string(*order));
    test(name)
        .decorator(py!(pytest.mark.parametrize("sort", [..orders])))
        .params([param(sort, str)])
        .body(block![
            ada_and_hers(),
            tested.set_rows(),
            do_(py!(create_three(ada, organization_id).await))
        ])
}

fn reverse_test(tested: &Tested<'_>, orders: &[&str]) -> FunctionDef {
    names!(forwards, backwards);
    let reversed = slice(None, None, Some(integer(-1)));
    sort_test("test_every_order_can_be_reversed", tested, orders).body(block![
        assign(forwards, in_order(tested, "")).paragraph(),
        assign(backwards, in_order(tested, "-")),
        assert_(py!(len(forwards) == 3)).paragraph(),
        assert_(py!(backwards == forwards[reversed]))
    ])
}

fn order_test(tested: &Tested<'_>, orders: &[&str]) -> FunctionDef {
    names!(sort, values, present, row, value);
    let rows_in_order = in_order(tested, "");
    let nulls = py!([None] * (len(values) - len(present)));
    sort_test("test_list_is_sorted", tested, orders).body(block![
        assign(values, py!(list!(row[sort] for row in { rows_in_order }))).paragraph(),
        assign(present, py!(list!(value for value in values if value != None))),
        assert_(py!(values == sorted(present) + nulls)).paragraph()
    ])
}
