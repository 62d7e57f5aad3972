"""The web server of a live process: uvicorn, ended so that thousands of viewers do not come back at one instant."""

import asyncio
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Any

import uvicorn
from django.conf import settings

MAX_SIZE = 65_536  # bytes; clients say little
GRACE_S = 10
STEP_S = 0.1


class LiveServer(uvicorn.Server):
    """Runs until SIGTERM or SIGINT; then it closes the sockets with 1012 (service restart), spread over `drain_s`."""

    def __init__(self, config: uvicorn.Config, drain_s: float) -> None:
        super().__init__(config)
        self._drain_s = drain_s

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """An end in order is no failure: uvicorn would raise the signal again after it."""
        self.force_exit = self.force_exit or (self.should_exit and sig == signal.SIGINT)
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._drain()
        await super().shutdown(sockets)

    async def _drain(self) -> None:
        connections = list(self.server_state.connections)
        steps = max(1, round(self._drain_s / STEP_S)) if connections else 0
        for step in range(steps):
            for connection in connections[step::steps]:
                if connection in self.server_state.connections:
                    connection.shutdown()
            if not self.force_exit:
                await asyncio.sleep(STEP_S)


def configured(application: Any, beat: Callable[[], None]) -> uvicorn.Config:
    """How a live process serves an ASGI application; `beat` is called each second its loop runs."""

    async def notify() -> None:
        beat()

    return uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        ws="apps.live.wire_protocol:Wired",
        ws_ping_interval=settings.LIVE_PING_INTERVAL_MS / 1000,
        ws_max_size=MAX_SIZE,
        timeout_graceful_shutdown=GRACE_S,
        callback_notify=notify,
        timeout_notify=1,
    )


def listen(host: str, port: int) -> socket.socket:
    """Several processes may listen on one address: the kernel spreads the connections over them.

    Raises OSError when the address is not ours, or taken by somebody who does not share it.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
