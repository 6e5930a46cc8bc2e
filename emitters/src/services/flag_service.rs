//! `backend/app/services/flag_service.py`: flags, rolled out and killed by the platform.

use crate::core::database::{SessionDep, flush};
use crate::core::feature_flags::{FLAGS, Flag};
use crate::models::feature_flag::FeatureFlag;
use crate::python::builtins::{list, sorted};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, dataclass};
use crate::schemas::entitlement::{FlagRead, FlagSetting};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.flag_service": FlagService, FlagServiceDep, read_flag;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.flag_service")
        .docstring("Flags, rolled out and killed by the platform.")
        .body(block![
            flag_service_class(),
            read_flag_def(),
            assign(FlagServiceDep, py!(Annotated[(FlagService, Depends(FlagService))]))
        ])
}

fn flag_service_class() -> ClassDef {
    names!(session);
    class(FlagService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for flags."),
        annotate(session, SessionDep),
        flag_service_all(),
        flag_service_set()
    ])
}

fn flag_service_all() -> FunctionDef {
    names!(rows, row, states, flag);
    async_def("all").params([untyped("self")]).returns(py!(list[FlagRead])).body(block![
        docstring("Tell of every flag how far it is out."),
        assign(rows, py!(self.session.scalars(select(FeatureFlag)).await)),
        assign(states, py!(dict!(row.name => row for row in rows))),
        return_(py!(list!(read_flag(flag, states.get(flag)) for flag in Flag)))
    ])
}

fn flag_service_set() -> FunctionDef {
    names!(flag, setting, statement, state);
    async_def("set")
        .params([untyped("self"), param(flag, Flag), param(setting, FlagSetting)])
        .returns(FlagRead)
        .body(block![
            docstring("Decide how far a flag is out."),
            assign(statement, py!(select(FeatureFlag).r#where(FeatureFlag.name == flag))),
            assign(state, py!(self.session.scalar(statement.with_for_update()).await)),
            if_(
                py!(state == None),
                block![
                    assign(state, py!(FeatureFlag(name = flag))),
                    do_(py!(self.session.add(state)))
                ]
            ),
            assign(py!(state.is_killed), py!(setting.is_killed)),
            assign(py!(state.rollout), py!(setting.rollout)),
            do_(py!(flush(self.session, conflict = "Somebody else has just decided it.").await)),
            return_(py!(read_flag(flag, state)))
        ])
}

fn read_flag_def() -> FunctionDef {
    names!(flag, state, rule, rollout);
    def(read_flag)
        .params([param(flag, Flag), param(state, py!(FeatureFlag | None))])
        .returns(FlagRead)
        .body(block![
            docstring("Tell how far a flag is out."),
            assign(rule, py!(FLAGS[flag])),
            assign(rollout, py!(if state == None { None } else { state.rollout })),
            return_(py!(FlagRead(
                name = flag,
                default = rule.default,
                plans = sorted(rule.plans),
                rollout = if rollout == None { rule.rollout } else { rollout },
                is_killed = state != None && state.is_killed
            )))
        ])
}
