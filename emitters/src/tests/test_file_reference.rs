//! `backend/tests/test_file_reference.py`: which files a field takes.

use crate::core::errors::ConflictError;
use crate::core::file_types::FileType as Type;
use crate::python::builtins::{bytes, frozenset, str};
use crate::python::pytest::pytest;
use crate::python::standard::UUID;
use crate::services::file_reference::{FileRule, require_file};
use crate::spec::FileType;
use crate::tests::factories::sample_file;
use crate::tests::files::{Files, TEXT, files_of};
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_file_reference": RULE, refusal;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_file_reference").docstring("Which files a field takes.").body(block![
        assign(RULE, py!(FileRule(3, frozenset(set!(Type.TEXT))))),
        refusal_def(),
        test_a_field_takes_what_it_says(),
        test_a_file_that_is_still_to_come_is_none(),
        test_the_files_of_others_are_none()
    ])
}

fn refusal_def() -> FunctionDef {
    names!(files, file_id, organization_id, session, error);
    async_def(refusal)
        .params([param(files, Files), param(file_id, str)])
        .returns(py!(str | None))
        .body(block![
            docstring("Return the code of the refusal of a file; none if it is taken."),
            assign(organization_id, py!(UUID(files.organization_id))),
            async_with_as(
                py!(files.world.database.tenant_session(organization_id)),
                session,
                [try_([do_(py!(require_file(session, UUID(file_id), RULE).await))]).except_as(
                    ConflictError,
                    error,
                    [return_(py!(error.problem_code))]
                )]
            ),
            return_(none())
        ])
}

fn test_a_field_takes_what_it_says() -> FunctionDef {
    names!(files, content, content_type, code, sent);
    let [data, document] = sample_file(FileType::Json);
    let cases = py!([
        (b"abc", TEXT, None),
        (b"abcd", TEXT, "file_too_large"),
        (document, data, "wrong_file_type")
    ]);
    async_def("test_a_field_takes_what_it_says")
        .decorator(py!(pytest.mark.parametrize(("content", "content_type", "code"), cases)))
        .params([
            param(files, Files),
            param(content, bytes),
            param(content_type, str),
            param(code, py!(str | None)),
        ])
        .returns(none())
        .body(block![
            assign(sent, py!(files.upload(content, content_type = content_type).await)),
            assert_(py!(refusal(files, sent.json()["id"]).await == code))
        ])
}

fn test_a_file_that_is_still_to_come_is_none() -> FunctionDef {
    names!(files, signed);
    async_def("test_a_file_that_is_still_to_come_is_none")
        .params([param(files, Files)])
        .returns(none())
        .body(block![
            assign(signed, py!(files.signed(b"abc").await)),
            assert_(py!(refusal(files, signed["file"]["id"]).await == "reference_missing"))
        ])
}

fn test_the_files_of_others_are_none() -> FunctionDef {
    names!(files, world, eve, sent);
    async_def("test_the_files_of_others_are_none")
        .params([param(files, Files), param(world, World)])
        .returns(none())
        .body(block![
            assign(eve, py!(files_of(world, world.sign_up("eve@example.com").await).await)),
            assign(sent, py!(eve.upload(b"abc").await)),
            assert_(py!(refusal(files, sent.json()["id"]).await == "reference_missing")),
            assert_(py!(refusal(eve, sent.json()["id"]).await == None))
        ])
}
