//! `backend/app/services/billing_worker.py`: the worker: processes events behind the answers, in the process that takes them in.

use crate::core::settings::Settings;
use crate::models::billing_event::BillingEvent;
use crate::python::anyio::anyio;
use crate::python::builtins::{__name__, Exception, TYPE, bool, int, isinstance, str};
use crate::python::fastapi::{Depends, FastAPI, Request};
use crate::python::pydantic::ValidationError;
use crate::python::standard::{Annotated, AsyncGenerator, asynccontextmanager, logging};
use crate::services::billing_inbox::{BillingInbox, LostClaimError};
use crate::services::billing_provider::{BillingProvider, ProviderError, UnusableEventError};
use crate::services::billing_sync::build_sync;
use crate::services::resources::Resources;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_worker": logger, PARALLEL, LONGEST_NAP_SECONDS, BillingWorker, reason,
        get_billing_worker, BillingWorkerDep, run_billing;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "The worker: processes events behind the answers, in the process that takes them in.\n\
                     \n\
                     Several workers can run at once, in one process or in many; each event is claimed by one\n\
                     of them. What one of them leaves behind when it dies, another one takes up.";
    module("app.services.billing_worker").docstring(docstring).body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        assign(PARALLEL, 4).paragraph(),
        assign(LONGEST_NAP_SECONDS, 5),
        billing_worker_class(),
        reason_def(),
        get_billing_worker_def(),
        assign(BillingWorkerDep, py!(Annotated[(BillingWorker, Depends(get_billing_worker))])),
        run_billing_def()
    ])
}

fn billing_worker_class() -> ClassDef {
    class(BillingWorker).body(block![
        docstring("Processes what is due."),
        billing_worker_init(),
        billing_worker_wake(),
        billing_worker_drain(),
        billing_worker_process(),
        billing_worker_attempt(),
        billing_worker_run(),
        billing_worker_process_in(),
        billing_worker_next_event(),
        billing_worker_nap(),
        billing_worker_running()
    ])
}

fn billing_worker_init() -> FunctionDef {
    names!(resources, provider, database);
    def("__init__")
        .params([untyped("self"), param(resources, Resources), param(provider, BillingProvider)])
        .returns(none())
        .body(block![
            docstring("Start idle."),
            assign(database, py!(resources.database)),
            assign(py!(self.inbox), py!(BillingInbox(database))),
            assign(py!(self.sync), py!(build_sync(resources.settings, database, provider))),
            assign(py!(self.alarm), py!(anyio.Event()))
        ])
}

fn billing_worker_wake() -> FunctionDef {
    def("wake").params([untyped("self")]).returns(none()).body(block![
        docstring("Tell the worker that there is something to do."),
        do_(py!(self.alarm.set())),
        assign(py!(self.alarm), py!(anyio.Event()))
    ])
}

fn billing_worker_drain() -> FunctionDef {
    names!(count, event);
    async_def("drain").params([untyped("self")]).returns(int).body(block![
        docstring("Process all that is due, one after the other, and return how much it was."),
        assign(count, 0),
        while_(
            py!(walrus!(event, self.inbox.claim().await) != None),
            block![do_(py!(self.process(event).await)), aug_assign(count, Operator::Add, 1)]
        ),
        return_(count)
    ])
}

fn billing_worker_process() -> FunctionDef {
    names!(event);
    async_def("process").params([untyped("self"), param(event, BillingEvent)]).returns(none()).body(
        block![
            docstring("Process an event that was claimed; a failure leaves it to another attempt."),
            try_([do_(py!(self.attempt(event).await))])
                .except(
                    LostClaimError,
                    [do_(py!(
                        logger.info("Event %s was finished by another worker", event.event_id)
                    ))]
                )
                .except(
                    Exception,
                    [do_(py!(logger.exception("Event %s was left where it was", event.event_id)))]
                )
        ],
    )
}

fn billing_worker_attempt() -> FunctionDef {
    names!(event, error);
    async_def("attempt").params([untyped("self"), param(event, BillingEvent)]).returns(none()).body(
        block![
            docstring("Follow an event, or note why it cannot be followed."),
            try_([do_(py!(self.sync.follow(event).await))])
                .except(LostClaimError, [reraise()])
                .except_as(
                    py!((UnusableEventError, ValidationError)),
                    error,
                    [do_(py!(self.inbox.give_up(event, reason(error)).await))]
                )
                .except_as(
                    ProviderError,
                    error,
                    [do_(py!(self.inbox.postpone(event, error.reason).await))]
                )
                .except_as(
                    Exception,
                    error,
                    block![
                        do_(
                            py!(logger.exception("Event %s could not be followed", event.event_id))
                        ),
                        do_(py!(self.inbox.postpone(event, TYPE(error).__name__).await))
                    ]
                )
        ],
    )
}

fn billing_worker_run() -> FunctionDef {
    names!(slots, tasks, alarm, event);
    async_def("run").params([untyped("self")]).returns(none()).body(block![
        docstring("Process events, a few at a time, for as long as the application runs."),
        assign(slots, py!(anyio.Semaphore(PARALLEL))),
        async_with_as(
            py!(anyio.create_task_group()),
            tasks,
            while_(
                true,
                block![
                    assign(alarm, py!(self.alarm)),
                    do_(py!(slots.acquire().await)),
                    assign(event, py!(self.next_event().await)),
                    if_(
                        py!(event == None),
                        block![do_(py!(slots.release())), do_(py!(self.nap(alarm).await))]
                    )
                    .else_([do_(py!(tasks.start_soon(
                        self.process_in,
                        slots,
                        event
                    )))])
                ]
            )
        )
    ])
}

fn billing_worker_process_in() -> FunctionDef {
    names!(slots, event);
    async_def("process_in")
        .params([untyped("self"), param(slots, py!(anyio.Semaphore)), param(event, BillingEvent)])
        .returns(none())
        .body(block![
            docstring("Process an event and make room for another one."),
            do_(py!(self.process(event).await)),
            do_(py!(slots.release()))
        ])
}

fn billing_worker_next_event() -> FunctionDef {
    async_def("next_event").params([untyped("self")]).returns(py!(BillingEvent | None)).body(
        block![
            docstring("Claim an event; while the database cannot be reached there is none."),
            try_([return_(py!(self.inbox.claim().await))]).except(
                Exception,
                block![do_(py!(logger.exception("No event could be claimed"))), return_(none())]
            )
        ],
    )
}

fn billing_worker_nap() -> FunctionDef {
    names!(alarm);
    async_def("nap").params([untyped("self"), param(alarm, py!(anyio.Event))]).returns(none()).body(
        block![
            docstring("Wait for the alarm, or until an event that was put off can be due."),
            with(py!(anyio.move_on_after(LONGEST_NAP_SECONDS)), [do_(py!(alarm.wait().await))])
        ],
    )
}

fn billing_worker_running() -> FunctionDef {
    names!(enabled, tasks);
    async_def("running")
        .decorator(asynccontextmanager)
        .params([untyped("self"), star(), param(enabled, bool)])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring("Run beside the application, until it stops."),
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                block![
                    if_(enabled, [do_(py!(tasks.start_soon(self.run)))]),
                    do_(yield_(None)),
                    do_(py!(tasks.cancel_scope.cancel()))
                ]
            )
        ])
}

fn reason_def() -> FunctionDef {
    names!(error, problems);
    def(reason).params([param(error, py!(UnusableEventError | ValidationError))]).returns(str).body(
        block![
            docstring("Say what is wrong with an event without repeating its values."),
            if_(py!(isinstance(error, UnusableEventError)), [return_(py!(str(error)))]),
            assign(problems, py!(error.errors(include_url = false, include_context = false))),
            return_(py!("; ".join(
                generator!(f!("{}: {}", problem["loc"], problem["msg"]) for problem in problems)
            )))
        ],
    )
}

fn get_billing_worker_def() -> FunctionDef {
    names!(request, worker);
    def(get_billing_worker).params([param(request, Request)]).returns(BillingWorker).body(block![
        docstring("Return the worker of the application."),
        ann_assign(worker, BillingWorker, py!(request.app.state.billing_worker)),
        return_(worker)
    ])
}

fn run_billing_def() -> FunctionDef {
    names!(app, worker, settings);
    async_def(run_billing)
        .decorator(asynccontextmanager)
        .params([param(app, FastAPI)])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring("Run the worker beside the application, and hang up in the end."),
            ann_assign(worker, BillingWorker, py!(app.state.billing_worker)),
            ann_assign(settings, Settings, py!(app.state.settings)),
            async_with(py!(worker.running(enabled = settings.billing_worker)), [do_(yield_(None))]),
            do_(py!(worker.sync.provider.close().await))
        ])
}
