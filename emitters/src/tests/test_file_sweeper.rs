//! `backend/tests/test_file_sweeper.py`: what is left of files is removed, and nothing else.

use crate::core::settings::Settings;
use crate::manage::run;
use crate::models::base::utcnow;
use crate::models::package::Organization;
use crate::python::builtins::str;
use crate::python::sqlalchemy::delete;
use crate::python::standard::{Path, UUID, os, timedelta, uuid4};
use crate::services::file_sweeper::GRACE;
use crate::tests::files::{Files, send};
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_file_sweeper": leave;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_file_sweeper")
        .docstring("What is left of files is removed, and nothing else.")
        .body(block![
            leave_def(),
            test_an_upload_that_never_comes_is_forgotten(),
            test_a_file_that_is_there_stays(),
            test_bytes_that_nobody_has_are_removed(),
            test_the_files_of_a_deleted_organization_are_removed()
        ])
}

fn leave_def() -> FunctionDef {
    names!(settings, parts, age, path, time);
    def(leave)
        .params([param(settings, Settings), varargs(parts, str), param(age, timedelta)])
        .returns(Path)
        .body(block![
            docstring("Leave a file in the folder of the store."),
            assign(path, py!(Path(settings.storage_folder, *parts))),
            do_(py!(path.parent.mkdir(parents = true, exist_ok = true))),
            do_(py!(path.write_bytes(b"left"))),
            assign(time, py!((utcnow() - age).timestamp())),
            do_(py!(os.utime(path, (time, time)))),
            return_(path)
        ])
}

fn test_an_upload_that_never_comes_is_forgotten() -> FunctionDef {
    names!(files, settings);
    async_def("test_an_upload_that_never_comes_is_forgotten")
        .params([param(files, Files), param(settings, Settings)])
        .returns(none())
        .body(block![
            do_(py!(files.signed().await)),
            assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
            assert_(py!(files.count().await == 1)),
            do_(py!(files.change(expires_at = utcnow() - timedelta(seconds = 1)).await)),
            assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
            assert_(py!(files.count().await == 0))
        ])
}

fn test_a_file_that_is_there_stays() -> FunctionDef {
    names!(files, world, settings, direct, signed, announced, own, kept);
    async_def("test_a_file_that_is_there_stays")
        .params([param(files, Files), param(world, World), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(py!((direct, signed)), py!((files.stored().await, files.signed().await))),
            assign(announced, py!(signed["file"]["id"])),
            do_(py!(send(world.http, signed).await)),
            assign(own, py!(files.organization_id)),
            assign(
                kept,
                py!(list!(
                    leave(settings, own, one, age = 2 * GRACE)
                    for one in (direct, announced)
                ))
            ),
            assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
            assert_(py!(files.listed().await == [direct])),
            assert_(py!(list!(path.exists() for path in kept) == [true, true]))
        ])
}

fn test_bytes_that_nobody_has_are_removed() -> FunctionDef {
    names!(files, settings, own, other, old, young, foreign);
    async_def("test_bytes_that_nobody_has_are_removed")
        .params([param(files, Files), param(settings, Settings)])
        .returns(none())
        .body(block![
            assign(py!((own, other)), py!((files.organization_id, str(uuid4())))),
            assign(
                old,
                py!([
                    leave(settings, own, str(uuid4()), age = 2 * GRACE),
                    leave(settings, other, str(uuid4()), age = 2 * GRACE),
                    leave(settings, "incoming", uuid4().hex, age = 2 * GRACE)
                ])
            ),
            assign(young, py!(leave(settings, own, str(uuid4()), age = GRACE / 2))),
            assign(foreign, py!(leave(settings, own, "notes.txt", age = 2 * GRACE))),
            assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
            assert_(py!(list!(path for path in old if path.exists()) == [])),
            assert_(py!(young.exists())),
            assert_(py!(foreign.exists()))
        ])
}

fn test_the_files_of_a_deleted_organization_are_removed() -> FunctionDef {
    names!(files, settings, world, file_id, path, gone);
    async_def("test_the_files_of_a_deleted_organization_are_removed")
        .params([param(files, Files), param(settings, Settings), param(world, World)])
        .returns(none())
        .body(block![
            assign(file_id, py!(files.stored().await)),
            assign(path, py!(leave(settings, files.organization_id, file_id, age = 2 * GRACE))),
            assign(
                gone,
                py!(delete(Organization).r#where(Organization.id == UUID(files.organization_id)))
            ),
            do_(py!(world.change(gone).await)),
            assert_(py!(run(settings, ["run-sweeper"]).await == 0)),
            assert_(py!(!path.exists()))
        ])
}
