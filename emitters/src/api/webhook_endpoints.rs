//! `backend/app/api/webhook_endpoints.py`: whom an organization has told of what happens in it.

use crate::core::org_rbac::{require_fresh_session, require_permission};
use crate::core::pagination::PageRequestDep;
use crate::core::permissions::Permission;
use crate::guards::guarded;
use crate::python::fastapi::{APIRouter, status};
use crate::python::standard::UUID;
use crate::schemas::webhook::{
    WebhookDeliveryPage, WebhookDeliveryRead, WebhookEndpointCreate, WebhookEndpointPage,
    WebhookEndpointRead, WebhookEndpointSecret, WebhookEndpointUpdate,
};
use crate::services::webhook_service::WebhookServiceDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.api.webhook_endpoints": router, create_webhook_endpoint, list_webhook_endpoints,
        read_webhook_endpoint, update_webhook_endpoint, delete_webhook_endpoint,
        rotate_webhook_secret, list_webhook_deliveries, redeliver_webhook;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let managers = py!(require_permission(Permission.WEBHOOKS_MANAGE));
    let fresh = require_fresh_session.into_expr();
    module("app.api.webhook_endpoints")
        .docstring("Whom an organization has told of what happens in it.")
        .body(block![
            assign(
                router,
                py!(APIRouter(
                    prefix = "/organizations/{organization_id}/webhook-endpoints",
                    tags = ["webhooks"]
                ))
            )
            .comment("No key opens these routes: a leaked one must not have all sent elsewhere."),
            guarded(guarded(create_def(), &managers), &fresh),
            guarded(list_def(), &managers),
            guarded(read_def(), &managers),
            guarded(guarded(update_def(), &managers), &fresh),
            guarded(delete_def(), &managers),
            guarded(guarded(rotate_def(), &managers), &fresh),
            guarded(list_deliveries_def(), &managers),
            guarded(redeliver_def(), &managers)
        ])
}

fn create_def() -> FunctionDef {
    names!(payload, webhooks, endpoint, secret, shown);
    async_def(create_webhook_endpoint)
        .decorator(py!(router.post("", status_code = status.HTTP_201_CREATED)))
        .params([param(payload, WebhookEndpointCreate), param(webhooks, WebhookServiceDep)])
        .returns(WebhookEndpointSecret)
        .body(block![
            docstring("Add an address to be told; the answer is the only place of its secret."),
            assign(py!((endpoint, secret)), py!(webhooks.create(payload).await)),
            assign(shown, py!(WebhookEndpointRead.model_validate(endpoint))),
            return_(py!(WebhookEndpointSecret(**shown.model_dump(), secret = secret)))
        ])
}

fn list_def() -> FunctionDef {
    names!(page, webhooks, found);
    async_def(list_webhook_endpoints)
        .decorator(py!(router.get("")))
        .params([param(page, PageRequestDep), param(webhooks, WebhookServiceDep)])
        .returns(WebhookEndpointPage)
        .body(block![
            docstring("List the endpoints of the organization."),
            assign(found, py!(webhooks.page(page).await)),
            return_(py!(WebhookEndpointPage.model_validate(found)))
        ])
}

fn read_def() -> FunctionDef {
    names!(endpoint_id, webhooks, endpoint);
    async_def(read_webhook_endpoint)
        .decorator(py!(router.get("/{endpoint_id}")))
        .params([param(endpoint_id, UUID), param(webhooks, WebhookServiceDep)])
        .returns(WebhookEndpointRead)
        .body(block![
            docstring("Read an endpoint."),
            assign(endpoint, py!(webhooks.get(endpoint_id).await)),
            return_(py!(WebhookEndpointRead.model_validate(endpoint)))
        ])
}

fn update_def() -> FunctionDef {
    names!(endpoint_id, payload, webhooks, endpoint);
    async_def(update_webhook_endpoint)
        .decorator(py!(router.patch("/{endpoint_id}")))
        .params([
            param(endpoint_id, UUID),
            param(payload, WebhookEndpointUpdate),
            param(webhooks, WebhookServiceDep),
        ])
        .returns(WebhookEndpointRead)
        .body(block![
            docstring("Change an endpoint, or have it told nothing for a while."),
            assign(endpoint, py!(webhooks.update(endpoint_id, payload).await)),
            return_(py!(WebhookEndpointRead.model_validate(endpoint)))
        ])
}

fn delete_def() -> FunctionDef {
    names!(endpoint_id, webhooks);
    async_def(delete_webhook_endpoint)
        .decorator(py!(router.delete("/{endpoint_id}", status_code = status.HTTP_204_NO_CONTENT)))
        .params([param(endpoint_id, UUID), param(webhooks, WebhookServiceDep)])
        .returns(none())
        .body(block![
            docstring("Remove an endpoint, with what still waits for it."),
            do_(py!(webhooks.delete(endpoint_id).await))
        ])
}

fn rotate_def() -> FunctionDef {
    names!(endpoint_id, webhooks, endpoint, secret, shown);
    async_def(rotate_webhook_secret)
        .decorator(py!(router.post("/{endpoint_id}/rotate-secret")))
        .params([param(endpoint_id, UUID), param(webhooks, WebhookServiceDep)])
        .returns(WebhookEndpointSecret)
        .body(block![
            docstring("Make another secret; for a day both sign."),
            assign(py!((endpoint, secret)), py!(webhooks.rotate_secret(endpoint_id).await)),
            assign(shown, py!(WebhookEndpointRead.model_validate(endpoint))),
            return_(py!(WebhookEndpointSecret(**shown.model_dump(), secret = secret)))
        ])
}

fn list_deliveries_def() -> FunctionDef {
    names!(endpoint_id, page, webhooks, found);
    async_def(list_webhook_deliveries)
        .decorator(py!(router.get("/{endpoint_id}/deliveries")))
        .params([
            param(endpoint_id, UUID),
            param(page, PageRequestDep),
            param(webhooks, WebhookServiceDep),
        ])
        .returns(WebhookDeliveryPage)
        .body(block![
            docstring("List what was delivered to an endpoint, and what waits."),
            assign(found, py!(webhooks.deliveries(endpoint_id, page).await)),
            return_(py!(WebhookDeliveryPage.model_validate(found)))
        ])
}

fn redeliver_def() -> FunctionDef {
    names!(endpoint_id, delivery_id, webhooks, delivery);
    async_def(redeliver_webhook)
        .decorator(py!(router.post("/{endpoint_id}/deliveries/{delivery_id}/redeliver")))
        .params([
            param(endpoint_id, UUID),
            param(delivery_id, UUID),
            param(webhooks, WebhookServiceDep),
        ])
        .returns(WebhookDeliveryRead)
        .body(block![
            docstring("Deliver something again."),
            assign(delivery, py!(webhooks.redeliver(endpoint_id, delivery_id).await)),
            return_(py!(WebhookDeliveryRead.model_validate(delivery)))
        ])
}
