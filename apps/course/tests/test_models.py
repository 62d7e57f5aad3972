"""The constraints that keep a course true, asked of PostgreSQL itself."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import translation

from apps.course.factories import (
    GeofenceFactory,
    SegmentFactory,
    SpeedLimitZoneFactory,
    StageFactory,
    WaypointFactory,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("make", "constraint"),
    [
        (lambda: GeofenceFactory(geometry={"type": "Point", "coordinates": [20, 41]}), "polygon_or_line"),
        (lambda: GeofenceFactory(bearing=400), "bearing_range"),
        (lambda: WaypointFactory(tolerance_meters=0), "radius_positive"),
        (lambda: WaypointFactory(latitude=91), "on_earth"),
        (lambda: WaypointFactory(type="XYZ"), "type_known"),
        (lambda: SpeedLimitZoneFactory(geometry=None), "polygon_or_pair"),
        (lambda: SpeedLimitZoneFactory(dz_waypoint=WaypointFactory(type="DZ")), "polygon_or_pair"),
        (lambda: SpeedLimitZoneFactory(speed_limit_kmh=0), "limit_positive"),
        (lambda: SegmentFactory(rounding_ms=7), "rounding_known"),
        (lambda: SegmentFactory(scoring="nearest"), "scoring_known"),
        (lambda: SegmentFactory(end_control="middle"), "end_control_known"),
    ],
)
def test_what_a_course_cannot_hold(make: Callable[[], Any], constraint: str) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        make()


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"scoring": "target_deviation"}, "target_duration_seconds"),
        ({"class_scoring": {"C-1": "target_deviation"}}, "target_duration_seconds"),
        ({"class_scoring": {"C-1": "nearest"}}, "class_scoring"),
        ({"class_scoring": ["C-1"]}, "class_scoring"),
        ({"scoring": "target_deviation", "target_duration_seconds": 60}, None),
    ],
)
def test_closeness_to_a_target_time_needs_one(values: dict[str, Any], field: str | None) -> None:
    segment = SegmentFactory.build(stage=StageFactory(), type="special-stage", **values)
    if field is None:
        segment.full_clean()
        return
    with pytest.raises(ValidationError) as refused:
        segment.full_clean()
    assert set(refused.value.message_dict) == {field}


def test_two_stages_cannot_share_a_place_in_the_order() -> None:
    stage = StageFactory()
    with pytest.raises(IntegrityError, match="stages_order_once"), transaction.atomic():
        StageFactory(event=stage.event, sort_order=stage.sort_order)


@pytest.mark.parametrize("pair", [("DZ", None), (None, "FZ"), ("DZ", "FZ")])
def test_a_zone_with_a_polygon_and_a_pair_is_told_to_choose(pair: tuple[str | None, str | None]) -> None:
    points = [WaypointFactory(type=type_) if type_ else None for type_ in pair]
    zone = SpeedLimitZoneFactory.build(dz_waypoint=points[0], fz_waypoint=points[1])
    with pytest.raises(ValidationError, match="either a polygon"):
        zone.clean()


BOW_TIE = [[20.0, 41.0], [20.01, 41.01], [20.01, 41.0], [20.0, 41.01], [20.0, 41.0]]
SPIKE = [[20.0, 41.0], [20.01, 41.0], [20.0, 41.0], [20.01, 41.0], [20.0, 41.0]]
BROKEN = [
    ({"type": "Polygon", "coordinates": [BOW_TIE]}, "Self-intersection"),
    ({"type": "Polygon", "coordinates": [SPIKE]}, "three different points"),
    ({"type": "Polygon", "coordinates": [BOW_TIE[:2]]}, "three different points"),
    ({"type": "Polygon", "coordinates": []}, "outer ring"),
    ({"type": "Polygon", "coordinates": [[[20, 95]] * 4]}, "not on Earth"),
    ({"type": "Polygon", "coordinates": [[[10**400, 41]] * 4]}, "not on Earth"),
    ({"type": "Polygon", "coordinates": [["ab"] * 4]}, "a list is needed"),
    ({"type": "Polygon", "coordinates": [[["20", "41"]] * 4]}, "in numbers"),
    ({"type": "LineString", "coordinates": [[20, 41]]}, "two points"),
    ({"type": "LineString", "coordinates": [[20, 41], [20, 41]]}, "two different"),
    ({"type": "Point", "coordinates": [20, 41]}, "a Polygon or a LineString"),
    ({"coordinates": 7}, "a Polygon or a LineString"),
    ([1, 2], "an object"),
]


@pytest.mark.parametrize(("geometry", "reason"), BROKEN)
def test_a_broken_shape_typed_in_the_admin_is_refused_with_the_reason(geometry: Any, reason: str) -> None:
    """It would stop the scorer of the whole event otherwise."""
    for row in (GeofenceFactory.build(geometry=geometry), SpeedLimitZoneFactory.build(geometry=geometry)):
        with pytest.raises(ValidationError, match=reason):
            row.clean()


@pytest.mark.parametrize(("geometry", "reason"), BROKEN)
def test_a_broken_shape_is_refused_in_albanian(geometry: Any, reason: str) -> None:
    with translation.override("sq"), pytest.raises(ValidationError) as refused:
        GeofenceFactory.build(geometry=geometry).clean()
    assert reason not in str(refused.value)


def test_a_line_is_a_gate_but_no_zone() -> None:
    line = {"type": "LineString", "coordinates": [[20, 41], [20.001, 41]]}
    GeofenceFactory.build(geometry=line, bearing=90).clean()
    with pytest.raises(ValidationError, match="no inside"):
        SpeedLimitZoneFactory.build(geometry=line).clean()
