"""Makes the table of logins in benches/README.md: how long a login lets others wait.

Usage: python benches/logins.py BACKEND

BACKEND is the folder `backend` of a project that was built from examples/acme.toml, and
Python is that of its environment.

One uvicorn with one process serves, with passwords as dear as in production. In its loop
a ticker sleeps for a millisecond again and again, and notes how much longer that took,
which is how long all else in the loop waits, and how much CPU time the thread of the loop
used meanwhile, which other work on the machine does not add to. Nobody asks for anything
first, and then five people sign in at once, again and again.
"""

import asyncio
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path

PEOPLE = 5
ROUNDS = 30
IDLE_SECONDS = 10
TICK = 0.001
EMAIL = "ada@example.com"
PASSWORD = "correct horse battery"


class Ticker:
    """Notes for how long the loop did something else, and how much of that was its own work."""

    def __init__(self):
        """Begin without a note."""
        self.stalls = []
        self.task = None

    async def run(self):
        """Sleep and wake, for good."""
        while True:
            start, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            stall, worked = time.perf_counter() - start - TICK, time.thread_time() - worked
            self.stalls.append((stall, worked))

    async def take(self) -> list[tuple[float, float]]:
        """Return what was noted since the last time."""
        self.task = self.task or asyncio.create_task(self.run())
        taken, self.stalls = self.stalls, []
        return taken


def serve(port):
    """Serve the application, and a route that tells of the ticker."""
    import uvicorn

    from app.main import create_app

    app = create_app()
    app.get("/bench/stalls")(Ticker().take)
    uvicorn.run(app, port=port, log_level="warning")


async def measure(url):
    """Return the stalls of an idle server and of a busy one, and the times of the logins."""
    import httpx2

    async with httpx2.AsyncClient(base_url=url, timeout=60) as http:

        async def stalls():
            return (await http.get("/bench/stalls")).json()

        async def login():
            start = time.perf_counter()
            answer = await http.post("/auth/login", json={"email": EMAIL, "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            return time.perf_counter() - start

        for _ in range(200):
            try:
                await stalls()
                break
            except httpx2.ConnectError:
                await asyncio.sleep(0.1)
        body = {"email": EMAIL, "password": PASSWORD}
        assert (await http.post("/auth/register", json=body)).status_code == 202
        await asyncio.gather(*(login() for _ in range(PEOPLE)))
        await stalls()
        await asyncio.sleep(IDLE_SECONDS)
        idle, times = await stalls(), []
        for _ in range(ROUNDS):
            times += await asyncio.gather(*(login() for _ in range(PEOPLE)))
        return idle, await stalls(), times


def row(name, stalls, login):
    """Write a row of the table."""
    stalls, works = (sorted(column) for column in zip(*stalls, strict=True))
    late = stalls[len(stalls) * 999 // 1000]
    figures = (f"{value * 1000:.1f} ms" for value in (late, stalls[-1], works[-1]))
    return f"| {name} | {' | '.join(figures)} | {login} |"


def main():
    """Serve in a process of its own, and print the table."""
    backend = os.path.abspath(sys.argv[1])
    sys.path.insert(0, backend)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(
            PYTHONPATH=backend,
            ENVIRONMENT="development",
            SECRET_KEY="a secret of the benchmark, which guards nothing",
            DATABASE_URL=f"sqlite+aiosqlite:///{folder}/bench.db",
            RATE_LIMITING="false",
            LOG_LEVEL="WARNING",
        )
        from tests.databases import migrate, sqlite_database

        migrate(sqlite_database(Path(folder) / "bench.db"))
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,))
        server.start()
        try:
            idle, busy, times = asyncio.run(measure(f"http://127.0.0.1:{port}"))
        finally:
            server.terminate()
            server.join()
    print("| the server | stall, p99.9 | longest stall | most work at once | a login, median |")
    print("| --- | --: | --: | --: | --: |")
    print(row("idle", idle, ""))
    print(row(f"{PEOPLE} logins at once", busy, f"{statistics.median(times) * 1000:.0f} ms"))


if __name__ == "__main__":
    main()
