"""The application under benchmarks/live.py: the real web process, and two other ways to tell everybody, beside it.

/ws-live   the hub, as in production
/bare      every socket in a set, the same encoded frame awaited on each: the limit of this server
/group     a consumer of Channels in a group, as its documentation has it
/drive     the benchmark says here what the last two send: {"way", "count", "frame"}; answered when it is sent
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from trm.asgi import http
from trm.sockets import sockets

# isort: split
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.layers import get_channel_layer
from channels.routing import ProtocolTypeRouter

Send = Callable[[dict[str, Any]], Awaitable[None]]
GROUP = "everybody"
EVERYBODY: set[Send] = set()


class Member(AsyncWebsocketConsumer):  # type: ignore[misc]  # Channels says no types
    """A viewer in the usual way."""

    async def connect(self) -> None:
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(GROUP, self.channel_name)

    async def told(self, event: dict[str, Any]) -> None:
        """A message to the group."""
        await self.send(text_data=event["text"])


async def bare(scope: Any, receive: Any, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    EVERYBODY.add(send)
    while (await receive())["type"] != "websocket.disconnect":
        pass
    EVERYBODY.discard(send)


async def drive(scope: Any, receive: Any, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] != "websocket.disconnect":
        order = json.loads(message["text"])
        for _ in range(order["count"]):
            await WAYS[order["way"]](order["frame"])
        await send({"type": "websocket.send", "text": "sent"})


async def tell_all(text: str) -> None:
    frame = {"type": "websocket.send", "text": text}
    for send in EVERYBODY:
        await send(frame)
    await asyncio.sleep(0)


async def tell_group(text: str) -> None:
    await get_channel_layer().group_send(GROUP, {"type": "told", "text": text})


WAYS = {"bare": tell_all, "group": tell_group}
ROUTES: dict[str, Any] = {"/bare": bare, "/group": Member.as_asgi(), "/drive": drive}


async def routed(scope: Any, receive: Any, send: Send) -> None:
    await ROUTES.get(scope["path"], sockets)(scope, receive, send)


application = ProtocolTypeRouter({"http": http, "websocket": routed})
