"""Viewers of the map as cheap as can be: python -m benchmarks.live_watchers PORT COUNT EVENT [--single]

Each asks as our pages do (compressed, positions in batches; `--single`: one at a time, not compressed), and throws away
what it is sent, into memory that all share. One more, the witness, reads everything as a browser would: what it was
told, each was told, when nobody got fewer bytes than the others. Ends at SIGTERM with one JSON object.
"""

import asyncio
import json
import resource
import signal
import statistics
import struct
import sys
from dataclasses import dataclass
from typing import cast

import uvloop
from websockets.asyncio.client import ClientConnection, connect

from apps.common.priority import give_way

UPGRADE = (
    "GET /ws-live HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
DEFLATE = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
TEXT = 0x81
MASKED = 0x80
LONG = 126
NO_MASK = b"\0\0\0\0"  # of no effect, which the protocol allows a client that has nothing to hide
AT_ONCE = 50  # connections being made
HELD = memoryview(bytearray(1 << 18))


@dataclass(frozen=True, slots=True)
class Wish:
    """What every viewer asks for."""

    event: str
    single: bool

    @property
    def subscribe(self) -> str:
        return json.dumps({"type": "subscribe", "topic": f"event:{self.event}", "batch": not self.single})


class Watcher(asyncio.BufferedProtocol):
    """Shakes hands, subscribes, and counts bytes."""

    def __init__(self, wish: Wish) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.bytes = 0
        self.reads = 0
        self._wish = wish

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(f"{UPGRADE}{'' if self._wish.single else DEFLATE}\r\n".encode())

    def get_buffer(self, sizehint: int) -> memoryview:
        return HELD

    def buffer_updated(self, nbytes: int) -> None:
        self.bytes += nbytes
        self.reads += 1
        if self.reads == 1:
            self._ask(bytes(HELD[:nbytes]))
        elif self.reads == 2:
            self.answered.set_result(None)

    def _ask(self, answer: bytes) -> None:
        if b" 101 " not in answer:
            self.answered.set_exception(ConnectionError(answer.decode("latin1")))
            return
        text = self._wish.subscribe.encode()
        size = bytes([MASKED | len(text)]) if len(text) < LONG else b"\xfe" + struct.pack(">H", len(text))
        self._transport.write(bytes([TEXT]) + size + NO_MASK + text)

    def forget(self) -> None:
        """Count from now on."""
        self.bytes = 0
        self.reads = 2


async def watch(port: int, count: int, wish: Wish) -> None:
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    watchers = await _connect(port, count, wish)
    give_way(19)  # from here on: they stand for other machines
    compression = None if wish.single else "deflate"
    async with connect(f"ws://127.0.0.1:{port}/ws-live", compression=compression, max_size=None) as witness:
        await witness.send(wish.subscribe)
        await witness.recv()
        for watcher in watchers:
            watcher.forget()
        sys.stdout.write("watching\n")
        sys.stdout.flush()
        reading = asyncio.create_task(_read(witness))
        await over.wait()
        reading.cancel()
        [told] = await asyncio.gather(reading, return_exceptions=False)
    sys.stdout.write(json.dumps(_report(watchers, told)) + "\n")


async def _connect(port: int, count: int, wish: Wish) -> list[Watcher]:
    loop, made = asyncio.get_running_loop(), list[Watcher]()
    while len(made) < count:
        size = min(AT_ONCE, count - len(made))
        pairs = await asyncio.gather(
            *(loop.create_connection(lambda: Watcher(wish), "127.0.0.1", port) for _ in range(size))
        )
        made += [watcher for _, watcher in pairs]
        await asyncio.gather(*(watcher.answered for watcher in made[-size:]))
    return made


async def _read(witness: ClientConnection) -> int:
    """How many positions the witness was told until it is cancelled."""
    told = 0
    try:
        async for text in witness:
            frame = json.loads(text)
            told += len(frame.get("positions", [frame]))
    except asyncio.CancelledError:
        return told
    raise ConnectionError("the server hung up on the witness")


def _report(watchers: list[Watcher], told: int) -> dict[str, float]:
    got = [watcher.bytes for watcher in watchers]
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "positions": told,
        "bytes": sum(got),
        "reads": sum(watcher.reads - 2 for watcher in watchers),
        "least_served": round(min(got) / (statistics.median(got) or 1), 2),
        "cpu_s": used.ru_utime + used.ru_stime,
    }


if __name__ == "__main__":
    single = "--single" in sys.argv
    uvloop.run(watch(int(sys.argv[1]), int(sys.argv[2]), Wish(sys.argv[3], single)))
