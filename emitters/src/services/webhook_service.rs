//! `backend/app/services/webhook_service.py`: the endpoints of the bound tenant, and what was delivered to them.

use crate::core::errors::{ConflictError, NotFoundError};
use crate::core::jobs::enqueue;
use crate::core::org_rbac::TenantSessionDep;
use crate::core::outbound::{AddressRefusedError, Outbound};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::settings::SettingsDep;
use crate::core::webhook_signing::new_secret;
use crate::models::base::utcnow;
use crate::models::webhook::{DeliveryStatus, WebhookDelivery, WebhookEndpoint};
use crate::python::builtins::{setattr, str, tuple};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{func, select};
use crate::python::standard::{Annotated, UUID, dataclass, timedelta};
use crate::schemas::webhook::{WebhookEndpointCreate, WebhookEndpointUpdate};
use crate::services::outbox::SealerDep;
use crate::services::webhook_outbox::{DELIVER_WEBHOOKS, EndpointJob};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.webhook_service": MAX_ENDPOINTS, OVERLAP, WebhookService, WebhookServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.webhook_service")
        .docstring("The endpoints of the bound tenant, and what was delivered to them.")
        .body(block![
            assign(MAX_ENDPOINTS, 20),
            assign(OVERLAP, py!(timedelta(hours = 24)))
                .comment("How long the secret before the last one signs too."),
            webhook_service_class(),
            assign(WebhookServiceDep, py!(Annotated[(WebhookService, Depends(WebhookService))]))
        ])
}

fn webhook_service_class() -> ClassDef {
    names!(session, settings, sealer);
    class(WebhookService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for webhooks."),
        annotate(session, TenantSessionDep),
        annotate(settings, SettingsDep),
        annotate(sealer, SealerDep),
        page_def(),
        get_def(),
        create_def(),
        update_def(),
        delete_def(),
        rotate_secret_def(),
        deliveries_def(),
        redeliver_def(),
        require_address_def(),
        refuse_too_many_def()
    ])
}

fn page_def() -> FunctionDef {
    names!(page);
    async_def("page")
        .params([untyped("self"), param(page, PageRequest)])
        .returns(py!(Slice[WebhookEndpoint]))
        .body(block![
            docstring("List the endpoints."),
            return_(py!(
                fetch_page(self.session, select(WebhookEndpoint), WebhookEndpoint, page).await
            ))
        ])
}

fn get_def() -> FunctionDef {
    names!(endpoint_id, endpoint);
    async_def("get")
        .params([untyped("self"), param(endpoint_id, UUID)])
        .returns(WebhookEndpoint)
        .body(block![
            docstring("Return an endpoint, or answer 404."),
            assign(endpoint, py!(self.session.get(WebhookEndpoint, endpoint_id).await)),
            if_(
                py!(endpoint == None),
                [raise(py!(NotFoundError("There is no such webhook endpoint.")))]
            ),
            return_(endpoint)
        ])
}

fn create_def() -> FunctionDef {
    names!(payload, secret, endpoint);
    async_def("create")
        .params([untyped("self"), param(payload, WebhookEndpointCreate)])
        .returns(py!(tuple[(WebhookEndpoint, str)]))
        .body(block![
            docstring("Add an endpoint, and return its secret: this is the only copy of it."),
            do_(py!(self.require_address(payload.url))),
            do_(py!(self.refuse_too_many().await)),
            assign(secret, py!(new_secret())),
            assign(
                endpoint,
                py!(WebhookEndpoint(
                    **payload.model_dump(),
                    sealed_secret = self.sealer.seal(secret)
                ))
            ),
            do_(py!(self.session.add(endpoint))),
            do_(py!(self.session.flush().await)),
            return_(py!((endpoint, secret)))
        ])
}

fn update_def() -> FunctionDef {
    names!(endpoint_id, payload, endpoint, changes, is_enabled, name, value);
    async_def("update")
        .params([untyped("self"), param(endpoint_id, UUID), param(payload, WebhookEndpointUpdate)])
        .returns(WebhookEndpoint)
        .body(block![
            docstring("Change what the payload names."),
            assign(endpoint, py!(self.get(endpoint_id).await)),
            assign(changes, py!(payload.model_dump(exclude_unset = true))),
            assign(is_enabled, py!(changes.pop("is_enabled", endpoint.is_enabled))),
            if_(py!(in_!("url", changes)), [do_(py!(self.require_address(payload.url)))]),
            for_(
                py!((name, value)),
                py!(changes.items()),
                [do_(py!(setattr(endpoint, name, value)))]
            ),
            if_(
                py!(is_enabled && !endpoint.is_enabled),
                block![
                    assign(py!((endpoint.disabled_at, endpoint.failures)), py!((None, 0))),
                    do_(py!(enqueue(
                        self.session,
                        DELIVER_WEBHOOKS,
                        EndpointJob(endpoint_id = endpoint.id)
                    )))
                ]
            )
            .elif(
                py!(!is_enabled && endpoint.is_enabled),
                [assign(py!(endpoint.disabled_at), py!(utcnow()))]
            ),
            do_(py!(self.session.flush().await)),
            return_(endpoint)
        ])
}

fn delete_def() -> FunctionDef {
    names!(endpoint_id);
    async_def("delete").params([untyped("self"), param(endpoint_id, UUID)]).returns(none()).body(
        block![
            docstring("Remove an endpoint, and what was or was to be delivered to it."),
            do_(py!(self.session.delete(self.get(endpoint_id).await).await)),
            do_(py!(self.session.flush().await))
        ],
    )
}

fn rotate_secret_def() -> FunctionDef {
    names!(endpoint_id, endpoint, secret);
    async_def("rotate_secret")
        .params([untyped("self"), param(endpoint_id, UUID)])
        .returns(py!(tuple[(WebhookEndpoint, str)]))
        .body(block![
            docstring("Make another secret; for a day the one before it signs too."),
            assign(endpoint, py!(self.get(endpoint_id).await)),
            assign(secret, py!(new_secret())),
            assign(py!(endpoint.sealed_previous_secret), py!(endpoint.sealed_secret)),
            assign(py!(endpoint.previous_until), py!(utcnow() + OVERLAP)),
            assign(py!(endpoint.sealed_secret), py!(self.sealer.seal(secret))),
            do_(py!(self.session.flush().await)),
            return_(py!((endpoint, secret)))
        ])
}

fn deliveries_def() -> FunctionDef {
    names!(endpoint_id, page, endpoint, statement);
    async_def("deliveries")
        .params([untyped("self"), param(endpoint_id, UUID), param(page, PageRequest)])
        .returns(py!(Slice[WebhookDelivery]))
        .body(block![
            docstring("List what was delivered to an endpoint, and what waits; newest first."),
            assign(endpoint, py!(self.get(endpoint_id).await)),
            assign(
                statement,
                py!(select(WebhookDelivery).r#where(WebhookDelivery.endpoint_id == endpoint.id))
            ),
            return_(py!(fetch_page(self.session, statement, WebhookDelivery, page).await))
        ])
}

fn redeliver_def() -> FunctionDef {
    names!(endpoint_id, delivery_id, endpoint, delivery);
    async_def("redeliver")
        .params([untyped("self"), param(endpoint_id, UUID), param(delivery_id, UUID)])
        .returns(WebhookDelivery)
        .body(block![
            docstring("Deliver something again, under the same id, before what waits."),
            assign(endpoint, py!(self.get(endpoint_id).await)),
            assign(delivery, py!(self.session.get(WebhookDelivery, delivery_id).await)),
            if_(
                py!(delivery == None || delivery.endpoint_id != endpoint.id),
                [raise(py!(NotFoundError("There is no such delivery.")))]
            ),
            if_(
                py!(!endpoint.is_enabled),
                [raise(py!(ConflictError(
                    "The endpoint is disabled.",
                    code = "webhook_endpoint_disabled"
                )))]
            ),
            assign(py!(delivery.status), py!(DeliveryStatus.PENDING)),
            assign(py!((delivery.attempts, delivery.due_at)), py!((0, utcnow()))),
            do_(py!(enqueue(
                self.session,
                DELIVER_WEBHOOKS,
                EndpointJob(endpoint_id = endpoint.id)
            ))),
            do_(py!(self.session.flush().await)),
            return_(delivery)
        ])
}

fn require_address_def() -> FunctionDef {
    names!(url, error);
    def("require_address").params([untyped("self"), param(url, str)]).returns(none()).body(block![
        docstring("Refuse an address that nothing would ever be delivered to."),
        try_([do_(py!(Outbound(self.settings).parse(url)))]).except_as(
            AddressRefusedError,
            error,
            [raise_from(py!(ConflictError(str(error), code = "address_refused")), error)]
        )
    ])
}

fn refuse_too_many_def() -> FunctionDef {
    names!(endpoints);
    async_def("refuse_too_many").params([untyped("self")]).returns(none()).body(block![
        docstring("Refuse more endpoints than anyone can look after."),
        assign(endpoints, py!(select(func.count()).select_from(WebhookEndpoint))),
        if_(
            py!((self.session.scalar(endpoints).await || 0) >= MAX_ENDPOINTS),
            [raise(py!(ConflictError(
                "There are too many webhook endpoints already.",
                code = "too_many_webhook_endpoints"
            )))]
        )
    ])
}
