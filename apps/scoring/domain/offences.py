"""Gathering what one entry did in one stage, for the evaluators."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from apps.course.domain.fixes import Fixes
from apps.penalties.domain.registry import ZoneDrive
from apps.timing.domain.passages import Record, Window
from apps.timing.domain.plan import SegmentPlan, SpeedZonePlan, StagePlan
from apps.timing.domain.segment_times import SegmentTime
from apps.timing.domain.waypoints import WaypointReading, read_waypoints
from apps.timing.domain.zone_intervals import ZoneInterval, zone_intervals

_END_OF_TIME = 2**62


def waypoint_readings(plan: StagePlan, crossings: Record, times: Sequence[SegmentTime]) -> tuple[WaypointReading, ...]:
    """The waypoints of every special stage; elsewhere none is missed."""
    pairs = zip(plan.ordered(), times, strict=True)
    return tuple(read_waypoints(segment, crossings, time) for segment, time in pairs if segment.special)


def zone_drives(
    plan: StagePlan, crossings: Record, times: Sequence[SegmentTime], evidence: tuple[Fixes, str]
) -> tuple[ZoneDrive, ...]:
    """Every speed zone that bound the entry; `evidence` is its fixes and its class.

    Where zones overlap the lower limit wins: the other one is not judged by those fixes (3.6).
    """
    fixes = evidence[0].between(plan.from_ts, _END_OF_TIME if plan.to_ts is None else plan.to_ts)
    drives = [
        _drive(segment, zone, intervals, (fixes, evidence[1]))
        for segment, time in zip(plan.ordered(), times, strict=True)
        for zone in segment.zones
        if (span := _span(plan, segment, time)) is not None
        and (intervals := zone_intervals(zone, crossings, span, fixes))
    ]
    return tuple(_outside_stricter(drive, drives) for drive in drives)


def _outside_stricter(drive: ZoneDrive, drives: Sequence[ZoneDrive]) -> ZoneDrive:
    stricter = [i for other in drives if other.limit_kmh < drive.limit_kmh for i in other.intervals]
    if not stricter:
        return drive
    return replace(drive, fixes=tuple(_outside(fixes, stricter) for fixes in drive.fixes))


def _outside(fixes: Fixes, intervals: Sequence[ZoneInterval]) -> Fixes:
    keep = np.ones(len(fixes), dtype=bool)
    for interval in intervals:
        until = _END_OF_TIME if interval.to_ts is None else interval.to_ts
        keep &= (fixes.ts < interval.from_ts) | (fixes.ts > until)
    return Fixes.build(fixes.device, fixes.ts, fixes.lat, fixes.lon, fixes.speed, usable=keep)


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
        fixes=tuple(_of_lowest_device(fixes, interval) for interval in intervals),
    )


def _span(plan: StagePlan, segment: SegmentPlan, time: SegmentTime) -> Window | None:
    """When the segment's zones bind: a special stage only once started, other segments at any time.

    Open while the segment is not finished; the crossings and fixes end with the stage's window anyhow.
    """
    if segment.special and time.start_ts is None:
        return None
    from_ts = plan.from_ts if time.start_ts is None else time.start_ts
    return Window(from_ts, time.finish_ts)


def _of_lowest_device(fixes: Fixes, interval: ZoneInterval) -> Fixes:
    """The fixes of the first device by priority that has any in the interval."""
    within = fixes.between(interval.from_ts, _END_OF_TIME if interval.to_ts is None else interval.to_ts)
    return within.of_device(int(within.device.min())) if len(within) else within


def lost_starts(plan: StagePlan, crossings: Record, times: Sequence[SegmentTime]) -> Iterator[str]:
    """Special stages that were driven, as controls only they have were crossed, but never started."""
    for segment, time in zip(plan.ordered(), times, strict=True):
        others = {c for other in plan.segments if other is not segment for c in other.controls()}
        if segment.special and time.start_ts is None and _ahead(segment, others) & crossings.keys():
            yield segment.id


def _ahead(segment: SegmentPlan, others: set[str]) -> set[str]:
    start = segment.start.control if segment.start else ""
    return set(segment.controls()) - others - {start}
