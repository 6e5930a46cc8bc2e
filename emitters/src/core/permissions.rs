//! `backend/app/core/permissions.py`: what the roles of an organization allow.

use crate::core::roles::{Role, role};
use crate::python::builtins::{dict, frozenset};
use crate::python::standard::StrEnum;
use crate::spec::{Role as OrgRole, Spec};
use astgen_pyast::make;
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.permissions": Permission, ROLE_PERMISSIONS;
}

/// Something that some roles may do.
#[derive(Debug, Clone, PartialEq)]
struct Grant {
    /// The member of the enum: `MEMBERS_MANAGE`.
    constant: Name,
    /// The text of it: `members:manage`.
    value: &'static str,
    /// Who may.
    roles: Vec<OrgRole>,
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let grants = grants(spec);
    module("app.core.permissions")
        .docstring("What the roles of an organization allow.")
        .body(block![permission_class(&grants), role_permissions(spec, &grants)])
}

fn grants(spec: &Spec) -> Vec<Grant> {
    names!(ORGANIZATION_READ, ORGANIZATION_UPDATE, ORGANIZATION_DELETE, ORGANIZATION_TRANSFER);
    names!(MEMBERS_READ, MEMBERS_MANAGE, INVITATIONS_MANAGE, AUDIT_READ);
    let organizations = &spec.organizations;
    let (all, managers) = (organizations.roles.clone(), organizations.managers());
    let owner = vec![organizations.owner().clone()];
    let grant = |constant, value, roles: &[OrgRole]| Grant { constant, value, roles: roles.into() };
    vec![
        grant(ORGANIZATION_READ, "organization:read", &all),
        grant(ORGANIZATION_UPDATE, "organization:update", &managers),
        grant(ORGANIZATION_DELETE, "organization:delete", &owner),
        grant(ORGANIZATION_TRANSFER, "organization:transfer", &owner),
        grant(MEMBERS_READ, "members:read", &all),
        grant(MEMBERS_MANAGE, "members:manage", &managers),
        grant(INVITATIONS_MANAGE, "invitations:manage", &organizations.inviters),
        grant(AUDIT_READ, "audit:read", &managers),
    ]
}

fn permission_class(grants: &[Grant]) -> ClassDef {
    let members = grants.iter().map(|grant| assign(grant.constant, grant.value));
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
