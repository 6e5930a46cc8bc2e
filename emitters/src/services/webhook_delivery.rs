//! `backend/app/services/webhook_delivery.py`: how deliveries go out: in order for each endpoint, again after growing
//! pauses, and to nobody who never answers.

use crate::core::jobs::enqueue;
use crate::core::outbound::{AddressRefusedError, Outbound};
use crate::core::pauses::pause_after;
use crate::core::permissions::{Permission, ROLE_PERMISSIONS};
use crate::core::sealing::Sealer;
use crate::core::webhook_signing::headers_of;
use crate::models::base::utcnow;
use crate::models::membership::Membership;
use crate::models::user::User;
use crate::models::webhook::{DeliveryStatus, WebhookDelivery, WebhookEndpoint};
use crate::python::aiohttp::ClientError;
use crate::python::builtins::{
    __name__, Exception, OSError, TYPE, bool, float, int, isinstance, list, property, str,
};
use crate::python::sqlalchemy::{AsyncSession, delete, or_, select, update};
use crate::python::standard::{
    HTTPStatus, UUID, dataclass, logging, monotonic, timedelta, urlsplit,
};
use crate::services::email_service::deaf_endpoint_notice;
use crate::services::job_context::JobContext;
use crate::services::outbox::Outbox;
use crate::services::webhook_outbox::{DELIVER_WEBHOOKS, EndpointJob};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.webhook_delivery": logger, MAX_ATTEMPTS, DISABLE_AFTER, SHIFT_SECONDS, LEASE,
        KEPT, Parcel, Attempt, Courier, deliver_webhooks, describe, secrets_of, message_id;
}

/// The module.
#[must_use]
pub fn emit(is_measured: bool) -> Module {
    module("app.services.webhook_delivery")
        .docstring(
            "How deliveries go out: in order for each endpoint, and again after growing pauses.",
        )
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(MAX_ATTEMPTS, 12).paragraph(),
            assign(DISABLE_AFTER, py!(3 * MAX_ATTEMPTS)),
            assign(SHIFT_SECONDS, 30),
            assign(LEASE, py!(timedelta(seconds = 75)))
                .comment("Longer than a job may run, and over before a lost one is run again."),
            assign(KEPT, py!(timedelta(days = 30))),
            parcel_class(),
            attempt_class(is_measured),
            courier_class(is_measured),
            deliver_webhooks_def(),
            describe_def(),
            secrets_of_def(),
            message_id_def()
        ])
}

fn parcel_class() -> ClassDef {
    names!(delivery_id, url, body, secrets);
    class(Parcel).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What goes out, read before the session that read it was closed."),
        annotate(delivery_id, UUID),
        annotate(url, str),
        annotate(body, str),
        annotate(secrets, py!(list[str]))
    ])
}

fn attempt_class(is_measured: bool) -> ClassDef {
    names!(status, body);
    class(Attempt).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What came of an attempt; without an answer there is no status."),
        annotate(status, py!(int | None)),
        annotate(body, str),
        def("is_taken").decorator(property).params([untyped("self")]).returns(bool).body(block![
            docstring("Tell whether the endpoint has taken the delivery."),
            return_(py!(self.status != None
                && chain!(HTTPStatus.OK, "<=", self.status, "<", HTTPStatus.MULTIPLE_CHOICES)))
        ]),
        is_measured.then(attempt_outcome)
    ])
}

fn attempt_outcome() -> FunctionDef {
    def("outcome").decorator(property).params([untyped("self")]).returns(str).body(block![
        docstring("Say in a word what came of it."),
        if_(py!(self.status == None), [return_("unanswered")]),
        return_(py!(if self.is_taken { "accepted" } else { "refused" }))
    ])
}

fn courier_class(is_measured: bool) -> ClassDef {
    names!(context, endpoint_id, outbound);
    class(Courier).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("Delivers to one endpoint; of many jobs that want to, one does."),
        annotate(context, JobContext),
        annotate(endpoint_id, UUID),
        annotate(outbound, Outbound),
        courier_run(),
        courier_take(),
        courier_let_go(),
        courier_empty(),
        courier_next(),
        courier_open_next(),
        courier_send(),
        courier_note(is_measured),
        courier_refused(),
        courier_disable(),
        courier_forget()
    ])
}

fn courier_run() -> FunctionDef {
    names!(until, is_tired, session, payload);
    async_def("run").params([untyped("self")]).returns(none()).body(block![
        docstring(
            "Deliver what is due, the oldest first, up to the first that is not taken.\n\
             \n\
             After letting go it looks again: what came meanwhile had a job that found the\n\
             endpoint busy."
        ),
        assign(until, py!(monotonic() + SHIFT_SECONDS)),
        assign(is_tired, false),
        while_(
            py!(!is_tired && self.take().await),
            block![
                try_([assign(is_tired, py!(self.empty(until).await))])
                    .finally([do_(py!(self.let_go().await))])
            ]
        ),
        async_with_as(
            py!(self.context.session()),
            session,
            block![
                do_(py!(self.forget(session).await)),
                if_(
                    is_tired,
                    block![
                        assign(payload, py!(EndpointJob(endpoint_id = self.endpoint_id))),
                        do_(py!(enqueue(session, DELIVER_WEBHOOKS, payload)))
                    ]
                )
            ]
        )
    ])
}

fn courier_take() -> FunctionDef {
    names!(now, claim, session);
    async_def("take").params([untyped("self")]).returns(bool).body(block![
        docstring("Take the endpoint, unless it is disabled, busy, or nothing is due."),
        assign(now, py!(utcnow())),
        assign(
            claim,
            py!(update(WebhookEndpoint)
                .r#where(
                    WebhookEndpoint.id == self.endpoint_id,
                    WebhookEndpoint.disabled_at.is_(None),
                    or_(WebhookEndpoint.busy_until.is_(None), WebhookEndpoint.busy_until < now)
                )
                .values(busy_until = now + LEASE)
                .returning(WebhookEndpoint.id))
        ),
        async_with_as(
            py!(self.context.session()),
            session,
            block![
                if_(py!(self.next(session).await == None), [return_(false)]),
                return_(py!(session.scalar(claim).await != None))
            ]
        )
    ])
}

fn courier_let_go() -> FunctionDef {
    names!(free, session);
    async_def("let_go").params([untyped("self")]).returns(none()).body(block![
        docstring("Leave the endpoint to whoever comes next."),
        assign(
            free,
            py!(update(WebhookEndpoint)
                .r#where(WebhookEndpoint.id == self.endpoint_id)
                .values(busy_until = None))
        ),
        async_with_as(
            py!(self.context.session()),
            session,
            [do_(py!(session.execute(free).await))]
        )
    ])
}

fn courier_empty() -> FunctionDef {
    names!(until, parcel);
    async_def("empty").params([untyped("self"), param(until, float)]).returns(bool).body(block![
        docstring("Deliver one after another, and tell whether the time was too short."),
        while_(
            py!(walrus!(parcel, self.open_next().await) != None),
            block![
                if_(py!(monotonic() > until), [return_(true)]),
                do_(py!(self.note(parcel, self.send(parcel).await).await))
            ]
        ),
        return_(false)
    ])
}

fn courier_next() -> FunctionDef {
    names!(session, oldest, delivery);
    async_def("next")
        .params([untyped("self"), param(session, AsyncSession)])
        .returns(py!(WebhookDelivery | None))
        .body(block![
            docstring("Return the oldest delivery that waits, if it is due: none overtakes it."),
            assign(
                oldest,
                py!(select(WebhookDelivery)
                    .r#where(
                        WebhookDelivery.endpoint_id == self.endpoint_id,
                        WebhookDelivery.status == DeliveryStatus.PENDING
                    )
                    .order_by(WebhookDelivery.created_at, WebhookDelivery.id)
                    .limit(1))
            ),
            assign(delivery, py!(session.scalar(oldest).await)),
            if_(py!(delivery == None || delivery.due_at > utcnow()), [return_(none())]),
            return_(delivery)
        ])
}

fn courier_open_next() -> FunctionDef {
    names!(session, delivery, endpoint, secrets);
    async_def("open_next").params([untyped("self")]).returns(py!(Parcel | None)).body(block![
        docstring("Read what goes out next, if the endpoint is still told anything."),
        async_with_as(
            py!(self.context.session()),
            session,
            block![
                assign(endpoint, py!(session.get(WebhookEndpoint, self.endpoint_id).await)),
                assign(delivery, py!(self.next(session).await)),
                if_(
                    py!(endpoint == None || delivery == None || !endpoint.is_enabled),
                    [return_(none())]
                ),
                assign(secrets, py!(secrets_of(endpoint, self.context.resources.sealer))),
                return_(py!(Parcel(delivery.id, endpoint.url, delivery.body, secrets)))
            ]
        )
    ])
}

fn courier_send() -> FunctionDef {
    names!(parcel, timestamp, headers, answer, error);
    async_def("send").params([untyped("self"), param(parcel, Parcel)]).returns(Attempt).body(
        block![
            docstring("Send a delivery, signed as of now. No transaction is open meanwhile."),
            assign(timestamp, py!(int(utcnow().timestamp()))),
            assign(
                headers,
                py!(headers_of(
                    parcel.secrets,
                    message_id(parcel.delivery_id),
                    timestamp,
                    parcel.body
                ))
            ),
            try_([assign(answer, py!(self.outbound.post(parcel.url, parcel.body, headers).await))])
                .except_as(
                    py!((ClientError, OSError)),
                    error,
                    [return_(py!(Attempt(None, describe(error))))]
                ),
            return_(py!(Attempt(answer.status, answer.body)))
        ],
    )
}

fn courier_note(is_measured: bool) -> FunctionDef {
    names!(parcel, attempt, session, endpoint, delivery, failures, count);
    async_def("note")
        .params([untyped("self"), param(parcel, Parcel), param(attempt, Attempt)])
        .returns(none())
        .body(block![
            docstring("Note what came of an attempt."),
            is_measured.then(|| {
                do_(py!(self.context.resources.work.deliveries.labels(attempt.outcome).inc()))
            }),
            async_with_as(
                py!(self.context.session()),
                session,
                block![
                    assign(
                        endpoint,
                        py!(session
                            .get(WebhookEndpoint, self.endpoint_id, with_for_update = true)
                            .await)
                    ),
                    assign(delivery, py!(session.get(WebhookDelivery, parcel.delivery_id).await)),
                    if_(py!(endpoint == None || delivery == None), [return_none()]),
                    assign(py!(delivery.attempts), py!(delivery.attempts + 1)),
                    assign(py!(delivery.attempted_at), py!(utcnow())),
                    assign(py!(delivery.response_status), py!(attempt.status)),
                    assign(py!(delivery.response_body), py!(attempt.body)),
                    assign(failures, py!(if attempt.is_taken { 0 } else { endpoint.failures + 1 })),
                    if_(
                        py!(attempt.is_taken),
                        [assign(py!(delivery.status), py!(DeliveryStatus.DELIVERED))]
                    )
                    .else_([do_(py!(self.refused(session, delivery)))]),
                    if_(
                        py!(failures >= DISABLE_AFTER || attempt.status == HTTPStatus.GONE),
                        [do_(py!(self.disable(session, endpoint).await))]
                    ),
                    assign(
                        count,
                        py!(update(WebhookEndpoint)
                            .r#where(WebhookEndpoint.id == endpoint.id)
                            .values(failures = failures)
                            .execution_options(synchronize_session = false))
                    ),
                    do_(py!(session.execute(count).await))
                ]
            )
        ])
}

fn courier_refused() -> FunctionDef {
    names!(session, delivery, pause);
    def("refused")
        .params([untyped("self"), param(session, AsyncSession), param(delivery, WebhookDelivery)])
        .returns(none())
        .body(block![
            docstring("Try again later, or give a delivery up."),
            if_(
                py!(delivery.attempts >= MAX_ATTEMPTS),
                block![assign(py!(delivery.status), py!(DeliveryStatus.FAILED)), return_none()]
            ),
            assign(pause, py!(pause_after(delivery.attempts))),
            assign(py!(delivery.due_at), py!(utcnow() + pause)),
            do_(py!(enqueue(
                session,
                DELIVER_WEBHOOKS,
                EndpointJob(endpoint_id = self.endpoint_id),
                delay = pause
            )))
        ])
}

fn courier_disable() -> FunctionDef {
    names!(session, endpoint, resources, outbox, host, role, granted, managers, emails, email);
    let managing = py!(list!(
        role for (role, granted) in ROLE_PERMISSIONS.items()
            if in_!(Permission.WEBHOOKS_MANAGE, granted)
    ));
    async_def("disable")
        .params([untyped("self"), param(session, AsyncSession), param(endpoint, WebhookEndpoint)])
        .returns(none())
        .body(block![
            docstring("Send nothing more to an endpoint, and tell those who look after it."),
            do_(py!(logger.warning("The webhook endpoint %s is disabled", endpoint.id))),
            assign(py!(endpoint.disabled_at), py!(utcnow())),
            assign(managers, managing),
            assign(
                emails,
                py!(select(User.email).join(Membership, Membership.user_id == User.id).r#where(
                    Membership.organization_id == endpoint.organization_id,
                    Membership.role.in_(managers)
                ))
            ),
            assign(resources, py!(self.context.resources)),
            assign(outbox, py!(Outbox(session, resources.settings, resources.sealer))),
            assign(host, py!(urlsplit(endpoint.url).hostname || "")),
            for_(
                email,
                py!(session.scalars(emails).await.all()),
                [do_(py!(outbox.add(deaf_endpoint_notice(email, host))))]
            )
        ])
}

fn courier_forget() -> FunctionDef {
    names!(session, old);
    async_def("forget")
        .params([untyped("self"), param(session, AsyncSession)])
        .returns(none())
        .body(block![
            docstring("Forget the deliveries that ended long ago."),
            assign(
                old,
                py!(delete(WebhookDelivery).r#where(
                    WebhookDelivery.endpoint_id == self.endpoint_id,
                    WebhookDelivery.status != DeliveryStatus.PENDING,
                    WebhookDelivery.created_at < utcnow() - KEPT
                ))
            ),
            do_(py!(session.execute(old).await))
        ])
}

fn deliver_webhooks_def() -> FunctionDef {
    names!(context, payload, outbound);
    async_def(deliver_webhooks)
        .params([param(context, JobContext), param(payload, EndpointJob)])
        .returns(none())
        .body(block![
            docstring("Deliver what one endpoint waits for."),
            assign(outbound, py!(Outbound(context.resources.settings))),
            do_(py!(Courier(context, payload.endpoint_id, outbound).run().await))
        ])
}

fn describe_def() -> FunctionDef {
    names!(error);
    def(describe).params([param(error, Exception)]).returns(str).body(block![
        docstring("Say what kept a delivery from being answered, and nothing of our network."),
        if_(py!(isinstance(error, AddressRefusedError)), [return_(py!(str(error)))]),
        return_(py!(TYPE(error).__name__))
    ])
}

fn secrets_of_def() -> FunctionDef {
    names!(endpoint, sealer, previous, is_due);
    def(secrets_of)
        .params([param(endpoint, WebhookEndpoint), param(sealer, Sealer)])
        .returns(py!(list[str]))
        .body(block![
            docstring("Return the secrets that sign: for a while the one before the last too."),
            assign(previous, py!(endpoint.sealed_previous_secret)),
            assign(
                is_due,
                py!(endpoint.previous_until != None && endpoint.previous_until > utcnow())
            ),
            return_(py!([
                sealer.open(endpoint.sealed_secret),
                *(if previous != None && is_due { [sealer.open(previous)] } else { [] })
            ]))
        ])
}

fn message_id_def() -> FunctionDef {
    names!(delivery_id);
    def(message_id).params([param(delivery_id, UUID)]).returns(str).body(block![
        docstring("Return the id by which a receiver knows a delivery that comes again."),
        return_(py!(f!("msg_{}", delivery_id.hex)))
    ])
}
