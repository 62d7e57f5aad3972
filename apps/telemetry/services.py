"""The processor: takes batches from its streams through the pipeline."""

from collections.abc import Sequence

import redis
from django.conf import settings
from django.utils.module_loading import import_string

from apps.common import stream
from apps.common.position import Position
from apps.common.stream import Group
from apps.telemetry.device_state import DeviceStates
from apps.telemetry.partitions import PartitionKeeper
from apps.telemetry.pipeline import DecodeAttributes, pipeline, process
from apps.telemetry.queries import check_database, last_positions
from apps.telemetry.source import Ahead, Feed, Pace, Source

__all__ = ["Pace", "Processor"]


class Processor:
    """One consumer of the group `processor` on one or several streams."""

    def __init__(self, client: redis.Redis, streams: Sequence[str], consumer: str, pace: Pace) -> None:
        self._groups = [Group(client, name, stream.PROCESSOR_GROUP, consumer) for name in streams]
        source = Source(self._groups, pace)
        self._feed: Feed = Ahead(source, pace) if pace.ahead else source
        self._partitions = PartitionKeeper()
        self._steps = pipeline(DeviceStates(settings.DEVICE_STATE_MAX, last_positions), attribute_decoder())

    def prepare(self) -> None:
        """Make what is missing, and begin with what was left undone."""
        # Reading while PostgreSQL is away would use up the deliveries of good records.
        check_database()
        self._feed.prepare()

    def step(self) -> bool:
        """Take and process what comes next; True when there was anything to do."""
        self._partitions.keep()
        batches = self._feed.take()
        for batch in batches:
            process(batch, self._steps)
        return bool(batches)

    def run_until_idle(self) -> None:
        """Work off all there is: for tests, and for commands that end."""
        self.prepare()
        while self.step():
            pass

    def finish(self) -> None:
        """Process what was read already, and leave the group tidy."""
        for batch in self._feed.rest():
            process(batch, self._steps)
        for group in self._groups:
            group.leave()


def attribute_decoder() -> DecodeAttributes:
    """What POSITION_DECODER names: telemetry knows no device models, so whoever does hands it in."""
    decoder: DecodeAttributes = import_string(settings.POSITION_DECODER)() if settings.POSITION_DECODER else undecoded
    return decoder


def undecoded(positions: Sequence[Position]) -> Sequence[str | None]:
    return [None] * len(positions)
