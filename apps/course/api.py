"""Stages, segments and the controls on them over REST; course files are imported into a segment."""

from typing import Any

import redis
import structlog
from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request

from apps.accounts import policy
from apps.common import stream
from apps.common.said import about, told
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.course.services import Report, import_course
from apps.rest.answers import answer
from apps.rest.problems import problem, wrong
from apps.rest.serializers import Body, Nested, Text, Truth
from apps.rest.views import ResourceViewSet

log = structlog.get_logger(__name__)
LARGEST_FILE = 20_000_000  # characters


class CourseFile(Body):
    filename = Text(max_length=200, help_text="Its end says the format: .gpx, .kml, .geojson or .json.")
    content = Text(max_length=LARGEST_FILE, trim_whitespace=False, help_text="The file's text.")
    replace = Truth(default=False, help_text="In place of what the segment has.")
    dry_run = Truth(default=False, help_text="Check everything, write nothing.")


class FindingShown(serializers.Serializer[Any]):
    severity = serializers.CharField()
    place = serializers.CharField()
    field = serializers.CharField()
    reason = serializers.CharField()


class ImportReport(serializers.Serializer[Any]):
    waypoints = serializers.IntegerField()
    geofences = serializers.IntegerField()
    zones = serializers.IntegerField()
    findings = FindingShown(many=True)


class Stages(ResourceViewSet):
    model = Stage
    order = ("sort_order",)
    search = ("name",)
    expand = ("event",)
    nested = (Nested("segments", Segment, "stage"),)
    example_change = {"starts_at": "2026-06-07T06:30:00Z", "start_interval_seconds": 60}
    example_answer = {"name": "Stage 1", "role": "stage"}
    example = {
        "event": "b6f7c9d2-2f0b-4f53-8d43-6f1f7f0f5a01",
        "name": "Stage 1",
        "sort_order": 1,
        "starts_at": "2026-06-07T06:00:00Z",
        "segments": [{"sort_order": 1, "type": "special-stage", "maximum_duration_seconds": 14400}],
    }


class Segments(ResourceViewSet):
    model = Segment
    order = ("stage", "sort_order")
    search = ("name",)
    expand = ("stage", "entry_geofence", "exit_geofence")
    nested = (Nested("waypoints", Waypoint, "segment"), Nested("zones", SpeedLimitZone, "segment"))
    example_change = {"maximum_duration_seconds": 14400}
    example = {
        "stage": "9a8b7c6d-5e4f-4a3b-8c2d-1e0f9a8b7c6d",
        "sort_order": 1,
        "type": "special-stage",
        "waypoints": [
            {"type": "DSS", "latitude": 41.33, "longitude": 19.82, "tolerance_meters": 90, "sort_order": 1},
            {"type": "ASS", "latitude": 41.41, "longitude": 19.95, "tolerance_meters": 90, "sort_order": 2},
        ],
    }

    @extend_schema(request=CourseFile, responses={200: ImportReport})
    @action(detail=True, methods=["post"], url_path="import")
    def import_(self, request: Request, pk: str) -> HttpResponse:
        """Import waypoints, geofences and speed zones; with any error nothing is written."""
        segment = self.row(pk)
        policy.require(self.user, "import", segment)
        given = self.given(CourseFile)
        report = import_course(
            segment,
            given["filename"],
            given["content"].encode(),
            replace=given["replace"],
            dry_run=given["dry_run"],
        )
        if report.errors:
            errors = [wrong(told(about(f.place, f.field), _), told(f.reason, _)) for f in report.findings]
            return problem(422, _("Nothing is imported: the file has errors."), errors)
        if not given["dry_run"]:
            _tell_scorers(segment)
        return answer(_shown(report))


def _shown(report: Report) -> dict[str, Any]:
    counts = {"waypoints": report.waypoints, "geofences": report.fences, "zones": report.zones}
    findings = [
        {"severity": f.severity.value, "place": told(f.place, _), "field": f.field, "reason": told(f.reason, _)}
        for f in report.findings
    ]
    return {**counts, "findings": findings}


def _tell_scorers(segment: Segment) -> None:
    """Without Redis the scorer finds the new course by itself, some seconds later (`apps.scoring.upkeep`)."""
    try:
        stream.request(stream.connect(settings.REDIS_URL), "course", event_id=str(segment.stage.event_id))
    except redis.RedisError as error:
        log.warning("the scorer was not told of a course", error=str(error))


class Geofences(ResourceViewSet):
    model = Geofence
    order = ("name",)
    search = ("name",)
    example_change = {"name": "Bivouac"}


class Waypoints(ResourceViewSet):
    model = Waypoint
    order = ("segment", "sort_order")
    search = ("name", "type")
    expand = ("segment",)
    example_change = {"tolerance_meters": 60}


class SpeedLimitZones(ResourceViewSet):
    model = SpeedLimitZone
    order = ("name",)
    search = ("name",)
    expand = ("segment",)


RESOURCES = {
    "stages": Stages,
    "segments": Segments,
    "geofences": Geofences,
    "waypoints": Waypoints,
    "speed_limit_zones": SpeedLimitZones,
}
