//! `backend/tests/test_statements.py`: what a request costs in statements.

use crate::python::builtins::{len, list, str};
use crate::spec::{Entity, Spec};
use crate::tests::casting::open_entity;
use crate::tests::factories::create;
use crate::tests::world::{first_organization, sign_up, world_test};
use astgen_pyast::prelude::*;

/// The module; none where there is nothing to read.
#[must_use]
pub fn emit(spec: &Spec) -> Option<Module> {
    let entity = open_entity(spec, 1)?;
    let docstring = "What a request costs in statements.";
    Some(
        module("tests.test_statements")
            .docstring(docstring)
            .body(block![test_a_read_takes_the_caller_the_tenant_and_the_row(entity)]),
    )
}

fn test_a_read_takes_the_caller_the_tenant_and_the_row(entity: &Entity) -> FunctionDef {
    names!(world, statements, ada, organization_id, row, rows, path, asked);
    let create = create(&entity.names);
    let path_of_rows = [
        string("/organizations/"),
        formatted(organization_id),
        string(format!("/{}", entity.names.path)),
    ];
    world_test("test_a_read_takes_the_caller_the_tenant_and_the_row")
        .params([param(statements, py!(list[str]))])
        .body(block![
            sign_up(world, ada),
            first_organization(ada, organization_id),
            assign(row, py!(create(ada, organization_id).await)),
            assign(rows, f_string(path_of_rows)),
            for_(
                path,
                py!((rows, f!("{}/{}", rows, row["id"]))),
                block![
                    do_(py!(statements.clear())),
                    assert_(py!(ada.get(path).await.status_code == 200)),
                    assign(
                        asked,
                        py!(list!(sent for sent in statements if !sent.startswith("BEGIN")))
                    ),
                    assert_(py!(len(asked) <= 3))
                ]
            )
        ])
}
