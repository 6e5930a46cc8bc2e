//! `backend/app/services/job_registry.py`: every kind of job, what it does, and when it does it by itself.

use crate::core::jobs::JobKind;
use crate::python::builtins::{dict, str, tuple};
use crate::python::pydantic::BaseModel;
use crate::python::standard::{Any, Awaitable, Callable, Generic, TypeVar, dataclass, timedelta};
use crate::services::billing_reconcile::{RECONCILE_BILLING, reconcile_billing};
use crate::services::billing_seats::{SYNC_SEATS, sync_seats};
use crate::services::file_sweeper::{SWEEP_FILES, sweep_files};
use crate::services::job_context::JobContext;
use crate::services::maintenance::{Nothing, PRUNE, prune};
use crate::services::outbox::{DELIVER_EMAIL, EmailDelivery, EmailJob};
use crate::services::trash::{EMPTY_TRASH, empty_trash};
use crate::services::trial_reminder::{REMIND_OF_TRIALS, remind_of_trials};
use crate::services::webhook_delivery::deliver_webhooks;
use crate::services::webhook_outbox::DELIVER_WEBHOOKS;
use crate::spec::{Billing, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_registry": PayloadT, Handler, Schedule, deliver_email, HANDLERS, SCHEDULES;
}

/// A kind of job that a project has.
struct Entry {
    kind: Import,
    function: Import,
    /// Once in how much time it is asked for by itself.
    every: Option<Expr>,
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let entries = entries(spec);
    let handlers =
        make::tuple(entries.iter().map(|one| Handler.call([arg(one.kind), arg(one.function)])));
    let schedules = entries.iter().filter_map(|one| {
        let (kind, every) = (one.kind, one.every.clone()?);
        Some(py!(Schedule(kind, Nothing(), every)))
    });
    let schedules = make::tuple(schedules);
    module("app.services.job_registry")
        .docstring("Every kind of job, what it does, and when it does it by itself.")
        .body(block![
            assign(PayloadT, py!(TypeVar("PayloadT", bound = BaseModel))),
            handler_class(),
            schedule_class(),
            deliver_email_def(),
            ann_assign(
                HANDLERS,
                py!(dict[(str, Handler[Any])]),
                py!(dict!(handler.kind.name => handler for handler in handlers))
            ),
            ann_assign(SCHEDULES, py!(tuple[(Schedule[Any], ellipsis!())]), schedules).paragraph()
        ])
}

fn entries(spec: &Spec) -> Vec<Entry> {
    let every_day = || Some(py!(timedelta(days = 1)));
    let mut entries = vec![
        Entry { kind: DELIVER_EMAIL, function: deliver_email, every: None },
        Entry { kind: PRUNE, function: prune, every: every_day() },
    ];
    if spec.webhooks.enabled {
        let (kind, function) = (DELIVER_WEBHOOKS, deliver_webhooks);
        entries.push(Entry { kind, function, every: None });
    }
    if spec.has_soft_delete() {
        let (kind, function) = (EMPTY_TRASH, empty_trash);
        entries.push(Entry { kind, function, every: every_day() });
    }
    if spec.storage.is_on() {
        let (kind, function) = (SWEEP_FILES, sweep_files);
        entries.push(Entry { kind, function, every: every_day() });
    }
    if spec.billing.is_some() {
        let (kind, function) = (RECONCILE_BILLING, reconcile_billing);
        entries.push(Entry { kind, function, every: every_day() });
    }
    if spec.billing.as_ref().is_some_and(Billing::has_seats) {
        let every = Some(py!(timedelta(minutes = 5)));
        entries.push(Entry { kind: SYNC_SEATS, function: sync_seats, every });
    }
    if spec.billing.as_ref().is_some_and(|billing| billing.own_trial().is_some()) {
        let (kind, function) = (REMIND_OF_TRIALS, remind_of_trials);
        entries.push(Entry { kind, function, every: every_day() });
    }
    entries
}

fn handler_class() -> ClassDef {
    names!(kind, function);
    class(Handler).decorator(py!(dataclass(frozen = true))).base(py!(Generic[PayloadT])).body(
        block![
            docstring("A kind of job and the function that does it."),
            annotate(kind, py!(JobKind[PayloadT])),
            annotate(function, py!(Callable[([JobContext, PayloadT], Awaitable[None])])),
            handler_run()
        ],
    )
}

fn handler_run() -> FunctionDef {
    names!(context, payload);
    async_def("run")
        .params([
            untyped("self"),
            param(context, JobContext),
            param(payload, py!(dict[(str, Any)])),
        ])
        .returns(none())
        .body(block![
            docstring("Read the payload and do the job."),
            do_(py!(self.function(context, self.kind.payload.model_validate(payload)).await))
        ])
}

fn schedule_class() -> ClassDef {
    names!(kind, payload, every);
    class(Schedule).decorator(py!(dataclass(frozen = true))).base(py!(Generic[PayloadT])).body(
        block![
            docstring("A kind of job that is asked for once in each period."),
            annotate(kind, py!(JobKind[PayloadT])),
            annotate(payload, PayloadT),
            annotate(every, timedelta)
        ],
    )
}

fn deliver_email_def() -> FunctionDef {
    names!(context, payload, resources, delivery);
    async_def(deliver_email)
        .params([param(context, JobContext), param(payload, EmailJob)])
        .returns(none())
        .body(block![
            docstring("Send a mail of the outbox."),
            assign(resources, py!(context.resources)),
            assign(
                delivery,
                py!(EmailDelivery(resources.database, resources.mailer, resources.sealer))
            ),
            do_(py!(delivery.deliver(payload.email_id).await))
        ])
}
