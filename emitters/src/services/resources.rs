//! `backend/app/services/resources.py`: what services work with, in a server and in a worker alike.

use crate::core::database::Database;
use crate::core::sealing::Sealer;
use crate::core::settings::Settings;
use crate::core::work_metrics::WorkMetrics;
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
    module("app.services.resources")
        .docstring("What services work with, in a server and in a worker alike.")
        .body(block![resources_class(spec)])
}

fn resources_class(spec: &Spec) -> ClassDef {
    names!(settings, database, sealer, mailer, storage, work);
    class(Resources).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The database and what is beside it; one set a process."),
        annotate(settings, Settings),
        annotate(database, Database),
        annotate(sealer, Sealer),
        annotate(mailer, Mailer),
        spec.storage.is_on().then(|| annotate(storage, Storage)),
        spec.observability.metrics.then(|| annotate(work, WorkMetrics)),
        resources_build(spec)
    ])
}

fn resources_build(spec: &Spec) -> FunctionDef {
    let has_workers = spec.jobs.has_workers();
    names!(cls, settings, pooled);
    let storage = spec.storage.is_on().then(|| kw("storage", py!(build_storage(settings))));
    let work = spec.observability.metrics.then(|| kw("work", py!(WorkMetrics())));
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
                ..storage,
                ..work
            )))
        ])
}
