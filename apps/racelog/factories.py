"""Rows for tests."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.accounts.factories import UserFactory
from apps.events.factories import EventFactory
from apps.racelog.models import LogLine, RaceControlSettings


class RaceControlSettingsFactory(DjangoModelFactory[RaceControlSettings]):
    class Meta:
        model = RaceControlSettings
        django_get_or_create = ("event",)

    event = factory.SubFactory(EventFactory)


class LogLineFactory(DjangoModelFactory[LogLine]):
    class Meta:
        model = LogLine

    event = factory.SubFactory(EventFactory)
    author = factory.SubFactory(UserFactory)
    kind = "note"
    at = factory.LazyFunction(timezone.now)
    text = "Helicopter on the pad"
