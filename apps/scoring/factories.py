"""Rows for tests."""

import factory
from factory.django import DjangoModelFactory

from apps.accounts.factories import UserFactory
from apps.course.factories import StageFactory
from apps.events.factories import EntryFactory, EventFactory
from apps.scoring.models import EventResult, OutboxRow, ResultRevision, RevisionState, StageResult


class StageResultFactory(DjangoModelFactory[StageResult]):
    class Meta:
        model = StageResult

    entry = factory.SubFactory(EntryFactory)
    stage = factory.SubFactory(StageFactory)
    inputs_hash = "0" * 64


class EventResultFactory(DjangoModelFactory[EventResult]):
    class Meta:
        model = EventResult

    entry = factory.SubFactory(EntryFactory)
    event = factory.SelfAttribute("entry.event")


class ResultRevisionFactory(DjangoModelFactory[ResultRevision]):
    class Meta:
        model = ResultRevision

    event = factory.SubFactory(EventFactory)
    number = factory.Sequence(lambda n: n + 1)
    state = RevisionState.UNOFFICIAL
    published_by = factory.SubFactory(UserFactory)
    snapshot = factory.LazyFunction(dict)
    hash = "0" * 64


class OutboxRowFactory(DjangoModelFactory[OutboxRow]):
    class Meta:
        model = OutboxRow

    topic = "leaderboard:x"
    seq = factory.Sequence(lambda n: n + 1)
    payload = factory.LazyFunction(lambda: {"changes": []})
