"""Rows for tests."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.accounts.factories import UserFactory
from apps.course.factories import StageFactory
from apps.events.factories import EntryFactory, EventFactory
from apps.safety.domain.watch import Kind, Severity
from apps.safety.models import Accounting, Alert, AlertAct, AlertLine, SafetySettings, StageClosing


class SafetySettingsFactory(DjangoModelFactory[SafetySettings]):
    class Meta:
        model = SafetySettings
        django_get_or_create = ("event",)

    event = factory.SubFactory(EventFactory)


class AlertFactory(DjangoModelFactory[Alert]):
    class Meta:
        model = Alert

    entry = factory.SubFactory(EntryFactory)
    event = factory.SelfAttribute("entry.event")
    kind = Kind.PANIC.value
    severity = int(Severity.CRITICAL)
    since = 1_780_732_800_000
    raised_at = factory.LazyFunction(timezone.now)


class AlertLineFactory(DjangoModelFactory[AlertLine]):
    class Meta:
        model = AlertLine

    alert = factory.SubFactory(AlertFactory)
    act = AlertAct.RAISED


class AccountingFactory(DjangoModelFactory[Accounting]):
    class Meta:
        model = Accounting

    entry = factory.SubFactory(EntryFactory)
    stage = factory.LazyAttribute(lambda row: StageFactory(event=row.entry.event))
    author = factory.SubFactory(UserFactory)
    reason = "towed to the bivouac"


class StageClosingFactory(DjangoModelFactory[StageClosing]):
    class Meta:
        model = StageClosing

    stage = factory.SubFactory(StageFactory)
    author = factory.SubFactory(UserFactory)
