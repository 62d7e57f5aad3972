"""Rows for tests."""

import factory
from factory.django import DjangoModelFactory

from apps.course.factories import StageFactory
from apps.events.factories import EntryFactory, EventFactory
from apps.penalties.models import EntryPenalty, PenaltyFormula


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
