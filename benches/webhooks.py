"""Makes the table of webhooks in benches/README.md: a burst of events of Stripe.

Usage: python benches/webhooks.py BACKEND [SERVER_URL]

BACKEND is the folder `backend` of a project that was built from examples/acme.toml, and
Python is that of its environment. With the URL of a PostgreSQL server (such as
`postgresql+asyncpg://postgres@127.0.0.1:5432/postgres`) the database is there, else it
is a file of SQLite.

One uvicorn with one process answers and processes. A thousand events about ten payers
come in, 64 at a time, then each of them once more; a bare route is asked as often
before. Each event that is followed raises the version of its payer by one: so it shows
when one was followed twice, or not at all.
"""

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from serving import serving

EVENTS = 1000
PAYERS = 10
AT_ONCE = 64
SECRET = "whsec_bench"


def event(number):
    """Return an event as Stripe sends it."""
    from app.core.plans import PLANS

    prices = [plan.price for plan in PLANS.values() if plan.price is not None]
    price = {"id": "price_1", "lookup_key": prices[0].lookup_key}
    now = int(time.time())
    item = {"id": "si_1", "price": price, "quantity": 1, "current_period_end": now + 9999}
    payer = number % PAYERS
    subscription = {
        "id": f"sub_{payer}",
        "object": "subscription",
        "customer": f"cus_{payer}",
        "status": "active",
        "created": now,
        "items": {"object": "list", "data": [item]},
    }
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": "customer.subscription.updated",
        "created": now,
        "data": {"object": subscription},
    }


async def timed(send, bodies):
    """Send each body, some at once, and return how long each answer took."""
    waiting, times = list(reversed(bodies)), []

    async def work():
        while waiting:
            body = waiting.pop()
            start = time.perf_counter()
            answer = await send(body)
            times.append(time.perf_counter() - start)
            assert answer.status_code == 200, (answer.status_code, answer.text)

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return times


async def burst(url):
    """Ask the bare route, deliver all events, deliver them again."""
    import httpx2
    from stripe import WebhookSignature

    limits = httpx2.Limits(max_connections=AT_ONCE)
    async with httpx2.AsyncClient(base_url=url, limits=limits, timeout=120) as http:

        async def bare(_body):
            return await http.get("/health/live")

        async def deliver(body):
            signature = WebhookSignature.generate_signature_header(body, SECRET, None)
            headers = {"Stripe-Signature": signature}
            return await http.post("/billing/webhook", content=body, headers=headers)

        bodies = [json.dumps(event(number)) for number in range(EVENTS)]
        await timed(bare, bodies[:AT_ONCE])
        return {
            "bare route": await timed(bare, bodies),
            "first delivery": await timed(deliver, bodies),
            "second delivery": await timed(deliver, bodies),
        }


async def add_payers(database):
    """Add the payers whom the events are about."""
    from app.models import Organization

    async with database.session() as session:
        for number in range(PAYERS):
            session.add(Organization(name="x", stripe_customer_id=f"cus_{number}"))
        await session.commit()


async def outcome(database):
    """Wait until every event is done, and return what became of them."""
    from sqlalchemy import func, select

    from app.models import BillingEvent, Organization

    start = time.perf_counter()
    while True:
        async with database.session() as session:
            counts = select(BillingEvent.status, func.count(), func.max(BillingEvent.attempts))
            rows = (await session.execute(counts.group_by(BillingEvent.status))).all()
            versions = await session.scalar(select(func.sum(Organization.subscription_version)))
        if [row[0].value for row in rows] == ["processed"]:
            return rows[0][1], rows[0][2], int(versions), time.perf_counter() - start
        assert time.perf_counter() - start < 300, rows
        await asyncio.sleep(0.2)


def measure(backend, scratch):
    """Serve on a database, and print the row of the table."""
    from app.core.database import Database
    from app.core.settings import Settings
    from tests.databases import migrate

    migrate(scratch)
    environment = os.environ | {
        "DATABASE_URL": scratch.app_url,
        "STRIPE_WEBHOOK_SECRETS": SECRET,
        "LOG_LEVEL": "WARNING",
    }
    os.environ.update(environment)
    database = Database(Settings())
    asyncio.run(add_payers(database))
    with serving(backend, environment) as url:
        answers = asyncio.run(burst(url))
        processed, attempts, versions, rest = asyncio.run(outcome(Database(Settings())))
    assert processed == versions == EVENTS, (processed, versions)
    for what, times in answers.items():
        middle, last = statistics.median(times), statistics.quantiles(times, n=100)[98]
        print(f"{what}: median {middle * 1000:.0f} ms, p99 {last * 1000:.0f} ms")
    print(f"processed {processed}, most attempts {attempts}, writes {versions},")
    print(f"the last of them {rest:.1f} s after the last answer")


def main():
    """Measure on the database that the command line asks for."""
    backend = Path(sys.argv[1]).resolve()
    os.chdir(backend)
    sys.path.insert(0, str(backend))
    from tests.databases import postgresql_database, sqlite_database

    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 2:
            scratch = postgresql_database(sys.argv[2])
        else:
            scratch = nullcontext(sqlite_database(Path(folder) / "bench.db"))
        with scratch as database:
            measure(backend, database)


main()
