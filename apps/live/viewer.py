"""One socket's outgoing side: what it follows, how far it is, and what still waits to be written to it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from apps.live import metrics, protocol
from apps.live.protocol import Code, Fault, Frame
from apps.live.source import SourceError

QUEUE_LIMIT = 64  # frames of a topic; a socket further behind is given a snapshot instead
REPLY_LIMIT = 200  # a client that asks and never reads
RETRY_S = 2.0
TOO_SLOW = 1008

Send = Callable[[Frame], Awaitable[None]]
Write = Callable[[Frame], bool]  # at once, or False


@dataclass(frozen=True, slots=True)
class Numbered:
    """A frame of a topic with its place in the sequence."""

    seq: int
    frame: Frame


@dataclass(frozen=True, slots=True)
class Missed:
    """What brings a socket up to date: the changes after `seq`, or a snapshot that stands for all of them."""

    seq: int
    frames: Sequence[Numbered]


# Given the last number the client has, None without one. Raises SourceError.
CatchUp = Callable[[int | None], Awaitable[Missed]]


@dataclass(slots=True, eq=False)
class Feed:
    """A topic followed. `stale`: it must catch up first, from `since` where the client named a number."""

    catch_up: CatchUp
    since: int | None = None
    frames: deque[Numbered] = field(default_factory=deque)
    seq: int = 0
    stale: bool = True

    def spoil(self) -> None:
        self.frames.clear()
        self.stale = True
        self.since = None


@dataclass(slots=True, eq=False)
class Slots:
    """A topic of states: the latest of each key that is not yet written. `held` until the snapshot is out."""

    latest: dict[str, Frame] = field(default_factory=dict)
    held: bool = True


class Viewer:
    """Frames are offered without waiting: written at once where the socket has room, else by `run`.

    So a client that stops reading holds up nobody, and keeps at most QUEUE_LIMIT frames of a leaderboard and one
    of each device.
    """

    def __init__(self, send: Send, write: Write | None = None) -> None:
        self._send = send
        self._write_now = write
        self._replies: deque[Frame] = deque()
        self._feeds: dict[str, Feed] = {}
        self._slots: dict[str, Slots] = {}
        self._wake = asyncio.Event()
        self._idle = False  # `run` waits, and so nothing is before a frame that comes now

    def follow(self, topic: str, reply: Frame, catch_up: CatchUp, since: int | None = None) -> None:
        """Answer, then send what was missed and what follows. Following again begins again."""
        self._feeds[topic] = Feed(catch_up, since)
        self.reply(reply)

    def watch(self, topic: str) -> None:
        """Collect states, and write none before `release`."""
        self._slots[topic] = Slots()

    def release(self, topic: str, reply: Frame) -> None:
        """Answer, then write the states."""
        self.reply(reply)
        if topic in self._slots:
            self._slots[topic].held = False

    def place(self, topic: str, states: Mapping[str, Frame], all_: Frame) -> None:
        """Write states, which `all_` are together, or put each in the place of the one that still waits."""
        slots = self._slots.get(topic)
        if slots is None:
            return
        if not slots.held and self._written(all_, len(states)):
            return
        metrics.COALESCED.inc(len(slots.latest.keys() & states.keys()))
        slots.latest |= states
        self._stir()

    def unfollow(self, topic: str) -> None:
        self._feeds.pop(topic, None)
        self._slots.pop(topic, None)

    def reply(self, frame: Frame) -> None:
        """Queue an answer; too many unread ones close the socket."""
        if len(self._replies) == REPLY_LIMIT:
            self._replies.clear()
            frame = protocol.close(TOO_SLOW)
        self._replies.append(frame)
        self._stir()

    def offer(self, topic: str, news: Sequence[Numbered], all_: Frame) -> None:
        """Write or queue changes of a topic, which `all_` are together; too long a queue is given up for a snapshot."""
        feed = self._feeds.get(topic)
        if feed is None or feed.stale:
            return
        if news[-1].seq == feed.seq + len(news) and self._written(all_, len(news)):
            feed.seq = news[-1].seq
            return
        feed.frames.extend(news)
        if len(feed.frames) > QUEUE_LIMIT:
            feed.spoil()
            metrics.COALESCED.inc()
        self._stir()

    async def run(self) -> None:
        """Write until the socket is closed from this side; ends by cancellation otherwise."""
        try:
            while await self._write_all():
                self._idle = not self._wake.is_set()
                await self._wake.wait()
        finally:
            self._idle = False

    def _stir(self) -> None:
        self._idle = False
        self._wake.set()

    def _written(self, frame: Frame, count: int = 1) -> bool:
        """Whether it could be written at once, before nothing else. A task for each write would cost more than it."""
        if not self._idle or self._write_now is None or not self._write_now(frame):
            return False
        metrics.MESSAGES.sent += count
        return True

    async def _write(self, frame: Frame, count: int = 1) -> None:
        await self._send(frame)
        metrics.MESSAGES.sent += count

    async def _write_all(self) -> bool:
        """False once the socket was closed."""
        self._wake.clear()
        if not await self._write_replies():
            return False
        for topic, feed in list(self._feeds.items()):
            if not await self._write_feed(topic, feed):
                return False
        for slots in list(self._slots.values()):
            await self._write_slots(slots)
        return True

    async def _write_feed(self, topic: str, feed: Feed) -> bool:
        # An answer goes before the snapshot it announces.
        if not await self._write_replies():
            return False
        if feed.stale:
            await self._catch_up(topic, feed)
        while feed.frames and self._feeds.get(topic) is feed:
            await self._write_change(feed, feed.frames.popleft())
        return True

    async def _write_slots(self, slots: Slots) -> None:
        while slots.latest and not slots.held and not self._replies:
            if self._write_now is None:
                await self._write(slots.latest.pop(next(iter(slots.latest))))
                continue
            waiting, slots.latest = slots.latest, {}
            await self._write(protocol.together(list(waiting.values())), len(waiting))

    async def _write_replies(self) -> bool:
        """False once a close was among them."""
        while self._replies:
            frame = self._replies.popleft()
            await self._write(frame)
            if frame["type"] == "websocket.close":
                return False
        return True

    async def _catch_up(self, topic: str, feed: Feed) -> None:
        feed.stale = False  # from here on changes queue up behind what was missed
        since, feed.since = feed.since, None
        try:
            missed = await feed.catch_up(since)
        except SourceError:
            feed.spoil()
            feed.since = since
            asyncio.get_running_loop().call_later(RETRY_S, self._stir)
            await self._write(protocol.error(Fault(Code.ERROR, "no snapshot now, will try again"), topic))
            return
        if self._feeds.get(topic) is not feed or feed.stale:
            self._stir()
            return
        feed.seq = missed.seq
        for news in missed.frames:
            await self._write_change(feed, news)

    async def _write_change(self, feed: Feed, news: Numbered) -> None:
        if news.seq <= feed.seq:  # what was missed had it
            return
        if news.seq > feed.seq + 1:
            feed.spoil()
            self._stir()
            return
        feed.seq = news.seq
        await self._write(news.frame)
