"""A small rally with results, and its officials, for the desk's tests."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.accounts.services import set_role
from apps.catalog.factories import DeviceFactory
from apps.course.factories import SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Segment, Stage, Waypoint
from apps.events.factories import EntryDeviceFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.events.models import Entry, Event
from apps.penalties.factories import EntryPenaltyFactory
from apps.penalties.models import EntryPenalty
from apps.scoring.factories import StageResultFactory
from apps.scoring.inputs import milliseconds
from apps.timing.factories import EntryCrossingFactory


@dataclass(frozen=True, slots=True)
class Office:
    """A stage that began an hour ago: DSS, a WPM and an ASS; crews 301 and on, the second of which missed the WPM."""

    event: Event
    stage: Stage
    segment: Segment
    controls: tuple[Waypoint, ...]
    entries: tuple[Entry, ...]

    def page(self, name: str, *args: object, **query: str) -> str:
        return reverse(f"admin:desk_{name}", args=[self.event.pk, *args], query=query or None)


def build(entries: int = 3) -> Office:
    now = timezone.now()
    event = EventFactory.create(
        time_zone="Europe/Tirane", is_public=False, starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=3)
    )
    stage = StageFactory.create(event=event, name="Stage 1", starts_at=now - timedelta(hours=1))
    segment = SegmentFactory.create(stage=stage, name="SS 1")
    controls = tuple(
        WaypointFactory.create(segment=segment, name=name, type=name, sort_order=order, latitude=41 + order / 100)
        for order, name in enumerate(("DSS", "WPM", "ASS"))
    )
    race_class = RaceClassFactory.create(event=event, code="C-1")
    rows = tuple(
        EntryFactory.create(event=event, race_class=race_class, race_number=301 + n, status="accepted")
        for n in range(entries)
    )
    office = Office(event, stage, segment, controls, rows)
    for n, entry in enumerate(rows):
        _drive(office, entry, n)
    return office


def _drive(office: Office, entry: Entry, n: int) -> None:
    start = milliseconds(office.stage.starts_at) + n * 1000
    finish = start + 1_200_000
    device = DeviceFactory.create()
    EntryDeviceFactory.create(entry=entry, device=device, assigned_from=office.event.starts_at)
    for control, ts in ((office.controls[0], start), (office.controls[2], finish)):
        EntryCrossingFactory.create(
            entry=entry, control=control.pk, ts=ts, before_ts=ts - 500, after_ts=ts + 500, device=device.imei
        )
    StageResultFactory.create(
        entry=entry, stage=office.stage, status="finished", time_ms=1_200_000, total_ms=1_200_000 + n * 60_000,
        penalty_ms=n * 60_000, rank=n + 1, class_rank=n + 1, outcome=_outcome(office, start, finish, doubtful=n == 0),
    )  # fmt: skip
    if n:
        missed(office, entry)


def missed(office: Office, entry: Entry) -> EntryPenalty:
    """A penalty proposed for the WPM."""
    penalty: EntryPenalty = EntryPenaltyFactory.create(
        entry=entry, stage=office.stage, key=f"missed_waypoint:{office.controls[1].pk}", type="missed_waypoint",
        seconds=60, formula=None,
    )  # fmt: skip
    return penalty


def _outcome(office: Office, start: int, finish: int, *, doubtful: bool) -> dict[str, Any]:
    reviews = ["finish: beam differs by +3 s"] if doubtful else []
    segment = {
        "segment": str(office.segment.pk), "start_ts": start, "finish_ts": finish, "net_ms": finish - start,
        "driven_ts": start, "start_source": "gps", "finish_source": "gps", "reviews": reviews, "note": "",
    }  # fmt: skip
    conflicts = [f"{office.segment.pk}: {text}" for text in reviews]
    return {"segments": [segment], "conflicts": conflicts, "last_ts": finish}


def official(office: Office, role: str) -> User:
    user: User = UserFactory.create()
    set_role(office.event.organization, user, role)
    user.refresh_from_db()
    return user


def signed_in(office: Office, role: str) -> Client:
    client = Client()
    client.force_login(official(office, role))
    return client
