"""Viewers as cheap as can be: sockets that count the raw frames they are sent."""

import asyncio
import base64
import os
import re
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

MASK = b"\0\0\0\0"  # of no effect, which the protocol allows a client that has nothing to hide
SHORT, TEXT, FINAL = 126, 1, 0x80
# One of each position's frame; a client that took frames apart in Python would be slower than the server.
INSTANT = re.compile(rb'"ts":(\d{13})')
CUT = 17  # the most of it that may end a read


@dataclass
class Tally:
    """What all viewers together were sent, and when (perf_counter); `take` is given the instants of each read."""

    frames: int = 0
    first: float = 0.0
    last: float = 0.0
    take: Callable[[list[bytes]], None] | None = None
    sample: bytes = b""

    def reset(self, take: Callable[[list[bytes]], None] | None = None) -> None:
        self.frames, self.first, self.last, self.take = 0, 0.0, 0.0, take

    def add(self, instants: list[bytes]) -> None:
        self.frames += len(instants)
        self.last = time.perf_counter()
        self.first = self.first or self.last
        if self.take:
            self.take(instants)


class Spectator(asyncio.Protocol):
    """Shakes hands, subscribes where there is a request, then counts."""

    def __init__(self, tally: Tally, path: str, request: str) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._tally = tally
        self._path = path
        self._request = request
        self._rest = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        if self.ready.done():
            self._count(data)
        elif self._open:
            self._rest = b""
            self.ready.set_result(None)  # the answer to the request
        else:
            self._begin(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError("the server hung up"))

    def say(self, text: str) -> None:
        data = text.encode()
        size = bytes([0x80 | len(data)]) if len(data) < SHORT else b"\xfe" + struct.pack(">H", len(data))
        self.transport.write(bytes([FINAL | TEXT]) + size + MASK + data)

    def _begin(self, data: bytes) -> None:
        head, end, _ = data.partition(b"\r\n\r\n")
        self._rest = b"" if end else data
        if not end:
            return
        if b" 101 " not in head:
            self.ready.set_exception(ConnectionError(head.decode("latin1")))
            return
        self._open = True
        if self._request:
            self.say(self._request)
        else:
            self.ready.set_result(None)

    def _count(self, data: bytes) -> None:
        instants = INSTANT.findall(data)
        self._rest = data[max(data.rfind(b'"ts"') + 1, len(data) - CUT) :] if instants else data[-CUT:]
        if instants:
            self._tally.sample = self._tally.sample or data
            self._tally.add(instants)


async def connect(port: int, count: int, path: str, tally: Tally, request: str = "") -> Sequence[Spectator]:
    """`count` viewers, each answered; fifty at a time."""
    loop = asyncio.get_running_loop()
    made: list[Spectator] = []
    while len(made) < count:
        size = min(50, count - len(made))
        pairs = await asyncio.gather(
            *(loop.create_connection(lambda: Spectator(tally, path, request), "127.0.0.1", port) for _ in range(size))
        )
        await asyncio.gather(*(spectator.ready for _, spectator in pairs))
        made += [spectator for _, spectator in pairs]
    return made


async def still(tally: Tally, expected: int, idle_s: float = 3.0) -> None:
    """Until all are there, or nothing has come for a while."""
    frames, since = -1, time.perf_counter()
    while tally.frames < expected and time.perf_counter() - since < idle_s:
        if tally.frames != frames:
            frames, since = tally.frames, time.perf_counter()
        await asyncio.sleep(0.02)
