"""The PostgreSQL and Redis of the suite: given by URL, else in Docker, else TRM's own. A pytest plugin.

The addresses are decided when this module is imported, before Django reads its settings; what has to be
started starts when the first test needs it, or before xdist's workers.

Django keeps to a database of its own (test_...). In Redis each xdist worker empties one numbered database, 15
for the first and downwards, and no other. Publish and subscribe know no numbers: use your own topics there.
"""

import atexit
import os
import shutil
import socket
import tempfile
import warnings
from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import pytest

from apps.common.embedded import Postgres, Valkey
from apps.common.embedded.server import Reserved, Server

DOCKER_SOCKET = Path("/var/run/docker.sock")
CONTAINERS = {
    # Image, port, its word when ready, how often it says so: PostgreSQL's image starts the server twice.
    "DATABASE_URL": ("timescale/timescaledb-ha:pg17", 5432, "ready to accept connections", 2),
    "REDIS_URL": ("valkey/valkey:8-alpine", 6379, "Ready to accept connections", 1),
}


class Source(ABC):
    """One server of the test run; `url` is right from the beginning, `start` may be called many times."""

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def start(self) -> None: ...


class Given(Source):
    """A server that runs already; whoever gave its URL looks after it."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def start(self) -> None:
        return


class Own(Source):
    """An embedded server in a directory that lives as long as the run."""

    def __init__(self, server: type[Server]) -> None:
        self._server = server(run_directory(), fast=True, reserved=Reserved.new())

    @property
    def url(self) -> str:
        return self._server.url()

    def start(self) -> None:
        if self._server.process is None:
            self._server.start()
            atexit.register(self._server.stop)


class Container(Own):
    """A Docker container at the same address; where Docker cannot run the image, the embedded server."""

    def __init__(self, server: type[Server]) -> None:
        super().__init__(server)
        self._container: Any = None

    def start(self) -> None:
        from docker.errors import DockerException

        if self._container is not None:
            return
        try:
            self._container = self._described().start()
            atexit.register(self._container.stop)
        except DockerException as error:
            warnings.warn(f"Docker answers but runs no {self._server.name}: {error}", stacklevel=1)
            super().start()

    def _described(self) -> Any:
        from testcontainers.core.container import DockerContainer
        from testcontainers.core.wait_strategies import LogMessageWaitStrategy

        image, port, ready, times = CONTAINERS[self._server.variable]
        container = DockerContainer(image)
        ports: dict[Any, Any] = container.ports  # Docker takes an address with the port, `with_bind_ports` does not
        ports[port] = ("127.0.0.1", self._server.port)
        password = self._server.password
        if self._server.variable == "DATABASE_URL":
            container.with_env("POSTGRES_USER", "trm").with_env("POSTGRES_PASSWORD", password)
        else:
            container.with_command(f"valkey-server --requirepass {password}")
        return container.waiting_for(LogMessageWaitStrategy(ready, times=times))


@cache
def run_directory() -> Path:
    """A directory of this run alone, so that runs side by side do not meet; removed at the end."""
    path = Path(tempfile.gettempdir()) / f"trm-tests-{os.getpid()}-{token_hex(4)}"
    # Registered before any server is started, so that it runs after all of them have stopped.
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@cache
def docker_answers() -> bool:
    """Whether a Docker engine accepts a connection; asked without its client, which waits long for none."""
    address = urlsplit(os.environ.get("DOCKER_HOST", f"unix://{DOCKER_SOCKET}"))
    try:
        if address.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as probe:
                probe.settimeout(1)
                probe.connect(address.path)
        else:
            socket.create_connection((address.hostname or "", address.port or 2375), timeout=1).close()
    except OSError:
        return False
    return True


def choose(server: type[Server]) -> Source:
    """The source for one server: TEST_<variable>, <variable>, Docker, embedded."""
    given = os.environ.get(f"TEST_{server.variable}") or os.environ.get(server.variable)
    if given:
        return Given(given)
    return Container(server) if docker_answers() else Own(server)


def own_redis_database(url: str) -> str:
    """`url` with the numbered database that belongs to this xdist worker."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    if worker > 14:
        raise pytest.UsageError("at most 15 workers: Redis has 16 numbered databases, and 0 is not for tests")
    return urlsplit(url)._replace(path=f"/{15 - worker}").geturl()


SOURCES: dict[str, Source] = {server.variable: choose(server) for server in (Postgres, Valkey)}
os.environ["DATABASE_URL"] = SOURCES["DATABASE_URL"].url
os.environ["REDIS_URL"] = own_redis_database(SOURCES["REDIS_URL"].url)


def start() -> None:
    """Start what has to be started. Raises EmbeddedServerError, or Docker's errors."""
    for source in SOURCES.values():
        source.start()


def pytest_configure(config: pytest.Config) -> None:
    # The workers of xdist inherit the addresses; the servers must outlive each of them.
    if getattr(config.option, "numprocesses", None):
        start()


# Tests ask faster than anybody may; the throttle has tests of its own.
os.environ.update({f"API_RATE_{kind}": "0" for kind in ("OFFICIAL", "MEMBER", "ANYONE")})
