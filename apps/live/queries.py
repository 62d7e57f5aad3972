"""The outbox as the live processes read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import connection


@dataclass(frozen=True, slots=True)
class Change:
    """An outbox row. `changes` is its JSON text, as stored; `age_s` how long ago its transaction began."""

    topic: str
    seq: int
    changes: str
    age_s: float


# What followed the last number sent of each topic, oldest first. A topic far behind catches up in several reads,
# each shorter than a socket's queue.
CHANGES_AFTER = """
    select o.topic, o.seq, (o.payload -> 'changes')::text,
           extract(epoch from clock_timestamp() - o.created_at)::float8
    from unnest(%s::text[], %s::bigint[]) as sent(topic, seq)
    cross join lateral (
        select * from outbox where topic = sent.topic and seq > sent.seq order by seq limit 50
    ) o
    order by o.topic, o.seq
"""


def changes_after(sent: Mapping[str, int]) -> list[Change]:
    """The news of topics since the number that was sent last of each."""
    with connection.cursor() as cursor:
        cursor.execute(CHANGES_AFTER, [list(sent), list(sent.values())])
        return [Change(*row) for row in cursor.fetchall()]
