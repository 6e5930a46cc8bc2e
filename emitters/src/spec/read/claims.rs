//! Names that only one thing can have.

use super::errors::Errors;
use crate::spec::error::{Place, Problem, SpecError};
use crate::spec::reserved;
use std::collections::HashMap;

/// Where a name has to be the only one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Namespace {
    /// Names and plurals of entities.
    Entity,
    /// Classes of models, schemas and enums.
    Class,
    /// Tables and indexes, which PostgreSQL keeps together.
    Relation,
    /// First parts of routes.
    Route,
    /// Modules of `app.api`.
    Router,
}

/// Who has which name.
pub struct Claims {
    taken: HashMap<(Namespace, String), Owner>,
}

#[derive(Clone)]
struct Owner {
    what: String,
    place: Option<Place>,
}

/// A name that something needs for itself.
pub struct Claim<'a> {
    pub namespace: Namespace,
    /// What the name is for the reader of a message: `table`.
    pub noun: &'static str,
    pub text: &'a str,
    /// Who needs it: ``the entity `task` ``.
    pub what: &'a str,
    pub place: &'a Place,
}

impl Claims {
    /// What the generated project has, whatever the entities are.
    pub fn of_generated_project() -> Claims {
        let mut claims = Claims { taken: HashMap::new() };
        let lists = [
            (Namespace::Relation, reserved::GENERATED_TABLES),
            (Namespace::Route, reserved::GENERATED_ROUTES),
            (Namespace::Router, reserved::GENERATED_ROUTERS),
        ];
        for (namespace, names) in lists {
            for name in names {
                claims.reserve(namespace, (*name).to_owned());
            }
        }
        for class in reserved::GENERATED_CLASSES {
            for suffix in ["", "Create", "Update", "Read", "Page"] {
                claims.reserve(Namespace::Class, format!("{class}{suffix}"));
            }
        }
        claims
    }

    /// Takes a name, or reports who has it. `false` after an error.
    pub fn claim(&mut self, claim: &Claim<'_>, errors: &mut Errors) -> bool {
        let key = (claim.namespace, claim.text.to_owned());
        let Some(owner) = self.taken.get(&key) else {
            let owner = Owner { what: claim.what.to_owned(), place: Some(claim.place.clone()) };
            self.taken.insert(key, owner);
            return true;
        };
        errors.push(clash(claim, owner));
        false
    }

    fn reserve(&mut self, namespace: Namespace, text: String) {
        let owner = Owner { what: "the generated project".to_owned(), place: None };
        self.taken.insert((namespace, text), owner);
    }
}

fn clash(claim: &Claim<'_>, owner: &Owner) -> SpecError {
    let problem = Problem::Clash {
        namespace: claim.noun,
        text: claim.text.to_owned(),
        what: claim.what.to_owned(),
        other: owner.what.clone(),
    };
    let error = SpecError::new(claim.place.clone(), problem);
    let error = match claim.namespace {
        Namespace::Class => error.help("choose another name"),
        _ => error.help("choose another name, or another `plural`"),
    };
    match &owner.place {
        Some(place) => error.other(place.clone(), "the other one"),
        None => error,
    }
}
