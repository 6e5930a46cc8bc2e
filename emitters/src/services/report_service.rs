//! `backend/app/services/report_service.py`: reports of the bound tenant.

use crate::core::errors::NotFoundError;
use crate::core::org_rbac::TenantSessionDep;
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::models::report::Report;
use crate::python::builtins::setattr;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, UUID, dataclass};
use crate::schemas::report::{ReportCreate, ReportUpdate};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.report_service": ReportService, ReportServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.report_service").docstring("Reports of the bound tenant.").body(block![
        report_service_class(),
        assign(ReportServiceDep, py!(Annotated[(ReportService, Depends(ReportService))]))
    ])
}

fn report_service_class() -> ClassDef {
    names!(session);
    class(ReportService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for reports."),
        annotate(session, TenantSessionDep),
        report_service_page(),
        report_service_create(),
        report_service_get(),
        report_service_update(),
        report_service_delete()
    ])
}

fn report_service_page() -> FunctionDef {
    names!(page);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[Report]))
        .body(block![
            docstring("List reports, newest first."),
            return_(py!(fetch_page(self.session, select(Report), Report, page).await))
        ])
}

fn report_service_create() -> FunctionDef {
    names!(payload, report);
    async_def("create")
        .params([untyped("self"), param(payload, ReportCreate)])
        .returns(Report)
        .body(block![
            docstring("Add a report."),
            assign(report, py!(Report(**payload.model_dump()))),
            do_(py!(self.session.add(report))),
            do_(py!(self.session.flush().await)),
            return_(report)
        ])
}

fn report_service_get() -> FunctionDef {
    names!(report_id, report);
    async_def("get").params([untyped("self"), param(report_id, UUID)]).returns(Report).body(block![
        docstring("Return a report, or answer 404."),
        assign(report, py!(self.session.get(Report, report_id).await)),
        if_(py!(report == None), [raise(py!(NotFoundError("There is no such report.")))]),
        return_(report)
    ])
}

fn report_service_update() -> FunctionDef {
    names!(report_id, payload, report, name, value);
    async_def("update")
        .params([untyped("self"), param(report_id, UUID), param(payload, ReportUpdate)])
        .returns(Report)
        .body(block![
            docstring("Change what the payload names."),
            assign(report, py!(self.get(report_id).await)),
            for_(
                py!((name, value)),
                py!(payload.model_dump(exclude_unset = true).items()),
                [do_(py!(setattr(report, name, value)))]
            ),
            do_(py!(self.session.flush().await)),
            return_(report)
        ])
}

fn report_service_delete() -> FunctionDef {
    names!(report_id);
    async_def("delete").params([untyped("self"), param(report_id, UUID)]).returns(none()).body(
        block![
            docstring("Remove a report."),
            do_(py!(self.session.delete(self.get(report_id).await).await))
        ],
    )
}
