"""The real command under fire: killed, cut off from PostgreSQL, asked to stop; nothing is lost or doubled."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psycopg
import pytest
from django.db import connection
from redis import Redis

from apps.common import stream
from apps.common.embedded.server import free_port
from apps.common.position import Position

ROOT = Path(__file__).resolve().parents[3]
STREAM = "telemetry:t"
T0 = 1_780_819_200_000
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Start = Callable[..., "subprocess.Popen[bytes]"]


def database(name: str) -> str:
    d = connection.settings_dict
    return f"postgres://{d['USER']}:{d['PASSWORD']}@{d['HOST']}:{d['PORT']}/{name}"


@pytest.fixture
def start(redis_url: str) -> Iterator[Start]:
    """Starts a processor by name, with settings of the environment; whatever still runs at the end is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(name: str, *words: str, **settings: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "DATABASE_URL": database(str(connection.settings_dict["NAME"])),
            "REDIS_URL": redis_url,
            "INSTANCE_ID": name,
            "METRICS_PORT": "0",
            "CLAIM_THRESHOLD_MS": "300",
            "MAX_DELIVERIES": "20",
            "READ_BLOCK_MS": "100",
            **settings,
        }
        started.append(
            subprocess.Popen([sys.executable, "manage.py", "run_processor", *words], cwd=ROOT, env=environment)
        )
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def position(n: int) -> Position:
    return Position(f"35609300000{n % 20:04d}", T0 + n * 1000, 41.0, 20.0, speed=50.0, satellites=9)


def send(redis: Redis, total: int, first: int = 0, setting: str = STREAM) -> None:
    for begin in range(first, first + total, 2000):
        end = min(begin + 2000, first + total)
        stream.send(redis, setting, [position(n) for n in range(begin, end)])


def expected(total: int) -> list[tuple[str, int]]:
    return sorted((p.device_id, p.ts) for p in map(position, range(total)))


def sql(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def stored() -> list[tuple[str, int]]:
    return sorted(sql("select device_id, (extract(epoch from ts) * 1000)::bigint from positions"))


def count() -> int:
    return int(sql("select count(*) from positions")[0][0])


def disconnect_others() -> None:
    sql(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where pid <> pg_backend_pid() and datname = current_database()"
    )


def owed(redis: Redis, name: str = STREAM) -> int:
    return stream.Group(redis, name, stream.PROCESSOR_GROUP, "look").lag()


def consumers(redis: Redis, name: str = STREAM) -> set[bytes]:
    stream.Group(redis, name, stream.PROCESSOR_GROUP, "look").ensure()
    found: Any = redis.xinfo_consumers(name, stream.PROCESSOR_GROUP)
    return {consumer["name"] for consumer in found}


def written(port: int) -> int:
    """The positions that the processor with this metrics port was the first to write."""
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    counts = [
        line.split()[1] for line in lines if line.startswith('processor_position_writes_total{status="inserted"}')
    ]
    return sum(int(float(count)) for count in counts)


def dead_letters(redis: Redis) -> list[stream.Message]:
    return stream.entries(redis, stream.dead_letters(STREAM))


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.01)


def asked_to_stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(20)


def test_sigkill_a_lost_database_connection_and_sigterm(redis: Redis, start: Start) -> None:
    """Killed in the middle, its successor cut off from PostgreSQL, then asked to stop: each position once."""
    total = 20_000
    send(redis, total)
    first = start("first", READ_BATCH_SIZE="100")
    wait_for(lambda: count() > 1000)
    first.kill()
    first.wait()
    before = count()
    assert before < total, "it was killed too late to prove anything"
    second = start("second", READ_BATCH_SIZE="100")
    wait_for(lambda: count() > before + 500)
    disconnect_others()
    assert count() < total, "it was cut off too late to prove anything"
    wait_for(lambda: owed(redis) == 0)
    assert asked_to_stop(second) == 0
    assert stored() == expected(total)
    assert dead_letters(redis) == []
    consumers: Any = redis.xinfo_consumers(STREAM, stream.PROCESSOR_GROUP)
    assert b"second" not in [consumer["name"] for consumer in consumers]


def test_a_long_outage_of_postgresql_puts_no_good_record_aside(redis: Redis, start: Start) -> None:
    """Deliveries that failed because the server was away once counted like those of a poison record."""
    start("patient", MAX_DELIVERIES="2", CLAIM_THRESHOLD_MS="60000", READ_BATCH_SIZE="50")
    send(redis, 500)
    wait_for(lambda: count() == 500)
    name = str(connection.settings_dict["NAME"])
    with psycopg.connect(database("postgres"), autocommit=True) as gate:
        gate.execute(f'alter database "{name}" allow_connections false')
        try:
            disconnect_others()
            send(redis, 500, first=500)
            time.sleep(2)
        finally:
            gate.execute(f'alter database "{name}" allow_connections true')
    wait_for(lambda: owed(redis) == 0)
    assert stored() == expected(1000)
    assert dead_letters(redis) == []


def test_sigterm_in_the_middle_finishes_what_was_read_and_leaves_nothing_pending(redis: Redis, start: Start) -> None:
    send(redis, 20_000)
    process = start("polite", READ_BATCH_SIZE="100")
    wait_for(lambda: count() > 1000)
    assert asked_to_stop(process) == 0
    pending: Any = redis.xpending(STREAM, stream.PROCESSOR_GROUP)
    assert pending["pending"] == 0
    assert 1000 < count() < 20_000 and count() == 20_000 - owed(redis)


def test_two_processors_share_one_stream_within_a_fifth(redis: Redis, start: Start) -> None:
    """One that reads far ahead would take the work out of the other's hands, and hold it."""
    total, ports = 60_000, {"left": free_port(), "right": free_port()}
    for name, port in ports.items():
        start(name, METRICS_PORT=str(port))
    wait_for(lambda: consumers(redis) >= {b"left", b"right"})
    send(redis, total)
    wait_for(lambda: owed(redis) == 0)
    shares = [written(port) for port in ports.values()]
    assert sum(shares) == count() == total
    assert all(0.4 <= share / total <= 0.6 for share in shares), shares


def test_each_processor_takes_its_share_of_the_streams(redis: Redis, start: Start) -> None:
    """With devices sharded by the producer, each device is written by one process alone."""
    names, total = ["telemetry:a", "telemetry:b"], 8000
    ports = {name: free_port() for name in names}
    send(redis, total, setting=",".join(names))
    for name, port in ports.items():
        start(f"of {name}", "--streams", name, METRICS_PORT=str(port))
    wait_for(lambda: all(consumers(redis, name) and owed(redis, name) == 0 for name in names))
    expected_shares = {name: int(redis.xlen(name)) for name in names}
    assert min(expected_shares.values()) > total / 4 and sum(expected_shares.values()) == total
    assert {name: written(port) for name, port in ports.items()} == expected_shares
    assert stored() == expected(total)
    for name in names:
        devices = {entry.fields[b"device_id"].decode() for entry in stream.entries(redis, name)}
        assert {stream.shard(device, names) for device in devices} == {name}
        assert consumers(redis, name) == {f"of {name}".encode()}
