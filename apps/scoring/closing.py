"""Closing times of a stage's controls, from its last starts and the way along its waypoints."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Coalesce
from django.utils import timezone

from apps.common.position import instant
from apps.course.domain.plane import distance_m
from apps.course.models import Segment, Stage, Waypoint, WaypointType
from apps.scoring.inputs import milliseconds
from apps.timing.domain.closing import SLOWEST_KMH, closing_ms
from apps.timing.models import EntrySegmentStart

CONTROLS = (WaypointType.PC.value, WaypointType.TC.value, WaypointType.ASS.value)


@dataclass(frozen=True, slots=True)
class Closing:
    """When a control closes; `metres` from the segment's first waypoint, in straight lines between waypoints."""

    waypoint: Waypoint
    metres: float
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Terms:
    slowest_kmh: float = SLOWEST_KMH
    margin_s: int = 0
    types: Sequence[str] = CONTROLS


def closing_times(stage: Stage, terms: Terms) -> list[Closing]:
    """What the closing times would be; a segment nobody is to start has none. Raises ValueError for the terms."""
    return [closing for segment in stage.segments.all() for closing in _of(segment, terms)]


def set_closing_times(stage: Stage, terms: Terms) -> list[Closing]:
    """Write them to the waypoints, in place of those that were set before."""
    with transaction.atomic():
        found = closing_times(stage, terms)
        for closing in found:
            closing.waypoint.closes_at = closing.closes_at
            closing.waypoint.updated_at = timezone.now()
        Waypoint.objects.bulk_update([closing.waypoint for closing in found], ["closes_at", "updated_at"])
        return found


def _of(segment: Segment, terms: Terms) -> list[Closing]:
    starts = EntrySegmentStart.objects.filter(segment=segment, entry__competing=True)
    last = starts.aggregate(last=Max(Coalesce("actual_at", "target_at")))["last"]
    if last is None:
        return []
    found, metres, before = [], 0.0, None
    for point in segment.waypoints.order_by("sort_order"):
        if before is not None:
            metres += distance_m(before.latitude, before.longitude, point.latitude, point.longitude).item()
        before = point
        if point.type in terms.types:
            at = closing_ms(milliseconds(last), metres, terms.slowest_kmh, terms.margin_s * 1000)
            found.append(Closing(point, round(metres, 1), instant(at)))
    return found
