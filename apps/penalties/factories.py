"""Rows for tests."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from apps.accounts.factories import UserFactory
from apps.course.factories import StageFactory
from apps.events.factories import EntryFactory, EventFactory
from apps.penalties.models import Decision, EntryIncident, EntryPenalty, PenaltyFormula, ProfileUse, RuleAnswer


class PenaltyFormulaFactory(DjangoModelFactory[PenaltyFormula]):
    class Meta:
        model = PenaltyFormula

    event = factory.SubFactory(EventFactory)
    type = "missed_waypoint"
    penalty = 900


class EntryPenaltyFactory(DjangoModelFactory[EntryPenalty]):
    class Meta:
        model = EntryPenalty

    entry = factory.SubFactory(EntryFactory)
    stage = factory.SubFactory(StageFactory)
    key = "missed_waypoint:x"
    type = "missed_waypoint"
    seconds = 900


class EntryIncidentFactory(DjangoModelFactory[EntryIncident]):
    class Meta:
        model = EntryIncident

    entry = factory.SubFactory(EntryFactory)
    stage = factory.SubFactory(StageFactory)
    kind = "false_start"
    at = datetime(2026, 6, 7, 9, 30, tzinfo=UTC)
    author = factory.SubFactory(UserFactory)


class DecisionFactory(DjangoModelFactory[Decision]):
    class Meta:
        model = Decision

    event = factory.SelfAttribute("stage.event")
    stage = factory.SubFactory(StageFactory)
    entry = factory.SubFactory(EntryFactory, event=factory.SelfAttribute("..stage.event"))
    number = factory.Sequence(lambda n: n + 1)
    kind = "waive_penalty"
    params = factory.LazyFunction(lambda: {"key": "missed_waypoint:x"})
    reason = "The waypoint stood wrong in the road book"
    author = factory.SubFactory(UserFactory)


class ProfileUseFactory(DjangoModelFactory[ProfileUse]):
    class Meta:
        model = ProfileUse

    event = factory.SubFactory(EventFactory)
    name = "fim-2025"
    version = "1"


class RuleAnswerFactory(DjangoModelFactory[RuleAnswer]):
    class Meta:
        model = RuleAnswer

    event = factory.SubFactory(EventFactory)
    key = "protest_time"
    answer = "30 min"
