"""A rally that is on, for the tests of REST's acts."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from apps.course.factories import SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Stage
from apps.events.factories import EventFactory
from apps.events.models import Event

START = datetime(2026, 6, 7, 6, tzinfo=UTC)


def event_that_is_on() -> Event:
    """Not public, begun some hours ago."""
    now = datetime.now(UTC)
    made: Event = EventFactory(is_public=False, starts_at=now - timedelta(hours=5), ends_at=now + timedelta(days=1))
    return made


def stage_of(event: Event, types: Iterable[str]) -> Stage:
    """One special with assigned starts and a waypoint of each type."""
    stage: Stage = StageFactory(event=event, starts_at=START, start_order_strategy="manual")
    segment = SegmentFactory(stage=stage, type="special-stage", start_from="assigned")
    for order, type_ in enumerate(types):
        WaypointFactory(segment=segment, type=type_, latitude=41 + order / 10, longitude=20.0, sort_order=order + 1)
    return stage
