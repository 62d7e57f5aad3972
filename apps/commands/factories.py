"""Rows for tests."""

from datetime import timedelta

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.accounts.factories import OrganizationFactory, UserFactory
from apps.catalog.factories import DeviceFactory, DeviceModelFactory
from apps.commands.models import Command, CommandText


class CommandTextFactory(DjangoModelFactory[CommandText]):
    class Meta:
        model = CommandText
        django_get_or_create = ("device_model", "pattern")

    device_model = factory.SubFactory(DeviceModelFactory)
    pattern = "getinfo"


class CommandFactory(DjangoModelFactory[Command]):
    class Meta:
        model = Command

    organization = factory.SubFactory(OrganizationFactory)
    device = factory.SubFactory(DeviceFactory)
    author = factory.SubFactory(UserFactory)
    text = "getinfo"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=1))
