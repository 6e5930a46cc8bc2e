"""The webhook of Stripe: what it takes in, and that nothing of it is lost."""

import json
import time
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy import select, update

from app.core.roles import UserRole
from app.core.settings import Settings
from app.main import create_app
from app.models import BillingEvent, User
from app.models.base import utcnow
from app.models.billing_event import BillingEventStatus
from app.services import billing_inbox, billing_worker
from app.services.billing_sync import BillingSync
from tests.fake_stripe import FakeStripe
from tests.world import World

if TYPE_CHECKING:
    from app.services.billing_worker import BillingWorker
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "type": "invoice.finalized",
    "created": 1,
    "data": {"object": {"id": "in_1"}},
}


async def stored(world: World) -> list[BillingEvent]:
    """Return the stored events, the oldest first."""
    statement = select(BillingEvent).order_by(BillingEvent.created_at)
    async with world.database.session() as session:
        return list(await session.scalars(statement))


async def statuses(world: World) -> list[str]:
    """Return what became of the events."""
    return [event.status.value for event in await stored(world)]


async def test_an_event_is_stored_before_it_is_processed(world: World) -> None:
    answer = await world.deliver(EVENT)
    assert (answer.status_code, answer.json()) == (200, {"status": "received"})
    assert await statuses(world) == ["received"]

    await world.settle()

    assert await statuses(world) == ["skipped"]
    assert (await world.deliver(EVENT)).json() == {"status": "skipped"}


async def test_an_event_is_stored_once(world: World) -> None:
    answers: list[int] = []

    async def deliver() -> None:
        answers.append((await world.deliver(EVENT)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(8):
            tasks.start_soon(deliver)

    assert answers == [200] * 8
    assert await statuses(world) == ["received"]


async def test_an_event_is_processed_by_one_of_many(world: World) -> None:
    worker: BillingWorker = world.app.state.billing_worker
    for number in range(10):
        await world.deliver(EVENT | {"id": f"evt_{number}"})
    counts: list[int] = []

    async def drain() -> None:
        counts.append(await worker.drain())

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(drain)

    assert sum(counts) == 10
    assert [event.attempts for event in await stored(world)] == [1] * 10
    assert await statuses(world) == ["skipped"] * 10


async def test_forged_deliveries_are_refused(world: World) -> None:
    body = json.dumps(EVENT)
    unsigned = await world.http.post("/billing/webhook", content=body)
    wrong_secret = await world.deliver_raw(body, secret="whsec_wrong")
    replayed = await world.deliver_raw(body, timestamp=int(time.time()) - 301)
    noise = {"Stripe-Signature": "t=x,v1="}
    garbled = await world.http.post("/billing/webhook", content=body, headers=noise)
    for answer in (unsigned, wrong_secret, replayed, garbled):
        assert answer.status_code == 400
        assert answer.json()["code"] == "invalid_signature"
    assert await statuses(world) == []


@pytest.mark.parametrize("skew", [-290, 0, 290])
async def test_a_clock_may_be_off_by_a_bit(world: World, skew: int) -> None:
    timestamp = int(time.time()) + skew
    answer = await world.deliver_raw(json.dumps(EVENT), timestamp=timestamp)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "null", "{}", '{"object": "event"}', "[" * 10000]
)
async def test_signed_nonsense_is_refused(world: World, body: str) -> None:
    assert (await world.deliver_raw(body)).status_code == 400


async def test_bytes_that_are_not_text_are_refused(world: World) -> None:
    headers = {"Stripe-Signature": "t=1,v1=00"}
    content = b'{"a": "\xff"}'
    answer = await world.http.post("/billing/webhook", content=content, headers=headers)
    assert answer.status_code == 400


async def test_large_bodies_are_refused(world: World) -> None:
    answer = await world.deliver_raw(" " * 1048577)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


async def test_every_secret_in_the_settings_is_accepted(
    settings: Settings, stripe: FakeStripe
) -> None:
    secrets = [SecretStr("whsec_old"), SecretStr("whsec_new")]
    app = create_app(settings.model_copy(update={"stripe_webhook_secrets": secrets}))
    async with AsyncClient(
        transport=ASGITransport(app), base_url="http://test"
    ) as http:
        world = World(app, http, stripe)
        for secret in ("whsec_old", "whsec_new"):
            body = json.dumps(EVENT | {"id": secret})
            answer = await world.deliver_raw(body, secret=secret)
            assert answer.json() == {"status": "received"}
        retired = await world.deliver_raw(json.dumps(EVENT), secret="whsec_retired")
        assert retired.status_code == 400
        await world.forget()
        await world.database.close()


async def test_without_a_secret_the_webhook_is_off(
    settings: Settings, stripe: FakeStripe
) -> None:
    app = create_app(settings.model_copy(update={"stripe_webhook_secrets": []}))
    async with AsyncClient(
        transport=ASGITransport(app), base_url="http://test"
    ) as http:
        answer = await World(app, http, stripe).deliver_raw("{}", secret="")
    assert answer.status_code == 503
    assert answer.json()["code"] == "webhook_off"


async def test_what_cannot_be_read_is_left_to_a_person(world: World) -> None:
    subscription = EVENT | {"type": "customer.subscription.updated"}
    await world.deliver(subscription)
    await world.settle()
    (event,) = await stored(world)
    assert (event.status, event.due_at) == (BillingEventStatus.FAILED, None)
    assert event.error is not None
    assert "customer" in event.error

    again = await world.deliver(subscription)
    assert again.json() == {"status": "received"}
    await world.settle()
    assert await statuses(world) == ["failed"]


async def test_a_crash_leaves_the_event_where_it_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.deliver(EVENT)

    async def crash(_sync: BillingSync, _event: BillingEvent) -> None:
        raise KeyError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(BillingSync, "follow", crash)
        await world.settle()
    (event,) = await stored(world)
    assert (event.status, event.error) == (BillingEventStatus.RECEIVED, "KeyError")
    assert event.due_at is not None
    assert event.due_at > utcnow()

    await world.settle()

    (event,) = await stored(world)
    assert (event.status, event.error) == (BillingEventStatus.SKIPPED, None)


async def test_a_claim_that_was_left_runs_out(world: World) -> None:
    worker: BillingWorker = world.app.state.billing_worker
    await world.deliver(EVENT)
    claimed = await worker.inbox.claim()
    assert claimed is not None
    assert await worker.drain() == 0

    await world.settle()
    assert await statuses(world) == ["skipped"]

    await worker.process(claimed)
    (event,) = await stored(world)
    assert (event.status, event.attempts) == (BillingEventStatus.SKIPPED, 2)


async def test_in_the_end_an_event_waits_for_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker: BillingWorker = world.app.state.billing_worker
    await world.deliver(EVENT)

    async def crash(_sync: BillingSync, _event: BillingEvent) -> None:
        raise KeyError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(BillingSync, "follow", crash)
        for _ in range(billing_inbox.MAX_ATTEMPTS):
            assert await statuses(world) == ["received"]
            await world.settle()
    assert await statuses(world) == ["failed"]
    await world.settle()
    assert await statuses(world) == ["failed"]

    assert await worker.inbox.replay() == 1
    await world.settle()
    assert await statuses(world) == ["skipped"]
    assert await worker.inbox.replay() == 0
    assert await worker.inbox.replay("evt_1") == 1


def test_each_attempt_waits_longer() -> None:
    for attempts in range(1, billing_inbox.MAX_ATTEMPTS):
        wait = billing_inbox.delay(attempts)
        longest = billing_inbox.FIRST_DELAY * 2**attempts
        assert wait <= min(longest, billing_inbox.LONGEST_DELAY)
        assert wait >= min(longest, billing_inbox.LONGEST_DELAY) / 2


async def test_the_worker_processes_behind_the_answers(
    settings: Settings, stripe: FakeStripe
) -> None:
    app = create_app(settings.model_copy(update={"billing_worker": True}))
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://test") as http,
    ):
        world = World(app, http, stripe)
        for number in range(20):
            await world.deliver(EVENT | {"id": f"evt_{number}"})
        for _ in range(1000):
            if await statuses(world) == ["skipped"] * 20:
                break
            await anyio.sleep(0.01)
        assert await statuses(world) == ["skipped"] * 20
        await world.forget()


async def test_the_worker_survives_the_database(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker: BillingWorker = app.state.billing_worker
    monkeypatch.setattr(worker, "inbox", None)
    assert await worker.next_event() is None
    with anyio.fail_after(1):
        alarm = worker.alarm
        worker.wake()
        await worker.nap(alarm)
    monkeypatch.setattr(billing_worker, "LONGEST_NAP_SECONDS", 0)
    await worker.nap(worker.alarm)


async def test_only_the_platform_sees_events(world: World) -> None:
    ada = await world.sign_up("ada@example.com")
    await world.deliver(EVENT)
    assert (await ada.get("/billing/events")).status_code == 403
    async with world.database.session() as session:
        await session.execute(update(User).values(role=UserRole.ADMIN))
        await session.commit()
    page = (await ada.get("/billing/events")).json()
    assert [event["event_id"] for event in page["items"]] == ["evt_1"]
    assert "payload" not in page["items"][0]
    failed = (await ada.get("/billing/events?status=failed")).json()
    assert failed["items"] == []
