//! `[billing]`.

use super::errors::Errors;
use super::name::{Entries, Entry, Identifier};
use super::organizations::{constant_of, twice};
use super::quantity::{Days, days};
use super::shape::{Boolean, Choice, Line, List, Record, Shape, Whole, string};
use super::table::{Placed, Table};
use crate::spec::error::{Place, Problem, SpecError, quoted};
use crate::spec::{
    Currency, Flag, Interval, Payer, Plan, PlanLimit, Price, PriceUnit, Trial, TrialStart,
    WithoutCard, currency, text,
};
use astgen_pyast::Name;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;
use toml::de::DeValue;

/// Whether there is a provider, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Provider {
    Stripe,
    Off,
}

/// `[billing]` before the entities say what its limits count.
#[derive(Debug)]
pub struct RawBilling {
    pub payer: Payer,
    pub trial: Option<Trial>,
    pub grace_period: Duration,
    pub plans: Vec<Plan>,
    /// Each once, where it is named first.
    pub features: Vec<Placed<Name>>,
    /// Each once, where it is named first.
    pub limits: Vec<Placed<Name>>,
    pub flags: Vec<Flag>,
    /// The names of the flags, also of those that are not sound.
    pub flag_names: Vec<Placed<Name>>,
}

struct RawFlag {
    default: bool,
    plans: Vec<Placed<Name>>,
    rollout: u8,
}

struct RawPlan {
    name: Option<Placed<Name>>,
    title: Option<String>,
    description: String,
    price: Option<Placed<Option<RawPrice>>>,
    features: Vec<Placed<Name>>,
    limits: Vec<Entry<u32>>,
    place: Place,
}

struct RawPrice {
    amount: u32,
    currency: Currency,
    interval: Interval,
    per: PriceUnit,
}

/// A currency code.
pub struct CurrencyCode;

const PROVIDERS: &[(&str, Provider)] = &[("stripe", Provider::Stripe), ("off", Provider::Off)];
const PAYERS: &[(&str, Payer)] = &[("organization", Payer::Organization), ("user", Payer::User)];
const INTERVALS: &[(&str, Interval)] =
    &[(Interval::Month.as_str(), Interval::Month), (Interval::Year.as_str(), Interval::Year)];
const TRIAL_STARTS: &[(&str, TrialStart)] =
    &[("organization", TrialStart::Organization), ("checkout", TrialStart::Checkout)];
const WITHOUT_CARD: &[(&str, WithoutCard)] = &[
    (WithoutCard::Cancel.as_str(), WithoutCard::Cancel),
    (WithoutCard::Pause.as_str(), WithoutCard::Pause),
];
const UNITS: &[(&str, PriceUnit)] = &[("payer", PriceUnit::Payer), ("member", PriceUnit::Member)];

/// Reads `[billing]`; `None` when it is off.
pub fn billing(table: &mut Table<'_>) -> Option<RawBilling> {
    let provider =
        table.or("provider", "Who takes the money.", Choice(PROVIDERS), Provider::Stripe);
    let payer = table.or(
        "payer",
        "Who has the subscription: each `organization`, or each `user`, who then pays for the organizations that they \
         own; of several owners, the one who has belonged to it longest.",
        Choice(PAYERS),
        Payer::Organization,
    );
    let trial = table.optional(
        "trial",
        "The free time at the start in whole days, up to 730d. By default none.",
        Days(1..=730),
    );
    let start = table.optional(
        "trial_start",
        "What begins with the free time: a new `organization`, without a card, as by default, or the first \
         subscription, in its `checkout`, once for each card.",
        Choice(TRIAL_STARTS),
    );
    let without_card = table.optional(
        "trial_without_card",
        "What becomes of a subscription from a `checkout` whose free time ends while no card is on file. By default \
         `cancel`.",
        Choice(WITHOUT_CARD),
    );
    let grace_period = table.or(
        "grace_period",
        "How long access stays when a payment fails, in whole days, up to 60d.",
        Days(1..=60),
        days(14),
    );
    let plans = table.required(
        "plans",
        "The plans. The first one is free, and is what an organization without a subscription has.",
        List(Record { name: "a plan", read: plan }, 1..=100),
    );

    let flags = table.optional(
        "flags",
        "What is switched on for some before it is for all, while the product runs.",
        Entries { keys: Identifier::Flag, values: Record { name: "a flag", read: flag } },
    );

    let mut raw = RawBilling {
        payer,
        trial: None,
        grace_period,
        plans: Vec::new(),
        features: Vec::new(),
        limits: Vec::new(),
        flags: Vec::new(),
        flag_names: Vec::new(),
    };
    for (place, plan) in plans.into_iter().flat_map(|plans| plans.value).enumerate() {
        raw.add(place, plan.value, table);
    }
    for entry in flags.into_iter().flat_map(|flags| flags.value) {
        raw.add_flag(entry, table);
    }
    raw.trial = trial.as_ref().map(|trial| Trial {
        period: trial.value,
        start: start.as_ref().map_or(TrialStart::Organization, |start| start.value),
        without_card: without_card.as_ref().map_or(WithoutCard::Cancel, |word| word.value),
    });
    check_trial(raw.trial, start, without_card, table);
    if let Some(trial) = trial
        && raw.plans.iter().all(|plan| plan.price.is_none())
    {
        let sentence = "there is nothing to try: no plan has a price".to_owned();
        let error = SpecError::new(trial.place, Problem::Inconsistent(sentence));
        table.report(error.help("add a plan with a price, or leave `trial` out"));
    }
    keep_first(&mut raw.features);
    keep_first(&mut raw.limits);
    (provider == Provider::Stripe).then_some(raw)
}

/// What says something of a trial that there is not.
fn check_trial(
    trial: Option<Trial>,
    start: Option<Placed<TrialStart>>,
    without_card: Option<Placed<WithoutCard>>,
    table: &mut Table<'_>,
) {
    if let (None, Some(start)) = (trial, start) {
        let sentence = "there is no trial that could begin".to_owned();
        let error = SpecError::new(start.place, Problem::Inconsistent(sentence));
        table.report(error.help("say how long it is: `trial = \"14d\"`"));
    }
    let is_by_card = trial.is_some_and(|trial| trial.start == TrialStart::Checkout);
    if let (false, Some(word)) = (is_by_card, without_card) {
        let sentence = "only a trial that begins in a checkout has to do with cards".to_owned();
        let error = SpecError::new(word.place, Problem::Inconsistent(sentence));
        table.report(error.help("write `trial_start = \"checkout\"` too, or leave it out"));
    }
}

fn keep_first(names: &mut Vec<Placed<Name>>) {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.value));
}

fn plan(table: &mut Table<'_>) -> RawPlan {
    let name = table.required("name", "The name that is stored: `team`.", Identifier::Plan);
    let title = table.optional("title", "What people read.", Line(1..=120));
    let description = table.or(
        "description",
        "One sentence for the page of plans.",
        Line(0..=500),
        String::new(),
    );
    let price = table.optional(
        "price",
        "What it costs. Every plan but the first has a price.",
        Record { name: "a price", read: price },
    );
    let features = table.optional(
        "features",
        "What the plan has: names that guards may ask for.",
        List(Identifier::Feature, 0..=500),
    );
    let limits = table.optional(
        "limits",
        "How much the plan allows: `members`, `storage_megabytes`, and what entities name as their limit. \
         What is not named is unlimited.",
        Entries { keys: Identifier::Limit, values: Whole(0..=1_000_000_000) },
    );
    RawPlan {
        name,
        title: title.map(|title| title.value),
        description,
        price,
        features: features.map_or_else(Vec::new, |features| features.value),
        limits: limits.map_or_else(Vec::new, |limits| limits.value),
        place: table.place(),
    }
}

fn flag(table: &mut Table<'_>) -> RawFlag {
    let default = table.or("default", "Whether everybody has it.", Boolean, false);
    let plans = table.optional("plans", "The plans that have it.", List(Identifier::Plan, 0..=100));
    let rollout = table.or(
        "rollout",
        "How many in a hundred have it, whatever their plan. It can be changed while the product runs.",
        Whole(0..=100),
        0,
    );
    RawFlag { default, plans: plans.map_or_else(Vec::new, |plans| plans.value), rollout }
}

fn price(table: &mut Table<'_>) -> Option<RawPrice> {
    let amount = table.required(
        "amount",
        "The amount in the currency's smallest unit: 1900 is 19.00 USD.",
        Whole(1..=99_999_999),
    );
    let currency = table.required("currency", "The currency: `usd`.", CurrencyCode);
    let interval = table.or("interval", "How often it is due.", Choice(INTERVALS), Interval::Month);
    let per = table.or(
        "per",
        "For what the amount is due: once for the `payer`, or for each `member`; then Stripe hears how many there are.",
        Choice(UNITS),
        PriceUnit::Payer,
    );
    let (amount, currency) = (amount?, currency?.value);
    if currency.decimals == 3 && amount.value % 10 != 0 {
        let sentence = format!("amounts in {} end in 0: cards know no thousandths", currency.code);
        table.report(SpecError::new(amount.place, Problem::Inconsistent(sentence)));
    }
    Some(RawPrice { amount: amount.value, currency, interval, per })
}

impl RawBilling {
    fn add(&mut self, place: usize, raw: RawPlan, table: &mut Table<'_>) {
        check_price(place, &raw, table);
        check_unit(self.payer, &raw, table);
        let features = self.add_features(raw.features, table);
        let limits = self.add_limits(raw.limits);
        let Some(name) = raw.name else { return };
        if self.plans.iter().any(|plan| plan.name == name.value) {
            return table.report(twice("the plan", name.value.as_str(), &name.place));
        }
        let Some(constant) = constant_of(name.value) else {
            return;
        };
        let price = raw.price.and_then(|price| price.value).map(|price| Price {
            amount: price.amount,
            currency: price.currency,
            interval: price.interval,
            per: price.per,
            lookup_key: format!("{}_{}", name.value, price.interval.as_str()),
        });
        self.plans.push(Plan {
            name: name.value,
            constant,
            title: raw.title.unwrap_or_else(|| text::title(name.value.as_str())),
            description: raw.description,
            price,
            features,
            limits,
        });
    }

    fn add_flag(&mut self, entry: Entry<RawFlag>, table: &mut Table<'_>) {
        let Entry { key, name: Some(name), value: Some(raw) } = entry else { return };
        self.flag_names.push(Placed { value: name, place: key.place });
        for plan in &raw.plans {
            if self.plans.iter().all(|known| known.name != plan.value) {
                let name = quoted(plan.value.as_str());
                let problem = Problem::UnknownName { what: "plan", name };
                let known = self.plans.iter().map(|plan| plan.name.as_str());
                let near = text::closest(plan.value.as_str(), known);
                table.report(SpecError::new(plan.place.clone(), problem).suggest(near));
            }
        }
        let Some(constant) = constant_of(name) else { return };
        let RawFlag { default, plans, rollout } = raw;
        let plans = plans.into_iter().map(|plan| plan.value).collect();
        self.flags.push(Flag { name, constant, default, plans, rollout });
    }

    fn add_features(&mut self, written: Vec<Placed<Name>>, table: &mut Table<'_>) -> Vec<Name> {
        let mut features = Vec::with_capacity(written.len());
        let mut seen = HashSet::new();
        for feature in written {
            if !seen.insert(feature.value) {
                table.report(twice("the feature", feature.value.as_str(), &feature.place));
                continue;
            }
            features.push(feature.value);
            self.features.push(feature);
        }
        features
    }

    fn add_limits(&mut self, written: Vec<Entry<u32>>) -> Vec<PlanLimit> {
        let mut limits = Vec::with_capacity(written.len());
        for Entry { key, name, value } in written {
            let Some(name) = name else { continue };
            self.limits.push(Placed { value: name, place: key.place });
            limits.extend(value.map(|maximum| PlanLimit { name, maximum }));
        }
        limits
    }
}

fn check_price(place: usize, plan: &RawPlan, table: &mut Table<'_>) {
    match (place, &plan.price) {
        (0, Some(price)) => {
            let sentence = "the first plan has a price".to_owned();
            let help = "put a plan without a price before it: it is what an organization without a \
                        subscription has";
            let error = SpecError::new(price.place.clone(), Problem::Inconsistent(sentence));
            table.report(error.help(help));
        }
        (1.., None) => {
            let at =
                plan.name.as_ref().map_or_else(|| plan.place.clone(), |name| name.place.clone());
            let sentence = "only the first plan can be without a price".to_owned();
            let help = "add `price = { amount = 1900, currency = \"usd\" }`";
            table.report(SpecError::new(at, Problem::Inconsistent(sentence)).help(help));
        }
        _ => {}
    }
}

/// A user who pays does so for all organizations at once: there is no number of members.
fn check_unit(payer: Payer, plan: &RawPlan, table: &mut Table<'_>) {
    let Some(price) = &plan.price else { return };
    let per = price.value.as_ref().map(|price| price.per);
    if payer == Payer::User && per == Some(PriceUnit::Member) {
        let sentence = "a user pays for themselves, not for members".to_owned();
        let help = "leave `per` out, or write `payer = \"organization\"`";
        let error = SpecError::new(price.place.clone(), Problem::Inconsistent(sentence));
        table.report(error.help(help));
    }
}

impl Shape for CurrencyCode {
    type Value = Currency;

    fn read(&self, value: &DeValue<'_>, place: &Place, errors: &mut Errors) -> Option<Currency> {
        let code = string(value, place, errors)?;
        let found = currency::currency(code);
        if found.is_none() {
            let expected = "a currency that cards can be charged in";
            let problem = Problem::BadText { found: quoted(code), expected };
            let lower = code.to_ascii_lowercase();
            let error = SpecError::new(place.clone(), problem);
            errors.push(match text::closest(&lower, currency::codes()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("write an ISO 4217 code in lower case, such as `usd` or `eur`"),
            });
        }
        found
    }

    fn describe(&self) -> Value {
        json!({ "enum": currency::codes().collect::<Vec<_>>() })
    }
}
