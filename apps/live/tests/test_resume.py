"""A viewer that was away goes on from the number it has: over real sockets, and over a restart of the process."""

import socket
import time
from typing import Any

import pytest
from redis import Redis

from apps.accounts.factories import UserFactory
from apps.live.hub import RESUME_LIMIT
from apps.live.tests import boards
from apps.live.tests.server import WebServer
from apps.live.tests.test_ws_live import Client, client
from apps.live.viewer import QUEUE_LIMIT

LARGE = [{"entryId": "x", "crew": "x" * 50_000}]  # soon more than all buffers on the way hold

pytestmark = pytest.mark.django_db(transaction=True)


def resume(who: Client, topic: str, since: int) -> None:
    who.say(type="subscribe", topic=topic, since=since)
    assert who.hear() == {"type": "subscribed", "topic": topic}


def test_what_was_missed_comes_as_changes_and_then_what_follows(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    for _ in range(3):
        boards.tell(board, redis)
    with client(web) as spectator:
        resume(spectator, board.topic, since=1)
        missed = [spectator.hear() for _ in range(2)]
        assert [frame["seq"] for frame in missed] == [2, 3] and all("changes" in frame for frame in missed)
        boards.tell(board, redis)
        assert spectator.hear()["seq"] == 4


def test_who_missed_nothing_is_sent_nothing(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    boards.tell(board, redis)
    with client(web) as spectator:
        resume(spectator, board.topic, since=1)
        boards.tell(board, redis)
        frame = spectator.hear()
        assert (frame["seq"], "changes" in frame) == (2, True)


@pytest.mark.parametrize("since", [7, 0])
def test_a_number_outside_the_window_gets_a_snapshot(web: WebServer, redis: Redis, since: int) -> None:
    """7 was never handed out: the database was put back. 0 is further back than the window reaches."""
    board = boards.build()
    news = 5 if since else RESUME_LIMIT + 1
    for _ in range(news):
        boards.tell(board, None)
    with client(web) as spectator:
        resume(spectator, board.topic, since=since)
        frame = spectator.hear()
        assert (frame["seq"], "snapshot" in frame) == (news, True)


def test_a_restarted_process_goes_on_without_a_gap(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    with client(web) as spectator:
        spectator.follow(board.topic)
        boards.tell(board, redis)
        assert spectator.hear()["seq"] == 1
        web.kill()
    for _ in range(2):
        boards.tell(board, redis)
    web.start()
    with client(web) as spectator:
        resume(spectator, board.topic, since=1)
        boards.tell(board, redis)
        assert [spectator.hear()["seq"] for _ in range(3)] == [2, 3, 4]


def test_a_client_that_stops_reading_is_given_a_snapshot_and_costs_nobody_anything(
    web: WebServer, redis: Redis
) -> None:
    board = boards.build()
    options: Any = {"sock": small_window(web), "compression": None, "max_queue": 1}
    with client(web) as quick, client(web, **options) as slow:
        slow.follow(board.topic)
        quick.follow(board.topic)
        news = 4 * QUEUE_LIMIT
        for number in range(1, news + 1):
            boards.tell_of(board, redis, LARGE)
            assert quick.hear()["seq"] == number
        frames = [slow.hear()]
        while frames[-1]["seq"] < news:
            frames.append(slow.hear())
    seqs = [frame["seq"] for frame in frames]
    assert len(seqs) < news and seqs == sorted(set(seqs))
    gaps = [n for n in range(1, len(seqs)) if seqs[n] != seqs[n - 1] + 1]
    assert gaps and all("snapshot" in frames[n] for n in gaps)


def small_window(web: WebServer) -> socket.socket:
    """A connection whose receive buffer is soon full."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", web.port))
    return made


def test_the_public_sees_a_change_as_late_as_the_event_says(web: WebServer, redis: Redis) -> None:
    board = boards.build()
    board.event.public_delay_seconds = 3
    board.event.save()
    with client(web) as public, client(web, UserFactory.create(is_superuser=True)) as official:
        public.follow(board.topic)
        official.follow(board.topic)
        begin = time.monotonic()
        boards.tell(board, redis)
        assert official.hear()["seq"] == 1 and time.monotonic() - begin < 2.5
        assert public.hear(timeout=10)["seq"] == 1 and time.monotonic() - begin >= 3
