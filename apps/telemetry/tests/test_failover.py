"""Redis and PostgreSQL restarted in the middle of the work, and Redis handed over to a replica and back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
import redis

from apps.common import stream
from apps.common.embedded.server import Reserved, free_port
from apps.common.position import Position
from apps.telemetry.tests.chaos.site import ROOT, DurableValkey, Site, site

STREAM = "telemetry:t"
T0 = 1_780_819_200_000
COUNT = 4000
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place() -> Iterator[Site]:
    with site() as made:
        yield made


@pytest.fixture
def client(place: Site) -> Iterator[redis.Redis]:
    with psycopg.connect(place.postgres.url(), autocommit=True) as connection:
        connection.execute("truncate positions")
    with stream.connect(place.valkey.url()) as made:
        made.flushall()
        yield made


class Running:
    """One processor, its log and its port of health."""

    def __init__(self, place: Site) -> None:
        self.port = free_port()
        self.log = place.directory / "processor.log"
        settings = {"INSTANCE_ID": "survivor", "METRICS_PORT": str(self.port), "READ_BATCH_SIZE": "50"}
        settings |= {"READ_BLOCK_MS": "4000", "WRITE_BATCH_SIZE": "50", "REDIS_TELEMETRY_STREAM": STREAM}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_processor"],
                cwd=ROOT, env=os.environ | place.environment | settings, stdout=log, stderr=log,
            )  # fmt: skip

    def ready(self) -> int:
        """The status of /readyz; 0 while nobody answers."""
        try:
            with urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=15) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except OSError:
            return 0

    def until(self, condition: Callable[[], bool], seconds: float = 40) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert self.process.poll() is None, f"it ended by itself:\n{self.said()}"
            assert time.monotonic() < deadline, f"waited too long:\n{self.said()}"
            time.sleep(0.01)

    def said(self) -> str:
        return "\n".join(self.log.read_text().splitlines()[-30:])


@contextmanager
def processor(place: Site) -> Iterator[Running]:
    running = Running(place)
    try:
        running.until(lambda: running.ready() == 200)
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def send(client: redis.Redis, first: int, count: int = COUNT) -> None:
    numbers = range(first, first + count)
    stream.send(client, STREAM, [Position(f"{n % 20:015d}", T0 + n * 1000, 41.0, 20.0) for n in numbers])


def stored(place: Site) -> int:
    with psycopg.connect(place.postgres.url()) as connection:
        [(count,)] = connection.execute("select count(*) from positions").fetchall()
    return int(count)


def owed(client: redis.Redis) -> int:
    return stream.Group(client, STREAM, stream.PROCESSOR_GROUP, "look").lag()


def in_the_middle(place: Site, running: Running, before: int) -> None:
    running.until(lambda: stored(place) > before + 100)


def nothing_is_missing(place: Site, client: redis.Redis, running: Running, count: int) -> None:
    running.until(lambda: running.ready() == 200 and owed(client) == 0)
    assert stored(place) == count
    assert stream.entries(client, stream.dead_letters(STREAM)) == []


def test_redis_killed_in_the_middle(place: Site, client: redis.Redis) -> None:
    with processor(place) as running:
        send(client, 0)
        in_the_middle(place, running, 0)
        assert place.valkey.process
        place.valkey.process.kill()
        place.valkey.process.wait(30)
        assert stored(place) < COUNT, "it was stopped too late to prove anything"
        running.until(lambda: running.ready() == 503)
        place.valkey.start()
        send(client, COUNT)
        nothing_is_missing(place, client, running, 2 * COUNT)


def test_postgresql_crashing_in_the_middle(place: Site, client: redis.Redis) -> None:
    with processor(place) as running:
        send(client, 0)
        in_the_middle(place, running, 0)
        assert owed(client), "it is stopped too late to prove anything"
        assert place.postgres.process
        place.postgres.process.send_signal(signal.SIGQUIT)
        place.postgres.process.wait(30)
        running.until(lambda: running.ready() == 503)
        send(client, COUNT)
        place.postgres.start()
        nothing_is_missing(place, client, running, 2 * COUNT)


@contextmanager
def replica(place: Site) -> Iterator[redis.Redis]:
    """A second server in step with the first; each may follow the other."""
    home: Path = place.directory / "replica"
    other = DurableValkey(home, reserved=Reserved(free_port(), place.valkey.password))
    other.start()
    try:
        with stream.connect(other.url()) as client, stream.connect(place.valkey.url()) as first:
            for node in (client, first):
                node.config_set("masterauth", place.valkey.password)
            client.replicaof("127.0.0.1", place.valkey.port)
            yield client
    finally:
        other.stop()


def hand_over(source: redis.Redis, target: redis.Redis) -> None:
    """The one becomes the follower of the other, with nothing lost between them."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(redis.ResponseError):  # until the follower is in step
            source.execute_command("FAILOVER")
            break
        time.sleep(0.05)
    while target.role()[0] != b"master":
        assert time.monotonic() < deadline, "the replica did not take over"
        time.sleep(0.02)


def test_a_redis_that_becomes_a_replica_is_waited_for(place: Site, client: redis.Redis) -> None:
    """To a client a failover looks like a server that refuses to write, until its address leads to the new one."""
    with replica(place) as second, processor(place) as running:
        send(client, 0)
        in_the_middle(place, running, 0)
        hand_over(client, second)
        assert owed(second), "it was handed over too late to prove anything"
        send(second, COUNT)
        time.sleep(1)
        assert running.process.poll() is None, running.said()
        hand_over(second, client)
        nothing_is_missing(place, client, running, 2 * COUNT)


def demote(source: redis.Redis, target: redis.Redis) -> None:
    """As Sentinel does it: the follower is set up, then the old server is told to follow it, whoever waits there."""
    target.replicaof("NO", "ONE")
    source.replicaof("127.0.0.1", target.connection_pool.connection_kwargs["port"])


def test_a_reader_thrown_out_by_a_server_that_becomes_a_replica_comes_back(place: Site, client: redis.Redis) -> None:
    """Whoever is blocked there gets an error of a kind of its own, which once was taken for a fault of ours."""
    with replica(place) as second, processor(place) as running:
        send(client, 0, 10)
        running.until(lambda: stored(place) == 10 and owed(client) == 0)
        running.until(lambda: second.xlen(STREAM) == 10 and owed(second) == 0)
        demote(client, second)
        time.sleep(1)
        assert running.process.poll() is None, running.said()
        hand_over(second, client)
        send(client, 10, 10)
        nothing_is_missing(place, client, running, 20)
