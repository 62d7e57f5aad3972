"""The SQL of the safety desk, each statement named and beside its typed function."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any
from uuid import uuid4

import orjson

from apps.safety.domain.watch import CRASH, TILT, Crew, Finding, Fix, Kind, Limits, Place, Tracker, signals
from apps.scoring.queries import Window, select

# Events whose crews are looked after: those on, with a margin for scrutineering and sweep cars. Closed alerts whose
# condition lasts are remembered for so long.
ON = "starts_at < now() + interval '2 days' and ends_at > now() - interval '1 day'"
REMEMBERED = "interval '12 hours'"
NEWS = "interval '24 hours'"  # what a tracker tells later than this is no alarm any more

EVENTS = f"select id::text from events where {ON} order by id"


def events_on() -> list[str]:
    return [row[0] for row in select(EVENTS, [])]


# Entries of an event that are on a running stage, or have an alert whose condition is not over: where they are, since
# when, and until when they should be. In a neutralisation while the last control of its two was the first.
CREWS = """
    select e.id::text, coalesce(run.type, ''), coalesce(run.stage::text, ''), coalesce(last.type, '') = 'DN',
           run.began, run.began + 1000 * coalesce(
               run.most_s, (select round(2 * percentile_cont(0.5) within group (order by r.time_ms) / 1000)
                            from stage_results r join entries o on o.id = r.entry_id
                            where r.stage_id = run.stage and r.status = 'finished'
                              and o.race_class_id = e.race_class_id))::bigint
    from entries e
    left join lateral (
        select g.id, g.type, r.stage_id as stage, (s ->> 'driven_ts')::bigint as began,
               coalesce(g.maximum_duration_seconds, g.target_duration_seconds) as most_s
        from stage_results r
        cross join lateral jsonb_array_elements(coalesce(r.outcome -> 'segments', '[]')) s
        join segments g on g.id = (s ->> 'segment')::uuid
        where r.entry_id = e.id and r.status = 'running' and s ->> 'driven_ts' is not null and s ->> 'finish_ts' is null
        order by (s ->> 'driven_ts')::bigint desc limit 1
    ) run on true
    left join lateral (
        select w.type from entry_crossings c join waypoints w on w.id = c.control
        where c.entry_id = e.id and w.segment_id = run.id and w.type in ('DN', 'FN') and c.ts >= run.began
        order by c.ts desc limit 1
    ) last on true
    where e.event_id = %(event)s::uuid and e.status not in ('withdrawn', 'retired', 'dsq') and run.id is not null
       or e.id in (
           select entry_id from alerts
           where event_id = %(event)s::uuid and cleared_at is null
             and (closed_at is null or closed_at > now() - {remembered})
       )
    order by e.id
""".format(remembered=REMEMBERED)  # noqa: UP032 - %(event)s and braces of JSON stay readable

# Each device of these entries: its last fix that counts, and since when it has been within a radius of it. Two fixes
# out of it in a row end a stop, so that a single stray one does not. Only a quarter of an hour is looked at.
TRACKERS = """
    select a.entry_id::text, d.imei, a.assigned_user_id is not null, (extract(epoch from p.ts) * 1000)::bigint,
           (extract(epoch from p.ingested_at) * 1000)::bigint, p.latitude, p.longitude,
           case when p.attributes ->> '21' ~ '^[0-9]{1,2}$' then (p.attributes ->> '21')::int end,
           (extract(epoch from coalesce(away.ts, seen.ts)) * 1000)::bigint
    from entry_devices a join devices d on d.id = a.device_id
    cross join lateral (
        select * from positions
        where device_id = d.imei and not faulty and satellites > 0 and ts <= ingested_at + interval '60 seconds'
          and ts >= greatest(a.assigned_from, now() - interval '24 hours')
          and ts < least(coalesce(a.assigned_until, 'infinity'), now() + interval '60 seconds')
          and latitude between -90 and 90 and longitude between -180 and 180
          and not (latitude = 0 and longitude = 0)
        order by ts desc limit 1
    ) p
    left join lateral (
        select min(ts) as ts from (
            select o.ts from positions o
            where o.device_id = d.imei and not o.faulty and o.satellites > 0
              and o.ts between p.ts - interval '15 minutes' and p.ts and o.ts >= a.assigned_from
              and ((o.latitude - p.latitude) * 111320) ^ 2
                  + ((o.longitude - p.longitude) * 111320 * cos(radians(p.latitude))) ^ 2 > %(radius)s ^ 2
            order by o.ts desc limit 2
        ) two
        having count(*) = 2
    ) away on true
    left join lateral (
        select ts from positions o
        where o.device_id = d.imei and not o.faulty and o.satellites > 0
          and o.ts between p.ts - interval '15 minutes' and p.ts and o.ts >= a.assigned_from
        order by o.ts limit 1
    ) seen on true
    where a.entry_id = any(%(entries)s::uuid[])
    order by a.entry_id, a.priority, d.imei
"""


def crews(event: str, limits: Limits) -> list[Crew]:
    """Who is to be looked after in an event, with their trackers."""
    rows = select(CREWS, {"event": event})
    found = _trackers([row[0] for row in rows], limits)
    return [replace(Crew(*row), trackers=found.get(row[0], ())) for row in rows]


def _trackers(entries: Sequence[str], limits: Limits) -> dict[str, list[Tracker]]:
    rows = select(TRACKERS, {"entries": list(entries), "radius": limits.stop_radius_m}) if entries else []
    return {entry: [_tracker(*row[1:]) for row in of] for entry, of in groupby(rows, key=lambda row: row[0])}


def _tracker(imei: str, worn: bool, *row: Any) -> Tracker:
    ts, ingested, lat, lon, signal, since = row
    return Tracker(Fix(ts, ingested, Place(lat, lon), imei), since, worn, signal)


@dataclass(frozen=True, slots=True)
class Told:
    """A fix that tells of trouble, or that a tilt is over: of an entry, what, and whether it holds."""

    event: str
    entry: str
    kind: Kind
    holds: bool
    fix: Fix


# What the trackers of entries said in these windows beside their positions. Without a usable place an alarm is one too.
SAID = f"""
    select v.id::text, a.entry_id::text, d.imei, (extract(epoch from p.ts) * 1000)::bigint,
           (extract(epoch from p.ingested_at) * 1000)::bigint, p.latitude, p.longitude, p.satellites, p.priority,
           p.decoded_attributes::text, coalesce(s.crash_attribute, '{CRASH}'),
           coalesce(s.tilt_attribute, '{TILT}'), coalesce(s.tilt_degrees, 60)
    from unnest(%(devices)s::text[], %(lows)s::bigint[], %(highs)s::bigint[]) as w(device, low, high)
    join devices d on d.imei = w.device
    join entry_devices a on a.device_id = d.id
    join entries e on e.id = a.entry_id
    join events v on v.id = e.event_id and {ON}
    left join safety_settings s on s.event_id = v.id
    join positions p on p.device_id = w.device
         and p.ts between to_timestamp(w.low / 1000.0) and to_timestamp(w.high / 1000.0) and not p.faulty
         and p.ts >= a.assigned_from and (a.assigned_until is null or p.ts < a.assigned_until)
         and p.ts > now() - {NEWS}
         and (p.priority = 2 or p.decoded_attributes ?| string_to_array(
                  coalesce(s.crash_attribute || ' ' || s.tilt_attribute, '{CRASH} {TILT}'), ' '))
    order by p.ts
"""


def said(windows: Sequence[Window]) -> list[Told]:
    """What fixes in these windows (both ends included) tell of trouble, by time."""
    values = {
        "devices": [window.device for window in windows],
        "lows": [window.from_ts for window in windows],
        "highs": [window.to_ts for window in windows],
    }
    return [told for row in select(SAID, values) for told in _told(*row)] if windows else []


def _told(event: str, entry: str, imei: str, *row: Any) -> list[Told]:
    ts, ingested, lat, lon, satellites, priority, decoded, crash, tilt, degrees = row
    place = Place(lat, lon) if satellites > 0 and (lat, lon) != (0, 0) else None
    limits = Limits(crash_attribute=crash, tilt_attributes=tuple(tilt.split()), tilt_degrees=degrees)
    holds = signals(priority, orjson.loads(decoded) if decoded else {}, limits)
    return [Told(event, entry, kind, held, Fix(ts, ingested, place, imei)) for kind, held in holds.items()]


# The last panic fix of each device of an event: what a lost stream would have told (index positions_alarms). Without
# those an alert has taken in, while it was open: they need not be looked at each second.
PANICS = f"""
    select d.imei, (extract(epoch from p.ts) * 1000)::bigint
    from entries e join entry_devices a on a.entry_id = e.id join devices d on d.id = a.device_id
    cross join lateral (
        select ts, ingested_at from positions
        where device_id = d.imei and priority = 2 and not faulty and ts >= greatest(a.assigned_from, now() - {NEWS})
          and ts < coalesce(a.assigned_until, 'infinity')
        order by ts desc limit 1
    ) p
    where e.event_id = %s::uuid and not exists (
        select from alerts r
        where r.entry_id = e.id and r.kind = 'panic' and r.fix_ts >= (extract(epoch from p.ts) * 1000)::bigint
          and coalesce(r.closed_at, 'infinity') >= p.ingested_at)
"""


def panics(event: str) -> list[Window]:
    """A window around each."""
    return [Window(imei, ts, ts) for imei, ts in select(PANICS, [event])]


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert after it was raised or renewed: a new one, one that got worse, one whose condition is back."""

    id: str
    fresh: bool
    worse: bool
    again: bool


HELD = """
    select severity, cleared_at is not null from alerts
    where entry_id = %s::uuid and kind = %s and closed_at is null for update
"""


# One open alert per entry and kind. What was closed is not raised again for the same fix, nor while its condition has
# never been over. (A fix may be committed seconds after it was stamped.) Severity only grows. What lasts is not
# written again each second: the audit log keeps every change.
RAISE = f"""
    insert into alerts as a (
        id, created_at, updated_at, event_id, entry_id, stage_id, kind, severity, since, fix_ts, latitude,
        longitude, device, note, raised_at, reason
    )
    select %(id)s::uuid, now(), now(), %(event)s::uuid, %(entry)s::uuid, %(stage)s::uuid, %(kind)s, %(severity)s,
           %(since)s, %(ts)s, %(lat)s, %(lon)s, %(device)s, %(note)s, now(), ''
    where not exists (
        select from alerts c
        where c.entry_id = %(entry)s::uuid and c.kind = %(kind)s and c.closed_at > now() - {REMEMBERED}
          and case when %(momentary)s then c.closed_at >= to_timestamp(%(ingested)s / 1000.0) and not (
                       %(ts)s > coalesce(c.fix_ts, 0)
                       and to_timestamp(%(ingested)s / 1000.0) > c.closed_at - interval '5 seconds')
                   else c.cleared_at is null end
    )
    on conflict (entry_id, kind) where closed_at is null do update
    set severity = greatest(a.severity, excluded.severity), updated_at = now(), cleared_at = null,
        note = excluded.note, stage_id = coalesce(a.stage_id, excluded.stage_id),
        fix_ts = greatest(a.fix_ts, excluded.fix_ts),
        latitude = case when excluded.fix_ts >= a.fix_ts then coalesce(excluded.latitude, a.latitude)
                        else coalesce(a.latitude, excluded.latitude) end,
        longitude = case when excluded.fix_ts >= a.fix_ts then coalesce(excluded.longitude, a.longitude)
                         else coalesce(a.longitude, excluded.longitude) end
    where excluded.severity > a.severity or a.note <> excluded.note or a.cleared_at is not null
          or %(momentary)s and excluded.fix_ts > coalesce(a.fix_ts, 0)
    returning a.id::text, xmax = 0, a.severity
"""


def raise_alert(event: str, crew: Crew, finding: Finding, *, momentary: bool) -> Raised | None:
    """Make or renew the alert of a finding; None where nothing changed. In a transaction."""
    held, cleared = next(iter(select(HELD, [crew.entry, finding.kind.value])), (0, False))
    fix = finding.fix
    place = fix.place if fix else None
    values = {
        "id": str(uuid4()), "event": event, "entry": crew.entry, "stage": crew.stage or None,
        "kind": finding.kind.value, "severity": int(finding.severity), "since": finding.since, "note": finding.note,
        "ts": fix and fix.ts, "ingested": fix.ingested if fix else 0, "device": fix.device if fix else "",
        "lat": place and place.lat, "lon": place and place.lon, "momentary": momentary,
    }  # fmt: skip
    rows = select(RAISE, values)
    return Raised(rows[0][0], rows[0][1], rows[0][2] > held, cleared) if rows else None


# Where crews of an event lost their network lately and came back: the alert said so, or was over by itself.
DEAD = """
    select latitude, longitude from alerts
    where event_id = %s::uuid and kind = 'silent' and latitude is not null and cleared_at > now() - interval '24 hours'
"""


def dead_places(event: str) -> list[Place]:
    return [Place(*row) for row in select(DEAD, [event])]


# Of a stage: who is neither home, nor out, nor accounted for. Who is on the start list and was never seen is missing.
UNACCOUNTED = """
    select e.race_number, coalesce(r.status, '')
    from entries e
    join stages s on s.id = %(stage)s::uuid and s.event_id = e.event_id
    left join stage_results r on r.entry_id = e.id and r.stage_id = s.id
    where e.status not in ('withdrawn', 'retired', 'dsq')
      and (r.status = 'running'
           or coalesce(r.status, 'registered') = 'registered' and exists (
               select from entry_segment_starts t join segments g on g.id = t.segment_id
               where t.entry_id = e.id and g.stage_id = s.id))
      and not exists (select from entry_accountings a
                      where a.entry_id = e.id and a.stage_id = s.id and a.withdrawn_at is null)
    order by e.race_number
"""


def unaccounted(stage: str) -> list[tuple[int, str]]:
    """(race number, status) of each."""
    return [(row[0], row[1]) for row in select(UNACCOUNTED, {"stage": stage})]
