"""The web process as in production: uvicorn in a process of its own, on the test database."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[3]
WEB = (
    "-m", "uvicorn", "trm.asgi:application", "--lifespan", "off", "--log-level", "warning",
    "--ws", "apps.live.wire_protocol:Wired", "--ws-max-size", "65536",
)  # fmt: skip
LIVE = ("manage.py", "run_live", "--drain", "0.5")
START_LIMIT_S = 40


@dataclass(slots=True)
class WebServer:
    """One uvicorn on a port that stays its own over restarts."""

    port: int
    command: tuple[str, ...] = WEB
    metrics_port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def socket_url(self) -> str:
        return f"ws://{self.host}/ws-live"

    def start(self) -> None:
        """Return when it answers. Raises RuntimeError when it does not within 40 s."""
        # The same key as here, so that sessions made by a test are valid there.
        environment = {**os.environ, "DATABASE_URL": database_url(), "SECRET_KEY": settings.SECRET_KEY}
        environment |= {"LIVE_DEVICE_EVENT_REFRESH_MS": "500", "METRICS_PORT": str(self.metrics_port)}
        self.process = subprocess.Popen(
            [sys.executable, *self.command, "--port", str(self.port)], cwd=ROOT, env=environment
        )
        self._wait()

    def kill(self) -> None:
        """As if the power went."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def terminate(self) -> int:
        """As an operator does; the exit code."""
        assert self.process
        self.process.terminate()
        code = self.process.wait(30)
        self.process = None
        return code

    def _wait(self) -> None:
        end = time.monotonic() + START_LIMIT_S
        # The address may be shared with another process, the probes' port is not.
        url = f"http://127.0.0.1:{self.metrics_port}/readyz" if self.metrics_port else f"{self.url}/live/"
        while time.monotonic() < end and self.process and self.process.poll() is None:
            try:
                urllib.request.urlopen(url, timeout=5).close()
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
            else:
                return
        self.kill()
        raise RuntimeError(f"uvicorn did not answer on {self.url}")


@contextmanager
def running(command: tuple[str, ...] = WEB) -> Iterator[WebServer]:
    server = WebServer(free_port(), command)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def database_url() -> str:
    """The database Django's connection uses now, the test database, as a URL."""
    given = connection.settings_dict
    user, password = quote(given["USER"] or "", safe=""), quote(given["PASSWORD"] or "", safe="")
    host, port = given["HOST"] or "", given["PORT"] or ""
    address = f"{quote(host, safe='')}:{port}" if port else quote(host, safe="")
    return f"postgres://{user}:{password}@{address}/{given['NAME']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
