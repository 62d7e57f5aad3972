"""The outbox and the latest positions as the live processes read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import orjson
from django.db import connection

from apps.common.position import Position
from apps.scoring.released import View, masked


@dataclass(frozen=True, slots=True)
class Change:
    """An outbox row as a view shows it. `changes` is JSON text; `age_s` how long ago its transaction began."""

    view: View
    seq: int
    changes: str
    age_s: float


# What is due and followed the last number sent of each view, oldest first: all before the first that is not due. A
# view far behind catches up in several reads, each shorter than a socket's queue.
CHANGES_AFTER = """
    select sent.n, o.seq, (o.payload -> 'changes')::text,
           extract(epoch from clock_timestamp() - o.created_at)::float8
    from unnest(%s::int[], %s::text[], %s::bigint[], %s::bigint[]) as sent(n, topic, seq, delay)
    cross join lateral (
        select * from outbox where topic = sent.topic and seq > sent.seq
        and (sent.delay = 0 or seq < coalesce((
            select min(seq) from outbox
            where topic = sent.topic and seq > sent.seq and created_at > now() - sent.delay * interval '1 ms'
        ), 9223372036854775807))
        order by seq limit 50
    ) o
    order by sent.n, o.seq
"""


def changes_after(sent: Mapping[View, int]) -> list[Change]:
    """The news of views since the number that was sent last of each."""
    views = list(sent)
    topics, delays = [view.topic for view in views], [view.delay_ms for view in views]
    with connection.cursor() as cursor:
        cursor.execute(CHANGES_AFTER, (list(range(len(views))), topics, list(sent.values()), delays))
        return [_change(views[n], *row) for n, *row in cursor.fetchall()]


def _change(view: View, seq: int, changes: str, age_s: float) -> Change:
    if view.is_masked:
        changes = orjson.dumps(masked(orjson.loads(changes), view)).decode()
    return Change(view, seq, changes, age_s)


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
              and ts <= to_timestamp(%(horizon)s / 1000.0)
        order by ts desc limit 1
    ) p
    where e.event_id = %(event)s::uuid
    order by d.imei, p.ts desc
"""


def last_fixes(event: str, horizon: int) -> list[LastFix]:
    """Where each device of the event was last, at `horizon` (epoch ms) or before."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_FIXES, {"event": event, "horizon": horizon})
        return [_last_fix(row) for row in cursor.fetchall()]


def _last_fix(row: tuple[Any, ...]) -> LastFix:
    who = Carried(*row[:6])
    ts, latitude, longitude, speed, angle, attributes = row[6:]
    position = Position(
        who.imei, ts, latitude, longitude, speed=speed, angle=angle, attributes=orjson.loads(attributes)
    )
    return LastFix(who, position)


@dataclass(frozen=True, slots=True)
class Line:
    """What one device recorded while an entry carried it; fixes are (epoch ms, latitude, longitude, altitude)."""

    imei: str
    fixes: list[tuple[int, float, float, float]]


# What the devices of an entry recorded within their assignments, between two instants, by the rule of design §4.
TRACK = """
    select d.imei, (extract(epoch from p.ts) * 1000)::bigint, p.latitude, p.longitude, p.altitude
    from entry_devices a join devices d on d.id = a.device_id
    cross join lateral (
        select * from positions
        where device_id = d.imei and not faulty
              and ts >= greatest(a.assigned_from, to_timestamp(%(low)s / 1000.0))
              and ts <= to_timestamp(%(high)s / 1000.0) and (a.assigned_until is null or ts < a.assigned_until)
              and latitude between -90 and 90 and longitude between -180 and 180
              and not (latitude = 0 and longitude = 0)
              and satellites > 0 and ts <= ingested_at + interval '60 seconds'
        order by ts limit %(most)s
    ) p
    where a.entry_id = %(entry)s::uuid
    order by a.priority, d.imei, p.ts
"""


def track(entry: str, low: int, high: int, most: int) -> list[Line]:
    """At most so many fixes of each of the entry's devices, from `low` to `high` (epoch ms)."""
    with connection.cursor() as cursor:
        cursor.execute(TRACK, {"entry": entry, "low": low, "high": high, "most": most})
        rows = cursor.fetchall()
    return [Line(imei, [row[1:] for row in of]) for imei, of in groupby(rows, key=lambda row: row[0])]
