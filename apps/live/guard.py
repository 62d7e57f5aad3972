"""Looks again, every so often, whether those who listen still may: once for all sockets of a process."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

import structlog
from channels.db import database_sync_to_async
from django.db import Error

from apps.events.audience import Audience
from apps.live import services
from apps.live.identity import Identity
from apps.live.services import Right

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """A socket that follows topics."""

    identity: Identity

    @property
    def seats(self) -> Mapping[str, Audience]:
        """As whom it follows which topic."""
        ...

    def dismiss(self, code: int) -> None:
        """Close the socket."""
        ...

    async def reseat(self, topic: str, audience: Audience) -> None:
        """Go on with a topic as another audience."""
        ...


class Guard:
    """One for each process. It starts with the first socket."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None

    def enter(self, listener: Listener) -> None:
        self._listeners.add(listener)
        self._task = self._task or asyncio.create_task(self._watch())

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self._look()
            except Error as error:
                log.warning("rights not looked at", error=str(error))

    async def _look(self) -> None:
        rights = {Right(listener.identity, topic) for listener in self._listeners for topic in listener.seats}
        if not rights:
            return
        found = await database_sync_to_async(services.look, thread_sensitive=False)(rights)
        for listener in list(self._listeners):
            await _apply(listener, found)


async def _apply(listener: Listener, found: Mapping[Right, Audience | int]) -> None:
    held = {topic: found.get(Right(listener.identity, topic), as_) for topic, as_ in listener.seats.items()}
    codes = [now for now in held.values() if isinstance(now, int)]
    if codes:
        listener.dismiss(min(codes))
        return
    for topic, now in held.items():
        if isinstance(now, Audience) and listener.seats.get(topic) not in (None, now):
            await listener.reseat(topic, now)
