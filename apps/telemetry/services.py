"""The processor: reads batches from its streams and takes them through the pipeline."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import redis

from apps.common import stream
from apps.common.stream import Group
from apps.telemetry import metrics
from apps.telemetry.pipeline import process, put_aside

CLAIM_COUNT = 500


@dataclass(frozen=True, slots=True)
class Pace:
    """How much at a time, how long to wait, and when a consumer counts as dead."""

    batch: int
    block_ms: int
    claim_after_ms: int
    max_deliveries: int


class Processor:
    """One consumer of the group `processor` on one or several streams."""

    def __init__(self, client: redis.Redis, streams: Sequence[str], consumer: str, pace: Pace) -> None:
        self._groups = [Group(client, name, stream.PROCESSOR_GROUP, consumer) for name in streams]
        self._pace = pace
        self._claim_at = 0.0

    def prepare(self) -> None:
        """Make what is missing, and take over at once what a dead consumer left."""
        for group in self._groups:
            group.ensure()
        self._claim_at = 0.0

    def step(self) -> bool:
        """Claim when it is time, then one batch of each stream; True when there was anything to do."""
        claimed = self._claim() if time.monotonic() >= self._claim_at else 0
        # With several streams each waits its share, or one silent stream would hold up the others.
        block = max(1, self._pace.block_ms // len(self._groups))
        return sum([self._read(group, block) for group in self._groups]) + claimed > 0

    def run_until_idle(self) -> None:
        """Work off all there is: for tests, and for commands that end."""
        self.prepare()
        while self.step():
            pass

    def finish(self) -> None:
        for group in self._groups:
            group.leave()

    def _read(self, group: Group, block_ms: int) -> int:
        messages = group.read(self._pace.batch, block_ms)
        metrics.READS.labels("records" if messages else "empty").inc()
        metrics.RECORDS.inc(len(messages))
        process(group, messages)
        return len(messages)

    def _claim(self) -> int:
        """Records of consumers that stood still. What was tried too often is put aside."""
        self._claim_at = time.monotonic() + self._pace.claim_after_ms / 1000
        return sum([self._claim_from(group) for group in self._groups])

    def _claim_from(self, group: Group) -> int:
        metrics.LAG.set(group.lag())
        messages = group.claim_idle(self._pace.claim_after_ms, CLAIM_COUNT)
        metrics.CLAIMED.inc(len(messages))
        fresh = [message for message in messages if message.deliveries <= self._pace.max_deliveries]
        for message in messages:
            if message.deliveries > self._pace.max_deliveries:
                put_aside(group, message, f"given up after {message.deliveries} deliveries")
        process(group, fresh)
        if len(messages) == CLAIM_COUNT:
            self._claim_at = 0.0
        return len(messages)
