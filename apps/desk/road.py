"""The controls of a stage in the order they are driven, as officials pick them."""

from collections.abc import Iterator
from dataclasses import dataclass

from apps.course.models import Segment, SegmentType, Stage, Waypoint
from apps.scoring.plans import event_plan
from apps.timing.domain.plan import StagePlan


@dataclass(frozen=True, slots=True)
class Spot:
    """A control of a stage: what it is called, its type ("" of a geofence), and the end of a segment it is."""

    id: str
    name: str
    type: str
    segment: str
    segment_id: str
    end: str = ""  # "start", "finish" or ""

    @property
    def timed(self) -> bool:
        """Whether a clock is read there: the ends of specials, and time controls."""
        return bool(self.end) or self.type in ("TC", "DSS", "ASS", "DN", "FN")


def spots(stage: Stage) -> list[Spot]:
    """Every control whose passing is a time: the ends of segments and their waypoints, once each."""
    segments = stage.segments.select_related("entry_geofence", "exit_geofence").prefetch_related("waypoints")
    found: dict[str, Spot] = {}
    for segment in segments:
        for spot in _of_segment(segment):
            found.setdefault(spot.id, spot)
    return list(found.values())


def stage_plan(stage: Stage) -> StagePlan:
    """The stage as scoring reads it. Raises ValueError for a course that cannot be read."""
    return next(one for one in event_plan(str(stage.event_id)).stages if one.id == str(stage.pk))


def _of_segment(segment: Segment) -> Iterator[Spot]:
    special = segment.type == SegmentType.SPECIAL_STAGE
    about = (str(segment), str(segment.pk))
    if segment.entry_geofence:
        yield Spot(str(segment.entry_geofence.pk), segment.entry_geofence.name, "", *about, "start" if special else "")
    for waypoint in segment.waypoints.all():
        yield _of_waypoint(waypoint, about, segment if special else None)
    if segment.exit_geofence:
        yield Spot(str(segment.exit_geofence.pk), segment.exit_geofence.name, "", *about, "finish" if special else "")


def _of_waypoint(waypoint: Waypoint, about: tuple[str, str], special: Segment | None) -> Spot:
    end = ""
    if special and waypoint.type == "DSS" and special.entry_geofence_id is None:
        end = "start"
    if special and waypoint.type == "ASS" and special.exit_geofence_id is None:
        end = "finish"
    return Spot(str(waypoint.pk), str(waypoint), waypoint.type, *about, end)
