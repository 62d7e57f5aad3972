"""How race control tells crews apart, and what of it arrives."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from apps.accounts.factories import UserFactory
from apps.catalog.factories import DeviceFactory
from apps.common.position import Position
from apps.events.factories import EntryDeviceFactory
from apps.events.models import Event
from apps.live.alarms import acknowledge
from apps.live.models import Acknowledgement
from apps.live.positions import now_ms
from apps.live.race_control import Alarm, Fix, Reading, State, is_overdue, line, lines, state
from apps.live.state_queries import readings
from apps.live.tests import boards
from apps.live.tests.server import WebServer
from apps.live.tests.test_ws_live import client
from apps.safety import services as safety
from apps.safety.detector import look
from apps.safety.models import Alert
from apps.telemetry.queries import write_positions

NOW = 1_780_732_800_000
MOVING = Fix(ts=NOW - 2000, ingested=NOW - 1000, lat=41.3, lon=19.8, speed=60, moved_ts=NOW - 2000, signal=4)
INSIDE = Reading("e", 301, "C-2", stage="Stage 1", start_position=3, due=NOW + 1, fix=MOVING)
STOPPED = replace(MOVING, speed=0.0, moved_ts=NOW - 62_000)
SILENT = replace(MOVING, ts=NOW - 61_000, ingested=NOW - 60_000)


@pytest.mark.parametrize(
    ("reading", "expected"),
    [
        (INSIDE, State.MOVING),
        (replace(INSIDE, fix=None), State.NO_TRACKER),
        (replace(INSIDE, stage=None, fix=SILENT), State.IDLE),
        (replace(INSIDE, fix=STOPPED), State.STOPPED),
        (replace(INSIDE, fix=replace(STOPPED, moved_ts=NOW - 61_999)), State.MOVING),
        (replace(INSIDE, fix=SILENT), State.SILENT),
        (replace(INSIDE, fix=replace(SILENT, signal=None)), State.SILENT),
        (replace(INSIDE, fix=replace(SILENT, signal=1)), State.NO_COVERAGE),
        (replace(INSIDE, fix=replace(SILENT, ingested=SILENT.ts + 30_001)), State.NO_COVERAGE),
    ],
)
def test_stopped_silent_and_no_coverage_are_told_apart(reading: Reading, expected: State) -> None:
    assert state(reading, NOW) == expected


def test_overdue_is_against_what_was_expected_of_a_crew_inside() -> None:
    assert not is_overdue(INSIDE, NOW + 1) and is_overdue(INSIDE, NOW + 2)
    assert not is_overdue(replace(INSIDE, stage=None), NOW + 2)
    assert not is_overdue(replace(INSIDE, due=None), NOW + 2)


def test_an_alarm_is_at_the_top_until_it_was_seen() -> None:
    alarm = Alarm(NOW, 41.3, 19.8)
    readings = [
        replace(INSIDE, entry="a", race_number=1, fix=STOPPED),
        replace(INSIDE, entry="b", race_number=2, due=NOW - 1),
        replace(INSIDE, entry="c", race_number=3, alarm=alarm),
        replace(INSIDE, entry="d", race_number=4, alarm=replace(alarm, seen_by="Ana", seen_at=NOW)),
        replace(INSIDE, entry="e", race_number=5, fix=SILENT),
    ]
    assert [of["entryId"] for of in lines(readings, NOW)] == ["c", "b", "e", "a", "d"]


def test_a_critical_alert_of_the_safety_desk_is_at_the_top_until_it_was_seen() -> None:
    alert = {"kind": "crash", "severity": 3, "seen": False}
    assert line(replace(INSIDE, alerts=(alert,)), NOW)["attention"] == 0
    assert line(replace(INSIDE, alerts=(alert | {"seen": True},)), NOW)["attention"] == 9
    assert line(replace(INSIDE, alerts=(alert | {"severity": 2},)), NOW)["attention"] == 9


def test_the_sweep_car_follows_the_last_to_start() -> None:
    readings = [
        replace(INSIDE, entry="first", start_position=1),
        replace(INSIDE, entry="through", start_position=3, stage=None),
        replace(INSIDE, entry="last", start_position=2),
    ]
    assert {of["entryId"]: of["sweep"] for of in lines(readings, NOW)} == {"first": 2, "through": None, "last": 1}


def test_a_stop_began_when_the_crew_last_drove() -> None:
    assert line(replace(INSIDE, fix=STOPPED), NOW)["since"] == STOPPED.moved_ts
    assert line(replace(INSIDE, fix=SILENT), NOW)["since"] == SILENT.ts


@pytest.mark.django_db(transaction=True)
class TestOverTheSocket:
    @pytest.fixture
    def board(self) -> boards.Board:
        """Entry 303 is inside stage `Prologue`, stands since five minutes and asked for help a minute ago."""
        board = boards.build()
        EntryDeviceFactory.create(entry=board.entries[2], device=DeviceFactory.create(imei="356093000000001"))
        now = now_ms()
        write_positions([_fix(now - 300_000, speed=40.0), _fix(now - 60_000, priority=2), _fix(now - 1000)])
        return board

    def test_officials_see_the_alarm_until_one_of_them_has_seen_it(self, web: WebServer, board: boards.Board) -> None:
        official = UserFactory.create(is_superuser=True, first_name="Ana", last_name="Doda")
        topic = f"race-control:{board.event.id}"
        with client(web, official) as desk:
            desk.say(type="subscribe", topic=topic)
            first, *others = desk.hear()["snapshot"]
            assert (first["raceNumber"], first["state"], first["stage"]) == (303, "stopped", "Prologue")
            assert first["attention"] == 0 and first["sos"]["seenBy"] is None and first["sweep"] == 1
            assert {of["state"] for of in others} == {"no-tracker"}
            acknowledge(official, board.entries[2], first["sos"]["ts"])
            seen = _hear_of(desk, topic, lambda of: of["sos"]["seenBy"])
            assert (seen["sos"]["seenBy"], seen["attention"]) == ("Ana Doda", 3)

    def test_an_sos_acknowledged_at_either_desk_is_seen_at_both(self, board: boards.Board) -> None:
        official = UserFactory.create(is_superuser=True, first_name="Ana", last_name="Doda")
        now = timezone.now()
        Event.objects.update(starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1))
        look(str(board.event.id))
        alert = Alert.objects.get(kind="panic")
        of_entry = readings(str(board.event.id))[2]
        assert of_entry.alarm and of_entry.alarm.seen_at is None
        assert [one["kind"] for one in of_entry.alerts][:1] == ["panic"]
        safety.acknowledge(official, alert)
        again = readings(str(board.event.id))[2].alarm
        assert again and again.seen_by == "Ana Doda"
        Alert.objects.update(acknowledged_at=None, acknowledged_by=None)
        acknowledge(official, board.entries[2], again.ts)
        alert.refresh_from_db()
        assert alert.acknowledged_by == official

    def test_nobody_else_hears_of_race_control(self, web: WebServer, board: boards.Board) -> None:
        crew = board.entries[1].crew.get()
        for user in (None, UserFactory.create(), crew):
            with client(web, user) as spectator:
                spectator.say(type="subscribe", topic=f"race-control:{board.event.id}")
                assert spectator.hear()["code"] == "forbidden"


@pytest.mark.django_db
def test_who_was_first_to_see_an_alarm_stays() -> None:
    board, officials = boards.build(), [UserFactory.create(is_superuser=True) for _ in range(2)]
    for official in officials:
        acknowledge(official, board.entries[0], NOW, "called the crew")
    assert Acknowledgement.objects.get().author == officials[0]
    with pytest.raises(PermissionDenied):
        acknowledge(UserFactory.create(), board.entries[0], NOW + 1)


def _fix(ts: int, **fields: Any) -> Position:
    return Position("356093000000001", ts, 41.3, 19.8, satellites=11, attributes={"21": 4}, **fields)


def _hear_of(desk: Any, topic: str, holds: Any) -> dict[str, Any]:
    for _ in range(10):
        frame = desk.hear()
        assert (frame["type"], frame["topic"]) == ("race-control", topic)
        if holds(frame["changes"][0]):
            line: dict[str, Any] = frame["changes"][0]
            return line
    pytest.fail("the line never came")
