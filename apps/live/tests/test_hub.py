"""The fan-out against a source in memory: numbers without gap, one reading for all, slow sockets apart."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
import pytest

from apps.live import viewer as viewers
from apps.live.hub import Hub
from apps.live.protocol import Frame, frame
from apps.live.queries import Change
from apps.live.source import Board, SourceError
from apps.live.viewer import QUEUE_LIMIT, REPLY_LIMIT, Viewer, Write
from apps.scoring.released import View

TOPIC = "leaderboard:one"
VIEW = View(TOPIC)


class MemorySource:
    """The contract of `Source` without database and Redis."""

    def __init__(self) -> None:
        self.rows: dict[str, list[str]] = {}
        self.boards_read = 0
        self.down = False
        self.delay = 0.0
        self._wakes: asyncio.Queue[str] = asyncio.Queue()

    def add(self, topic: str = TOPIC, *, wake: bool = True) -> None:
        rows = self.rows.setdefault(topic, [])
        rows.append(f'[{{"n":{len(rows) + 1}}}]')
        if wake:
            self._wakes.put_nowait(topic)

    async def board(self, view: View) -> Board:
        seq = len(self.rows.get(view.topic, []))
        self.boards_read += 1
        await asyncio.sleep(self.delay)
        if self.down:
            raise SourceError("down")
        return seq, [{"upto": seq}]

    async def after(self, sent: Mapping[View, int]) -> list[Change]:
        await asyncio.sleep(0.001)
        if self.down:
            raise SourceError("down")
        return [
            Change(view, seq, self.rows[view.topic][seq - 1], 0.0)
            for view, last in sent.items()
            for seq in range(last + 1, len(self.rows.get(view.topic, [])) + 1)[:50]
        ]

    async def wakes(self) -> AsyncIterator[str]:
        while True:
            yield await self._wakes.get()


class Socket:
    """A client that reads, or stops reading."""

    def __init__(self, hub: Hub, write_now: Write | None = None) -> None:
        self.hub = hub
        self.frames: list[Frame] = []
        self.reading = asyncio.Event()
        self.reading.set()
        self.viewer = Viewer(self.write, write_now)
        self.task = asyncio.create_task(self.viewer.run())

    async def write(self, message: Frame) -> None:
        await self.reading.wait()
        self.frames.append(message)

    def follow(self, since: int | None = None) -> None:
        catch_up = self.hub.join(self.viewer, VIEW)
        self.viewer.follow(TOPIC, frame("subscribed", topic=TOPIC), catch_up, since)

    @property
    def heard(self) -> list[dict[str, Any]]:
        return [orjson.loads(message["text"]) for message in self.frames if "text" in message]

    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.heard if "seq" in message]


async def until(condition: Any, limit_s: float = 3) -> None:
    """Wait for it, letting the others work. Fails after 3 s."""
    async with asyncio.timeout(limit_s):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.fixture
async def source() -> MemorySource:
    return MemorySource()


@pytest.fixture
async def hub(source: MemorySource) -> AsyncIterator[Hub]:
    hub = Hub(source, poll_s=0.05)
    yield hub
    await hub.stop()


async def test_answer_then_snapshot_then_changes(hub: Hub, source: MemorySource) -> None:
    source.add()
    socket = Socket(hub)
    socket.follow()
    await until(lambda: len(socket.frames) == 2)
    source.add()
    await until(lambda: len(socket.frames) == 3)
    assert socket.heard == [
        {"type": "subscribed", "topic": TOPIC},
        {"type": "leaderboard", "topic": TOPIC, "seq": 1, "snapshot": [{"upto": 1}]},
        {"type": "leaderboard", "topic": TOPIC, "seq": 2, "changes": [{"n": 2}]},
    ]


async def test_a_frame_is_encoded_once_for_all(hub: Hub, source: MemorySource) -> None:
    sockets = [Socket(hub) for _ in range(20)]
    for socket in sockets:
        socket.follow()
    await until(lambda: all(len(socket.frames) == 2 for socket in sockets))
    source.add()
    await until(lambda: all(len(socket.frames) == 3 for socket in sockets))
    assert len({id(socket.frames[1]) for socket in sockets}) == len({id(socket.frames[2]) for socket in sockets}) == 1
    assert source.boards_read == 1  # a crowd is served from one read


async def test_changes_while_the_snapshot_is_read_are_neither_lost_nor_doubled(hub: Hub, source: MemorySource) -> None:
    first, second = Socket(hub), Socket(hub)
    first.follow()
    await until(lambda: first.seqs() == [0])
    source.delay = 0.2
    source.add()
    second.follow()
    for _ in range(5):
        await asyncio.sleep(0.03)
        source.add()
    source.delay = 0
    await until(lambda: first.seqs()[-1] == second.seqs()[-1:][0] == 6 if second.seqs() else False)
    for socket in (first, second):
        seqs = socket.seqs()
        assert seqs == list(range(seqs[0], 7))


async def test_a_lost_wake_only_delays(hub: Hub, source: MemorySource) -> None:
    socket = Socket(hub)
    socket.follow()
    await until(lambda: socket.seqs() == [0])
    source.add(wake=False)
    await until(lambda: socket.seqs() == [0, 1])


async def test_a_socket_that_stops_reading_gets_a_snapshot_and_holds_up_nobody(hub: Hub, source: MemorySource) -> None:
    slow, quick = Socket(hub), Socket(hub)
    for socket in (slow, quick):
        socket.follow()
    await until(lambda: slow.seqs() == quick.seqs() == [0])
    slow.reading.clear()
    news = QUEUE_LIMIT * 3
    for _ in range(news):
        source.add()
    await until(lambda: quick.seqs() == list(range(news + 1)))
    held = slow.viewer._feeds[TOPIC].frames
    assert len(held) <= QUEUE_LIMIT
    slow.reading.set()
    await until(lambda: slow.seqs()[-1] == news)
    assert slow.seqs() == [0, 1, news]  # one was being written, then a snapshot
    assert "snapshot" in slow.heard[-1]
    source.add()
    await until(lambda: slow.seqs()[-1] == news + 1)


async def test_a_database_that_is_away_is_told_and_waited_for(
    hub: Hub, source: MemorySource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewers, "RETRY_S", 0.05)
    source.down = True
    socket = Socket(hub)
    socket.follow()
    await until(lambda: len(socket.frames) >= 2)
    assert socket.heard[1]["code"] == "error"
    source.down = False
    await until(lambda: socket.seqs() == [0])
    source.down = True
    source.add()
    await asyncio.sleep(0.1)
    source.down = False
    await until(lambda: socket.seqs() == [0, 1])


async def test_a_number_that_went_back_begins_a_new_count(hub: Hub, source: MemorySource) -> None:
    """A database restored from a backup must not silence the boards."""
    for _ in range(5):
        source.add()
    socket = Socket(hub)
    socket.follow()
    await until(lambda: socket.seqs() == [5])
    source.rows[TOPIC] = source.rows[TOPIC][:2]
    await asyncio.sleep(1.1)  # the held snapshot grows old
    socket.follow()
    await until(lambda: socket.seqs() == [5, 2])
    source.add()
    await until(lambda: socket.seqs() == [5, 2, 3])


async def test_who_left_hears_nothing_and_an_empty_topic_costs_nothing(hub: Hub, source: MemorySource) -> None:
    socket = Socket(hub)
    socket.follow()
    await until(lambda: socket.seqs() == [0])
    socket.viewer.unfollow(TOPIC)
    hub.leave(socket.viewer, VIEW)
    source.add()
    await asyncio.sleep(0.1)
    assert socket.seqs() == [0] and not hub._channels


async def test_a_client_that_asks_and_never_reads_is_closed(hub: Hub) -> None:
    socket = Socket(hub)
    socket.reading.clear()
    for _ in range(REPLY_LIMIT + 2):
        socket.viewer.reply(frame("unsubscribed", topic=TOPIC))
        await asyncio.sleep(0)
    socket.reading.set()
    await asyncio.wait_for(socket.task, 2)
    assert socket.frames[-1] == {"type": "websocket.close", "code": 1008}


async def test_changes_that_came_together_are_written_at_once(hub: Hub, source: MemorySource) -> None:
    """What a socket costs is the write: news of a while goes out in one, every number of it, made once for all."""
    written: list[bytes] = []

    def write_now(frame: Frame) -> bool:
        written.append(frame["wire"].plain)
        return True

    sockets = [Socket(hub, write_now) for _ in range(10)]
    for socket in sockets:
        socket.follow()
    await until(lambda: all(socket.seqs() == [0] for socket in sockets))
    for _ in range(3):
        source.add(wake=False)
    await until(lambda: len(written) == len(sockets))
    assert [written[0].count(text) for text in (b'"seq":1', b'"seq":2', b'"seq":3')] == [1, 1, 1]
    assert len({id(write) for write in written}) == 1
