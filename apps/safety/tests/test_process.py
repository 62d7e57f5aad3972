"""run_safety as a process: killed at any moment, it loses no alert and raises none twice; and it is quick."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from statistics import median

import pytest
from django.db import connection
from redis import Redis

from apps.common import stream
from apps.events.factories import EntryDeviceFactory, EntryFactory
from apps.safety.models import Alert, AlertLine
from apps.safety.tests import field as fields
from apps.safety.tests.field import Field

ROOT = Path(__file__).resolve().parents[3]
CREWS = 40
pytestmark = pytest.mark.django_db(transaction=True)
Process = subprocess.Popen[bytes]


@pytest.fixture
def field() -> Field:
    """A stage with many crews, each with a tracker."""
    made = fields.build()
    for n in range(CREWS):
        entry = EntryFactory.create(event=made.event, race_class=made.entry.race_class, race_number=400 + n)
        EntryDeviceFactory.create(entry=entry, device__imei=imei(n), assigned_from=made.event.starts_at)
    return made


@pytest.fixture
def start() -> Iterator[Callable[[str], Process]]:
    """Starts a watch; all are ended with the test."""
    started: list[Process] = []

    def begin(name: str) -> Process:
        has = connection.settings_dict
        url = f"postgres://{has['USER']}:{has['PASSWORD']}@{has['HOST']}:{has['PORT']}/{has['NAME']}"
        settings = os.environ | {"DATABASE_URL": url, "METRICS_PORT": "0", "LOG_LEVEL": "ERROR", "INSTANCE_ID": name}
        started.append(subprocess.Popen([sys.executable, "manage.py", "run_safety"], cwd=ROOT, env=settings))
        return started[-1]

    yield begin
    for child in started:
        child.kill()
        child.wait()


def imei(crew: int) -> str:
    return f"3560930000{crew:05}"


def panic(field: Field, redis: Redis, crew: int, *, announced: bool = True) -> None:
    fix = field.fix(0, imei=imei(crew), priority=2)
    if announced:
        stream.announce(redis, [(fix.device_id, fix.ts, fix.ts)])


def raised() -> int:
    return Alert.objects.filter(kind="panic").count()


def until(holds: Callable[[], bool], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"only {raised()} alerts"
        time.sleep(0.01)


def test_killed_and_started_again_it_raises_each_alert_once(
    field: Field, redis: Redis, start: Callable[[str], Process]
) -> None:
    """It is killed in the middle of its work; some of what happens Redis never hears of."""
    seed = random.randrange(1 << 30)
    print(f"seed {seed}")  # noqa: T201
    dice = random.Random(seed)
    watch, crews = start("w"), iter(range(CREWS))
    until(lambda: bool(redis.exists(stream.REQUESTS_STREAM)))
    for _life in range(3):
        for crew in islice(crews, 10):
            panic(field, redis, crew, announced=dice.random() < 0.8)
        time.sleep(dice.random() * 0.3)
        watch.send_signal(signal.SIGKILL)
        watch.wait()
        watch = start("w")
    for crew in crews:
        panic(field, redis, crew)
    until(lambda: raised() == CREWS)
    time.sleep(1.5)  # another look: nothing is raised again
    panics = Alert.objects.filter(kind="panic")
    assert sorted(panics.values_list("entry__race_number", flat=True)) == [400 + n for n in range(CREWS)]
    assert AlertLine.objects.filter(alert__in=panics, act="raised").count() == CREWS
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from domain_events where kind = 'alert.raised' and payload->>'kind' = 'panic'")
        assert cursor.fetchone() == (CREWS,)


def test_an_alert_follows_the_commit_within_a_second(
    field: Field, redis: Redis, start: Callable[[str], Process]
) -> None:
    """As in `benchmarks/safety.py`, with room for a machine that has other work."""
    start("w")
    panic(field, redis, 0)
    until(lambda: raised() == 1)
    took = []
    for crew in range(1, 16):
        began = time.monotonic()
        panic(field, redis, crew)
        until(lambda wanted=crew + 1: raised() == wanted)  # type: ignore[misc]
        took.append(time.monotonic() - began)
    assert median(took) < 1, sorted(took)
