"""Writes the demo rally into the tables."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from apps.accounts.models import Organization, Role, User
from apps.accounts.services import set_role
from apps.common.position import instant
from apps.demo.course_rows import make_stage
from apps.demo.domain.course import StageCourse
from apps.demo.domain.field import CLASSES, Crew
from apps.demo.domain.traffic import starts
from apps.demo.entry_rows import make_entry, make_starts
from apps.demo.names import ADMIN, DIRECTOR, ORGANIZATION, SLUG, TIMEKEEPER
from apps.demo.removal import remove_event
from apps.events.models import Discipline, Entry, EntryStatus, Event, RaceClass
from apps.penalties.models import PenaltyFormula
from apps.safety.models import SafetySettings, watched_types

ZONE = ZoneInfo("Europe/Tirane")
LASTS = timedelta(days=7)  # as 6 to 13 June; the demo drives the first day
NOT_THEIRS = "demo figure, not Rally Albania's"


@dataclass(frozen=True, slots=True)
class Login:
    role: str
    email: str
    password: str


def build_event(course: Sequence[StageCourse], crews: Sequence[Crew]) -> Event:
    """Make the demo rally anew: an earlier one goes, with its positions and results. One transaction."""
    with transaction.atomic():
        remove_event(crews)
        event = _event(course)
        classes = _classes(event)
        segments = [make_stage(event, order, stage) for order, stage in enumerate(course, start=1)]
        _formulas(event)
        entries = {crew.number: make_entry(event, classes[crew.class_code], crew) for crew in crews}
        for stage, segment in zip(course, segments, strict=True):
            make_starts(segment, starts(crews, stage), entries)
        _make_partitions(event)
    return event


def watch_over(event: Event, *, crews_too: bool) -> None:
    """Whether alerts are raised of how crews stand, too, and not of what they ask for alone.

    Not while the past comes in, nor in a rally that is behind the clock: everybody would seem silent.
    """
    watched = watched_types() if crews_too else []
    SafetySettings.objects.update_or_create(event=event, defaults={"watched": watched})


def make_logins(organization: Organization) -> tuple[Login, ...]:
    """Who works in the demo's race office, each with a new password, to be shown once."""
    director, timekeeper = _user(DIRECTOR, "Race Director"), _user(TIMEKEEPER, "Timekeeper")
    set_role(organization, director, Role.RACE_DIRECTOR)
    set_role(organization, timekeeper, Role.TIMEKEEPER)
    people = (("race director", director), ("timekeeper", timekeeper), ("administrator", _administrator()))
    return tuple(Login(role, user.email, _new_password(user)) for role, user in people)


def _user(email: str, last_name: str) -> User:
    user, _ = User.objects.get_or_create(email=email, defaults={"first_name": "Demo", "last_name": last_name})
    return user


def _administrator() -> User:
    user = _user(ADMIN, "Admin")
    user.is_staff = user.is_superuser = True
    return user


def _new_password(user: User) -> str:
    password = secrets.token_urlsafe(9)
    user.set_password(password)
    # The role may have given more rights than this object knows of.
    user.save(update_fields=["password", *(["is_staff", "is_superuser"] if user.is_superuser else [])])
    return password


def retire(event: Event, number: int) -> str:
    """What an official does when a crew gives up. Returns the entry's id, to have it scored again."""
    entry = Entry.objects.get(event=event, race_number=number)
    for status in (EntryStatus.STARTED, EntryStatus.RETIRED):
        entry.status = status
        entry.full_clean()
        entry.save()
    return str(entry.id)


def _event(course: Sequence[StageCourse]) -> Event:
    name, slug = ORGANIZATION
    first = instant(course[0].starts_ts).astimezone(ZONE).date()
    organization, _ = Organization.objects.get_or_create(slug=slug, defaults={"name": name})
    return Event.objects.create(
        organization=organization,
        name="Rally Albania 2026",
        slug=SLUG,
        discipline=Discipline.RALLY,
        starts_at=datetime.combine(first, time(0), ZONE),
        ends_at=datetime.combine(first + LASTS, time(23, 59, 59), ZONE),
        time_zone=ZONE.key,
        is_public=True,
        notes=(
            "A simulated rally, held on the day it is played. Penalties are FIM figures, not Rally Albania's: "
            "its own come with its regulations."
        ),
    )


def _classes(event: Event) -> dict[str, RaceClass]:
    rows = [
        RaceClass(event=event, code=code, name=name, sort_order=10 * n)
        for n, (code, name) in enumerate(CLASSES, start=1)
    ]
    return {row.code: row for row in RaceClass.objects.bulk_create(rows)}


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
                article=f"{NOT_THEIRS} (FIM 2025 art. 80.11.5)",
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
                article=f"{NOT_THEIRS} (FIM 2022 art. 80.16)",
            )
            for low, high, minutes in speeds
        ]
    )


def _make_partitions(event: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select trm_make_position_partitions(%s::date, %s::date)",
            [event.starts_at.date(), event.ends_at.date()],
        )
