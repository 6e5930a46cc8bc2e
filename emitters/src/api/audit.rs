//! `backend/app/api/audit.py`: the audit log of an organization.

use crate::core::api_keys::keyed_router;
use crate::core::org_rbac::require_permission;
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::guards::guarded;
use crate::python::fastapi::{Query, StreamingResponse};
use crate::python::standard::Annotated;
use crate::schemas::audit::{AuditEventPage, AuditQuery};
use crate::services::audit_service::{AuditExportDep, AuditServiceDep};
use crate::spec::Spec;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.audit": router, NDJSON, list_audit_events, export_audit_log;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    names!(AUDIT_READ);
    let read = py!(require_permission(Permission.AUDIT_READ));
    module("app.api.audit").docstring("The audit log of an organization.").body(block![
        assign(NDJSON, "application/x-ndjson"),
        assign(
            router,
            keyed_router(
                spec,
                "/organizations/{organization_id}/audit",
                "audit",
                [AUDIT_READ, AUDIT_READ],
                []
            )
        ),
        guarded(list_audit_events_def(), &read),
        guarded(export_audit_log_def(), &read)
    ])
}

fn list_audit_events_def() -> FunctionDef {
    names!(query, page, events);
    async_def(list_audit_events)
        .decorator(py!(router.get("")))
        .params([
            param(query, py!(Annotated[(AuditQuery, Query())])),
            param(page, PageRequestDep),
            param(events, AuditServiceDep),
        ])
        .returns(AuditEventPage)
        .body(block![
            docstring("List what was done, newest first."),
            return_(py!(AuditEventPage.model_validate(events.page(query, page).await)))
        ])
}

fn export_audit_log_def() -> FunctionDef {
    names!(log);
    let said = py!(dict!(200 => dict!("content" => dict!(NDJSON => dict!()))));
    let named = py!(dict!("Content-Disposition" => "attachment; filename=audit.ndjson"));
    async_def(export_audit_log)
        .decorator(py!(router.get("/export", response_class = StreamingResponse, responses = said)))
        .params([param(log, AuditExportDep)])
        .returns(StreamingResponse)
        .body(block![
            docstring("Return all that was ever done, an event a line, the oldest first."),
            return_(py!(StreamingResponse(log.lines(), media_type = NDJSON, headers = named)))
        ])
}
