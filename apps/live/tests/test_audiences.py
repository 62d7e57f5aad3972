"""Who hears what, and how late: the public, crews and officials of one event over real sockets."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from redis import Redis

from apps.accounts.factories import OrganizationUserFactory, UserFactory
from apps.accounts.models import User
from apps.catalog.factories import DeviceFactory
from apps.common import stream
from apps.common.position import Position
from apps.events.factories import EntryCrewFactory, EntryDeviceFactory
from apps.events.models import Entry, Event
from apps.live.positions import now_ms
from apps.live.tests import boards
from apps.live.tests.server import WebServer
from apps.live.tests.test_ws_live import Client, client, closing_code
from apps.penalties.factories import EntryPenaltyFactory
from apps.scoring.models import StageResult
from apps.telemetry.queries import write_positions

pytestmark = pytest.mark.django_db(transaction=True)

DELAY_S = 3


@pytest.fixture
def board() -> boards.Board:
    """301 and 302 have finished the prologue, 303 and 304 are inside; each carries a tracker of its own."""
    board = boards.build(entries=4)
    StageResult.objects.filter(entry=board.entries[2]).update(
        status="running", last_control="WP 2", time_ms=None, penalty_ms=0, total_ms=None, rank=None, class_rank=None
    )
    for entry in board.entries:
        EntryDeviceFactory.create(entry=entry, device=DeviceFactory.create(imei=imei(entry)))
    return board


@pytest.fixture
def late(board: boards.Board) -> boards.Board:
    Event.objects.filter(id=board.event.id).update(public_delay_seconds=DELAY_S)
    return board


def imei(entry: Entry) -> str:
    return f"356093000000{entry.race_number}"


def pilot(entry: Entry) -> User:
    """A member of the organization, as crews are made when they enter."""
    user: User = OrganizationUserFactory.create(organization=entry.event.organization, role="participant").user
    EntryCrewFactory.create(entry=entry, user=user)
    return user


def official() -> User:
    user: User = UserFactory.create(is_superuser=True)
    return user


def drive(redis: Redis, entry: Entry, ts: int) -> None:
    """The fix is stored and on the stream, as the processor leaves it."""
    fix = Position(imei(entry), ts, 41.5, 19.8, satellites=9)
    write_positions([fix])
    stream.send(redis, "telemetry:t", [fix])


def snapshot_of(who: Client, topic: str) -> list[dict[str, Any]]:
    who.say(type="subscribe", topic=topic)
    answer = who.hear()
    assert (answer["type"], answer["topic"]) == ("subscribed", topic)
    snapshot: list[dict[str, Any]] = answer["snapshot"]
    return snapshot


def heard(who: Client, seconds: float) -> Iterator[dict[str, Any]]:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            yield who.hear(timeout=left)
        except TimeoutError:
            return


class TestBoards:
    def test_a_crew_inside_a_stage_learns_nothing_of_the_others_there(
        self, web: WebServer, board: boards.Board, redis: Redis
    ) -> None:
        with client(web, pilot(board.entries[2])) as crew, client(web) as public:
            lines = {line["raceNumber"]: line for line in crew.follow(board.stage_topic)["snapshot"]}
            assert (lines[303]["lastControl"], lines[304]["lastControl"]) == ("WP 2", "")
            assert lines[304]["status"] == "running" and lines[301]["timeMs"]
            open_lines = {line["raceNumber"]: line for line in public.follow(board.stage_topic)["snapshot"]}
            assert open_lines[304]["lastControl"] == "WP 4"

    def test_changes_are_hidden_as_the_snapshot_is(self, web: WebServer, board: boards.Board, redis: Redis) -> None:
        with client(web, pilot(board.entries[2])) as crew:
            crew.follow(board.stage_topic)
            boards.tell_stage(board, redis)
            lines = {line["raceNumber"]: line for line in crew.hear()["changes"]}
            assert (lines[303]["lastControl"], lines[304]["lastControl"]) == ("WP 2", "")

    def test_who_becomes_crew_is_given_the_crews_board(self, web: WebServer, board: boards.Board) -> None:
        """Looked at anew every so often, never per message."""
        user = UserFactory.create()
        with client(web, user) as known:
            known.follow(board.stage_topic)
            EntryCrewFactory.create(entry=board.entries[2], user=user)
            assert known.hear() == {"type": "subscribed", "topic": board.stage_topic}
            lines = {line["raceNumber"]: line for line in known.hear()["snapshot"]}
            assert lines[304]["lastControl"] == ""


class TestPositions:
    def test_the_public_sees_late_what_officials_see_at_once(
        self, web: WebServer, late: boards.Board, redis: Redis
    ) -> None:
        topic, entry = f"event:{late.event.id}", late.entries[0]
        with client(web) as public, client(web, official()) as desk:
            assert snapshot_of(public, topic) == snapshot_of(desk, topic) == []
            time.sleep(1)  # the group of a process just begun is being made
            ts = now_ms()
            drive(redis, entry, ts)
            assert desk.hear()["ts"] == ts
            assert now_ms() - ts < 1500
            frame = public.hear(timeout=DELAY_S + 3)
            assert frame["ts"] == ts and "deviceId" not in frame and now_ms() - ts >= DELAY_S * 1000
            assert [found["ts"] for found in snapshot_of(public, topic)] == [ts]

    def test_a_crew_sees_itself_at_once_and_nobody_else_inside_its_stage(
        self, web: WebServer, late: boards.Board, redis: Redis
    ) -> None:
        inside, outside, own = late.entries[3], late.entries[0], late.entries[2]
        with client(web, pilot(own)) as crew:
            assert snapshot_of(crew, f"event:{late.event.id}") == []
            time.sleep(1)
            ts = now_ms()
            for entry in (inside, outside, own):
                drive(redis, entry, ts)
            frames = list(heard(crew, DELAY_S + 3))
            assert [frame["raceNumber"] for frame in frames] == [303, 301]

    def test_a_device_that_nobody_carries_makes_no_frame(
        self, web: WebServer, board: boards.Board, redis: Redis
    ) -> None:
        with client(web, official()) as desk:
            snapshot_of(desk, f"event:{board.event.id}")
            time.sleep(1)
            stream.send(redis, "telemetry:t", [Position("356093000000999", now_ms(), 41.5, 19.8, satellites=9)])
            drive(redis, board.entries[0], now_ms())
            assert desk.hear()["deviceId"] == imei(board.entries[0])
            assert not list(heard(desk, 1))


class TestEntry:
    def test_a_crew_follows_its_own_times(self, web: WebServer, board: boards.Board) -> None:
        entry = board.entries[2]
        topic = f"entry:{entry.id}"
        with client(web, pilot(entry)) as crew:
            [line] = snapshot_of(crew, topic)
            assert (line["stage"], line["status"], line["lastControl"]) == ("Prologue", "running", "WP 2")
            EntryPenaltyFactory.create(entry=entry, stage=board.stages[0], seconds=300)
            frame = crew.hear(timeout=15)
            assert (frame["type"], frame["topic"]) == ("entry", topic)
            assert [penalty["seconds"] for penalty in frame["changes"][0]["penalties"]] == [300]

    def test_nobody_but_its_crew_and_officials_follows_them(self, web: WebServer, late: boards.Board) -> None:
        topic = f"entry:{late.entries[2].id}"
        viewer = OrganizationUserFactory.create(organization=late.event.organization, role="viewer").user
        for user in (None, UserFactory.create(), pilot(late.entries[3]), viewer):
            with client(web, user) as other:
                other.say(type="subscribe", topic=topic)
                assert other.hear()["code"] == "forbidden"
        with client(web, official()) as desk:
            assert len(snapshot_of(desk, topic)) == 1

    def test_a_crew_that_was_removed_is_closed(self, web: WebServer, board: boards.Board) -> None:
        user = pilot(board.entries[2])
        with client(web, user) as crew:
            snapshot_of(crew, f"entry:{board.entries[2].id}")
            board.entries[2].crew_links.filter(user=user).delete()
            assert closing_code(crew) == 4403
