//! `backend/app/services/override_service.py`: exceptions from the plans, made by the platform.

use crate::core::database::SessionDep;
use crate::core::errors::NotFoundError;
use crate::core::payers::payer_model;
use crate::models::r#override::{Override, OverrideKind};
use crate::python::builtins::{setattr, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{delete, select};
use crate::python::standard::{Annotated, Sequence, UUID, dataclass};
use crate::schemas::entitlement::Grant;
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.override_service": OverrideService, OverrideServiceDep;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.services.override_service")
        .docstring("Exceptions from the plans, made for one payer by the platform.")
        .body(block![
            override_service_class(billing),
            assign(OverrideServiceDep, py!(Annotated[(OverrideService, Depends(OverrideService))]))
        ])
}

fn override_service_class(billing: &Billing) -> ClassDef {
    names!(session);
    class(OverrideService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for exceptions."),
        annotate(session, SessionDep),
        override_service_all_of(),
        override_service_grant(),
        override_service_revoke(),
        override_service_lock(billing)
    ])
}

fn override_service_all_of() -> FunctionDef {
    names!(payer_id, statement);
    async_def("all_of")
        .params([untyped("self"), param(payer_id, UUID)])
        .returns(py!(Sequence[Override]))
        .body(block![
            docstring("List the exceptions of a payer, also those that have run out."),
            assign(
                statement,
                py!(select(Override)
                    .r#where(Override.payer_id == payer_id)
                    .order_by(Override.kind, Override.name))
            ),
            return_(py!(self.session.scalars(statement).await.all()))
        ])
}

fn override_service_grant() -> FunctionDef {
    names!(payer_id, kind, name, grant, statement, granted, field, value);
    async_def(grant)
        .params([
            untyped("self"),
            param(payer_id, UUID),
            param(kind, OverrideKind),
            param(name, str),
            param(grant, Grant),
        ])
        .returns(Override)
        .body(block![
            docstring("Make an exception, in the place of an earlier one for the same."),
            do_(py!(self.lock(payer_id).await)),
            assign(
                statement,
                py!(select(Override).r#where(
                    Override.payer_id == payer_id,
                    Override.kind == kind,
                    Override.name == name
                ))
            ),
            assign(granted, py!(self.session.scalar(statement).await)),
            if_(
                py!(granted == None),
                block![
                    assign(granted, py!(Override(payer_id = payer_id, kind = kind, name = name))),
                    do_(py!(self.session.add(granted)))
                ]
            ),
            for_(
                py!((field, value)),
                py!(grant.model_dump().items()),
                [do_(py!(setattr(granted, field, value)))]
            ),
            do_(py!(self.session.flush().await)),
            return_(granted)
        ])
}

fn override_service_revoke() -> FunctionDef {
    names!(payer_id, override_id, gone, statement);
    async_def("revoke")
        .params([untyped("self"), param(payer_id, UUID), param(override_id, UUID)])
        .returns(none())
        .body(block![
            docstring("Take an exception back."),
            assign(
                statement,
                py!(delete(Override)
                    .r#where(Override.payer_id == payer_id, Override.id == override_id)
                    .returning(Override.id))
            ),
            assign(gone, py!(self.session.scalar(statement).await)),
            if_(py!(gone == None), [raise(py!(NotFoundError("There is no such exception.")))])
        ])
}

fn override_service_lock(billing: &Billing) -> FunctionDef {
    names!(payer_id, payer);
    let model = payer_model(billing);
    async_def("lock").params([untyped("self"), param(payer_id, UUID)]).returns(none()).body(block![
        docstring("Lock a payer, so that one exception at a time is made for it."),
        assign(payer, py!(self.session.get(model, payer_id, with_for_update = true).await)),
        if_(py!(payer == None), [raise(py!(NotFoundError("There is no such payer.")))])
    ])
}
