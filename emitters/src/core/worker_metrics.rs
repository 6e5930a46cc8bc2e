//! `backend/app/core/worker_metrics.py`: the metrics of a worker, at a port of its own.

use crate::core::metrics::FOLDER;
use crate::core::settings::Settings;
use crate::python::prometheus::{
    CollectorRegistry, MultiProcessCollector, start_http_server, values,
};
use crate::python::standard::{Generator, TemporaryDirectory, contextmanager, os};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.worker_metrics": serving_work;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.core.worker_metrics")
        .docstring("The metrics of a worker, at a port of its own.")
        .body(block![serving_work_def()])
}

fn serving_work_def() -> FunctionDef {
    names!(settings, folder);
    let untyped_library = "type: ignore[no-untyped-call]  # the library types none of it";
    def(serving_work)
        .decorator(contextmanager)
        .params([param(settings, Settings)])
        .returns(py!(Generator[(None, None, None)]))
        .body(block![
            docstring(
                "Serve what the jobs of a worker count, as long as the context is open.\n\
                 \n\
                 Each job runs in a process of its own, one after another. All count in the files\n\
                 of their parent: else there would be more files with every job. Without a port\n\
                 nobody asks, and there are none."
            ),
            if_(
                py!(settings.worker_metrics_port == None),
                block![
                    assign(py!(values.ValueClass), py!(values.MutexValue)),
                    do_(yield_(None)),
                    return_none()
                ]
            ),
            with_as(
                py!(TemporaryDirectory()),
                folder,
                block![
                    assign(py!(os.environ[FOLDER]), folder),
                    assign(py!(values.ValueClass), py!(values.MultiProcessValue(os.getppid)))
                        .trailing_comment(untyped_library),
                    served(settings, folder, untyped_library)
                ]
            )
        ])
}

/// Serves what is in a folder; the parent itself counts nothing.
fn served(settings: Name, folder: Name, untyped_library: &str) -> Vec<Stmt> {
    names!(registry, server, thread);
    block![
        assign(registry, py!(CollectorRegistry())),
        do_(py!(MultiProcessCollector(registry, folder))).trailing_comment(untyped_library),
        assign(
            py!((server, thread)),
            py!(start_http_server(
                settings.worker_metrics_port,
                settings.worker_metrics_host,
                registry
            ))
        ),
        try_([do_(yield_(None))]).finally(block![
            do_(py!(server.shutdown())),
            do_(py!(server.server_close())),
            do_(py!(thread.join()))
        ])
    ]
}
