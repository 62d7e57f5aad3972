"""Rows for tests."""

import factory
from factory.django import DjangoModelFactory

from apps.accounts.factories import UserFactory
from apps.events.factories import EntryFactory
from apps.live.models import Acknowledgement


class AcknowledgementFactory(DjangoModelFactory[Acknowledgement]):
    class Meta:
        model = Acknowledgement

    entry = factory.SubFactory(EntryFactory)
    author = factory.SubFactory(UserFactory)
    alarm_ts = 1_780_732_800_000
