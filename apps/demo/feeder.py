"""Feeds the simulated field into the stream by the rally's clock, never faster than is drained."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import redis

from apps.common import stream
from apps.common.stream import Group
from apps.demo.domain.schedule import RallyClock
from apps.demo.domain.traffic import Sending

TICK_S = 0.2
MOST_WAITING = 20_000
ON_TIME_MS = 10_000
BATCH = 2000


@dataclass(slots=True)
class Progress:
    """How far the rally is: rally time in epoch ms, and positions sent."""

    now: int = 0
    sent: int = 0


class Feeder:
    """`telemetry` names the streams, comma-separated; a clock of speed 0 sends as fast as they drain."""

    def __init__(self, client: redis.Redis, telemetry: str, clock: RallyClock) -> None:
        self.client = client
        self._telemetry = telemetry
        self._clock = clock
        self._groups = [
            *(Group(client, name, stream.PROCESSOR_GROUP, "demo") for name in stream.streams(telemetry)),
            Group(client, stream.REQUESTS_STREAM, stream.SCORER_GROUP, "demo"),
        ]
        for group in self._groups:
            group.ensure()
        self.progress = Progress()
        self.on_time: Callable[[], None] | None = None  # called once, when the rally has come to the wall's clock

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
            self._meet()

    def _meet(self) -> None:
        """Say once that fixes come in as they are made: all that was before is worked off."""
        late = int(time.time() * 1000) - self.progress.now
        if self.on_time and self._clock.speed == 1 and late < ON_TIME_MS and not self.waiting():
            self.on_time()
            self.on_time = None

    def drain(self, watch: Callable[[], None]) -> None:
        """Wait until processor and scorer have worked off everything."""
        while self.waiting():
            time.sleep(TICK_S)
            watch()

    def waiting(self) -> int:
        """Records and requests not yet worked off."""
        return sum(group.lag() for group in self._groups)

    def _paced(self, sendings: Iterable[Sending]) -> Iterator[list[Sending]]:
        return self._by_time(sendings) if self._clock.speed else _by_count(sendings)

    def _by_time(self, sendings: Iterable[Sending]) -> Iterator[list[Sending]]:
        """What is due: first all that was before the clock began, in batches, then tick by tick."""
        now = self._now()
        due: list[Sending] = []
        for sending in sendings:
            if sending.at > now or len(due) == BATCH:
                yield due
                due = []
                while sending.at > (now := self._now()):
                    time.sleep(TICK_S)
                    yield due
            due.append(sending)
        yield due

    def _now(self) -> int:
        return self._clock.at(int(time.time() * 1000))


def _by_count(sendings: Iterable[Sending]) -> Iterator[list[Sending]]:
    due: list[Sending] = []
    for sending in sendings:
        due.append(sending)
        if len(due) == BATCH:
            yield due
            due = []
    yield due
