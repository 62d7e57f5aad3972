"""uvicorn's WebSocket protocol, which also takes frames that are bytes already: `--ws apps.live.wire_protocol:Wired`.

Under any other protocol class the channel works the same, slower: each socket then encodes for itself.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol

from apps.live.wire import WINDOW_BITS

EXTENSION = "trm.wire"  # in the scope: write(message) → False where it must be awaited by `send` instead


class Wired(WebSocketsSansIOProtocol):
    """A message with `wire` is written as it is."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.config.ws_per_message_deflate:
            # No context is kept: it costs memory for each socket, and frames could not be shared.
            factory = ServerPerMessageDeflateFactory(
                server_no_context_takeover=True,
                client_no_context_takeover=True,
                server_max_window_bits=WINDOW_BITS,
                client_max_window_bits=WINDOW_BITS,
            )
            logger = logging.getLogger("uvicorn.error")
            self.conn = ServerProtocol(extensions=[factory], max_size=self.config.ws_max_size, logger=logger)
        self._packs = False

    async def run_asgi(self) -> None:
        self._packs = any(_reads_ours(extension) for extension in self.conn.extensions)
        extensions: dict[str, Any] = {**self.scope["extensions"], EXTENSION: self.write}
        self.scope["extensions"] = extensions
        await super().run_asgi()

    def write(self, message: Mapping[str, Any]) -> bool:
        """Write a message now; False where the socket is full, closing or gone."""
        if not (self.writable.is_set() and self._is_open()):
            return False
        wire = message["wire"]
        self.transport.write(wire.packed if self._packs and wire.packed else wire.plain)
        return True

    async def send(self, message: Any) -> None:
        """Raises ClientDisconnected."""
        if "wire" not in message:
            await super().send(message)
            return
        while not self.write(message):
            if not self._is_open():
                raise ClientDisconnected
            await self.writable.wait()
            await asyncio.sleep(0)

    def _is_open(self) -> bool:
        return self.handshake_complete and not self.close_sent and not self.transport.is_closing()


def _reads_ours(extension: Any) -> bool:
    return isinstance(extension, PerMessageDeflate) and extension.local_max_window_bits >= WINDOW_BITS
