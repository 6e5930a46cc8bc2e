"""Makes the table of workers in benches/README.md: what several processes count together.

Usage: python benches/workers.py BACKEND [SERVER_URL]

BACKEND is the folder `backend` of a project that was built from examples/acme.toml, and
Python is that of its environment. With the URL of a PostgreSQL server (such as
`postgresql+asyncpg://postgres@127.0.0.1:5432/postgres`) the database is there, else it
is a file of SQLite.

One uvicorn with four workers answers ten thousand requests over 32 connections: to a
route without I/O, to one that reads the database, to one that asks for a token, and to
a path that is none. Then `/metrics` is read as often as there are workers, and more: each
time it has to say exactly what was sent, whichever worker answers.
"""

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import nullcontext
from pathlib import Path

from serving import serving

WORKERS = 4
REQUESTS = 10_000
CONNECTIONS = 32
READS = 20
# The path of a request, the route that `/metrics` names for it, and the status.
ROUTES = (
    ("/health/live", "/health/live", 200),
    ("/billing/plans", "/billing/plans", 200),
    ("/health/ready", "/health/ready", 200),
    ("/organizations", "/organizations", 401),
    ("/nowhere", "unmatched", 404),
)
SAMPLE = re.compile(
    r'^http_requests_total\{method="GET",route="(.+)",status="(\d+)"\} (\S+)$', re.MULTILINE
)


async def wake(url, folder):
    """Ask until each worker has answered: one that still starts would get no connection."""
    import httpx2

    async def ask():
        async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
            await http.get("/metrics")

    while workers_that_counted(folder) < WORKERS:
        await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))


async def load(url):
    """Send the requests, and return how long each answer took, and all in all."""
    import httpx2

    waiting, times = [ROUTES[number % len(ROUTES)] for number in range(REQUESTS)], []

    async def work():
        async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
            while waiting:
                path, _, status = waiting.pop()
                start = time.perf_counter()
                answer = await http.get(path)
                times.append(time.perf_counter() - start)
                assert answer.status_code == status, (path, answer.status_code)

    start = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    return times, time.perf_counter() - start


async def counted(url):
    """Read the metrics, each time on a connection of its own."""
    import httpx2

    readings = []
    for _ in range(READS):
        async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
            text = (await http.get("/metrics")).text
        found = SAMPLE.findall(text)
        readings.append({(route, int(status)): float(value) for route, status, value in found})
    return readings


def check(readings):
    """Compare what was counted with what was sent."""
    sent = Counter(ROUTES[number % len(ROUTES)][1:] for number in range(REQUESTS))
    for place, reading in enumerate(readings):
        reading.pop(("/metrics", 200), None)
        assert reading == dict(sent), (place, reading, sent)


def workers_that_counted(folder):
    """Return how many processes have answered something."""
    return len([*Path(folder).glob("histogram_*.db")])


def measure(backend, scratch, folder):
    """Serve on a database, and print the row of the table."""
    from tests.databases import migrate

    migrate(scratch)
    environment = os.environ | {
        "DATABASE_URL": scratch.app_url,
        "LOG_LEVEL": "WARNING",
        "PROMETHEUS_MULTIPROC_DIR": str(folder),
    }
    with serving(backend, environment, "--workers", str(WORKERS)) as url:
        asyncio.run(wake(url, folder))
        times, seconds = asyncio.run(load(url))
        check(asyncio.run(counted(url)))
    middle, last = statistics.median(times), statistics.quantiles(times, n=100)[98]
    print(f"{REQUESTS} requests, {workers_that_counted(folder)} workers: {REQUESTS / seconds:.0f}/s")
    print(f"median {middle * 1000:.1f} ms, p99 {last * 1000:.1f} ms")
    print(f"{READS} readings of /metrics, each exact")


def main():
    """Measure on the database that the command line asks for."""
    backend = Path(sys.argv[1]).resolve()
    os.chdir(backend)
    sys.path.insert(0, str(backend))
    from tests.databases import postgresql_database, sqlite_database

    with tempfile.TemporaryDirectory() as folder:
        metrics = Path(folder) / "metrics"
        metrics.mkdir()
        if len(sys.argv) > 2:
            scratch = postgresql_database(sys.argv[2])
        else:
            scratch = nullcontext(sqlite_database(Path(folder) / "bench.db"))
        with scratch as database:
            measure(backend, database, metrics)


main()
