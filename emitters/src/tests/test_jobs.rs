//! `backend/tests/test_jobs.py`: jobs: stored with a transaction, run after it, tried again, and found again.

use crate::core::jobs::{JobAbortedError, JobKind, enqueue};
use crate::core::pauses::pause_after;
use crate::core::tenancy::{bind_tenant, bound_tenant};
use crate::models::base::utcnow;
use crate::models::job::JobStatus;
use crate::models::package::Job;
use crate::python::anyio::anyio;
use crate::python::builtins::{OSError, ValueError, int, len, list, object, range, sorted, str};
use crate::python::pydantic::BaseModel;
use crate::python::pytest::pytest;
use crate::python::sqlalchemy::{AsyncSession, select, update};
use crate::python::standard::{Awaitable, Callable, UUID, timedelta};
use crate::services::job_clock::JobClock;
use crate::services::job_context::JobContext;
use crate::services::job_dispatcher::InlineDispatcher;
use crate::services::job_registry::{HANDLERS, Handler, SCHEDULES};
use crate::services::job_runner::JobRunner;
use crate::tests::world::World;
use astgen_pyast::prelude::*;

vocabulary! {
    "tests.test_jobs": Probe, PROBE, Probes, probes, dispatcher, clock, ask, tick, read, change;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("tests.test_jobs")
        .docstring("Jobs: stored with a transaction, run after it, tried again, and found again.")
        .body(block![
            probe_class(),
            assign(PROBE, py!(JobKind("probe", Probe, max_attempts = 2, timeout_seconds = 1))),
            probes_class(),
            probes_def(),
            dispatcher_def(),
            clock_def(),
            ask_def(),
            tick_def(),
            read_def(),
            change_def(),
            test_a_job_runs_after_the_commit(),
            test_a_job_is_lost_with_its_transaction(),
            test_a_job_works_for_the_tenant_that_asked_for_it(),
            test_a_failure_is_tried_again_later(),
            test_a_job_that_never_succeeds_is_dead(),
            test_a_job_can_give_up(),
            test_a_job_that_hangs_is_stopped(),
            test_a_job_of_a_kind_that_is_gone_is_dead(),
            test_of_many_runners_one_gets_the_job(),
            test_a_job_waits_for_its_time(),
            test_a_job_that_a_queue_has_lost_is_found(),
            test_a_job_of_a_dead_worker_is_run_again(),
            test_what_is_scheduled_is_asked_for_once_in_a_period(),
            test_the_clock_outlives_a_failure(),
            test_pauses_grow_up_to_an_hour(),
            test_every_schedule_has_a_handler()
        ])
}

fn probe_class() -> ClassDef {
    names!(word);
    class(Probe)
        .base(BaseModel)
        .body(block![docstring("What the job of these tests is told."), annotate(word, str)])
}

fn probes_class() -> ClassDef {
    class(Probes).body(block![
        docstring("Notes what runs, and does what the test wants."),
        probes_init(),
        probes_run()
    ])
}

fn probes_init() -> FunctionDef {
    def("__init__").params([untyped("self")]).returns(none()).body(block![
        docstring("Do nothing but note."),
        ann_assign(py!(self.words), py!(list[str]), py!([])),
        ann_assign(py!(self.contexts), py!(list[JobContext]), py!([])),
        ann_assign(py!(self.act), py!(Callable[([], Awaitable[None])] | None), none())
    ])
}

fn probes_run() -> FunctionDef {
    names!(context, payload);
    async_def("run")
        .params([untyped("self"), param(context, JobContext), param(payload, Probe)])
        .returns(none())
        .body(block![
            docstring("Run as a job."),
            do_(py!(self.words.append(payload.word))),
            do_(py!(self.contexts.append(context))),
            if_(py!(self.act != None), [do_(py!(self.act().await))])
        ])
}

fn probes_def() -> FunctionDef {
    names!(monkeypatch);
    def(probes)
        .decorator(py!(pytest.fixture))
        .params([param(monkeypatch, py!(pytest.MonkeyPatch))])
        .returns(Probes)
        .body(block![
            assign(probes, py!(Probes())),
            do_(py!(monkeypatch.setitem(HANDLERS, PROBE.name, Handler(PROBE, probes.run)))),
            return_(probes)
        ])
}

fn dispatcher_def() -> FunctionDef {
    names!(world, found);
    def(dispatcher).params([param(world, World)]).returns(InlineDispatcher).body(block![
        docstring("Return the dispatcher of the application."),
        ann_assign(found, InlineDispatcher, py!(world.app.state.dispatcher)),
        return_(found)
    ])
}

fn clock_def() -> FunctionDef {
    names!(world, inline);
    def(clock).params([param(world, World)]).returns(JobClock).body(block![
        docstring("Return one more clock, which ticks when the test says so."),
        assign(inline, py!(dispatcher(world))),
        return_(py!(JobClock(inline.runner.resources, inline, poll_seconds = 0)))
    ])
}

fn ask_def() -> FunctionDef {
    names!(world, word, delay, session, job);
    async_def(ask)
        .params([
            param(world, World),
            param(word, str),
            star(),
            param(delay, timedelta).default(py!(timedelta())),
        ])
        .returns(UUID)
        .body(block![
            docstring("Ask for a job, and wait for it unless it is for later."),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(job, py!(enqueue(session, PROBE, Probe(word = word), delay = delay))),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(dispatcher(world).drain().await)),
            return_(py!(job.id))
        ])
}

fn tick_def() -> FunctionDef {
    names!(world);
    async_def(tick).params([param(world, World)]).returns(none()).body(block![
        docstring("Let the clock tick once, and wait for what it has run."),
        do_(py!(clock(world).tick().await)),
        do_(py!(dispatcher(world).drain().await))
    ])
}

fn read_def() -> FunctionDef {
    names!(world, job_id, session);
    async_def(read).params([param(world, World), param(job_id, UUID)]).returns(Job).body(block![
        docstring("Read a job."),
        async_with_as(
            py!(world.database.session()),
            session,
            [return_(py!(session.get_one(Job, job_id).await))]
        )
    ])
}

fn change_def() -> FunctionDef {
    names!(world, job_id, values, session);
    async_def(change)
        .params([param(world, World), param(job_id, UUID), kwargs(values, object)])
        .returns(none())
        .body(block![
            docstring("Change a job behind the back of the application."),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    do_(py!(session
                        .execute(update(Job).r#where(Job.id == job_id).values(values))
                        .await)),
                    do_(py!(session.commit().await))
                ]
            )
        ])
}

fn test_a_job_runs_after_the_commit() -> FunctionDef {
    names!(world, session, job);
    async_def("test_a_job_runs_after_the_commit")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    assign(job, py!(enqueue(session, PROBE, Probe(word = "stored")))),
                    do_(py!(session.flush().await)),
                    do_(py!(dispatcher(world).drain().await)),
                    assert_(py!(probes.words == [])),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(dispatcher(world).drain().await)),
            assert_(py!(probes.words == ["stored"])),
            assert_(py!(is_!(read(world, job.id).await.status, JobStatus.SUCCEEDED)))
        ])
}

fn test_a_job_is_lost_with_its_transaction() -> FunctionDef {
    names!(world, session);
    async_def("test_a_job_is_lost_with_its_transaction")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            annotate(session, AsyncSession),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    do_(py!(enqueue(session, PROBE, Probe(word = "lost")))),
                    do_(py!(session.flush().await)),
                    do_(py!(session.rollback().await)),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(dispatcher(world).drain().await)),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == []))
        ])
}

fn test_a_job_works_for_the_tenant_that_asked_for_it() -> FunctionDef {
    names!(world, ada, organization_id, session);
    async_def("test_a_job_works_for_the_tenant_that_asked_for_it")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            assign(ada, py!(world.sign_up("ada@example.com").await)),
            assign(organization_id, py!(UUID(ada.organization().await))),
            async_with_as(
                py!(world.database.session()),
                session,
                block![
                    do_(py!(bind_tenant(session, organization_id).await)),
                    do_(py!(enqueue(session, PROBE, Probe(word = "tenant")))),
                    do_(py!(session.commit().await))
                ]
            ),
            do_(py!(dispatcher(world).drain().await)),
            assert_(py!(probes.contexts[0].organization_id == organization_id)),
            async_with_as(
                py!(probes.contexts[0].session()),
                session,
                [assert_(py!(bound_tenant(session.sync_session) == organization_id))]
            )
        ])
}

fn test_a_failure_is_tried_again_later() -> FunctionDef {
    names!(world, fail, job_id, failed);
    async_def("test_a_failure_is_tried_again_later")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            async_def(fail).returns(none()).body([raise(py!(ValueError("the secret value")))]),
            assign(py!(probes.act), fail),
            assign(job_id, py!(ask(world, "fails").await)),
            assign(failed, py!(read(world, job_id).await)),
            assert_(py!(is_!(failed.status, JobStatus.QUEUED))),
            assert_(py!(failed.run_at > utcnow())),
            assert_(py!(failed.error == "ValueError")),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == ["fails"])),
            assign(py!(probes.act), none()).paragraph(),
            do_(py!(change(world, job_id, run_at = utcnow()).await)),
            do_(py!(tick(world).await)),
            assert_(py!(is_!(read(world, job_id).await.status, JobStatus.SUCCEEDED))),
            assert_(py!(list!(context.attempt for context in probes.contexts) == [1, 2]))
        ])
}

fn test_a_job_that_never_succeeds_is_dead() -> FunctionDef {
    names!(world, fail, job_id, dead);
    async_def("test_a_job_that_never_succeeds_is_dead")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            async_def(fail).returns(none()).body([raise(OSError)]),
            assign(py!(probes.act), fail),
            assign(job_id, py!(ask(world, "dies").await)),
            do_(py!(change(world, job_id, run_at = utcnow()).await)),
            do_(py!(tick(world).await)),
            assign(dead, py!(read(world, job_id).await)),
            assert_(py!(is_!(dead.status, JobStatus.DEAD))),
            assert_(py!(dead.finished_at != None)),
            assert_(py!(probes.words == ["dies", "dies"]))
        ])
}

fn test_a_job_can_give_up() -> FunctionDef {
    names!(world, abort, dead);
    async_def("test_a_job_can_give_up")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            async_def(abort)
                .returns(none())
                .body([raise(py!(JobAbortedError("The file is gone")))]),
            assign(py!(probes.act), abort),
            assign(dead, py!(read(world, ask(world, "aborts").await).await)),
            assert_(py!(is_!(dead.status, JobStatus.DEAD))),
            assert_(py!(dead.error == "The file is gone"))
        ])
}

fn test_a_job_that_hangs_is_stopped() -> FunctionDef {
    names!(world, stopped);
    async_def("test_a_job_that_hangs_is_stopped")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            assign(py!(probes.act), py!(anyio.sleep_forever)),
            assign(stopped, py!(read(world, ask(world, "hangs").await).await)),
            assert_(py!(is_!(stopped.status, JobStatus.QUEUED))),
            assert_(py!(stopped.error == "TimeoutError"))
        ])
}

fn test_a_job_of_a_kind_that_is_gone_is_dead() -> FunctionDef {
    names!(world, dead);
    async_def("test_a_job_of_a_kind_that_is_gone_is_dead")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            assign(dead, py!(read(world, ask(world, "unknown").await).await)),
            assert_(py!(is_!(dead.status, JobStatus.DEAD))),
            assert_(py!(dead.error == "There is no such kind of job"))
        ])
}

fn test_of_many_runners_one_gets_the_job() -> FunctionDef {
    names!(world, job_id, runner, tasks);
    async_def("test_of_many_runners_one_gets_the_job")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            assign(job_id, py!(ask(world, "once", delay = timedelta(hours = 1)).await)),
            do_(py!(change(world, job_id, run_at = utcnow()).await)),
            ann_assign(runner, JobRunner, py!(dispatcher(world).runner)),
            async_with_as(
                py!(anyio.create_task_group()),
                tasks,
                [for_(name("_"), py!(range(8)), [do_(py!(tasks.start_soon(runner.run, job_id)))])]
            ),
            assert_(py!(probes.words == ["once"]))
        ])
}

fn test_a_job_waits_for_its_time() -> FunctionDef {
    names!(world, job_id);
    async_def("test_a_job_waits_for_its_time")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            assign(job_id, py!(ask(world, "later", delay = timedelta(hours = 1)).await)),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == [])),
            do_(py!(change(world, job_id, run_at = utcnow()).await)),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == ["later"]))
        ])
}

fn test_a_job_that_a_queue_has_lost_is_found() -> FunctionDef {
    names!(world, job_id, long_ago);
    async_def("test_a_job_that_a_queue_has_lost_is_found")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            assign(job_id, py!(ask(world, "found", delay = timedelta(hours = 1)).await)),
            do_(py!(change(world, job_id, run_at = utcnow(), dispatched_at = utcnow()).await)),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == [])),
            assign(long_ago, py!(utcnow() - timedelta(minutes = 5))),
            do_(py!(change(world, job_id, dispatched_at = long_ago).await)),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == ["found"]))
        ])
}

fn test_a_job_of_a_dead_worker_is_run_again() -> FunctionDef {
    names!(world, job_id, past, running);
    async_def("test_a_job_of_a_dead_worker_is_run_again")
        .params([param(world, World), param(probes, Probes)])
        .returns(none())
        .body(block![
            assign(job_id, py!(ask(world, "again", delay = timedelta(hours = 1)).await)),
            assign(past, py!(utcnow() - timedelta(seconds = 1))),
            assign(
                running,
                py!(dict!("status" => JobStatus.RUNNING, "run_at" => past, "leased_until" => past))
            ),
            do_(py!(change(world, job_id, attempts = 1, **running).await)),
            do_(py!(tick(world).await)),
            assert_(py!(probes.words == ["again"])),
            assert_(py!(read(world, job_id).await.attempts == 2)),
            do_(py!(change(world, job_id, **running).await)).paragraph(),
            do_(py!(tick(world).await)),
            assert_(py!(is_!(read(world, job_id).await.status, JobStatus.DEAD))),
            assert_(py!(probes.words == ["again"]))
        ])
}

fn test_what_is_scheduled_is_asked_for_once_in_a_period() -> FunctionDef {
    names!(world, session, kinds);
    async_def("test_what_is_scheduled_is_asked_for_once_in_a_period")
        .params([param(world, World)])
        .returns(none())
        .body(block![
            for_(
                name("_"),
                py!(range(2)),
                block![do_(py!(tick(world).await)), do_(py!(tick(world).await))]
            ),
            async_with_as(
                py!(world.database.session()),
                session,
                [assign(kinds, py!(list(session.scalars(select(Job.kind)).await)))]
            ),
            assert_(py!(
                sorted(kinds) == sorted(generator!(schedule.kind.name for schedule in SCHEDULES))
            ))
        ])
}

fn test_the_clock_outlives_a_failure() -> FunctionDef {
    names!(world, caplog, monkeypatch, ticks, enough, fail, fast);
    async_def("test_the_clock_outlives_a_failure")
        .params([
            param(world, World),
            param(caplog, py!(pytest.LogCaptureFixture)),
            param(monkeypatch, py!(pytest.MonkeyPatch)),
        ])
        .returns(none())
        .body(block![
            ann_assign(ticks, py!(list[int]), py!([])),
            assign(enough, py!(anyio.Event())),
            async_def(fail).returns(none()).body(block![
                do_(py!(ticks.append(len(ticks)))),
                if_(py!(len(ticks) == 3), [do_(py!(enough.set()))]),
                raise(OSError)
            ]),
            assign(fast, py!(clock(world))),
            assign(py!(fast.poll_seconds), py!(0.001)),
            do_(py!(monkeypatch.setattr(fast, "tick", fail))),
            async_with(py!(fast.ticking()), [do_(py!(enough.wait().await))]),
            assert_(py!(in_!("missed a tick", caplog.text)))
        ])
}

fn test_pauses_grow_up_to_an_hour() -> FunctionDef {
    names!(pauses);
    def("test_pauses_grow_up_to_an_hour").returns(none()).body(block![
        assign(
            pauses,
            py!(list!(pause_after(attempts).total_seconds() for attempts in range(1, 12)))
        ),
        assert_(py!(chain!(5, "<=", pauses[0], "<=", 10))),
        assert_(py!(chain!(10, "<=", pauses[1], "<=", 20))),
        assert_(py!(chain!(1800, "<=", pauses[-1], "<=", 3600)))
    ])
}

fn test_every_schedule_has_a_handler() -> FunctionDef {
    async_def("test_every_schedule_has_a_handler")
        .returns(none())
        .body([assert_(py!(set!(schedule.kind.name for schedule in SCHEDULES) <= HANDLERS.keys()))])
}
