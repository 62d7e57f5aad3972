"""A webhook receiver on loopback, behind a network that can be told to fail."""

import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Got:
    """A request: its body, its headers by lower-case name, and what was answered."""

    body: bytes
    headers: dict[str, str]
    outcome: str

    @property
    def message(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """All requests in the order they came; `plan` says what happens to each: ok, 500, redirect, drop, lost or hang.

    `drop` cuts the line before the request is taken in, `lost` after it was: the answer is what gets lost.
    """

    plan: Callable[[], str] = lambda: "ok"
    got: list[Got] = field(default_factory=list)
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?a=1"

    def taken(self) -> list[Got]:
        """What the receiver has seen whole, answered well or not told the sender: duplicates among it."""
        with self.lock:
            return [one for one in self.got if one.outcome in ("ok", "lost")]


def flaky(seed: int) -> Callable[[], str]:
    """A network that loses about half of what it carries."""
    rng = random.Random(seed)
    return lambda: rng.choices(["ok", "500", "drop", "lost", "hang"], [10, 3, 3, 3, 1])[0]


@contextmanager
def receiving(plan: Callable[[], str] = lambda: "ok") -> Iterator[Receiver]:
    receiver = Receiver(plan)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # noqa: N802 - the name http.server calls
            with receiver.lock:
                outcome = receiver.plan()
            if outcome == "drop":
                return self.cut()
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            with receiver.lock:
                receiver.got.append(Got(body, headers, outcome))
            if outcome == "lost":
                return self.cut()
            if outcome == "hang":
                time.sleep(1.5)
                return self.cut()
            return self.answer({"ok": 204, "500": 500, "redirect": 302}[outcome])

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Location", f"http://127.0.0.1:{receiver.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def cut(self) -> None:
            """End with a reset, as when a line breaks."""
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        def finish(self) -> None:
            if not self.connection._closed:
                super().finish()

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
