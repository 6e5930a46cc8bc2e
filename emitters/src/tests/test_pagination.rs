//! `backend/tests/test_pagination.py`: pages.

use crate::core::errors::NotFoundError;
use crate::core::order::{NEWEST_FIRST, Order};
use crate::core::pagination::{issue_cursor, read_cursor};
use crate::core::security::Signer;
use crate::core::settings::Settings;
use crate::core::tenancy::bind_tenant;
use crate::models::package::{Organization, User};
use crate::python::builtins::{int, len, range, set, str};
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::update;
use crate::python::standard::{UTC, UUID, datetime, uuid4};
use crate::spec::{Entity, Spec};
use crate::tests::casting::open_entity;
use crate::tests::factories::create;
use crate::tests::subject::model_of;
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_pagination": MOMENT, signer, order;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let entity = open_entity(spec, 5);
    let model = entity.map_or(Organization, |entity| model_of(&entity.names));
    module("tests.test_pagination").docstring("Pages.").body(block![
        assign(MOMENT, py!(datetime(2026, 1, 31, 12, 30, 15, 123_456, tzinfo = UTC))),
        signer_def(),
        order_def(model),
        test_a_cursor_names_a_place(),
        test_a_cursor_that_we_did_not_issue_is_unknown(),
        test_a_cursor_cannot_be_changed(),
        test_a_cursor_is_of_one_order(model),
        test_a_cursor_is_of_one_list(),
        entity.map(test_rows_of_one_moment_are_all_found),
        entity.map(test_a_list_is_counted_for_who_asks),
        test_bad_pages_are_refused()
    ])
}

fn signer_def() -> FunctionDef {
    names!(settings);
    def(signer)
        .decorator(py!(pytest.fixture))
        .params([param(settings, Settings)])
        .returns(Signer)
        .body([return_(py!(Signer(settings)))])
}

fn order_def(model: Import) -> FunctionDef {
    def(order)
        .decorator(py!(pytest.fixture))
        .returns(Order)
        .body([return_(py!(Order(model, NEWEST_FIRST)))])
}

/// `async def test_…(signer: Signer, order: Order) -> None: …`
fn cursor_test(test: &'static str) -> FunctionDef {
    def(test).params([param(signer, Signer), param(order, Order)]).returns(none())
}

fn test_a_cursor_names_a_place() -> FunctionDef {
    names!(year, place, row_id, cursor);
    cursor_test("test_a_cursor_names_a_place")
        .decorator(py!(pytest.mark.parametrize("year", [1, 1969, 1970, 2026, 9999])))
        .params([param(year, int)])
        .body(block![
            assign(py!((place, row_id)), py!((MOMENT.replace(year = year), uuid4()))),
            assign(cursor, py!(issue_cursor(signer, order, place, row_id))),
            assert_(py!(read_cursor(signer, cursor, order) == (place, row_id)))
        ])
}

fn test_a_cursor_that_we_did_not_issue_is_unknown() -> FunctionDef {
    names!(cursor);
    cursor_test("test_a_cursor_that_we_did_not_issue_is_unknown")
        .decorator(py!(pytest
            .mark
            .parametrize("cursor", ["", "x", "1.2", "1.2.3", "é.é", ".", ".."])))
        .params([param(cursor, str)])
        .body(unknown(py!(read_cursor(signer, cursor, order))))
}

/// `with pytest.raises(NotFoundError): …`
fn unknown(reading: Expr) -> With {
    with(py!(pytest.raises(NotFoundError)), [do_(reading)])
}

fn test_a_cursor_cannot_be_changed() -> FunctionDef {
    names!(cursor);
    cursor_test("test_a_cursor_cannot_be_changed").body(block![
        assign(cursor, py!(issue_cursor(signer, order, MOMENT, uuid4()))),
        unknown(py!(read_cursor(signer, "9" + cursor, order)))
    ])
}

fn test_a_cursor_is_of_one_order(model: Import) -> FunctionDef {
    names!(cursor, reverse);
    cursor_test("test_a_cursor_is_of_one_order").body(block![
        assign(cursor, py!(issue_cursor(signer, order, MOMENT, uuid4()))),
        assign(reverse, py!(Order(model, "created_at"))),
        unknown(py!(read_cursor(signer, cursor, reverse)))
    ])
}

fn test_a_cursor_is_of_one_list() -> FunctionDef {
    names!(cursor, other);
    cursor_test("test_a_cursor_is_of_one_list").body(block![
        assign(cursor, py!(issue_cursor(signer, order, MOMENT, uuid4()))),
        assign(other, py!(Order(User, NEWEST_FIRST))),
        unknown(py!(read_cursor(signer, cursor, other)))
    ])
}

fn test_rows_of_one_moment_are_all_found(entity: &Entity) -> FunctionDef {
    let (create, model) = (create(&entity.names), model_of(&entity.names));
    names!(world, ada, organization_id, ids, session, path, page, found);
    let path_of_rows = [
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}?limit=2", entity.names.path)),
    ];
    world_test("test_rows_of_one_moment_are_all_found").body(block![
        sign_up(world, ada),
        first_organization(ada, organization_id),
        assign(ids, py!(set!(create(ada, organization_id).await["id"] for _ in range(5)))),
        async_with_as(
            py!(world.database.session()),
            session,
            block![
                do_(py!(bind_tenant(session, UUID(organization_id)).await)),
                do_(py!(session.execute(update(model).values(created_at = MOMENT)).await)),
                do_(py!(session.commit().await))
            ]
        ),
        assign(path, f_string(path_of_rows)).paragraph(),
        assign(page, py!(ada.get(path).await.json())),
        assign(found, py!(list!(row["id"] for row in page["items"]))),
        while_(
            py!(page["next_cursor"] != None),
            block![
                assign(
                    page,
                    py!(ada.get(f!("{}&cursor={}", path, page["next_cursor"])).await.json())
                ),
                aug_assign(found, Operator::Add, py!(list!(row["id"] for row in page["items"])))
            ]
        ),
        assert_(py!(len(found) == 5)).paragraph(),
        assert_(py!(set(found) == ids))
    ])
}

fn test_a_list_is_counted_for_who_asks(entity: &Entity) -> FunctionDef {
    let create = create(&entity.names);
    names!(world, ada, eve, organization_id, theirs, path, page, rest, plain);
    let path_of_rows = [
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}?limit=2", entity.names.path)),
    ];
    world_test("test_a_list_is_counted_for_who_asks").body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        first_organization(eve, theirs),
        do_(py!(create(eve, theirs).await)),
        for_(py!(_), py!(range(3)), [do_(py!(create(ada, organization_id).await))]),
        assign(path, f_string(path_of_rows)),
        assign(page, py!(ada.get(f!("{}&include_total=true", path)).await.json())).paragraph(),
        assign(
            rest,
            py!(ada
                .get(f!("{}&include_total=true&cursor={}", path, page["next_cursor"]))
                .await
                .json())
        ),
        assign(plain, py!(ada.get(path).await.json())),
        assert_(py!((len(page["items"]), page["total"]) == (2, 3))).paragraph(),
        assert_(py!((len(rest["items"]), rest["total"]) == (1, 3))),
        assert_(py!(plain["total"] == None))
    ])
}

fn test_bad_pages_are_refused() -> FunctionDef {
    names!(world, query, status, ada);
    world_test("test_bad_pages_are_refused")
        .decorator(py!(pytest.mark.parametrize(
            ("query", "status"),
            [
                ("limit=0", 422),
                ("limit=101", 422),
                ("limit=99999999999999999999", 422),
                ("limit=x", 422),
                ("include_total=1", 422),
                ("cursor=x", 404),
                ("cursor=%00", 404),
                (f!("cursor={}", "x" * 4001), 422)
            ]
        )))
        .params([param(query, str), param(status, int)])
        .body(block![
            sign_up(world, ada),
            assert_(py!(ada.get(f!("/organizations?{}", query)).await.status_code == status))
        ])
}
