"""Writing: by COPY what is new, by the other statement what may be there; the counts are exact whichever way."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from django.db import connection
from prometheus_client import REGISTRY
from redis import Redis

from apps.common import stream
from apps.common.position import Position
from apps.telemetry import pipeline
from apps.telemetry.pipeline import Batch
from apps.telemetry.queries import write_positions
from apps.telemetry.services import Pace, Processor
from apps.telemetry.source import merged

STREAM = "telemetry:t"
DEVICE = "356093000000001"
PACE = Pace(batch=500, block_ms=1, claim_after_ms=60_000, max_deliveries=3)
T0 = 1_780_819_200_000
pytestmark = pytest.mark.django_db(transaction=True)


def position(n: int, device: str = DEVICE, **changes: Any) -> Position:
    return Position(device, T0 + n * 1000, 41.0, 20.0, **changes)


@pytest.fixture
def processor(redis: Redis) -> Processor:
    return Processor(redis, [STREAM], "one", PACE)


def work_off(redis: Redis, processor: Processor, *positions: Position) -> None:
    stream.send(redis, STREAM, positions)
    processor.run_until_idle()


def sql(statement: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def count() -> int:
    return int(sql("select count(*) from positions")[0][0])


def letters(redis: Redis) -> list[stream.Fields]:
    return [letter.fields for letter in stream.entries(redis, stream.dead_letters(STREAM))]


class Written:
    """How many rows were counted in each way since this was made."""

    def __init__(self) -> None:
        self._before = self._now()

    def __call__(self) -> tuple[float, ...]:
        return tuple(now - before for now, before in zip(self._now(), self._before, strict=True))

    def _now(self) -> list[float]:
        name = "processor_position_writes_total"
        ways = ("inserted", "duplicate", "failed")
        return [REGISTRY.get_sample_value(name, {"status": way}) or 0.0 for way in ways]


def test_rows_another_process_has_written_meanwhile_are_found_and_counted(redis: Redis, processor: Processor) -> None:
    """The state says they are new, the table knows better: none is lost, doubled or counted wrongly."""
    work_off(redis, processor, position(0))
    write_positions([position(2)])
    written = Written()
    work_off(redis, processor, position(1), position(2), position(3))
    assert written() == (2, 1, 0) and count() == 4


def test_new_rows_go_by_copy_and_the_others_not(
    redis: Redis, processor: Processor, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[Position] = []

    def noted(positions: Sequence[Position], texts: Sequence[str | None]) -> int:
        copied.extend(positions)
        return write_positions(positions, texts)

    monkeypatch.setattr(pipeline, "copy_positions", noted)
    write_positions([position(5)])
    work_off(redis, processor, position(4), position(5), position(6), position(6), position(8), position(7))
    assert [p.ts - T0 for p in copied] == [6000, 8000]
    assert count() == 5


@pytest.mark.parametrize("written_before", [False, True])
def test_a_row_no_index_can_hold_is_put_aside_and_the_rest_stored(
    redis: Redis, processor: Processor, written_before: bool
) -> None:
    """Both ways of writing refuse it; the counts stay exact although its batch is halved."""
    if written_before:  # then all go the way of what may be there
        write_positions([position(9), position(9, "a")])
    poison = position(5, "".join(chr(0x4E00 + n * 7919 % 20_000) for n in range(3000)))
    written = Written()
    work_off(redis, processor, *(position(n) for n in range(5)), poison, *(position(n, "a") for n in range(3)))
    assert written() == (8, 0, 1)
    [letter] = letters(redis)
    assert b"cannot be stored" in letter[b"error"]


class Doubling:
    """A decoder as POSITION_DECODER may name one."""

    def __call__(self, positions: Sequence[Position]) -> list[str | None]:
        return [f'{{"mv": {p.attributes["66"] * 2}}}' if "66" in p.attributes else None for p in positions]


class Broken:
    def __call__(self, positions: Sequence[Position]) -> list[str | None]:
        raise LookupError("a fault of ours")


class Mumbling:
    """Gives what is no JSON for the odd ones."""

    def __call__(self, positions: Sequence[Position]) -> list[str | None]:
        return ["{" if p.ts // 1000 % 2 else "{}" for p in positions]


def decoded_by(redis: Redis, settings: Any, decoder: type | None) -> Processor:
    settings.POSITION_DECODER = f"{decoder.__module__}.{decoder.__qualname__}" if decoder else ""
    return Processor(redis, [STREAM], "one", PACE)


def test_decoded_attributes_are_stored_both_ways(redis: Redis, settings: Any) -> None:
    write_positions([position(9, "late")])
    bag = {"66": 6000}
    work_off(
        redis, decoded_by(redis, settings, Doubling),
        position(0, attributes=bag), position(1), position(0, "late", attributes=bag),
    )  # fmt: skip
    rows = sql(
        "select device_id, decoded_attributes from positions where device_id <> 'late' or ts < now() order by 1, ts"
    )
    found = [(device, text and msgspec.json.decode(text)) for device, text in rows]
    assert found[:2] == [(DEVICE, {"mv": 12_000}), (DEVICE, None)]
    assert ("late", {"mv": 12_000}) in found


def test_without_a_decoder_nothing_is_decoded(redis: Redis, settings: Any) -> None:
    work_off(redis, decoded_by(redis, settings, None), position(0, attributes={"66": 1}))
    assert sql("select decoded_attributes from positions") == [(None,)]


def test_a_fault_of_the_decoder_is_loud_and_loses_nothing(redis: Redis, settings: Any) -> None:
    with pytest.raises(LookupError):
        work_off(redis, decoded_by(redis, settings, Broken), position(0))
    pending: Any = redis.xpending(STREAM, stream.PROCESSOR_GROUP)
    assert pending["pending"] == 1 and letters(redis) == []


def test_a_decoded_text_that_is_no_json_holds_back_its_own_row_only(redis: Redis, settings: Any) -> None:
    work_off(redis, decoded_by(redis, settings, Mumbling), *(position(n) for n in range(4)))
    assert count() == len(letters(redis)) == 2


def test_batches_that_wait_are_written_together_up_to_a_limit(redis: Redis) -> None:
    one = stream.Group(redis, "a", stream.PROCESSOR_GROUP, "one")
    two = stream.Group(redis, "b", stream.PROCESSOR_GROUP, "one")
    message = stream.Message(b"1-0", {})
    batches = [Batch(group, [message], [(message, position(n))]) for n, group in enumerate((one, two, one))]
    assert [(batch.group, [p for _, p in batch.kept]) for batch in merged(batches)] == [
        (one, [position(0), position(2)]),
        (two, [position(1)]),
    ]


def test_texts_and_positions_stay_together_whatever_the_order(redis: Redis) -> None:
    """Rows are sorted on their way; a text must not land on its neighbour."""
    write_positions([position(2), position(0), position(1)], ["2", "0", "1"])
    assert sql("select decoded_attributes from positions order by ts") == [("0",), ("1",), ("2",)]
