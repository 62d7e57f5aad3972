"""A course that evidence, readings, rules or decisions refer to is not replaced by an import.

Here and not in apps/course: what refers stands above the course.
"""

from collections.abc import Callable

import pytest

from apps.accounts.factories import UserFactory
from apps.course.factories import SegmentFactory, SpeedLimitZoneFactory
from apps.course.models import Geofence, Segment
from apps.course.services import import_course
from apps.course.tests.test_services import course_file, rows, said
from apps.events.factories import EntryFactory
from apps.penalties.models import EntryPenalty, PenaltyFormula
from apps.timing.models import EntryCrossing, TimingRecord

pytestmark = pytest.mark.django_db


def _timing_record(segment: Segment) -> None:
    control = segment.waypoints.get(type="WPM").id
    entry = EntryFactory(event=segment.stage.event)
    TimingRecord.objects.create(entry=entry, control=control, source="marshal", ts=segment.stage.starts_at)


def _crossing(segment: Segment) -> None:
    EntryCrossing.objects.create(
        entry=EntryFactory(event=segment.stage.event),
        control=Geofence.objects.get(name="Start").id,
        direction="cut",
        ts=5,
        uncertainty_ms=1,
        device="1",
        before_ts=0,
        after_ts=10,
        fraction=0.5,
    )


def _rule(segment: Segment) -> None:
    zone = segment.speed_limit_zones.get(name="Bridge").id
    PenaltyFormula.objects.create(
        event=segment.stage.event, type="speed_zone", belongs_to_type="zone", belongs_to_id=zone, penalty=60
    )


def _decision(segment: Segment) -> None:
    entry = EntryFactory(event=segment.stage.event)
    key = f"speed_zone:{segment.speed_limit_zones.get(name='Bridge').id}"
    EntryPenalty.objects.create(
        entry=entry,
        stage=segment.stage,
        key=key,
        type="speed_zone",
        seconds=0,
        author=UserFactory(),
        reason="wrong limit",
    )


def _zone_elsewhere(segment: Segment) -> None:
    dz, fz = (segment.waypoints.get(type=type_) for type_ in ("DZ", "FZ"))
    SpeedLimitZoneFactory(geometry=None, dz_waypoint=dz, fz_waypoint=fz)


@pytest.mark.parametrize(
    ("refer", "what"),
    [
        (_timing_record, "1 timing records"),
        (_crossing, "1 crossings"),
        (_rule, "1 penalty rules"),
        (_decision, "1 decisions of officials"),
        (_zone_elsewhere, "1 speed zones of other segments"),
    ],
)
def test_replace_is_refused_when_something_refers_to_a_control(refer: Callable[[Segment], None], what: str) -> None:
    segment = SegmentFactory()
    import_course(segment, "course.geojson", course_file())
    refer(segment)
    before = rows()
    report = import_course(segment, "course.geojson", course_file(), replace=True)
    assert what in said(report)
    assert report.errors == 1
    assert rows() == before
