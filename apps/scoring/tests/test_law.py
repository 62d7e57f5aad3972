"""The law of design §4: any order, duplication, split and crash of the same records ends in the same readings."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from redis import Redis

from apps.common import stream
from apps.common.position import Position
from apps.scoring.tests import rally
from apps.scoring.tests.pipes import processor, scorer
from apps.scoring.worker import Scorer
from apps.telemetry.services import Processor

ROOT = Path(__file__).resolve().parents[3]
STREAM = "telemetry:t"
pytestmark = pytest.mark.django_db(transaction=True)
Readings = dict[str, list[tuple[Any, ...]]]


def clean_run(redis: Redis, records: Sequence[Position]) -> Readings:
    """In order, once, by one processor and one scorer."""
    stream.send(redis, STREAM, records)
    processor(redis).run_until_idle()
    scorer(redis).run_until_idle()
    found = rally.readings()
    rally.forget()
    redis.flushdb()
    return found


def disorder(records: Sequence[Position], rng: random.Random) -> list[Position]:
    """Bursts that come hours late, records that come twice, neighbours that change places."""
    mixed = [*records, *rng.sample(list(records), len(records) // 10)]
    late = {rng.randrange(len(records) // 50) for _ in range(8)}
    order = {n: n + rng.uniform(-20, 20) + (len(mixed) if n // 50 in late else 0) for n in range(len(mixed))}
    return [mixed[n] for n in sorted(order, key=order.__getitem__)]


@pytest.mark.parametrize("seed", range(4))
def test_disorder_and_many_workers_end_in_the_same_readings(redis: Redis, seed: int) -> None:
    """Two processors and two scorers take turns at random, one of each dies with work in its hands."""
    rng = random.Random(seed)
    built = rally.build()
    records = rally.drive(built, rng)
    expected = clean_run(redis, records)
    processors = [processor(redis, f"p{n}", batch=rng.randint(20, 300)) for n in range(2)]
    scorers = [scorer(redis, f"s{n}", batch=rng.randint(1, 4)) for n in range(2)]
    workers: list[Processor | Scorer] = [*processors, *scorers]
    for worker in workers:
        worker.prepare()
    mixed = disorder(records, rng)
    for part in range(0, len(mixed), 200):
        stream.send(redis, STREAM, mixed[part : part + 200])
        for worker in rng.sample(workers, 3):
            worker.step()
        if part == 600:
            take_and_die(redis)
    time.sleep(0.3)
    for worker in workers:
        worker.run_until_idle()
    assert rally.readings() == expected, f"seed {seed}"


def take_and_die(redis: Redis) -> None:
    """Consumers that take work and never come back."""
    for name, group in ((STREAM, stream.PROCESSOR_GROUP), (stream.REQUESTS_STREAM, stream.SCORER_GROUP)):
        stream.Group(redis, name, group, "dead").read(50, 1)


def test_the_clean_run_is_worth_comparing(redis: Redis) -> None:
    """Guards the law's tests against comparing nothing with nothing."""
    built = rally.build()
    expected = clean_run(redis, rally.drive(built, random.Random(1)))
    assert len(expected["results"]) == 5 and len(expected["penalties"]) == 2
    assert len(expected["crossings"]) > 5 * 6


def child(command: str, name: str) -> subprocess.Popen[bytes]:
    database = connection.settings_dict
    url = (
        f"postgres://{database['USER']}:{database['PASSWORD']}@{database['HOST']}:{database['PORT']}/{database['NAME']}"
    )
    environment = os.environ | {
        "DATABASE_URL": url,
        "INSTANCE_ID": name,
        "METRICS_PORT": "0",
        "CLAIM_THRESHOLD_MS": "300",
        "READ_BATCH_SIZE": "50",
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen([sys.executable, "manage.py", command], cwd=ROOT, env=environment)


@pytest.mark.slow
def test_sigkill_of_a_processor_and_a_scorer_at_work(redis: Redis) -> None:
    """The real commands, two of each, one of each killed with SIGKILL while the field drives."""
    rng = random.Random(11)
    built = rally.build(entries=8)
    records = rally.drive(built, rng)
    expected = clean_run(redis, records)
    children = [child(command, f"{command}-{n}") for command in ("run_processor", "run_scorer") for n in range(2)]
    try:
        mixed = disorder(records, rng)
        half = len(mixed) // 2
        stream.send(redis, STREAM, mixed[:half])
        wait_until(lambda: bool(rally.readings()["crossings"]))
        children[0].send_signal(signal.SIGKILL)
        children[2].send_signal(signal.SIGKILL)
        stream.send(redis, STREAM, mixed[half:])
        wait_until(lambda: idle(redis))
        for survivor in (children[1], children[3]):
            survivor.send_signal(signal.SIGTERM)
            assert survivor.wait(20) == 0
    finally:
        for process in children:
            process.kill()
            process.wait()
    assert rally.readings() == expected


def idle(redis: Redis) -> bool:
    groups = ((STREAM, stream.PROCESSOR_GROUP), (stream.REQUESTS_STREAM, stream.SCORER_GROUP))
    return all(stream.Group(redis, name, group, "look").lag() == 0 for name, group in groups)


def wait_until(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)
