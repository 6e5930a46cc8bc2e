//! `backend/app/services/resources.py`: what services work with, in a server and in a worker alike.

use crate::core::database::Database;
use crate::core::sealing::Sealer;
use crate::core::settings::Settings;
use crate::python::builtins::{bool, classmethod};
use crate::python::standard::{SELF_TYPE, dataclass};
use crate::services::mailer::{Mailer, build_mailer};
use crate::services::storage::Storage;
use crate::services::storage_connection::build_storage;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.resources": Resources;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let (has_workers, has_files) = (spec.jobs.has_workers(), spec.storage.is_on());
    module("app.services.resources")
        .docstring("What services work with, in a server and in a worker alike.")
        .body(block![resources_class(has_workers, has_files)])
}

fn resources_class(has_workers: bool, has_files: bool) -> ClassDef {
    names!(settings, database, sealer, mailer, storage);
    class(Resources).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The database and what is beside it; one set a process."),
        annotate(settings, Settings),
        annotate(database, Database),
        annotate(sealer, Sealer),
        annotate(mailer, Mailer),
        has_files.then(|| annotate(storage, Storage)),
        resources_build(has_workers, has_files)
    ])
}

fn resources_build(has_workers: bool, has_files: bool) -> FunctionDef {
    names!(cls, settings, pooled);
    let storage = has_files.then(|| kw("storage", py!(build_storage(settings))));
    let pool = has_workers.then(|| kw("pooled", pooled));
    def("build")
        .decorator(classmethod)
        .params([untyped(cls), param(settings, Settings)])
        .params(
            has_workers.then(|| [star(), param(pooled, bool).default(true)]).into_iter().flatten(),
        )
        .returns(SELF_TYPE)
        .body(block![
            docstring("Prepare everything; no connection is made before the first use."),
            return_(py!(cls(
                settings = settings,
                database = Database(settings, ..pool),
                sealer = Sealer(settings),
                mailer = build_mailer(settings),
                ..storage
            )))
        ])
}
