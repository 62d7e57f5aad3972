"""The processor: takes batches from its streams through the pipeline."""

from collections.abc import Sequence

import redis

from apps.common import stream
from apps.common.stream import Group
from apps.telemetry.pipeline import process
from apps.telemetry.queries import check_database
from apps.telemetry.source import Ahead, Feed, Pace, Source

__all__ = ["Pace", "Processor"]


class Processor:
    """One consumer of the group `processor` on one or several streams."""

    def __init__(self, client: redis.Redis, streams: Sequence[str], consumer: str, pace: Pace) -> None:
        self._groups = [Group(client, name, stream.PROCESSOR_GROUP, consumer) for name in streams]
        source = Source(self._groups, pace)
        self._feed: Feed = Ahead(source, pace) if pace.ahead else source

    def prepare(self) -> None:
        """Make what is missing, and begin with what was left undone."""
        # Reading while PostgreSQL is away would use up the deliveries of good records.
        check_database()
        self._feed.prepare()

    def step(self) -> bool:
        """Take and process what comes next; True when there was anything to do."""
        batches = self._feed.take()
        for batch in batches:
            process(batch)
        return bool(batches)

    def run_until_idle(self) -> None:
        """Work off all there is: for tests, and for commands that end."""
        self.prepare()
        while self.step():
            pass

    def finish(self) -> None:
        """Process what was read already, and leave the group tidy."""
        for batch in self._feed.rest():
            process(batch)
        for group in self._groups:
            group.leave()
