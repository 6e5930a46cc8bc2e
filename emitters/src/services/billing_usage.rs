//! `backend/app/services/billing_usage.py`: how much an organization has of what its plan limits.

use crate::core::plans::Limit;
use crate::entity_names;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::python::builtins::{dict, int};
use crate::python::sqlalchemy::{AsyncSession, Select, func, select};
use crate::services::file_quota::stored_megabytes;
use crate::spec::{self, Billing, Counted};
use astgen_pyast::MatchCase;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_usage": count_of, usage_of;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "How much an organization has of what its plan limits.";
    module("app.services.billing_usage")
        .docstring(docstring)
        .body(block![count_of_def(billing), usage_of_def()])
}

fn count_of_def(billing: &Billing) -> FunctionDef {
    names!(limit, organization);
    let counts = billing.limits.iter().map(|limit| count_of_limit(limit, organization));
    def(count_of)
        .params([param(limit, Limit), param(organization, Organization)])
        .returns(py!(Select[int]))
        .body(block![
            docstring("Count what a limit counts; rows of a tenant are filtered by the session."),
            match_(limit, counts)
        ])
}

/// `case Limit.PROJECTS: return select(func.count()).select_from(Project)`
fn count_of_limit(limit: &spec::Limit, organization: Name) -> MatchCase {
    let count = match &limit.counts {
        Counted::Members => py!(select(func.count())
            .select_from(Membership)
            .r#where(Membership.organization_id == organization.id)),
        Counted::Storage => py!(stored_megabytes()),
        Counted::Rows(names) => {
            let model = entity_names::model(names);
            py!(select(func.count()).select_from(model))
        }
    };
    case(Some(Limit.attr(limit.constant)), [return_(count)])
}

fn usage_of_def() -> FunctionDef {
    names!(session, organization);
    async_def(usage_of)
        .params([param(session, AsyncSession), param(organization, Organization)])
        .returns(py!(dict[(Limit, int)]))
        .body(block![
            docstring("Count all that plans limit; the session is bound to the organization."),
            return_(py!(dict!(
                limit => session.scalar(count_of(limit, organization)).await || 0
                for limit in Limit
            )))
        ])
}
