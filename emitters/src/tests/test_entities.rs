//! `backend/tests/test_entities.py`: what holds for every entity, whatever it is called.

use crate::python::builtins::{object, str};
use crate::python::pytest::pytest;
use crate::python::standard::uuid4;
use crate::tests::entities::{ENTITIES, Entities, Fact, each, named};
use crate::tests::entity::Entity;
use crate::tests::world::{World, first_organization, sign_up};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

/// The module; none where no entity is tested.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    entities.are_tested().then(|| {
        module("tests.test_entities")
            .docstring("Every entity: its routes, on both sides of the border.")
            .body(block![
                create_and_read_test(),
                entities.know(Fact::Defaults).then(defaults_test),
                entities.know(Fact::Required).then(required_fields_test),
                entities.know(Fact::Invalid).then(invalid_values_test),
                entities.know(Fact::Changes).then(update_test),
                delete_test(),
                entities.have_room(2).then(tenant_test),
                token_test()
            ])
    })
}

/// `async def test_…(world: World, entity: Entity) -> None: …`, for some entities.
#[must_use]
pub fn test(name: impl Identifier, cases: Expr) -> FunctionDef {
    async_def(name)
        .decorator(cases)
        .params([param("world", World), param("entity", Entity)])
        .returns(none())
}

/// `each()`
#[must_use]
pub fn every_entity() -> Expr {
    py!(each())
}

/// `each(entity for entity in ENTITIES if …)`
#[must_use]
pub fn each_that(condition: Expr) -> Expr {
    names!(entity);
    py!(each(generator!(entity for entity in ENTITIES if { condition })))
}

/// `each(entity for entity in ENTITIES if entity.is_restorable)`
#[must_use]
pub fn each_with(fact: Fact) -> Expr {
    names!(entity);
    each_that(entity.attr(fact.attribute()))
}

/// `each(entity for entity in ENTITIES if entity.room >= 3)`
#[must_use]
pub fn each_with_room(rows: i64) -> Expr {
    names!(entity);
    each_that(py!(entity.room >= rows))
}

/// `pytest.mark.parametrize(("entity", "sort"), […], ids=named)`
#[must_use]
pub fn for_cases(parameters: &[&'static str], cases: Expr) -> Expr {
    let parameters = ["entity"].into_iter().chain(parameters.iter().copied()).map(string);
    let parameters = make::tuple(parameters);
    py!(pytest.mark.parametrize(parameters, cases, ids = named))
}

/// A case for each thing that a fact lists.
#[must_use]
pub fn for_each(parameter: &'static str, fact: Fact) -> Expr {
    names!(entity);
    let (one, all) = (name(parameter), entity.attr(fact.attribute()));
    let no_condition = || [] as [Expr; 0];
    let clauses =
        [make::for_in(entity, ENTITIES, no_condition()), make::for_in(one, all, no_condition())];
    for_cases(&[parameter], make::list_comp(py!((entity, one)), clauses))
}

/// A case for each tuple that a fact lists.
#[must_use]
pub fn for_tuples(parameters: &[&'static str], fact: Fact) -> Expr {
    names!(entity, case);
    let cases = entity.attr(fact.attribute());
    let case_of = make::tuple([entity.into_expr(), make::starred(case)]);
    for_cases(parameters, py!(list!({ case_of } for entity in ENTITIES for case in { cases })))
}

/// Ada, and her organization.
#[must_use]
pub fn ada_and_hers() -> [Stmt; 2] {
    names!(world, ada, organization_id);
    [sign_up(world, ada), first_organization(ada, organization_id)]
}

/// `rows = entity.rows(organization_id)`
#[must_use]
pub fn set_rows() -> Stmt {
    names!(entity, organization_id, rows);
    assign(rows, py!(entity.rows(organization_id)))
}

/// `body = await entity.body(ada, organization_id)`
#[must_use]
pub fn set_body() -> Stmt {
    names!(entity, ada, organization_id, body);
    assign(body, py!(entity.body(ada, organization_id).await))
}

/// `row = await entity.create(ada, organization_id)`
#[must_use]
pub fn set_row(caller: Name) -> Stmt {
    names!(entity, organization_id, row);
    assign(row, py!(entity.create(caller, organization_id).await))
}

/// `path = entity.path_of(organization_id, row)`
#[must_use]
pub fn set_path() -> Stmt {
    names!(entity, organization_id, row, path);
    assign(path, py!(entity.path_of(organization_id, row)))
}

fn create_and_read_test() -> FunctionDef {
    names!(ada, rows, body, created, read);
    test("test_create_and_read", every_entity()).body(block![
        ada_and_hers(),
        set_rows(),
        set_body(),
        assign(created, py!(ada.post(rows, body).await)).paragraph(),
        assert_that(py!(created.status_code == 201), py!(created.text)),
        assign(read, py!(ada.get(f!("{}/{}", rows, created.json()["id"])).await)),
        assert_(py!(read.status_code == 200)).paragraph(),
        assert_(py!(read.json() == created.json())),
        assert_(py!(dict!(name => read.json()[name] for name in body) == body))
    ])
}

fn defaults_test() -> FunctionDef {
    names!(entity, ada, rows, body, required, created, name);
    test("test_defaults", each_with(Fact::Defaults)).body(block![
        ada_and_hers(),
        set_rows(),
        set_body(),
        assign(required, py!(dict!(name => body[name] for name in entity.required))),
        assign(created, py!(ada.post(rows, required).await.json())).paragraph(),
        assert_(py!(dict!(name => created[name] for name in entity.defaults) == entity.defaults))
            .paragraph()
    ])
}

fn required_fields_test() -> FunctionDef {
    names!(name, ada, rows, body, refused);
    test("test_required_fields", for_each("name", Fact::Required)).params([param(name, str)]).body(
        block![
            ada_and_hers(),
            set_rows(),
            set_body(),
            delete([py!(body[name])]),
            assign(refused, py!(ada.post(rows, body).await)).paragraph(),
            assert_(py!(refused.status_code == 422)).paragraph(),
            assert_(py!(refused.json()["errors"][0]["loc"] == ["body", name]))
        ],
    )
}

fn invalid_values_test() -> FunctionDef {
    names!(name, value, ada, rows, body, path, created, changed);
    test("test_invalid_values_are_refused", for_tuples(&["name", "value"], Fact::Invalid))
        .params([param(name, str), param(value, object)])
        .body(block![
            ada_and_hers(),
            set_rows(),
            set_body(),
            set_row(ada),
            set_path(),
            assign(created, py!(ada.post(rows, body | dict!(name => value)).await)).paragraph(),
            assign(changed, py!(ada.patch(path, dict!(name => value)).await)),
            assert_(py!((created.status_code, changed.status_code) == (422, 422))).paragraph()
        ])
}

fn update_test() -> FunctionDef {
    names!(name, value, ada, row, path, changed, updated_at);
    test("test_update_changes_what_is_named", for_tuples(&["name", "value"], Fact::Changes))
        .params([param(name, str), param(value, object)])
        .body(block![
            ada_and_hers(),
            set_row(ada),
            set_path(),
            assign(changed, py!(ada.patch(path, dict!(name => value)).await)).paragraph(),
            assert_that(py!(changed.status_code == 200), py!(changed.text)).paragraph(),
            assign(updated_at, py!(changed.json()["updated_at"])),
            assert_(py!(changed.json() == row | dict!(name => value, "updated_at" => updated_at))),
            assert_(py!(updated_at > row["updated_at"])),
            assert_(py!(ada.get(path).await.json() == changed.json()))
        ])
}

fn delete_test() -> FunctionDef {
    names!(ada, path);
    test("test_delete", every_entity()).body(block![
        ada_and_hers(),
        set_row(ada),
        set_path(),
        assert_(py!(ada.delete(path).await.status_code == 204)).paragraph(),
        assert_(py!(ada.get(path).await.status_code == 404)).paragraph(),
        assert_(py!(ada.patch(path, dict!()).await.status_code == 404)),
        assert_(py!(ada.delete(path).await.status_code == 404))
    ])
}

fn tenant_test() -> FunctionDef {
    names!(world, entity, ada, eve, ours, theirs, row, body, through_ours, through_theirs, answers);
    test("test_another_tenant_sees_nothing", each_with_room(2)).body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        assign(py!((ours, theirs)), py!((ada.organization().await, eve.organization().await))),
        assign(row, py!(entity.create(ada, ours).await)),
        assign(body, py!(entity.body(ada, ours).await)),
        assign(through_ours, py!(entity.path_of(ours, row))),
        assign(through_theirs, py!(entity.path_of(theirs, row))),
        assign(
            answers,
            py!([
                eve.get(entity.rows(ours)).await,
                eve.post(entity.rows(ours), body).await,
                eve.get(through_ours).await,
                eve.patch(through_ours, dict!()).await,
                eve.delete(through_ours).await,
                eve.get(through_theirs).await,
                eve.patch(through_theirs, dict!()).await,
                eve.delete(through_theirs).await
            ])
        )
        .paragraph(),
        assert_(py!(list!(answer.status_code for answer in answers) == [404] * 8)).paragraph(),
        assert_(py!(eve.get(entity.rows(theirs)).await.json()["items"] == [])),
        assert_(py!(ada.get(through_ours).await.json() == row))
    ])
}

fn token_test() -> FunctionDef {
    names!(world, entity, ada, rows, path, answers);
    test("test_needs_a_token", every_entity()).body(block![
        sign_up(world, ada),
        assign(rows, py!(entity.rows(ada.organization().await))),
        assign(path, py!(f!("{}/{}", rows, uuid4()))),
        assign(
            answers,
            py!([
                world.http.get(rows).await,
                world.http.post(rows, json = dict!()).await,
                world.http.get(path).await,
                world.http.patch(path, json = dict!()).await,
                world.http.delete(path).await
            ])
        )
        .paragraph(),
        assert_(py!(list!(answer.status_code for answer in answers) == [401] * 5)).paragraph()
    ])
}
