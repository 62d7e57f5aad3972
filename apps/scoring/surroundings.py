"""The course around a penalty: the controls of its stage as shapes, their names, and where segments begin and end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from apps.course.domain.controls import Control
from apps.course.domain.geometry import geometry_control
from apps.course.models import Geofence, Segment, SegmentType, SpeedLimitZone, Stage, Waypoint
from apps.scoring.domain.scenes import Ends, Setting
from apps.scoring.inputs import milliseconds
from apps.timing.domain.plan import COUNTED_WAYPOINTS


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Controls and names by id, as they are now; the stage's window in epoch ms, open-ended when `to_ts` is None."""

    setting: Setting
    controls: Mapping[str, Control]
    names: Mapping[str, str]
    from_ts: int
    to_ts: int | None


def surroundings(stage: Stage) -> Surroundings:
    """Of one stage, with a fixed number of queries."""
    segments = list(
        Segment.objects.filter(stage=stage)
        .select_related("entry_geofence", "exit_geofence")
        .prefetch_related("waypoints", "speed_limit_zones")
    )
    following = Stage.objects.filter(event=stage.event_id, starts_at__gt=stage.starts_at).order_by("starts_at").first()
    return Surroundings(
        setting=Setting(
            segments={str(segment.id): _ends(segment) for segment in segments},
            zones={str(zone.id): _of_zone(zone) for s in segments for zone in s.speed_limit_zones.all()},
        ),
        controls={control.id: control for segment in segments for control in _controls(segment)},
        names=dict(name for segment in segments for name in _names(segment)),
        from_ts=milliseconds(stage.starts_at),
        to_ts=milliseconds(following.starts_at) - 1 if following else None,
    )


def _ends(segment: Segment) -> Ends:
    waypoints = list(segment.waypoints.all())
    neutral = segment.type == SegmentType.NEUTRALISATION
    first, last = ("DN", "FN") if neutral else ("DSS", "ASS")
    counted = tuple(str(w.id) for w in waypoints if w.type in COUNTED_WAYPOINTS)
    return Ends(_end(segment.entry_geofence, waypoints, first), _end(segment.exit_geofence, waypoints, last), counted)


def _end(fence: Geofence | None, waypoints: Sequence[Waypoint], type_: str) -> str:
    if fence is not None:
        return str(fence.id)
    return next((str(waypoint.id) for waypoint in waypoints if waypoint.type == type_), "")


def _of_zone(zone: SpeedLimitZone) -> tuple[str, ...]:
    if zone.geometry is not None:
        return (str(zone.id),)
    return str(zone.dz_waypoint_id), str(zone.fz_waypoint_id)


def _controls(segment: Segment) -> Iterator[Control]:
    for fence in (segment.entry_geofence, segment.exit_geofence):
        if fence is not None:
            yield geometry_control(fence.id, fence.geometry, fence.bearing)
    for point in segment.waypoints.all():
        yield Control.circle(str(point.id), point.latitude, point.longitude, point.tolerance_meters)
    for zone in segment.speed_limit_zones.all():
        if zone.geometry is not None:
            yield geometry_control(zone.id, zone.geometry)


def _names(segment: Segment) -> Iterator[tuple[str, str]]:
    rows = (segment, segment.entry_geofence, segment.exit_geofence)
    for row in (*rows, *segment.waypoints.all(), *segment.speed_limit_zones.all()):
        if row is not None:
            yield str(row.id), str(row)
