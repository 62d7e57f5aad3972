"""The demo's trackers: an SOS in the watch's list, commands answered, and nothing of it in the way of the next demo."""

from datetime import UTC, datetime

import pytest
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.catalog.models import Device
from apps.commands.allowed import seed_command_texts
from apps.commands.dispatcher import Dispatcher
from apps.commands.models import Command
from apps.commands.services import Order, send
from apps.common import stream
from apps.demo.domain.answers import answer
from apps.demo.domain.course import StageCourse
from apps.demo.domain.field import Crew, build_field
from apps.demo.domain.schedule import RallyClock, clock_for, course_at
from apps.demo.domain.traffic import PANIC, spread_ms, traffic
from apps.demo.feeder import Feeder
from apps.demo.services import build_event
from apps.demo.trackers import HEARTBEAT, Trackers
from apps.safety.detector import Watch
from apps.safety.models import Alert
from apps.scoring.inputs import milliseconds
from apps.scoring.tests.pipes import processor

NOW = datetime(2026, 6, 6, 10, tzinfo=UTC)


def crews_and_course() -> tuple[tuple[Crew, ...], tuple[StageCourse, ...]]:
    now = milliseconds(datetime.now(UTC))
    course = course_at(clock_for(1, now, spread_ms(7)), 1, spread_ms(7))
    return build_field(7, len(course), 1), course


@pytest.mark.django_db(transaction=True)
def test_an_sos_becomes_an_alert_and_the_next_demo_takes_it_away(redis: Redis) -> None:
    crews, course = crews_and_course()
    event = build_event(course, crews)
    pressed = [one.position for one in traffic(course, crews, 1, 1) if one.position.priority == PANIC]
    assert {position.device_id for position in pressed} == {crews[2].devices[0]}
    assert len({position.ts for position in pressed}) == 1
    stream.send(redis, "telemetry:t", pressed)
    processor(redis).run_until_idle()
    Watch(redis, "w", 1).run_until_idle()
    alert = Alert.objects.get(kind="panic")
    assert (alert.event, alert.entry.race_number) == (event, crews[2].number)
    build_event(course, crews)
    assert not Alert.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("speed", "behind_ms", "expected"), [(1, 0, 1), (1, 60_000, 0), (60, 0, 0)])
def test_crews_are_watched_once_the_rally_has_come_to_the_clock(
    redis: Redis, speed: float, behind_ms: int, expected: int
) -> None:
    """Before that everybody would seem silent: the alerts of a rally in the past."""
    now = milliseconds(datetime.now(UTC))
    feeder = Feeder(redis, "telemetry:t", RallyClock(now, now - behind_ms, speed))
    called: list[int] = []
    feeder.on_time = lambda: called.append(1)
    feeder._meet()
    assert called == []  # nothing was sent yet
    feeder.progress.now = now - behind_ms
    for _ in range(2):
        feeder._meet()
    assert len(called) == expected


@pytest.mark.django_db(transaction=True)
def test_a_command_gets_an_answer(redis: Redis) -> None:
    crews, course = crews_and_course()
    event = build_event(course, crews)
    seed_command_texts()
    trackers = Trackers(redis)
    trackers.hold(imei for crew in crews for imei in crew.devices)
    trackers.look()
    admin = UserFactory(is_superuser=True)
    order = Order(event.organization, "getinfo")
    command = send(admin, order, Device.objects.get(imei=crews[0].devices[0]))
    Dispatcher(redis, "d", 1).run_until_idle()
    trackers._look_at = 0
    trackers.look()
    Dispatcher(redis, "d", 1).run_until_idle()
    command.refresh_from_db()
    assert command.state == "responded" and command.response.startswith("RTC:")
    trackers.leave()
    assert not redis.exists(HEARTBEAT)
    build_event(course, crews)
    assert not Command.objects.exists()


@pytest.mark.parametrize(
    ("text", "expected"),
    [("cpureset", None), ("getver", "356093080000100"), ("readio 240", "240"), ("getpower", "Not Recognised")],
)
def test_what_a_tracker_says(text: str, expected: str | None) -> None:
    said = answer(text, "356093080000100", NOW)
    assert said is None if expected is None else expected in (said or "")
