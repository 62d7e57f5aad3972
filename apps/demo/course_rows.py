"""The demo's course as rows: stages, segments, controls, zones."""

from collections.abc import Mapping, Sequence

from apps.common.position import instant
from apps.course.models import (
    Geofence,
    GeofenceKind,
    Segment,
    SegmentType,
    SpeedLimitZone,
    Stage,
    StageRole,
    StartFrom,
    Waypoint,
)
from apps.demo.domain.course import Point, StageCourse
from apps.events.models import Event


def make_stage(event: Event, order: int, course: StageCourse) -> Segment:
    """A stage with liaison, special stage and liaison; returns the special stage."""
    stage = Stage.objects.create(
        event=event,
        name=course.name,
        sort_order=order,
        role=StageRole(course.role),
        starts_at=instant(course.starts_ts),
    )
    out = Segment.objects.create(stage=stage, name="Liaison out", sort_order=1, type=SegmentType.LIAISON)
    special = _special(event, stage, course)
    back = Segment.objects.create(stage=stage, name="Liaison in", sort_order=3, type=SegmentType.LIAISON)
    half = course.start_m
    controls = [point for point in course.points if point.type == "TC"]
    _waypoints(out, course, [point for point in controls if point.at_m < half])
    _waypoints(back, course, [point for point in controls if point.at_m >= half])
    points = _waypoints(special, course, [point for point in course.points if point.type != "TC"])
    _zones(special, course, points)
    return special


def _special(event: Event, stage: Stage, course: StageCourse) -> Segment:
    Geofence.objects.create(
        event=event,
        name=f"{course.name}: bivouac",
        kind=GeofenceKind.BIVOUAC,
        geometry={
            "type": "Polygon",
            "coordinates": [course.road.area(course.road.length_m - 300, course.road.length_m)],
        },
    )
    start = _gate(event, course, "start", course.start_m) if course.start_is_gate else None
    finish = _gate(event, course, "finish", course.finish_m) if course.finish_is_gate else None
    return Segment.objects.create(
        stage=stage,
        name=f"SS {stage.sort_order - 1}" if stage.sort_order > 1 else "Prologue",
        sort_order=2,
        type=SegmentType.SPECIAL_STAGE,
        entry_geofence=start,
        exit_geofence=finish,
        start_from=StartFrom.CROSSING if start else StartFrom.ASSIGNED,
        maximum_duration_seconds=course.maximum_s,
        neutralised_seconds=course.neutral_s,
    )


def _gate(event: Event, course: StageCourse, name: str, at_m: float) -> Geofence:
    ends = course.road.gate(at_m)
    return Geofence.objects.create(
        event=event,
        name=f"{course.name}: {name}",
        kind=GeofenceKind.GATE,
        geometry={"type": "LineString", "coordinates": [[round(lon, 7), round(lat, 7)] for lat, lon in ends]},
        bearing=round(course.road.bearing(at_m), 1),
    )


def _waypoints(segment: Segment, course: StageCourse, points: Sequence[Point]) -> dict[str, Waypoint]:
    """The points as rows, in road order; by name."""
    rows = []
    for order, point in enumerate(sorted(points, key=lambda p: p.at_m), start=1):
        lat, lon = course.road.place(point.at_m)
        rows.append(
            Waypoint(
                segment=segment,
                name=point.name,
                type=point.type,
                latitude=round(lat, 7),
                longitude=round(lon, 7),
                opening_radius=point.opening_m,
                tolerance_meters=point.radius_m,
                sort_order=10 * order,
            )
        )
    return {row.name: row for row in Waypoint.objects.bulk_create(rows)}


def _zones(segment: Segment, course: StageCourse, points: Mapping[str, Waypoint]) -> None:
    for zone in course.zones:
        ring = course.road.area(zone.from_m, zone.to_m)
        SpeedLimitZone.objects.create(
            segment=segment,
            name=zone.name,
            geometry={"type": "Polygon", "coordinates": [ring]} if zone.drawn else None,
            dz_waypoint=None if zone.drawn else points[f"DZ {zone.name}"],
            fz_waypoint=None if zone.drawn else points[f"FZ {zone.name}"],
            speed_limit_kmh=zone.limit_kmh,
        )
