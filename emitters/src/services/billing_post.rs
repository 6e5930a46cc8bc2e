//! `backend/app/services/billing_post.py`: mail to owners about what they pay.

use crate::core::roles::role;
use crate::core::sealing::Sealer;
use crate::core::settings::Settings;
use crate::models::membership::Membership;
use crate::models::organization::Organization;
use crate::models::user::User;
use crate::python::builtins::{format, int, isinstance, str};
use crate::python::sqlalchemy::{AsyncSession, select};
use crate::python::standard::{dataclass, datetime};
use crate::services::billing_provider::{PaymentFailed, TrialEnding};
use crate::services::email_service::{Mail, PRODUCT, compose};
use crate::services::outbox::Outbox;
use crate::spec::{Billing, Payer, Spec, TrialStart};
use astgen_pyast::make;
use astgen_pyast::prelude::*;
use std::collections::BTreeMap;

vocabulary! {
    "app.services.billing_post": DECIMALS, OwnTrialEnding, TrialRefused, BillingPost, mail_about,
        mail_about_trial, money;
}

/// The module.
#[must_use]
pub fn emit(spec: &Spec, billing: &Billing) -> Module {
    let trial = billing.trial.map(|trial| trial.start);
    let alerts = match trial {
        Some(TrialStart::Organization) => py!(TrialEnding | PaymentFailed | OwnTrialEnding),
        Some(TrialStart::Checkout) => py!(TrialEnding | PaymentFailed | TrialRefused),
        None => py!(TrialEnding | PaymentFailed),
    };
    module("app.services.billing_post").docstring("Mail to owners about what they pay.").body(
        block![
            assign(DECIMALS, decimals(billing))
                .comment("The digits after the point of the currencies in which there are prices."),
            trial.map(|start| match start {
                TrialStart::Organization => own_trial_ending_class(),
                TrialStart::Checkout => trial_refused_class(),
            }),
            billing_post_class(spec, billing, &alerts),
            mail_about_def(trial, &alerts),
            mail_about_trial_def(),
            money_def()
        ],
    )
}

fn decimals(billing: &Billing) -> Expr {
    let prices = billing.plans.iter().filter_map(|plan| plan.price.as_ref());
    let currencies: BTreeMap<&str, u32> =
        prices.map(|price| (price.currency.code, price.currency.decimals.into())).collect();
    make::dict(currencies)
}

fn own_trial_ending_class() -> ClassDef {
    names!(ends_at);
    class(OwnTrialEnding).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("The trial that came with a new organization is about to end."),
        annotate(ends_at, datetime)
    ])
}

fn trial_refused_class() -> ClassDef {
    class(TrialRefused)
        .decorator(py!(dataclass(frozen = true)))
        .body([docstring("A trial has ended at once, because the card has had one before.")])
}

fn billing_post_class(spec: &Spec, billing: &Billing, alerts: &Expr) -> ClassDef {
    names!(settings, sealer);
    class(BillingPost).decorator(py!(dataclass(frozen = true))).body(block![
        docstring("What owners are told of, in the transaction that knows of it."),
        annotate(settings, Settings),
        annotate(sealer, Sealer),
        match billing.payer {
            Payer::Organization => billing_post_tell_owners(spec, alerts),
            Payer::User => billing_post_tell_user(alerts),
        }
    ])
}

fn billing_post_tell_user(alerts: &Expr) -> FunctionDef {
    names!(session, payer, alert, outbox);
    async_def("tell")
        .params([
            untyped("self"),
            param(session, AsyncSession),
            param(payer, User),
            param(alert, alerts.clone()),
        ])
        .returns(none())
        .body(block![
            docstring("Write to who pays."),
            assign(outbox, py!(Outbox(session, self.settings, self.sealer))),
            do_(py!(outbox.add(mail_about(alert, "your account", payer.email))))
        ])
}

fn billing_post_tell_owners(spec: &Spec, alerts: &Expr) -> FunctionDef {
    names!(session, payer, alert, outbox, owners, email);
    let owner = role(spec.organizations.owner());
    async_def("tell")
        .params([
            untyped("self"),
            param(session, AsyncSession),
            param(payer, Organization),
            param(alert, alerts.clone()),
        ])
        .returns(none())
        .body(block![
            docstring("Write to the owners of an organization."),
            assign(outbox, py!(Outbox(session, self.settings, self.sealer))),
            assign(
                owners,
                py!(select(User.email)
                    .join(Membership, Membership.user_id == User.id)
                    .r#where(Membership.organization_id == payer.id, Membership.role == owner))
            ),
            for_(
                email,
                py!(session.scalars(owners).await.all()),
                [do_(py!(outbox.add(mail_about(alert, payer.name, email))))]
            )
        ])
}

fn mail_about_def(trial: Option<TrialStart>, alerts: &Expr) -> FunctionDef {
    names!(alert, payer_name, email, name, price);
    def(mail_about)
        .params([param(alert, alerts.clone()), param(payer_name, str), param(email, str)])
        .returns(Mail)
        .body(block![
            docstring("Say what is about to happen, or has, with the amount and the day."),
            assign(name, py!(" ".join(payer_name.split()))),
            trial.map(|start| match start {
                TrialStart::Organization => if_(
                    py!(isinstance(alert, OwnTrialEnding)),
                    [return_(py!(mail_about_trial(
                        email,
                        name,
                        alert.ends_at,
                        "Nothing is charged. Choose a plan before, to go on with all of it."
                    )))]
                ),
                TrialStart::Checkout => if_(
                    py!(isinstance(alert, TrialRefused)),
                    [return_(py!(compose(
                        email,
                        f!("The trial of {} has ended", name),
                        f!("The card for {} on {} has had a trial before.", name, PRODUCT),
                        "Nothing is charged. Choose a plan again, to go on without a trial."
                    )))]
                ),
            }),
            assign(price, py!(money(alert.amount, alert.currency))),
            if_(
                py!(isinstance(alert, TrialEnding)),
                [return_(py!(mail_about_trial(
                    email,
                    name,
                    alert.ends_at,
                    f!("From then on it costs {}, unless you cancel before.", price)
                )))]
            ),
            return_(py!(compose(
                email,
                f!("A payment for {} has failed", name),
                f!("We could not collect {} for {} on {}.", price, name, PRODUCT),
                if alert.url == None {
                    "Please see to the card that is on file."
                } else {
                    f!("Please pay here: {}", alert.url)
                }
            )))
        ])
}

fn mail_about_trial_def() -> FunctionDef {
    names!(email, payer_name, ends_at, consequence, day);
    def(mail_about_trial)
        .params([
            param(email, str),
            param(payer_name, str),
            param(ends_at, datetime),
            param(consequence, str),
        ])
        .returns(Mail)
        .body(block![
            docstring("Say when a trial ends, and what comes of it."),
            assign(day, py!(f!("{:%d %B %Y}", ends_at))),
            return_(py!(compose(
                email,
                f!("The trial of {} ends on {}", payer_name, day),
                f!("The trial of {} on {} ends on {}.", payer_name, PRODUCT, day),
                consequence
            )))
        ])
}

fn money_def() -> FunctionDef {
    names!(amount, currency, digits);
    def(money).params([param(amount, int), param(currency, str)]).returns(str).body(block![
        docstring("Write an amount in the smallest unit of its currency: `19.00 USD`."),
        assign(digits, py!(DECIMALS.get(currency, 2))),
        return_(py!(f!(
            "{} {}",
            { py!(format(amount / pow!(10, digits), f!(".{}f", digits))) },
            currency.upper()
        )))
    ])
}
