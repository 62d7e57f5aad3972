"""Decoded attributes of stored positions again, after an edit of the IO mapping. The raw bag is read and never written.

Device by device in order of time, a batch a transaction, the place reached in the same one.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from django.db import connection, transaction

from apps.common.position import Position
from apps.telemetry.pipeline import DecodeAttributes

BATCH = 1000


class BackfillError(Exception):
    """A backfill that cannot be gone on with; the message says why."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill and how far it has come: positions seen, and those whose decoded attributes changed."""

    id: int
    devices: tuple[str, ...]
    from_ts: datetime
    to_ts: datetime
    at_device: str
    at_ts: datetime | None
    seen: int
    changed: int
    finished: bool


BEGIN = "insert into decoding_backfills (devices, from_ts, to_ts) values (%s, %s, %s) returning id"
COLUMNS = "id, devices, from_ts, to_ts, at_device, at_ts, seen, changed, finished_at is not null"
FIND = f"select {COLUMNS} from decoding_backfills where id = %s"
UNFINISHED = f"select {COLUMNS} from decoding_backfills where finished_at is null order by id"
TRY_LEAD = "select pg_try_advisory_lock(hashtextextended('trm:backfill:' || %s, 0))"
END_LEAD = "select pg_advisory_unlock(hashtextextended('trm:backfill:' || %s, 0))"

# The next positions of a device. `real` and the like are not what a mapping decodes: only the bag is.
NEXT = """
    select (extract(epoch from ts) * 1000)::bigint, ts, attributes::text
    from positions where device_id = %s and ts > %s and ts <= %s order by ts limit %s
"""
WRITE = """
    update positions p set decoded_attributes = v.decoded::jsonb
    from unnest(%s::timestamptz[], %s::text[]) as v(ts, decoded)
    where p.device_id = %s and p.ts = v.ts and p.ts between %s and %s
      and p.decoded_attributes is distinct from v.decoded::jsonb
"""
REACHED = """
    update decoding_backfills set at_device = %s, at_ts = %s, seen = seen + %s, changed = changed + %s where id = %s
"""
FINISHED = "update decoding_backfills set finished_at = now() where id = %s"


def begin(devices: Sequence[str], from_ts: datetime, to_ts: datetime) -> Backfill:
    """Write a new backfill down; `run` does it."""
    return find(_rows(BEGIN, [sorted(set(devices)), from_ts, to_ts])[0][0])


def find(id: int) -> Backfill:
    """Raises BackfillError for one that is not there."""
    rows = _rows(FIND, [id])
    if not rows:
        raise BackfillError(f"there is no backfill {id}")
    return Backfill(rows[0][0], tuple(rows[0][1]), *rows[0][2:])


def unfinished() -> list[Backfill]:
    return [Backfill(row[0], tuple(row[1]), *row[2:]) for row in _rows(UNFINISHED, [])]


def run(backfill: Backfill, decode: DecodeAttributes, rate: float, pause: Callable[[float], None]) -> Iterator[int]:
    """Go on to the end, `rate` positions a second at most (0 = as fast as it goes); positions done after each batch.

    Raises BackfillError when another process is at it.
    """
    with _alone(backfill.id):
        work = find(backfill.id)
        for device in work.devices[_index(work) :]:
            after = work.at_ts if device == work.at_device else None
            yield from _device(work, device, after, _Pace(decode, rate, pause))
        _rows(FINISHED, [work.id])


@dataclass(frozen=True, slots=True)
class _Pace:
    decode: DecodeAttributes
    rate: float
    pause: Callable[[float], None]

    def rest(self, done: int, began: float) -> None:
        if self.rate:
            self.pause(max(0.0, done / self.rate - (time.monotonic() - began)))


def _index(work: Backfill) -> int:
    return work.devices.index(work.at_device) if work.at_device else 0


def _device(work: Backfill, device: str, after: datetime | None, pace: _Pace) -> Iterator[int]:
    while True:
        began = time.monotonic()
        with transaction.atomic():
            rows = _rows(NEXT, [device, after or _before(work.from_ts), work.to_ts, BATCH])
            if not rows:
                return
            after = rows[-1][1]
            changed = _write(device, rows, pace.decode)
            _rows(REACHED, [device, after, len(rows), changed, work.id])
        yield len(rows)
        pace.rest(len(rows), began)


def _before(instant: datetime) -> datetime:
    """The keyset begins after what it is given, and `from_ts` belongs to it."""
    return instant - datetime.resolution


def _write(device: str, rows: Sequence[tuple[Any, ...]], decode: DecodeAttributes) -> int:
    positions = [Position(device, ts, 0.0, 0.0, attributes=msgspec.json.decode(bag)) for ts, _, bag in rows]
    instants = [row[1] for row in rows]
    parameters = [instants, list(decode(positions)), device, instants[0], instants[-1]]
    with psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(WRITE, parameters).rowcount


@contextmanager
def _alone(id: int) -> Iterator[None]:
    name = [str(id)]
    if not _rows(TRY_LEAD, name)[0][0]:
        raise BackfillError(f"another process is at backfill {id}")
    try:
        yield
    finally:
        _rows(END_LEAD, name)


def _rows(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
        return found
