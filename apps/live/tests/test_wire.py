"""Shared frames as clients of every kind read them."""

from typing import Any

import pytest
from redis import Redis
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from apps.live.tests import boards, server
from apps.live.tests.server import WebServer
from apps.live.tests.test_ws_live import client
from apps.live.wire import PAYS_FROM, wire

CREWS = [{"entryId": "x", "crew": "Arta Hoxha" * size} for size in (1, 12, 40, 100, 7000)]
STOCK = tuple(word for word in server.WEB if word not in ("--ws", "apps.live.wire_protocol:Wired"))


@pytest.mark.parametrize("size", [0, 125, 126, PAYS_FROM - 1, PAYS_FROM, 65_535, 65_536])
def test_lengths_are_told_as_the_protocol_says(size: int) -> None:
    made = wire(b"x" * size)
    head = made.plain[: len(made.plain) - size]
    assert head[0] == 0x81 and made.plain.endswith(b"x" * size)
    if size < 126:
        assert head[1:] == bytes([size])
    else:
        assert (head[1], int.from_bytes(head[2:], "big")) == (126 if size < 65_536 else 127, size)
        assert len(head) == (4 if size < 65_536 else 10)
    assert (made.packed is None) == (size < PAYS_FROM)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "options",
    [
        {"compression": None},
        {},
        {"compression": None, "extensions": [ClientPerMessageDeflateFactory(server_max_window_bits=9)]},
    ],
    ids=["plain", "compressed", "small window"],
)
def test_every_client_reads_the_same(web: WebServer, redis: Redis, options: dict[str, Any]) -> None:
    """Small frames and large in turn: nothing of one may be needed to read the next."""
    board = boards.build()
    with client(web, **options) as spectator:
        spectator.follow(board.topic)
        for line in (*CREWS, *reversed(CREWS)):
            boards.tell_of(board, redis, [line])
            assert spectator.hear()["changes"] == [line]


@pytest.mark.django_db(transaction=True)
def test_another_protocol_class_serves_the_same(transactional_db: None, redis: Redis) -> None:
    """uvicorn started without `--ws`: slower, not wrong."""
    board = boards.build()
    with server.running(STOCK) as web, client(web) as spectator:
        spectator.follow(board.topic)
        for line in CREWS:
            boards.tell_of(board, redis, [line])
            assert spectator.hear()["changes"] == [line]
