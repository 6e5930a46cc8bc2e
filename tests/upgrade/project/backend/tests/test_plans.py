"""What plans and subscriptions allow."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core.billing import (
    Access,
    access_of,
    effective_plan,
    grace_ends_at,
    has_active_subscription,
    larger_plans,
)
from app.core.plans import (
    FREE,
    GRACE_PERIOD,
    TEAM,
    Limit,
    PlanName,
    SubscriptionStatus,
    plan_for_lookup_key,
)
from app.models import Organization
from tests.world import World

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ACCESS = {
    SubscriptionStatus.NONE: Access.NONE,
    SubscriptionStatus.TRIALING: Access.FULL,
    SubscriptionStatus.ACTIVE: Access.FULL,
    SubscriptionStatus.PAST_DUE: Access.FULL,
    SubscriptionStatus.UNPAID: Access.RESTRICTED,
    SubscriptionStatus.PAUSED: Access.RESTRICTED,
    SubscriptionStatus.INCOMPLETE: Access.NONE,
    SubscriptionStatus.INCOMPLETE_EXPIRED: Access.NONE,
    SubscriptionStatus.CANCELED: Access.NONE,
    SubscriptionStatus.UNKNOWN: Access.RESTRICTED,
}


@pytest.mark.parametrize("status", list(SubscriptionStatus))
def test_each_status(status: SubscriptionStatus) -> None:
    organization = Organization(plan=PlanName.TEAM, subscription_status=status)
    access = ACCESS[status]
    assert access_of(organization, NOW) is access
    active = access is Access.FULL
    assert has_active_subscription(organization, NOW) is active
    expected = FREE if access is Access.NONE else TEAM
    assert effective_plan(organization, NOW) is expected


def test_a_payment_may_be_late() -> None:
    organization = Organization(
        plan=PlanName.TEAM,
        subscription_status=SubscriptionStatus.PAST_DUE,
        past_due_since=NOW - GRACE_PERIOD,
    )
    assert grace_ends_at(organization) == NOW
    assert access_of(organization, NOW - SECOND) is Access.FULL
    assert access_of(organization, NOW) is Access.RESTRICTED


def test_a_subscription_ends() -> None:
    organization = Organization(
        plan=PlanName.TEAM,
        subscription_status=SubscriptionStatus.ACTIVE,
        subscription_ends_at=NOW,
    )
    assert access_of(organization, NOW - SECOND) is Access.FULL
    assert access_of(organization, NOW) is Access.NONE


def test_a_trial_ends() -> None:
    organization = Organization(
        plan=PlanName.TEAM,
        subscription_status=SubscriptionStatus.TRIALING,
        trial_ends_at=NOW,
    )
    assert has_active_subscription(organization, NOW - SECOND) is True
    assert has_active_subscription(organization, NOW) is False


def test_prices_belong_to_plans() -> None:
    assert plan_for_lookup_key("ledger_team_month") is TEAM
    assert plan_for_lookup_key("unknown") is None
    assert plan_for_lookup_key("") is None


def test_plans_that_allow_more() -> None:
    assert larger_plans(Limit.CLIENTS, 3) == ["team"]


async def test_everybody_can_read_the_plans(world: World) -> None:
    plans = (await world.http.get("/billing/plans")).json()
    assert [plan["name"] for plan in plans] == ["free", "team"]
    assert plans[0]["price"] is None
    assert plans[1] == {
        "name": "team",
        "title": "Team",
        "price": {"amount": 1900, "currency": "usd", "interval": "month"},
        "features": ["reports"],
        "limits": {},
    }


async def test_members_can_read_the_subscription(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    path = f"/organizations/{organization_id}/billing/subscription"
    begun = (await ada.get(path)).json()
    assert (begun["plan"], begun["status"], begun["active"]) == (
        "team",
        "trialing",
        True,
    )
    assert begun["trial_ends_at"] is not None

    await world.end_trial(organization_id)
    ended = (await ada.get(path)).json()
    assert (ended["plan"], ended["active"]) == ("free", False)


async def test_a_feature_needs_a_plan_that_has_it(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    organization_id = await ada.organization()
    async with world.database.session() as session:
        (
            await session.get_one(Organization, UUID(organization_id))
        ).plan = PlanName.FREE
        await session.commit()
    refused = await ada.get(f"/organizations/{organization_id}/reports")
    assert refused.status_code == 403
    assert refused.json()["code"] == "feature_not_in_plan"
    assert refused.json()["upgrade"] == ["team"]
