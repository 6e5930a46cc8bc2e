//! `backend/tests/test_entity_versions.py`: that no change overwrites one that its author has not seen.

use crate::python::builtins::dict;
use crate::tests::entities::{Entities, Fact};
use crate::tests::test_entities::{ada_and_hers, each_that, each_with, set_path, set_row, test};
use astgen_pyast::prelude::*;

/// The module; none where nothing can be changed.
#[must_use]
pub fn emit(entities: &Entities<'_>) -> Option<Module> {
    entities.know(Fact::Changes).then(|| {
        module("tests.test_entity_versions")
            .docstring("No change overwrites one that its author has not seen.")
            .body(block![overwrite_test(), entities.know(Fact::NeedsVersion).then(required_test)])
    })
}

/// `change = dict(entity.changes[:1])`
fn set_change() -> Stmt {
    names!(entity, change);
    assign(change, py!(dict(entity.changes[..1])))
}

fn overwrite_test() -> FunctionDef {
    names!(ada, path, change, seen, changed, late);
    test("test_no_change_is_overwritten_unseen", each_with(Fact::Changes)).body(block![
        ada_and_hers(),
        set_row(ada),
        set_path(),
        set_change(),
        assign(seen, py!(ada.get(path).await.headers["ETag"])),
        assign(changed, py!(ada.patch(path, change, if_match = seen).await)).paragraph(),
        assign(
            late,
            py!([
                ada.patch(path, change, if_match = seen).await,
                ada.delete(path, if_match = seen).await
            ])
        ),
        assert_(py!(changed.status_code == 200)).paragraph(),
        assert_(py!(list!(answer.status_code for answer in late) == [412, 412])),
        assign(seen, py!(ada.get(path).await.headers["ETag"])),
        assert_(py!(changed.headers["ETag"] == seen)),
        assert_(py!(ada.delete(path, if_match = seen).await.status_code == 204))
    ])
}

fn required_test() -> FunctionDef {
    names!(entity, ada, path, change, blind);
    let both = each_that(py!(entity.needs_version && entity.changes));
    test("test_a_change_names_its_version", both).body(block![
        ada_and_hers(),
        set_row(ada),
        set_path(),
        set_change(),
        assign(
            blind,
            py!([
                ada.patch(path, change, if_match = None).await,
                ada.delete(path, if_match = None).await
            ])
        )
        .paragraph(),
        assert_(py!(list!(answer.status_code for answer in blind) == [428, 428])).paragraph()
    ])
}
