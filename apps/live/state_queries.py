"""How crews stand, for race control and for the crew itself."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from apps.course.models import Stage
from apps.live.race_control import Alarm, Fix, Reading
from apps.racelog.domain.log import Line, StageState, stage_state
from apps.racelog.models import LogLine
from apps.racelog.queries import state_lines

# Each entry of an event with the running stage it is inside, when it is due, its last fix, when it last drove, its
# last alarm and who saw that. A fix counts by the rule of design §4; only the last day is looked at.
READINGS = """
    with devices_of as (
        select e.id as entry, d.imei,
               greatest(a.assigned_from, now() - interval '24 hours') as low,
               least(coalesce(a.assigned_until, 'infinity'), now() + interval '60 seconds') as high
        from entries e join entry_devices a on a.entry_id = e.id join devices d on d.id = a.device_id
        where e.event_id = %(event)s::uuid
    )
    select e.id::text, e.race_number, c.code, run.name, coalesce(run.last_control, ''), start.position, start.due,
           fix.ts, fix.ingested, fix.latitude, fix.longitude, fix.speed, fix.signal, moved.ts,
           coalesce((
               select jsonb_agg(jsonb_build_object(
                          'id', a.id, 'kind', a.kind, 'severity', a.severity, 'note', a.note, 'since', a.since,
                          'seen', a.acknowledged_at is not null, 'escalated', a.escalated_at is not null
                      ) order by a.severity desc, a.raised_at)
               from alerts a where a.entry_id = e.id and a.closed_at is null and a.cleared_at is null
           ), '[]')::text,
           alarm.ts, alarm.latitude, alarm.longitude, seen.by, seen.at
    from entries e
    join classes c on c.id = e.race_class_id
    left join lateral (
        select s.id, s.name, r.last_control
        from stage_results r join stages s on s.id = r.stage_id
        where r.entry_id = e.id and r.status = 'running' order by s.sort_order desc limit 1
    ) run on true
    left join lateral (
        select t.start_position as position,
               (extract(epoch from coalesce(t.actual_at, t.target_at)) * 1000)::bigint
               + 1000 * coalesce(g.maximum_duration_seconds, g.target_duration_seconds)::bigint as due
        from entry_segment_starts t join segments g on g.id = t.segment_id
        where t.entry_id = e.id and g.stage_id = run.id and coalesce(t.actual_at, t.target_at) <= now()
        order by coalesce(t.actual_at, t.target_at) desc limit 1
    ) start on true
    left join lateral (
        select o.imei, (extract(epoch from p.ts) * 1000)::bigint as ts,
               (extract(epoch from p.ingested_at) * 1000)::bigint as ingested,
               p.latitude, p.longitude, p.speed,
               case when p.attributes ->> '21' ~ '^[0-9]{1,2}$' then (p.attributes ->> '21')::int end as signal
        from devices_of o cross join lateral (
            select * from positions
            where device_id = o.imei and not faulty and ts >= o.low and ts < o.high
                  and latitude between -90 and 90 and longitude between -180 and 180
                  and not (latitude = 0 and longitude = 0) and satellites > 0
            order by ts desc limit 1
        ) p
        where o.entry = e.id order by p.ts desc limit 1
    ) fix on true
    left join lateral (
        select (extract(epoch from max(ts)) * 1000)::bigint as ts from (
            select ts from positions
            where device_id = fix.imei and not faulty and speed >= 5
                  and ts > to_timestamp(fix.ts / 1000.0) - interval '1 hour' and ts <= to_timestamp(fix.ts / 1000.0)
            order by ts desc limit 1
        ) driven
    ) moved on run.id is not null
    left join lateral (
        select (extract(epoch from p.ts) * 1000)::bigint as ts, p.latitude, p.longitude
        from devices_of o cross join lateral (
            select * from positions
            where device_id = o.imei and priority = 2 and not faulty and ts >= o.low and ts < o.high
            order by ts desc limit 1
        ) p
        where o.entry = e.id order by p.ts desc limit 1
    ) alarm on true
    left join lateral (
        select trim(u.first_name || ' ' || u.last_name) as by, (extract(epoch from k.at) * 1000)::bigint as at
        from (
            select created_at as at, author_id from acknowledgements where entry_id = e.id and alarm_ts >= alarm.ts
            union all
            select acknowledged_at, acknowledged_by_id from alerts
            where entry_id = e.id and kind = 'panic' and fix_ts >= alarm.ts and acknowledged_at is not null
        ) k join users u on u.id = k.author_id
        order by k.at limit 1
    ) seen on true
    where e.event_id = %(event)s::uuid
    order by e.race_number
"""


def readings(event: str) -> list[Reading]:
    """What is known of every entry of an event, course cars too."""
    with connection.cursor() as cursor:
        cursor.execute(READINGS, {"event": event})
        return [_reading(row) for row in cursor.fetchall()]


def _reading(row: tuple[Any, ...]) -> Reading:
    entry, race_number, class_code, stage, last_control, start_position, due = row[:7]
    ts, ingested, lat, lon, speed, signal, moved, alerts, *alarm = row[7:]
    fix = None if ts is None else Fix(ts, ingested, lat, lon, speed, moved, signal)
    sos = None if alarm[0] is None else Alarm(*alarm)
    return Reading(
        entry, race_number, class_code, stage, last_control, start_position, due, fix, sos, tuple(orjson.loads(alerts))
    )


def frozen_stages(event: str) -> list[dict[str, Any]]:
    """The stages of an event whose starts are held, or that are stopped (the race-control log), in their order."""
    lines = state_lines(UUID(event))
    held = {stage: stage_state(lines, stage) for stage in {line.stage for line in lines if line.stage}}
    frozen = {stage: state for stage, state in held.items() if state.frozen}
    if not frozen:
        return []
    why = dict(LogLine.objects.filter(pk__in=[_word(state).id for state in frozen.values()]).values_list("id", "text"))
    stages = Stage.objects.filter(pk__in=list(frozen)).order_by("sort_order").values_list("id", "name")
    return [_frozen(str(pk), name, frozen[str(pk)], why) for pk, name in stages]


def _word(state: StageState) -> Line:
    found = state.red or state.hold
    assert found is not None  # asked of frozen stages
    return found


def _frozen(stage: str, name: str, state: StageState, why: Mapping[UUID, str]) -> dict[str, Any]:
    line = _word(state)
    return {
        "stageId": stage, "stage": name, "frozen": "red" if state.red else "held", "since": line.ts,
        "why": why.get(UUID(line.id), ""),
    }  # fmt: skip


# Of each entry the stages it has a start or a result in, with its penalties there.
ENTRY_TIMES = """
    select e.id::text, s.id::text, s.name, s.sort_order, coalesce(r.status, 'registered'),
           start.position, start.target_at, start.actual_at, r.time_ms, coalesce(r.penalty_ms, 0), r.total_ms,
           r.rank, r.class_rank, coalesce(r.splits, '[]'), coalesce(r.last_control, ''),
           coalesce((
               select jsonb_agg(jsonb_build_object('type', p.type, 'seconds', p.seconds, 'status', p.status)
                                order by p.created_at, p.id)
               from entry_penalties p where p.entry_id = e.id and p.stage_id = s.id
           ), '[]')
    from entries e
    join stages s on s.event_id = e.event_id
    left join stage_results r on r.entry_id = e.id and r.stage_id = s.id
    left join lateral (
        select t.start_position as position, (extract(epoch from t.target_at) * 1000)::bigint as target_at,
               (extract(epoch from t.actual_at) * 1000)::bigint as actual_at
        from entry_segment_starts t join segments g on g.id = t.segment_id
        where t.entry_id = e.id and g.stage_id = s.id order by t.target_at limit 1
    ) start on true
    where e.id = any(%s::uuid[]) and (r.id is not null or start.target_at is not null)
    order by e.id, s.sort_order
"""
TIMES_KEYS = (
    "stageId", "stage", "sortOrder", "status", "startPosition", "targetAt", "actualAt", "timeMs", "penaltyMs",
    "totalMs", "rank", "classRank", "splits", "lastControl", "penalties",
)  # fmt: skip


def entry_times(entries: Sequence[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """Of each entry the line of each stage, by the stage's id; instants in epoch ms."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with connection.cursor() as cursor:
        cursor.execute(ENTRY_TIMES, [list(entries)])
        for entry, *values in cursor.fetchall():
            line = dict(zip(TIMES_KEYS, values, strict=True))
            line |= {key: orjson.loads(line[key]) for key in ("splits", "penalties")}
            found.setdefault(entry, {})[line["stageId"]] = line
    return found
