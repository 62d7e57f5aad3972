"""The WebSocket `/ws-live` (contracts §4): one conversation for each socket."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from channels.db import database_sync_to_async
from django.db import Error

from apps.accounts.rights import AnyUser
from apps.events.audience import Audience
from apps.live import metrics, protocol
from apps.live.guard import Guard
from apps.live.identity import SUBPROTOCOL, Identity
from apps.live.protocol import Code, Fault, Request
from apps.live.seating import Rooms, Wish
from apps.live.services import admit
from apps.live.viewer import Send, Viewer

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

BURST = 30  # requests at once
PER_SECOND = 5.0  # requests in the long run
MOST_TOPICS = 50


class LiveSocket:
    """The ASGI application behind the origin check and `Identified`, which says who is there."""

    def __init__(self, rooms: Rooms, guard: Guard) -> None:
        self._rooms = rooms
        self._guard = guard

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        chosen = SUBPROTOCOL if SUBPROTOCOL in scope.get("subprotocols", ()) else None
        await send({"type": "websocket.accept", "subprotocol": chosen})
        viewer = Viewer(send, scope.get("extensions", {}).get("trm.wire"))
        conversation = Conversation(self._rooms, viewer, scope)
        self._guard.enter(conversation)
        with metrics.CONNECTIONS.track_inprogress():
            try:
                await conversation.run(receive)
            finally:
                self._guard.leave(conversation)


class Conversation:
    """What one client asks, in order."""

    def __init__(self, rooms: Rooms, viewer: Viewer, scope: Mapping[str, Any]) -> None:
        self.identity: Identity = scope["identity"]
        self._wishes: dict[str, Wish] = {}
        self._user: AnyUser = scope["user"]
        self._rooms = rooms
        self._viewer = viewer
        self._allowance = Allowance()

    @property
    def seats(self) -> Mapping[str, Audience]:
        return {topic: wish.audience for topic, wish in self._wishes.items()}

    async def run(self, receive: Receive) -> None:
        """Until the socket is closed."""
        writer = asyncio.create_task(self._viewer.run())
        try:
            while (message := await receive())["type"] == "websocket.receive":
                metrics.MESSAGES.received += 1
                await self._answer(message.get("text"))
        finally:
            self._leave_all()
            writer.cancel()
            with suppress(asyncio.CancelledError, OSError):  # OSError: the client went while it was written to
                await writer

    def dismiss(self, code: int) -> None:
        self._leave_all()
        self._viewer.reply(protocol.close(code))

    async def reseat(self, topic: str, audience: Audience) -> None:
        wish = replace(self._wishes[topic], audience=audience, id=None, since=None)
        self._leave(topic)
        await self._enter(wish)

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
            self._leave(topic.name)
            self._viewer.reply(protocol.frame("unsubscribed", topic=topic.name, id=request.id))
            return
        if len(self._wishes) >= MOST_TOPICS and topic.name not in self._wishes:
            raise Fault(Code.RATE_LIMITED, f"at most {MOST_TOPICS} topics on one socket")
        audience = await self._admit(topic)
        wish = Wish(topic, audience, request.id, request.since, request.batch)
        held = self._wishes.get(topic.name)
        if held and held.hearing != wish.hearing:
            self._leave(topic.name)
        await self._enter(wish)

    async def _enter(self, wish: Wish) -> None:
        self._wishes[wish.topic.name] = wish
        await self._rooms.enter(self._viewer, wish)

    def _leave(self, topic: str) -> None:
        wish = self._wishes.pop(topic, None)
        if wish is not None:
            self._rooms.leave(self._viewer, wish)

    def _leave_all(self) -> None:
        for topic in list(self._wishes):
            self._leave(topic)

    async def _admit(self, topic: protocol.Topic) -> Audience:
        try:
            audience: Audience = await database_sync_to_async(admit, thread_sensitive=False)(self._user, topic)
        except Error as error:
            raise Fault(Code.ERROR, "the database does not answer, try again") from error
        return audience


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
