"""Rows for tests."""

from datetime import UTC, datetime, timedelta

import factory
from factory.django import DjangoModelFactory

from apps.course.models import (
    Geofence,
    Segment,
    SegmentType,
    SpeedLimitZone,
    Stage,
    Waypoint,
    WaypointType,
)
from apps.events.factories import EventFactory

SQUARE = [[20.0, 41.0], [20.01, 41.0], [20.01, 41.01], [20.0, 41.01], [20.0, 41.0]]


class StageFactory(DjangoModelFactory[Stage]):
    class Meta:
        model = Stage

    event = factory.SubFactory(EventFactory)
    name = factory.Sequence(lambda n: f"Stage {n}")
    sort_order = factory.Sequence(int)
    starts_at = factory.Sequence(lambda n: datetime(2026, 6, 6, 6, tzinfo=UTC) + timedelta(days=n))


class SegmentFactory(DjangoModelFactory[Segment]):
    class Meta:
        model = Segment

    stage = factory.SubFactory(StageFactory)
    sort_order = factory.Sequence(int)
    type = SegmentType.SPECIAL_STAGE


class GeofenceFactory(DjangoModelFactory[Geofence]):
    class Meta:
        model = Geofence

    event = factory.SubFactory(EventFactory)
    name = factory.Sequence(lambda n: f"Area {n}")
    geometry = factory.LazyFunction(lambda: {"type": "Polygon", "coordinates": [SQUARE]})


class WaypointFactory(DjangoModelFactory[Waypoint]):
    class Meta:
        model = Waypoint

    segment = factory.SubFactory(SegmentFactory)
    type = WaypointType.WPM
    latitude = 41.0
    longitude = 20.0
    tolerance_meters = 90
    sort_order = factory.Sequence(int)


class SpeedLimitZoneFactory(DjangoModelFactory[SpeedLimitZone]):
    class Meta:
        model = SpeedLimitZone

    segment = factory.SubFactory(SegmentFactory)
    geometry = factory.LazyFunction(lambda: {"type": "Polygon", "coordinates": [SQUARE]})
    speed_limit_kmh = 50
