//! `backend/app/core/permissions.py`: what the roles of an organization allow.

use crate::core::roles::{Role, role};
use crate::python::builtins::{dict, frozenset};
use crate::python::standard::StrEnum;
use crate::spec::{EntityNames, Role as OrgRole, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.permissions": Permission, ROLE_PERMISSIONS, FOR_PEOPLE;
}

/// Something that some roles may do.
#[derive(Debug, Clone, PartialEq)]
struct Grant {
    /// The member of the enum: `MEMBERS_MANAGE`.
    constant: Name,
    /// The text of it: `members:manage`.
    value: String,
    /// Who may.
    roles: Vec<OrgRole>,
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let grants = grants(spec);
    module("app.core.permissions").docstring("What the roles of an organization allow.").body(
        block![
            permission_class(&grants),
            role_permissions(spec, &grants),
            spec.organizations.api_keys.then(|| for_people(spec))
        ],
    )
}

fn grants(spec: &Spec) -> Vec<Grant> {
    names!(ORGANIZATION_READ, ORGANIZATION_UPDATE, ORGANIZATION_DELETE, ORGANIZATION_TRANSFER);
    names!(FILES_READ, FILES_WRITE, WEBHOOKS_MANAGE);
    names!(MEMBERS_READ, MEMBERS_MANAGE, INVITATIONS_MANAGE, AUDIT_READ);
    names!(JOBS_READ, JOBS_MANAGE, API_KEYS_MANAGE, BILLING_READ, BILLING_MANAGE);
    let organizations = &spec.organizations;
    let (all, managers) = (organizations.roles.clone(), organizations.managers());
    let owner = vec![organizations.owner().clone()];
    let grant = |constant, value: &str, roles: &[OrgRole]| Grant {
        constant,
        value: value.to_owned(),
        roles: roles.into(),
    };
    let mut grants = vec![
        grant(ORGANIZATION_READ, "organization:read", &all),
        grant(ORGANIZATION_UPDATE, "organization:update", &managers),
        grant(ORGANIZATION_DELETE, "organization:delete", &owner),
        grant(ORGANIZATION_TRANSFER, "organization:transfer", &owner),
        grant(MEMBERS_READ, "members:read", &all),
        grant(MEMBERS_MANAGE, "members:manage", &managers),
        grant(INVITATIONS_MANAGE, "invitations:manage", &organizations.inviters),
        grant(AUDIT_READ, "audit:read", &managers),
    ];
    if spec.storage.is_on() {
        grants.extend([
            grant(FILES_READ, "files:read", &all),
            grant(FILES_WRITE, "files:write", organizations.all_but_lowest()),
        ]);
    }
    if spec.webhooks.enabled {
        grants.push(grant(WEBHOOKS_MANAGE, "webhooks:manage", &managers));
    }
    if organizations.api_keys {
        grants.extend([
            grant(JOBS_READ, "jobs:read", &managers),
            grant(JOBS_MANAGE, "jobs:manage", &managers),
            grant(API_KEYS_MANAGE, "api_keys:manage", &managers),
        ]);
        grants.extend(spec.billing.iter().flat_map(|_| {
            [
                grant(BILLING_READ, "billing:read", &all),
                grant(BILLING_MANAGE, "billing:manage", &owner),
            ]
        }));
        grants.extend(spec.entities.iter().flat_map(|entity| {
            let [read, write] = entity_scopes(&entity.names);
            let plural = entity.names.plural;
            [
                grant(read, &format!("{plural}:read"), &entity.readers),
                grant(write, &format!("{plural}:write"), &entity.writers),
            ]
        }));
    }
    grants
}

/// The permissions that are the scopes of an entity's routes: `PROJECTS_READ`, `PROJECTS_WRITE`.
#[must_use]
pub fn entity_scopes(names: &EntityNames) -> [Name; 2] {
    let plural = names.plural.as_str().to_ascii_uppercase();
    ["READ", "WRITE"].map(|act| Name::parse(&format!("{plural}_{act}")).unwrap_or(names.plural))
}

/// What no key may do, so that a leaked one cannot take the organization away.
fn for_people(spec: &Spec) -> Stmt {
    names!(ORGANIZATION_DELETE, ORGANIZATION_TRANSFER, API_KEYS_MANAGE, WEBHOOKS_MANAGE);
    let kept = [ORGANIZATION_DELETE, ORGANIZATION_TRANSFER, API_KEYS_MANAGE];
    let kept = kept.into_iter().chain(spec.webhooks.enabled.then_some(WEBHOOKS_MANAGE));
    let kept = make::set(kept.map(|constant| Permission.attr(constant)));
    assign(FOR_PEOPLE, py!(frozenset(kept))).comment("What no API key can be made for.")
}

fn permission_class(grants: &[Grant]) -> ClassDef {
    let members = grants.iter().map(|grant| assign(grant.constant, grant.value.as_str()));
    class(Permission).base(StrEnum).body(block![
        docstring("Something that a member of an organization may do, or not."),
        members.collect::<Vec<_>>()
    ])
}

fn role_permissions(spec: &Spec, grants: &[Grant]) -> Stmt {
    let rows = spec.organizations.roles.iter().map(|one| {
        let granted = grants.iter().filter(|grant| grant.roles.contains(one));
        let granted = make::set(granted.map(|grant| Permission.attr(grant.constant)));
        (role(one), py!(frozenset(granted)))
    });
    ann_assign(ROLE_PERMISSIONS, py!(dict[(Role, frozenset[Permission])]), make::dict(rows))
}
