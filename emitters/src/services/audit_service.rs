//! `backend/app/services/audit_service.py`: reading the audit log.

use crate::core::database::DatabaseDep;
use crate::core::org_rbac::{PrincipalDep, TenantSessionDep};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::models::audit_event::AuditEvent;
use crate::python::builtins::{len, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{select, tuple_};
use crate::python::standard::{Annotated, AsyncGenerator, Sequence, dataclass};
use crate::schemas::audit::{AuditEventRead, AuditQuery};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.audit_service": BATCH, AuditService, AuditServiceDep, AuditExport, AuditExportDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.audit_service").docstring("Reading the audit log.").body(block![
        assign(BATCH, 500),
        audit_service_class(),
        assign(AuditServiceDep, py!(Annotated[(AuditService, Depends(AuditService))])),
        audit_export_class(),
        assign(AuditExportDep, py!(Annotated[(AuditExport, Depends(AuditExport))]))
    ])
}

fn audit_service_class() -> ClassDef {
    names!(session);
    class(AuditService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The events of the caller's organization."),
        annotate(session, TenantSessionDep),
        audit_service_page()
    ])
}

fn audit_service_page() -> FunctionDef {
    names!(query, page, statement, column, value);
    let asked = [
        py!((AuditEvent.action, query.action)),
        py!((AuditEvent.actor_id, query.actor_id)),
        py!((AuditEvent.target, query.target)),
        py!((AuditEvent.target_id, query.target_id)),
    ];
    async_def("page")
        .params([untyped("self"), param(query, AuditQuery), param(page, PageRequest)])
        .returns(py!(Slice[AuditEvent]))
        .body(block![
            docstring("List the events that a query asks for, newest first."),
            assign(statement, py!(select(AuditEvent))),
            for_(
                py!((column, value)),
                tuple(asked),
                if_(
                    py!(value != None),
                    [assign(statement, py!(statement.r#where(column == value)))]
                )
            ),
            return_(py!(fetch_page(self.session, statement, AuditEvent, page).await))
        ])
}

fn audit_export_class() -> ClassDef {
    names!(database, principal);
    class(AuditExport).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The whole log, in sessions of its own: that of the request ends before."),
        annotate(database, DatabaseDep),
        annotate(principal, PrincipalDep),
        audit_export_lines(),
        audit_export_after()
    ])
}

fn audit_export_lines() -> FunctionDef {
    names!(last, events, event, line);
    async_def("lines").params([untyped("self")]).returns(py!(AsyncGenerator[(str, None)])).body(
        block![
            docstring("Write each event as a line of JSON, the oldest first."),
            ann_assign(last, py!(AuditEvent | None), none()),
            while_(
                true,
                block![
                    assign(events, py!(self.after(last).await)),
                    for_(
                        event,
                        events,
                        block![
                            assign(
                                line,
                                py!(AuditEventRead.model_validate(event).model_dump_json())
                            ),
                            do_(py!(yield_!(f!("{}\n", line))))
                        ]
                    ),
                    if_(py!(len(events) < BATCH), [return_none()]),
                    assign(last, py!(events[-1]))
                ]
            )
        ],
    )
}

fn audit_export_after() -> FunctionDef {
    names!(last, statement, place, session, order);
    async_def("after")
        .params([untyped("self"), param(last, py!(AuditEvent | None))])
        .returns(py!(Sequence[AuditEvent]))
        .body(block![
            docstring("Load the events that come after one."),
            assign(order, py!((AuditEvent.created_at, AuditEvent.id))),
            assign(statement, py!(select(AuditEvent).order_by(*order).limit(BATCH))),
            if_(
                py!(last != None),
                block![
                    assign(place, py!((last.created_at, last.id))),
                    assign(statement, py!(statement.r#where(tuple_(*order) > place)))
                ]
            ),
            async_with_as(
                py!(self.database.tenant_session(self.principal.organization.id)),
                session,
                [return_(py!(session.scalars(statement).await.all()))]
            )
        ])
}
