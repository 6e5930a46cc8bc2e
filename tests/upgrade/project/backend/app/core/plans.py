"""The plans an organization can have, and what each of them holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Literal


class PlanName(StrEnum):
    """The plans, the one without a subscription first."""

    FREE = "free"
    TEAM = "team"


class Feature(StrEnum):
    """What a plan can switch on."""

    REPORTS = "reports"
    PRIORITY_SUPPORT = "priority_support"


class Limit(StrEnum):
    """What a plan can count."""

    CLIENTS = "clients"


class SubscriptionStatus(StrEnum):
    """Where a subscription stands: the words of Stripe, and two of our own."""

    NONE = "none"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    PAUSED = "paused"
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Price:
    """What a plan costs, in the smallest unit of the currency."""

    amount: int
    currency: str
    interval: Literal["month", "year"]
    lookup_key: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan; a limit that it does not name is unlimited."""

    name: PlanName
    title: str
    price: Price | None = None
    features: tuple[Feature, ...] = ()
    limits: Mapping[Limit, int] = field(default_factory=dict[Limit, int])


FREE = Plan(name=PlanName.FREE, title="Free", limits={Limit.CLIENTS: 3})
TEAM = Plan(
    name=PlanName.TEAM,
    title="Team",
    price=Price(
        amount=1900, currency="usd", interval="month", lookup_key="ledger_team_month"
    ),
    features=(Feature.REPORTS, Feature.PRIORITY_SUPPORT),
)

PaidPlanName = Literal[PlanName.TEAM]
PLANS = {plan.name: plan for plan in (FREE, TEAM)}
DEFAULT_PLAN = FREE
TRIAL_PLAN = TEAM
TRIAL_PERIOD = timedelta(days=14)
GRACE_PERIOD = timedelta(days=14)


def plan_for_lookup_key(lookup_key: str) -> Plan | None:
    """Find the plan that a price of the provider belongs to."""
    for plan in PLANS.values():
        if plan.price is not None and plan.price.lookup_key == lookup_key:
            return plan
    return None
