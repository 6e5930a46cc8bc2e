"""Makes the table of middleware in benches/README.md: what every request pays.

Usage: python benches/middleware.py BACKEND 2>/dev/null

BACKEND is the folder `backend` of a project that was built from examples/acme.toml, and
Python is that of its environment.

Each request is logged, to standard error: send that somewhere else.

The same route is asked in the application and in a bare FastAPI, by turns, without a
socket. It stands first in both, so that no search for a route is counted. The CPU time of
the thread is measured, which other work on the machine does not add to.
"""

import asyncio
import os
import statistics
import sys
import time

WARM = 300
REQUESTS = 1000
ROUNDS = 9

SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "scheme": "http",
    "path": "/bench",
    "raw_path": b"/bench",
    "query_string": b"",
    "root_path": "",
    "headers": [(b"host", b"localhost"), (b"user-agent", b"bench")],
    "client": ("127.0.0.1", 50000),
    "server": ("localhost", 80),
}


async def answer():
    """Answer with next to nothing."""
    return {"status": "ok"}


async def receive():
    """Return a request without a body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(message):
    """Take an answer, which has to be a good one."""
    if message["type"] == "http.response.start" and message["status"] != 200:
        raise SystemExit(f"the route answered {message['status']}")


async def microseconds(app, requests):
    """Return the CPU time of one request."""
    began = time.thread_time()
    for _ in range(requests):
        await app({**SCOPE, "state": {}}, receive, send)
    return (time.thread_time() - began) / requests * 1e6


async def compare(bare, full):
    """Print the row of the table."""
    for app in (bare, full):
        await microseconds(app, WARM)
    rounds = [
        (await microseconds(bare, REQUESTS), await microseconds(full, REQUESTS))
        for _ in range(ROUNDS)
    ]
    below, above = (statistics.median(column) for column in zip(*rounds, strict=True))
    print("| bare route | with all middleware | middleware |")
    print("| ---: | ---: | ---: |")
    print(f"| {below:.0f} µs | {above:.0f} µs | {above - below:.0f} µs |")


def main():
    """Build both applications, and compare them."""
    sys.path.insert(0, os.path.abspath(sys.argv[1]))
    os.environ.update(
        ENVIRONMENT="development",
        SECRET_KEY="a secret of the benchmark, which guards nothing",
        DATABASE_URL="sqlite+aiosqlite:///:memory:",
    )
    from app.main import create_app
    from fastapi import FastAPI

    bare, full = FastAPI(), create_app()
    for app in (bare, full):
        app.get("/bench")(answer)
        app.router.routes.insert(0, app.router.routes.pop())
    asyncio.run(compare(bare, full))


if __name__ == "__main__":
    main()
