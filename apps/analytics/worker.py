"""The analytics exporter as a worker: group `analytics` on the telemetry streams → a sink, each record once.

A batch is written down as an intent (which ids) before any of its files, and acknowledged after all of them. Whoever
finds an intent after a crash writes exactly the same files again, over what may be there of them.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
import redis
import structlog

from apps.analytics import metrics
from apps.analytics.sinks import Intent, Record, Sink
from apps.common.position import DecodeError, decode
from apps.common.stream import Group, Message

log = structlog.get_logger(__name__)

GROUP = "analytics"
READ_AT_ONCE = 5000
CLAIM_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class ExportPace:
    """A batch is written at `most` records, or `flush_s` after its first; a consumer idle for `claim_ms` is dead."""

    most: int
    flush_s: float
    block_ms: int
    claim_ms: int


@dataclass
class _Held:
    """What was read of a stream and is not written yet."""

    group: Group
    messages: dict[bytes, Message] = field(default_factory=dict)
    since: float = 0.0

    def take(self, messages: Sequence[Message]) -> None:
        if messages and not self.messages:
            self.since = time.monotonic()
        self.messages |= {message.id: message for message in messages}


class Exporter:
    """One consumer of the group `analytics` on each of the streams."""

    def __init__(self, client: redis.Redis, names: Sequence[str], consumer: str, sink: Sink, pace: ExportPace) -> None:
        self._client, self._consumer, self._sink, self._pace = client, consumer, sink, pace
        self._held = [_Held(Group(client, name, GROUP, consumer)) for name in names]
        self._claim_at = 0.0

    def prepare(self) -> None:
        """Finish what an earlier life began, then take up what it had in hand."""
        self._sink.prepare()
        for held in self._held:
            held.group.ensure()
            held.messages.clear()
        for intent in self._sink.intents():
            if intent.consumer == self._consumer:
                self._recover(intent)
        for held in self._held:
            held.take(list(_own(held.group)))
        self._claim_at = time.monotonic() + self._pace.claim_ms / 1000

    def step(self) -> bool:
        """Read some, write what is due; True when there was anything."""
        if time.monotonic() >= self._claim_at:
            self._claim()
        # Several streams take turns: none keeps the others waiting for its next record.
        block = max(1, self._pace.block_ms // len(self._held))
        worked = False
        for held in self._held:
            room = self._pace.most - len(held.messages)
            # None where what an earlier life held fills a batch: Redis takes a COUNT of 0 for all there is.
            messages = held.group.read(min(room, READ_AT_ONCE), block) if room > 0 else []
            held.take(messages)
            due = len(held.messages) >= self._pace.most or time.monotonic() - held.since >= self._pace.flush_s
            if held.messages and due:
                self._flush(held)
            worked |= bool(messages) or room <= 0
        return worked

    def run_until_idle(self) -> None:
        """Write all there is: for tests, and for commands that end."""
        self.prepare()
        while self.step():
            pass
        self._flush_all()

    def finish(self) -> None:
        self._flush_all()
        for held in self._held:
            held.group.leave()

    def _flush_all(self) -> None:
        for held in self._held:
            if held.messages:
                self._flush(held)

    def _flush(self, held: _Held) -> None:
        """Intent, check that they are still ours, files, acknowledge, forget: in this order."""
        messages = [held.messages[id] for id in sorted(held.messages, key=_place)]
        name = f"{int(time.time() * 1000)}-{uuid4().hex[:12]}"
        intent = Intent(name, self._consumer, held.group.stream, [m.id.decode() for m in messages])
        self._sink.intend(intent)
        owned = _owned(held.group, messages)
        if len(owned) < len(messages):  # another one has taken us for dead
            messages = [m for m in messages if m.id in owned]
            intent = msgspec.structs.replace(intent, ids=[m.id.decode() for m in messages])
            self._sink.intend(intent)
        self._write(intent, held.group, messages)
        held.group.ack([m.id for m in messages])
        self._sink.forget(intent)
        held.messages.clear()
        metrics.BATCHES.inc()

    def _write(self, intent: Intent, group: Group, messages: Sequence[Message]) -> None:
        records = [record for m in messages if (record := _record(group.stream, m)) is not None]
        self._sink.write(intent.name, records)
        self._sink.intend(msgspec.structs.replace(intent, written=True))
        metrics.RECORDS.inc(len(records))
        metrics.SKIPPED.inc(len(messages) - len(records))

    def _recover(self, intent: Intent) -> None:
        """Write the files of a batch that was begun, exactly as they would have been, and acknowledge it."""
        group = Group(self._client, intent.stream, GROUP, self._consumer)
        found = _by_id(self._client, intent)
        lost = len(intent.ids) - len(found)
        if not intent.written:
            if lost:
                log.error("records lost: the stream was trimmed over them", stream=intent.stream, records=lost)
                metrics.LOST.inc(lost)
            self._write(intent, group, found)
        group.ack([id.encode() for id in intent.ids])
        self._sink.forget(intent)
        metrics.RECOVERED.inc()

    def _claim(self) -> None:
        """Finish batches of consumers that stand still, then take over what they had only read."""
        self._claim_at = time.monotonic() + self._pace.claim_ms / 1000
        metrics.LAG.set(sum(held.group.lag() for held in self._held))
        for intent in self._sink.intents():
            if intent.consumer != self._consumer and self._is_idle(intent):
                self._recover(intent)
        for held in self._held:
            claimed = held.group.claim_idle(self._pace.claim_ms, CLAIM_AT_ONCE)
            # Read after claiming: a consumer that only was slow has written its intent before it looks what is its own.
            begun = {id.encode() for i in self._sink.intents() if i.stream == held.group.stream for id in i.ids}
            held.take([m for m in claimed if m.fields and m.id not in begun and m.id not in held.messages])
            trimmed = [m.id for m in claimed if not m.fields and m.id not in begun]
            metrics.LOST.inc(held.group.ack(trimmed))

    def _is_idle(self, intent: Intent) -> bool:
        for info in self._client.xinfo_consumers(intent.stream, GROUP):
            if info["name"] in (intent.consumer, intent.consumer.encode()):
                return int(info["idle"]) >= self._pace.claim_ms
        return True


def _record(stream: str, message: Message) -> Record | None:
    try:
        return Record(decode(message.fields), stream, message.id.decode())
    except DecodeError:
        return None


def _own(group: Group) -> Iterator[Message]:
    """All that this consumer has read and not acknowledged."""
    after = b"0"
    while messages := group.read_own(READ_AT_ONCE, after):
        after = messages[-1].id
        yield from (m for m in messages if m.fields)
        gone = [m.id for m in messages if not m.fields]
        metrics.LOST.inc(group.ack(gone))


def _owned(group: Group, messages: Sequence[Message]) -> set[bytes]:
    """Of these, in order, the ones that are still pending with this consumer."""
    found: set[bytes] = set()
    low: bytes = messages[0].id
    while True:
        rows: Any = group.client.xpending_range(
            group.stream, group.group, min=low, max=messages[-1].id, count=READ_AT_ONCE, consumername=group.consumer
        )
        found |= {row["message_id"] for row in rows}
        if len(rows) < READ_AT_ONCE:
            return found
        low = b"(" + rows[-1]["message_id"]


def _by_id(client: redis.Redis, intent: Intent) -> list[Message]:
    """The entries of an intent that the stream still has."""
    pipe = client.pipeline(transaction=False)
    for id in intent.ids:
        pipe.xrange(intent.stream, id, id)
    return [Message(rows[0][0], rows[0][1]) for rows in pipe.execute() if rows]


def _place(id: bytes) -> tuple[int, int]:
    milliseconds, number = id.split(b"-")
    return int(milliseconds), int(number)
