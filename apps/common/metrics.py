"""The HTTP server of a command: /metrics, /healthz and /readyz on the loopback address (contracts §5)."""

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

TEXT = "text/plain; charset=utf-8"
PULSE_SECONDS = 30


class MetricsPortError(Exception):
    """METRICS_PORT cannot be opened."""


class Pulse:
    """The loop calls `beat` each time round; /healthz fails when it has not for half a minute."""

    def __init__(self) -> None:
        self.beat()

    def beat(self) -> None:
        self._last = time.monotonic()

    def is_beating(self) -> bool:
        return time.monotonic() - self._last < PULSE_SECONDS


class MetricsServer(ThreadingHTTPServer):
    """Answers in threads of its own until `close`; `port` is where."""

    daemon_threads = True

    def __init__(self, port: int, *, alive: Callable[[], bool], not_ready: Callable[[], str]) -> None:
        self.alive = alive
        self.not_ready = not_ready
        super().__init__(("127.0.0.1", port), _Handler)
        self.port = self.server_port
        threading.Thread(target=self.serve_forever, name="metrics", daemon=True).start()

    def close(self) -> None:
        """Stop answering and free the port."""
        self.shutdown()
        self.server_close()


def serve(port: int, *, alive: Callable[[], bool], not_ready: Callable[[], str]) -> MetricsServer | None:
    """Start the server on `port`; 0 means none. Raises MetricsPortError when the port is taken.

    `alive` says whether the loop runs (Pulse.is_beating), `not_ready` why it cannot work (health.not_ready).
    """
    if port == 0:
        return None
    try:
        return MetricsServer(port, alive=alive, not_ready=not_ready)
    except OSError as error:
        raise MetricsPortError(
            f"METRICS_PORT={port} cannot be opened ({error.strerror}): each process needs its own, 0 = none"
        ) from error


class _Handler(BaseHTTPRequestHandler):
    server: MetricsServer

    def do_GET(self) -> None:  # noqa: N802 - the name http.server calls
        answer = {"/metrics": self._metrics, "/healthz": self._health, "/readyz": self._readiness}.get(
            self.path.partition("?")[0]
        )
        if answer is None:
            self.send_error(404)
        else:
            answer()

    def _metrics(self) -> None:
        self._send(200, generate_latest(REGISTRY), CONTENT_TYPE_LATEST)

    def _health(self) -> None:
        alive = self.server.alive()
        self._send(200 if alive else 503, b"ok\n" if alive else b"the loop stands still\n")

    def _readiness(self) -> None:
        reason = self.server.not_ready()
        self._send(503 if reason else 200, f"{reason or 'ok'}\n".encode())

    def _send(self, status: int, body: bytes, content_type: str = TEXT) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a line for every probe would bury the log."""
