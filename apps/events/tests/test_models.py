"""The constraints that keep entries, crews and device assignments true, asked of PostgreSQL itself."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from apps.catalog.factories import DeviceFactory
from apps.events.factories import (
    EntryCrewFactory,
    EntryDeviceFactory,
    EntryFactory,
    EventFactory,
    RaceClassFactory,
)
from apps.events.models import Event

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 7, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("first", "second", "refused"),
    [
        ((NOON, NOON + HOUR), (NOON + HOUR, NOON + 2 * HOUR), False),  # one ends where the next begins
        ((NOON, NOON + HOUR), (NOON + HOUR / 2, NOON + 2 * HOUR), True),
        ((NOON, None), (NOON + 5 * HOUR, None), True),  # an open end overlaps all that comes after
        ((NOON, None), (NOON - HOUR, NOON), False),
    ],
)
def test_a_device_is_on_one_entry_at_a_time(
    first: tuple[datetime, datetime | None], second: tuple[datetime, datetime | None], refused: bool
) -> None:
    """Protects against one track being scored for two crews."""
    device = DeviceFactory()
    EntryDeviceFactory(device=device, assigned_from=first[0], assigned_until=first[1])
    if refused:
        with pytest.raises(IntegrityError, match="entry_devices_no_overlap"), transaction.atomic():
            EntryDeviceFactory(device=device, assigned_from=second[0], assigned_until=second[1])
    else:
        assert EntryDeviceFactory(device=device, assigned_from=second[0], assigned_until=second[1]).pk


def test_an_assignment_ends_after_it_begins() -> None:
    with pytest.raises(IntegrityError):
        EntryDeviceFactory(assigned_from=NOON, assigned_until=NOON - HOUR)


def test_a_race_number_is_unique_in_its_event_only() -> None:
    entry = EntryFactory(race_number=301)
    assert EntryFactory(race_number=301).pk  # another event
    with pytest.raises(IntegrityError, match="entries_number_once"), transaction.atomic():
        EntryFactory(event=entry.event, race_number=301)


def test_a_person_is_once_in_a_crew() -> None:
    link = EntryCrewFactory()
    with pytest.raises(IntegrityError, match="entry_crew_once"), transaction.atomic():
        EntryCrewFactory(entry=link.entry, user=link.user, role="navigator")


def test_a_class_of_another_event_is_refused() -> None:
    entry = EntryFactory.build(event=EventFactory(), race_class=RaceClassFactory())
    with pytest.raises(ValidationError, match="another event"):
        entry.clean()


def test_an_unknown_discipline_is_refused_by_the_database() -> None:
    event = EventFactory()
    with pytest.raises(IntegrityError, match="events_discipline_known"), transaction.atomic():
        Event.objects.filter(pk=event.pk).update(discipline="chess")


def test_an_unknown_time_zone_is_named() -> None:
    event = EventFactory(time_zone="Europe/Atlantis")
    with pytest.raises(ValidationError, match="Europe/Atlantis"):
        event.full_clean()


@pytest.mark.parametrize(
    ("old", "new", "allowed"),
    [
        ("registered", "accepted", ""),
        ("registered", "finished", "accepted, withdrawn"),
        ("accepted", "started", ""),
        ("accepted", "retired", "dsq, registered, started, withdrawn"),
        ("started", "finished", ""),
        ("started", "started", ""),
        ("finished", "retired", "dsq, nc, started"),
        ("retired", "finished", "dsq, started"),
        ("dsq", "finished", ""),
        ("dsq", "nc", "accepted, finished, started"),
        ("withdrawn", "started", "accepted, registered"),
    ],
)
def test_a_standing_follows_the_one_before(old: str, new: str, allowed: str) -> None:
    """No door skips a step: both are named, and what is allowed (rulebook 6.4)."""
    entry = EntryFactory(status=old)
    entry.status = new
    if not allowed:
        entry.full_clean()
        return
    with pytest.raises(ValidationError) as refused:
        entry.full_clean()
    assert refused.value.message_dict == {
        "status": [f"An entry that is {old} cannot become {new}, only {allowed}."],
    }


@pytest.mark.parametrize("status", ["registered", "started"])
def test_a_new_entry_may_stand_anywhere(status: str) -> None:
    """An event taken over in its course."""
    EntryFactory.build(status=status, event=(event := EventFactory()), race_class=RaceClassFactory(event=event)).clean()
