"""The SQL of the scorer, each statement named and beside its typed function; that of fixes is in `fix_queries`."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, cast
from uuid import UUID

import orjson
from django.db import connection

from apps.course.domain.crossings import Crossing, Direction
from apps.scoring import bulk

Row = tuple[Any, ...]
# Entry, device, control, direction, ts, uncertainty, fix before, fix after, fraction, occurrence, smallest distance.
CrossingRow = tuple[str, str, str, str, int, int, int, int, float, int, float | None]

WIDE_MS = 600_000


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one device's record to look at again, epoch ms, both ends included.

    `added` promises that fixes were only added there: none was flagged, none is another device's now.
    """

    device: str
    from_ts: int
    to_ts: int
    added: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """A window seen by the entry that carried the device then; `low` and `high` bound the assignment.

    Each is its own: they are put into sets by the hundred a batch, and none is made twice.
    """

    entry: str
    event: str
    device: str
    from_ts: int
    to_ts: int
    low: int
    high: int
    added: bool = False

    @property
    def wide(self) -> bool:
        """Whether the window is wider than what live scoring asks for: such units are read in another way."""
        return self.to_ts - self.from_ts > WIDE_MS


# Which entry carried each device in each window, the window cut to the assignment.
UNITS = """
    select e.id::text, e.event_id::text, w.device,
           greatest(w.from_ts, a.low), least(w.to_ts, a.high), a.low, a.high, w.added
    from unnest(%b::text[], %b::bigint[], %b::bigint[], %b::bool[]) as w(device, from_ts, to_ts, added)
    join devices d on d.imei = w.device
    join (
        select entry_id, device_id,
               ceil(extract(epoch from assigned_from) * 1000)::bigint as low,
               coalesce(ceil(extract(epoch from assigned_until) * 1000)::bigint - 1, 253402300799999) as high
        from entry_devices
    ) a on a.device_id = d.id and a.low <= w.to_ts and a.high >= w.from_ts
    join entries e on e.id = a.entry_id
    order by e.id, w.device, w.from_ts
"""


def units(windows: Sequence[Window]) -> list[Unit]:
    """The windows of devices that an entry carried; a device nobody carries gives none."""
    columns = [list(map(attrgetter(name), windows)) for name in ("device", "from_ts", "to_ts", "added")]
    return [Unit(*row) for row in bulk.select(UNITS, columns)]


# What decisions in force hold to be faulty, of some devices.
FAULTY = """
    select params ->> 'device', (params ->> 'from_ts')::bigint, (params ->> 'to_ts')::bigint
    from decisions
    where kind = 'faulty_fixes' and revoked_at is null and params ->> 'device' = any(%b::text[])
"""


def faulty_windows(devices: Sequence[str]) -> list[tuple[str, int, int]]:
    """(IMEI, from ms, to ms), both ends included."""
    return [cast(tuple[str, int, int], row) for row in bulk.select(FAULTY, [list(devices)])]


# The devices some entries of an event carried, when, and how they rank.
ASSIGNMENTS = """
    select a.entry_id::text, d.imei,
           ceil(extract(epoch from a.assigned_from) * 1000)::bigint,
           coalesce(ceil(extract(epoch from a.assigned_until) * 1000)::bigint - 1, 253402300799999),
           a.priority
    from entry_devices a
    join devices d on d.id = a.device_id
    join entries e on e.id = a.entry_id
    where e.event_id = %s::uuid and e.id = any(%s::uuid[])
    order by a.entry_id, a.priority, d.imei, 3
"""


def assignments(event: str, entries: Sequence[str]) -> list[tuple[str, str, int, int, int]]:
    """(entry, IMEI, from ms, to ms, priority) of each assignment, both ends included."""
    return [cast(tuple[str, str, int, int, int], row) for row in select(ASSIGNMENTS, [event, list(entries)])]


EVENT_ENTRIES = "select id::text from entries where event_id = %s::uuid order by id"


def event_entries(event: str) -> list[str]:
    return [row[0] for row in select(EVENT_ENTRIES, [event])]


# Transaction-level locks, in one order everywhere, so that no two scorers race or deadlock.
LOCK = """
    select pg_advisory_xact_lock(key)
    from (select distinct hashtextextended(name, 0) as key from unnest(%b::text[]) name order by key) keys
"""


def lock(kind: str, ids: Iterable[str]) -> None:
    """Take the locks of `kind` until the end of the transaction; read only after this."""
    bulk.select(LOCK, [[f"trm:{kind}:{identity}" for identity in ids]])


# The crossings on record whose chord lies within a window.
CROSSINGS_IN = """
    select c.id, c.entry_id::text, c.device, c.control::text, c.direction, c.ts, c.uncertainty_ms,
           c.before_ts, c.after_ts, c.fraction, c.occurrence, c.min_distance_m
    from unnest(%b::text[]::uuid[], %b::text[], %b::bigint[], %b::bigint[]) as u(entry, device, low, high)
    join entry_crossings c on c.entry_id = u.entry and c.device = u.device
         and c.after_ts > u.low and c.before_ts < u.high
"""


def crossings_in(of: Sequence[Unit], bounds: Sequence[tuple[int, int]]) -> list[tuple[int, CrossingRow]]:
    """(row id, crossing) of the chords that reach into each unit's bounds: one that a late fix split goes too."""
    columns = [[u.entry for u in of], [u.device for u in of], [b[0] for b in bounds], [b[1] for b in bounds]]
    return [(row[0], row[1:]) for row in bulk.select(CROSSINGS_IN, columns)]


# The speed zones entries may be in, by number: the last that a device of theirs crossed of the zone's controls did not
# leave it.
IN_OPEN_ZONES = """
    select distinct c.entry_id::text, z.zone
    from entry_crossings c
    join unnest(%b::text[]::uuid[], %b::int[], %b::bool[]) as z(control, zone, closes) on z.control = c.control
    where c.entry_id = any(%b::text[]::uuid[]) and c.ts between %s and %s
    group by c.entry_id, c.device, z.zone
    having coalesce(max(c.ts) filter (where not (z.closes and c.direction = 'leave')), -1)
        >= coalesce(max(c.ts) filter (where z.closes and c.direction = 'leave'), -1)
"""


def in_open_zones(
    controls: Sequence[tuple[str, int, bool]], entries: Sequence[str], span: tuple[int, int]
) -> set[tuple[str, int]]:
    """(entry, number of the zone); controls are (control, number of its zone, whether leaving it ends the zone)."""
    if not controls or not entries:
        return set()
    columns = [list(column) for column in zip(*controls, strict=True)]
    return {(row[0], row[1]) for row in bulk.select(IN_OPEN_ZONES, [*columns, list(entries), *span])}


SPEED_PENALISED = """
    select distinct entry_id::text, inputs->>'zone'
    from entry_penalties where entry_id = any(%b::text[]::uuid[]) and type = 'speed_zone'
"""


def speed_penalised(entries: Iterable[str]) -> set[tuple[str, str]]:
    """(entry, zone) of all that is on record about the speed of these entries."""
    return {(row[0], row[1]) for row in bulk.select(SPEED_PENALISED, [list(entries)])}


DELETE_CROSSINGS = "delete from entry_crossings where id = any(%s::bigint[])"

INSERT_CROSSINGS = """
    insert into entry_crossings (entry_id, device, control, direction, ts, uncertainty_ms,
        before_ts, after_ts, fraction, occurrence, min_distance_m)
    select * from unnest(%s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::bigint[], %s::int[],
        %s::bigint[], %s::bigint[], %s::float8[], %s::smallint[], %s::float8[])
    on conflict on constraint entry_crossings_once do nothing
"""


def delete_crossings(ids: Sequence[int]) -> None:
    if ids:
        _execute(DELETE_CROSSINGS, [list(ids)])


def insert_crossings(rows: Sequence[CrossingRow]) -> None:
    if rows:
        bulk.execute(INSERT_CROSSINGS, [list(column) for column in zip(*rows, strict=True)])


DELETE_PENALTIES = "delete from entry_penalties where id = any(%s::uuid[])"


def delete_penalties(ids: Sequence[UUID]) -> None:
    if ids:
        _execute(DELETE_PENALTIES, [list(ids)])


# Every crossing of these entries between two instants, with the rank of its device within the entry.
ENTRY_CROSSINGS = """
    select c.entry_id::text, d.code, c.control::text, c.direction, c.ts, c.uncertainty_ms,
           c.before_ts, c.after_ts, c.fraction, c.occurrence, c.min_distance_m
    from unnest(%s::uuid[], %s::bigint[], %s::bigint[]) as s(entry, low, high)
    join entry_crossings c on c.entry_id = s.entry and c.ts between s.low and s.high
    join lateral (
        select (row_number() over (order by min(a.priority), v.imei))::int - 1 as code, v.imei
        from entry_devices a join devices v on v.id = a.device_id
        where a.entry_id = s.entry group by v.imei
    ) d on d.imei = c.device
    order by c.entry_id, c.ts, d.code
"""


def entry_crossings(spans: Sequence[tuple[str, int, int]]) -> dict[str, tuple[Crossing, ...]]:
    """Crossings per entry of spans (entry, from ms, to ms); device codes are in order of priority."""
    columns = [[s[0] for s in spans], [s[1] for s in spans], [s[2] for s in spans]]
    found: dict[str, list[Crossing]] = {}
    for row in select(ENTRY_CROSSINGS, columns):
        found.setdefault(row[0], []).append(_crossing(row[1:]))
    return {entry: tuple(crossings) for entry, crossings in found.items()}


# One value for the course and one for the rules, which change whenever any of their rows is written, by whatever door.
FINGERPRINT = """
    select md5(string_agg(x.version, ',' order by x.version) filter (where not x.rule)),
           coalesce(md5(string_agg(x.version, ',' order by x.version) filter (where x.rule)), '')
    from (
        select 'e' || id || xmin, false from events where id = %(event)s::uuid
        union all select 's' || id || xmin, false from stages where event_id = %(event)s::uuid
        union all select 'g' || g.id || g.xmin, false from segments g
            join stages s on s.id = g.stage_id where s.event_id = %(event)s::uuid
        union all select 'f' || id || xmin, false from geofences where event_id = %(event)s::uuid
        union all select 'w' || w.id || w.xmin, false from waypoints w join segments g on g.id = w.segment_id
            join stages s on s.id = g.stage_id where s.event_id = %(event)s::uuid
        union all select 'z' || z.id || z.xmin, false from speed_limit_zones z join segments g on g.id = z.segment_id
            join stages s on s.id = g.stage_id where s.event_id = %(event)s::uuid
        union all select 'p' || id || xmin, true from penalty_formulas where event_id = %(event)s::uuid
        union all select 'c' || id || xmin, false from classes where event_id = %(event)s::uuid
    ) as x(version, rule)
"""


def fingerprint(event: str) -> tuple[str, str]:
    """(course, rules)"""
    course, rules = select(FINGERPRINT, {"event": event})[0]
    return str(course), rules


# One value an entry for what people said about it, and one for the trackers it carried: as above, by whatever door.
ENTRY_FINGERPRINTS = """
    select e.id::text, md5(string_agg(x.version, ',' order by x.version) filter (where not x.device)),
           coalesce(md5(string_agg(x.version, ',' order by x.version) filter (where x.device)), '')
    from entries e
    join lateral (
        select 'e' || e.xmin, false
        union all select 's' || id || xmin, false from entry_segment_starts where entry_id = e.id
        union all select 't' || id || xmin, false from timing_records where entry_id = e.id
        union all select 'i' || id || xmin, false from entry_incidents where entry_id = e.id
        union all select 'd' || id || xmin, kind = 'faulty_fixes' from decisions
            where event_id = e.event_id and (entry_id = e.id or entry_id is null)
        union all select 'a' || id || xmin, true from entry_devices where entry_id = e.id
    ) as x(version, device) on true
    where e.event_id = %s::uuid
    group by e.id
"""


def entry_fingerprints(event: str) -> dict[str, tuple[str, str]]:
    """(inputs, devices) per entry."""
    return {entry: (inputs, devices) for entry, inputs, devices in select(ENTRY_FINGERPRINTS, [event])}


# Events that may still change: a month around them.
OPEN_EVENTS = """
    select id::text from events
    where starts_at < now() + interval '30 days' and ends_at > now() - interval '30 days' order by id
"""


def open_events() -> list[str]:
    return [row[0] for row in select(OPEN_EVENTS, [])]


# Of the session, not of a transaction: the work it keeps to one scorer takes several.
TRY_LEAD = "select pg_try_advisory_lock(hashtextextended(%s, 0))"
END_LEAD = "select pg_advisory_unlock(hashtextextended(%s, 0))"


@contextmanager
def leading(kind: str, identity: str) -> Iterator[bool]:
    """Whether this process alone does some work now; another one that asks meanwhile is told no."""
    name = [f"trm:{kind}:{identity}"]
    leads = bool(select(TRY_LEAD, name)[0][0])
    try:
        yield leads
    finally:
        if leads:
            select(END_LEAD, name)


# The next sequence number of a topic and its row, written in the transaction that made the change.
WRITE_OUTBOX = """
    insert into outbox (topic, seq, payload, created_at)
    select %s, coalesce(max(seq), 0) + 1, %s::jsonb, now() from outbox where topic = %s
"""


def write_outbox(topic: str, changes: Sequence[dict[str, Any]]) -> None:
    """Call only under the event's lock: it is what keeps the numbers without gap."""
    payload = orjson.dumps({"changes": list(changes)}).decode()
    _execute(WRITE_OUTBOX, [topic, payload, topic])


# A board with its sequence number, in one statement and so of one instant; no line when the event is empty.
BOARD = """
    with seq as (select coalesce(max(seq), 0) as seq from outbox where topic = %(topic)s)
    select seq.seq, line.*
    from seq left join lateral (
        select e.id::text, e.race_number,
               coalesce((
                   select string_agg(trim(u.first_name || ' ' || u.last_name), ' / ' order by ec.created_at)
                   from entry_crew ec join users u on u.id = ec.user_id where ec.entry_id = e.id
               ), ''),
               coalesce(v.make || ' ' || v.model, ''), c.code, coalesce(r.status, 'registered'),
               r.time_ms, coalesce(r.penalty_ms, 0), r.total_ms, r.rank, r.class_rank,
               coalesce(r.last_control, ''), coalesce(r.completed_stages, 0)
        from entries e
        join classes c on c.id = e.race_class_id
        left join vehicles v on v.id = e.vehicle_id
        left join {results} r on r.entry_id = e.id
        where e.event_id = %(event)s::uuid and e.competing
              and (%(only)s::uuid[] is null or e.id = any(%(only)s::uuid[]))
        order by r.rank nulls last, e.race_number
    ) line on true
"""
STAGE_LINES = """(
    select *, (total_ms is not null)::int as completed_stages from stage_results where stage_id = %(stage)s::uuid
)"""
EVENT_LINES = "(select *, '' as last_control from event_results where event_id = %(event)s::uuid)"

LINE_KEYS = (
    "entryId", "raceNumber", "crew", "vehicle", "classCode", "status",
    "timeMs", "penaltyMs", "totalMs", "rank", "classRank", "lastControl", "completedStages",
)  # fmt: skip

BoardLine = dict[str, Any]


def board(topic: str) -> tuple[int, list[BoardLine]]:
    """The board of `leaderboard:<event>` or `leaderboard:<event>:<stage>`: (number, lines by rank)."""
    _, event, stage = (*topic.split(":"), None)[:3]
    return _board(topic, event, stage, None)


def board_lines(event: str, stage: str | None, only: Sequence[str]) -> list[BoardLine]:
    """The lines of some entries, as the board shows them."""
    return _board("", event, stage, list(only))[1]


def _board(topic: str, event: str | None, stage: str | None, only: list[str] | None) -> tuple[int, list[BoardLine]]:
    sql = BOARD.format(results=STAGE_LINES if stage else EVENT_LINES)
    rows = select(sql, {"topic": topic, "event": event, "stage": stage, "only": only})
    return rows[0][0], [dict(zip(LINE_KEYS, row[1:], strict=True)) for row in rows if row[1]]


def _crossing(row: Row) -> Crossing:
    """A crossing from (code, control, direction, ts, uncertainty, before, after, fraction, nth, distance)."""
    return Crossing(
        control=row[1], device=row[0], direction=Direction(row[2]), ts=row[3], uncertainty_ms=row[4],
        before_ts=row[5], after_ts=row[6], fraction=row[7], occurrence=row[8], min_distance_m=row[9],
    )  # fmt: skip


def select(sql: str, parameters: Any) -> list[Row]:
    """The rows a statement gives."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[Row] = cursor.fetchall()
        return rows


def _execute(sql: str, parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
