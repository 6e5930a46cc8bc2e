"""A uvicorn of its own for a measurement, as `benches/webhooks.py` and `benches/workers.py` need it."""

import socket
import subprocess
import sys
import time
from contextlib import contextmanager


def free_port():
    """Find a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextmanager
def serving(backend, environment, *options):
    """Serve a backend, give its address once it answers, and stop it."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app"]
    command += ["--port", str(port), "--log-level", "warning", *options]
    server = subprocess.Popen(command, cwd=backend, env=environment)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            assert server.poll() is None, "the server ended"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
