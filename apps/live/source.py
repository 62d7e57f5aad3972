"""Where the hub has its news from: PostgreSQL for the truth, Redis only to be woken early."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import ParamSpec, Protocol, TypeVar

import redis
import structlog
from channels.db import database_sync_to_async
from django.db import Error
from redis import asyncio as async_redis

from apps.common.stream import OUTBOX_CHANNEL
from apps.live import queries
from apps.live.queries import Change
from apps.scoring.queries import BoardLine
from apps.scoring.released import View, released_board

log = structlog.get_logger(__name__)

RECONNECT_S = 1.0
P = ParamSpec("P")
R = TypeVar("R")
Board = tuple[int, list[BoardLine]]


class SourceError(Exception):
    """The database does not answer now; ask again later."""


class Source(Protocol):
    async def board(self, view: View) -> Board:
        """Number and lines of a board, of one instant. Raises SourceError."""
        ...

    async def after(self, sent: Mapping[View, int]) -> list[Change]:
        """What followed these numbers, in order. Raises SourceError."""
        ...

    def wakes(self) -> AsyncIterator[str]:
        """Topics that may have news, for ever; some may be lost."""
        ...


async def from_database(read: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """`read(...)` on a thread of its own. Raises SourceError.

    On Django's one thread a slow read would hold up every login and session.
    """
    try:
        answer: R = await database_sync_to_async(read, thread_sensitive=False)(*arguments, **named)
    except Error as error:
        raise SourceError(str(error)) from error
    return answer


class DatabaseSource:
    """The outbox and boards of this database, and one Redis subscription."""

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url

    async def board(self, view: View) -> Board:
        return await from_database(released_board, view)

    async def after(self, sent: Mapping[View, int]) -> list[Change]:
        return await from_database(queries.changes_after, sent)

    async def wakes(self) -> AsyncIterator[str]:
        while True:
            try:
                async for topic in self._subscription():
                    yield topic
            except (redis.RedisError, OSError) as error:
                log.warning("no wakes from Redis, polling only", error=str(error))
            await asyncio.sleep(RECONNECT_S)

    async def _subscription(self) -> AsyncIterator[str]:
        # Without socket_timeout=None redis-py gives up on a silent subscription after 5 s.
        client = async_redis.Redis.from_url(self._redis_url, socket_timeout=None, socket_connect_timeout=5)
        async with client, client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(OUTBOX_CHANNEL)
            async for message in pubsub.listen():
                yield message["data"].decode()
