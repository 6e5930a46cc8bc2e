//! Tests of an entity: what is unique in a tenant, and what a row refers to.

use crate::entity_names::framed;
use crate::python::builtins::{max, range, str};
use crate::python::standard::{asyncio, uuid4};
use crate::spec::{Field, FieldKind, File, FileType, OnDelete, Reference};
use crate::tests::casting::starting_plan;
use crate::tests::entity::{Tested, ada_and_hers, test, variable};
use crate::tests::entity_rows::{has_room_for_files, most_rows, stands_alone};
use crate::tests::factories::{self, create_file};
use crate::tests::world::{first_organization, sign_up};
use astgen_pyast::prelude::*;

/// A test for each unique field.
#[must_use]
pub fn unique_tests(tested: &Tested<'_>) -> Vec<FunctionDef> {
    let is_reference = |field: &&Field| matches!(field.kind, FieldKind::Reference(_));
    let unique: Vec<&Field> = tested.entity.fields.iter().filter(|field| field.unique).collect();
    // A body of another tenant, or one with a second unique value, would be refused for that.
    let is_plain = unique.len() == 1 && stands_alone(tested.needs, tested.entity);
    let values = unique.into_iter().filter(|field| !is_reference(field));
    values.map(|field| unique_test(tested, field, is_plain)).collect()
}

fn unique_test(tested: &Tested<'_>, field: &Field, is_plain: bool) -> FunctionDef {
    names!(world, ada, eve, organization_id, body, other, twin, again, renamed, elsewhere, theirs);
    let Tested { rows, rows_of, create, write, .. } = *tested;
    let column = field.column.as_str();
    let twin_of = |caller: Name, organization: Name| {
        py!(write(caller, organization).await | dict!(column => body[column]))
    };
    let twins = (!is_plain).then(|| {
        let theirs_is = first_organization(eve, theirs);
        [assign(twin, twin_of(ada, organization_id)), theirs_is]
    });
    let twin = if is_plain { body } else { twin };
    let posted = match is_plain {
        true => py!(eve.post(rows_of(eve.organization().await), body).await),
        false => {
            let body = twin_of(eve, theirs);
            py!(eve.post(rows_of(theirs), body).await)
        }
    };
    test(framed("test_", field.column, "_is_unique_in_a_tenant")).body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        tested.set_rows(),
        tested.set_body(),
        assert_(py!(ada.post(rows, body).await.status_code == 201)),
        assign(other, py!(create(ada, organization_id).await)),
        twins,
        assign(again, py!(ada.post(rows, twin).await)).paragraph(),
        assign(
            renamed,
            py!(ada.patch(f!("{}/{}", rows, other["id"]), dict!(column => body[column])).await)
        ),
        assign(elsewhere, posted),
        assert_(py!((again.status_code, renamed.status_code) == (409, 409))).paragraph(),
        assert_(py!(elsewhere.status_code == 201))
    ])
}

/// The tests of each reference to rows that the tests can make.
#[must_use]
pub fn reference_tests(tested: &Tested<'_>) -> Vec<FunctionDef> {
    let fields = tested.entity.fields.iter().filter_map(|field| match &field.kind {
        FieldKind::Reference(reference) => Some((field, reference)),
        _ => None,
    });
    let plan = tested.spec.billing.as_ref().map(starting_plan);
    let is_made = |reference: &Reference| {
        if reference.file.is_some() {
            return Some(has_room_for_files(plan));
        }
        let most = most_rows(tested.needs, tested.spec.entity(&reference.to)?)?;
        Some(most >= 3)
    };
    let fields = fields.filter(|(_, reference)| is_made(reference) == Some(true));
    let tests = fields.map(|(field, reference)| {
        [
            Some(deletion_test(tested, field, reference)),
            Some(same_tenant_test(tested, field, reference)),
            Some(move_test(tested, field, reference)),
            Some(race_test(tested, field, reference)),
            reference.file.as_ref().and_then(|file| type_test(tested, field, file)),
        ]
    });
    tests.flatten().flatten().collect()
}

fn deletion_test(tested: &Tested<'_>, field: &Field, reference: &Reference) -> FunctionDef {
    names!(ada, organization_id, parent, path);
    let (row, column) = (tested.row, field.column.as_str());
    let owner = variable_of(tested, field);
    let made = factories::target(reference, ada, organization_id);
    let key = if field.optional { py!(owner["id"]) } else { py!(row[column]) };
    let pointed = field.optional.then(|| {
        [
            assign(owner, made),
            assert_(py!(ada.patch(path, dict!(column => owner["id"])).await.status_code == 200)),
        ]
    });
    let parent_path = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}/", reference.to.path)),
        formatted(key),
    ]);
    let goes = py!(ada.delete(parent).await.status_code == 204);
    // The path is set where it is needed first.
    let is_path_late = !field.optional && reference.on_delete == OnDelete::Cascade;
    let is_gone = assert_(py!(ada.get(path).await.status_code == 404));
    let (name, outcome) = match reference.on_delete {
        OnDelete::Cascade => (
            "test_goes_with_its_",
            block![
                assert_(goes).paragraph(),
                is_path_late.then(|| tested.set_path().paragraph()),
                if is_path_late { is_gone } else { is_gone.paragraph() }
            ],
        ),
        OnDelete::Restrict => (
            "test_keeps_its_",
            block![
                assert_(py!(ada.delete(parent).await.status_code == 409)).paragraph(),
                assert_(py!(ada.delete(path).await.status_code == 204)).paragraph(),
                // What can be restored needs what it refers to.
                (is_kept_apart(tested, reference)).then(|| assert_(goes))
            ],
        ),
        OnDelete::SetNull => (
            "test_outlives_its_",
            block![
                assert_(goes).paragraph(),
                assert_(py!(ada.get(path).await.json()[column] == None)).paragraph()
            ],
        ),
    };
    test(framed(name, field.name, "")).body(block![
        ada_and_hers(),
        tested.set_row(ada),
        (!is_path_late).then(|| tested.set_path()),
        pointed,
        assign(parent, parent_path),
        outcome
    ])
}

/// Whether a deleted row does not keep what it refers to.
fn is_kept_apart(tested: &Tested<'_>, reference: &Reference) -> bool {
    let target = tested.spec.entity(&reference.to);
    !tested.entity.soft_delete || target.is_some_and(|target| target.soft_delete)
}

fn same_tenant_test(tested: &Tested<'_>, field: &Field, reference: &Reference) -> FunctionDef {
    names!(world, ada, eve, organization_id, body, foreign, created, changed);
    let (rows, row) = (tested.rows, tested.row);
    let made = factories::target(reference, eve, py!(eve.organization().await));
    let (column, key) = (field.column.as_str(), field.column);
    test(framed("test_", field.name, "_must_be_of_the_same_tenant")).body(block![
        sign_up(world, ada),
        sign_up(world, eve),
        first_organization(ada, organization_id),
        tested.set_rows(),
        tested.set_body(),
        tested.set_row(ada),
        assign(foreign, made),
        for_(
            key,
            py!((foreign["id"], str(uuid4()))),
            block![
                assign(created, py!(ada.post(rows, body | dict!(column => key)).await)),
                assert_(py!(created.status_code == 409)),
                assign(
                    changed,
                    py!(ada.patch(f!("{}/{}", rows, row["id"]), dict!(column => key)).await)
                ),
                assert_(py!(changed.status_code == 409)),
                assert_(py!(changed.json()["code"] == "reference_missing"))
            ]
        )
        .paragraph()
    ])
}

fn move_test(tested: &Tested<'_>, field: &Field, reference: &Reference) -> FunctionDef {
    names!(ada, organization_id, path, moved);
    let other = variable_of(tested, field);
    let made = factories::target(reference, ada, organization_id);
    let column = field.column.as_str();
    test(framed("test_can_move_to_another_", field.name, "")).body(block![
        ada_and_hers(),
        tested.set_row(ada),
        assign(other, made),
        tested.set_path(),
        assign(moved, py!(ada.patch(path, dict!(column => other["id"])).await)).paragraph(),
        assert_(py!(moved.json()[column] == other["id"])).paragraph()
    ])
}

/// On PostgreSQL a change and a deletion lock what they share in one order.
fn race_test(tested: &Tested<'_>, field: &Field, reference: &Reference) -> FunctionDef {
    names!(ada, organization_id, path, body, parent, changes, answers, answer, _turn);
    let other = variable_of(tested, field);
    let made = factories::target(reference, ada, organization_id);
    let column = field.column.as_str();
    let parent_path = f_string([
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}/", reference.to.path)),
        formatted(py!(other["id"])),
    ]);
    test(framed("test_is_changed_while_its_", field.name, "_goes")).body(block![
        ada_and_hers(),
        tested.set_row(ada),
        assign(other, made),
        tested.set_path(),
        assign(parent, parent_path),
        assign(body, py!(dict!(column => other["id"]))),
        assert_(py!(ada.patch(path, body).await.status_code == 200)),
        assign(changes, py!(list!(ada.patch(path, body) for _turn in range(5)))).paragraph(),
        assign(answers, py!(asyncio.gather(*changes, ada.delete(parent)).await)),
        assert_(py!(max(generator!(answer.status_code for answer in answers)) < 500)).paragraph()
    ])
}

/// The test that a file of another type than the field takes is refused; none where it takes all.
fn type_test(tested: &Tested<'_>, field: &Field, file: &File) -> Option<FunctionDef> {
    names!(ada, organization_id, other, changed);
    let (rows_of, row) = (tested.rows_of, tested.row);
    let column = field.column.as_str();
    let taken = |one: &FileType| file.types.is_empty() || file.types.contains(one);
    let foreign = FileType::ALL.into_iter().find(|one| !taken(one))?;
    let sample = factories::sample_file(foreign).map(arg);
    let path = py!(f!("{}/{}", rows_of(organization_id), row["id"]));
    Some(test(framed("test_", field.name, "_takes_some_types_only")).body(block![
        ada_and_hers(),
        tested.set_row(ada),
        assign(other, py!(create_file(ada, organization_id, ..sample).await)),
        assign(changed, py!(ada.patch(path, dict!(column => other["id"])).await)).paragraph(),
        assert_(py!(changed.status_code == 409)).paragraph(),
        assert_(py!(changed.json()["code"] == "wrong_file_type"))
    ]))
}

/// A variable for the row that a reference points at: `project`.
fn variable_of(tested: &Tested<'_>, field: &Field) -> Name {
    let wanted = variable(field.name, name("other"));
    if wanted == tested.row { name("other") } else { wanted }
}
