//! `backend/app/services/billing_usage.py`: how much an organization has of what its plan limits.

use crate::core::payers::paid_by;
use crate::core::plans::{Limit, has_prices};
use crate::core::tenancy::for_tenant;
use crate::entity_names;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{dict, int, list, max};
use crate::python::sqlalchemy::{AsyncSession, Select, func, select};
use crate::services::file_quota::stored_megabytes;
use crate::spec::{self, Billing, Counted, Payer};
use astgen_pyast::MatchCase;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.billing_usage": count_of, usage_of, most_used_by;
}

/// The module.
#[must_use]
pub fn emit(billing: &Billing) -> Module {
    let docstring = "How much an organization has of what its plan limits.";
    module("app.services.billing_usage").docstring(docstring).body(block![
        count_of_def(billing),
        usage_of_def(),
        (billing.payer == Payer::User && has_prices(billing)).then(most_used_by_def)
    ])
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

fn most_used_by_def() -> FunctionDef {
    names!(session, payer, organizations, organization, usages, usage, limit);
    async_def(most_used_by)
        .params([param(session, AsyncSession), param(payer, User)])
        .returns(py!(dict[(Limit, int)]))
        .body(block![
            docstring("Count the most of each that an organization has for which somebody pays."),
            assign(organizations, py!(session.scalars(paid_by(payer)).await.all())),
            ann_assign(usages, py!(list[dict[(Limit, int)]]), py!([])),
            for_(
                organization,
                organizations,
                [async_with(
                    py!(for_tenant(session, organization.id)),
                    [do_(py!(usages.append(usage_of(session, organization).await)))]
                )]
            ),
            return_(py!(dict!(
                limit => max(generator!(usage[limit] for usage in usages)) for limit in Limit
            )))
        ])
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
