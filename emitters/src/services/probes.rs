//! `backend/app/services/probes.py`: whether what requests need is there, asked at most once a second.

use crate::core::errors::UnavailableError;
use crate::core::jobs::Dispatcher;
use crate::python::anyio::fail_after;
use crate::python::builtins::{__name__, OSError, dict, isinstance, set, str, zip};
use crate::python::fastapi::{Depends, Request};
use crate::python::sqlalchemy::SQLAlchemyError;
use crate::python::standard::{Annotated, Awaitable, Callable, asyncio, logging, monotonic};
use crate::schemas::health::{Readiness, State};
use crate::services::migration_head::MigrationHead;
use crate::services::resources::Resources;
use crate::services::rq_dispatcher::RqDispatcher;
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.probes": logger, ANSWER_SECONDS, FRESH_SECONDS, Probes, worst, get_probes,
        ProbesDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.probes")
        .docstring("Whether what requests need is there, asked at most once a second.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(ANSWER_SECONDS, py!(2.0)).paragraph(),
            assign(FRESH_SECONDS, py!(1.0)),
            probes_class(spec),
            worst_def(),
            get_probes_def(),
            assign(ProbesDep, py!(Annotated[(Probes, Depends(get_probes))]))
        ])
}

fn probes_class(spec: &Spec) -> ClassDef {
    class(Probes).body(block![
        docstring("Tries what requests need; however many want to know, each is asked once."),
        probes_init(spec),
        probes_stop(),
        probes_check(),
        probes_ask_all(),
        probes_ask()
    ])
}

fn probes_init(spec: &Spec) -> FunctionDef {
    names!(resources, dispatcher);
    let (has_files, has_queue) = (spec.storage.is_on(), spec.jobs.has_workers());
    let database = ("database", py!(resources.database.ping));
    let migrations = ("migrations", py!(MigrationHead(resources.database).probe));
    let storage = has_files.then(|| ("storage", py!(resources.storage.probe)));
    let probes = astgen_pyast::make::dict([database, migrations].into_iter().chain(storage));
    let params = [Some(untyped("self")), Some(param(resources, Resources))];
    let dispatcher_param = has_queue.then(|| param(dispatcher, Dispatcher));
    def("__init__")
        .params(params.into_iter().flatten().chain(dispatcher_param))
        .returns(none())
        .body(block![
            docstring("Start without having asked."),
            ann_assign(
                py!(self.probes),
                py!(dict[(str, Callable[([], Awaitable[State | None])])]),
                probes
            ),
            has_queue.then(|| if_(
                py!(isinstance(dispatcher, RqDispatcher)),
                [assign(py!(self.probes["queue"]), py!(dispatcher.probe))]
            )),
            ann_assign(py!(self.found), py!(Readiness | None), none()),
            assign(py!(self.asked_at), py!(monotonic())),
            assign(py!(self.asking), py!(asyncio.Lock())),
            assign(py!(self.is_stopping), false)
        ])
}

fn probes_stop() -> FunctionDef {
    def("stop").params([untyped("self")]).returns(none()).body(block![
        docstring("Say from now on that requests are better sent elsewhere."),
        assign(py!(self.is_stopping), true)
    ])
}

fn probes_check() -> FunctionDef {
    names!(is_old);
    async_def("check").params([untyped("self")]).returns(Readiness).body(block![
        docstring("Return how things stand, or stood a moment ago."),
        if_(
            py!(self.is_stopping),
            [return_(py!(Readiness(status = "failed", checks = dict!("process" => "failed"))))]
        ),
        async_with(
            py!(self.asking),
            block![
                assign(is_old, py!(monotonic() - self.asked_at > FRESH_SECONDS)),
                if_(
                    py!(self.found == None || is_old),
                    block![
                        assign(py!(self.found), py!(self.ask_all().await)),
                        assign(py!(self.asked_at), py!(monotonic()))
                    ]
                ),
                return_(py!(self.found))
            ]
        )
    ])
}

fn probes_ask_all() -> FunctionDef {
    names!(answers, checks);
    async_def("ask_all").params([untyped("self")]).returns(Readiness).body(block![
        docstring("Ask everything at the same time."),
        assign(answers, py!(asyncio.gather(*list!(self.ask(name) for name in self.probes)).await)),
        assign(checks, py!(dict(zip(self.probes, answers, strict = true)))),
        return_(py!(Readiness(status = worst(checks), checks = checks)))
    ])
}

fn probes_ask() -> FunctionDef {
    names!(name, found);
    let answer = assign(found, py!(self.probes[name]().await));
    async_def("ask").params([untyped("self"), param(name, str)]).returns(State).body(block![
        docstring("Ask for an answer, and not for long; who has nothing to say is well."),
        try_(with(py!(fail_after(ANSWER_SECONDS)), [answer])).except(
            py!((SQLAlchemyError, OSError, UnavailableError)),
            block![
                do_(py!(logger.warning("The probe of the %s failed", name, exc_info = true))),
                return_("failed")
            ]
        ),
        return_(py!(found || "ok"))
    ])
}

fn worst_def() -> FunctionDef {
    names!(checks);
    def(worst).params([param(checks, py!(dict[(str, State)]))]).returns(State).body(block![
        docstring("Sum the checks up: with its database and its tables, most is still served."),
        if_(py!(in_!("failed", (checks["database"], checks["migrations"]))), [return_("failed")]),
        return_(py!(if set(checks.values()) == set!("ok") { "ok" } else { "degraded" }))
    ])
}

fn get_probes_def() -> FunctionDef {
    names!(request, probes);
    def(get_probes).params([param(request, Request)]).returns(Probes).body(block![
        docstring("Return the probes of the application."),
        ann_assign(probes, Probes, py!(request.app.state.probes)),
        return_(probes)
    ])
}
