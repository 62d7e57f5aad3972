"""The promise of the pipeline, tried: processors killed, both servers restarted, garbage among the records.

`make chaos` runs it whole; CHAOS_RECORDS and CHAOS_SEED choose another size, or the course of an earlier run.
"""

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from apps.common import stream
from apps.telemetry.tests.chaos.actors import Processors, Producer
from apps.telemetry.tests.chaos.records import drive
from apps.telemetry.tests.chaos.site import Site, site
from apps.telemetry.tests.chaos.verdict import consumers, is_drained, judge

RECORDS = int(os.environ.get("CHAOS_RECORDS", "12000"))
SEED = int(os.environ.get("CHAOS_SEED") or time.time_ns() % 2**32)
RATE = max(1200, RECORDS // 60)  # records a second: ten seconds of sending in CI, a minute in the whole run
PROCESSORS = 2
LONGEST_S = 120 + RECORDS / 500
pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Blow:
    """Something done to the servers once so many records are sent."""

    at: int
    name: str
    act: Callable[[], None]


def blows(place: Site, processors: Processors, rng: random.Random) -> list[Blow]:
    """Each server is ended politely and rudely, at moments of chance; the whole run does it three times."""
    outages = {
        "Valkey stopped": (place.valkey, signal.SIGTERM),
        "Valkey killed": (place.valkey, signal.SIGKILL),
        "PostgreSQL stopped": (place.postgres, signal.SIGINT),
        "PostgreSQL crashed": (place.postgres, signal.SIGQUIT),
    }
    dealt = [Blow(_moment(rng), "a processor frozen", lambda: processors.freeze(2.0))]
    for name, (server, number) in [*outages.items()] * (3 if RECORDS >= 100_000 else 1):
        away = rng.uniform(0, 0.5)
        dealt.append(Blow(_moment(rng), name, lambda s=server, n=number, a=away: place.outage(s, n, a)))  # type: ignore[misc]
    return sorted(dealt, key=lambda blow: blow.at)


def _moment(rng: random.Random) -> int:
    return rng.randrange(RECORDS // 10, RECORDS * 9 // 10)


def storm(due: list[Blow], producer: Producer, processors: Processors, rng: random.Random, deadline: float) -> None:
    """Until all is sent: what is due to the servers, and every second or two a processor killed."""
    while producer.is_alive() or due:
        assert time.monotonic() < deadline, f"only {producer.sent} records could be sent"
        producer.join(rng.uniform(0.2, 1.6))
        processors.check()
        producer.wait_for_work_in_hand()
        processors.strike()
        while due and due[0].at <= producer.sent:
            producer.wait_for_work_in_hand()
            due.pop(0).act()


def calm(place: Site, processors: Processors, deadline: float) -> None:
    """Whoever is left works off what is left."""
    with stream.connect(place.valkey.url()) as client:
        while not (is_drained(client) and processors.names <= consumers(client)):
            assert time.monotonic() < deadline, "the processors do not come to an end"
            processors.check()
            time.sleep(0.1)
        processors.end()
        assert not processors.names & consumers(client), "a processor left without a word"


def test_whatever_is_killed_positions_and_dead_letters_are_exactly_what_was_sent() -> None:
    sys.stdout.write(f"CHAOS_SEED={SEED} CHAOS_RECORDS={RECORDS}\n")
    rng, deadline = random.Random(SEED), time.monotonic() + LONGEST_S
    records = drive(random.Random(SEED), RECORDS)
    with site() as place:
        producer, processors = Producer(place.valkey.url(), records, RATE), Processors(place, rng, PROCESSORS)
        try:
            producer.start()
            storm(blows(place, processors, rng), producer, processors, rng, deadline)
            calm(place, processors, deadline)
        finally:
            producer.stop()
            processors.kill()
        sys.stdout.write(f"{processors.kills} processors killed, {producer.repeated} sendings repeated\n")
        with stream.connect(place.valkey.url()) as client:
            judge(records, place.postgres.url(), client)
