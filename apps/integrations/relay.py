"""The relay as a worker: domain events → the Redis stream and the webhooks, at least once, in order per entry.

Many may run. One at a time hands events out (a lock that ends with its transaction); deliveries are taken by lease and
only the first of a lane, so that nothing overtakes and a relay that dies is replaced when its lease ends.
"""

import random
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID, uuid4

import orjson
import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.common import stream
from apps.integrations import metrics, queries, signing, target
from apps.integrations.models import DeliveryState, Webhook
from apps.integrations.queries import Claimed, Happening, Wish

log = structlog.get_logger(__name__)

EVENTS_AT_ONCE = 500
SENDERS = 32
OF_EACH_WEBHOOK = 8
LONGEST_WAIT_MS = 4 * 3_600_000
LOOK_EVERY_S = 15.0
PRUNE_AT_ONCE = 5000
LEASE_PER_TIMEOUT = 3  # room for looking a name up, and for a database that is slow to take the outcome


@dataclass(frozen=True, slots=True)
class RelayPace:
    """How long to rest when there is nothing, how often to try, how long to wait before the second attempt."""

    rest_ms: int
    attempts: int
    retry_ms: int
    keep_days: int


class Relay:
    """One relay. Its name is new at each start: what an earlier life held is not its own."""

    def __init__(self, client: redis.Redis, name: str, pace: RelayPace) -> None:
        self._client = client
        self._name = f"{name[:40]}-{uuid4().hex[:8]}"
        self._pace = pace
        self._pool = ThreadPoolExecutor(SENDERS, thread_name_prefix="webhook")
        self._sending: dict[Future[target.Answer], Claimed] = {}
        self._look_at = 0.0

    def prepare(self) -> None:
        self._look_at = 0.0

    def step(self) -> bool:
        """Settle what came back, take new deliveries, hand new events out; True when there was any work.

        Deliveries first: they go on while Redis is away.
        """
        settled = self._settle(0)
        taken = self._take()
        handed = self._hand_out()
        if time.monotonic() >= self._look_at:
            self._look()
        worked = bool(settled or taken or handed)
        if not worked:
            self._rest()
        return worked

    def run_until_idle(self) -> None:
        """Work off what is due: for tests, and for commands that end."""
        self.prepare()
        while self.step() or self._sending:
            pass

    def finish(self) -> None:
        """Wait for the answers that are under way, and record them."""
        while self._sending:
            self._settle(settings.WEBHOOK_TIMEOUT_MS / 1000)
        self._pool.shutdown()

    def _rest(self) -> None:
        seconds = self._pace.rest_ms / 1000
        if self._sending:
            wait(self._sending, seconds, FIRST_COMPLETED)
        else:
            time.sleep(seconds)

    def _hand_out(self) -> int:
        """Give events to the stream and make their deliveries. A crash before the commit does it again, in order."""
        with transaction.atomic():
            found = queries.waiting(EVENTS_AT_ONCE) if queries.leads() else []
            if found:
                queries.fan_out([one.id for one in found])
                self._to_stream(found)
        metrics.EVENTS.inc(len(found))
        return len(found)

    def _to_stream(self, found: list[Happening]) -> None:
        pipe = self._client.pipeline(transaction=False)
        for one in found:
            pipe.xadd(stream.DOMAIN_EVENTS, cast(Any, fields(one)), maxlen=stream.MOST_KEPT, approximate=True)
        pipe.execute()

    def _take(self) -> int:
        free = SENDERS - len(self._sending)
        if not free:
            return 0
        lease = settings.WEBHOOK_TIMEOUT_MS * LEASE_PER_TIMEOUT
        claimed = queries.claim(Wish(self._name, free, OF_EACH_WEBHOOK, self._busy(), lease))
        hooks = Webhook.objects.in_bulk({one.webhook for one in claimed}) if claimed else {}
        for one in claimed:
            self._sending[self._pool.submit(_send, hooks[one.webhook], one.happening)] = one
        return len(claimed)

    def _busy(self) -> tuple[UUID, ...]:
        """Webhooks that have enough under way."""
        of = [one.webhook for one in self._sending.values()]
        return tuple(webhook for webhook in set(of) if of.count(webhook) >= OF_EACH_WEBHOOK)

    def _settle(self, seconds: float) -> int:
        """Record the attempts that have ended, or end within so many seconds."""
        done = wait(self._sending, seconds, FIRST_COMPLETED).done if self._sending else set()
        for future in done:
            self._record(self._sending[future], future.result())
            del self._sending[future]  # only now: while the database is away, the answer is kept
        return len(done)

    def _record(self, one: Claimed, answer: target.Answer) -> None:
        state, wait_ms = _verdict(answer, one.attempts + 1, self._pace)
        at = timezone.now().isoformat(timespec="milliseconds")
        line = {"at": at, "status": answer.status, "error": answer.error, "ms": answer.ms}
        queries.settle(one.id, self._name, state, wait_ms, line)
        metrics.ATTEMPTS.labels("delivered" if answer.is_good else "failed").inc()
        metrics.SECONDS.observe(answer.ms / 1000)
        if state == DeliveryState.GIVEN_UP:
            log.error("webhook given up", webhook=str(one.webhook), domain_event=one.happening.id, error=answer.error)

    def _look(self) -> None:
        self._look_at = time.monotonic() + LOOK_EVERY_S
        events, deliveries, age = queries.backlog()
        metrics.WAITING_EVENTS.set(events)
        metrics.WAITING_DELIVERIES.set(deliveries)
        metrics.OLDEST.set(age)
        if self._pace.keep_days:
            queries.prune(self._pace.keep_days, PRUNE_AT_ONCE)


def fields(one: Happening) -> dict[str, str]:
    """A domain event as an entry of the stream: what tools ask for, and the whole of it as JSON in `payload`."""
    message = one.message()
    return {
        "id": message["id"],
        "type": one.kind,
        "event_id": one.event,
        "entry_id": one.entry,
        "payload": orjson.dumps(message).decode(),
    }


def _send(webhook: Webhook, one: Happening) -> target.Answer:
    """One attempt; no database here, it runs in a thread of its own."""
    body = orjson.dumps(one.message())
    now = timezone.now()
    signed = signing.headers(str(one.id), int(now.timestamp()), body, webhook.secrets(now))
    return target.post(webhook.url, body, {"content-type": "application/json", "user-agent": "TRM-webhooks", **signed})


def _verdict(answer: target.Answer, attempts: int, pace: RelayPace) -> tuple[str, int]:
    """(state, ms until the next attempt) after so many attempts: each wait twice the last, with some chance in it."""
    if answer.is_good:
        return DeliveryState.DELIVERED, 0
    if attempts >= pace.attempts:
        return DeliveryState.GIVEN_UP, 0
    wait_ms = min(LONGEST_WAIT_MS, pace.retry_ms * 2 ** (attempts - 1))
    return DeliveryState.PENDING, round(wait_ms * random.uniform(0.75, 1.25))
