//! `[organizations]`.

use super::name::Identifier;
use super::quantity::{Lifetime, days, hours};
use super::shape::{Boolean, Line, List};
use super::table::{Placed, Table};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{Organizations, Role, text};
use astgen_pyast::{Name, name};

const ROLES: [Name; 4] = [name("owner"), name("admin"), name("member"), name("viewer")];

/// The names of roles as written, to be looked up.
pub type RoleNames = Placed<Vec<Placed<String>>>;

/// Reads `[organizations]`.
pub fn organizations(table: &mut Table<'_>) -> Organizations {
    let roles = table.optional(
        "roles",
        "The roles, highest rank first; the first one owns the organization. \
         By default owner, admin, member and viewer.",
        List(Identifier::Role, 1..=16),
    );
    let inviters = table.optional(
        "inviters",
        "The roles that may invite. By default the two highest, or one when there are but two.",
        role_names(),
    );
    let invitation_lifetime = table.or(
        "invitation_lifetime",
        "How long an invitation can be accepted, 1h to 90d.",
        Lifetime(hours(1)..=days(90)),
        days(7),
    );
    let personal = table.or(
        "personal",
        "Whether everyone gets an organization of their own on registration.",
        Boolean,
        true,
    );
    let api_keys = table.or(
        "api_keys",
        "Whether members can make keys with which programs act in the organization.",
        Boolean,
        true,
    );

    let roles = ranked(roles.map_or_else(Vec::new, |roles| roles.value), table);
    let inviters = match inviters {
        Some(names) => chosen(&roles, &names, |error| table.report(error)),
        None => roles[..roles.len().saturating_sub(1).clamp(1, 2)].to_vec(),
    };
    Organizations { roles, inviters, invitation_lifetime, personal, api_keys }
}

/// The shape of a list of roles.
pub fn role_names() -> List<Line> {
    List(Line(1..=63), 1..=16)
}

/// The roles of a list, highest rank first. Reports those that do not exist or stand there twice.
pub fn chosen(roles: &[Role], names: &RoleNames, mut report: impl FnMut(SpecError)) -> Vec<Role> {
    let mut chosen: Vec<Role> = Vec::new();
    for Placed { value: written, place } in &names.value {
        match roles.iter().find(|role| role.name.as_str() == written) {
            None => {
                let problem = Problem::UnknownName { what: "role", name: quoted(written) };
                let near = text::closest(written, roles.iter().map(|role| role.name.as_str()));
                report(SpecError::new(place.clone(), problem).suggest(near));
            }
            Some(role) if chosen.contains(role) => report(twice("the role", written, place)),
            Some(role) => chosen.push(role.clone()),
        }
    }
    chosen.sort_by_key(|role| role.rank);
    chosen
}

/// Something stands in a list twice.
pub fn twice(what: &'static str, written: &str, place: &Place) -> SpecError {
    SpecError::new(place.clone(), Problem::ListedTwice { what, name: quoted(written) })
        .help("leave one of them out")
}

fn ranked(written: Vec<Placed<Name>>, table: &mut Table<'_>) -> Vec<Role> {
    let mut names: Vec<Name> = Vec::new();
    for Placed { value: name, place } in written {
        if names.contains(&name) {
            table.report(twice("the role", name.as_str(), &place));
        } else {
            names.push(name);
        }
    }
    if names.is_empty() {
        names.extend(ROLES);
    }
    let roles = (0..).zip(names).filter_map(|(rank, name)| {
        let constant = constant_of(name)?;
        Some(Role { name, constant, title: text::title(name.as_str()), rank })
    });
    roles.collect()
}

/// The member of a Python enum for a name in snake case.
pub fn constant_of(name: Name) -> Option<Name> {
    Name::parse(&name.as_str().to_ascii_uppercase()).ok()
}
