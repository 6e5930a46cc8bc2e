//! `backend/app/services/trash.py`: what was deleted long ago goes for good.

use crate::core::jobs::JobKind;
use crate::models::base::utcnow;
use crate::python::builtins::{__name__, int};
use crate::python::sqlalchemy::SQLAlchemyError;
use crate::python::standard::{logging, timedelta};
use crate::services::deletion::purge;
use crate::services::job_context::JobContext;
use crate::services::maintenance::Nothing;
use crate::services::tenants::every_tenant;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.trash": logger, EMPTY_TRASH, empty_trash;
}

/// The module.
#[must_use]
pub fn emit() -> Module {
    module("app.services.trash").docstring("What was deleted long ago goes for good.").body(block![
        assign(logger, py!(logging.getLogger(__name__))),
        assign(EMPTY_TRASH, py!(JobKind("empty_trash", Nothing, timeout_seconds = 900)))
            .paragraph(),
        empty_trash_def()
    ])
}

fn empty_trash_def() -> FunctionDef {
    names!(context, _payload, resources, kept, before, removed, organization_id, session);
    async_def(empty_trash)
        .params([param(context, JobContext), param(_payload, Nothing)])
        .returns(none())
        .body(block![
            docstring(
                "Remove what can be restored no more; a tenant that fails holds up no other."
            ),
            assign(resources, py!(context.resources)),
            assign(kept, py!(timedelta(days = resources.settings.deleted_row_days))),
            assign(before, py!(utcnow() - kept)),
            ann_assign(removed, int, 0),
            for_(
                organization_id,
                py!(every_tenant(resources.database).await),
                [try_([async_with_as(
                    py!(resources.database.tenant_session(organization_id)),
                    session,
                    [aug_assign(removed, Operator::Add, py!(purge(session, before).await))]
                )])
                .except(
                    SQLAlchemyError,
                    [do_(py!(logger.exception("The deleted rows of %s stay", organization_id)))]
                )]
            ),
            do_(py!(logger.info("Deleted rows that are gone for good: %d", removed)))
        ])
}
