"""Feeds the simulated field into the stream, in the rally's own time made faster, never faster than is drained."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import redis

from apps.common import stream
from apps.common.stream import Group
from apps.demo.domain.traffic import Sending

TICK_S = 0.2
LONGEST_CALM_MS = 30_000  # of rally time in which nobody sends; the rest of a calm is skipped
MOST_WAITING = 20_000
BATCH = 2000


@dataclass(slots=True)
class Progress:
    """How far the rally is: rally time in epoch ms, and positions sent."""

    now: int = 0
    sent: int = 0


class Feeder:
    """`telemetry` names the streams, comma-separated; `speed` is rally seconds a second, 0 as fast as they drain."""

    def __init__(self, client: redis.Redis, telemetry: str, speed: float) -> None:
        self.client = client
        self._telemetry = telemetry
        self._speed = speed
        self._groups = [
            *(Group(client, name, stream.PROCESSOR_GROUP, "demo") for name in stream.streams(telemetry)),
            Group(client, stream.REQUESTS_STREAM, stream.SCORER_GROUP, "demo"),
        ]
        for group in self._groups:
            group.ensure()
        self.progress = Progress()

    def feed(self, sendings: Iterable[Sending], watch: Callable[[], None]) -> None:
        """Send everything; `watch` is called between batches and may raise to stop."""
        for batch in self._paced(sendings):
            if batch:
                stream.send(self.client, self._telemetry, [s.position for s in batch])
                self.progress.now = batch[-1].at
                self.progress.sent += len(batch)
            watch()
            while self.waiting() > MOST_WAITING:
                time.sleep(TICK_S)
                watch()

    def drain(self, watch: Callable[[], None]) -> None:
        """Wait until processor and scorer have worked off everything."""
        while self.waiting():
            time.sleep(TICK_S)
            watch()

    def waiting(self) -> int:
        """Records and requests not yet worked off."""
        return sum(group.lag() for group in self._groups)

    def _paced(self, sendings: Iterable[Sending]) -> Iterator[list[Sending]]:
        return self._by_time(sendings) if self._speed else _by_count(sendings)

    def _by_time(self, sendings: Iterable[Sending]) -> Iterator[list[Sending]]:
        """What is due at each tick, with long calms skipped."""
        clock: int | None = None
        due: list[Sending] = []
        last_tick = time.monotonic()
        for sending in sendings:
            if clock is None or sending.at - clock > LONGEST_CALM_MS:
                clock = sending.at
            while sending.at > clock:
                yield due
                due = []
                time.sleep(max(0.0, last_tick + TICK_S - time.monotonic()))
                passed, last_tick = time.monotonic() - last_tick, time.monotonic()
                clock += int(passed * 1000 * self._speed)
            due.append(sending)
        yield due


def _by_count(sendings: Iterable[Sending]) -> Iterator[list[Sending]]:
    due: list[Sending] = []
    for sending in sendings:
        due.append(sending)
        if len(due) == BATCH:
            yield due
            due = []
    yield due
