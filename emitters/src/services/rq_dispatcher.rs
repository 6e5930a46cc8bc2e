//! `backend/app/services/rq_dispatcher.py`: jobs on their way to workers: a queue of RQ that carries nothing but ids.

use crate::core::errors::UnavailableError;
use crate::core::jobs::Ticket;
use crate::python::anyio::{CapacityLimiter, to_thread};
use crate::python::builtins::{__name__, len, set, str};
use crate::python::redis::{Redis, RedisError};
use crate::python::rq::{DuplicateJobError, JSONSerializer, Queue};
use crate::python::standard::{Sequence, asyncio, logging, suppress};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.rq_dispatcher": logger, QUEUE, RUN_JOB, ANSWER_SECONDS, LONGEST_JOB_SECONDS,
        FORGET_AFTER_SECONDS, SHUTDOWN_SECONDS, THREADS, RqDispatcher, connect;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.rq_dispatcher")
        .docstring("Jobs on their way to workers: a queue of RQ that carries nothing but ids.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(QUEUE, spec.project.name.as_str())
                .paragraph()
                .comment("RQ and redis leave some of their types open.")
                .comment("pyright: reportUnknownMemberType=false"),
            assign(RUN_JOB, "app.worker.run_job"),
            assign(ANSWER_SECONDS, 5),
            assign(LONGEST_JOB_SECONDS, 3600),
            assign(FORGET_AFTER_SECONDS, 60),
            assign(SHUTDOWN_SECONDS, 10),
            assign(THREADS, 4)
                .comment("Not those of everybody: a Redis that hangs would hold them all."),
            rq_dispatcher_class(),
            connect_def()
        ])
}

fn rq_dispatcher_class() -> ClassDef {
    class(RqDispatcher).body(block![
        docstring("Puts jobs into the queue. Without Redis they wait in the database."),
        rq_dispatcher_init(),
        rq_dispatcher_dispatch(),
        rq_dispatcher_push(),
        rq_dispatcher_push_all(),
        rq_dispatcher_probe(),
        rq_dispatcher_ping(),
        rq_dispatcher_drain(),
        rq_dispatcher_close()
    ])
}

fn rq_dispatcher_init() -> FunctionDef {
    names!(redis_url);
    def("__init__").params([untyped("self"), param(redis_url, str)]).returns(none()).body(block![
        docstring("Prepare to connect; the serializer makes the queue safe to read."),
        assign(py!(self.redis), py!(connect(redis_url))),
        assign(py!(self.limiter), py!(CapacityLimiter(THREADS))),
        assign(py!(self.probing), py!(CapacityLimiter(1))),
        assign(
            py!(self.queue),
            py!(Queue(QUEUE, connection = self.redis, serializer = JSONSerializer))
        ),
        ann_assign(py!(self.tasks), py!(set[asyncio.Task[None]]), py!(set()))
    ])
}

fn rq_dispatcher_dispatch() -> FunctionDef {
    names!(tickets, task);
    def("dispatch")
        .params([untyped("self"), param(tickets, py!(Sequence[Ticket]))])
        .returns(none())
        .body(block![
            docstring("Put jobs into the queue, from a thread."),
            if_(py!(!tickets), [return_none()]),
            assign(task, py!(asyncio.create_task(self.push(tickets)))),
            do_(py!(self.tasks.add(task))),
            do_(py!(task.add_done_callback(self.tasks.discard)))
        ])
}

fn rq_dispatcher_push() -> FunctionDef {
    names!(tickets);
    async_def("push")
        .params([untyped("self"), param(tickets, py!(Sequence[Ticket]))])
        .returns(none())
        .body(block![
            docstring("Put jobs into the queue; what fails is left to the clock."),
            try_([do_(py!(to_thread
                .run_sync(self.push_all, tickets, limiter = self.limiter)
                .await))])
            .except(
                RedisError,
                [do_(py!(logger.warning(
                    "Redis does not answer: %d jobs wait",
                    len(tickets),
                    exc_info = true
                )))]
            )
        ])
}

fn rq_dispatcher_push_all() -> FunctionDef {
    names!(tickets, job_id, attempts);
    def("push_all")
        .params([untyped("self"), param(tickets, py!(Sequence[Ticket]))])
        .returns(none())
        .body(block![
            docstring("Put jobs into the queue, each attempt at most once at a time."),
            for_(
                py!((job_id, attempts)),
                tickets,
                [with(
                    py!(suppress(DuplicateJobError)),
                    [do_(py!(self.queue.enqueue_call(
                        RUN_JOB,
                        args = (str(job_id),),
                        job_id = f!("{}-{}", job_id, attempts),
                        unique = true,
                        timeout = LONGEST_JOB_SECONDS,
                        result_ttl = 0,
                        failure_ttl = FORGET_AFTER_SECONDS
                    )))]
                )]
            )
        ])
}

fn rq_dispatcher_probe() -> FunctionDef {
    names!(error);
    async_def("probe").params([untyped("self")]).returns(none()).body(block![
        docstring("Raise an error if Redis does not answer."),
        try_([do_(py!(to_thread
            .run_sync(self.ping, abandon_on_cancel = true, limiter = self.probing)
            .await))])
        .except_as(
            RedisError,
            error,
            [raise_from(py!(UnavailableError("The queue does not answer.")), error)]
        )
    ])
}

fn rq_dispatcher_ping() -> FunctionDef {
    def("ping")
        .params([untyped("self")])
        .returns(none())
        .body(block![docstring("Have Redis say something."), do_(py!(self.redis.ping()))])
}

fn rq_dispatcher_drain() -> FunctionDef {
    async_def("drain").params([untyped("self")]).returns(none()).body(block![
        docstring("Wait until the queue has everything."),
        while_(py!(self.tasks), [do_(py!(asyncio.wait(self.tasks).await))])
    ])
}

fn rq_dispatcher_close() -> FunctionDef {
    async_def("close").params([untyped("self")]).returns(none()).body(block![
        docstring("Hand over what is on its way, and hang up."),
        if_(
            py!(self.tasks),
            [do_(py!(asyncio.wait(self.tasks, timeout = SHUTDOWN_SECONDS).await))]
        ),
        do_(py!(self.redis.close()))
    ])
}

fn connect_def() -> FunctionDef {
    names!(redis_url);
    def(connect).params([param(redis_url, str)]).returns(Redis).body(block![
        docstring("Prepare a connection that does not wait for long."),
        return_(py!(Redis.from_url(
            redis_url,
            socket_timeout = ANSWER_SECONDS,
            socket_connect_timeout = ANSWER_SECONDS
        )))
    ])
}
