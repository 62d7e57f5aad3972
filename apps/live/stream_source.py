"""Positions from the telemetry stream and the database, for the live map."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import redis
import structlog
from redis import asyncio as async_redis
from redis.exceptions import ResponseError

from apps.common.position import DecodeError, Position, decode
from apps.live import queries
from apps.live.presence import Broadcast, Presence
from apps.live.queries import Carried, LastFix
from apps.live.source import RECONNECT_S, from_database
from apps.scoring.released import running_entries

log = structlog.get_logger(__name__)

COUNT = 1000
BLOCK_MS = 1000
SOCKET_TIMEOUT_S = 10.0  # longer than the block: redis-py would retry silently


class StreamSource:
    """Every record of the stream from now on: the past is in the database."""

    def __init__(self, broadcast: Broadcast) -> None:
        self._from = broadcast

    async def carried(self, events: Sequence[str]) -> list[Carried]:
        return await from_database(queries.carried, events)

    async def last_fixes(self, event: str, horizon: int) -> list[LastFix]:
        return await from_database(queries.last_fixes, event, horizon)

    async def running(self, event: str) -> frozenset[str]:
        return await from_database(running_entries, event)

    async def arriving(self) -> AsyncIterator[list[Position]]:
        while True:
            try:
                async for batch in self._records():
                    yield batch
            except (redis.RedisError, OSError) as error:
                log.warning("no positions from Redis", error=str(error))
            await asyncio.sleep(RECONNECT_S)

    async def _records(self) -> AsyncIterator[list[Position]]:
        # RESP2: its answer is one list of streams, whatever redis-py makes of RESP3.
        client = async_redis.Redis.from_url(
            self._from.redis_url, protocol=2, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=5
        )
        async with client:
            presence = Presence(client, self._from)
            await presence.begin()
            await self._begin_now(client)
            while True:
                await presence.show()
                yield _decoded(await self._read(client))

    async def _begin_now(self, client: Any) -> None:
        for stream in self._from.streams:
            try:
                await client.xgroup_create(stream, self._from.group, id="$", mkstream=True)
            except ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise
                await client.xgroup_setid(stream, self._from.group, id="$")

    async def _read(self, client: Any) -> list[dict[bytes, bytes]]:
        # noack is "acknowledged at once": a position nobody saw is not worth keeping.
        reply = await client.xreadgroup(
            self._from.group, "web", dict.fromkeys(self._from.streams, ">"), count=COUNT, block=BLOCK_MS, noack=True
        )
        return [fields for _, records in reply or () for _, fields in records]


def _decoded(records: list[dict[bytes, bytes]]) -> list[Position]:
    """What can be read; the processor reports what cannot."""
    found = []
    for fields in records:
        try:
            found.append(decode(fields))
        except DecodeError:
            continue
    return found
