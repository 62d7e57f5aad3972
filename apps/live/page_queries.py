"""What pages show beyond the boards: splits, penalties, how old the data is, and tracks for the replay."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

Row = tuple[Any, ...]

# When each competing entry first came to each of some controls, within a window and not after the horizon, epoch ms.
ARRIVALS = """
    select x.entry_id::text, x.control::text, min(x.ts)
    from entry_crossings x join entries e on e.id = x.entry_id
    where e.event_id = %(event)s::uuid and e.competing and x.control = any(%(controls)s::uuid[])
          and x.direction in ('enter', 'cut') and x.ts >= %(low)s and x.ts < least(%(high)s, %(horizon)s + 1)
    group by 1, 2
"""

# Segment times of the stage's results: as the scorer has them, instants in epoch ms.
SEGMENTS = """
    select r.entry_id::text, s ->> 'segment', (s ->> 'start_ts')::bigint, (s ->> 'finish_ts')::bigint,
           (s ->> 'driven_ts')::bigint, (s ->> 'net_ms')::bigint
    from stage_results r cross join lateral jsonb_array_elements(coalesce(r.outcome -> 'segments', '[]')) s
    where r.stage_id = %(stage)s::uuid
"""

# The last usable fix of each entry that is not after the horizon: a moment for each device by its index.
LAST_SEEN = """
    select e.id::text, max(p.ts)
    from entries e join entry_devices a on a.entry_id = e.id join devices d on d.id = a.device_id
    cross join lateral (
        select (extract(epoch from ts) * 1000)::bigint as ts from positions
        where device_id = d.imei and not faulty and satellites > 0
              and ts >= a.assigned_from and (a.assigned_until is null or ts < a.assigned_until)
              and ts <= to_timestamp(%(horizon)s / 1000.0)
        order by positions.ts desc limit 1
    ) p
    where e.event_id = %(event)s::uuid
    group by 1
"""

PENALTIES = """
    select p.entry_id::text, p.id::text, s.name, p.type, p.seconds::float8, p.status, p.article
    from entry_penalties p join stages s on s.id = p.stage_id join entries e on e.id = p.entry_id
    where e.event_id = %(event)s::uuid and e.competing
          and (%(stage)s::uuid is null or p.stage_id = %(stage)s::uuid)
          and p.created_at <= to_timestamp(%(horizon)s / 1000.0)
    order by s.sort_order, p.created_at, p.id
"""

# Of each competing entry the stages before an instant: how many have a total, and what they count overall (as
# `scoring.domain.overall` sums them, a clean time `overall_factor` times). None of an entry of which something was
# written after the horizon.
BEFORE = """
    select e.id::text, count(r.total_ms),
           coalesce(sum(
               r.total_ms + r.overall_penalty_ms - r.penalty_ms
               + case r.status when 'finished' then (s.overall_factor - 1) * (r.total_ms - r.penalty_ms) else 0 end
           ), 0)::bigint
    from entries e
    left join (
        stage_results r join stages s on s.id = r.stage_id and s.overall_factor > 0
            and s.starts_at < to_timestamp(%(begin)s / 1000.0)
    ) on r.entry_id = e.id
    where e.event_id = %(event)s::uuid and e.competing
    group by e.id
    having coalesce(max(r.updated_at), 'epoch') <= to_timestamp(%(horizon)s / 1000.0)
"""

# One fix of each entry in each step of time, from the device that counts first where several have one.
TRACKS = """
    select distinct on (e.id, floor(extract(epoch from p.ts) * 1000 / %(step)s))
           e.id::text, (extract(epoch from p.ts) * 1000)::bigint, p.latitude, p.longitude
    from entries e join entry_devices a on a.entry_id = e.id join devices d on d.id = a.device_id
    join positions p on p.device_id = d.imei
         and p.ts >= greatest(a.assigned_from, to_timestamp(%(low)s / 1000.0))
         and p.ts < least(coalesce(a.assigned_until, 'infinity'), to_timestamp(%(high)s / 1000.0))
    where e.event_id = %(event)s::uuid and e.competing and not p.faulty and p.satellites > 0
          and p.latitude between -90 and 90 and p.longitude between -180 and 180
          and not (p.latitude = 0 and p.longitude = 0)
    order by e.id, floor(extract(epoch from p.ts) * 1000 / %(step)s), a.priority, p.ts
"""


# The last fix of each entry's first device at each of some instants not long ago: some index probes a device, where
# reading and thinning all of its fixes would cost as many rows as it sent.
TRAILS = """
    select e.id::text, (extract(epoch from p.ts) * 1000)::bigint, p.latitude, p.longitude
    from entries e
    join lateral (
        select d.imei, a.assigned_from, a.assigned_until
        from entry_devices a join devices d on d.id = a.device_id
        where a.entry_id = e.id and a.assigned_from <= to_timestamp(%(high)s / 1000.0)
              and (a.assigned_until is null or a.assigned_until > to_timestamp(%(high)s / 1000.0))
        order by a.priority, d.imei limit 1
    ) d on true
    cross join generate_series(%(low)s::bigint + %(step)s, %(high)s::bigint, %(step)s::bigint) as at
    cross join lateral (
        select ts, latitude, longitude from positions
        where device_id = d.imei and not faulty and satellites > 0
              and ts > to_timestamp((at - %(step)s) / 1000.0) and ts <= to_timestamp(at / 1000.0)
              and ts >= d.assigned_from
              and latitude between -90 and 90 and longitude between -180 and 180
              and not (latitude = 0 and longitude = 0)
        order by ts desc limit 1
    ) p
    where e.event_id = %(event)s::uuid
    order by e.id, p.ts
"""


def trails(event: str, window: tuple[int, int], step: int) -> list[Row]:
    """(entry, instant, latitude, longitude), by entry and instant; `step` in ms."""
    return _rows(TRAILS, {"event": event, "low": window[0], "high": window[1], "step": step})


def arrivals(event: str, controls: Sequence[str], window: tuple[int, int], horizon: int) -> list[Row]:
    """(entry, control, instant); `window` and `horizon` in epoch ms."""
    values = {"event": event, "controls": list(controls), "low": window[0], "high": window[1], "horizon": horizon}
    return _rows(ARRIVALS, values)


class Driven(NamedTuple):
    """A segment as an entry drove it: epoch ms (`passed`: the start control), and its time by the rules in ms."""

    entry: str
    segment: str
    start: int | None
    finish: int | None
    passed: int | None
    net_ms: int | None


def segment_times(stage: str) -> list[Driven]:
    return [Driven(*row) for row in _rows(SEGMENTS, {"stage": stage})]


def last_seen(event: str, horizon: int) -> dict[str, int]:
    """Entry → epoch ms."""
    return dict(_rows(LAST_SEEN, {"event": event, "horizon": horizon}))


def penalties(event: str, stage: str | None, horizon: int) -> list[Row]:
    """(entry, id, stage's name, type, seconds, status, article)."""
    return _rows(PENALTIES, {"event": event, "stage": stage, "horizon": horizon})


def before(event: str, begin: int, horizon: int) -> list[tuple[str, int, int]]:
    """(entry, stages with a total, their sum in ms) of the stages that begin before `begin` (epoch ms)."""
    return [
        (entry, stages, ms) for entry, stages, ms in _rows(BEFORE, {"event": event, "begin": begin, "horizon": horizon})
    ]


def tracks(event: str, window: tuple[int, int], step: int) -> list[Row]:
    """(entry, instant, latitude, longitude), by entry and instant; `step` in ms."""
    return _rows(TRACKS, {"event": event, "low": window[0], "high": window[1], "step": step})


def _rows(sql: str, values: dict[str, Any]) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        rows: list[Row] = cursor.fetchall()
        return rows
