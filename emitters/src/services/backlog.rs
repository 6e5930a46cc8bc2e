//! `backend/app/services/backlog.py`: what waits in the database, counted when the metrics are read.

use crate::core::database::Database;
use crate::core::payers::payer_model;
use crate::core::plans::SubscriptionStatus;
use crate::models::base::utcnow;
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::models::job::{Job, JobStatus};
use crate::python::anyio::fail_after;
use crate::python::builtins::{__name__, OSError, dict, list, max, sorted};
use crate::python::prometheus::{Collector, GaugeMetricFamily};
use crate::python::sqlalchemy::{AsyncSession, SQLAlchemyError, func, select};
use crate::python::standard::{logging, timedelta};
use crate::services::job_registry::HANDLERS;
use crate::spec::{Billing, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.backlog": logger, COUNT_SECONDS, UNDONE, UNHANDLED, NO_TIME, Backlog, read_backlog,
        count_jobs, time_oldest_job, count_billing_events, count_unclear_subscriptions;
}

/// How many jobs wait, run, or were given up.
pub const JOBS: &str = "background_jobs";
/// How long the job that is due longest has waited.
pub const OLDEST_JOB: &str = "background_jobs_oldest_due_seconds";
/// How many events of the billing provider wait, or were given up.
pub const BILLING_EVENTS: &str = "billing_events_unhandled";

/// How many subscriptions a person has to look at.
pub const UNCLEAR: &str = "billing_subscriptions_unclear";

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let billing = spec.billing.as_ref();
    let bills = billing.is_some();
    module("app.services.backlog")
        .docstring("What waits in the database, counted when the metrics are read.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(COUNT_SECONDS, py!(2.0)).paragraph(),
            assign(UNDONE, py!((JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.DEAD))),
            bills.then(|| assign(
                UNHANDLED,
                py!((BillingEventStatus.RECEIVED, BillingEventStatus.FAILED))
            )),
            assign(NO_TIME, py!(timedelta())),
            backlog_class(),
            read_backlog_def(bills),
            count_jobs_def(),
            time_oldest_job_def(),
            bills.then(count_billing_events_def),
            billing.map(count_unclear_subscriptions_def)
        ])
}

fn backlog_class() -> ClassDef {
    names!(gauges);
    let families = py!(list[GaugeMetricFamily]);
    class(Backlog).base(Collector).body(block![
        docstring("What waits at one moment, of all processes together."),
        def("__init__")
            .params([untyped("self"), param(gauges, &families)])
            .returns(none())
            .body(block![docstring("Keep what was counted."), assign(py!(self.gauges), gauges)]),
        def("collect")
            .params([untyped("self")])
            .returns(families)
            .body(block![docstring("Return what was counted."), return_(py!(self.gauges))])
    ])
}

fn read_backlog_def(bills: bool) -> FunctionDef {
    names!(database, session, gauges);
    let of_jobs = [py!(count_jobs(session).await), py!(time_oldest_job(session).await)];
    let of_events = bills.then(|| py!(count_billing_events(session).await));
    let of_payers = bills.then(|| py!(count_unclear_subscriptions(session).await));
    let counted = of_jobs.into_iter().chain(of_events).chain(of_payers);
    async_def(read_backlog).params([param(database, Database)]).returns(Backlog).body(block![
        docstring("Count what waits; while the database does not answer, that is not known."),
        try_(block![with(
            py!(fail_after(COUNT_SECONDS)),
            [async_with_as(py!(database.session()), session, [assign(gauges, py!([..counted]))])]
        )])
        .except(
            py!((SQLAlchemyError, OSError)),
            block![
                do_(py!(logger.warning("The backlog cannot be counted", exc_info = true))),
                return_(py!(Backlog([])))
            ]
        ),
        return_(py!(Backlog(gauges)))
    ])
}

fn count_jobs_def() -> FunctionDef {
    names!(session, gauge, counts, rows, found, kind, status);
    let about = "Jobs that wait, run, or were given up.";
    async_def(count_jobs).params([param(session, AsyncSession)]).returns(GaugeMetricFamily).body(
        block![
            docstring("Count the jobs that are not done."),
            assign(gauge, py!(GaugeMetricFamily(JOBS, about, labels = ["kind", "status"]))),
            assign(
                counts,
                py!(select(Job.kind, Job.status, func.count())
                    .r#where(Job.status.in_(UNDONE))
                    .group_by(Job.kind, Job.status))
            ),
            assign(rows, py!(session.execute(counts).await.all())),
            assign(found, py!(dict!((one, state) => count for (one, state, count) in rows))),
            for_(
                kind,
                py!(sorted(HANDLERS)),
                [for_(
                    status,
                    UNDONE,
                    [do_(py!(gauge.add_metric([kind, status], found.get((kind, status), 0))))]
                )]
            ),
            return_(gauge)
        ],
    )
}

fn time_oldest_job_def() -> FunctionDef {
    names!(session, now, statement, oldest, waited);
    let about = "Seconds since the job that is due longest should have begun.";
    async_def(time_oldest_job)
        .params([param(session, AsyncSession)])
        .returns(GaugeMetricFamily)
        .body(block![
            docstring("Tell how late the jobs are: without workers, later and later."),
            assign(now, py!(utcnow())),
            assign(
                statement,
                py!(select(func.min(Job.run_at)).r#where(Job.status == JobStatus.QUEUED))
            ),
            assign(oldest, py!(session.scalar(statement).await)),
            assign(waited, py!(if oldest == None { NO_TIME } else { max(now - oldest, NO_TIME) })),
            return_(py!(GaugeMetricFamily(OLDEST_JOB, about, value = waited.total_seconds())))
        ])
}

fn count_billing_events_def() -> FunctionDef {
    names!(session, gauge, counts, found, status);
    let about = "Events of the billing provider that wait, or were given up.";
    async_def(count_billing_events)
        .params([param(session, AsyncSession)])
        .returns(GaugeMetricFamily)
        .body(block![
            docstring("Count the events of the billing provider that are not handled."),
            assign(gauge, py!(GaugeMetricFamily(BILLING_EVENTS, about, labels = ["status"]))),
            assign(
                counts,
                py!(select(BillingEvent.status, func.count())
                    .r#where(BillingEvent.status.in_(UNHANDLED))
                    .group_by(BillingEvent.status))
            ),
            assign(found, py!(dict(session.execute(counts).await.all()))),
            for_(status, UNHANDLED, [do_(py!(gauge.add_metric([status], found.get(status, 0))))]),
            return_(gauge)
        ])
}

fn count_unclear_subscriptions_def(billing: &Billing) -> FunctionDef {
    names!(session, gauge, counts, status, price);
    let model = payer_model(billing);
    let about = "Subscriptions with a status or a price that is not known here.";
    async_def(count_unclear_subscriptions)
        .params([param(session, AsyncSession)])
        .returns(GaugeMetricFamily)
        .body(block![
            docstring("Count the subscriptions that a person has to look at."),
            assign(gauge, py!(GaugeMetricFamily(UNCLEAR, about, labels = ["reason"]))),
            assign(
                counts,
                py!(select(
                    func.count().filter(model.subscription_status == SubscriptionStatus.UNKNOWN),
                    func.count().filter(model.price_is_unknown)
                )
                .select_from(model))
            ),
            assign(py!((status, price)), py!(session.execute(counts).await.one())),
            do_(py!(gauge.add_metric(["status"], status))),
            do_(py!(gauge.add_metric(["price"], price))),
            return_(gauge)
        ])
}
