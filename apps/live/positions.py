"""Live positions: one reading of the telemetry stream a process, handed to those who follow the event.

What an audience sees later is read from the database when it is due, and so is there again after a restart.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Protocol

import structlog

from apps.common.position import Position
from apps.events.audience import Audience
from apps.live import metrics
from apps.live.queries import Carried, LastFix
from apps.live.rooms import Hearing, Lane, PositionEntry, Room, delays, entry
from apps.live.source import SourceError
from apps.live.viewer import Viewer

log = structlog.get_logger(__name__)

SNAPSHOT_LIFE_S = 1.0
TICK_S = 1.0  # how often what became due is read
FUTURE_MS = 60_000


class PositionSource(Protocol):
    async def carried(self, events: Sequence[str]) -> list[Carried]:
        """Which entries of these events carry which devices, and when. Raises SourceError."""
        ...

    async def last_fixes(self, event: str, horizon: int) -> list[LastFix]:
        """The latest usable fix of each device at `horizon` (epoch ms) or before. Raises SourceError."""
        ...

    async def running(self, event: str) -> frozenset[str]:
        """The entries inside a running stage. Raises SourceError."""
        ...

    def arriving(self) -> AsyncIterator[list[Position]]:
        """Positions as they come in, for ever."""
        ...


class Positions:
    """The rooms of one process. It starts with the first viewer."""

    def __init__(self, source: PositionSource, refresh_s: float) -> None:
        self._source = source
        self._refresh_s = refresh_s
        self._rooms: dict[str, Room] = {}
        self._carried: dict[str, list[Carried]] = {}  # by IMEI
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._snapshots = Snapshots(source)

    async def join(self, viewer: Viewer, event: str, hearing: Hearing) -> list[PositionEntry]:
        """Hand the viewer what comes from now on; returns where everyone is. Empty where that cannot be read."""
        self._start()
        is_new = event not in self._rooms
        room = self._rooms.setdefault(event, Room())
        metrics.SUBSCRIPTIONS.inc(room.enter(viewer, hearing))
        try:
            if is_new:
                await self._load_assignments()
            if hearing.audience.own:
                room.running = await self._source.running(event)
            return await self._snapshot(event, room, hearing.audience)
        except SourceError as error:
            log.warning("no snapshot of positions", error=str(error))
            return []

    def leave(self, viewer: Viewer, event: str, hearing: Hearing) -> None:
        room = self._rooms.get(event)
        if room is None or not room.leave(viewer, hearing):
            return
        metrics.SUBSCRIPTIONS.dec()
        if not room.lanes:
            del self._rooms[event]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def _start(self) -> None:
        if not self._tasks:
            works = (self._listen(), self._hand_out(), self._keep_assignments(), self._keep_time())
            self._tasks = [asyncio.create_task(work) for work in works]

    async def _snapshot(self, event: str, room: Room, audience: Audience) -> list[PositionEntry]:
        found: list[PositionEntry] = []
        for delay in sorted(delays(audience)):
            for fix in await self._snapshots.of(event, room.lanes.get(delay) or Lane(delay)):
                who = fix.carried.entry
                if audience.delay_of(who) == delay and audience.may_see(who, room.running):
                    found.append(entry(fix, official=audience.official))
        return found

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

    async def _keep_time(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for event, room in list(self._rooms.items()):
                with suppress(SourceError):
                    await self._release(event, room)

    async def _release(self, event: str, room: Room) -> None:
        """Hand out what has become due."""
        if room.has_crews:
            room.running = await self._source.running(event)
        for lane in [lane for lane in room.lanes.values() if lane.delay_ms]:
            fixes = await self._source.last_fixes(event, now_ms() - lane.delay_ms)
            news = [fix for fix in fixes if lane.is_news(fix)]
            for batch in (False, True):
                lane.hand_out(news, room.running, batch=batch)

    async def _listen(self) -> None:
        async for batch in self._source.arriving():
            for position in batch:
                self._note(position)

    def _note(self, position: Position) -> None:
        """Keep the latest of each device until it is handed out: with many viewers that takes longer than reading."""
        for carried in self._carried.get(position.device_id, ()):
            room = self._rooms.get(carried.event)
            fix = LastFix(carried, position)
            if room and _counts(fix) and room.note(fix):
                self._news.set()

    async def _hand_out(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._wait_s()):
                    await self._news.wait()
            self._news.clear()
            for room in list(self._rooms.values()):
                room.hand_out(time.monotonic())
                await asyncio.sleep(0)

    def _wait_s(self) -> float | None:
        """Until something that waits is due; None where nothing waits."""
        due = [instant for room in self._rooms.values() if (instant := room.due()) is not None]
        return max(0.0, min(due) - time.monotonic()) if due else None


class Snapshots:
    """Where everyone is, or was: a crowd that comes at once is served from one read."""

    def __init__(self, source: PositionSource) -> None:
        self._source = source
        self._held: dict[tuple[str, int], tuple[float, list[LastFix]]] = {}
        self._lock = asyncio.Lock()

    async def of(self, event: str, lane: Lane) -> list[LastFix]:
        """Raises SourceError."""
        async with self._lock:
            now = time.monotonic()
            self._held = {key: held for key, held in self._held.items() if now - held[0] < SNAPSHOT_LIFE_S}
            key = (event, lane.delay_ms)
            if key not in self._held:
                fixes = await self._source.last_fixes(event, _horizon(lane.delay_ms))
                self._held[key] = (time.monotonic(), fixes)
                # What is older than this the viewers have seen; what is newer comes to those who were here already.
                lane.latest = {fix.carried.imei: fix.position.ts for fix in fixes} | lane.latest
            return self._held[key][1]


def _horizon(delay_ms: int) -> int:
    """What is shown at once may be ahead of our clock a little."""
    return now_ms() - delay_ms if delay_ms else now_ms() + FUTURE_MS


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def _counts(fix: LastFix) -> bool:
    carried, position = fix.carried, fix.position
    return carried.low <= position.ts <= carried.high and usable(position, now_ms())


def usable(position: Position, now: int) -> bool:
    """The rule of design §4 on one fix; `now` in epoch ms."""
    in_range = abs(position.latitude) <= 90 and abs(position.longitude) <= 180
    at_nowhere = position.latitude == position.longitude == 0
    return in_range and not at_nowhere and position.satellites > 0 and position.ts <= now + FUTURE_MS
