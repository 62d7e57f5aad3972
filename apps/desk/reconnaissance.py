"""A course proved by a recorded track before anybody drives it: the very detection and timing of the rally."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from apps.common.gpx import GpxTrack
from apps.course.domain.controls import Control
from apps.course.domain.fixes import Fixes
from apps.course.domain.geometry import geometry_control
from apps.course.models import Segment, SegmentType, Stage, Waypoint
from apps.timing.domain.analysis import Place, analyse

THINNED_TO = 4000


@dataclass(frozen=True, slots=True)
class Proof:
    """What a track shows on a course, and its line as (longitude, latitude)."""

    found: dict[str, Any]
    line: list[list[float]]
    points: int
    without_time: int


def prove(stage: Stage, track: GpxTrack) -> Proof:
    """Every crossing, gap, time, missed waypoint and speed-zone interval of a track on a stage.

    Raises ValueError for a shape that cannot be, or a track without a point that has a time.
    """
    if not track.points:
        raise ValueError("the file has no point with a time")
    fixes = Fixes.build(
        device=0,
        ts=[point.ts for point in track.points],
        lat=[point.lat for point in track.points],
        lon=[point.lon for point in track.points],
        speed=[np.nan if point.speed_kmh is None else point.speed_kmh for point in track.points],
    )
    step = max(1, len(track.points) // THINNED_TO)
    line = [[point.lon, point.lat] for point in track.points[::step]]
    return Proof(analyse(list(places(stage)), fixes), line, len(track.points), track.without_time)


def places(stage: Stage) -> Iterator[Place]:
    """The stage's controls in the order of the road, each under a name of its own."""
    taken: set[str] = set()
    segments = stage.segments.select_related("entry_geofence", "exit_geofence")
    for n, segment in enumerate(segments.prefetch_related("waypoints", "speed_limit_zones"), start=1):
        for place in _of_segment(segment, n * 100_000):
            name = _own(place.control.id, taken)
            yield Place(_named(place.control, name), place.type, place.order, place.limit_kmh)


def _of_segment(segment: Segment, order: int) -> Iterator[Place]:
    special = segment.type == SegmentType.SPECIAL_STAGE
    begin, end = (segment.entry_geofence, segment.exit_geofence) if special else (None, None)
    if begin:
        yield Place(geometry_control(begin.name, begin.geometry, begin.bearing), "DSS", order)
    limits = {zone.dz_waypoint_id: zone.speed_limit_kmh for zone in segment.speed_limit_zones.all()}
    for waypoint in segment.waypoints.all():
        replaced = (begin and waypoint.type == "DSS") or (end and waypoint.type == "ASS") or not special
        type_ = "WPV" if replaced and waypoint.type in ("DSS", "ASS") else waypoint.type
        yield Place(_circle(waypoint), type_, order + 1 + waypoint.sort_order, limits.get(waypoint.pk))
    if end:
        yield Place(geometry_control(end.name, end.geometry, end.bearing), "ASS", order + 99_998)
    for zone in segment.speed_limit_zones.all():
        if zone.geometry is not None:
            yield Place(geometry_control(str(zone), zone.geometry), "", order + 99_999, zone.speed_limit_kmh)


def _circle(waypoint: Waypoint) -> Control:
    return Control.circle(str(waypoint), waypoint.latitude, waypoint.longitude, waypoint.tolerance_meters)


def _own(name: str, taken: set[str]) -> str:
    own, n = name, 1
    while own in taken:
        n += 1
        own = f"{name} ({n})"
    taken.add(own)
    return own


def _named(control: Control, name: str) -> Control:
    return Control(name, control.shape, control.points, control.holes, control.radius_m, control.bearing)
