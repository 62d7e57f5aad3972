"""Rows for tests."""

from datetime import UTC, datetime

import factory
from factory.django import DjangoModelFactory

from apps.accounts.factories import OrganizationFactory, UserFactory
from apps.catalog.factories import DeviceFactory, VehicleFactory
from apps.events.models import CrewRole, Entry, EntryCrew, EntryDevice, Event, RaceClass


class EventFactory(DjangoModelFactory[Event]):
    class Meta:
        model = Event

    organization = factory.SubFactory(OrganizationFactory)
    name = factory.Sequence(lambda n: f"Rally {n}")
    slug = factory.Sequence(lambda n: f"rally-{n}")
    starts_at = datetime(2026, 6, 6, tzinfo=UTC)
    ends_at = datetime(2026, 6, 14, tzinfo=UTC)
    time_zone = "Europe/Tirane"
    is_public = True


class RaceClassFactory(DjangoModelFactory[RaceClass]):
    class Meta:
        model = RaceClass

    event = factory.SubFactory(EventFactory)
    code = factory.Sequence(lambda n: f"C-{n}")
    name = "Cars"


class EntryFactory(DjangoModelFactory[Entry]):
    class Meta:
        model = Entry

    event = factory.SubFactory(EventFactory)
    vehicle = factory.SubFactory(VehicleFactory)
    race_class = factory.SubFactory(RaceClassFactory, event=factory.SelfAttribute("..event"))
    race_number = factory.Sequence(lambda n: 301 + n)


class EntryCrewFactory(DjangoModelFactory[EntryCrew]):
    class Meta:
        model = EntryCrew

    entry = factory.SubFactory(EntryFactory)
    user = factory.SubFactory(UserFactory)
    role = CrewRole.PILOT


class EntryDeviceFactory(DjangoModelFactory[EntryDevice]):
    class Meta:
        model = EntryDevice

    entry = factory.SubFactory(EntryFactory)
    device = factory.SubFactory(DeviceFactory)
    assigned_from = datetime(2026, 6, 5, tzinfo=UTC)
