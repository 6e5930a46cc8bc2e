//! `backend/app/services/file_quota.py`: how much an organization may keep in files.

use crate::core::billing::consume_limit;
use crate::core::errors::ForbiddenError;
use crate::core::payers::payer_model;
use crate::core::plans::Limit;
use crate::core::settings::has_own_quota;
use crate::models::base::utcnow;
use crate::models::organization::Organization;
use crate::models::stored_file::StoredFile;
use crate::python::builtins::int;
use crate::python::sqlalchemy::{AsyncSession, BigInteger, Select, cast, func, or_, select};
use crate::spec::{Billing, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.file_quota": MEGABYTE, require_space, stored_megabytes;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let billing = spec.billing.as_ref().filter(|_| !has_own_quota(spec));
    let rule = billing.map_or_else(require_space_of_setting_def, require_space_def);
    module("app.services.file_quota")
        .docstring("How much an organization may keep in files.")
        .body(block![assign(MEGABYTE, 1_000_000), rule, stored_megabytes_def()])
}

fn require_space_def(billing: &Billing) -> FunctionDef {
    names!(session, payer, size, limit, used);
    async_def(require_space)
        .params([
            param(session, AsyncSession),
            param(payer, payer_model(billing)),
            param(size, int),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Refuse a file that the plan has no room for.\n\
                 \n\
                 Call it in the transaction that adds the file: of two at once, one waits here."
            ),
            assign(py!((limit, used)), py!((Limit.STORAGE_MEGABYTES, stored_megabytes(size)))),
            do_(py!(consume_limit(session, payer, limit, used, adding = 0).await))
        ])
}

fn require_space_of_setting_def() -> FunctionDef {
    names!(session, organization, size, allowed, own, used);
    async_def(require_space)
        .params([
            param(session, AsyncSession),
            param(organization, Organization),
            param(size, int),
            star(),
            param(allowed, int),
        ])
        .returns(none())
        .body(block![
            docstring(
                "Refuse a file that there is no room for in so many megabytes.\n\
                 \n\
                 Call it in the transaction that adds the file: of two at once, one waits here."
            ),
            assign(own, py!(select(Organization.id).r#where(Organization.id == organization.id))),
            do_(py!(session.execute(own.with_for_update(key_share = true)).await)),
            assign(used, py!(session.scalar(stored_megabytes(size)).await || 0)),
            if_(
                py!(used > allowed),
                [raise(py!(ForbiddenError(
                    f!("There is room for {} megabytes of files.", allowed),
                    code = "storage_full"
                )))]
            )
        ])
}

fn stored_megabytes_def() -> FunctionDef {
    names!(adding, stored, is_kept);
    def(stored_megabytes).params([param(adding, int).default(0)]).returns(py!(Select[int])).body(
        block![
            docstring(
                "Count the megabytes of the bound tenant, begun ones as whole.\n\
                 \n\
                 What never came in takes no room once its time is over."
            ),
            assign(stored, py!(cast(func.coalesce(func.sum(StoredFile.size), 0), BigInteger))),
            assign(
                is_kept,
                py!(or_(StoredFile.expires_at.is_(None), StoredFile.expires_at > utcnow()))
            ),
            return_(py!(
                select(floor_div!(stored + adding + MEGABYTE - 1, MEGABYTE)).r#where(is_kept)
            ))
        ],
    )
}
