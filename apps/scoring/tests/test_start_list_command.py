"""`manage.py start_list`: what officials see and do."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.accounts.models import User
from apps.course.factories import SegmentFactory, StageFactory
from apps.course.models import Stage
from apps.events.factories import EntryCrewFactory, EntryFactory, EventFactory, RaceClassFactory
from apps.scoring.management.commands.start_list import table, told
from apps.scoring.start_lists import Move, StartRow
from apps.timing.models import StartList

pytestmark = pytest.mark.django_db
TIRANE = ZoneInfo("Europe/Tirane")


@pytest.fixture
def stage(redis: Redis) -> Stage:
    event = EventFactory(slug="rally", name="Rally")
    stage = StageFactory(event=event, name="Stage 1", sort_order=3, starts_at=datetime(2026, 6, 8, 4, tzinfo=UTC))
    SegmentFactory(stage=stage)
    moto = RaceClassFactory(event=event, code="M-1")
    crew = EntryFactory(event=event, race_class=moto, race_number=7)
    EntryCrewFactory(entry=crew, user=UserFactory(first_name="Ana", last_name="Hoxha"))
    EntryFactory(event=event, race_class=moto, race_number=12)
    return stage


@pytest.fixture
def official(db: None) -> User:
    return UserFactory(email="clerk@example.org")


def run(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command("start_list", *arguments, stdout=out, **options)
    return out.getvalue()


def test_the_table_shows_crews_and_times_of_the_event(stage: Stage) -> None:
    lines = run("rally", "Stage 1", "--propose").splitlines()
    assert lines[0] == "Rally, Stage 1: proposed. Times of Europe/Tirane."
    assert lines[1].split() == ["pos", "no", "crew", "class", "start", "note"]
    assert lines[2].split() == ["1", "7", "Ana", "Hoxha", "M-1", "06:00:00"]
    assert lines[3].split() == ["2", "12", "M-1", "06:01:00"]


def test_open_and_republish_are_signed(stage: Stage, official: User) -> None:
    assert "version 1" in run("rally", "3", "--open", author=official.email)
    stage.start_order_strategy_params = {"order": [12]}
    stage.save()
    lines = run("rally", "3", "--republish", author=official.email, reason="12 first").splitlines()
    assert "version 2" in lines[0]
    assert lines[-2:] == ["12: 06:01:00 → 06:00:00", "7: 06:00:00 → 06:01:00"]
    assert StartList.objects.get(version=2).author == official
    assert "version 2" in run("rally", "3")


def test_json_has_rows_and_moves(stage: Stage, official: User) -> None:
    found = json.loads(run("rally", "3", "--open", "--json", author=official.email))
    assert found["list"] == "version 1" and found["moves"] == []
    assert [(row["number"], row["start"]) for row in found["rows"]] == [
        (7, "2026-06-08T04:00:00.000Z"),
        (12, "2026-06-08T04:01:00.000Z"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("relly", "3"), "0 events have the slug 'relly'; there are: rally"),
        (("rally", "9"), "Rally has 0 stages '9'; there are: 3 Stage 1"),
        (("rally", "3", "--open"), "--author: missing"),
        (("rally", "3", "--open", "--author", "x@y.z"), "--author: x@y.z"),
        (("rally", "3", "--republish", "--author", "clerk@example.org", "--reason", "x"), "not open yet"),
    ],
)
def test_what_cannot_be_done_is_said(stage: Stage, official: User, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)


def row(at: datetime) -> StartRow:
    ms = int(at.timestamp() * 1000)
    return StartRow(1, "e", 7, "Ana Hoxha", "M-1", "all", 1, ms, ms, "")


def test_over_a_change_of_the_clocks_the_offset_is_shown() -> None:
    """25 October 2026: 02:30 comes twice."""
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    lines = table([row(first), row(first + timedelta(hours=1))], TIRANE)
    assert "02:30:00 +0200" in lines[1] and "02:30:00 +0100" in lines[2]


def test_over_midnight_the_date_is_shown() -> None:
    first = datetime(2026, 6, 8, 21, 59, tzinfo=UTC)
    lines = table([row(first), row(first + timedelta(minutes=2))], TIRANE)
    assert "2026-06-08 23:59:00" in lines[1] and "2026-06-09 00:01:00" in lines[2]
    move = Move(7, None, int(first.timestamp() * 1000))
    assert told([move], TIRANE) == ["7: not on the list → 23:59:00"]
