"""Importing a course: all of it or nothing, and never over what others hold on to."""

import json
from typing import Any

import pytest

from apps.course.factories import (
    GeofenceFactory,
    SegmentFactory,
    StageFactory,
    WaypointFactory,
)
from apps.course.models import Geofence, SpeedLimitZone, Waypoint
from apps.course.services import Report, import_course

pytestmark = pytest.mark.django_db

SQUARE = [[[20.0, 41.0], [20.01, 41.0], [20.01, 41.01], [20.0, 41.01], [20.0, 41.0]]]
GATE = [[20.0, 41.0], [20.001, 41.0]]


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


FEATURES = [
    feature("LineString", GATE, name="Start", type="start", bearing=90),
    feature("Point", [20.02, 41.0], name="WP 1", type="WPM", radius_m=40, open_m=500),
    feature("Point", [20.03, 41.0], name="Village", type="DZ", radius_m=60, speed_limit_kmh=30),
    feature("Point", [20.04, 41.0], type="FZ", radius_m=60),
    feature("Polygon", SQUARE, name="Bridge", speed_limit_kmh=50),
    feature("Polygon", SQUARE, name="Finish", type="finish"),
]


def course_file(*features: dict[str, Any]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features or FEATURES}).encode()


def said(report: Report) -> str:
    return "\n".join(map(str, report.findings))


def rows() -> list[int]:
    return [model.objects.count() for model in (Waypoint, SpeedLimitZone, Geofence)]


def test_a_course_comes_back_from_the_tables_as_it_was_in_the_file() -> None:
    segment = SegmentFactory()
    report = import_course(segment, "course.geojson", course_file())
    assert (report.errors, report.waypoints, report.fences, report.zones) == (0, 3, 2, 2)
    assert list(
        segment.waypoints.values_list("sort_order", "name", "type", "latitude", "longitude", "tolerance_meters")
    ) == [
        (1, "WP 1", "WPM", 41.0, 20.02, 40.0),
        (2, "Village", "DZ", 41.0, 20.03, 60.0),
        (3, "", "FZ", 41.0, 20.04, 60.0),
    ]
    assert segment.waypoints.get(type="WPM").opening_radius == 500
    segment.refresh_from_db()
    assert segment.entry_geofence and segment.exit_geofence
    assert (segment.entry_geofence.name, segment.entry_geofence.bearing) == ("Start", 90)
    assert segment.exit_geofence.geometry == {"type": "Polygon", "coordinates": SQUARE}
    pair = segment.speed_limit_zones.get(name="Village")
    assert (pair.dz_waypoint.type, pair.fz_waypoint.type, pair.speed_limit_kmh) == ("DZ", "FZ", 30)
    assert segment.speed_limit_zones.get(name="Bridge").geometry["type"] == "Polygon"
    for row in (*Geofence.objects.all(), *SpeedLimitZone.objects.all(), *Waypoint.objects.all()):
        row.full_clean()


def test_an_error_in_the_last_feature_leaves_no_row() -> None:
    broken = feature("Point", [200, 41.0], name="WP 2", type="WPM")
    report = import_course(SegmentFactory(), "course.geojson", course_file(*FEATURES, broken))
    assert report.errors == 1
    assert "feature 7 'WP 2': longitude" in said(report)
    assert rows() == [0, 0, 0]


def test_a_dry_run_says_the_numbers_and_writes_nothing() -> None:
    report = import_course(SegmentFactory(), "course.geojson", course_file(), dry_run=True)
    assert (report.waypoints, report.fences, report.zones) == (3, 2, 2)
    assert rows() == [0, 0, 0]


def test_a_second_import_is_refused_without_replace() -> None:
    segment = SegmentFactory()
    import_course(segment, "course.geojson", course_file())
    report = import_course(segment, "course.geojson", course_file())
    assert report.errors == 5, said(report)  # the segment, two geofences' names, its start and its finish
    assert "is in the way" in said(report)
    assert rows() == [3, 2, 2]


def test_replace_leaves_the_new_course_only_and_moves_the_geofences() -> None:
    segment = SegmentFactory()
    import_course(segment, "course.geojson", course_file())
    kept = Geofence.objects.get(name="Start").id
    moved = feature("LineString", [[20.0, 41.5], [20.001, 41.5]], name="Start", type="start")
    report = import_course(segment, "b.geojson", course_file(moved, FEATURES[1], FEATURES[5]), replace=True)
    assert report.errors == 0, said(report)
    assert "the event's geofence of this name is moved here" in said(report)
    assert rows() == [1, 0, 2]
    start = Geofence.objects.get(name="Start")
    assert (start.id, start.bearing, start.geometry["coordinates"][0]) == (kept, None, [20.0, 41.5])


def test_other_events_and_segments_are_left_alone() -> None:
    stage = StageFactory()
    GeofenceFactory(name="Start")
    other = WaypointFactory(segment=SegmentFactory(stage=stage))
    report = import_course(SegmentFactory(stage=stage), "course.geojson", course_file(), replace=True)
    assert report.errors == 0, said(report)
    assert Waypoint.objects.filter(id=other.id).exists()
    assert Geofence.objects.filter(name="Start").count() == 2


def test_a_file_with_latitude_and_longitude_exchanged_is_seen_beside_the_rest_of_the_event() -> None:
    stage = StageFactory()
    WaypointFactory(segment=SegmentFactory(stage=stage), latitude=41.0, longitude=20.0)
    exchanged = feature("Point", [41.0, 20.02], type="WPM")
    report = import_course(SegmentFactory(stage=stage), "course.geojson", course_file(exchanged))
    assert "latitude and longitude seem to be exchanged" in said(report)
    assert report.waypoints == 1
