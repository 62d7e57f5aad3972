"""A recorded track against a course, without any database: how organisers prove a course (analyse_track)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.common.position import iso
from apps.course.domain.controls import Control, Shape
from apps.course.domain.crossings import Course, Crossing, Detection, Direction, detect
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import distance_m
from apps.timing.domain.passages import Record, Window, record
from apps.timing.domain.plan import ControlPoint, SegmentPlan, SegmentType, SpeedZonePlan, StagePlan, WaypointPlan
from apps.timing.domain.segment_times import Facts, SegmentTime, segment_times
from apps.timing.domain.waypoints import read_waypoints
from apps.timing.domain.zone_intervals import ZoneInterval, zone_intervals

Json = dict[str, Any]
STARTS = frozenset({"DSS", "START"})
FINISHES = frozenset({"ASS", "FINISH"})


@dataclass(frozen=True, slots=True)
class Place:
    """A control of the course file, with what the file says about it; its name is its id."""

    control: Control
    type: str
    order: int
    limit_kmh: float | None = None


def analyse(places: Sequence[Place], fixes: Fixes) -> Json:
    """All that the track shows, as JSON values; instants ISO-8601 UTC with milliseconds.

    Each DSS with the ASS after it is a special stage; a course without any is read from the first fix to the
    last. Raises ValueError for a shape that cannot be.
    """
    course = Course(place.control for place in places)
    found = detect(fixes, course)
    plan = _plan(places)
    passages = record(found.crossings, plan)
    times = segment_times(plan, passages, Facts())
    pairs = [
        (segment, time if segment.special else _whole(segment.id, fixes))
        for segment, time in zip(plan.ordered(), times, strict=True)
    ]
    return {
        "crossings": [_crossing(c) for c in found.crossings],
        "passages": _passages(places, found),
        "gaps": [{"from": iso(g.before_ts), "to": iso(g.after_ts), "controls": list(g.controls)} for g in found.gaps],
        "suspicious": [iso(ts) for _, ts in found.suspicious],
        "segments": [_segment(segment, time) for segment, time in pairs if segment.special],
        "missed": [row for segment, time in pairs for row in _missed(segment, time, passages, places, fixes)],
        "zones": [row for segment, time in pairs for row in _zones(segment, time, passages, fixes)],
    }


def _plan(places: Sequence[Place]) -> StagePlan:
    """A stage with a special stage from each DSS to the next ASS, or one stretch of the whole course."""
    ordered = sorted(places, key=lambda place: place.order)
    starts = [place for place in ordered if place.type in STARTS]
    finishes = [place for place in ordered if place.type in FINISHES]
    segments = [
        _special(n, start, next((f for f in finishes if f.order >= start.order), None), ordered)
        for n, start in enumerate(starts)
    ]
    whole = SegmentPlan("course", SegmentType.LIAISON, 0, waypoints=_waypoints(ordered), zones=_speed_zones(ordered))
    return StagePlan("course", "course", 0, 0, None, tuple(segments) or (whole,))


def _special(number: int, start: Place, finish: Place | None, ordered: Sequence[Place]) -> SegmentPlan:
    last = finish.order if finish else max(place.order for place in ordered)
    inside = [place for place in ordered if start.order <= place.order <= last]
    # A polygon has no place in the order of the road: every special stage looks at every drawn zone.
    drawn = [place for place in ordered if place.control.shape is Shape.POLYGON and place not in inside]
    return SegmentPlan(
        id=f"{start.control.id} – {finish.control.id if finish else '?'}",
        type=SegmentType.SPECIAL_STAGE,
        order=number,
        start=_control_point(start),
        finish=_control_point(finish) if finish else None,
        waypoints=_waypoints(inside),
        zones=_speed_zones([*inside, *drawn]),
    )


def _control_point(place: Place) -> ControlPoint:
    gate = place.control.shape is Shape.GATE
    return ControlPoint(place.control.id, Direction.CUT if gate else Direction.ENTER)


def _waypoints(places: Sequence[Place]) -> tuple[WaypointPlan, ...]:
    circles = [place for place in places if place.control.shape is Shape.CIRCLE]
    return tuple(WaypointPlan(p.control.id, p.type or "WPV", p.order, p.control.id) for p in circles)


def _speed_zones(places: Sequence[Place]) -> tuple[SpeedZonePlan, ...]:
    """The polygons with a limit, and each DZ with a limit up to the FZ after it."""
    drawn = [
        SpeedZonePlan(p.control.id, p.limit_kmh, polygon=p.control.id)
        for p in places
        if p.limit_kmh is not None and p.control.shape is Shape.POLYGON
    ]
    return (*drawn, *_pairs(places))


def _pairs(places: Sequence[Place]) -> Iterator[SpeedZonePlan]:
    for place in places:
        if place.type == "DZ" and place.limit_kmh is not None:
            end = next((p for p in places if p.type == "FZ" and p.order > place.order), None)
            if end is not None:
                yield SpeedZonePlan(place.control.id, place.limit_kmh, dz=place.control.id, fz=end.control.id)


def _whole(segment: str, fixes: Fixes) -> SegmentTime:
    return SegmentTime(segment, int(fixes.ts[0]), int(fixes.ts[-1]), None, None)


def _crossing(crossing: Crossing) -> Json:
    return {
        "control": crossing.control,
        "direction": crossing.direction.value,
        "ts": iso(crossing.ts),
        "uncertainty_ms": crossing.uncertainty_ms,
        "fraction": crossing.fraction,
        "min_distance_m": crossing.min_distance_m,
    }


def _passages(places: Sequence[Place], found: Detection) -> list[Json]:
    """The first crossing of each control: into an area, over a gate."""
    first: dict[str, Crossing] = {}
    for crossing in found.crossings:
        if crossing.direction is not Direction.LEAVE:
            first.setdefault(crossing.control, crossing)
    named = ((place.control.id, first.get(place.control.id)) for place in places)
    return [{"control": name, "ts": iso(c.ts), "uncertainty_ms": c.uncertainty_ms} for name, c in named if c]


def _segment(segment: SegmentPlan, time: SegmentTime) -> Json:
    return {
        "segment": segment.id,
        "start": None if time.start_ts is None else iso(time.start_ts),
        "finish": None if time.finish_ts is None else iso(time.finish_ts),
        "raw_ms": time.raw_ms,
        "time_ms": time.net_ms,
    }


def _missed(
    segment: SegmentPlan, time: SegmentTime, passages: Record, places: Sequence[Place], fixes: Fixes
) -> Iterator[Json]:
    """The waypoints not validated, with the smallest distance the whole track came to them."""
    controls = {place.control.id: place.control for place in places}
    for waypoint in read_waypoints(segment, passages, time).missed:
        centre = controls[waypoint.control].points[0]
        yield {
            "control": waypoint.id,
            "type": waypoint.type,
            "order": waypoint.order,
            "nearest_fix_m": round(float(distance_m(fixes.lat, fixes.lon, *centre).min()), 1),
        }


def _zones(segment: SegmentPlan, time: SegmentTime, passages: Record, fixes: Fixes) -> Iterator[Json]:
    span = Window(int(fixes.ts[0]) if time.start_ts is None else time.start_ts, time.finish_ts)
    speeds = _speeds(fixes)
    for zone in segment.zones:
        for interval in zone_intervals(zone, passages, span, fixes):
            yield _zone(zone, interval, fixes, speeds)


def _zone(zone: SpeedZonePlan, interval: ZoneInterval, fixes: Fixes, speeds: Mapping[int, float]) -> Json:
    end = int(fixes.ts[-1]) if interval.to_ts is None else interval.to_ts
    inside = [speeds[ts] for ts in fixes.between(interval.from_ts, end).ts.tolist() if ts in speeds]
    return {
        "control": zone.id,
        "limit_kmh": zone.limit_kmh,
        "from": iso(interval.from_ts),
        "to": None if interval.to_ts is None else iso(interval.to_ts),
        "peak_kmh": round(max(inside), 1) if inside else None,
        "fixes": len(inside),
        "fixes_over": sum(speed > zone.limit_kmh for speed in inside),
        "review": interval.review,
    }


def _speeds(fixes: Fixes) -> dict[int, float]:
    """km/h at each fix: the device's own, else that of the chord which ends there."""
    chord = distance_m(fixes.lat[:-1], fixes.lon[:-1], fixes.lat[1:], fixes.lon[1:])
    computed = np.concatenate([[np.nan], chord / np.maximum(np.diff(fixes.ts), 1) * 3600])
    speed = np.where(np.isnan(fixes.speed), computed, fixes.speed)
    return {int(ts): float(v) for ts, v in zip(fixes.ts, speed, strict=True) if not np.isnan(v)}
