"""Live positions: one reading of the telemetry stream a process, handed to those who follow the event."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog

from apps.common.position import Position
from apps.live import metrics, protocol
from apps.live.protocol import Frame
from apps.live.queries import Carried, LastFix
from apps.live.source import SourceError
from apps.live.viewer import Viewer

log = structlog.get_logger(__name__)

SNAPSHOT_LIFE_S = 1.0
FUTURE_MS = 60_000

PositionEntry = dict[str, Any]


class PositionSource(Protocol):
    async def carried(self, events: Sequence[str]) -> list[Carried]:
        """Which entries of these events carry which devices, and when. Raises SourceError."""
        ...

    async def last_fixes(self, event: str) -> list[LastFix]:
        """The latest usable fix of each device of the event. Raises SourceError."""
        ...

    def arriving(self) -> AsyncIterator[list[Position]]:
        """Positions as they come in, for ever."""
        ...


@dataclass(slots=True, eq=False)
class Room:
    """The viewers of an event's positions; True for one who is no anonymous spectator."""

    viewers: dict[Viewer, bool] = field(default_factory=dict)
    latest: dict[str, int] = field(default_factory=dict)  # IMEI → ts of the last position handed out
    fixes: list[LastFix] = field(default_factory=list)
    taken: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Positions:
    """The rooms of one process. It starts with the first viewer."""

    def __init__(self, source: PositionSource, refresh_s: float) -> None:
        self._source = source
        self._refresh_s = refresh_s
        self._rooms: dict[str, Room] = {}
        self._carried: dict[str, list[Carried]] = {}  # by IMEI
        self._tasks: list[asyncio.Task[None]] = []

    async def join(self, viewer: Viewer, event: str, *, known: bool) -> list[PositionEntry]:
        """Hand the viewer what comes from now on; returns where everyone is. Empty where that cannot be read."""
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._keep_assignments())]
        room = self._rooms.setdefault(event, Room())
        metrics.SUBSCRIPTIONS.inc(viewer not in room.viewers)
        room.viewers[viewer] = known
        try:
            if len(room.viewers) == 1:
                await self._load_assignments()
            return [entry(fix.carried, fix.position, known=known) for fix in await self._last_fixes(event, room)]
        except SourceError as error:
            log.warning("no snapshot of positions", error=str(error))
            return []

    def leave(self, viewer: Viewer, event: str) -> None:
        room = self._rooms.get(event)
        if room is None or room.viewers.pop(viewer, None) is None:
            return
        metrics.SUBSCRIPTIONS.dec()
        if not room.viewers:
            del self._rooms[event]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    async def _last_fixes(self, event: str, room: Room) -> list[LastFix]:
        async with room.lock:
            if time.monotonic() - room.taken > SNAPSHOT_LIFE_S:
                room.fixes = await self._source.last_fixes(event)
                room.taken = time.monotonic()
                # What is older than this the viewers have seen.
                room.latest |= {
                    fix.carried.imei: max(fix.position.ts, room.latest.get(fix.carried.imei, 0)) for fix in room.fixes
                }
            return room.fixes

    async def _keep_assignments(self) -> None:
        while True:
            await asyncio.sleep(self._refresh_s)
            with suppress(SourceError):
                await self._load_assignments()

    async def _load_assignments(self) -> None:
        found: dict[str, list[Carried]] = {}
        for carried in await self._source.carried(list(self._rooms)):
            found.setdefault(carried.imei, []).append(carried)
        self._carried = found

    async def _listen(self) -> None:
        async for batch in self._source.arriving():
            for position in batch:
                self._hand_out(position)

    def _hand_out(self, position: Position) -> None:
        for carried in self._carried.get(position.device_id, ()):
            room = self._rooms.get(carried.event)
            if room and carried.low <= position.ts <= carried.high and _is_news(room, position):
                room.latest[position.device_id] = position.ts
                _offer(room, carried, position)


def _is_news(room: Room, position: Position) -> bool:
    """Late uploads are for the results; the map shows where a crew is."""
    return usable(position, time.time_ns() // 1_000_000) and position.ts > room.latest.get(position.device_id, -1)


def usable(position: Position, now: int) -> bool:
    """The rule of design §4 on one fix; `now` in epoch ms."""
    in_range = abs(position.latitude) <= 90 and abs(position.longitude) <= 180
    at_nowhere = position.latitude == position.longitude == 0
    return in_range and not at_nowhere and position.satellites > 0 and position.ts <= now + FUTURE_MS


def _offer(room: Room, carried: Carried, position: Position) -> None:
    topic = f"event:{carried.event}"
    frame_for = _frames(topic, carried, position)
    for viewer, known in room.viewers.items():
        viewer.place(topic, position.device_id, frame_for(known))


def _frames(topic: str, carried: Carried, position: Position) -> Callable[[bool], Frame]:
    """The frame for each audience, encoded when the first of it is met."""
    made: dict[bool, Frame] = {}

    def frame_for(known: bool) -> Frame:
        if known not in made:
            fields = entry(carried, position, known=known)
            made[known] = protocol.frame("position", topic=topic, **fields)
        return made[known]

    return frame_for


def entry(carried: Carried, position: Position, *, known: bool) -> PositionEntry:
    """A PositionEntry (contracts §4). The anonymous get neither the IMEI nor the IO bag, which may hold others."""
    found: PositionEntry = {
        "entryId": carried.entry,
        "raceNumber": carried.race_number,
        "lat": position.latitude,
        "lon": position.longitude,
        "ts": position.ts,
    }
    optional: Iterable[tuple[str, Any]] = (("speed", position.speed), ("course", position.angle))
    found |= {name: value for name, value in optional if value}
    if known:
        found["deviceId"] = position.device_id
        found |= {"attributes": position.attributes} if position.attributes else {}
    return found
