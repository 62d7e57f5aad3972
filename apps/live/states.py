"""Topics of states: own times, expected ranks, race control. Read while followed, told where they changed."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from apps.live import metrics, protocol
from apps.live.protocol import Kind, Topic
from apps.live.source import SourceError
from apps.live.viewer import Viewer

log = structlog.get_logger(__name__)

TICK_S = 2.0
RESULTS_S = 10.0  # without news of a board what hangs on results is read so often all the same

Line = dict[str, Any]
Lines = dict[str, Line]  # by what they are about: a stage of an entry, an entry of an event


@dataclass(frozen=True, slots=True)
class Seat:
    """A topic as those follow it who see it as late."""

    topic: Topic
    delay_ms: int = 0


class StateSource(Protocol):
    async def entry_times(self, entries: Sequence[str]) -> Mapping[str, Lines]:
        """Of each entry the line of each stage. Raises SourceError."""
        ...

    async def expected(self, seat: Seat) -> Lines:
        """The line of each crew inside a stage. Raises SourceError."""
        ...

    async def race_control(self, event: str) -> Lines:
        """The line of each entry, and of each stage that is held or stopped. Raises SourceError."""
        ...


@dataclass(slots=True, eq=False)
class Followed:
    """A seat with its viewers and what they were told last; None before the first read."""

    seat: Seat
    viewers: set[Viewer] = field(default_factory=set)
    told: Lines | None = None


class States:
    """One for each process. It starts with the first viewer."""

    def __init__(self, source: StateSource, tick_s: float = TICK_S) -> None:
        self._source = source
        self._tick_s = tick_s
        self._followed: dict[Seat, Followed] = {}
        self._results_due = 0.0
        self._task: asyncio.Task[None] | None = None

    async def join(self, viewer: Viewer, seat: Seat) -> list[Line]:
        """Hand the viewer what comes from now on; returns how things stand. Empty where that cannot be read."""
        self._task = self._task or asyncio.create_task(self._keep())
        followed = self._followed.setdefault(seat, Followed(seat))
        metrics.SUBSCRIPTIONS.inc(viewer not in followed.viewers)
        followed.viewers.add(viewer)
        try:
            await self._read([followed])
        except SourceError as error:
            log.warning("no snapshot of states", topic=seat.topic.name, error=str(error))
        return list((followed.told or {}).values())

    def leave(self, viewer: Viewer, seat: Seat) -> None:
        followed = self._followed.get(seat)
        if followed is None or viewer not in followed.viewers:
            return
        followed.viewers.remove(viewer)
        metrics.SUBSCRIPTIONS.dec()
        if not followed.viewers:
            del self._followed[seat]

    def wake(self, topic: str) -> None:
        """A leaderboard has news, and so what hangs on results may: read at the next tick."""
        self._results_due = 0.0

    async def stop(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._tick_s)
            try:
                await self._read(self._due())
            except SourceError as error:
                log.warning("states not read", error=str(error))

    def _due(self) -> list[Followed]:
        results = time.monotonic() >= self._results_due
        if results:
            self._results_due = time.monotonic() + RESULTS_S
        return [of for of in self._followed.values() if results or of.seat.topic.kind is Kind.RACE_CONTROL]

    async def _read(self, followed: Sequence[Followed]) -> None:
        entries = [of for of in followed if of.seat.topic.kind is Kind.ENTRY]
        if entries:
            found = await self._source.entry_times([of.seat.topic.subject for of in entries])
            for of in entries:
                _tell(of, found.get(of.seat.topic.subject, {}))
        for of in followed:
            if of.seat.topic.kind is Kind.RACE_CONTROL:
                _tell(of, await self._source.race_control(of.seat.topic.subject))
            elif of.seat.topic.kind is Kind.EXPECTED:
                _tell(of, await self._source.expected(of.seat))


def _tell(followed: Followed, lines: Lines) -> None:
    """Hand the changed lines to those who follow; of one that is gone, that it is."""
    before, followed.told = followed.told, lines
    if before is None:
        return
    gone = {key: {"key": key, "gone": True} for key in before.keys() - lines.keys()}
    changed = {key: line for key, line in lines.items() if before.get(key) != line}
    topic = followed.seat.topic
    states = {
        key: protocol.frame(topic.kind, topic=topic.name, changes=[line]) for key, line in (changed | gone).items()
    }
    if states:
        all_ = protocol.together(list(states.values()))
        for viewer in followed.viewers:
            viewer.place(topic.name, states, all_)
