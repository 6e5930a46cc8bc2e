//! `backend/app/schemas/webhook.py`: requests and responses about webhooks.

use crate::core::webhook_events::WebhookEvent;
use crate::models::webhook::{DeliveryStatus, URL_LENGTH};
use crate::python::builtins::{bool, int, len, list, str};
use crate::python::pydantic::{Field, StrictBool};
use crate::python::standard::{Annotated, UUID, datetime};
use crate::schemas::base::{Page, RequestModel, ResponseModel, absent};
use crate::schemas::fields::NO_NUL;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.schemas.webhook": EndpointUrl, Events, Description, WebhookEndpointCreate, WebhookEndpointUpdate,
        WebhookEndpointRead, WebhookEndpointSecret, WebhookEndpointPage, WebhookDeliveryRead,
        WebhookDeliveryPage;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.schemas.webhook").docstring("Requests and responses about webhooks.").body(block![
        assign(
            EndpointUrl,
            py!(Annotated[(
                str,
                Field(
                    max_length = { URL_LENGTH },
                    pattern = "^https?://[A-Za-z0-9.-]+(:[1-9][0-9]{0,4})?(/[!-~]*)?$"
                )
            )])
        ),
        assign(Events, py!(Annotated[(list[WebhookEvent], Field(max_length = len(WebhookEvent)))])),
        assign(Description, py!(Annotated[(str, Field(max_length = 200, pattern = NO_NUL))])),
        create_class(),
        update_class(),
        read_class(),
        secret_class(),
        class(WebhookEndpointPage)
            .base(py!(Page[WebhookEndpointRead]))
            .body([docstring("A part of the list of endpoints.")]),
        delivery_class(),
        class(WebhookDeliveryPage)
            .base(py!(Page[WebhookDeliveryRead]))
            .body([docstring("A part of the list of deliveries.")])
    ])
}

fn create_class() -> ClassDef {
    names!(url, description, events);
    class(WebhookEndpointCreate).base(RequestModel).body(block![
        docstring("An address to be told; with no events named it is told everything."),
        annotate(url, EndpointUrl),
        ann_assign(description, Description, ""),
        ann_assign(events, Events, py!(Field(default_factory = list[WebhookEvent])))
    ])
}

/// A field that stays as it is when it is left out.
fn left_out(field: Name, annotation: Import) -> Stmt {
    ann_assign(field, annotation, py!(Field(default_factory = absent)))
}

fn update_class() -> ClassDef {
    names!(url, description, events, is_enabled);
    class(WebhookEndpointUpdate).base(RequestModel).body(block![
        docstring("What changes of an endpoint; enabled again, it gets what still waits for it."),
        left_out(url, EndpointUrl),
        left_out(description, Description),
        left_out(events, Events),
        left_out(is_enabled, StrictBool)
    ])
}

fn read_class() -> ClassDef {
    names!(id, created_at, url, description, events, is_enabled, failures, disabled_at);
    class(WebhookEndpointRead).base(ResponseModel).body(block![
        docstring("An endpoint; nobody reads its secret again."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(url, str),
        annotate(description, str),
        annotate(events, py!(list[WebhookEvent])),
        annotate(is_enabled, bool),
        annotate(failures, int),
        annotate(disabled_at, py!(datetime | None))
    ])
}

fn secret_class() -> ClassDef {
    names!(secret);
    class(WebhookEndpointSecret).base(WebhookEndpointRead).body(block![
        docstring("An endpoint with the secret that was just made for it: it is shown this once."),
        annotate(secret, str)
    ])
}

fn delivery_class() -> ClassDef {
    names!(id, created_at, event, status, attempts, due_at, attempted_at, response_status);
    names!(response_body);
    class(WebhookDeliveryRead).base(ResponseModel).body(block![
        docstring("What became of an event, and the start of what the endpoint answered."),
        annotate(id, UUID),
        annotate(created_at, datetime),
        annotate(event, str),
        annotate(status, DeliveryStatus),
        annotate(attempts, int),
        annotate(due_at, datetime),
        annotate(attempted_at, py!(datetime | None)),
        annotate(response_status, py!(int | None)),
        annotate(response_body, py!(str | None))
    ])
}
