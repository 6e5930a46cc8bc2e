//! `backend/app/services/billing_reconcile.py`: every subscription asked for, whatever events came.

use crate::core::database::Database;
use crate::core::jobs::JobKind;
use crate::core::payers::payer_model;
use crate::python::builtins::{__name__, Exception, bool, len, list};
use crate::python::sqlalchemy::select;
use crate::python::standard::{Sequence, UUID, logging};
use crate::services::billing_connection::connected_provider;
use crate::services::billing_sync::{BillingSync, ENDED, build_sync};
use crate::services::job_context::JobContext;
use crate::services::maintenance::Nothing;
use crate::spec::Billing;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_reconcile": logger, BATCH, RECONCILE_BILLING, ReconcileError,
        reconcile_billing, reconcile, is_refreshed, payers_after;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    module("app.services.billing_reconcile")
        .docstring("Every subscription is asked for now and then, whatever events came.")
        .body(block![
            assign(logger, py!(logging.getLogger(__name__))),
            assign(BATCH, 100).paragraph(),
            assign(
                RECONCILE_BILLING,
                py!(JobKind(
                    "reconcile_billing",
                    Nothing,
                    max_attempts = 3,
                    timeout_seconds = 60 * 60
                ))
            ),
            class(ReconcileError)
                .base(Exception)
                .body([docstring("Some payers could not be brought up to date.")]),
            reconcile_billing_def(),
            reconcile_def(),
            is_refreshed_def(),
            payers_after_def(billing)
        ])
}

fn reconcile_billing_def() -> FunctionDef {
    names!(context, _payload, resources, provider, sync, failed);
    async_def(reconcile_billing)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring("Bring every payer up to date; if some cannot be, all are tried again."),
            assign(resources, py!(context.resources)),
            async_with_as(
                py!(connected_provider(resources.settings)),
                provider,
                block![
                    if_(py!(!provider.is_connected), [return_none()]),
                    assign(sync, py!(build_sync(resources.settings, resources.database, provider))),
                    assign(failed, py!(reconcile(sync).await))
                ]
            ),
            if_(py!(failed), [raise(py!(ReconcileError(f!("{} payers are left", len(failed)))))])
        ])
}

fn reconcile_def() -> FunctionDef {
    names!(sync, failed, last, payer_ids, payer_id);
    async_def(reconcile).params([param(sync, BillingSync)]).returns(py!(list[UUID])).body(block![
        docstring("Bring each payer up to date, and return those that cannot be."),
        ann_assign(failed, py!(list[UUID]), py!([])),
        assign(last, py!(UUID(int = 0))),
        while_(
            py!(walrus!(payer_ids, payers_after(sync.database, last).await)),
            block![
                do_(py!(failed.extend(list!(
                    payer_id for payer_id in payer_ids if !is_refreshed(sync, payer_id).await
                )))),
                assign(last, py!(payer_ids[-1]))
            ]
        ),
        return_(failed)
    ])
}

fn is_refreshed_def() -> FunctionDef {
    names!(sync, payer_id);
    async_def(is_refreshed)
        .params([param(sync, BillingSync), param(payer_id, UUID)])
        .returns(bool)
        .body(block![
            docstring(
                "Bring a payer up to date, or say why not and let the others have their turn."
            ),
            try_([do_(py!(sync.refresh(payer_id).await))]).except(
                Exception,
                block![
                    do_(py!(logger.exception("Payer %s is left as it was", payer_id))),
                    return_(false)
                ]
            ),
            return_(true)
        ])
}

fn payers_after_def(billing: &Billing) -> FunctionDef {
    names!(database, last, statement, session);
    let model = payer_model(billing);
    async_def(payers_after)
        .params([param(database, Database), param(last, UUID)])
        .returns(py!(Sequence[UUID]))
        .body(block![
            docstring("Return some of the payers who may have a subscription, in their order."),
            assign(
                statement,
                py!(select(model.id)
                    .r#where(
                        model.id > last,
                        model.stripe_customer_id.is_not(None),
                        model.subscription_status.not_in(ENDED)
                    )
                    .order_by(model.id)
                    .limit(BATCH))
            ),
            async_with_as(
                py!(database.session()),
                session,
                [return_(py!(session.scalars(statement).await.all()))]
            )
        ])
}
