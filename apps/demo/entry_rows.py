"""The demo's field as rows: entries with vehicle, crew and trackers, and when they start."""

from collections.abc import Mapping
from datetime import timedelta

from apps.accounts.models import User
from apps.catalog.models import Device, DeviceModel, OrganizationDevice, OrganizationVehicle, Vehicle
from apps.common.position import instant
from apps.course.models import Segment
from apps.demo.domain.field import Crew
from apps.demo.domain.traffic import WORN
from apps.demo.names import CREW_DOMAIN
from apps.events.models import CrewRole, Entry, EntryCrew, EntryDevice, EntryStatus, Event, RaceClass
from apps.timing.models import EntrySegmentStart

MODELS = ("FMB920", "FMB920", "FMB003")  # chassis, backup, panic button


def make_entry(event: Event, race_class: RaceClass, crew: Crew) -> Entry:
    vehicle = Vehicle.objects.create(make=crew.make, model=crew.model, year=crew.year, cc=crew.cc)
    OrganizationVehicle.objects.create(organization=event.organization, vehicle=vehicle)
    entry = Entry.objects.create(
        event=event, vehicle=vehicle, race_class=race_class, race_number=crew.number, status=EntryStatus.ACCEPTED
    )
    pilot = _people(entry, crew)
    for priority, (imei, model_name) in enumerate(zip(crew.devices, MODELS, strict=False), start=1):
        model, _ = DeviceModel.objects.get_or_create(name=model_name, defaults={"maker": "Teltonika"})
        device = Device.objects.create(imei=imei, model=model)
        OrganizationDevice.objects.create(organization=event.organization, device=device)
        EntryDevice.objects.create(
            entry=entry,
            device=device,
            priority=priority,
            assigned_user=pilot if priority == WORN + 1 else None,
            assigned_from=event.starts_at - timedelta(days=1),
            assigned_until=event.ends_at,
        )
    return entry


def _people(entry: Entry, crew: Crew) -> User:
    """The crew's members; returns the one at the wheel."""
    alone = len(crew.people) == 1
    roles = [CrewRole.RIDER] if alone else [CrewRole.PILOT, CrewRole.CO_PILOT]
    users = []
    for seat, (person, role) in enumerate(zip(crew.people, roles, strict=True)):
        user = User(
            email=f"{crew.number}-{seat}@{CREW_DOMAIN}",
            first_name=person.first_name,
            last_name=person.last_name,
            nationality=person.nationality,
            birth_date=person.birth_date,
        )
        user.set_unusable_password()
        user.save()
        EntryCrew.objects.create(entry=entry, user=user, role=role)
        users.append(user)
    return users[0]


def make_starts(segment: Segment, instants: Mapping[int, int], entries: Mapping[int, Entry]) -> None:
    EntrySegmentStart.objects.bulk_create(
        EntrySegmentStart(entry=entries[number], segment=segment, start_position=position, target_at=instant(ts))
        for position, (number, ts) in enumerate(instants.items(), start=1)
    )
