//! `backend/app/core/webhook_events.py`: what an endpoint can listen to.

use crate::python::standard::StrEnum;
use crate::spec::{Entity, Spec};
use astgen_pyast::prelude::*;

vocabulary! {
    "app.core.webhook_events": WebhookEvent;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec) -> Module {
    let members = spec.entities.iter().flat_map(|entity| {
        let name = entity.names.name.as_str();
        words(entity).iter().map(move |word| {
            let constant = format!("{name}_{word}").to_ascii_uppercase();
            assign(constant_of(&constant), format!("{name}.{word}"))
        })
    });
    module("app.core.webhook_events").docstring("What an endpoint can listen to.").body(block![
        class(WebhookEvent).base(StrEnum).body(block![
            docstring("Something that happens, as deliveries call it."),
            members.collect::<Vec<_>>()
        ])
    ])
}

/// What can happen to a row.
#[must_use]
pub fn words(entity: &Entity) -> &'static [&'static str] {
    const WORDS: [&str; 4] = ["created", "updated", "deleted", "restored"];
    if entity.soft_delete { &WORDS } else { &WORDS[..3] }
}

fn constant_of(constant: &str) -> Name {
    Name::parse(constant)
        .unwrap_or_else(|_| unreachable!("a name and a word, joined, are no keyword"))
}
