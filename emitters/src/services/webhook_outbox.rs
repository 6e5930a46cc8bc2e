//! `backend/app/services/webhook_outbox.py`: deliveries are written with the change that they tell of.

use crate::core::jobs::{JobKind, enqueue};
use crate::core::tenancy::TenantSession;
use crate::core::webhook_events::WebhookEvent;
use crate::entity_names::{model, read_schema};
use crate::models::audit_event::{AuditAction, AuditEvent};
use crate::models::base::{TenantScoped, utcnow};
use crate::models::webhook::{WebhookDelivery, WebhookEndpoint};
use crate::python::builtins::{TYPE, dict, isinstance, list, str};
use crate::python::pydantic::BaseModel;
use crate::python::sqlalchemy::{Session, UOWTransaction, event, select};
use crate::python::standard::{Any, Mapping, NamedTuple, UUID, json};
use crate::schemas::base::ResponseModel;
use crate::spec::Spec;
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.webhook_outbox": EndpointJob, Source, SOURCES, WORDS, DELIVER_WEBHOOKS,
        Message, tell_endpoints, write_deliveries, message_of;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let sources = spec.entities.iter().map(|entity| {
        let (name, schema) = (entity.names.name.as_str(), read_schema(&entity.names));
        let model = model(&entity.names);
        (entity.names.table.as_str(), py!(Source(name, model, schema)))
    });
    let has_trash = spec.has_soft_delete();
    let words = [
        (py!(AuditAction.CREATED), "created"),
        (py!(AuditAction.CHANGED), "updated"),
        (py!(AuditAction.DELETED), "deleted"),
    ];
    let restored = has_trash.then(|| (py!(AuditAction.RESTORED), "restored"));
    module("app.services.webhook_outbox")
        .docstring(
            "Deliveries are written with the change that they tell of, and are lost with it.\n\
             \n\
             Whatever the audit log notes of an entity is an event: so nothing is forgotten that\n\
             services change by statements.",
        )
        .body(block![
            endpoint_job_class(),
            source_class(),
            message_class(),
            ann_assign(SOURCES, py!(Mapping[(str, Source)]), make::dict(sources))
                .comment("The entities that are told of, by their tables."),
            assign(WORDS, make::dict(words.into_iter().chain(restored))).paragraph(),
            assign(DELIVER_WEBHOOKS, py!(JobKind("deliver_webhooks", EndpointJob))),
            tell_endpoints_def(),
            write_deliveries_def(),
            message_of_def()
        ])
}

fn endpoint_job_class() -> ClassDef {
    names!(endpoint_id);
    class(EndpointJob)
        .base(BaseModel)
        .body(block![docstring("Which endpoint."), annotate(endpoint_id, UUID)])
}

fn source_class() -> ClassDef {
    names!(name, model, schema);
    class(Source).base(NamedTuple).body(block![
        docstring("An entity that is told of: its name, and how a row is read and shown."),
        annotate(name, str),
        annotate(model, py!(TYPE[TenantScoped])),
        annotate(schema, py!(TYPE[ResponseModel]))
    ])
}

fn message_class() -> ClassDef {
    names!(name, body);
    class(Message).base(NamedTuple).body(block![
        docstring("What every endpoint that listens is told."),
        annotate(name, WebhookEvent),
        annotate(body, str)
    ])
}

fn tell_endpoints_def() -> FunctionDef {
    names!(session, _context, noted, organization_id, endpoints, messages, row, endpoint);
    let is_told = py!(isinstance(row, AuditEvent) && in_!(row.target, SOURCES));
    let enabled = py!(select(WebhookEndpoint)
        .r#where(
            WebhookEndpoint.organization_id == organization_id,
            WebhookEndpoint.disabled_at.is_(None)
        )
        .order_by(WebhookEndpoint.created_at));
    def(tell_endpoints)
        .decorator(py!(event.listens_for(TenantSession, "after_flush")))
        .params([param(session, Session), param(_context, UOWTransaction)])
        .returns(none())
        .body(block![
            docstring("Tell the endpoints of what a flush has noted in the audit log."),
            assign(noted, py!(list!(row for row in session.new if { is_told }))),
            for_(
                organization_id,
                py!(set!(row.organization_id for row in noted)),
                block![
                    assign(endpoints, py!(session.scalars({ enabled }).all())),
                    assign(
                        messages,
                        py!(list!(message_of(session, row) for row in noted
                            if endpoints && row.organization_id == organization_id))
                    ),
                    for_(
                        endpoint,
                        endpoints,
                        [do_(py!(write_deliveries(session, endpoint, messages)))]
                    )
                ]
            )
        ])
}

fn write_deliveries_def() -> FunctionDef {
    names!(session, endpoint, messages, wanted, now, message);
    def(write_deliveries)
        .params([
            param(session, Session),
            param(endpoint, WebhookEndpoint),
            param(messages, py!(list[Message])),
        ])
        .returns(none())
        .body(block![
            docstring("Write what an endpoint listens to, and have it go out."),
            assign(
                wanted,
                py!(list!(one for one in messages
                    if !endpoint.events || in_!(one.name, endpoint.events)))
            ),
            if_(py!(!wanted), [return_none()]),
            assign(now, py!(utcnow())),
            for_(
                message,
                wanted,
                [do_(py!(session.add(WebhookDelivery(
                    organization_id = endpoint.organization_id,
                    endpoint_id = endpoint.id,
                    event = message.name,
                    body = message.body,
                    due_at = now
                ))))]
            ),
            do_(py!(enqueue(session, DELIVER_WEBHOOKS, EndpointJob(endpoint_id = endpoint.id))))
        ])
}

fn message_of_def() -> FunctionDef {
    names!(session, noted, source, name, data, row, is_gone, body);
    let content = py!(dict!(
        "type" => name,
        "timestamp" => noted.created_at.isoformat(),
        "data" => data
    ));
    def(message_of)
        .params([param(session, Session), param(noted, AuditEvent)])
        .returns(Message)
        .body(block![
            docstring("Say what happened, with the row as it is now; of a deleted one, its id."),
            assign(source, py!(SOURCES[noted.target])),
            assign(name, py!(WebhookEvent(f!("{}.{}", source.name, WORDS[noted.action])))),
            ann_assign(data, py!(dict[(str, Any)]), py!(dict!("id" => str(noted.target_id)))),
            assign(is_gone, py!(is_!(noted.action, AuditAction.DELETED))),
            assign(
                row,
                py!(if is_gone { None } else { session.get(source.model, noted.target_id) })
            ),
            if_(
                py!(row != None),
                [assign(data, py!(source.schema.model_validate(row).model_dump(mode = "json")))]
            ),
            assign(
                body,
                py!(json.dumps({ content }, ensure_ascii = false, separators = (",", ":")))
            ),
            return_(py!(Message(name, body)))
        ])
}
