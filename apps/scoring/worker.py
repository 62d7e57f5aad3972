"""The scorer as a worker: requests from the stream, scored in one transaction, acknowledged after its commit."""

import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import redis
import structlog
from django.core.exceptions import ObjectDoesNotExist

from apps.common import stream
from apps.common.stream import Group, Message
from apps.scoring import metrics
from apps.scoring.queries import Window, open_events
from apps.scoring.services import Again, score_again, score_windows
from apps.scoring.upkeep import keep_up
from apps.scoring.watchdog import Stale, again, look, sample

log = structlog.get_logger(__name__)

REASONS = frozenset({"faulty", "course", "rules", "assignment", "decision", "replay"})
CLAIM_COUNT = 100
# Reasons that leave every crossing where it is.
TOLD = frozenset({"rules", "decision"})
KEEP_UP_EVERY_S = 1.0
WATCH_EVERY_S = 60.0


class RequestError(ValueError):
    """A request nobody could work off; the message says why."""


@dataclass(frozen=True, slots=True)
class ScorerPace:
    """Requests at a time, how long to wait, and when another scorer counts as dead."""

    batch: int
    block_ms: int
    claim_after_ms: int
    max_deliveries: int


class Scorer:
    """One consumer of the group `scorer`."""

    def __init__(self, client: redis.Redis, consumer: str, pace: ScorerPace) -> None:
        self._client = client
        self._group = Group(client, stream.REQUESTS_STREAM, stream.SCORER_GROUP, consumer)
        self._pace = pace
        self._claim_at = self._keep_up_at = 0.0
        self._watch_at = time.monotonic() + WATCH_EVERY_S
        self._suspects: list[Stale] = []

    def prepare(self) -> None:
        self._group.ensure()
        self._claim_at = self._keep_up_at = 0.0

    def step(self) -> bool:
        """One batch of requests, and now and then what was edited; True when there was a request."""
        if time.monotonic() >= self._keep_up_at:
            self._keep_up()
        if time.monotonic() >= self._watch_at:
            self._watch()
        claimed = self._claim() if time.monotonic() >= self._claim_at else []
        messages = claimed or self._group.read(self._pace.batch, self._pace.block_ms)
        self._work_off(messages)
        return bool(messages)

    def run_until_idle(self) -> None:
        """Work off all there is: for tests, and for commands that end."""
        self.prepare()
        while self.step():
            pass

    def finish(self) -> None:
        self._group.leave()

    def _work_off(self, messages: Sequence[Message]) -> None:
        """Score everything, tell the live processes, acknowledge: in this order, so that nothing is lost."""
        good = [(message, work) for message in messages if (work := self._parsed(message)) is not None]
        with metrics.SECONDS.time():
            topics = score_windows([w for _, work in good if isinstance(work, list) for w in work])
            stream.tell(self._client, topics)
            for asked in _unique(work for _, work in good if isinstance(work, Again)):
                self._tell_each(asked.event, (topics for _, topics in score_again(asked)))
        self._group.ack([message.id for message, _ in good])

    def _keep_up(self) -> None:
        """Score what was edited (`apps.scoring.upkeep`)."""
        for event in open_events():
            self._tell_each(event, keep_up(event))
        self._keep_up_at = time.monotonic() + KEEP_UP_EVERY_S

    def _watch(self) -> None:
        """Recompute a result from its fixes; one found twice to differ is a fault of ours: said, counted, put right."""
        self._watch_at = time.monotonic() + WATCH_EVERY_S
        try:
            for stale in again(self._suspects):
                log.error("stale result", event_id=stale.event, stage=stale.stage, race_number=stale.race_number)
                metrics.STALE_RESULTS.inc()
                self._tell_each(stale.event, (news for _, news in score_again(Again(stale.event, (stale.entry,)))))
            self._suspects = list(look(sample(open_events(), 1)))
        except ValueError as error:
            log.error("results not watched", reason=str(error))

    def _tell_each(self, event: str, news: Iterable[list[str]]) -> None:
        """Tell the topics as they come. A course nobody can read stops its own event alone: it is said, loudly."""
        try:
            for topics in news:
                stream.tell(self._client, topics)
        except (ObjectDoesNotExist, ValueError) as error:
            log.error("event not scored", event_id=event, reason=str(error))
            metrics.BROKEN_COURSES.inc()

    def _parsed(self, message: Message) -> list[Window] | Again | None:
        try:
            work = parse(message)
        except RequestError as error:
            self._put_aside(message, str(error))
            return None
        metrics.REQUESTS.labels(message.fields[b"reason"].decode()).inc()
        metrics.WINDOWS.inc(len(work) if isinstance(work, list) else 0)
        return work

    def _put_aside(self, message: Message, error: str) -> None:
        log.error("dead letter", stream=self._group.stream, id=message.id.decode(), error=error)
        self._group.dead_letter(message, error)
        metrics.DEAD_LETTERS.inc()

    def _claim(self) -> list[Message]:
        """Requests of scorers that stood still; what was tried too often is put aside."""
        self._claim_at = time.monotonic() + self._pace.claim_after_ms / 1000
        metrics.LAG.set(self._group.lag())
        messages = self._group.claim_idle(self._pace.claim_after_ms, CLAIM_COUNT)
        metrics.CLAIMED.inc(len(messages))
        for message in messages:
            if message.deliveries > self._pace.max_deliveries:
                self._put_aside(message, f"given up after {message.deliveries} deliveries")
        return [message for message in messages if message.deliveries <= self._pace.max_deliveries]


def parse(message: Message) -> list[Window] | Again:
    """The work a request asks for, as narrow as it says (contracts §1). Raises RequestError naming the field."""
    reason = message.fields.get(b"reason", b"").decode(errors="replace")
    if reason == "fixes":
        return _windows(message.fields.get(b"windows", b""))
    if reason not in REASONS:
        raise RequestError(f"reason: {reason!r} is none of fixes, {', '.join(sorted(REASONS))}")
    if reason == "faulty" and b"device_id" in message.fields:
        return [_device_window(message)]
    event = _uuid(message, b"event_id")
    if event is None:
        raise RequestError("event_id: missing")
    entry = _uuid(message, b"entry_id")
    return Again(event, (entry,) if entry else (), _uuid(message, b"stage_id") or "", reason not in TOLD)


def _device_window(message: Message) -> Window:
    """The window of one device whose fixes were flagged."""
    bounds = [message.fields.get(name, b"").decode(errors="replace") for name in (b"from", b"to")]
    if not all(bound.isdecimal() for bound in bounds):
        raise RequestError(f"from, to: {bounds} are not two instants in ms")
    if int(bounds[0]) > int(bounds[1]):
        raise RequestError("from: it is after to")
    return Window(message.fields[b"device_id"].decode(errors="replace"), int(bounds[0]), int(bounds[1]))


def _windows(value: bytes) -> list[Window]:
    try:
        rows = msgspec.json.decode(value, type=list[tuple[str, int, int]])
    except msgspec.DecodeError as error:
        raise RequestError(f"windows: {error}") from error
    if any(from_ts > to_ts for _, from_ts, to_ts in rows):
        raise RequestError("windows: one ends before it begins")
    return [Window(*row, added=True) for row in rows]


def _uuid(message: Message, name: bytes) -> str | None:
    value = message.fields.get(name)
    if value is None:
        return None
    try:
        return str(uuid.UUID(value.decode()))
    except ValueError as error:
        raise RequestError(f"{name.decode()}: {value!r} is no UUID") from error


def _unique(work: Iterable[Again]) -> list[Again]:
    return list(dict.fromkeys(work))
