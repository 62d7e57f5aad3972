"""From the rows of a course to the plan that is scored, and back from a revision's snapshot."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from apps.course.factories import SegmentFactory, SpeedLimitZoneFactory, WaypointFactory
from apps.course.models import Segment
from apps.events.factories import RaceClassFactory
from apps.events.models import RaceClass
from apps.scoring.plans import load_plan
from apps.scoring.snapshot import _plan_json, _plan_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment() -> Segment:
    segment: Segment = SegmentFactory(bogey_duration_seconds=600, target_duration_seconds=900, end_control="main")
    code = RaceClassFactory(event=segment.stage.event, code="C-9").code
    segment.class_scoring = {code: "target_deviation", "gone": "fastest"}
    segment.save()
    dz, fz = WaypointFactory(segment=segment, type="DZ"), WaypointFactory(segment=segment, type="FZ", latitude=41.01)
    for margins in (True, False):
        SpeedLimitZoneFactory(segment=segment, geometry=None, dz_waypoint=dz, fz_waypoint=fz, margins=margins)
    return segment


def test_what_a_segment_says_reaches_the_plan(segment: Segment) -> None:
    """The bogey time, its last control, what ranks whom, and where a zone without margins begins and ends."""
    (planned,) = load_plan(str(segment.stage.event_id)).stages[0].segments
    assert (planned.bogey_ms, planned.end_control) == (600_000, "main")
    race_class = str(RaceClass.objects.get(code="C-9").id)
    assert dict(planned.class_scoring) == {race_class: "target_deviation"}
    assert (planned.deviation_from(race_class), planned.deviation_from("")) == (900_000, None)
    assert {zone.nearest_to for zone in planned.zones} == {None, ((41.0, 20.0), (41.01, 20.0))}


def test_a_timetable_and_the_circles_of_waypoints_reach_the_plan(segment: Segment) -> None:
    """And a special stage has none: no time control ends it (rulebook 4.1)."""
    road = SegmentFactory(stage=segment.stage, type="liaison")
    road.scheduled_at = segment.stage.starts_at + timedelta(minutes=20)
    road.full_clean()
    road.save()
    with pytest.raises(ValidationError, match="road section"):
        Segment(stage=segment.stage, type="special-stage", sort_order=10, scheduled_at=road.scheduled_at).clean()
    (stage,) = load_plan(str(segment.stage.event_id)).stages
    due = {one.id: one.scheduled_ts for one in stage.segments}
    assert due == {str(segment.pk): None, str(road.pk): stage.from_ts + 1_200_000}
    dz = next(w for one in stage.segments for w in one.waypoints if w.type == "DZ")
    assert dz.circle == (41.0, 20.0, 90.0) and stage.gap_limit_ms == 10_000


def test_a_snapshot_gives_the_plan_back(segment: Segment) -> None:
    plan = load_plan(str(segment.stage.event_id))
    assert _plan_of(_plan_json(plan)).stages == plan.stages


def test_a_snapshot_of_before_there_were_bogey_times_is_still_read(segment: Segment) -> None:
    content = _plan_json(load_plan(str(segment.stage.event_id)))
    (planned,) = content["stages"][0]["segments"]
    del planned["bogey_ms"]
    for zone in planned["zones"]:
        del zone["nearest_to"]
    (read,) = _plan_of(content).stages[0].segments
    assert read.bogey_ms == 0 and all(zone.nearest_to is None for zone in read.zones)
