"""The live channel as a process of its own: several on one address, its probes, its end."""

import os
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis
from websockets.exceptions import ConnectionClosed

from apps.live.management.commands import run_live
from apps.live.server import configured
from apps.live.tests import boards, server
from apps.live.tests.server import WebServer
from apps.live.tests.test_ws_live import client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two(transactional_db: None) -> Iterator[list[WebServer]]:
    """Two processes on one address."""
    port = server.free_port()
    both = [WebServer(port, server.LIVE, server.free_port()) for _ in range(2)]
    try:
        for process in both:
            process.start()
        yield both
    finally:
        for process in both:
            process.kill()


def test_several_processes_share_an_address_and_take_over_from_each_other(two: list[WebServer], redis: Redis) -> None:
    """Rolling restart: a viewer that is sent away goes on where it was, at another process."""
    board = boards.build()
    with client(two[0]) as spectator:
        spectator.follow(board.topic)
        boards.tell(board, redis)
        assert spectator.hear()["seq"] == 1
        [holder, other] = sorted(two, key=_connections, reverse=True)
        assert (_connections(holder), _connections(other)) == (1, 0)
        assert holder.terminate() == 0
        with pytest.raises(ConnectionClosed) as closed:
            spectator.hear()
        assert closed.value.rcvd and closed.value.rcvd.code == 1012
    boards.tell(board, redis)
    boards.tell(board, redis)
    with client(other) as spectator:
        spectator.say(type="subscribe", topic=board.topic, since=1)
        assert spectator.hear()["type"] == "subscribed"
        assert [spectator.hear()["seq"] for _ in range(2)] == [2, 3]


def test_viewers_give_way_to_the_office(two: list[WebServer]) -> None:
    """Every thread of it: on two cores timing is served first. A process that was started lower stays there."""
    process = two[0].process
    assert process
    threads = [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {run_live.NICE}


def _connections(process: WebServer) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{process.metrics_port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return int(float(next(line for line in lines if line.startswith("live_connections ")).split()[1]))


def test_a_live_process_pings_each_half_minute() -> None:
    """Contracts §4: a viewer that is gone without a word is noticed, and proxies see life."""
    made = configured(None, lambda: None)
    assert made.ws_ping_interval == 30 and made.ws_max_size == 65_536
