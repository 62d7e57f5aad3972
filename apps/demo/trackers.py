"""Stands for an ingestion that holds the sockets of the demo's trackers: takes commands, and answers for them.

As the contract has it (`docs/commands.md`): registry, heartbeat, a stream of commands to it, one of answers.
"""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import redis

from apps.commands.dispatcher import REGISTRY, RESPONSES
from apps.demo.domain.answers import answer

INSTANCE = "demo"
HEARTBEAT = f"instance:heartbeat:{INSTANCE}"
OUTBOUND = f"commands:outbound:{INSTANCE}"
BEAT_EVERY_S, LIVES_S = 30.0, 90
LOOK_EVERY_S = 0.5


class Trackers:
    """Holds every tracker from `hold` on until `leave`; `look` is called often and does little."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._beat_at = self._look_at = 0.0
        self._last: Any = "0"

    def hold(self, imeis: Iterable[str]) -> None:
        self._client.delete(OUTBOUND)  # an earlier demo's
        self._client.hset(REGISTRY, mapping=dict.fromkeys(imeis, INSTANCE))

    def look(self) -> None:
        """Show that it lives, and answer what was said since the last look."""
        now = time.monotonic()
        if now >= self._beat_at:
            self._beat_at = now + BEAT_EVERY_S
            self._client.set(HEARTBEAT, 1, ex=LIVES_S)
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._answer()

    def leave(self) -> None:
        self._client.delete(HEARTBEAT, OUTBOUND)

    def _answer(self) -> None:
        found: Any = self._client.xread({OUTBOUND: self._last}, count=100)
        for _stream, messages in found:
            for self._last, fields in messages:
                self._take({name.decode(): value.decode() for name, value in fields.items()})

    def _take(self, command: dict[str, str]) -> None:
        """Too late is not sent on; the rest was delivered at once, and is answered at once."""
        now = datetime.now(UTC)
        if int(command["expires_at"]) < now.timestamp() * 1000:
            return
        said = answer(command["text"], command["imei"], now)
        self._say(command["id"], "delivered")
        if said is not None:
            self._say(command["id"], "responded", said)

    def _say(self, id: str, status: str, response: str = "") -> None:
        self._client.xadd(RESPONSES, {"id": id, "status": status, "response": response})
