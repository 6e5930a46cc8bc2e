//! `backend/tests/test_entity_relations.py`: what is unique in a tenant, and what a row refers to.

use crate::python::builtins::{max, range, str, tuple};
use crate::python::standard::{asyncio, uuid4};
use crate::spec::OnDelete;
use crate::tests::entities::{ENTITIES, Entities, Fact, outcome};
use crate::tests::entity::{Entity, Reference};
use crate::tests::test_entities::{
    ada_and_hers, for_cases, for_each, set_body, set_path, set_row, set_rows, test,
};
use crate::tests::world::{Caller, first_organization, sign_up};
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_entity_relations": refer;
}

/// The module; none where nothing is unique, and nothing refers to anything.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    let refers = entities.know(Fact::References);
    let references = refers.then(|| {
        block![
            refer_def(),
            [OnDelete::Cascade, OnDelete::Restrict, OnDelete::SetNull]
                .into_iter()
                .filter(|outcome| entities.have(*outcome))
                .map(deletion_test)
                .collect::<Vec<_>>(),
            same_tenant_test(),
            move_test(),
            race_test(),
            entities.know(Fact::WrongFiles).then(type_test)
        ]
    });
    let is_unique = entities.know(Fact::Unique);
    (is_unique || refers).then(|| {
        module("tests.test_entity_relations")
            .docstring("What is unique in a tenant, and what a row refers to.")
            .body(block![is_unique.then(unique_test), references])
    })
}

fn unique_test() -> FunctionDef {
    names!(world, entity, name, ada, eve, organization_id, rows, body, other, taken, twin, again);
    names!(theirs, elsewhere, renamed);
    test("test_a_value_is_unique_in_a_tenant", for_each("name", Fact::Unique))
        .params([param(name, str)])
        .body(block![
            sign_up(world, ada),
            sign_up(world, eve),
            first_organization(ada, organization_id),
            first_organization(eve, theirs),
            set_rows(),
            set_body(),
            assert_(py!(ada.post(rows, body).await.status_code == 201)),
            assign(other, py!(entity.create(ada, organization_id).await)),
            assign(taken, py!(dict!(name => body[name]))),
            assign(twin, py!(entity.body(ada, organization_id).await | taken)).paragraph(),
            assign(again, py!(ada.post(rows, twin).await)),
            assign(renamed, py!(ada.patch(entity.path_of(organization_id, other), taken).await)),
            assign(twin, py!(entity.body(eve, theirs).await | taken)),
            assign(elsewhere, py!(eve.post(entity.rows(theirs), twin).await)),
            assert_(py!((again.status_code, renamed.status_code) == (409, 409))).paragraph(),
            assert_(py!(elsewhere.status_code == 201))
        ])
}

/// A case for each reference, or for some.
#[must_use]
pub fn each_reference(condition: Option<Expr>) -> Expr {
    names!(entity, reference);
    let cases = match condition {
        Some(condition) => py!(list!(
            (entity, reference) for entity in ENTITIES for reference in entity.references
            if { condition }
        )),
        None => py!(list!(
            (entity, reference) for entity in ENTITIES for reference in entity.references
        )),
    };
    for_cases(&["reference"], cases)
}

/// A test of each reference, or of some.
#[must_use]
pub fn reference_test(name: &'static str, condition: Option<Expr>) -> FunctionDef {
    test(name, each_reference(condition)).params([param("reference", Reference)])
}

fn refer_def() -> FunctionDef {
    names!(entity, reference, caller, organization_id, row, path, key, changed);
    let column = || py!(reference.column);
    let made = py!(reference.create(caller, organization_id).await);
    async_def(refer)
        .params([
            param(caller, Caller),
            param(organization_id, str),
            param(entity, Entity),
            param(reference, Reference),
        ])
        .returns(py!(tuple[(str, str)]))
        .body(block![
            docstring("Add a row that refers to another one, and return the paths of both."),
            set_row(caller),
            set_path(),
            assign(key, py!(row[reference.column])),
            if_(
                py!(key == None),
                block![
                    assign(key, py!({ made }["id"])),
                    assign(changed, py!(caller.patch(path, dict!({ column() } => key)).await)),
                    assert_that(py!(changed.status_code == 200), py!(changed.text))
                ]
            ),
            return_(py!((
                path,
                f!("/organizations/{}/{}/{}", organization_id, reference.path, key)
            )))
        ])
}

/// `path, parent = await refer(ada, organization_id, entity, reference)`
#[must_use]
pub fn set_paths() -> Stmt {
    names!(ada, organization_id, entity, reference, path, parent);
    assign(py!((path, parent)), py!(refer(ada, organization_id, entity, reference).await))
}

fn deletion_test(on_delete: OnDelete) -> FunctionDef {
    names!(ada, path, parent, reference, freed);
    let goes = py!(ada.delete(parent).await.status_code == 204);
    let outcome = outcome(on_delete);
    let (name, checks) = match on_delete {
        OnDelete::Cascade => (
            "test_a_row_goes_with_what_it_refers_to",
            block![assert_(goes).paragraph(), assert_(py!(ada.get(path).await.status_code == 404))],
        ),
        OnDelete::Restrict => (
            "test_a_row_keeps_what_it_refers_to",
            block![
                assert_(py!(ada.delete(parent).await.status_code == 409)).paragraph(),
                assert_(py!(ada.delete(path).await.status_code == 204)),
                assign(freed, py!(if reference.is_freed { 204 } else { 409 }))
                    .comment("What can be restored needs what it refers to."),
                assert_(py!(ada.delete(parent).await.status_code == freed))
            ],
        ),
        OnDelete::SetNull => (
            "test_a_row_outlives_what_it_refers_to",
            block![
                assert_(goes).paragraph(),
                assert_(py!(ada.get(path).await.json()[reference.column] == None))
            ],
        ),
    };
    reference_test(name, Some(py!(reference.on_delete == outcome))).body(block![
        ada_and_hers(),
        set_paths(),
        checks
    ])
}

fn same_tenant_test() -> FunctionDef {
    names!(world, ada, eve, organization_id, reference, rows, body, path, foreign, key, value);
    names!(created, changed);
    reference_test("test_what_it_refers_to_is_of_the_same_tenant", None).body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        set_rows(),
        set_body(),
        set_row(ada),
        set_path(),
        assign(foreign, py!(reference.create(eve, eve.organization().await).await)),
        for_(
            key,
            py!((foreign["id"], str(uuid4()))),
            block![
                assign(value, py!(dict!(reference.column => key))),
                assign(created, py!(ada.post(rows, body | value).await)),
                assert_(py!(created.status_code == 409)),
                assign(changed, py!(ada.patch(path, value).await)),
                assert_(py!(changed.status_code == 409)),
                assert_(py!(changed.json()["code"] == "reference_missing"))
            ]
        )
        .paragraph()
    ])
}

/// `other = await reference.create(ada, organization_id)`
fn set_other() -> Stmt {
    names!(ada, organization_id, reference, other);
    assign(other, py!(reference.create(ada, organization_id).await))
}

fn move_test() -> FunctionDef {
    names!(ada, reference, path, other, moved);
    reference_test("test_a_row_can_refer_to_another", None).body(block![
        ada_and_hers(),
        set_row(ada),
        set_path(),
        set_other(),
        assign(moved, py!(ada.patch(path, dict!(reference.column => other["id"])).await))
            .paragraph(),
        assert_(py!(moved.json()[reference.column] == other["id"])).paragraph()
    ])
}

/// On PostgreSQL a change and a deletion lock what they share in one order.
fn race_test() -> FunctionDef {
    names!(ada, organization_id, reference, path, other, body, parent, changes, answers, answer);
    names!(_turn);
    let parent_path =
        py!(f!("/organizations/{}/{}/{}", organization_id, reference.path, other["id"]));
    reference_test("test_a_row_is_changed_while_what_it_refers_to_goes", None).body(block![
        ada_and_hers(),
        set_row(ada),
        set_path(),
        set_other(),
        assign(parent, parent_path),
        assign(body, py!(dict!(reference.column => other["id"]))),
        assert_(py!(ada.patch(path, body).await.status_code == 200)),
        assign(changes, py!(list!(ada.patch(path, body) for _turn in range(5)))).paragraph(),
        assign(answers, py!(asyncio.gather(*changes, ada.delete(parent)).await)),
        assert_(py!(max(generator!(answer.status_code for answer in answers)) < 500)).paragraph()
    ])
}

/// The test that a file of another type than a column takes is refused.
fn type_test() -> FunctionDef {
    names!(entity, reference, create, ada, organization_id, path, other, changed);
    let wrong = py!(list!(
        (entity, reference.column, reference.wrong_file)
        for entity in ENTITIES for reference in entity.references
        if reference.wrong_file != None
    ));
    names!(column);
    let factory = crate::tests::entity::Factory;
    test("test_a_column_takes_some_types_of_files_only", for_cases(&["column", "create"], wrong))
        .params([param(column, str), param(create, factory)])
        .body(block![
            ada_and_hers(),
            set_row(ada),
            set_path(),
            assign(other, py!(create(ada, organization_id).await)),
            assign(changed, py!(ada.patch(path, dict!(column => other["id"])).await)).paragraph(),
            assert_(py!(changed.status_code == 409)).paragraph(),
            assert_(py!(changed.json()["code"] == "wrong_file_type"))
        ])
}
