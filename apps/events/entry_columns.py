"""An entry as a row of a file: its columns, how each is read, and what there is in the same words.

Crew members and trackers stand beside each other: crew_1_first_name, …, device_1, … So one file holds a field.
"""

from collections.abc import Iterator

from django.db.models import Prefetch

from apps.accounts.models import User
from apps.catalog.models import Device, Vehicle
from apps.common.bulk import SHORTENED, Cells, Column, Read, choice, day, text, whole, yes_or_no
from apps.events.models import CrewRole, Entry, EntryCrew, EntryDevice, EntryStatus, Event

KEY = "race_number"
SEATS = range(1, 5)
DEVICES = range(1, 5)
VEHICLE = ("make", "model", "year", "cc", "plate", "vin")
PERSON = ("first_name", "last_name", "email", "role", "nationality", "birth_date")
# Who has no e-mail address in the file gets one that leads nowhere: the account cannot be entered until it is changed.
NOWHERE = "@no-address.invalid"


def columns(event: Event) -> list[Column]:
    return [
        Column(KEY, whole(Entry._meta.get_field("race_number"), 1), required=True),
        Column("class", choice(event.classes.values_list("code", "name")), required=True),
        Column("status", choice(EntryStatus.choices)),
        Column("competing", yes_or_no),
        Column("team", text(Entry._meta.get_field("team"))),
        *(Column(f"vehicle_{name}", read) for name, read in _vehicle().items()),
        *(Column(f"crew_{seat}_{name}", read) for seat in SEATS for name, read in _person().items()),
        *(Column(f"device_{place}", _imei) for place in DEVICES),
    ]


def names() -> list[str]:
    """The columns in the order of an export."""
    vehicle = [f"vehicle_{name}" for name in VEHICLE]
    crew = [f"crew_{seat}_{name}" for seat in SEATS for name in PERSON]
    return [KEY, "class", "status", "competing", "team", *vehicle, *crew, *(f"device_{place}" for place in DEVICES)]


def entries_of(event: Event) -> list[Entry]:
    """By number, with all that a row of the file tells, in a fixed number of queries."""
    crew = EntryCrew.objects.select_related("user").order_by("created_at", "id")
    devices = EntryDevice.objects.select_related("device").order_by("priority", "assigned_from", "id")
    rows = Entry.objects.filter(event=event).select_related("race_class", "vehicle").order_by("race_number")
    return list(rows.prefetch_related(Prefetch("crew_links", crew), Prefetch("device_links", devices)))


def cells_of(entry: Entry) -> Cells:
    """The entry as an export writes it and an import reads it."""
    return dict(_cells(entry))


def _cells(entry: Entry) -> Iterator[tuple[str, str]]:
    yield KEY, str(entry.race_number)
    yield "class", entry.race_class.code
    yield "status", entry.status
    yield "competing", "yes" if entry.competing else "no"
    yield "team", entry.team
    for name in VEHICLE:
        yield f"vehicle_{name}", _shown(getattr(entry.vehicle, name, ""))
    links = list(entry.crew_links.all())
    for seat in SEATS:
        link = links[seat - 1] if seat <= len(links) else None
        for name in PERSON:
            yield f"crew_{seat}_{name}", _told(link, name) if link else ""
    devices = carried(entry)
    for place in DEVICES:
        yield f"device_{place}", devices[place - 1].device.imei if place <= len(devices) else ""


def carried(entry: Entry) -> list[EntryDevice]:
    """The trackers an entry carries, each once, best first, as many as a file has columns for."""
    return list({link.device_id: link for link in reversed(entry.device_links.all())}.values())[::-1][: len(DEVICES)]


def _told(link: EntryCrew, name: str) -> str:
    if name == "role":
        return link.role
    shown = _shown(getattr(link.user, name))
    if name == "email":
        return "" if shown.endswith(NOWHERE) else shown.lower()
    return shown


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _vehicle() -> dict[str, Read]:
    field = Vehicle._meta.get_field
    return {
        "make": text(field("make")),
        "model": text(field("model")),
        "year": whole(field("year"), 1900, 2100),
        "cc": whole(field("cc"), 1, 100_000),
        "plate": text(field("plate")),
        "vin": text(field("vin")),
    }


def _person() -> dict[str, Read]:
    field = User._meta.get_field
    return {
        "first_name": text(field("first_name")),
        "last_name": text(field("last_name")),
        "email": _email,
        "role": choice(CrewRole.choices),
        "nationality": lambda value: text(field("nationality"))(value.upper()),
        "birth_date": day,
    }


_valid_email = text(User._meta.get_field("email"))


def _email(value: str) -> str:
    return _valid_email(value.lower())


def _imei(value: str) -> str:
    digits = value.replace(" ", "")
    if "E+" in value.upper():
        raise ValueError(SHORTENED % {"value": value})
    return text(Device._meta.get_field("imei"))(digits)
