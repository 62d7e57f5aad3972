"""The durable pipeline: each step one small class, in the order a batch passes them.

A batch is acknowledged only after its positions are committed and its windows announced. Whatever dies in
between leaves the records pending: they come again, are found to be duplicates, and are announced again.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import not_
from typing import Protocol

import psycopg
import structlog

from apps.common import stream
from apps.common.position import DecodeError, Position, decode
from apps.common.stream import Group, Message
from apps.telemetry import metrics
from apps.telemetry.device_state import DeviceStates
from apps.telemetry.queries import copy_positions, write_positions

log = structlog.get_logger(__name__)

# Errors of a row, not of the server, though PostgreSQL calls two of them operational. The last one is ours: JSON
# nested so deep that it could be read, but not be written from further down the stack.
REFUSED = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex,
    RecursionError,
)


TRIMMED = "the stream was trimmed over it before it was written"


@dataclass(slots=True)
class Batch:
    """Records on their way. A step that rejects a record takes it out of `kept`."""

    group: Group
    messages: Sequence[Message]
    kept: list[tuple[Message, Position]] = field(default_factory=list)


class Step(Protocol):
    def run(self, batch: Batch) -> None: ...


class Decode:
    """Bytes to positions. What is no position becomes a dead letter and holds back nothing."""

    def run(self, batch: Batch) -> None:
        for message in batch.messages:
            try:
                batch.kept.append((message, decode(message.fields)))
            except DecodeError as error:
                metrics.DECODE_ERRORS.inc()
                put_aside(batch.group, message, str(error) if message.fields else TRIMMED)


# Positions to the JSON texts of their decoded attributes, None without a mapping.
DecodeAttributes = Callable[[Sequence[Position]], Sequence[str | None]]
Row = tuple[Message, Position, str | None]
Store = Callable[[Iterable[Position], Iterable[str | None]], int]


class Write:
    """Positions into PostgreSQL: the surely new by COPY, the others by a statement that passes over what is there.

    Each is a transaction of its own: in one, two processes could wait for each other in a circle.
    """

    def __init__(self, states: DeviceStates, decode_attributes: DecodeAttributes) -> None:
        self._states = states
        self._decode_attributes = decode_attributes

    def run(self, batch: Batch) -> None:
        with metrics.WRITE_SECONDS.time():
            positions = [position for _, position in batch.kept]
            decoded = self._decode_attributes(positions)
            rows = [(*pair, text) for pair, text in zip(batch.kept, decoded, strict=True)]
            new = self._states.surely_new(positions)
            stored = store(batch.group, list(compress(rows, new)), copy_or_write)
            stored += store(batch.group, list(compress(rows, map(not_, new))), write_positions)
            self._states.saw(position for _, position, _ in stored)
            batch.kept = [(message, position) for message, position, _ in stored]


def store(group: Group, rows: Sequence[Row], write: Store) -> list[Row]:
    """Store these; halve what is refused until the one row that cannot be stored stands alone, and is put aside."""
    if not rows:
        return []
    try:
        inserted = write([position for _, position, _ in rows], [text for *_, text in rows])
    except REFUSED as error:
        if len(rows) > 1:
            middle = len(rows) // 2
            return store(group, rows[:middle], write) + store(group, rows[middle:], write)
        metrics.WRITES.labels("failed").inc()
        put_aside(group, rows[0][0], f"cannot be stored: {str(error).splitlines()[0]}")
        return []
    metrics.WRITES.labels("inserted").inc(inserted)
    metrics.WRITES.labels("duplicate").inc(len(rows) - inserted)
    return list(rows)


def copy_or_write(positions: Iterable[Position], decoded: Iterable[str | None]) -> int:
    """Copy what is new for all this process knows; when another has written some of it meanwhile, the slower way."""
    try:
        return copy_positions(positions, decoded)
    except psycopg.errors.UniqueViolation:
        return write_positions(positions, decoded)


class Announce:
    """Tells the scorer which windows the batch touched. Duplicates too: their first writer may have died here."""

    def run(self, batch: Batch) -> None:
        windows = windows_of(position for _, position in batch.kept)
        if windows:
            stream.announce(batch.group.client, windows)


class Acknowledge:
    def run(self, batch: Batch) -> None:
        batch.group.ack([message.id for message, _ in batch.kept])
        metrics.ACKS.inc(len(batch.kept))


# Two fixes of a device further apart than this become two windows: a late burst beside the live fixes must not
# make the scorer read the hours between them.
APART_MS = 60_000


def windows_of(positions: Iterable[Position]) -> list[tuple[str, int, int]]:
    """The windows (device, from ms, to ms) that hold these positions, near ones merged."""
    windows: list[tuple[str, int, int]] = []
    for device, ts in sorted((p.device_id, p.ts) for p in positions):
        last = windows[-1] if windows else None
        if last and last[0] == device and ts - last[2] <= APART_MS:
            windows[-1] = (device, last[1], ts)
        else:
            windows.append((device, ts, ts))
    return windows


def put_aside(group: Group, message: Message, error: str) -> None:
    """Dead-letter a record: said at error, counted, stored with its origin, then acknowledged."""
    log.error("dead letter", stream=group.stream, id=message.id.decode(), error=error)
    group.dead_letter(message, error)
    metrics.DEAD_LETTERS.inc()


def pipeline(states: DeviceStates, decode_attributes: DecodeAttributes) -> tuple[Step, ...]:
    """The steps of a batch. It comes decoded, because reading and decoding overlap with these."""
    return (Write(states, decode_attributes), Announce(), Acknowledge())


def process(batch: Batch, steps: Iterable[Step]) -> None:
    """Take a decoded batch through all steps. Raises when a server is away; the records then stay pending."""
    for step in steps:
        step.run(batch)
