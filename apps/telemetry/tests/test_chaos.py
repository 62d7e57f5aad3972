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
from functools import partial

import pytest

from apps.common import stream
from apps.common.embedded.server import Server
from apps.telemetry.tests.chaos.actors import Processors, Producer
from apps.telemetry.tests.chaos.records import drive
from apps.telemetry.tests.chaos.site import Site, site
from apps.telemetry.tests.chaos.verdict import consumers, is_drained, judge

RECORDS = int(os.environ.get("CHAOS_RECORDS", "12000"))
SEED = int(os.environ.get("CHAOS_SEED") or time.time_ns() % 2**32)
KILLS = 4 + RECORDS // 5000
AHEAD = max(1000, RECORDS // 50)  # records sent beyond the next blow: what it strikes into
PROCESSORS = 2
LONGEST_S = 120 + RECORDS / 500
pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Blow:
    """Something done to a process once so many records are sent."""

    at: int
    act: Callable[[], object]


def outage(place: Site, processors: Processors, server: Server, number: signal.Signals, seconds: float) -> None:
    processors.one_at_work()
    place.outage(server, number, seconds)


def blows(place: Site, processors: Processors, rng: random.Random) -> list[Blow]:
    """Each server is ended politely and rudely, the whole run does it three times; between, processors are killed."""
    outages = {
        "Valkey stopped": (place.valkey, signal.SIGTERM),
        "Valkey killed": (place.valkey, signal.SIGKILL),
        "PostgreSQL stopped": (place.postgres, signal.SIGINT),
        "PostgreSQL crashed": (place.postgres, signal.SIGQUIT),
    }
    acts: list[Callable[[], object]] = [partial(processors.freeze, 2.0), *[processors.strike] * KILLS]
    for server, number in [*outages.values()] * (3 if RECORDS >= 100_000 else 1):
        acts += [partial(outage, place, processors, server, number, rng.uniform(0, 0.5))]
    return sorted((Blow(rng.randrange(RECORDS * 9 // 10), act) for act in acts), key=lambda blow: blow.at)


def storm(due: list[Blow], producer: Producer, processors: Processors, deadline: float) -> None:
    """Until all is sent and all is struck."""
    while producer.is_alive() or due:
        assert time.monotonic() < deadline, f"only {producer.sent} records could be sent"
        processors.check()
        producer.allowed = due[0].at + AHEAD if due else RECORDS
        if due and due[0].at <= producer.sent:
            due.pop(0).act()
        else:
            producer.join(0.01)


def calm(place: Site, processors: Processors, deadline: float) -> None:
    """Whoever is left works off what is left."""
    with stream.connect(place.valkey.url()) as client:
        while not (is_drained(client) and processors.all_read()):
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
        producer, processors = Producer(place.valkey.url(), records), Processors(place, rng, PROCESSORS)
        try:
            producer.start()
            storm(blows(place, processors, rng), producer, processors, deadline)
            calm(place, processors, deadline)
        finally:
            producer.stop()
            processors.kill()
        sys.stdout.write(f"{processors.kills} processors killed, {producer.repeated} sendings repeated\n")
        with stream.connect(place.valkey.url()) as client:
            judge(records, place.postgres.url(), client)
