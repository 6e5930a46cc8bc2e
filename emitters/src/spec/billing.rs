//! Who pays for what.

use super::entity::EntityNames;
use astgen_pyast::{Name, name};
use serde::Serialize;
use std::time::Duration;

/// Plans and payment. A spec without `[billing]` has none of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Billing {
    /// Who takes the money.
    pub provider: BillingProvider,
    /// Who has the subscription.
    pub payer: Payer,
    /// The free time at the start.
    pub trial: Option<Trial>,
    /// How long access stays when a payment fails, in whole days.
    pub grace_period: Duration,
    /// The first one is free, and is what a payer without a subscription has. All others have a price.
    pub plans: Vec<Plan>,
    /// Every feature of any plan, each once, in the order of the file.
    pub features: Vec<Feature>,
    /// Every limit of any plan, each once, in the order of the file.
    pub limits: Vec<Limit>,
    /// What is switched on for some before it is for all, in the order of the file.
    pub flags: Vec<Flag>,
}

/// Who takes the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum BillingProvider {
    /// Stripe.
    Stripe,
}

/// Who has the subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Payer {
    /// One subscription for all members.
    Organization,
    /// One subscription for each user, who pays for all organizations that they own.
    User,
}

impl Payer {
    /// The table with the columns of a subscription.
    #[must_use]
    pub const fn table(self) -> &'static str {
        match self {
            Payer::Organization => "organizations",
            Payer::User => "users",
        }
    }
}

/// Free time at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// How long, in whole days.
    pub period: Duration,
    /// What begins with it.
    pub start: TrialStart,
    /// What becomes of a subscription whose free time ends without a card on file.
    pub without_card: WithoutCard,
}

/// What begins with free time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum TrialStart {
    /// A new organization, without a card; Stripe knows nothing of it.
    Organization,
    /// The first subscription, with a card.
    Checkout,
}

/// What becomes of a subscription whose free time ends without a card on file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum WithoutCard {
    /// It ends.
    Cancel,
    /// It waits for a card.
    Pause,
}

impl WithoutCard {
    /// The word of Stripe, for `trial_settings.end_behavior.missing_payment_method`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            WithoutCard::Cancel => "cancel",
            WithoutCard::Pause => "pause",
        }
    }
}

/// Something that can be subscribed to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The stored text: `team`.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The member of the `Plan` enum: `TEAM`.
    #[serde(serialize_with = "super::as_text")]
    pub constant: Name,
    /// What people read: `Team`.
    pub title: String,
    /// One sentence for the page of plans; may be empty.
    pub description: String,
    /// What it costs; `None` for the first plan only.
    pub price: Option<Price>,
    /// What it allows, by name.
    #[serde(serialize_with = "super::as_texts")]
    pub features: Vec<Name>,
    /// How much of a thing it allows. A limit that is not listed is unlimited.
    pub limits: Vec<PlanLimit>,
}

/// What a plan costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Price {
    /// The amount in the currency's smallest unit: 1900 is 19.00 USD.
    pub amount: u32,
    /// The currency.
    pub currency: Currency,
    /// How often it is due.
    pub interval: Interval,
    /// For what the amount is due.
    pub per: PriceUnit,
    /// By which Stripe finds the price: `acme_team_month`.
    pub lookup_key: String,
}

/// A currency that cards can be charged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Currency {
    /// The ISO 4217 code in lower case, as Stripe writes it: `usd`.
    pub code: &'static str,
    /// The digits after the decimal point: 2 for `usd`, 0 for `jpy`.
    pub decimals: u8,
}

/// How often a price is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Interval {
    /// Every month.
    Month,
    /// Every year.
    Year,
}

/// For what the amount of a price is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum PriceUnit {
    /// Once, however many members there are.
    Payer,
    /// For each member.
    Member,
}

impl Interval {
    /// The interval as Stripe writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Interval::Month => "month",
            Interval::Year => "year",
        }
    }
}

/// Something that a plan has or has not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Feature {
    /// The stored text: `reports`.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The member of the `Feature` enum: `REPORTS`.
    #[serde(serialize_with = "super::as_text")]
    pub constant: Name,
    /// What people read: `Reports`.
    pub title: String,
}

/// Something that is switched on while the product runs: for some first, then for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Flag {
    /// The stored text: `new_editor`.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The member of the `Flag` enum: `NEW_EDITOR`.
    #[serde(serialize_with = "super::as_text")]
    pub constant: Name,
    /// Whether everybody has it.
    pub default: bool,
    /// The plans that have it, by name.
    #[serde(serialize_with = "super::as_texts")]
    pub plans: Vec<Name>,
    /// How many payers in a hundred have it, whatever their plan.
    pub rollout: u8,
}

/// Something that a plan allows so many of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Limit {
    /// The stored text: `projects`.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The member of the `Limit` enum: `PROJECTS`.
    #[serde(serialize_with = "super::as_text")]
    pub constant: Name,
    /// What people read: `Projects`.
    pub title: String,
    /// What is counted.
    pub counts: Counted,
}

/// The limit that counts the megabytes of the files.
pub const STORAGE_LIMIT: Name = name("storage_megabytes");

/// What a limit counts in an organization.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Counted {
    /// The members; the limit is always called `members`.
    Members,
    /// The megabytes of the files; the limit is always called `storage_megabytes`.
    Storage,
    /// The rows of an entity, the one that names the limit.
    Rows(Box<EntityNames>),
}

/// How much of a thing a plan allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PlanLimit {
    /// The limit's name.
    #[serde(serialize_with = "super::as_text")]
    pub name: Name,
    /// The most there may be.
    pub maximum: u32,
}

impl Billing {
    /// The plan of a payer without a subscription.
    ///
    /// # Panics
    /// When `plans` is empty, which no spec that was read has.
    #[must_use]
    pub fn free_plan(&self) -> &Plan {
        &self.plans[0]
    }

    /// The trial that new organizations are in, if they are.
    #[must_use]
    pub fn own_trial(&self) -> Option<Trial> {
        self.trial.filter(|trial| trial.start == TrialStart::Organization)
    }

    /// The trial that first subscriptions begin with, if they do.
    #[must_use]
    pub fn card_trial(&self) -> Option<Trial> {
        self.trial.filter(|trial| trial.start == TrialStart::Checkout)
    }

    /// Whether what is paid depends on how many members there are.
    #[must_use]
    pub fn has_seats(&self) -> bool {
        let prices = self.plans.iter().filter_map(|plan| plan.price.as_ref());
        prices.into_iter().any(|price| price.per == PriceUnit::Member)
    }
}

impl Plan {
    /// The most that this plan allows; `None` is unlimited.
    #[must_use]
    pub fn limit(&self, name: Name) -> Option<u32> {
        self.limits.iter().find(|limit| limit.name == name).map(|limit| limit.maximum)
    }

    /// Whether the plan has a feature.
    #[must_use]
    pub fn has_feature(&self, name: Name) -> bool {
        self.features.contains(&name)
    }
}
