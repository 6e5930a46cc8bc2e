//! `backend/app/services/job_clock.py`: the clock: has jobs run whose time has come, and finds those that got lost.

use crate::core::jobs::{Dispatcher, Ticket, enqueue};
use crate::models::base::utcnow;
use crate::models::job::{Job, JobStatus};
use crate::python::builtins::{__name__, OSError, dict, float, list, str};
use crate::python::sqlalchemy::{IntegrityError, SQLAlchemyError, or_, select, update};
use crate::python::standard::{
    Any, AsyncGenerator, SystemRandom, UTC, asynccontextmanager, asyncio, datetime, logging,
    timedelta,
};
use crate::services::job_registry::{SCHEDULES, Schedule};
use crate::services::resources::Resources;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.job_clock": logger, BATCH, LOST_AFTER, EPOCH, jitter, JobClock;
}

/// The module. Where there are metrics, it counts what got lost.
#[must_use]
pub fn emit(is_measured: bool) -> Module {
    module("app.services.job_clock")
        .docstring("The clock: has jobs run whose time has come, and finds those that got lost.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(BATCH, 100).paragraph(),
            assign(LOST_AFTER, py!(timedelta(seconds = 60))),
            assign(EPOCH, py!(datetime(1970, 1, 1, tzinfo = UTC))),
            assign(jitter, py!(SystemRandom())).paragraph(),
            job_clock_class(is_measured)
        ])
}

fn job_clock_class(is_measured: bool) -> ClassDef {
    class(JobClock).body(block![
        docstring("Ticks in every server; what two of them do at once is done once."),
        job_clock_init(),
        job_clock_ticking(),
        job_clock_run(),
        job_clock_tick(),
        job_clock_ask_for(),
        job_clock_revive(is_measured),
        job_clock_take_due()
    ])
}

fn job_clock_init() -> FunctionDef {
    names!(resources, dispatcher, poll_seconds);
    def("__init__")
        .params([
            untyped("self"),
            param(resources, Resources),
            param(dispatcher, Dispatcher),
            star(),
            param(poll_seconds, float),
        ])
        .returns(none())
        .body(block![
            docstring("Take the jobs of the database."),
            assign(py!(self.resources), resources),
            assign(py!(self.dispatcher), dispatcher),
            assign(py!(self.poll_seconds), poll_seconds),
            ann_assign(py!(self.asked_for), py!(dict[(str, str)]), py!(dict!()))
        ])
}

fn job_clock_ticking() -> FunctionDef {
    names!(ticks);
    async_def("ticking")
        .decorator(asynccontextmanager)
        .params([untyped("self")])
        .returns(py!(AsyncGenerator[(None, None)]))
        .body(block![
            docstring("Tick as long as the context is open."),
            assign(ticks, py!(asyncio.create_task(self.run()))),
            try_([do_(yield_(None))])
                .finally(block![do_(py!(ticks.cancel())), do_(py!(asyncio.wait([ticks]).await))])
        ])
}

fn job_clock_run() -> FunctionDef {
    async_def("run").params([untyped("self")]).returns(none()).body(block![
        docstring("Tick until the end; without a database the clock waits for it."),
        while_(
            py!(self.poll_seconds),
            block![
                try_([do_(py!(self.tick().await))]).except(
                    py!((SQLAlchemyError, OSError)),
                    [do_(py!(
                        logger.warning("The clock of the jobs missed a tick", exc_info = true)
                    ))]
                ),
                do_(py!(asyncio.sleep(self.poll_seconds * jitter.uniform(0.8, 1.2)).await))
            ]
        )
    ])
}

fn job_clock_tick() -> FunctionDef {
    names!(schedule);
    async_def("tick").params([untyped("self")]).returns(none()).body(block![
        docstring("Do once what is due."),
        for_(schedule, SCHEDULES, [do_(py!(self.ask_for(schedule).await))]),
        do_(py!(self.revive().await)),
        do_(py!(self.dispatcher.dispatch(self.take_due().await)))
    ])
}

fn job_clock_ask_for() -> FunctionDef {
    names!(schedule, name, period, key, session);
    async_def("ask_for")
        .params([untyped("self"), param(schedule, py!(Schedule[Any]))])
        .returns(none())
        .body(block![
            docstring("Ask for a job of a schedule, once in its period, whoever asks first."),
            assign(name, py!(schedule.kind.name)),
            assign(period, py!(floor_div!(utcnow() - EPOCH, schedule.every))),
            assign(key, py!(f!("{}/{}", name, period))),
            if_(py!(self.asked_for.get(name) == key), [return_none()]),
            async_with_as(
                py!(self.resources.database.session()),
                session,
                block![
                    do_(py!(enqueue(session, schedule.kind, schedule.payload, unique_key = key))),
                    try_([do_(py!(session.commit().await))])
                        .except(IntegrityError, [do_(py!(session.rollback().await))])
                ]
            ),
            assign(py!(self.asked_for[name]), key)
        ])
}

fn job_clock_revive(is_measured: bool) -> FunctionDef {
    names!(now, lost, again, over, session, kinds, kind);
    let lost_jobs = py!(update(Job)
        .r#where(Job.status == JobStatus.RUNNING, Job.leased_until < now)
        .values(leased_until = None, error = "The worker was lost"));
    let (lost_jobs, revived) = if is_measured {
        let revived = py!([*session.scalars(again).await, *session.scalars(over).await]);
        (py!({ lost_jobs }.returning(Job.kind)), block![assign(kinds, revived)])
    } else {
        let again = do_(py!(session.execute(again).await));
        (lost_jobs, block![again, do_(py!(session.execute(over).await))])
    };
    let counted = is_measured.then(|| {
        for_(kind, kinds, [do_(py!(self.resources.work.jobs.labels(kind, "lost").inc()))])
    });
    async_def("revive").params([untyped("self")]).returns(none()).body(block![
        docstring("Give back the jobs whose worker has died."),
        assign(now, py!(utcnow())),
        assign(lost, lost_jobs),
        assign(
            again,
            py!(lost
                .r#where(Job.attempts < Job.max_attempts)
                .values(status = JobStatus.QUEUED, dispatched_at = None))
        ),
        assign(over, py!(lost.values(status = JobStatus.DEAD, finished_at = now))),
        async_with_as(
            py!(self.resources.database.session()),
            session,
            block![revived, do_(py!(session.commit().await))]
        ),
        counted
    ])
}

fn job_clock_take_due() -> FunctionDef {
    names!(now, unknown, due, taken, session, rows, tickets);
    async_def("take_due").params([untyped("self")]).returns(py!(list[Ticket])).body(block![
        docstring("Take the jobs that are due and that, by all signs, no queue holds."),
        assign(now, py!(utcnow())),
        assign(
            unknown,
            py!(or_(Job.dispatched_at.is_(None), Job.dispatched_at < now - LOST_AFTER))
        ),
        assign(
            due,
            py!(select(Job.id)
                .r#where(Job.status == JobStatus.QUEUED, Job.run_at <= now, unknown)
                .order_by(Job.run_at)
                .limit(BATCH)
                .with_for_update(skip_locked = true))
        ),
        assign(
            taken,
            py!(update(Job)
                .r#where(Job.id.in_(due))
                .values(dispatched_at = now)
                .returning(Job.id, Job.attempts))
        ),
        async_with_as(
            py!(self.resources.database.session()),
            session,
            block![
                assign(rows, py!(session.execute(taken).await)),
                assign(tickets, py!(list!(Ticket(*row) for row in rows))),
                do_(py!(session.commit().await))
            ]
        ),
        return_(tickets)
    ])
}
