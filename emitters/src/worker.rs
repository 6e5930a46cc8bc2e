//! `backend/app/worker.py`: the worker: `python -m app.worker` runs the jobs of the queue, each in a process.

use crate::core::database::Database;
use crate::core::jobs::dispatch_through;
use crate::core::logging::configure_logging;
use crate::core::settings::Settings;
use crate::core::tracing::{start_tracing, stop_tracing};
use crate::core::worker_metrics::serving_work;
use crate::python::builtins::{__name__, RuntimeError, str};
use crate::python::redis::Redis;
use crate::python::rq::{JSONSerializer, Queue, Worker};
use crate::python::standard::{UUID, asyncio};
use crate::services::job_runner::JobRunner;
use crate::services::resources::Resources;
use crate::services::rq_dispatcher::{QUEUE, RqDispatcher};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.worker": WorkerSettingsError, WillingWorker, main, check_role, run_job, work_off, queue_url;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let row_level_security = spec.tenancy.row_level_security;
    module("app.worker")
        .docstring(
            "The worker: `python -m app.worker` runs the jobs of the queue, each in a process.",
        )
        .body(block![
            worker_settings_error_class()
                .comment("RQ and redis leave some of their types open.")
                .comment("pyright: reportUnknownMemberType=false"),
            willing_worker_class(),
            main_def(spec),
            row_level_security.then(check_role_def),
            run_job_def(),
            work_off_def(spec.observability.tracing),
            queue_url_def(),
            if_(py!(__name__ == "__main__"), [do_(py!(main()))])
        ])
}

fn worker_settings_error_class() -> ClassDef {
    class(WorkerSettingsError)
        .base(RuntimeError)
        .body([docstring("The settings leave the worker without work.")])
}

fn willing_worker_class() -> ClassDef {
    class(WillingWorker).base(Worker).body(block![
        docstring(
            "A worker that stops when it is told to.\n\
             \n\
             RQ stops by an exception, which is lost where RQ itself catches all of them, as in\n\
             the moment in which a job ends."
        ),
        def("handle_warm_shutdown_request").params([untyped("self")]).returns(none()).body(block![
            docstring("Note the wish too, which RQ looks at before the next job."),
            assign(py!(self._stop_requested), true)
        ])
    ])
}

fn main_def(spec: &Spec) -> FunctionDef {
    names!(settings, connection, queue, worker);
    let work = do_(py!(worker.work(logging_level = settings.log_level)));
    let work = match spec.observability.metrics {
        true => block![with(py!(serving_work(settings)), [work])],
        false => block![work],
    };
    def(main).returns(none()).body(block![
        docstring("Work until told to stop; a job that runs by then comes to its end."),
        assign(settings, py!(Settings())),
        do_(py!(configure_logging(settings))),
        spec.tenancy.row_level_security.then(|| do_(py!(asyncio.run(check_role(settings))))),
        assign(connection, py!(Redis.from_url(queue_url(settings)))),
        assign(queue, py!(Queue(QUEUE, connection = connection, serializer = JSONSerializer))),
        assign(
            worker,
            py!(WillingWorker([queue], connection = connection, serializer = JSONSerializer))
        ),
        work
    ])
}

fn check_role_def() -> FunctionDef {
    names!(settings, database);
    async_def(check_role).params([param(settings, Settings)]).returns(none()).body(block![
        docstring("Refuse to work as a role that would not keep the tenants apart."),
        assign(database, py!(Database(settings, pooled = false))),
        try_([do_(py!(database.check_role().await))]).finally([do_(py!(database.close().await))])
    ])
}

fn run_job_def() -> FunctionDef {
    names!(job_id, settings);
    def(run_job).params([param(job_id, str)]).returns(none()).body(block![
        docstring("Run one job. RQ calls this, by name, in a process of its own."),
        assign(settings, py!(Settings())),
        do_(py!(configure_logging(settings))),
        do_(py!(asyncio.run(work_off(settings, UUID(job_id)))))
    ])
}

fn work_off_def(is_traced: bool) -> FunctionDef {
    names!(settings, job_id, resources, dispatcher, traces);
    async_def(work_off)
        .params([param(settings, Settings), param(job_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Run one job on a loop of its own, and hand over the jobs that it asks for."),
            is_traced.then(|| assign(traces, py!(start_tracing(settings)))),
            assign(resources, py!(Resources.build(settings, pooled = false))),
            assign(dispatcher, py!(RqDispatcher(queue_url(settings)))),
            do_(py!(dispatch_through(resources.database, dispatcher))),
            try_([do_(py!(JobRunner(resources).run(job_id).await))]).finally(block![
                do_(py!(dispatcher.close().await)),
                do_(py!(resources.database.close().await)),
                is_traced.then(|| do_(py!(stop_tracing(traces).await)))
            ])
        ])
}

fn queue_url_def() -> FunctionDef {
    names!(settings);
    def(queue_url).params([param(settings, Settings)]).returns(str).body(block![
        docstring("Return where the queue is."),
        if_(
            py!(settings.redis_url == None),
            [raise(py!(WorkerSettingsError(
                "REDIS_URL is not set: jobs run in the server itself"
            )))]
        ),
        return_(py!(settings.redis_url.get_secret_value()))
    ])
}
