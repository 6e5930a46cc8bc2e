//! What the READMEs say of a spec.

use super::markdown::{Block, Cell, Inline, code, codes, text};
use crate::core::settings::fields;
use crate::spec::{Entity, Guard, Operation, Plan, Price, PriceUnit, Role, Spec};
use std::time::Duration;

/// The entities: where their routes are, and who may use them.
#[must_use]
pub fn entities(spec: &Spec) -> Block {
    let is_guarded = spec.entities.iter().any(|entity| !needs(entity).is_empty());
    let row = |entity: &Entity| {
        let mut cells = vec![
            vec![text(&entity.names.plural_title)],
            vec![code(format!("/organizations/{{organization_id}}/{}", entity.names.path))],
            names(&entity.readers),
            names(&entity.writers),
        ];
        cells.extend(is_guarded.then(|| needs(entity)));
        cells
    };
    let mut header = vec!["Entity", "Routes", "May read", "May write"];
    header.extend(is_guarded.then_some("Needs"));
    Block::Table(header, spec.entities.iter().map(row).collect())
}

/// The roles; the highest rank first.
#[must_use]
pub fn roles(spec: &Spec) -> Block {
    let organizations = &spec.organizations;
    let row = |role: &Role| {
        let may_invite = if organizations.inviters.contains(role) { "yes" } else { "no" };
        vec![vec![code(role.name.as_str())], vec![text(&role.title)], vec![text(may_invite)]]
    };
    let header = vec!["Role", "Title", "May invite"];
    Block::Table(header, organizations.roles.iter().map(row).collect())
}

/// The plans; `None` when nothing is sold.
#[must_use]
pub fn plans(spec: &Spec) -> Option<Block> {
    let billing = spec.billing.as_ref()?;
    let row = |plan: &Plan| {
        let limits = billing.limits.iter().map(|limit| {
            let most = plan.limit(limit.name).map(|most| most.to_string());
            let most = most.unwrap_or_else(|| "unlimited".to_owned());
            vec![code(limit.name.as_str()), text(format!(": {most}"))]
        });
        let limits: Vec<Cell> = limits.collect();
        vec![
            vec![code(plan.name.as_str())],
            vec![text(&plan.title)],
            vec![text(plan.price.as_ref().map_or_else(|| "free".to_owned(), price))],
            codes(plan.features.iter().map(|feature| feature.as_str())),
            limits.join(&text(", ")),
        ]
    };
    let header = vec!["Plan", "Title", "Price", "Features", "Limits"];
    Some(Block::Table(header, billing.plans.iter().map(row).collect()))
}

/// The settings.
#[must_use]
pub fn settings(spec: &Spec) -> Block {
    let rows = fields(spec).into_iter().map(|setting| {
        let default = setting.default.text().map(code);
        vec![
            vec![code(setting.variable())],
            default.into_iter().collect(),
            vec![text(setting.description)],
        ]
    });
    Block::Table(vec!["Variable", "Default", "What it is"], rows.collect())
}

fn names(roles: &[Role]) -> Cell {
    codes(roles.iter().map(|role| role.name.as_str()))
}

/// The guards of an entity, each once, with the operations that only some have it before.
fn needs(entity: &Entity) -> Cell {
    let mut guards: Vec<Guard> = Vec::new();
    for guard in Operation::ALL.iter().flat_map(|&operation| entity.guards.of(operation)) {
        if !guards.contains(guard) {
            guards.push(*guard);
        }
    }
    let needs: Vec<Cell> = guards.into_iter().map(|guard| need(guard, entity)).collect();
    needs.join(&text("; "))
}

fn need(guard: Guard, entity: &Entity) -> Vec<Inline> {
    let guarded = |operation: &Operation| entity.guards.of(*operation).contains(&guard);
    let operations: Vec<Operation> = Operation::ALL.into_iter().filter(guarded).collect();
    let mut need = match guard {
        Guard::ActiveSubscription => vec![text("an active subscription")],
        Guard::Feature(name) => vec![text("the feature "), code(name.as_str())],
        Guard::Flag(name) => vec![text("the flag "), code(name.as_str())],
        Guard::Limit(name) => vec![text("room in the limit "), code(name.as_str())],
        Guard::FreshSession => vec![text("a fresh session")],
        Guard::RateLimit { count, per } => {
            vec![text(format!("at most {count} requests in {}", seconds(per)))]
        }
    };
    if operations.len() < Operation::ALL.len() {
        let words: Vec<&str> = operations.iter().map(|operation| operation.as_str()).collect();
        need.push(text(format!(" to {}", words.join(", "))));
    }
    need
}

fn seconds(period: Duration) -> String {
    match period.as_secs() {
        1 => "a second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
}

/// A price for people: `19.00 USD a month`.
fn price(price: &Price) -> String {
    let Price { amount, currency, interval, per, lookup_key: _ } = price;
    let decimals = usize::from(currency.decimals);
    let digits = format!("{amount:0>width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    let point = if part.is_empty() { "" } else { "." };
    let each = if *per == PriceUnit::Member { " for each member" } else { "" };
    format!("{whole}{point}{part} {} a {}{each}", currency.code.to_uppercase(), interval.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Currency, Interval};

    #[track_caller]
    fn check(amount: u32, code: &'static str, decimals: u8, expected: &str) {
        let currency = Currency { code, decimals };
        let lookup_key = String::new();
        let (interval, per) = (Interval::Month, PriceUnit::Payer);
        let found = price(&Price { amount, currency, interval, per, lookup_key });
        assert_eq!(found, expected);
    }

    #[test]
    fn prices_have_the_digits_of_their_currency() {
        check(1900, "usd", 2, "19.00 USD a month");
        check(5, "usd", 2, "0.05 USD a month");
        check(500, "jpy", 0, "500 JPY a month");
        check(1_234, "kwd", 3, "1.234 KWD a month");
    }
}
