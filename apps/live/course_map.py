"""The course as GeoJSON, as much of it as a visitor may know.

Who may see the controls by the policy sees them all. To everybody else where a stage leads is a secret of the crews
until it is over; while it is open they see where it starts and ends, its speed zones, and the areas of the event.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from apps.accounts.policy import may
from apps.accounts.rights import AnyUser
from apps.course.models import Geofence, GeofenceKind, Segment, SpeedLimitZone, Waypoint
from apps.events.models import Event
from apps.live.pages import Visit
from apps.live.stage_times import StageTime, stage_times

PLACES = (GeofenceKind.BIVOUAC, GeofenceKind.PARC_FERME)  # of the event, not of a stage
NO_SECRET = ("DSS", "ASS", "TC", "DN", "FN", "DZ", "FZ")

Feature = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The ids of the stages a visitor knows: wholly, or only where they start and end."""

    whole: frozenset[object]
    ends: frozenset[object]


def course(user: AnyUser, seen: Visit) -> Feature:
    """A FeatureCollection; `kind` of each is waypoint, leg, zone, area or gate."""
    known = _knowledge(user, seen)
    segments = list(Segment.objects.filter(stage__event=seen.event).select_related("stage"))
    waypoints = list(Waypoint.objects.filter(segment__stage__event=seen.event).select_related("segment"))
    features = [
        *_areas(seen.event, segments, known),
        *_zones(seen.event, known),
        *_legs(segments, waypoints, known),
        *(_waypoint(one) for one in waypoints if _is_known(one, known)),
    ]
    return {"type": "FeatureCollection", "features": features}


def _knowledge(user: AnyUser, seen: Visit) -> Knowledge:
    times = stage_times(seen.event, seen.audience)
    if may(user, "view", Waypoint, event=seen.event):
        every = frozenset(time.stage.id for time in times)
        return Knowledge(every, every)
    return Knowledge(_ids(times, lambda time: time.over), _ids(times, lambda time: time.open or time.over))


def _ids(times: Iterable[StageTime], holds: Any) -> frozenset[object]:
    return frozenset(time.stage.id for time in times if holds(time))


def _is_known(waypoint: Waypoint, known: Knowledge) -> bool:
    stage = waypoint.segment.stage_id
    return stage in known.whole or (stage in known.ends and waypoint.type in NO_SECRET)


def _areas(event: Event, segments: Sequence[Segment], known: Knowledge) -> Iterator[Feature]:
    used: dict[object, set[object]] = {}
    for segment in segments:
        for id in (segment.entry_geofence_id, segment.exit_geofence_id):
            used.setdefault(id, set()).add(segment.stage_id)
    for fence in Geofence.objects.filter(event=event):
        stages = used.get(fence.id, set())
        if fence.kind in PLACES and known.ends or stages & known.ends or (not stages and _knows_all(event, known)):
            kind = "gate" if fence.geometry["type"] == "LineString" else "area"
            only = {"stage": str(*stages)} if len(stages) == 1 else {}  # the one it belongs to
            yield _feature(fence.geometry, kind=kind, name=fence.name, type=fence.kind, **only)


def _knows_all(event: Event, known: Knowledge) -> bool:
    return bool(known.whole) and len(known.whole) == event.stages.count()


def _zones(event: Event, known: Knowledge) -> Iterator[Feature]:
    zones = SpeedLimitZone.objects.filter(segment__stage__event=event, geometry__isnull=False)
    for zone in zones.select_related("segment"):
        if zone.segment.stage_id in known.ends:
            yield _feature(
                zone.geometry,
                kind="zone",
                name=zone.name,
                limit=zone.speed_limit_kmh,
                stage=str(zone.segment.stage_id),
            )


def _legs(segments: Sequence[Segment], waypoints: Sequence[Waypoint], known: Knowledge) -> Iterator[Feature]:
    """A straight line from waypoint to waypoint: the order of the controls, not the track."""
    for segment in segments:
        line = [[one.longitude, one.latitude] for one in waypoints if one.segment_id == segment.id]
        if segment.stage_id in known.whole and len(line) > 1:
            geometry = {"type": "LineString", "coordinates": line}
            yield _feature(geometry, kind="leg", name=str(segment), type=segment.type, stage=str(segment.stage_id))


def _waypoint(one: Waypoint) -> Feature:
    geometry = {"type": "Point", "coordinates": [one.longitude, one.latitude]}
    said = {"name": str(one), "type": one.type, "radius": one.tolerance_meters, "stage": str(one.segment.stage_id)}
    return _feature(geometry, kind="waypoint", **said)


def _feature(geometry: Any, **properties: Any) -> Feature:
    return {"type": "Feature", "geometry": geometry, "properties": properties}
