"""The rows under benchmarks/rest.py: 10 events, 5,000 entries, 200,000 crossings; an org-admin and a marshal."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from apps.accounts.models import Organization, OrganizationUser, User
from apps.catalog.models import Vehicle
from apps.course.models import Segment, Stage, Waypoint
from apps.events.models import Entry, Event, RaceClass
from apps.rest import tokens

EVENTS, ENTRIES, CROSSINGS = 10, 5000, 200_000

MAKE_CROSSINGS = """
    insert into entry_crossings (entry_id, control, direction, ts, uncertainty_ms, device, before_ts, after_ts,
                                 fraction, occurrence, min_distance_m)
    select e.id, %s, 'enter', 1780000000000 + n * 977, 250, lpad(e.race_number::text, 15, '3'),
           1780000000000 + n * 977 - 500, 1780000000000 + n * 977 + 500, 0.5, n / 5000, 12.5
    from (select id, race_number, row_number() over () - 1 as place from entries) e
    join generate_series(0, %s - 1) n on n %% 5000 = e.place
"""


@dataclass(frozen=True, slots=True)
class Field:
    """What the calls name: tokens by role, an event, an entry, and what a new entry is made of."""

    tokens: dict[str, str]
    event: str
    entry: str
    race_class: str
    vehicle: str


def build() -> Field:
    organization = Organization.objects.create(name="Club", slug="club")
    now = datetime.now(UTC)
    events = [
        Event.objects.create(
            organization=organization, name=f"Rally {n}", slug=f"rally-{n}",
            starts_at=now - timedelta(days=1 + n), ends_at=now + timedelta(days=5),
        )
        for n in range(EVENTS)
    ]  # fmt: skip
    per_event = ENTRIES // EVENTS
    for event in events:
        _fill(event, per_event)
    _add_crossings(events[0])
    entry = Entry.objects.filter(event=events[0]).select_related("race_class").order_by("race_number")[0]
    held = {role: _member(organization, role) for role in ("org-admin", "marshal")}
    return Field(held, str(events[0].pk), str(entry.pk), str(entry.race_class_id), str(entry.vehicle_id))


def _fill(event: Event, count: int) -> None:
    classes = [RaceClass.objects.create(event=event, code=f"C-{n}", name=f"Cars {n}", sort_order=n) for n in range(18)]
    vehicles = Vehicle.objects.bulk_create(
        Vehicle(make="Toyota", model="Land Cruiser 70", year=1998, cc=4500, plate=f"AA{n:03}") for n in range(count)
    )
    Entry.objects.bulk_create(
        Entry(event=event, vehicle=vehicle, race_class=classes[n % 18], race_number=n + 1, team=f"Team {n}")
        for n, vehicle in enumerate(vehicles)
    )


def _add_crossings(event: Event) -> None:
    stage = Stage.objects.create(event=event, name="Stage 1", sort_order=1, starts_at=event.starts_at)
    segment = Segment.objects.create(stage=stage, sort_order=1, type="special-stage")
    point = Waypoint.objects.create(
        segment=segment, type="WPM", latitude=41.3, longitude=19.8, tolerance_meters=90, sort_order=1
    )
    with connection.cursor() as cursor:
        cursor.execute(MAKE_CROSSINGS, [point.pk, CROSSINGS])
        cursor.execute("analyze")


def _member(organization: Organization, role: str) -> str:
    user = User.objects.create_user(f"{role}@example.org")
    OrganizationUser.objects.create(organization=organization, user=user, role=role)
    return tokens.make(user)[1]
