"""From the stream to `positions`: nothing lost, nothing twice, nothing held back."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from django.db import connection
from prometheus_client import REGISTRY
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.common import stream
from apps.common.position import Position, encode
from apps.telemetry import services
from apps.telemetry.pipeline import Batch, windows_of
from apps.telemetry.services import Pace, Processor

STREAM = "telemetry:t"
PACE = Pace(batch=500, block_ms=1, claim_after_ms=200, max_deliveries=3)
T0 = 1_780_819_200_000
pytestmark = pytest.mark.django_db(transaction=True)


def position(n: int, device: str = "356093000000001", **changes: Any) -> Position:
    fields: dict[str, Any] = {"latitude": 41.0 + n * 1e-5, "longitude": 20.0, "speed": 50.0, "satellites": 9}
    return Position(device, T0 + n * 1000, **(fields | changes))


def processor(redis: Redis, consumer: str = "one", pace: Pace = PACE) -> Processor:
    return Processor(redis, [STREAM], consumer, pace)


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
    assert b"cannot be stored" in letter[b"error"]


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
        with pytest.raises(RedisConnectionError):
            processor(redis, "dies").run_until_idle()
    assert len(stored()) == 1 and announced(redis) == []
    time.sleep(PACE.claim_after_ms / 1000 + 0.05)
    processor(redis, "alive").run_until_idle()
    assert announced(redis) == [["356093000000001", T0, T0]] and len(stored()) == 1


def crash(*_: Any) -> None:
    raise RedisConnectionError("Redis went away")


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


def boom(batch: Batch, *_: Any) -> None:
    if batch.kept:
        raise RuntimeError("boom")


def test_near_positions_make_one_window_and_a_late_burst_its_own() -> None:
    found = windows_of([position(0), position(1), position(3600), position(0, device="2"), position(3601)])
    one = "356093000000001"
    assert found == [("2", T0, T0), (one, T0, T0 + 1000), (one, T0 + 3_600_000, T0 + 3_601_000)]


def test_an_entry_trimmed_before_it_was_written_is_told(redis: Redis) -> None:
    dead = stream.Group(redis, STREAM, stream.PROCESSOR_GROUP, "dead")
    dead.ensure()
    stream.send(redis, STREAM, [position(0)])
    [message] = dead.read(10, 1)
    redis.xtrim(STREAM, maxlen=0, approximate=False)
    time.sleep(PACE.claim_after_ms / 1000 + 0.05)
    processor(redis, "alive").run_until_idle()
    letter = only_letter(redis)
    assert letter[b"origin_id"] == message.id and b"trimmed" in letter[b"error"]
    assert nothing_pending(redis)


def test_every_stream_of_the_share_is_read(redis: Redis) -> None:
    stream.send(redis, "a:t", [position(0)])
    stream.send(redis, "b:t", [position(1)])
    Processor(redis, ["a:t", "b:t"], "one", PACE).run_until_idle()
    assert len(stored()) == 2


def written(status: str) -> float:
    return REGISTRY.get_sample_value("processor_position_writes_total", {"status": status}) or 0.0


def test_inserted_and_duplicate_rows_are_counted_exactly(redis: Redis) -> None:
    """A duplicate within the batch, and one against what is stored."""
    stream.send(redis, STREAM, [position(0)])
    processor(redis).run_until_idle()
    before = written("inserted"), written("duplicate")
    stream.send(redis, STREAM, [position(n) for n in (0, 1, 1, 2)])
    processor(redis).run_until_idle()
    assert (written("inserted") - before[0], written("duplicate") - before[1]) == (2, 2)


def test_what_is_stored_first_stays(redis: Redis) -> None:
    """Evidence is never overwritten, not even by its own device."""
    stream.send(redis, STREAM, [position(0, altitude=100.0)])
    stream.send(redis, STREAM, [position(0, altitude=999.0)])
    processor(redis).run_until_idle()
    with connection.cursor() as cursor:
        cursor.execute("select altitude from positions")
        assert cursor.fetchall() == [(100.0,)]


@pytest.fixture
def ahead(redis: Redis) -> Iterator[Processor]:
    """A processor that reads ahead in a thread of its own."""
    made = processor(redis, "ahead", replace(PACE, batch=10, block_ms=50, ahead=2))
    yield made
    made.finish()


def until(worker: Processor, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        worker.step()
        assert time.monotonic() < deadline, "waited too long"


def test_reading_ahead_stores_the_same(redis: Redis, ahead: Processor) -> None:
    stream.send(redis, STREAM, [position(n) for n in range(100)])
    ahead.prepare()
    until(ahead, lambda: len(stored()) == 100)
    until(ahead, lambda: nothing_pending(redis))


def test_reading_ahead_stops_when_writing_stops(redis: Redis, ahead: Processor) -> None:
    """Bounded memory: two batches wait, one is in the reader's hands, and no more is read."""
    stream.send(redis, STREAM, [position(n) for n in range(100)])
    ahead.prepare()
    time.sleep(0.3)
    pending: Any = redis.xpending(STREAM, stream.PROCESSOR_GROUP)
    assert pending["pending"] == 30


def test_reading_ahead_begins_anew_with_what_was_dropped(redis: Redis, ahead: Processor) -> None:
    """After a lost connection the batches in the queue are not written: they are read again."""
    stream.send(redis, STREAM, [position(n) for n in range(100)])
    ahead.prepare()
    time.sleep(0.2)
    ahead.prepare()
    until(ahead, lambda: nothing_pending(redis))
    assert len(stored()) == 100


def test_a_reader_cut_off_from_redis_says_so_after_what_it_has_read(
    redis: Redis, ahead: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream.send(redis, STREAM, [position(n) for n in range(5)])
    ahead.prepare()
    until(ahead, lambda: len(stored()) == 5)
    monkeypatch.setattr(stream.Group, "read", lambda *_: crash())
    with pytest.raises(RedisConnectionError):
        until(ahead, lambda: False)


def test_finishing_writes_what_was_read_ahead(redis: Redis, ahead: Processor) -> None:
    stream.send(redis, STREAM, [position(n) for n in range(100)])
    ahead.prepare()
    time.sleep(0.2)
    ahead.finish()
    assert len(stored()) >= 30 and redis.xpending(STREAM, stream.PROCESSOR_GROUP)["pending"] == 0


def test_deep_nesting_ends_no_processor(redis: Redis, ahead: Processor) -> None:
    """Some depths can be read and not be written: each record is stored or put aside, and the next ones too."""
    depths = range(940, 1000)
    entry: dict[Any, Any] = {**encode(position(0, attributes={"x": "@"}))}
    for n, depth in enumerate(depths, start=1):
        deep = entry["payload"].replace('"@"', "[" * depth + "]" * depth)
        redis.xadd(STREAM, {**entry, "payload": deep.replace("08:00:00.000", f"09:{n % 60:02d}:00.000")})
    stream.send(redis, STREAM, [position(0)])
    ahead.prepare()
    until(ahead, lambda: nothing_pending(redis))
    letters = stream.entries(redis, stream.dead_letters(STREAM))
    assert letters and len(stored()) + len(letters) == len(depths) + 1
