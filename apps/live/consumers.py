"""The WebSocket `/ws-live` (contracts §4): one conversation for each socket."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth.models import AnonymousUser
from django.db import Error

from apps.accounts.models import User
from apps.live import metrics, protocol
from apps.live.guard import Guard
from apps.live.hub import Hub
from apps.live.positions import Positions
from apps.live.protocol import Code, Fault, Request, Topic
from apps.live.services import admit
from apps.live.viewer import Send, Viewer

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

BURST = 30  # requests at once
PER_SECOND = 5.0  # requests in the long run
MOST_TOPICS = 50


@dataclass(frozen=True, slots=True)
class Rooms:
    """What can be followed in this process."""

    boards: Hub
    positions: Positions

    def leave(self, viewer: Viewer, topic: Topic) -> None:
        if topic.is_positions:
            self.positions.leave(viewer, topic.event)
        else:
            self.boards.leave(viewer, topic.name)


class LiveSocket:
    """The ASGI application behind the origin check and the session; `scope["user"]` says who is there."""

    def __init__(self, hub: Hub, positions: Positions, guard: Guard) -> None:
        self._rooms = Rooms(hub, positions)
        self._guard = guard

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        await send({"type": "websocket.accept"})
        viewer = Viewer(send)
        writer = asyncio.create_task(viewer.run(self._rooms.boards.snapshot))
        self._guard.enter(viewer, scope)
        with metrics.CONNECTIONS.track_inprogress():
            try:
                await Conversation(self._rooms, viewer, scope["user"]).run(receive)
            finally:
                await self._end(viewer, writer)

    async def _end(self, viewer: Viewer, writer: asyncio.Task[None]) -> None:
        self._guard.leave(viewer)
        for topic in viewer.topics:
            self._rooms.leave(viewer, protocol.topic(topic))
        writer.cancel()
        with suppress(asyncio.CancelledError, OSError):  # OSError: the client went while it was written to
            await writer


class Conversation:
    """What one client asks, in order."""

    def __init__(self, rooms: Rooms, viewer: Viewer, user: User | AnonymousUser) -> None:
        self._rooms = rooms
        self._viewer = viewer
        self._user = user
        self._allowance = Allowance()

    async def run(self, receive: Receive) -> None:
        """Until the socket is closed."""
        while (message := await receive())["type"] == "websocket.receive":
            metrics.RECEIVED.inc()
            await self._answer(message.get("text"))

    async def _answer(self, text: str | None) -> None:
        request: Request | None = None
        try:
            request = protocol.parse(text)
            self._allowance.take()
            await self._act(request)
        except Fault as fault:
            topic, id = (request.topic, request.id) if request else (None, None)
            self._viewer.reply(protocol.error(fault, topic, id))

    async def _act(self, request: Request) -> None:
        topic = protocol.topic(request.topic)
        if request.type == "unsubscribe":
            self._viewer.unfollow(topic.name)
            self._rooms.leave(self._viewer, topic)
            self._viewer.reply(protocol.frame("unsubscribed", topic=topic.name, id=request.id))
            return
        if len(self._viewer.topics) >= MOST_TOPICS and topic.name not in self._viewer.topics:
            raise Fault(Code.RATE_LIMITED, f"at most {MOST_TOPICS} topics on one socket")
        await self._admit(topic)
        if topic.is_positions:
            await self._watch(topic, request.id)
            return
        self._viewer.follow(topic.name, protocol.frame("subscribed", topic=topic.name, id=request.id))
        self._rooms.boards.join(self._viewer, topic.name)

    async def _watch(self, topic: Topic, id: str | None) -> None:
        self._viewer.watch(topic.name)
        snapshot = await self._rooms.positions.join(self._viewer, topic.event, known=self._user.is_authenticated)
        answer = protocol.frame("subscribed", topic=topic.name, id=id, snapshot=snapshot)
        self._viewer.release(topic.name, answer)

    async def _admit(self, topic: Topic) -> None:
        try:
            await database_sync_to_async(admit, thread_sensitive=False)(self._user, topic)
        except Error as error:
            raise Fault(Code.ERROR, "the database does not answer, try again") from error


class Allowance:
    """So many requests at once, and so many a second in the long run."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = time.monotonic()

    def take(self) -> None:
        """Raises Fault with `rate-limited` when there is none left."""
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            raise Fault(Code.RATE_LIMITED, f"at most {PER_SECOND:g} requests a second")
        self._left -= 1
