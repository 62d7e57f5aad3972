"""Writes the demo rally into the tables, and takes away what an earlier demo left."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from apps.accounts.models import Organization, User
from apps.catalog.models import Device, DeviceModel, OrganizationDevice, Vehicle
from apps.common.position import instant
from apps.course.models import (
    Geofence,
    GeofenceKind,
    Segment,
    SegmentType,
    SpeedLimitZone,
    Stage,
    StageRole,
    StartFrom,
    Waypoint,
)
from apps.demo.domain.course import Point, StageCourse
from apps.demo.domain.field import CLASSES, Crew
from apps.demo.domain.traffic import WORN, starts
from apps.events.models import CrewRole, Discipline, Entry, EntryCrew, EntryDevice, EntryStatus, Event, RaceClass
from apps.penalties.models import EntryPenalty, PenaltyFormula
from apps.scoring.models import EventResult, OutboxRow, ResultRevision, StageResult
from apps.timing.models import EntryCrossing, EntrySegmentStart, TimingRecord

SLUG = "rally-albania-2026"
ORGANIZATION = ("Motorsport Club Albania", "msc-albania")
ADMIN = "admin@demo.invalid"
CREW_DOMAIN = "crew.demo.invalid"  # marks the people a demo made, to know them again
MODELS = ("FMB920", "FMB920", "FMB003")  # chassis, backup, panic button


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    password: str


def build_event(course: Sequence[StageCourse], crews: Sequence[Crew]) -> Event:
    """Make the demo rally anew: an earlier one goes, with its positions and results. One transaction."""
    with transaction.atomic():
        remove_event(crews)
        event = _event(course)
        classes = _classes(event)
        segments = [_stage(event, order, stage) for order, stage in enumerate(course, start=1)]
        _formulas(event)
        entries = {crew.number: _entry(event, classes[crew.class_code], crew) for crew in crews}
        for stage, segment in zip(course, segments, strict=True):
            _starts(segment, starts(crews, stage), entries)
        _make_partitions(event)
    return event


def make_admin() -> Login:
    """The demo's superuser with a new password, to be shown once."""
    password = secrets.token_urlsafe(9)
    user = User.objects.filter(email=ADMIN).first()
    if user is None:
        User.objects.create_superuser(ADMIN, password, first_name="Demo", last_name="Admin")
    else:
        user.set_password(password)
        user.save()
    return Login(ADMIN, password)


def retire(event: Event, number: int) -> str:
    """What an official does when a crew gives up. Returns the entry's id, to have it scored again."""
    entry = Entry.objects.get(event=event, race_number=number)
    entry.status = EntryStatus.RETIRED
    entry.save()
    return str(entry.id)


def remove_event(crews: Sequence[Crew]) -> None:
    """Take away the demo rally, readings before rows, and the positions of its trackers."""
    event = Event.objects.filter(slug=SLUG, organization__slug=ORGANIZATION[1]).first()
    imeis = [imei for crew in crews for imei in crew.devices]
    if event is not None:
        imeis += EntryDevice.objects.filter(entry__event=event).values_list("device__imei", flat=True)
        _remove_rows(event)
    with connection.cursor() as cursor:
        cursor.execute("delete from positions where device_id = any(%s)", [imeis])
    OrganizationDevice.objects.filter(device__imei__in=imeis).delete()
    Device.objects.filter(imei__in=imeis).delete()


def _remove_rows(event: Event) -> None:
    vehicles = list(Vehicle.objects.filter(entries__event=event).values_list("id", flat=True))
    OutboxRow.objects.filter(topic__startswith=f"leaderboard:{event.id}").delete()
    ResultRevision.objects.filter(event=event).delete()
    for model in (EntryCrossing, TimingRecord, EntrySegmentStart, EntryPenalty, StageResult, EventResult):
        model.objects.filter(entry__event=event).delete()
    Entry.objects.filter(event=event).delete()
    PenaltyFormula.objects.filter(event=event).delete()
    SpeedLimitZone.objects.filter(segment__stage__event=event).delete()
    Waypoint.objects.filter(segment__stage__event=event).delete()
    Segment.objects.filter(stage__event=event).delete()
    Stage.objects.filter(event=event).delete()
    Geofence.objects.filter(event=event).delete()
    RaceClass.objects.filter(event=event).delete()
    event.delete()
    Vehicle.objects.filter(id__in=vehicles).delete()
    User.objects.filter(email__endswith=f"@{CREW_DOMAIN}").delete()


def _event(course: Sequence[StageCourse]) -> Event:
    name, slug = ORGANIZATION
    organization, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    return Event.objects.create(
        organization=organization,
        name="Rally Albania 2026",
        slug=SLUG,
        discipline=Discipline.RALLY,
        starts_at=instant(course[0].starts_ts),
        ends_at=instant(course[-1].starts_ts) + timedelta(days=6),
        time_zone="Europe/Tirane",
        is_public=True,
        notes="A simulated rally. Penalties are FIM figures: Rally Albania's own come with its regulations.",
    )


def _classes(event: Event) -> dict[str, RaceClass]:
    rows = [
        RaceClass(event=event, code=code, name=name, sort_order=10 * n)
        for n, (code, name) in enumerate(CLASSES, start=1)
    ]
    return {row.code: row for row in RaceClass.objects.bulk_create(rows)}


def _stage(event: Event, order: int, course: StageCourse) -> Segment:
    """A stage with liaison, special stage and liaison; returns the special stage."""
    stage = Stage.objects.create(
        event=event,
        name=course.name,
        sort_order=order,
        role=StageRole(course.role),
        starts_at=instant(course.starts_ts),
    )
    out = Segment.objects.create(stage=stage, name="Liaison out", sort_order=1, type=SegmentType.LIAISON)
    special = _special(event, stage, course)
    back = Segment.objects.create(stage=stage, name="Liaison in", sort_order=3, type=SegmentType.LIAISON)
    half = course.start_m
    controls = [point for point in course.points if point.type == "TC"]
    _waypoints(out, course, [point for point in controls if point.at_m < half])
    _waypoints(back, course, [point for point in controls if point.at_m >= half])
    points = _waypoints(special, course, [point for point in course.points if point.type != "TC"])
    _zones(special, course, points)
    return special


def _special(event: Event, stage: Stage, course: StageCourse) -> Segment:
    Geofence.objects.create(
        event=event,
        name=f"{course.name}: bivouac",
        kind=GeofenceKind.BIVOUAC,
        geometry={
            "type": "Polygon",
            "coordinates": [course.road.area(course.road.length_m - 300, course.road.length_m)],
        },
    )
    start = _gate(event, course, "start", course.start_m) if course.start_is_gate else None
    finish = _gate(event, course, "finish", course.finish_m) if course.finish_is_gate else None
    return Segment.objects.create(
        stage=stage,
        name=f"SS {stage.sort_order - 1}" if stage.sort_order > 1 else "Prologue",
        sort_order=2,
        type=SegmentType.SPECIAL_STAGE,
        entry_geofence=start,
        exit_geofence=finish,
        start_from=StartFrom.CROSSING if start else StartFrom.ASSIGNED,
        maximum_duration_seconds=course.maximum_s,
        neutralised_seconds=course.neutral_s,
    )


def _gate(event: Event, course: StageCourse, name: str, at_m: float) -> Geofence:
    ends = course.road.gate(at_m)
    return Geofence.objects.create(
        event=event,
        name=f"{course.name}: {name}",
        kind=GeofenceKind.GATE,
        geometry={"type": "LineString", "coordinates": [[round(lon, 7), round(lat, 7)] for lat, lon in ends]},
        bearing=round(course.road.bearing(at_m), 1),
    )


def _waypoints(segment: Segment, course: StageCourse, points: Sequence[Point]) -> dict[str, Waypoint]:
    """The points as rows, in road order; by name."""
    rows = []
    for order, point in enumerate(sorted(points, key=lambda p: p.at_m), start=1):
        lat, lon = course.road.place(point.at_m)
        rows.append(
            Waypoint(
                segment=segment,
                name=point.name,
                type=point.type,
                latitude=round(lat, 7),
                longitude=round(lon, 7),
                opening_radius=point.opening_m,
                tolerance_meters=point.radius_m,
                sort_order=10 * order,
            )
        )
    return {row.name: row for row in Waypoint.objects.bulk_create(rows)}


def _zones(segment: Segment, course: StageCourse, points: Mapping[str, Waypoint]) -> None:
    for zone in course.zones:
        ring = course.road.area(zone.from_m, zone.to_m)
        SpeedLimitZone.objects.create(
            segment=segment,
            name=zone.name,
            geometry={"type": "Polygon", "coordinates": [ring]} if zone.drawn else None,
            dz_waypoint=None if zone.drawn else points[f"DZ {zone.name}"],
            fz_waypoint=None if zone.drawn else points[f"FZ {zone.name}"],
            speed_limit_kmh=zone.limit_kmh,
        )


def _formulas(event: Event) -> None:
    """FIM 2025 for missed waypoints, FIM 2022 for speed, as the rulebook quotes them (§2.3, §3.4)."""
    missed = [("", 15), ("WPN", 60), ("WPP", 2)]
    speeds = [(1, 20, 1), (21, 40, 2), (41, None, 6)]
    PenaltyFormula.objects.bulk_create(
        [
            PenaltyFormula(
                event=event,
                type="missed_waypoint",
                target=target,
                penalty=60 * minutes,
                article="FIM 2025 art. 80.11.5",
            )
            for target, minutes in missed
        ]
        + [
            PenaltyFormula(
                event=event,
                type="speed_zone",
                offence_min=low,
                offence_max=high,
                penalty=60 * minutes,
                article="FIM 2022 art. 80.16",
            )
            for low, high, minutes in speeds
        ]
    )


def _entry(event: Event, race_class: RaceClass, crew: Crew) -> Entry:
    vehicle = Vehicle.objects.create(make=crew.make, model=crew.model, year=crew.year, cc=crew.cc)
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
            birth_date=date(1985, 1, 1),
        )
        user.set_unusable_password()
        user.save()
        EntryCrew.objects.create(entry=entry, user=user, role=role)
        users.append(user)
    return users[0]


def _starts(segment: Segment, instants: Mapping[int, int], entries: Mapping[int, Entry]) -> None:
    EntrySegmentStart.objects.bulk_create(
        EntrySegmentStart(entry=entries[number], segment=segment, start_position=position, target_at=instant(ts))
        for position, (number, ts) in enumerate(instants.items(), start=1)
    )


def _make_partitions(event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select trm_make_position_partitions(%s::date, %s::date)",
            [event.starts_at.date(), event.ends_at.date()],
        )
