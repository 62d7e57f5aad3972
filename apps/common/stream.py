"""The Redis streams TRM lives on, and the one place that knows their names (contracts §1).

    settings.REDIS_TELEMETRY_STREAM   inbound positions, one or several streams, comma-separated
        group processor               durable write
    <stream>:dlq                      dead letters: original fields, error, failed_at, deliveries, origin_id
    recompute:requests                all work of the scorer
        group scorer
    domain:events                 what happened (apps/integrations): id, type, event_id, entry_id, payload
    live:outbox                       pub/sub channel: a topic with news in the outbox

Over several streams each device keeps to one, so that its records stay in order and one process writes it:

    streams[crc32(IMEI in UTF-8) mod number of streams], in the order of the setting

CRC-32 is the one of zlib, PNG and Ethernet, so that any producer can do the same: crc32("356307042441013") is
2372110574. Changing the number of streams moves devices; what the old streams hold is still read, and stored once.

redis-py sets a socket timeout of its own, and retries silently on it: every connection here says its own, longer
than the longest block, and repeats nothing. Only the caller knows what may be done twice.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from zlib import crc32

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

from apps.common.position import Position, encode

PROCESSOR_GROUP = "processor"
REQUESTS_STREAM = "recompute:requests"
SCORER_GROUP = "scorer"
DOMAIN_EVENTS = "domain:events"
OUTBOX_CHANNEL = "live:outbox"
MOST_KEPT = 1_000_000
MOST_COUNTED = 1000
SOCKET_TIMEOUT_S = 10.0  # READ_BLOCK_MS is at most 4000

# Remove a consumer that owes nothing, in one act: removing one that has work in its hands would lose that work.
LEAVE = """
    if #redis.call('xpending', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
        redis.call('xgroup', 'delconsumer', KEYS[1], ARGV[1], ARGV[2])
    end
"""

# Store a dead letter, then acknowledge its message. Not in two acts: a crash between them would write the letter
# twice. Not by MULTI: that acknowledges even when the letter was refused. And only while the message is pending: a
# slow consumer may hold what another has taken over and put aside meanwhile. (What was trimmed away is pending no
# more once it has been handed out, and is handed out once.)
PUT_ASIDE = """
    local trimmed = ARGV[3] == 'trimmed'
    if trimmed or #redis.call('xpending', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1) > 0 then
        redis.call('xadd', KEYS[2], '*', unpack(ARGV, 4))
        redis.call('xack', KEYS[1], ARGV[1], ARGV[2])
    end
"""

# Answers of a server that will be itself again: a replica, one whose disk or replicas are away, one that came back
# without its data. Whoever is told so begins anew, and makes the group again.
NOT_NOW = ("UNBLOCKED", "MISCONF", "NOREPLICAS", "MASTERDOWN", "NOGROUP")

Fields = dict[bytes, bytes]


class Message(msgspec.Struct, frozen=True):
    """One stream entry. `deliveries` counts how often it was handed out, this time included.

    `fields` is empty when the stream was trimmed over the entry before it was worked off.
    """

    id: bytes
    fields: Fields
    deliveries: int = 1


class Client(redis.Redis):
    """Raises redis.ConnectionError where redis-py has only a ResponseError for a server that is not itself."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if str(error).startswith(NOT_NOW):
                raise redis.ConnectionError(str(error)) from error
            raise


def connect(url: str) -> redis.Redis:
    """A client whose socket timeout is longer than any block it is used with. Threads may share it."""
    return Client.from_url(url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=5, retry=Retry(NoBackoff(), 0))


def streams(setting: str) -> list[str]:
    """The stream names of REDIS_TELEMETRY_STREAM."""
    return [name.strip() for name in setting.split(",") if name.strip()]


def shard(device_id: str, streams: Sequence[str]) -> str:
    """The one of these streams that takes the records of a device: the same in every producer, see above."""
    return streams[crc32(device_id.encode()) % len(streams)]


def send(client: redis.Redis, setting: str, positions: Iterable[Position]) -> int:
    """Add positions to the streams of a setting, each to its device's one, in one round trip; how many."""
    names = streams(setting)
    pipe = client.pipeline(transaction=False)
    for position in positions:
        pipe.xadd(shard(position.device_id, names), cast(Any, encode(position)), maxlen=MOST_KEPT, approximate=True)
    return len(pipe.execute())


def announce(client: redis.Redis, windows: Sequence[tuple[str, int, int]]) -> None:
    """Tell the scorer which windows (device, from ms, to ms) a committed batch has written."""
    fields = {"reason": "fixes", "windows": msgspec.json.encode(windows).decode()}
    client.xadd(REQUESTS_STREAM, cast(Any, fields), maxlen=MOST_KEPT, approximate=True)


def request(client: redis.Redis, reason: str, **names: str) -> None:
    """Ask the scorer for work, e.g. request(client, "course", event_id=…)."""
    fields = {"reason": reason, **names}
    client.xadd(REQUESTS_STREAM, cast(Any, fields), maxlen=MOST_KEPT, approximate=True)


def tell(client: redis.Redis, topics: Iterable[str]) -> None:
    """Tell the live processes which topics have news in the outbox; what they miss they find there."""
    for topic in dict.fromkeys(topics):
        client.publish(OUTBOX_CHANNEL, topic)


def dead_letters(stream: str) -> str:
    """The stream that takes what another one could not work off."""
    return f"{stream}:dlq"


def entries(client: redis.Redis, stream: str) -> list[Message]:
    """All entries of a stream, dead letters for example, oldest first."""
    rows: Any = client.xrange(stream)
    return [Message(id, fields) for id, fields in rows]


class Group:
    """One consumer of a group on one stream."""

    def __init__(self, client: redis.Redis, stream: str, group: str, consumer: str) -> None:
        self.client = client
        self.stream = stream
        self.group = group
        self.consumer = consumer

    def ensure(self) -> None:
        """Make stream and group, from the stream's beginning: what came before the first start counts too."""
        try:
            self.client.xgroup_create(self.stream, self.group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    def read(self, count: int, block_ms: int) -> list[Message]:
        """New messages, or none after `block_ms`. Raises redis.ConnectionError when Redis has forgotten the group."""
        return self._read(b">", count, block_ms)

    def read_own(self, count: int, after: bytes = b"0") -> list[Message]:
        """The oldest messages after an id that this consumer took in an earlier life and has not acknowledged."""
        return self._counted(self._read(after, count, None))

    def claim_idle(self, min_idle_ms: int, count: int) -> list[Message]:
        """Messages another consumer took and has not acknowledged for so long: it is taken for dead."""
        start: Any = b"0-0"
        while True:
            # One call looks at 10 times `count` messages at most: the idle ones may lie behind those.
            start, claimed, *trimmed = self.client.xautoclaim(
                self.stream, self.group, self.consumer, min_idle_ms, start_id=start, count=count
            )
            found = self._counted([Message(id, fields or {}) for id, fields in claimed])
            found += [Message(id, {}) for id in (trimmed[0] if trimmed else ())]
            if found or start == b"0-0":
                return found

    def ack(self, ids: Sequence[bytes]) -> int:
        return int(self.client.xack(self.stream, self.group, *ids)) if ids else 0

    def dead_letter(self, message: Message, error: str) -> None:
        """Put the message aside with all it had and why, then acknowledge it."""
        letter: dict[bytes, Any] = {
            **_foldable(message.fields),
            b"error": error,
            b"failed_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            b"deliveries": message.deliveries,
            b"origin_id": message.id,
        }
        parts = [part for pair in letter.items() for part in pair]
        state = "whole" if message.fields else "trimmed"
        keys = (self.stream, dead_letters(self.stream))
        self.client.eval(PUT_ASIDE, 2, *keys, self.group, cast(Any, message.id), state, *parts)

    def lag(self) -> int:
        """Messages not yet acknowledged: unread and pending. 0 without the group: there is nothing to read for it."""
        info = group_info(self.client, self.stream, self.group)
        return _unread(self.client, self.stream, info) + int(info["pending"]) if info else 0

    def leave(self) -> None:
        """Remove this consumer if it owes nothing: a tidy group shows who really works."""
        self.client.eval(LEAVE, 1, self.stream, self.group, self.consumer)

    def _read(self, start: bytes, count: int, block_ms: int | None) -> list[Message]:
        block = () if block_ms is None else ("BLOCK", block_ms)
        # Under this name redis-py hands the reply over as it came: taking it apart here costs a third of the time.
        ask: Any = self.client.execute_command
        reply = ask(
            "XREADGROUP GROUP", self.group, self.consumer, "COUNT", count, *block, "STREAMS", self.stream, start
        )
        # RESP3 answers with a dictionary of streams, RESP2 with a list of pairs.
        parts = reply.values() if isinstance(reply, dict) else (pair[1] for pair in reply or ())
        return [Message(id, _paired(flat)) for part in parts for id, flat in part]

    def _counted(self, messages: Sequence[Message]) -> list[Message]:
        """The same messages, each with how often it was handed out."""
        pipe = self.client.pipeline(transaction=False)
        for message in messages:
            pipe.xpending_range(self.stream, self.group, min=message.id, max=message.id, count=1)
        counts = [row[0]["times_delivered"] if row else 1 for row in pipe.execute()]
        return [Message(m.id, m.fields, n) for m, n in zip(messages, counts, strict=True)]


def _paired(flat: Sequence[bytes] | None) -> Fields:
    """Names and values that follow each other; None when the entry was trimmed."""
    words = iter(flat or ())
    return dict(zip(words, words))  # noqa: B905 - `strict` takes a third longer, and Redis leaves no name alone


def group_info(client: redis.Redis, stream: str, group: str) -> dict[str, Any] | None:
    """What Redis says of a group, None while it or its stream is not there."""
    try:
        groups: Any = client.xinfo_groups(stream)
    except ResponseError as error:
        if "no such key" not in str(error):
            raise
        return None
    return next((info for info in groups if info["name"] == group.encode()), None)


def _unread(client: redis.Redis, stream: str, info: dict[str, Any]) -> int:
    """Entries behind the group's last; counted, up to MOST_COUNTED, where Redis has lost count after an XDEL."""
    if info["lag"] is not None:
        return int(info["lag"])
    rows: Any = client.xrange(stream, f"({info['last-delivered-id'].decode()}", count=MOST_COUNTED)
    return len(rows)


# Lua hands a command no more than some thousand arguments.
MOST_FIELDS = 1000
FOLDED = b"folded"
ADDED = (b"error", b"failed_at", b"deliveries", b"origin_id")


def _foldable(fields: Fields) -> dict[bytes, Any]:
    """The fields, or all of them as JSON in one when they are too many for Lua, or named as what a letter adds."""
    if len(fields) <= MOST_FIELDS and not fields.keys() & set(ADDED):
        return dict(fields)
    text = {_text(name): _text(value) for name, value in fields.items()}
    return {FOLDED: msgspec.json.encode(text)}


def _text(value: bytes) -> str:
    return value.decode(errors="backslashreplace")
