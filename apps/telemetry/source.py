"""Where batches come from: what this consumer left undone, what the dead left, then what is new."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Protocol

from apps.common.loop import AWAY
from apps.common.stream import Group, Message
from apps.telemetry import metrics
from apps.telemetry.pipeline import Batch, Decode, put_aside

LAG_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at a time, how long to wait, when a consumer counts as dead, how many batches to read ahead.

    `write` is how many records may become one batch again when they wait already; 0 = as they were read.
    """

    batch: int
    block_ms: int
    claim_after_ms: int
    max_deliveries: int
    ahead: int = 0
    write: int = 0


class ReaderDiedError(Exception):
    """The reading thread ended by a fault of ours; its own words are on stderr."""


class Feed(Protocol):
    """Decoded batches, by whatever way they are read."""

    def prepare(self) -> None:
        """Begin anew: whatever was read and not acknowledged is read again."""

    def take(self) -> list[Batch]:
        """The next batches, or none after a while."""

    def rest(self) -> Iterator[Batch]:
        """Read no more; the batches that were read already."""


class Source:
    """Reads and decodes whenever it is asked. Memory: one batch of each stream."""

    def __init__(self, groups: Sequence[Group], pace: Pace) -> None:
        self._groups = groups
        self._pace = pace
        # With several streams each waits its share, or one silent stream would hold up the others.
        self._block_ms = max(1, pace.block_ms // len(groups))
        self._undone: dict[Group, bytes] = {}  # groups with left-overs, and the last one read
        self._claim_at = self._lag_at = 0.0

    def prepare(self) -> None:
        for group in self._groups:
            group.ensure()
        self._undone = dict.fromkeys(self._groups, b"0")
        self._claim_at = self._lag_at = 0.0

    def take(self) -> list[Batch]:
        self._watch_lag()
        return self._own() or self._claimed() or [batch for group in self._groups for batch in self._new(group)]

    def rest(self) -> Iterator[Batch]:
        return iter(())

    def _new(self, group: Group) -> list[Batch]:
        messages = group.read(self._pace.batch, self._block_ms)
        metrics.READS.labels("records" if messages else "empty").inc()
        metrics.RECORDS.inc(len(messages))
        return self._decoded(group, messages)

    def _own(self) -> list[Batch]:
        """What this consumer took before a crash or a lost connection: nobody else will look at it for long."""
        for group, last in list(self._undone.items()):
            messages = group.read_own(self._pace.batch, after=last)
            if messages:
                self._undone[group] = messages[-1].id
                return self._decoded(group, messages)
            del self._undone[group]
        return []

    def _claimed(self) -> list[Batch]:
        """When it is time, what consumers that stood still have left; again at once while there is more."""
        if time.monotonic() < self._claim_at:
            return []
        batches = [batch for group in self._groups for batch in self._claim_from(group)]
        if not batches:
            self._claim_at = time.monotonic() + self._pace.claim_after_ms / 1000
        return batches

    def _claim_from(self, group: Group) -> list[Batch]:
        messages = group.claim_idle(self._pace.claim_after_ms, self._pace.batch)
        metrics.CLAIMED.inc(len(messages))
        return self._decoded(group, messages)

    def _decoded(self, group: Group, messages: Sequence[Message]) -> list[Batch]:
        if not messages:
            return []
        batch = Batch(group, [message for message in messages if self._worth_a_try(group, message)])
        Decode().run(batch)
        return [batch]

    def _worth_a_try(self, group: Group, message: Message) -> bool:
        if message.deliveries <= self._pace.max_deliveries:
            return True
        put_aside(group, message, f"given up after {message.deliveries} deliveries")
        return False

    def _watch_lag(self) -> None:
        if time.monotonic() >= self._lag_at:
            metrics.LAG.set(sum([group.lag() for group in self._groups]))
            self._lag_at = time.monotonic() + LAG_EVERY_S


class Ahead:
    """Reads and decodes in a thread of its own while the batch before is written.

    At most `pace.ahead` batches wait: when PostgreSQL slows, reading slows.
    """

    def __init__(self, source: Source, pace: Pace) -> None:
        self._source = source
        self._pace = pace
        self._stop = threading.Event()
        self._thread = threading.Thread()
        self._failure: Exception | None = None
        self._queue: Queue[Batch] = Queue(pace.ahead)

    def prepare(self) -> None:
        for _dropped in self.rest():
            pass  # still pending: the source begins with it
        self._source.prepare()
        self._stop.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()

    def take(self) -> list[Batch]:
        with suppress(Empty):
            return merged(self._waiting())
        if self._failure:
            raise self._failure
        if not self._thread.is_alive():
            raise ReaderDiedError
        return []

    def _waiting(self) -> list[Batch]:
        """The next batch, and what waits behind it: PostgreSQL writes many records far quicker than few."""
        batches = [self._queue.get(timeout=self._pace.block_ms / 1000)]
        with suppress(Empty):
            while sum(len(batch.kept) for batch in batches) + self._pace.batch <= self._pace.write:
                batches.append(self._queue.get_nowait())
        return batches

    def rest(self) -> Iterator[Batch]:
        self._stop.set()
        while self._thread.is_alive() or not self._queue.empty():
            with suppress(Empty):
                yield self._queue.get(timeout=0.05)

    def _read(self) -> None:
        try:
            while not self._stop.is_set():
                for batch in self._source.take():
                    self._queue.put(batch)
        except AWAY as error:
            self._failure = error


def merged(batches: Sequence[Batch]) -> list[Batch]:
    """One batch for each group."""
    whole: dict[Group, Batch] = {}
    for batch in batches:
        if batch.group in whole:
            whole[batch.group].kept += batch.kept
        else:
            whole[batch.group] = batch
    return list(whole.values())
