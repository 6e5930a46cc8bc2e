//! `backend/app/services/organization_service.py`: organizations and who belongs to them.

use crate::core::access::has_subscription;
use crate::core::database::SessionDep;
use crate::core::errors::ConflictError;
use crate::core::org_rbac::{Principal, lock_organization};
use crate::core::pagination::{PageRequest, Slice, fetch_page};
use crate::core::permissions::Permission;
use crate::core::plans::{SubscriptionStatus, TRIAL_PERIOD, TRIAL_PLAN};
use crate::core::roles::{Role, role};
use crate::models::api_key::ApiKey;
use crate::models::base::utcnow;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::str;
use crate::python::fastapi::Depends;
use crate::python::sqlalchemy::{joinedload, select};
use crate::python::standard::{Annotated, Sequence, UUID, dataclass};
use crate::services::api_key_service::revoke_keys;
use crate::services::trial_service::TrialServiceDep;
use crate::spec::{Payer, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.services.organization_service": OrganizationService, OrganizationServiceDep;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    module("app.services.organization_service")
        .docstring("Organizations and who belongs to them.")
        .body(block![
            organization_service_class(spec),
            assign(
                OrganizationServiceDep,
                py!(Annotated[(OrganizationService, Depends(OrganizationService))])
            )
        ])
}

fn organization_service_class(spec: &Spec) -> ClassDef {
    names!(session, trials);
    let has_trial = spec.billing.as_ref().is_some_and(|billing| billing.own_trial().is_some());
    class(OrganizationService).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The rules for organizations."),
        annotate(session, SessionDep),
        has_trial.then(|| annotate(trials, TrialServiceDep)),
        organization_service_create(spec, has_trial),
        organization_service_rename(),
        organization_service_delete(spec.has_payer(Payer::Organization)),
        organization_service_switch(),
        organization_service_leave_all(spec),
        organization_service_roles_of_others(),
        organization_service_memberships_of(),
        spec.webhooks.enabled.then(organization_service_ids_of)
    ])
}

fn organization_service_create(spec: &Spec, has_trial: bool) -> FunctionDef {
    names!(owner, name, organization, membership);
    let owner_role = role(spec.organizations.owner());
    async_def("create")
        .params([untyped("self"), param(owner, User), param(name, str)])
        .returns(Membership)
        .body(block![
            docstring(if has_trial {
                "Found an organization; the first one of a mailbox starts with a trial."
            } else {
                "Found an organization."
            }),
            assign(organization, py!(Organization(name = name))),
            has_trial.then(|| match spec.has_payer(Payer::User) {
                true => start_trial_of_user(owner),
                false => start_trial(organization, py!(self.trials.redeem(owner.email).await)),
            }),
            assign(
                membership,
                py!(Membership(organization = organization, user = owner, role = owner_role))
            ),
            do_(py!(self.session.add(membership))),
            do_(py!(self.session.flush().await)),
            return_(membership)
        ])
}

fn start_trial(payer: Name, is_due: Expr) -> Vec<Stmt> {
    block![if_(
        is_due,
        block![
            assign(py!(payer.plan), py!(TRIAL_PLAN.name)),
            assign(py!(payer.subscription_status), py!(SubscriptionStatus.TRIALING)),
            assign(py!(payer.trial_ends_at), py!(utcnow() + TRIAL_PERIOD))
        ],
    )]
}

/// A user may have subscribed before, for an organization that was handed over to them.
fn start_trial_of_user(owner: Name) -> Vec<Stmt> {
    let is_new = py!(is_!(owner.subscription_status, SubscriptionStatus.NONE));
    let is_due = py!({ is_new } && self.trials.redeem(owner.email).await);
    block![
        do_(py!(self.session.refresh(owner, with_for_update = true).await)),
        start_trial(owner, is_due)
    ]
}

fn organization_service_rename() -> FunctionDef {
    names!(principal, name);
    async_def("rename")
        .params([untyped("self"), param(principal, Principal), param(name, str)])
        .returns(none())
        .body(block![
            docstring("Give the caller's organization another name."),
            assign(py!(principal.organization.name), name),
            do_(py!(self.session.flush().await))
        ])
}

fn organization_service_delete(bills: bool) -> FunctionDef {
    names!(principal, organization);
    let pays = bills.then(|| refuse_subscription(organization));
    async_def("delete").params([untyped("self"), param(principal, Principal)]).returns(none()).body(
        block![
            docstring("Remove the caller's organization and all that it has."),
            do_(py!(
                lock_organization(self.session, principal, Permission.ORGANIZATION_DELETE).await
            )),
            bills.then(|| assign(organization, py!(principal.organization))),
            bills.then(|| do_(py!(self.session.refresh(organization).await))),
            pays,
            do_(py!(self.session.delete(principal.organization).await)),
            do_(py!(self.session.flush().await))
        ],
    )
}

fn refuse_subscription(payer: Name) -> If {
    if_(
        py!(has_subscription(payer)),
        [raise(py!(ConflictError(
            "The subscription has to end first.",
            code = "subscription_goes_on"
        )))],
    )
}

fn organization_service_switch() -> FunctionDef {
    names!(principal);
    async_def("switch").params([untyped("self"), param(principal, Principal)]).returns(none()).body(
        block![
            docstring("Note in the caller's session which organization they work for."),
            do_(py!(lock_organization(self.session, principal).await)),
            assign(py!(principal.session.active_organization_id), py!(principal.organization.id)),
            do_(py!(self.session.flush().await))
        ],
    )
}

fn organization_service_leave_all(spec: &Spec) -> FunctionDef {
    names!(user, joined, organizations, owned, owned_ids, organization, others, membership);
    let own = py!(Membership.user_id == user.id);
    let has_keys = spec.organizations.api_keys;
    let revoke = do_(py!(revoke_keys(self.session, ApiKey.user_id == user.id).await));
    let owner_role = &role(spec.organizations.owner());
    let is_needed = match spec.has_payer(Payer::Organization) {
        true => py!(others || has_subscription(organization)),
        false => others.into_expr(),
    };
    let pays = spec.has_payer(Payer::User).then(|| {
        block![
            do_(py!(self.session.refresh(user, with_for_update = true).await)),
            refuse_subscription(user)
        ]
    });
    async_def("leave_all").params([untyped("self"), param(user, User)]).returns(none()).body(
        block![
            docstring(match spec.billing.is_some() {
                true => {
                    "Take a user out of every organization.\n\
                     \n\
                     Those in which they were alone are removed. The user cannot go while they are\n\
                     the only owner of others or of a subscription that is being paid."
                }
                false => {
                    "Take a user out of every organization.\n\
                     \n\
                     Those in which they were alone are removed. The user cannot go while they are\n\
                     the only owner of others."
                }
            }),
            assign(
                joined,
                py!(select(Organization)
                    .join(Membership, Membership.organization_id == Organization.id)
                    .r#where({ own.clone() })
                    .order_by(Organization.id)
                    .with_for_update(of = Organization))
            ),
            assign(organizations, py!(self.session.scalars(joined).await.all())),
            assign(
                owned,
                py!(select(Membership.organization_id).r#where(
                    { own.clone() },
                    Membership.role == owner_role
                ))
            )
            .comment("A handover may have come first: who owns what is read under the locks."),
            assign(owned_ids, py!(self.session.scalars(owned).await.all())),
            for_(
                organization,
                organizations,
                block![
                    if_(py!(not_in!(organization.id, owned_ids)), [continue_()]),
                    assign(others, py!(self.roles_of_others(organization, user).await)),
                    if_(py!(in_!(owner_role, others)), [continue_()]),
                    if_(
                        is_needed,
                        [raise(py!(ConflictError(
                            f!("{} needs another owner first.", organization.name),
                            code = "sole_owner"
                        )))]
                    ),
                    do_(py!(self.session.delete(organization).await))
                ]
            ),
            do_(py!(self.session.flush().await)),
            pays,
            has_keys.then_some(revoke),
            for_(
                membership,
                py!(self.session.scalars(select(Membership).r#where({ own })).await.all()),
                [do_(py!(self.session.delete(membership).await))]
            ),
            do_(py!(self.session.flush().await))
        ],
    )
}

fn organization_service_roles_of_others() -> FunctionDef {
    names!(organization, user, statement);
    async_def("roles_of_others")
        .params([untyped("self"), param(organization, Organization), param(user, User)])
        .returns(py!(Sequence[Role]))
        .body(block![
            docstring("Return the roles that others than the user have in an organization."),
            assign(
                statement,
                py!(select(Membership.role).r#where(
                    Membership.organization_id == organization.id,
                    Membership.user_id != user.id
                ))
            ),
            return_(py!(self.session.scalars(statement).await.all()))
        ])
}

fn organization_service_ids_of() -> FunctionDef {
    names!(user, statement);
    async_def("ids_of")
        .params([untyped("self"), param(user, User)])
        .returns(py!(Sequence[UUID]))
        .body(block![
            docstring("Return the ids of the organizations of a user."),
            assign(
                statement,
                py!(select(Membership.organization_id).r#where(Membership.user_id == user.id))
            ),
            return_(py!(self.session.scalars(statement).await.all()))
        ])
}

fn organization_service_memberships_of() -> FunctionDef {
    names!(user, page, statement);
    async_def("memberships_of")
        .params([untyped("self"), param(user, User), param(page, PageRequest)])
        .returns(py!(Slice[Membership]))
        .body(block![
            docstring("List the organizations of a user."),
            assign(
                statement,
                py!(select(Membership)
                    .r#where(Membership.user_id == user.id)
                    .options(joinedload(Membership.organization)))
            ),
            return_(py!(fetch_page(self.session, statement, Membership, page).await))
        ])
}
