"""A scratch event: a course and its rules copied, a field of its own with trackers of its own, to replay a race into.

The recorded positions stay as they are. What is sent for the scratch event are copies by other trackers, which go
again with the event.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction

from apps.catalog.models import Device, OrganizationDevice
from apps.common.position import Position, instant
from apps.course.models import Geofence, Segment, SpeedLimitZone, Stage, Waypoint
from apps.events.models import Entry, EntryDevice, Event, RaceClass
from apps.penalties.models import PenaltyFormula
from apps.scoring.inputs import load
from apps.scoring.removal import remove_event_rows
from apps.scoring.replay import Tape
from apps.timing.models import EntrySegmentStart

NOTE = "Scratch event of a replay."
# Tables of a course and its rules in the order of what they refer to, and the way from a row to its event.
COURSE: Sequence[tuple[type[models.Model], str]] = (
    (RaceClass, "event"),
    (Stage, "event"),
    (Geofence, "event"),
    (Segment, "stage__event"),
    (Waypoint, "segment__stage__event"),
    (SpeedLimitZone, "segment__stage__event"),
    (PenaltyFormula, "event"),
)
Ids = dict[Any, Any]  # the key of a row → that of its copy


@transaction.atomic
def make(tape: Tape, slug: str) -> dict[str, str]:
    """Make the scratch event of a tape of entries; each recorded tracker's IMEI → the one that stands for it.

    Raises ValidationError when the organization has an event of this slug.
    """
    course = Event.objects.get(id=tape.course)
    if Event.objects.filter(organization=course.organization, slug=slug).exists():
        raise ValidationError(f"{course.organization} has an event {slug!r}: remove it, or choose another slug")
    ids: Ids = {}
    values = {"slug": slug, "name": f"{course.name} (replay)"[:200], "notes": NOTE, "is_public": False}
    event = _copy(course, ids, **values)
    for model, way in COURSE:
        for row in _in_order(model, model._default_manager.filter(**{way: course})):
            _copy(row, ids)
    return _field(tape, event, ids)


def remove(event: Event) -> None:
    """Take a scratch event away, with its trackers and what they sent. Raises ValidationError for any other event."""
    if event.notes != NOTE:
        raise ValidationError(f"{event} is no scratch event")
    with transaction.atomic(), connection.cursor() as cursor:
        imeis = list(EntryDevice.objects.filter(entry__event=event).values_list("device__imei", flat=True))
        remove_event_rows(event)
        cursor.execute("delete from positions where device_id = any(%s)", [imeis])
        OrganizationDevice.objects.filter(device__imei__in=imeis).delete()
        Device.objects.filter(imei__in=imeis).delete()


def _in_order(model: type[models.Model], rows: Any) -> list[Any]:
    """Rows that refer to others of their table after these."""
    own = [f.attname for f in model._meta.concrete_fields if f.related_model is model]
    return sorted(rows, key=lambda row: (any(getattr(row, name) for name in own), str(row.pk)))


def _copy(row: Any, ids: Ids, **values: Any) -> Any:
    """Store a copy of a row that refers to the copies of what the row refers to."""
    fields = {
        field.attname: ids.get(value := getattr(row, field.attname), value)
        if isinstance(field, models.ForeignKey | models.UUIDField)
        else getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if not field.primary_key
    }
    made = type(row)._default_manager.create(**fields | values)
    ids[row.pk] = made.pk
    return made


def _field(tape: Tape, event: Event, ids: Ids) -> dict[str, str]:
    """Copies of the entries of a tape, each tracker of theirs replaced by one of the scratch event's own."""
    classes = {row.code: row for row in RaceClass.objects.filter(event=event)}
    stand_ins: dict[str, str] = {}
    inputs = load(tape.source, tape.entries).entries
    for entry in Entry.objects.filter(id__in=tape.entries).select_related("race_class"):
        race_class = classes.get(entry.race_class.code) or _copy(entry.race_class, ids, event_id=event.pk)
        classes[race_class.code] = race_class
        made = _copy(entry, ids, event_id=event.pk, race_class_id=race_class.pk)
        for carried in inputs[str(entry.pk)].carried:
            device = _stand_in(carried.device, event, stand_ins)
            EntryDevice.objects.create(
                entry=made,
                device=device,
                priority=carried.priority,
                assigned_from=instant(carried.low + tape.shift_ms),
                assigned_until=_until(carried.high, tape.shift_ms),
            )
    if tape.course == tape.source:
        for start in EntrySegmentStart.objects.filter(entry_id__in=tape.entries):
            _copy(start, ids)
    return stand_ins


def _until(high: int, shift_ms: int) -> Any:
    """The end of an assignment, exclusive; None where it has none."""
    try:
        return instant(high + shift_ms + 1)
    except OverflowError:
        return None


def _stand_in(imei: str, event: Event, made: dict[str, str]) -> Device:
    if imei in made:
        return Device.objects.get(imei=made[imei])
    source = Device.objects.get(imei=imei)
    made[imei] = f"99{secrets.randbelow(10**15):015d}"  # 17 digits: no real tracker has so many
    device = Device.objects.create(imei=made[imei], model=source.model, serial_number=f"for {imei}")
    OrganizationDevice.objects.create(organization=event.organization, device=device)
    return device


# In the order of their time; `faulty` ones stay out, the scratch event has no decision that says so.
RECORDED = """
    select device_id, (extract(epoch from ts) * 1000)::bigint, latitude, longitude, altitude, angle, speed, satellites,
           priority, codec, attributes::text
    from positions
    where device_id = any(%s) and ts between to_timestamp(%s / 1e3) and to_timestamp(%s / 1e3) and not faulty
    order by ts
"""
LAST_MS = 253_402_300_799_000
AT_ONCE = 2000


def recorded(stand_ins: Mapping[str, str], tape: Tape) -> Iterator[Position]:
    """What the trackers of a tape recorded, as sent by those that stand for them. Reads some at a time."""
    with transaction.atomic():
        connection.ensure_connection()
        with connection.connection.cursor(name="trm_replay") as cursor:
            cursor.itersize = AT_ONCE
            cursor.execute(RECORDED, [list(stand_ins), max(tape.low, 0), min(tape.high, LAST_MS)])
            for row in cursor:
                values = [stand_ins[row[0]], row[1] + tape.shift_ms, *row[2:-1], orjson.loads(row[-1])]
                yield Position(*values)
