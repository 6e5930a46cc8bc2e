//! `backend/app/core/payers.py`: who pays for an organization, where users do; and the words for either payer.

use crate::core::plans::{has_limits, has_prices};
use crate::core::roles::role;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::sqlalchemy::{
    AsyncSession, InstrumentedAttribute, ScalarSelect, Select, aliased, select,
};
use crate::python::standard::UUID;
use crate::spec::{Billing, Payer, Spec};
use astgen_pyast::Import;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.payers": payer_id_of, payer_of, paid_by;
}

/// The module; only where users pay.
#[must_use]
pub fn emit(spec: &Spec, billing: &Billing) -> Module {
    module("app.core.payers")
        .docstring(
            "Who pays for an organization: of its owners, the one who has belonged to it longest.\n\
             \n\
             An organization has what its payer has; who takes it over pays for it from then on.",
        )
        .body(block![
            payer_id_of_def(spec),
            payer_of_def(),
            (has_limits(billing) && has_prices(billing)).then(paid_by_def)
        ])
}

/// The model with the columns of a subscription: `Organization` or `User`.
#[must_use]
pub fn payer_model(billing: &Billing) -> Import {
    match billing.payer {
        Payer::Organization => Organization,
        Payer::User => User,
    }
}

/// Who pays for the organization of a principal: `principal.organization` or `principal.payer`.
#[must_use]
pub fn payer_for(billing: &Billing, principal: impl IntoExpr) -> Expr {
    let principal = principal.into_expr();
    match billing.payer {
        Payer::Organization => py!(principal.organization),
        Payer::User => py!(principal.payer),
    }
}

fn payer_id_of_def(spec: &Spec) -> FunctionDef {
    names!(organization_id, owner);
    let owner_role = role(spec.organizations.owner());
    def(payer_id_of)
        .params([param(organization_id, py!(UUID | InstrumentedAttribute[UUID]))])
        .returns(py!(ScalarSelect[UUID]))
        .body(block![
            docstring("Select who pays for an organization, within a statement around it."),
            assign(owner, py!(aliased(Membership))),
            return_(py!(select(owner.user_id)
                .r#where(owner.organization_id == organization_id, owner.role == owner_role)
                .order_by(owner.created_at, owner.id)
                .limit(1)
                .correlate_except(owner)
                .scalar_subquery()))
        ])
}

fn payer_of_def() -> FunctionDef {
    names!(session, organization, payer);
    async_def(payer_of)
        .params([param(session, AsyncSession), param(organization, Organization)])
        .returns(User)
        .body(block![
            docstring("Return who pays for an organization."),
            assign(payer, py!(select(User).r#where(User.id == payer_id_of(organization.id)))),
            return_(py!(session.scalars(payer).await.one()))
        ])
}

fn paid_by_def() -> FunctionDef {
    names!(payer);
    def(paid_by).params([param(payer, User)]).returns(py!(Select[Organization])).body(block![
        docstring("Select the organizations that somebody pays for."),
        return_(py!(select(Organization).r#where(payer_id_of(Organization.id) == payer.id)))
    ])
}
