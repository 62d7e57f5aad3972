"""Rows for tests."""

import uuid
from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from apps.accounts.factories import UserFactory
from apps.course.factories import SegmentFactory, StageFactory
from apps.events.factories import EntryFactory
from apps.events.models import TimingSource
from apps.timing.models import (
    CrossingDirection,
    EntryCrossing,
    EntrySegmentStart,
    StartList,
    StartOverride,
    TimingRecord,
)


class EntrySegmentStartFactory(DjangoModelFactory[EntrySegmentStart]):
    class Meta:
        model = EntrySegmentStart

    entry = factory.SubFactory(EntryFactory)
    segment = factory.SubFactory(SegmentFactory)
    start_position = factory.Sequence(lambda n: n + 1)
    target_at = datetime(2026, 6, 6, 8, tzinfo=UTC)


class EntryCrossingFactory(DjangoModelFactory[EntryCrossing]):
    class Meta:
        model = EntryCrossing

    entry = factory.SubFactory(EntryFactory)
    control = factory.LazyFunction(uuid.uuid4)
    direction = CrossingDirection.ENTER
    device = "356093000000001"
    before_ts = 1_780_000_000_000
    after_ts = 1_780_000_001_000
    ts = 1_780_000_000_500
    uncertainty_ms = 500
    fraction = 0.5


class TimingRecordFactory(DjangoModelFactory[TimingRecord]):
    class Meta:
        model = TimingRecord

    entry = factory.SubFactory(EntryFactory)
    control = factory.LazyFunction(uuid.uuid4)
    source = TimingSource.MARSHAL
    ts = datetime(2026, 6, 6, 8, tzinfo=UTC)


class StartOverrideFactory(DjangoModelFactory[StartOverride]):
    class Meta:
        model = StartOverride

    stage = factory.SubFactory(StageFactory)
    entry = factory.SubFactory(EntryFactory, event=factory.SelfAttribute("..stage.event"))
    position = 1
    reason = "lost time on the liaison helping another crew"
    author = factory.SubFactory(UserFactory)


class StartListFactory(DjangoModelFactory[StartList]):
    class Meta:
        model = StartList

    stage = factory.SubFactory(StageFactory)
    version = factory.Sequence(lambda n: n + 1)
    rows = factory.LazyFunction(list)
    author = factory.SubFactory(UserFactory)
    hash = "0" * 64
