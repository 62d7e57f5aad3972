"""Acts on a course. Importing one: all is checked first, and with any error nothing is written."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Avg

from apps.common.said import Said, about, listed
from apps.course import queries
from apps.course.domain.importing import (
    FILE,
    Finding,
    ImportedCourse,
    ImportedFence,
    ImportedZone,
    Severity,
    has_errors,
    read_course,
)
from apps.course.domain.importing.points import EXCHANGED, seem_exchanged
from apps.course.models import Geofence, Segment, SpeedLimitZone, Waypoint
from apps.events.models import Event


@dataclass(frozen=True, slots=True)
class Report:
    """What an import found, and the numbers of what it wrote, or would have written in a dry run."""

    filename: str
    findings: tuple[Finding, ...]
    waypoints: int = 0
    fences: int = 0
    zones: int = 0

    @property
    def errors(self) -> int:
        return sum(finding.severity is Severity.ERROR for finding in self.findings)


def import_course(
    segment: Segment, filename: str, data: bytes, *, replace: bool = False, dry_run: bool = False
) -> Report:
    """Import a file's waypoints, zones and geofences into a segment; with any error nothing is written.

    `replace` removes the segment's waypoints and zones first, and moves the event's geofences of the same names;
    it is refused when evidence, readings, rules or decisions refer to them.
    """
    course, found = read_course(filename, data)
    with transaction.atomic():
        # Two imports into one event wait for each other: what is checked here is still so when it is written.
        event = Event.objects.select_for_update(no_key=True).get(id=segment.stage.event_id)
        segment = Segment.objects.select_related("stage").get(id=segment.id)
        findings = (*found, *_check_where(course, event), *_check_room(course, segment, event, replace))
        if has_errors(findings):
            return Report(filename, findings)
        if not dry_run:
            _write(course, segment, event)
    return Report(filename, findings, len(course.waypoints), len(course.fences), len(course.zones))


def _check_where(course: ImportedCourse, event: Event) -> list[Finding]:
    """A whole file with latitude and longitude exchanged shows only beside the rest of the event."""
    others = Waypoint.objects.filter(segment__stage__event=event).aggregate(lat=Avg("latitude"), lon=Avg("longitude"))
    if others["lat"] is None or not course.waypoints:
        return []
    first = course.waypoints[0]
    if not seem_exchanged(first.lat, first.lon, others["lat"], others["lon"]):
        return []
    reason = about(EXCHANGED, Said("the event's other waypoints are elsewhere"))
    return [Finding(Severity.WARNING, first.place, "coordinates", reason)]


def _check_room(course: ImportedCourse, segment: Segment, event: Event, replace: bool) -> list[Finding]:
    """Errors for what is in the way of the import."""
    fences = list(Geofence.objects.filter(event=event, name__in=[fence.name for fence in course.fences]))
    if replace:
        moved = [_moved(fence) for fence in _taken(course, fences)]
        return [*moved, *_check_references(segment, fences)]
    findings = [_in_the_way(fence.place, "name", Said("a geofence of this name")) for fence in _taken(course, fences)]
    if segment.waypoints.exists() or segment.speed_limit_zones.exists():
        findings.append(_in_the_way(FILE, "segment", Said("what %(segment)s has", segment=segment)))
    for fence in course.fences:
        if fence.role and getattr(segment, f"{_ENDS[fence.role]}_id") is not None:
            findings.append(_in_the_way(fence.place, "type", TAKEN[fence.role]))
    return findings


def _taken(course: ImportedCourse, existing: Sequence[Geofence]) -> list[ImportedFence]:
    names = {fence.name for fence in existing}
    return [fence for fence in course.fences if fence.name in names]


def _moved(fence: ImportedFence) -> Finding:
    return Finding(Severity.WARNING, fence.place, "name", Said("the event's geofence of this name is moved here"))


def _in_the_way(place: Said, field: str, what: Said) -> Finding:
    text = Said("%(what)s is in the way; replace it, or take another", what=what)
    return Finding(Severity.ERROR, place, field, text)


def _check_references(segment: Segment, fences: Sequence[Geofence]) -> list[Finding]:
    """Errors for what refers to the controls that replacing would remove or move."""
    rows = (*segment.waypoints.all(), *segment.speed_limit_zones.all(), *fences)
    found = queries.references([row.id for row in rows])
    abroad = SpeedLimitZone.objects.exclude(segment=segment)
    zones = (abroad.filter(dz_waypoint__segment=segment) | abroad.filter(fz_waypoint__segment=segment)).count()
    if zones:
        found.append(Said("%(n)s speed zones of other segments", n=zones))
    reason = Said("cannot be replaced: its controls are referred to by %(what)s", what=listed(found))
    return [Finding(Severity.ERROR, FILE, "segment", reason)] if found else []


TAKEN = {"start": Said("the segment's start"), "finish": Said("the segment's finish")}
_ENDS = {"start": "entry_geofence", "finish": "exit_geofence"}


def _write(course: ImportedCourse, segment: Segment, event: Event) -> None:
    segment.speed_limit_zones.all().delete()
    segment.waypoints.all().delete()
    points = [
        Waypoint(
            segment=segment,
            name=point.name,
            type=point.type,
            latitude=point.lat,
            longitude=point.lon,
            opening_radius=point.open_m,
            tolerance_meters=point.clear_m,
            sort_order=point.order,
        )
        for point in course.waypoints
    ]
    Waypoint.objects.bulk_create(points)
    by_order = {point.sort_order: point for point in points}
    SpeedLimitZone.objects.bulk_create(_zone(zone, segment, by_order) for zone in course.zones)
    for fence in course.fences:
        _write_fence(fence, segment, event)
    segment.save()


def _zone(zone: ImportedZone, segment: Segment, points: dict[int, Waypoint]) -> SpeedLimitZone:
    return SpeedLimitZone(
        segment=segment,
        name=zone.name,
        geometry=zone.geometry,
        dz_waypoint=None if zone.dz_order is None else points[zone.dz_order],
        fz_waypoint=None if zone.fz_order is None else points[zone.fz_order],
        speed_limit_kmh=zone.limit_kmh,
    )


def _write_fence(fence: ImportedFence, segment: Segment, event: Event) -> None:
    """Make the geofence, or move the event's one of this name; a start or finish becomes the segment's."""
    shape = {"kind": fence.kind, "geometry": fence.geometry, "bearing": fence.bearing}
    row, _created = Geofence.objects.update_or_create(event=event, name=fence.name, defaults=shape)
    if fence.role:
        setattr(segment, _ENDS[fence.role], row)
