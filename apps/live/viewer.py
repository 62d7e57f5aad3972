"""One socket's outgoing side: what it follows, how far it is, and what still waits to be written to it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from apps.live import metrics, protocol
from apps.live.protocol import Code, Fault, Frame
from apps.live.source import SourceError

QUEUE_LIMIT = 64  # frames of a topic; a socket further behind is given a snapshot instead
REPLY_LIMIT = 200  # a client that asks and never reads
RETRY_S = 2.0
TOO_SLOW = 1008

Send = Callable[[Frame], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Numbered:
    """A frame of a topic with its place in the sequence."""

    seq: int
    frame: Frame


Snapshots = Callable[[str], Awaitable[Numbered]]


@dataclass(slots=True, eq=False)
class Feed:
    """A topic followed. `stale`: only a snapshot helps, be it the first or because the socket fell behind."""

    frames: deque[Numbered] = field(default_factory=deque)
    seq: int = 0
    stale: bool = True


@dataclass(slots=True, eq=False)
class Slots:
    """An event's positions: the latest of each device that is not yet written. `held` until the snapshot is out."""

    latest: dict[str, Frame] = field(default_factory=dict)
    held: bool = True


class Viewer:
    """Frames are offered without waiting; `run` writes them as fast as the client reads.

    So a client that stops reading holds up nobody, and keeps at most QUEUE_LIMIT frames of a leaderboard and one
    of each device.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._replies: deque[Frame] = deque()
        self._feeds: dict[str, Feed] = {}
        self._slots: dict[str, Slots] = {}
        self._wake = asyncio.Event()

    @property
    def topics(self) -> list[str]:
        return [*self._feeds, *self._slots]

    def follow(self, topic: str, reply: Frame) -> None:
        """Answer, then send a snapshot and what follows it. Following again gives a new snapshot."""
        feed = self._feeds.setdefault(topic, Feed())
        _spoil(feed)
        self.reply(reply)

    def watch(self, topic: str) -> None:
        """Collect positions, and write none before `release`."""
        self._slots[topic] = Slots()

    def release(self, topic: str, reply: Frame) -> None:
        """Answer, then write the positions."""
        self.reply(reply)
        if topic in self._slots:
            self._slots[topic].held = False

    def place(self, topic: str, device: str, frame: Frame) -> None:
        """Replace what waits for a device by its latest position."""
        latest = self._slots[topic].latest
        if latest.pop(device, None):
            metrics.COALESCED.inc()
        latest[device] = frame
        self._wake.set()

    def unfollow(self, topic: str) -> None:
        self._feeds.pop(topic, None)
        self._slots.pop(topic, None)

    def reply(self, frame: Frame) -> None:
        """Queue an answer; too many unread ones close the socket."""
        if len(self._replies) == REPLY_LIMIT:
            self._replies.clear()
            frame = protocol.close(TOO_SLOW)
        self._replies.append(frame)
        self._wake.set()

    def offer(self, topic: str, news: Numbered) -> None:
        """Queue a change of a topic, or give the queue up for a snapshot when it is full."""
        feed = self._feeds[topic]
        if feed.stale:
            return
        feed.frames.append(news)
        if len(feed.frames) > QUEUE_LIMIT:
            _spoil(feed)
            metrics.COALESCED.inc()
        self._wake.set()

    async def run(self, snapshots: Snapshots) -> None:
        """Write until the socket is closed from this side; ends by cancellation otherwise."""
        while await self._write_replies():
            self._wake.clear()
            for topic, feed in list(self._feeds.items()):
                if not await self._write_feed(topic, feed, snapshots):
                    return
            for slots in list(self._slots.values()):
                await self._write_slots(slots)
            await self._wake.wait()

    async def _write_feed(self, topic: str, feed: Feed, snapshots: Snapshots) -> bool:
        # An answer goes before the snapshot it announces.
        if not await self._write_replies():
            return False
        if feed.stale:
            await self._write_snapshot(topic, feed, snapshots)
        while feed.frames and self._feeds.get(topic) is feed:
            await self._write_change(feed, feed.frames.popleft())
        return True

    async def _write_slots(self, slots: Slots) -> None:
        while slots.latest and not slots.held and not self._replies:
            await self._send(slots.latest.pop(next(iter(slots.latest))))
            metrics.SENT.inc()

    async def _write_replies(self) -> bool:
        """False once a close was among them."""
        while self._replies:
            frame = self._replies.popleft()
            await self._send(frame)
            if frame["type"] == "websocket.close":
                return False
            metrics.SENT.inc()
        return True

    async def _write_snapshot(self, topic: str, feed: Feed, snapshots: Snapshots) -> None:
        feed.stale = False  # from here on changes queue up behind the snapshot
        try:
            snapshot = await snapshots(topic)
        except SourceError:
            _spoil(feed)
            asyncio.get_running_loop().call_later(RETRY_S, self._wake.set)
            await self._send(protocol.error(Fault(Code.ERROR, "no snapshot now, will try again"), topic))
            return
        if self._feeds.get(topic) is feed and not feed.stale:
            feed.seq = snapshot.seq
            await self._send(snapshot.frame)
            metrics.SENT.inc()
        else:
            self._wake.set()

    async def _write_change(self, feed: Feed, news: Numbered) -> None:
        if news.seq <= feed.seq:  # the snapshot had it
            return
        if news.seq > feed.seq + 1:
            _spoil(feed)
            self._wake.set()
            return
        feed.seq = news.seq
        await self._send(news.frame)
        metrics.SENT.inc()


def _spoil(feed: Feed) -> None:
    feed.frames.clear()
    feed.stale = True
