"""Gathering what one entry did in one stage, for the evaluators."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.registry import (
    LatePassage,
    NeutralStay,
    SegmentDrive,
    StartDrive,
    ZoneDrive,
)
from apps.scoring.domain.trackers import END_OF_TIME, judged, others
from apps.timing.domain.passages import Record, Window
from apps.timing.domain.plan import SegmentPlan, SegmentType, SpeedZonePlan, StagePlan
from apps.timing.domain.segment_times import SegmentTime, truncated
from apps.timing.domain.waypoints import WaypointReading, read_waypoints
from apps.timing.domain.zone_intervals import DZ_LATE, DZ_MISSED, FZ_MISSED, ZoneInterval, zone_intervals


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """A segment as driven: its plan, its time, and its waypoints where it is a special stage."""

    segment: SegmentPlan
    time: SegmentTime
    waypoints: WaypointReading


def driven(plan: StagePlan, crossings: Record, times: Sequence[SegmentTime]) -> tuple[Driven, ...]:
    """The segments in driving order; outside special stages no waypoint is missed."""
    return tuple(
        Driven(segment, time, _waypoints(plan, segment, time, crossings))
        for segment, time in zip(plan.ordered(), times, strict=True)
    )


def _waypoints(plan: StagePlan, segment: SegmentPlan, time: SegmentTime, crossings: Record) -> WaypointReading:
    if not segment.special:
        return WaypointReading()
    return read_waypoints(segment, crossings, time, allow_back=plan.allow_back)


def late_passages(segments: Sequence[Driven]) -> tuple[LatePassage, ...]:
    """Waypoints validated after they had closed (4.3)."""
    return tuple(
        LatePassage(v.waypoint, v.waypoint.closes_ts, v.ts)
        for one in segments
        for v in one.waypoints.validated
        if v.waypoint.closes_ts is not None and v.ts > v.waypoint.closes_ts
    )


def starts(segments: Sequence[Driven], assigned: Mapping[str, int]) -> tuple[StartDrive, ...]:
    """The special stages whose start control was passed by an entry with a start time."""
    return tuple(
        StartDrive(one.segment.id, assigned[one.segment.id], one.time.driven_ts)
        for one in segments
        if one.segment.special and one.segment.id in assigned and one.time.driven_ts is not None
    )


def neutral_stays(segments: Sequence[Driven]) -> tuple[NeutralStay, ...]:
    """The neutralisations passed through (8.1)."""
    return tuple(
        NeutralStay(one.segment.id, one.time.start_ts, one.time.finish_ts, allotted)
        for one in segments
        if one.segment.type is SegmentType.NEUTRALISATION
        and one.time.start_ts is not None
        and one.time.finish_ts is not None
        and (allotted := one.segment.neutral_ms or one.segment.target_ms or 0) > 0
    )


def segment_drives(segments: Sequence[Driven]) -> tuple[SegmentDrive, ...]:
    """Special stages and liaisons against their maximum times."""
    kinds = (SegmentType.SPECIAL_STAGE, SegmentType.LIAISON)
    return tuple(
        SegmentDrive(
            segment=one.segment.id,
            special=one.segment.special,
            raw_ms=_priced_ms(one),
            maximum_ms=one.segment.maximum_ms,
            started=one.time.start_ts is not None,
        )
        for one in segments
        if one.segment.type in kinds
    )


def _priced_ms(one: Driven) -> int | None:
    """The time held against the maximum; one awarded instead of it (8.3) is not.

    What is given back on a special stage comes off only after the maximum (5.4); on the road it is a delay allowance,
    within which nobody is late (MSUK 10.1d).
    """
    if one.time.raw_ms is None or one.time.notional:
        return None
    allowed = 0 if one.segment.special else one.time.credit_ms
    return truncated(one.time.raw_ms - allowed, one.segment)


def maximum_ms(plan: StagePlan) -> int | None:
    """The maximum times of the special stages together; None where one has none."""
    limits = [segment.maximum_ms for segment in plan.segments if segment.special]
    known = [limit for limit in limits if limit is not None]
    return sum(known) if known and len(known) == len(limits) else None


def zone_drives(
    plan: StagePlan, crossings: Record, segments: Sequence[Driven], evidence: tuple[Fixes, str]
) -> tuple[ZoneDrive, ...]:
    """Every speed zone that bound the entry; `evidence` is its fixes and its class.

    Where zones overlap the lower limit wins: the other one is not judged by those fixes (3.6). The limit of a whole
    segment holds where no zone does (3.1).
    """
    fixes = evidence[0].between(plan.from_ts, END_OF_TIME if plan.to_ts is None else plan.to_ts)
    drives = [
        _drive(one.segment, zone, _closed(intervals, zone, one), (fixes, evidence[1]))
        for one in segments
        for zone in one.segment.zones
        if (span := _span(plan, one)) is not None and (intervals := zone_intervals(zone, crossings, span, fixes))
    ]
    zones = [_outside_stricter(drive, drives) for drive in drives]
    whole = [_outside_zones(drive, drives) for drive in _whole_segments(segments, (fixes, evidence[1]))]
    return (*zones, *whole)


def _closed(intervals: Sequence[ZoneInterval], zone: SpeedZonePlan, one: Driven) -> tuple[ZoneInterval, ...]:
    """An interval whose FZ was missed ends at the next waypoint validated beyond it (3.1).

    One whose DZ was missed begins at the first waypoint between the two, where the vehicle was inside for certain.
    """
    orders = {w.control: w.order for w in one.segment.waypoints}
    begin, end = orders.get(zone.dz or ""), orders.get(zone.fz or "")
    if end is None:
        return tuple(intervals)
    passed = [(v.waypoint.order, v.ts) for v in one.waypoints.validated]
    beyond = [ts for order, ts in passed if order > end]
    inside = [] if begin is None else [ts for order, ts in passed if begin < order < end]
    return tuple(_ending(_beginning(interval, inside), beyond) for interval in intervals)


def _beginning(interval: ZoneInterval, inside: Sequence[int]) -> ZoneInterval:
    ts = min((t for t in inside if t <= interval.from_ts), default=None)
    if interval.review != DZ_MISSED or ts is None:
        return interval
    return ZoneInterval(ts, interval.to_ts, DZ_LATE)


def _ending(interval: ZoneInterval, beyond: Sequence[int]) -> ZoneInterval:
    ts = min((t for t in beyond if t >= interval.from_ts), default=None)
    open_end = interval.to_ts is None or interval.review == FZ_MISSED
    return ZoneInterval(interval.from_ts, ts, FZ_MISSED) if open_end and ts is not None else interval


def _outside_stricter(drive: ZoneDrive, drives: Sequence[ZoneDrive]) -> ZoneDrive:
    stricter = [i for other in drives if other.limit_kmh < drive.limit_kmh for i in other.intervals]
    return _without(drive, stricter)


def _outside_zones(drive: ZoneDrive, drives: Sequence[ZoneDrive]) -> ZoneDrive:
    return _without(drive, [interval for other in drives for interval in other.intervals])


def _without(drive: ZoneDrive, intervals: Sequence[ZoneInterval]) -> ZoneDrive:
    if not intervals:
        return drive
    kept, compared = (tuple(_outside(one, intervals) for one in of) for of in (drive.fixes, drive.others))
    return replace(drive, fixes=kept, others=compared)


def _outside(fixes: Fixes, intervals: Sequence[ZoneInterval]) -> Fixes:
    keep = np.ones(len(fixes), dtype=bool)
    for interval in intervals:
        until = END_OF_TIME if interval.to_ts is None else interval.to_ts
        keep &= (fixes.ts < interval.from_ts) | (fixes.ts > until)
    return Fixes.build(fixes.device, fixes.ts, fixes.lat, fixes.lon, fixes.speed, usable=keep)


def _whole_segments(segments: Sequence[Driven], evidence: tuple[Fixes, str]) -> Iterator[ZoneDrive]:
    """The segments with a limit of their own, as zones from their start to their finish."""
    for one in segments:
        limit = one.segment.class_limits.get(evidence[1], one.segment.limit_kmh)
        if limit is not None and one.time.start_ts is not None:
            zone = SpeedZonePlan(one.segment.id, limit, polygon=one.segment.id)
            yield _drive(one.segment, zone, (ZoneInterval(one.time.start_ts, one.time.finish_ts),), evidence)


def _drive(
    segment: SegmentPlan,
    zone: SpeedZonePlan,
    intervals: tuple[ZoneInterval, ...],
    evidence: tuple[Fixes, str],
) -> ZoneDrive:
    fixes, race_class = evidence
    return ZoneDrive(
        zone=zone.id,
        segment=segment.id,
        limit_kmh=zone.limit_for(race_class),
        tolerance_kmh=zone.tolerance_kmh,
        intervals=intervals,
        fixes=tuple(of_one for interval in intervals for of_one in judged(fixes, interval)),
        others=tuple(of_one for interval in intervals for of_one in others(fixes, interval)),
    )


def _span(plan: StagePlan, one: Driven) -> Window | None:
    """When the segment's zones bind: a special stage only once started, other segments at any time.

    Open while the segment is not finished; the crossings and fixes end with the stage's window anyhow.
    """
    if one.segment.special and one.time.start_ts is None:
        return None
    from_ts = plan.from_ts if one.time.start_ts is None else one.time.start_ts
    return Window(from_ts, one.time.finish_ts)


def lost_starts(plan: StagePlan, crossings: Record, times: Sequence[SegmentTime]) -> Iterator[str]:
    """Special stages that were driven, as controls only they have were crossed, but never started.

    Neutralisations, too: without its DN no countdown has begun, whatever was seen at the FN (8.1).
    """
    for segment, time in zip(plan.ordered(), times, strict=True):
        others = {c for other in plan.segments if other is not segment for c in other.controls()}
        startable = segment.special or segment.type is SegmentType.NEUTRALISATION
        if startable and time.start_ts is None and _ahead(segment, others) & crossings.keys():
            yield segment.id


def _ahead(segment: SegmentPlan, others: set[str]) -> set[str]:
    start = segment.start.control if segment.start else ""
    return set(segment.controls()) - others - {start}
