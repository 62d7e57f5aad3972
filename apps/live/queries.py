"""The outbox and the latest positions as the live processes read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from apps.common.position import Position


@dataclass(frozen=True, slots=True)
class Change:
    """An outbox row. `changes` is its JSON text, as stored; `age_s` how long ago its transaction began."""

    topic: str
    seq: int
    changes: str
    age_s: float


# What followed the last number sent of each topic, oldest first. A topic far behind catches up in several reads,
# each shorter than a socket's queue.
CHANGES_AFTER = """
    select o.topic, o.seq, (o.payload -> 'changes')::text,
           extract(epoch from clock_timestamp() - o.created_at)::float8
    from unnest(%s::text[], %s::bigint[]) as sent(topic, seq)
    cross join lateral (
        select * from outbox where topic = sent.topic and seq > sent.seq order by seq limit 50
    ) o
    order by o.topic, o.seq
"""


def changes_after(sent: Mapping[str, int]) -> list[Change]:
    """The news of topics since the number that was sent last of each."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGES_AFTER, [list(sent), list(sent.values())])
        return [Change(*row) for row in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Carried:
    """A device carried by an entry from `low` to `high`, epoch ms, both included."""

    imei: str
    event: str
    entry: str
    race_number: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class LastFix:
    carried: Carried
    position: Position


ASSIGNMENT = """
    d.imei, e.event_id::text, e.id::text, e.race_number,
    ceil(extract(epoch from a.assigned_from) * 1000)::bigint,
    coalesce(ceil(extract(epoch from a.assigned_until) * 1000)::bigint - 1, 253402300799999)
"""

CARRIED = f"""
    select {ASSIGNMENT}
    from entries e join entry_devices a on a.entry_id = e.id join devices d on d.id = a.device_id
    where e.event_id = any(%s::uuid[])
"""


def carried(events: Sequence[str]) -> list[Carried]:
    with connection.cursor() as cursor:
        cursor.execute(CARRIED, [list(events)])
        return [Carried(*row) for row in cursor.fetchall()]


# The latest fix of each device within its assignments to the event, by the rule of design §4.
LAST_FIXES = f"""
    select distinct on (d.imei) {ASSIGNMENT},
           (extract(epoch from p.ts) * 1000)::bigint, p.latitude, p.longitude, p.speed, p.angle, p.attributes::text
    from entries e join entry_devices a on a.entry_id = e.id join devices d on d.id = a.device_id
    cross join lateral (
        select * from positions
        where device_id = d.imei and not faulty
              and ts >= a.assigned_from and (a.assigned_until is null or ts < a.assigned_until)
              and latitude between -90 and 90 and longitude between -180 and 180
              and not (latitude = 0 and longitude = 0)
              and satellites > 0 and ts <= ingested_at + interval '60 seconds'
        order by ts desc limit 1
    ) p
    where e.event_id = %s::uuid
    order by d.imei, p.ts desc
"""


def last_fixes(event: str) -> list[LastFix]:
    """Where each device of the event was last."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_FIXES, [event])
        return [_last_fix(row) for row in cursor.fetchall()]


def _last_fix(row: tuple[Any, ...]) -> LastFix:
    who = Carried(*row[:6])
    ts, latitude, longitude, speed, angle, attributes = row[6:]
    position = Position(
        who.imei, ts, latitude, longitude, speed=speed, angle=angle, attributes=orjson.loads(attributes)
    )
    return LastFix(who, position)
