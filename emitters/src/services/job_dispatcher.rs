//! `backend/app/services/job_dispatcher.py`: how jobs get from a commit to where they run.

use crate::core::jobs::{Dispatcher, Ticket};
use crate::python::builtins::set;
use crate::python::standard::{Sequence, UUID, asyncio};
use crate::services::job_runner::JobRunner;
use crate::services::resources::Resources;
use crate::services::rq_dispatcher::RqDispatcher;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_dispatcher": INLINE_JOBS, SHUTDOWN_SECONDS, InlineDispatcher,
        build_dispatcher;
}

/// The module.
#[must_use]
pub fn emit(has_workers: bool) -> Module {
    module("app.services.job_dispatcher")
        .docstring("How jobs get from a commit to where they run.")
        .body(block![
            assign(INLINE_JOBS, 4),
            assign(SHUTDOWN_SECONDS, 10),
            inline_dispatcher_class(),
            build_dispatcher_def(has_workers)
        ])
}

fn inline_dispatcher_class() -> ClassDef {
    class(InlineDispatcher).body(block![
        docstring("Runs jobs in this process, a few at a time, beside the requests."),
        inline_dispatcher_init(),
        inline_dispatcher_dispatch(),
        inline_dispatcher_run(),
        inline_dispatcher_drain(),
        inline_dispatcher_close()
    ])
}

fn inline_dispatcher_init() -> FunctionDef {
    names!(runner);
    def("__init__").params([untyped("self"), param(runner, JobRunner)]).returns(none()).body(
        block![
            docstring("Start with nothing to do."),
            assign(py!(self.runner), runner),
            assign(py!(self.places), py!(asyncio.Semaphore(INLINE_JOBS))),
            ann_assign(py!(self.tasks), py!(set[asyncio.Task[None]]), py!(set()))
        ],
    )
}

fn inline_dispatcher_dispatch() -> FunctionDef {
    names!(tickets, job_id, task);
    def("dispatch")
        .params([untyped("self"), param(tickets, py!(Sequence[Ticket]))])
        .returns(none())
        .body(block![
            docstring("Run jobs as soon as there is a place."),
            for_(
                py!((job_id, _)),
                tickets,
                block![
                    assign(task, py!(asyncio.create_task(self.run(job_id)))),
                    do_(py!(self.tasks.add(task))),
                    do_(py!(task.add_done_callback(self.tasks.discard)))
                ]
            )
        ])
}

fn inline_dispatcher_run() -> FunctionDef {
    names!(job_id);
    async_def("run").params([untyped("self"), param(job_id, UUID)]).returns(none()).body(block![
        docstring("Wait for a place and run a job."),
        async_with(py!(self.places), [do_(py!(self.runner.run(job_id).await))])
    ])
}

fn inline_dispatcher_drain() -> FunctionDef {
    async_def("drain").params([untyped("self")]).returns(none()).body(block![
        docstring("Wait until every job has run, those too that other jobs ask for meanwhile."),
        while_(py!(self.tasks), [do_(py!(asyncio.wait(self.tasks).await))])
    ])
}

fn inline_dispatcher_close() -> FunctionDef {
    names!(late, task);
    async_def("close").params([untyped("self")]).returns(none()).body(block![
        docstring("Let jobs come to their end, but not for long."),
        if_(py!(!self.tasks), [return_none()]),
        assign(py!((_, late)), py!(asyncio.wait(self.tasks, timeout = SHUTDOWN_SECONDS).await)),
        for_(task, late, [do_(py!(task.cancel()))])
    ])
}

fn build_dispatcher_def(has_workers: bool) -> FunctionDef {
    names!(resources, redis_url);
    def(build_dispatcher).params([param(resources, Resources)]).returns(Dispatcher).body(block![
        docstring(if has_workers {
            "Choose where jobs run: behind Redis if there is one, else in this process."
        } else {
            "Have jobs run in this process."
        }),
        has_workers.then(|| block![
            assign(redis_url, py!(resources.settings.redis_url)),
            if_(py!(redis_url != None), [return_(py!(RqDispatcher(redis_url.get_secret_value())))])
        ]),
        return_(py!(InlineDispatcher(JobRunner(resources))))
    ])
}
