"""From the stream to `positions`: nothing lost, nothing twice, nothing held back."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.db import connection
from redis import Redis

from apps.common import stream
from apps.common.position import Position
from apps.telemetry import services
from apps.telemetry.pipeline import Batch, windows_of
from apps.telemetry.services import Pace, Processor

ROOT = Path(__file__).resolve().parents[3]
STREAM = "telemetry:t"
PACE = Pace(batch=500, block_ms=1, claim_after_ms=200, max_deliveries=3)
T0 = 1_780_819_200_000
pytestmark = pytest.mark.django_db(transaction=True)


def position(n: int, device: str = "356093000000001", **changes: Any) -> Position:
    fields: dict[str, Any] = {"latitude": 41.0 + n * 1e-5, "longitude": 20.0, "speed": 50.0, "satellites": 9}
    return Position(device, T0 + n * 1000, **(fields | changes))


def processor(redis: Redis, consumer: str = "one") -> Processor:
    return Processor(redis, [STREAM], consumer, PACE)


def stored() -> list[tuple[str, int]]:
    with connection.cursor() as cursor:
        cursor.execute("select device_id, (extract(epoch from ts) * 1000)::bigint from positions order by 1, 2")
        return [(row[0], row[1]) for row in cursor.fetchall()]


def nothing_pending(redis: Redis) -> bool:
    return stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "look").lag() == 0


def announced(redis: Redis) -> list[Any]:
    requests = stream.entries(redis, stream.REQUESTS_STREAM)
    return [window for request in requests for window in msgspec.json.decode(request.fields[b"windows"])]


def only_letter(redis: Redis) -> dict[bytes, bytes]:
    [letter] = stream.entries(redis, stream.dead_letters(STREAM))
    return letter.fields


def test_positions_arrive_once_are_announced_and_acknowledged(redis: Redis) -> None:
    stream.send(redis, STREAM, [position(n) for n in (0, 2, 1, 2)])
    processor(redis).run_until_idle()
    assert stored() == [("356093000000001", T0 + n * 1000) for n in range(3)]
    assert announced(redis) == [["356093000000001", T0, T0 + 2000]]
    assert nothing_pending(redis)


def test_every_column_is_kept(redis: Redis) -> None:
    bag = {"16": {"__bigint": "18446744073709551615"}, "x": {"__buffer_b64": "AQID"}, "239": 1}
    stream.send(redis, STREAM, [position(0, altitude=812.5, angle=90.0, priority=2, codec="16", attributes=bag)])
    processor(redis).run_until_idle()
    with connection.cursor() as cursor:
        cursor.execute("select altitude, angle, speed, satellites, priority, codec, attributes, faulty from positions")
        row = cursor.fetchone()
    assert row[:6] == (812.5, 90.0, 50.0, 9, 2, "16")
    assert msgspec.json.decode(row[6]) == {"16": "18446744073709551615", "x": "AQID", "239": 1}
    assert row[7] is False


def test_garbage_is_put_aside_with_its_origin_and_holds_back_nothing(redis: Redis) -> None:
    bad = redis.xadd(STREAM, {"payload": "{", "device_id": "x", "extra": "kept"})
    stream.send(redis, STREAM, [position(0)])
    processor(redis).run_until_idle()
    assert len(stored()) == 1
    letter = only_letter(redis)
    assert letter[b"payload"] == b"{" and letter[b"extra"] == b"kept"
    assert letter[b"origin_id"] == bad and letter[b"error"].startswith(b"payload") and letter[b"failed_at"]
    assert nothing_pending(redis)


def test_a_row_postgresql_refuses_is_put_aside_and_the_rest_of_its_batch_stored(redis: Redis) -> None:
    poison = position(5, altitude=1e-50)  # a float, but none that a column of type real takes
    stream.send(redis, STREAM, [*(position(n) for n in range(5)), poison, *(position(n) for n in range(6, 9))])
    processor(redis).run_until_idle()
    assert len(stored()) == 8
    letter = only_letter(redis)
    assert b"PostgreSQL refuses it" in letter[b"error"]


def test_what_a_dead_consumer_took_is_taken_over(redis: Redis) -> None:
    dead = stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "dead")
    dead.ensure()
    stream.send(redis, STREAM, [position(n) for n in range(3)])
    assert len(dead.read(10, 1)) == 3
    time.sleep(PACE.claim_after_ms / 1000 + 0.05)
    processor(redis, "alive").run_until_idle()
    assert len(stored()) == 3 and nothing_pending(redis)


def test_a_crash_between_commit_and_announcement_announces_later(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule of design §1: announcements are at least once, or a crossing would never be looked for."""
    stream.send(redis, STREAM, [position(0)])
    with monkeypatch.context() as broken:
        broken.setattr(stream, "announce", crash)
        with pytest.raises(ConnectionError):
            processor(redis, "dies").run_until_idle()
    assert len(stored()) == 1 and announced(redis) == []
    time.sleep(PACE.claim_after_ms / 1000 + 0.05)
    processor(redis, "alive").run_until_idle()
    assert announced(redis) == [["356093000000001", T0, T0]] and len(stored()) == 1


def crash(*_: Any) -> None:
    raise ConnectionError("Redis went away")


def test_a_record_tried_too_often_is_put_aside(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    stream.send(redis, STREAM, [position(0)])
    with monkeypatch.context() as broken:
        broken.setattr(services, "process", boom)
        for _ in range(PACE.max_deliveries):
            with pytest.raises(RuntimeError):
                processor(redis).run_until_idle()
            time.sleep(PACE.claim_after_ms / 1000 + 0.05)
    processor(redis).run_until_idle()
    letter = only_letter(redis)
    assert b"given up after 4 deliveries" in letter[b"error"]


def boom(batch: Batch) -> None:
    if batch.kept:
        raise RuntimeError("boom")


def test_near_positions_make_one_window_and_a_late_burst_its_own() -> None:
    found = windows_of([position(0), position(1), position(3600), position(0, device="2"), position(3601)])
    one = "356093000000001"
    assert found == [("2", T0, T0), (one, T0, T0 + 1000), (one, T0 + 3_600_000, T0 + 3_601_000)]


def child(redis_url: str, name: str) -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    environment = os.environ | {
        "DATABASE_URL": url,
        "REDIS_URL": redis_url,
        "INSTANCE_ID": name,
        "METRICS_PORT": "0",
        "CLAIM_THRESHOLD_MS": "300",
        "READ_BATCH_SIZE": "100",
    }
    return subprocess.Popen([sys.executable, "manage.py", "run_processor"], cwd=ROOT, env=environment)


def wait_for(condition: Callable[[], bool], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.mark.slow
def test_sigkill_a_lost_database_connection_and_sigterm_lose_and_double_nothing(redis: Redis, redis_url: str) -> None:
    """The real command, killed in the middle, its successor cut off from PostgreSQL, then asked to stop."""
    total = 20_000
    for start in range(0, total, 2000):
        stream.send(redis, STREAM, [position(n, device=f"35609300000{n % 20:04d}") for n in range(start, start + 2000)])
    first = child(redis_url, "first")
    wait_for(lambda: count() > 1000)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert count() < total, "it was killed too late to prove anything"
    second = child(redis_url, "second")
    before = count()
    wait_for(lambda: count() > before + 500)
    with connection.cursor() as cursor:
        cursor.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where pid <> pg_backend_pid() and datname = current_database()"
        )
    wait_for(lambda: nothing_pending(redis))
    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0
    assert stored() == sorted((f"35609300000{n % 20:04d}", T0 + n * 1000) for n in range(total))
    consumers = redis.xinfo_consumers(STREAM, stream.PROCESSOR_GROUP)
    assert b"second" not in [consumer["name"] for consumer in consumers]


def count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from positions")
        return int(cursor.fetchone()[0])
