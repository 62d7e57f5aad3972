"""The SQL of the desk, each statement named and beside its typed function."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from apps.scoring.queries import select


@dataclass(frozen=True, slots=True)
class FieldRow:
    """An entry as the dashboard of a stage needs it; instants in epoch ms, places in degrees."""

    entry: str
    number: int
    crew: str
    race_class: str
    word: str
    competing: bool
    result: str
    time_ms: int | None
    penalty_ms: int
    total_ms: int | None
    rank: int | None
    last_control: str
    last_ts: int | None
    start_ts: int | None
    target_ts: int | None
    fix_ts: int | None
    moving_ts: int | None
    lat: float | None
    lon: float | None


# A device's fix that counts, by the rule of design §4.
USABLE = """
    not p.faulty and p.satellites > 0 and p.ts <= p.ingested_at + interval '60 seconds'
    and p.ts >= a.assigned_from and (a.assigned_until is null or p.ts < a.assigned_until)
    and p.latitude between -90 and 90 and p.longitude between -180 and 180
    and not (p.latitude = 0 and p.longitude = 0)
"""

CREW = """
    coalesce((
        select string_agg(trim(u.first_name || ' ' || u.last_name), ' / ' order by ec.created_at)
        from entry_crew ec join users u on u.id = ec.user_id where ec.entry_id = e.id
    ), '')
"""

# Every entry of a stage's event with its result, its start, its last fix, and when it last moved before that.
FIELD = f"""
    select e.id::text, e.race_number, {CREW}, c.code, e.status, e.competing,
           coalesce(r.status, ''), r.time_ms, coalesce(r.penalty_ms, 0), r.total_ms, r.rank,
           coalesce(r.last_control, ''), (r.outcome ->> 'last_ts')::bigint,
           (select min((one ->> 'driven_ts')::bigint)
            from jsonb_array_elements(coalesce(r.outcome -> 'segments', '[]')) one),
           (select floor(extract(epoch from min(s.target_at)) * 1000)::bigint
            from entry_segment_starts s join segments g on g.id = s.segment_id
            where s.entry_id = e.id and g.stage_id = %(stage)s::uuid),
           floor(extract(epoch from fix.ts) * 1000)::bigint,
           floor(extract(epoch from moving.ts) * 1000)::bigint, fix.latitude, fix.longitude
    from entries e
    join classes c on c.id = e.race_class_id
    left join stage_results r on r.entry_id = e.id and r.stage_id = %(stage)s::uuid
    left join lateral (
        select p.ts, p.latitude, p.longitude
        from entry_devices a join devices d on d.id = a.device_id
        cross join lateral (
            select p.ts, p.latitude, p.longitude from positions p
            where p.device_id = d.imei and {USABLE} order by p.ts desc limit 1
        ) p
        where a.entry_id = e.id order by p.ts desc limit 1
    ) fix on true
    left join lateral (
        select p.ts
        from entry_devices a join devices d on d.id = a.device_id
        cross join lateral (
            select p.ts from positions p
            where p.device_id = d.imei and {USABLE} and p.speed > 3
                  and p.ts between fix.ts - interval '15 minutes' and fix.ts
            order by p.ts desc limit 1
        ) p
        where a.entry_id = e.id and r.status = 'running' order by p.ts desc limit 1
    ) moving on true
    where e.event_id = (select event_id from stages where id = %(stage)s::uuid)
    order by e.race_number
"""


def field(stage: str) -> list[FieldRow]:
    """The entries of the stage's event by race number."""
    return [FieldRow(*row) for row in select(FIELD, {"stage": stage})]


@dataclass(frozen=True, slots=True)
class TrackerRow:
    """A device of an entry and its last fix; `age_s` None without any. `volts` where the device tells them."""

    entry: str
    number: int
    competing: bool
    imei: str
    model: str
    priority: int
    worn: bool
    ts: int | None
    age_s: int | None
    volts: float | None
    satellites: int | None


# Every assignment in force now, with the device's last fix, whatever its quality.
TRACKERS = """
    select e.id::text, e.race_number, e.competing, d.imei, m.name, a.priority, a.assigned_user_id is not null,
           floor(extract(epoch from p.ts) * 1000)::bigint, floor(extract(epoch from now() - p.ts))::bigint,
           (p.decoded_attributes ->> 'external_voltage')::float8, p.satellites
    from entries e
    join entry_devices a on a.entry_id = e.id
    join devices d on d.id = a.device_id
    join device_models m on m.id = d.model_id
    left join lateral (
        select ts, decoded_attributes, satellites from positions
        where device_id = d.imei and ts <= now() + interval '60 seconds' order by ts desc limit 1
    ) p on true
    where e.event_id = %s::uuid and (a.assigned_until is null or a.assigned_until > now())
    order by e.race_number, a.priority
"""


def trackers(event: str) -> list[TrackerRow]:
    """The event's devices by race number and priority."""
    return [TrackerRow(*row) for row in select(TRACKERS, [event])]


# The stage that is on: with crews on course, else with results, else the last that has begun, else the first.
FOCUS = """
    select s.id::text
    from stages s
    left join lateral (
        select count(*) filter (where status = 'running') as running, count(*) as results
        from stage_results where stage_id = s.id
    ) r on true
    where s.event_id = %s::uuid
    order by r.running > 0 desc, r.results > 0 desc, s.starts_at <= now() desc,
             case when s.starts_at <= now() then s.starts_at end desc nulls last, s.starts_at
    limit 1
"""


def stage_in_focus(event: str) -> str | None:
    """The id of the stage an official most likely wants; None for an event without stages."""
    rows = select(FOCUS, [event])
    return rows[0][0] if rows else None


@dataclass(frozen=True, slots=True)
class Doubt:
    """What the scorer wants looked at in one result: its sentences, and the times of its segments."""

    stage: str
    entry: str
    number: int
    conflicts: Sequence[str]
    segments: Sequence[dict[str, Any]]
    status: str


DOUBTS = """
    select r.stage_id::text, e.id::text, e.race_number, r.outcome -> 'conflicts', r.outcome -> 'segments', r.status
    from stage_results r join entries e on e.id = r.entry_id
    where r.stage_id = %s::uuid and jsonb_array_length(coalesce(r.outcome -> 'conflicts', '[]')) > 0
    order by e.race_number
"""


def doubts(stage: str) -> list[Doubt]:
    """The results of a stage with anything to look at, by race number."""
    return [
        Doubt(row[0], row[1], row[2], _json(row[3]), _json(row[4]) or [], row[5]) for row in select(DOUBTS, [stage])
    ]


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class DueRow:
    """An entry that has not been seen at a control yet; `target_ts` is its assigned start, epoch ms."""

    number: int
    crew: str
    target_ts: int | None


DUE = f"""
    select e.race_number, {CREW}, floor(extract(epoch from s.target_at) * 1000)::bigint
    from entries e
    join stages st on st.id = %(stage)s::uuid and st.event_id = e.event_id
    left join stage_results r on r.entry_id = e.id and r.stage_id = st.id
    left join lateral (
        select min(target_at) as target_at from entry_segment_starts s
        join segments g on g.id = s.segment_id where s.entry_id = e.id and g.stage_id = st.id
    ) s on true
    where e.status not in ('withdrawn', 'retired', 'dsq')
      and coalesce(r.status, 'registered') in ('registered', 'running')
      and not exists (
          select from timing_records t
          where t.entry_id = e.id and t.control = %(control)s::uuid and t.withdrawn_at is null and t.ts >= st.starts_at
      )
      and not exists (
          select from entry_crossings c
          where c.entry_id = e.id and c.control = %(control)s::uuid and c.ts >= extract(epoch from st.starts_at) * 1000
      )
    order by s.target_at nulls last, e.race_number
"""


def due(stage: str, control: str) -> list[DueRow]:
    """Who is still to come to a control of a stage, in order of start."""
    return [DueRow(*row) for row in select(DUE, {"stage": stage, "control": control})]


@dataclass(frozen=True, slots=True)
class Moved:
    """A line that is no longer what the last revision says: (status, total ms, rank) then and now."""

    entry: str
    number: int
    then: tuple[str, int | None, int | None]
    now: tuple[str, int | None, int | None]


# Entries whose line on the board is no longer what the revision in force says.
MOVED = """
    with published as (
        select line ->> 'entry' as entry, line ->> 'status' as status, (line ->> 'total_ms')::bigint as total_ms,
               (line ->> 'rank')::int as rank
        from (
            select snapshot from result_revisions
            where event_id = %(event)s::uuid and stage_id is not distinct from %(stage)s::uuid
            order by number desc limit 1
        ) last, jsonb_array_elements(coalesce(last.snapshot -> 'results', '[]')) line
    ), board as (
        select entry_id, status, total_ms, rank from stage_results where stage_id = %(stage)s::uuid
        union all
        select entry_id, status, total_ms, rank from event_results
        where event_id = %(event)s::uuid and %(stage)s::uuid is null
    )
    select e.id::text, e.race_number, p.status, p.total_ms, p.rank, coalesce(b.status, 'registered'), b.total_ms, b.rank
    from published p
    join entries e on e.id = p.entry::uuid
    left join board b on b.entry_id = e.id
    where (p.status, p.total_ms, p.rank) is distinct from (coalesce(b.status, 'registered'), b.total_ms, b.rank)
    order by e.race_number
"""


def moved(event: str, stage: str | None) -> list[Moved]:
    """What the results say otherwise than the last revision of a stage, or of the event (None)."""
    rows = select(MOVED, {"event": event, "stage": stage})
    return [Moved(row[0], row[1], row[2:5], row[5:8]) for row in rows]
