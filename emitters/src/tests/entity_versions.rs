//! Tests of an entity: that no change overwrites one that its author has not seen.

use crate::tests::entity::{Tested, ada_and_hers, test};
use crate::tests::entity_values::changes;
use astgen_pyast::prelude::*;

/// The tests; none where nothing can be changed.
#[must_use]
pub fn version_tests(tested: &Tested<'_>) -> Vec<FunctionDef> {
    let field = tested.entity.fields.iter().find_map(|field| {
        let value = changes(field).into_iter().next()?;
        Some((field.column.as_str(), value))
    });
    let Some((column, value)) = field else { return Vec::new() };
    let change = py!(dict!(column => value));
    let required = tested.entity.requires_if_match.then(|| required_test(tested, &change));
    [overwrite_test(tested, &change)].into_iter().chain(required).collect()
}

fn overwrite_test(tested: &Tested<'_>, change: &Expr) -> FunctionDef {
    names!(ada, path, seen, changed, late);
    test("test_no_change_is_overwritten_unseen").body(block![
        ada_and_hers(),
        tested.set_row(ada),
        tested.set_path(),
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

fn required_test(tested: &Tested<'_>, change: &Expr) -> FunctionDef {
    names!(ada, path, blind);
    test("test_a_change_names_its_version").body(block![
        ada_and_hers(),
        tested.set_row(ada),
        tested.set_path(),
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
