"""Looks again, every so often, whether those who listen still may: once for all sockets of a process."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from channels.db import database_sync_to_async
from django.db import Error

from apps.live import protocol, services
from apps.live.services import Right
from apps.live.viewer import Viewer

log = structlog.get_logger(__name__)


class Guard:
    """One for each process. It starts with the first viewer."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._sessions: dict[Viewer, str | None] = {}
        self._task: asyncio.Task[None] | None = None

    def enter(self, viewer: Viewer, scope: Mapping[str, Any]) -> None:
        known = scope["user"].is_authenticated
        self._sessions[viewer] = scope["session"].session_key if known else None
        self._task = self._task or asyncio.create_task(self._watch())

    def leave(self, viewer: Viewer) -> None:
        del self._sessions[viewer]

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._period_s)
            try:
                await self._look()
            except Error as error:
                log.warning("rights not looked at", error=str(error))

    async def _look(self) -> None:
        held = {viewer: _rights(viewer, session) for viewer, session in self._sessions.items()}
        rights = {right for of_one in held.values() for right in of_one}
        if not rights:
            return
        lost = await database_sync_to_async(services.lost, thread_sensitive=False)(rights)
        for viewer, of_one in held.items():
            codes = [lost[right] for right in of_one if right in lost]
            if codes:
                viewer.reply(protocol.close(min(codes)))


def _rights(viewer: Viewer, session: str | None) -> set[Right]:
    return {Right(session, protocol.topic(topic).event) for topic in viewer.topics}
