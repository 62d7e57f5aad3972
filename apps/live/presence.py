"""A live process among the others: its group on the telemetry stream, its heartbeat, and the groups of the dead.

instance:heartbeat:<instance>     while the process lives, 90 s
<prefix>-<instance>               group of each telemetry stream; one whose heartbeat is gone is destroyed
"""

import os
import socket
import time
from dataclasses import dataclass
from typing import Any

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

HEARTBEAT = "instance:heartbeat:"
HEARTBEAT_S = 30
EXPIRES_S = 90


def instance() -> str:
    """A name no other web process has: INSTANCE_ID may be the same for several workers of one machine."""
    return f"{settings.INSTANCE_ID}-{socket.gethostname()}-{os.getpid()}"


@dataclass(frozen=True, slots=True)
class Broadcast:
    """Where positions come from. The group (`<prefix>-<instance>`) must be this process's alone."""

    redis_url: str
    streams: tuple[str, ...]
    prefix: str
    instance: str

    @property
    def group(self) -> str:
        return f"{self.prefix}-{self.instance}"


class Presence:
    """Shows every half minute that this process lives, and sweeps up after those that do not."""

    def __init__(self, client: Any, broadcast: Broadcast) -> None:
        self._client = client
        self._from = broadcast
        self._next = 0.0

    async def begin(self) -> None:
        """Before the group is made: without a heartbeat another process would take it for a dead one's."""
        await self._client.set(HEARTBEAT + self._from.instance, int(time.time()), ex=EXPIRES_S)

    async def show(self) -> None:
        """Call it often: it acts when it is time."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + HEARTBEAT_S
        await self.begin()
        for stream in self._from.streams:
            await self._sweep(stream)

    async def _sweep(self, stream: str) -> None:
        beginning = f"{self._from.prefix}-"
        for info in await self._client.xinfo_groups(stream):
            group = info["name"].decode()
            if group.startswith(beginning) and not await self._lives(group.removeprefix(beginning)):
                await self._client.xgroup_destroy(stream, group)
                log.info("group of a dead process removed", stream=stream, group=group)

    async def _lives(self, instance: str) -> bool:
        return bool(await self._client.exists(HEARTBEAT + instance))
