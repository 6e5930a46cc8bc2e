"""What an organization may use, by its plan and its subscription."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum

from fastapi import Request
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.core.errors import ForbiddenError, PaymentRequiredError
from app.core.org_rbac import Principal, PrincipalDep
from app.core.plans import (
    DEFAULT_PLAN,
    GRACE_PERIOD,
    PLANS,
    Feature,
    Limit,
    Plan,
    SubscriptionStatus,
)
from app.models.base import utcnow
from app.models.organization import Organization

TAKES_NOTHING = frozenset({"GET", "HEAD", "OPTIONS"})
UNPAID_STATUSES = frozenset(
    {
        SubscriptionStatus.PAST_DUE,
        SubscriptionStatus.UNPAID,
        SubscriptionStatus.PAUSED,
        SubscriptionStatus.UNKNOWN,
    }
)

GOES_ON = UNPAID_STATUSES | {SubscriptionStatus.ACTIVE}


class Access(StrEnum):
    """What a subscription gives: all of its plan, only reading, or nothing."""

    FULL = "full"
    RESTRICTED = "restricted"
    NONE = "none"


def access_of(payer: Organization, now: datetime) -> Access:
    """Tell what the subscription gives at a time."""
    if has_active_subscription(payer, now):
        return Access.FULL
    if has_ended(payer, now) or payer.subscription_status not in UNPAID_STATUSES:
        return Access.NONE
    return Access.RESTRICTED


def has_active_subscription(payer: Organization, now: datetime) -> bool:
    """Tell whether the payer pays, is still trying out, or is late by a bit."""
    if has_ended(payer, now):
        return False
    if payer.subscription_status is SubscriptionStatus.PAST_DUE:
        ends_at = grace_ends_at(payer)
        return ends_at is None or now < ends_at
    return payer.subscription_status in {
        SubscriptionStatus.TRIALING,
        SubscriptionStatus.ACTIVE,
    }


def has_subscription(payer: Organization) -> bool:
    """Tell whether a subscription at the provider goes on until somebody ends it."""
    status = payer.subscription_status
    if status is SubscriptionStatus.TRIALING:
        return payer.stripe_subscription_id is not None
    return status in GOES_ON


def has_ended(payer: Organization, now: datetime) -> bool:
    """Tell whether the subscription was to end by now, or the trial without one."""
    has_own_trial = (
        payer.subscription_status is SubscriptionStatus.TRIALING
        and payer.stripe_subscription_id is None
    )
    ends_at = payer.trial_ends_at if has_own_trial else payer.subscription_ends_at
    return ends_at is not None and now >= ends_at


def grace_ends_at(payer: Organization) -> datetime | None:
    """Return until when a payment that is due may be late; none if none is due."""
    if payer.past_due_since is None:
        return None
    return payer.past_due_since + GRACE_PERIOD


def effective_plan(payer: Organization, now: datetime) -> Plan:
    """Return the plan that counts: without a subscription it is the default one."""
    if access_of(payer, now) is Access.NONE:
        return DEFAULT_PLAN
    return PLANS[payer.plan]


async def require_active_subscription(
    principal: PrincipalDep, request: Request
) -> None:
    """Guard a route: without an active subscription the answer is 402.

    Who has not paid may still read.
    """
    access = access_of(principal.organization, utcnow())
    if access is Access.NONE:
        raise PaymentRequiredError(
            "This needs an active subscription.", code="subscription_required"
        )
    refuse_restricted(access, request.method)


def refuse_restricted(access: Access, method: str) -> None:
    """Answer 402 to what changes anything while a payment is missing."""
    if access is Access.RESTRICTED and method not in TAKES_NOTHING:
        raise PaymentRequiredError(
            "A payment is missing: until then this is read-only.",
            code="payment_missing",
        )


def require_feature(
    feature: Feature,
) -> Callable[[Principal, Request], Awaitable[None]]:
    """Guard a route: without the feature in the plan the answer is 403."""

    async def guard(principal: PrincipalDep, request: Request) -> None:
        now = utcnow()
        plan = effective_plan(principal.organization, now)
        if feature not in plan.features:
            raise ForbiddenError(
                f"The plan {plan.title} does not include {feature}.",
                code="feature_not_in_plan",
                upgrade=plans_with_feature(feature),
            )
        refuse_restricted(access_of(principal.organization, now), request.method)

    return guard


def plans_with_feature(feature: Feature) -> list[str]:
    """Name the plans that include a feature."""
    return [plan.name for plan in PLANS.values() if feature in plan.features]


async def enforce_limit(
    session: AsyncSession,
    organization: Organization,
    limit: Limit,
    used: Select[int],
    *,
    adding: int = 1,
) -> None:
    """Refuse to go past a limit of the plan.

    Call it in the transaction that adds: the organization stays locked until the end
    of it, so that two requests cannot both take the last place.
    """
    plan = effective_plan(organization, utcnow())
    allowed = plan.limits.get(limit)
    if allowed is None:
        return
    lock = select(Organization.id).where(Organization.id == organization.id)
    await session.execute(lock.with_for_update())
    if (await session.scalar(used) or 0) + adding > allowed:
        raise ForbiddenError(
            f"The plan {plan.title} allows {allowed} {limit}.",
            code="plan_limit_reached",
            upgrade=larger_plans(limit, allowed),
        )


def larger_plans(limit: Limit, allowed: int) -> list[str]:
    """Name the plans that allow more."""
    return [
        plan.name
        for plan in PLANS.values()
        if limit not in plan.limits or plan.limits[limit] > allowed
    ]
