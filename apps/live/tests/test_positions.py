"""Where the crews are: the snapshot from the table, then the stream, to those who follow the event."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from django.db import connection
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.catalog.factories import DeviceFactory
from apps.common import stream
from apps.common.position import Position
from apps.events.audience import Audience
from apps.events.factories import EntryDeviceFactory
from apps.live import rooms
from apps.live.positions import Positions
from apps.live.queries import Carried, LastFix
from apps.live.rooms import BATCH_S, Hearing
from apps.live.tests import boards
from apps.live.tests.server import WebServer
from apps.live.tests.test_hub import until
from apps.live.tests.test_ws_live import Client, client
from apps.live.viewer import Viewer
from apps.telemetry.queries import write_positions

START = 1_780_732_800_000  # 6 June 2026, 08:00 UTC, within the assignment
DRIVER = "356093000000001"
PUBLIC, OFFICIAL, BATCHES = Hearing(Audience()), Hearing(Audience(official=True)), Hearing(Audience(), batch=True)


def fix(ts: int, **fields: Any) -> Position:
    values = {"latitude": 41.3, "longitude": 19.8, "satellites": 11, **fields}
    return Position(fields.pop("device_id", DRIVER), ts, **{k: v for k, v in values.items() if k != "device_id"})


class TestOverTheSocket:
    """Against the web process, as any client sees it."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def board(self) -> boards.Board:
        board = boards.build()
        EntryDeviceFactory.create(entry=board.entries[0], device=DeviceFactory.create(imei=DRIVER))
        write_positions([
            fix(START, speed=50.5, angle=90.0, attributes={"239": 1}),
            fix(START + 1000, latitude=41.4),
            fix(START + 2000, satellites=0),
            fix(START, device_id="356093000000999"),
        ])  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute("update positions set faulty = true where latitude = 41.4")
        return board

    def test_the_snapshot_shows_the_latest_fix_that_counts(self, web: WebServer, board: boards.Board) -> None:
        """A faulty latest one gives way to the next best; a device nobody carries is not shown."""
        with client(web) as spectator:
            assert follow(spectator, board) == [
                {"entryId": str(board.entries[0].id), "raceNumber": 301, "lat": 41.3, "lon": 19.8, "ts": START,
                 "speed": 50.5, "course": 90.0}
            ]  # fmt: skip

    def test_only_officials_see_the_device(self, web: WebServer, board: boards.Board) -> None:
        with client(web, UserFactory.create()) as known:
            [entry] = follow(known, board)
            assert "deviceId" not in entry and "attributes" not in entry
        with client(web, UserFactory.create(is_superuser=True)) as official:
            [entry] = follow(official, board)
            assert entry["deviceId"] == DRIVER and entry["attributes"] == {"239": 1}

    def test_positions_arrive_from_the_stream(self, web: WebServer, board: boards.Board, redis: Redis) -> None:
        with client(web) as spectator:
            follow(spectator, board)
            frame = first_frame(spectator, redis)
            ts = frame.pop("ts")
            assert ts > START
            assert frame == {
                "type": "position", "topic": f"event:{board.event.id}", "entryId": str(board.entries[0].id),
                "raceNumber": 301, "lat": 41.5, "lon": 19.8,
            }  # fmt: skip
            groups: Any = redis.xinfo_groups("telemetry:t")
            [group] = groups
            assert group["name"].startswith(b"live-broadcast-processor-1-") and group["pending"] == 0

    def test_positions_come_together_for_who_asks(self, web: WebServer, board: boards.Board, redis: Redis) -> None:
        with client(web) as spectator:
            follow(spectator, board, batch=True)
            frame = first_frame(spectator, redis)
            [entry] = frame.pop("positions")
            assert frame == {"type": "positions", "topic": f"event:{board.event.id}"}
            assert (entry["raceNumber"], entry["lat"]) == (301, 41.5)

    def test_a_stranger_follows_no_private_event(self, web: WebServer) -> None:
        board = boards.build(public=False)
        with client(web) as spectator:
            spectator.say(type="subscribe", topic=f"event:{board.event.id}")
            assert spectator.hear()["code"] == "forbidden"


def follow(who: Client, board: boards.Board, **more: Any) -> list[dict[str, Any]]:
    topic = f"event:{board.event.id}"
    who.say(type="subscribe", topic=topic, id="1", **more)
    answer = who.hear()
    snapshot: list[dict[str, Any]] = answer.pop("snapshot")
    assert answer == {"type": "subscribed", "topic": topic, "id": "1"}
    return snapshot


def first_frame(spectator: Client, redis: Redis) -> dict[str, Any]:
    """Drive until the spectator sees it: the web process may just be joining its group."""
    for step in range(1, 20):
        stream.send(redis, "telemetry:t", [fix(START + step * 1000, latitude=41.5, attributes={"239": 1})])
        try:
            return spectator.hear(timeout=0.5)
        except TimeoutError:
            continue
    pytest.fail("no position came")


class MemoryPositions:
    """The contract of `PositionSource` without database and Redis."""

    def __init__(self) -> None:
        self.batches: list[list[Position]] = []
        self.fixes: list[LastFix] = []
        self.inside: frozenset[str] = frozenset()
        self.imeis = [DRIVER]

    async def carried(self, events: Sequence[str]) -> list[Carried]:
        return [Carried(imei, event, "entry", 301, START, START + 10_000) for event in events for imei in self.imeis]

    async def last_fixes(self, event: str, horizon: int) -> list[LastFix]:
        return [fix for fix in self.fixes if fix.position.ts <= horizon]

    async def running(self, event: str) -> frozenset[str]:
        return self.inside

    async def arriving(self) -> AsyncIterator[list[Position]]:
        while True:
            yield self.batches.pop(0) if self.batches else []
            await until(lambda: self.batches, 60)


class Watcher:
    def __init__(self) -> None:
        self.viewer = Viewer(self.write)
        self.viewer.watch("event:one")

    async def write(self, message: dict[str, Any]) -> None:
        """Nothing: the tests look at what waits."""

    @property
    def waiting(self) -> str:
        return "".join(frame["text"] for frame in self.viewer._slots["event:one"].latest.values())


@pytest.fixture
def source() -> MemoryPositions:
    return MemoryPositions()


@pytest.fixture
async def positions(source: MemoryPositions) -> AsyncIterator[Positions]:
    positions = Positions(source, refresh_s=60)
    yield positions
    await positions.stop()


async def test_only_the_latest_of_a_device_waits_for_a_slow_socket(
    positions: Positions, source: MemoryPositions
) -> None:
    watcher = Watcher()
    await positions.join(watcher.viewer, "one", PUBLIC)
    source.batches.append([fix(START + ms) for ms in (0, 1000, 3000, 2000)])
    await until(lambda: watcher.waiting)
    assert watcher.waiting.count('"ts"') == 1 and f'"ts":{START + 3000}' in watcher.waiting


@pytest.mark.parametrize(
    "useless",
    [
        fix(START - 1), fix(START + 10_001), fix(START + 1000, device_id="other"), fix(START + 1000, satellites=0),
        fix(START + 1000, latitude=0, longitude=0), fix(START + 1000, latitude=91),
    ],
)  # fmt: skip
async def test_what_is_not_shown(positions: Positions, source: MemoryPositions, useless: Position) -> None:
    """Outside the assignment, of another device, or unusable by design §4."""
    watcher = Watcher()
    await positions.join(watcher.viewer, "one", OFFICIAL)
    source.batches.append([useless, fix(START + 500)])
    await until(lambda: watcher.waiting)
    assert f'"ts":{START + 500}' in watcher.waiting


async def test_a_fix_from_the_future_does_not_hide_the_true_ones(
    positions: Positions, source: MemoryPositions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: (START - 55_000) * 1_000_000)
    watcher = Watcher()
    source.fixes = [LastFix(Carried(DRIVER, "one", "entry", 301, START, START + 90_000), fix(START + 200))]
    assert [entry["ts"] for entry in await positions.join(watcher.viewer, "one", PUBLIC)] == [START + 200]
    source.batches.append([fix(START + 100), fix(START + 4000), fix(START + 9000)])
    await until(lambda: watcher.waiting)
    assert f'"ts":{START + 4000}' in watcher.waiting


async def test_what_arrived_meanwhile_goes_to_a_socket_in_one_write(
    positions: Positions, source: MemoryPositions
) -> None:
    """And to each audience as bytes made once: a hundred viewers share them."""
    crews = [f"35609300000000{n}" for n in range(3)]
    source.imeis = crews
    written: list[list[bytes]] = []
    for _ in range(100):
        await positions.join(await reader(written), "one", PUBLIC)
    source.batches.append([fix(START + n, device_id=imei) for n, imei in enumerate(crews)])
    await until(lambda: all(written))
    assert [len(writes) for writes in written] == [1] * 100
    assert written[0][0].count(b'"type":"position"') == 3
    assert len({id(writes[0]) for writes in written}) == 1


TASKS: list[asyncio.Task[None]] = []  # held, or they would be collected


async def reader(written: list[list[bytes]]) -> Viewer:
    """A viewer whose socket has room, following the event."""
    writes: list[bytes] = []
    written.append(writes)

    async def send(message: dict[str, Any]) -> None:
        """Nothing: the answer is of no interest."""

    def write(message: dict[str, Any]) -> bool:
        writes.append(message["wire"].plain)
        return True

    viewer = Viewer(send, write)
    viewer.watch("event:one")
    viewer.release("event:one", {"type": "websocket.send", "text": ""})
    TASKS.append(asyncio.create_task(viewer.run()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return viewer


async def test_a_socket_that_has_room_again_is_given_the_latest_of_each(
    positions: Positions, source: MemoryPositions
) -> None:
    """Latest wins: who cannot keep up sees fewer positions, not older ones, and keeps one of each device."""
    watcher = Watcher()
    await positions.join(watcher.viewer, "one", PUBLIC)
    for step in range(50):
        source.batches.append([fix(START + step)])
        await until(lambda: not source.batches)
    await until(lambda: f'"ts":{START + 49}' in watcher.waiting)
    assert watcher.waiting.count('"ts"') == 1


def positions_in(write: bytes) -> list[int]:
    """The instants a frame of a batch holds, past its WebSocket head."""
    return [entry["ts"] for entry in json.loads(write[write.index(b"{") :])["positions"]]


async def test_who_asked_for_batches_is_written_to_four_times_a_second(
    positions: Positions, source: MemoryPositions
) -> None:
    """The first at once; then all that came meanwhile in one frame, the latest of each crew, made once for all."""
    crews = [f"35609300000000{n}" for n in range(3)]
    source.imeis = crews
    written: list[list[bytes]] = []
    for _ in range(20):
        await positions.join(await reader(written), "one", BATCHES)
    source.batches.append([fix(START, device_id=crews[0])])
    await until(lambda: all(written))
    begin = time.monotonic()
    for step in range(1, 10):
        source.batches.append([fix(START + step, device_id=imei) for imei in crews])
        await until(lambda: not source.batches)
    await until(lambda: all(len(writes) == 2 for writes in written))
    assert time.monotonic() - begin > BATCH_S / 2
    assert [positions_in(write) for write in written[0]] == [[START], [START + 9] * 3]
    assert len({id(writes[1]) for writes in written}) == 1


async def test_many_viewers_are_written_to_less_often(
    positions: Positions, source: MemoryPositions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that what they take of the machine has an end, however many fixes come: nothing is lost, the latest wins."""
    monkeypatch.setattr(rooms, "WRITE_S", 0.05)
    written: list[list[bytes]] = []
    for _ in range(4):
        await positions.join(await reader(written), "one", PUBLIC)
    for step in range(20):
        source.batches.append([fix(START + step)])
        await until(lambda: not source.batches)
    await until(lambda: all(f'"ts":{START + 19}'.encode() in writes[-1] for writes in written))
    assert [len(writes) for writes in written] == [2] * 4
