"""A rally that has driven one stage, seen from its race office: for acts that are done and taken back."""

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.accounts.services import set_role
from apps.common.position import instant
from apps.course.factories import SegmentFactory, StageFactory, WaypointFactory
from apps.course.models import Segment, Stage, Waypoint
from apps.events.models import Entry, Event
from apps.penalties.factories import PenaltyFormulaFactory
from apps.racelog.models import LogLine
from apps.safety.factories import AlertFactory
from apps.scoring.inputs import milliseconds
from apps.scoring.services import Again, rank_again, score_again
from apps.scoring.tests import rally
from apps.telemetry.queries import write_positions

WHY = "it was the wrong crew"


@dataclass(frozen=True, slots=True)
class World:
    """Stage 1 was driven by crews 301 to 305 in June; stage 2 begins in two hours."""

    event: Event
    stage: Stage
    following: Stage
    segment: Segment
    entries: tuple[Entry, ...]
    director: User
    client: Client  # of the director
    viewer: Client

    def control(self, name: str) -> Waypoint:
        return Waypoint.objects.get(segment=self.segment, type=name)

    def clock(self, ts: int) -> str:
        return f"{instant(ts).astimezone(ZoneInfo(self.event.time_zone)):%H:%M:%S.%f}"[:-3]


@dataclass(frozen=True, slots=True)
class Step:
    """What a form sends: a page of the desk with its query; `data` as a form, or as JSON."""

    page: str
    data: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    args: tuple[object, ...] = ()
    as_json: bool = False

    def address(self, world: World) -> str:
        query = {"stage": str(world.stage.sort_order)} | self.query
        return reverse(f"admin:desk_{self.page}", args=[world.event.pk, *self.args], query=query)

    def sent(self, world: World, client: Client) -> Any:
        address = self.address(world)
        if self.as_json:
            return client.post(address, json.dumps(self.data), content_type="application/json")
        return client.post(address, self.data)


Doing = Callable[[World], Step]


def build() -> World:
    built = rally.build()
    write_positions(rally.drive(built, random.Random(7)))
    stage = Stage.objects.get(pk=built.stage_id)
    PenaltyFormulaFactory.create(event=built.event, type="false_start", penalty=30)
    soon = (timezone.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    following = StageFactory.create(event=built.event, name="Stage 2", sort_order=stage.sort_order + 1, starts_at=soon)
    later = SegmentFactory.create(stage=following)
    for order, type_ in enumerate(("DSS", "ASS")):
        WaypointFactory.create(segment=later, type=type_, name=type_, sort_order=order, latitude=42 + order / 10)
    Entry.objects.filter(event=built.event).update(status="accepted")
    director, viewer = (_official(built.event, role) for role in ("race-director", "viewer"))
    world = World(
        built.event, stage, following, stage.segments.get(), built.entries, director, _in(director), _in(viewer)
    )
    scored(world)
    return world


@pytest.fixture(scope="module")
def built(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """One world for the whole table: each test is rolled back to it."""
    with django_db_blocker.unblock(), rolled_back():
        yield build()


@pytest.fixture
def world(built: World, django_db_blocker: DjangoDbBlocker, redis: Redis) -> Iterator[World]:
    with django_db_blocker.unblock(), rolled_back():
        AlertFactory.create(event=built.event, entry=built.entries[0])
        yield built


@contextmanager
def rolled_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _official(event: Event, role: str) -> User:
    user: User = UserFactory.create()
    set_role(event.organization, user, role)
    user.refresh_from_db()
    return user


def _in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def scored(world: World) -> str:
    """Score all of the event again; the hash of every crossing, penalty and result.

    Without lines that say nothing: who was withdrawn from a stage to come keeps an empty one, `registered`.
    """
    list(score_again(Again(str(world.event.pk))))
    rank_again(str(world.event.pk))
    found = rally.readings()
    found["results"] = [row for row in found["results"] if "registered" not in row]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def started(world: World, number: int = 301) -> int:
    """When the tracker of a crew saw it at the start, epoch ms."""
    entry = next(one for one in world.entries if one.race_number == number)
    return int(entry.crossings.filter(control=world.control("DSS").pk).earliest("ts").ts)


def last_line() -> LogLine:
    return LogLine.objects.exclude(kind="done").latest("created_at")


def start_ms(world: World) -> int:
    return milliseconds(world.following.starts_at)
