"""The SQL of domain events and deliveries, each statement named and beside its typed function."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection


@dataclass(frozen=True, slots=True)
class Happening:
    """A domain event as other programs see it."""

    id: int
    kind: str
    event: str
    entry: str
    at: datetime
    data: dict[str, Any]

    def message(self) -> dict[str, Any]:
        """The JSON object sent to webhooks."""
        return {
            "id": str(self.id),
            "type": self.kind,
            "timestamp": self.at.isoformat(timespec="milliseconds"),
            "event_id": self.event,
            "entry_id": self.entry or None,
            "data": self.data,
        }


# One relay at a time hands events out: it keeps the order of ids.
TRY_LEAD = "select pg_try_advisory_xact_lock(hashtextextended('trm:relay', 0))"


def leads() -> bool:
    """Whether this transaction alone hands events out, until it ends."""
    return bool(_select(TRY_LEAD, [])[0][0])


# What was committed and not yet handed out, in the order it was written. Those who write about the same entry take its
# lock first, so that of one entry the lower id is also committed before the higher one is written.
WAITING = """
    select id, kind, event_id::text, coalesce(entry_id::text, ''), at, payload::text
    from domain_events where relayed_at is null order by id limit %s
"""


def waiting(most: int) -> list[Happening]:
    return [_happening(row) for row in _select(WAITING, [most])]


# A delivery for each webhook that wants the event.
FAN_OUT = """
    insert into webhook_deliveries (webhook_id, domain_event_id, lane, state, attempts, next_at, leased_by, log)
    select w.id, d.id, coalesce(d.entry_id, d.event_id), 'pending', 0, now(), '', '[]'
    from domain_events d
    join events e on e.id = d.event_id
    join webhooks w on w.organization_id = e.organization_id
        and (w.event_id is null or w.event_id = d.event_id) and (w.kinds = '{}' or d.kind = any(w.kinds))
    where d.id = any(%s::bigint[])
    order by d.id
    on conflict do nothing
"""
RELAYED = "update domain_events set relayed_at = now() where id = any(%s::bigint[])"


def fan_out(ids: Sequence[int]) -> None:
    """Make the deliveries of these events, and mark the events as handed out."""
    _execute(FAN_OUT, [list(ids)])
    _execute(RELAYED, [list(ids)])


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery in the hands of one relay, until its lease ends."""

    id: int
    webhook: UUID
    attempts: int
    happening: Happening


# The first waiting delivery of each lane of each webhook, if it is due and in nobody's hands: at most some per webhook,
# so that one that does not answer leaves room for the others.
CLAIM = """
    with due as (
        select d.id, row_number() over (partition by d.webhook_id order by d.next_at, d.id) as nth
        from webhook_deliveries d join webhooks w on w.id = d.webhook_id and w.active
        where d.state = 'pending' and d.next_at <= now() and (d.leased_until is null or d.leased_until <= now())
          and d.webhook_id <> all(%(busy)s::uuid[])
          and not exists (
              select from webhook_deliveries b
              where b.webhook_id = d.webhook_id and b.lane = d.lane and b.state = 'pending'
                and b.domain_event_id < d.domain_event_id
          )
    ), taken as (
        select d.id from webhook_deliveries d
        where d.id in (select id from due where nth <= %(each)s order by nth, id limit %(most)s)
          and d.state = 'pending' and d.next_at <= now() and (d.leased_until is null or d.leased_until <= now())
        for update skip locked
    )
    update webhook_deliveries d
    set leased_until = now() + %(lease_ms)s * interval '1 ms', leased_by = %(relay)s
    from taken, domain_events e
    where d.id = taken.id and e.id = d.domain_event_id
    returning d.id, d.webhook_id, d.attempts, e.id, e.kind, e.event_id::text, coalesce(e.entry_id::text, ''), e.at,
              e.payload::text
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a relay would take: so many in all, so many of each webhook, none of the busy ones, for so long."""

    relay: str
    most: int
    each: int
    busy: tuple[UUID, ...]
    lease_ms: int


def claim(wish: Wish) -> list[Claimed]:
    values = {name: getattr(wish, name) for name in ("relay", "most", "each", "lease_ms")} | {"busy": list(wish.busy)}
    rows = _select(CLAIM, values)
    return [Claimed(row[0], row[1], row[2], _happening(row[3:])) for row in rows]


# Only while the lease is still this relay's: another one may have taken over, and knows better.
SETTLE = """
    update webhook_deliveries
    set state = %(state)s, attempts = attempts + 1, leased_until = null, leased_by = '',
        next_at = now() + %(wait_ms)s * interval '1 ms',
        delivered_at = case when %(state)s = 'delivered' then now() end,
        log = log || %(line)s::jsonb
    where id = %(id)s and state = 'pending' and leased_by = %(relay)s
"""


def settle(delivery: int, relay: str, state: str, wait_ms: int, line: dict[str, Any]) -> None:
    """Record an attempt: what became of it, and in how long the next one is due."""
    values = {"id": delivery, "relay": relay, "state": state, "wait_ms": wait_ms}
    _execute(SETTLE, values | {"line": orjson.dumps([line]).decode()})


BACKLOG = """
    select (select count(*) from domain_events where relayed_at is null),
           (select count(*) from webhook_deliveries where state = 'pending'),
           coalesce((select extract(epoch from now() - min(e.at)) from webhook_deliveries d
                     join domain_events e on e.id = d.domain_event_id where d.state = 'pending'), 0)::float8
"""


def backlog() -> tuple[int, int, float]:
    """Events not handed out, deliveries waiting, and the age in seconds of the oldest of these."""
    events, deliveries, age = _select(BACKLOG, [])[0]
    return events, deliveries, age


# Old events that nobody waits for; their deliveries go first, and with them the log.
PRUNE = """
    with old as (
        select id from domain_events e
        where e.relayed_at < now() - %(days)s * interval '1 day'
          and not exists (select from webhook_deliveries d where d.domain_event_id = e.id and d.state = 'pending')
        order by id limit %(most)s
    ), logs as (
        delete from webhook_deliveries d using old where d.domain_event_id = old.id
    )
    delete from domain_events e using old where e.id = old.id
"""


def prune(days: int, most: int) -> int:
    """Forget events handed out longer ago; how many."""
    return _execute(PRUNE, {"days": days, "most": most})


def _happening(row: Sequence[Any]) -> Happening:
    id, kind, event, entry, at, payload = row
    return Happening(id, kind, event, entry, at, orjson.loads(payload))


def _select(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _execute(sql: str, parameters: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)
