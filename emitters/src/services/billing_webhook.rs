//! `backend/app/services/billing_webhook.py`: the webhook, and what became of the events that it took in.

use crate::core::database::SessionDep;
use crate::core::errors::{ConflictError, NotFoundError};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::models::billing_event::{BillingEvent, BillingEventStatus};
use crate::python::builtins::{bytes, str};
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::select;
use crate::python::standard::{Annotated, Mapping, UUID, dataclass};
use crate::services::billing_inbox::revive;
use crate::services::billing_provider::BillingProviderDep;
use crate::services::billing_worker::BillingWorkerDep;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_webhook": BillingWebhook, BillingEventService, BillingWebhookDep,
        BillingEventServiceDep;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    let docstring = "The webhook, and what became of the events that it took in.";
    module("app.services.billing_webhook").docstring(docstring).body(block![
        billing_webhook_class(),
        billing_event_service_class(),
        assign(BillingWebhookDep, py!(Annotated[(BillingWebhook, Depends(BillingWebhook))])),
        assign(
            BillingEventServiceDep,
            py!(Annotated[(BillingEventService, Depends(BillingEventService))])
        )
    ])
}

fn billing_webhook_class() -> ClassDef {
    names!(provider, worker);
    class(BillingWebhook).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The way in of an event: verified, stored, and left to the worker."),
        annotate(provider, BillingProviderDep),
        annotate(worker, BillingWorkerDep),
        billing_webhook_receive()
    ])
}

fn billing_webhook_receive() -> FunctionDef {
    names!(body, headers, delivery, status);
    async_def("receive")
        .params([untyped("self"), param(body, bytes), param(headers, py!(Mapping[(str, str)]))])
        .returns(BillingEventStatus)
        .body(block![
            docstring("Take a delivery in, and return what has become of its event so far."),
            assign(delivery, py!(self.provider.read_delivery(body, headers))),
            assign(status, py!(self.worker.inbox.store(self.provider.name, delivery).await)),
            do_(py!(self.worker.wake())),
            return_(status)
        ])
}

fn billing_event_service_class() -> ClassDef {
    names!(session);
    class(BillingEventService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What became of the events."),
        annotate(session, SessionDep),
        billing_event_service_page(),
        billing_event_service_replay()
    ])
}

fn billing_event_service_page() -> FunctionDef {
    names!(page, status, statement);
    async_def("page")
        .params([
            untyped("self"),
            param(page, PageRequest),
            param(status, py!(BillingEventStatus | None)),
        ])
        .returns(py!(Slice[BillingEvent]))
        .body(block![
            docstring("List the stored events, newest first."),
            assign(statement, py!(select(BillingEvent))),
            if_(
                py!(status != None),
                [assign(statement, py!(statement.r#where(BillingEvent.status == status)))]
            ),
            return_(py!(fetch_page(self.session, statement, BillingEvent, page).await))
        ])
}

fn billing_event_service_replay() -> FunctionDef {
    names!(event_id, event);
    async_def("replay").params([untyped("self"), param(event_id, UUID)]).returns(BillingEvent).body(
        block![
            docstring("Have an event processed again, from its first attempt."),
            assign(
                event,
                py!(self.session.get(BillingEvent, event_id, with_for_update = true).await)
            ),
            if_(py!(event == None), [raise(py!(NotFoundError("There is no such event.")))]),
            if_(
                py!(is_!(event.status, BillingEventStatus.RECEIVED)),
                [raise(py!(ConflictError("This event is still being processed.")))]
            ),
            do_(py!(revive(event))),
            do_(py!(self.session.flush().await)),
            return_(event)
        ],
    )
}
