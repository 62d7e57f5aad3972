"""How the pipeline stands, as Redis sees it: what waits, what is owed, who works, what was put aside."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import redis
from django.conf import settings

from apps.common import letters, stream


@dataclass(frozen=True, slots=True)
class Consumer:
    """One member of a group: messages in its hands, and ms since it last asked for any."""

    name: str
    pending: int
    idle_ms: int


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One stream and the group that works it off. None = not known, or not there yet.

    length            entries kept, worked off or not
    unread            entries the group has not been given yet; None while Redis cannot tell (after an XDEL)
    pending           entries handed out and not acknowledged
    oldest_pending_s  seconds since the oldest of those was added to the stream
    rate              records a second handed out
    """

    stream: str
    group: str
    exists: bool
    group_exists: bool
    length: int
    dead_letters: int
    unread: int | None = None
    pending: int | None = None
    oldest_pending_s: float | None = None
    rate: float | None = None
    consumers: tuple[Consumer, ...] = ()
    entries_read: int | None = None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def pipeline_status(client: redis.Redis, sample_s: float) -> list[StreamStatus]:
    """Every inbound stream and the scorer's one, measured over `sample_s` seconds; 0 measures no rate.

    The rate is what the group's `entries-read` grew by in between: records handed out for the first time, by all
    processes together. Records claimed from the dead do not count again. Raises redis.RedisError when Redis is away.
    """
    works = [(name, stream.PROCESSOR_GROUP) for name in stream.streams(settings.REDIS_TELEMETRY_STREAM)]
    works.append((stream.REQUESTS_STREAM, stream.SCORER_GROUP))
    if not sample_s:
        return [_look(client, *work) for work in works]
    before, began = [_read_count(client, *work) for work in works], time.monotonic()
    time.sleep(sample_s)
    after, seconds = [_look(client, *work) for work in works], time.monotonic() - began
    return [_with_rate(now, count, seconds) for count, now in zip(before, after, strict=True)]


def _with_rate(now: StreamStatus, before: int | None, seconds: float) -> StreamStatus:
    if before is None or now.entries_read is None:
        return now
    # A stream made anew in between has read less than before.
    return replace(now, rate=round(max(0, now.entries_read - before) / seconds, 1))


def _look(client: redis.Redis, name: str, group: str) -> StreamStatus:
    exists = bool(client.exists(name))
    info = stream.group_info(client, name, group)
    bare = StreamStatus(name, group, exists, info is not None, client.xlen(name), letters.count(client, [name]))
    if info is None:
        return bare
    return replace(
        bare,
        unread=info["lag"],
        pending=info["pending"],
        oldest_pending_s=_oldest(client, name, group),
        consumers=_consumers(client, name, group),
        entries_read=info["entries-read"],
    )


def _read_count(client: redis.Redis, name: str, group: str) -> int | None:
    info = stream.group_info(client, name, group)
    return info["entries-read"] if info else None


def _oldest(client: redis.Redis, name: str, group: str) -> float | None:
    """Age of the oldest pending entry by Redis's own clock, which has written its id."""
    first: Any = client.xpending(name, group)["min"]
    if first is None:
        return None
    now_s, micros = client.time()
    return round(max(0.0, now_s + micros / 1e6 - int(first.split(b"-")[0]) / 1000), 3)


def _consumers(client: redis.Redis, name: str, group: str) -> tuple[Consumer, ...]:
    rows: Sequence[Any] = client.xinfo_consumers(name, group)
    named = [Consumer(row["name"].decode(errors="backslashreplace"), row["pending"], row["idle"]) for row in rows]
    return tuple(sorted(named, key=lambda consumer: consumer.name))
