"""Boards as an audience may see them: as late as its delay, without others inside a running stage for crews.

Sockets, REST, pages and exports read boards here (`apps.events.audience`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import connection

from apps.events.audience import Audience
from apps.scoring.models import ResultStatus
from apps.scoring.queries import BoardLine, board

Numbered = tuple[int, list[BoardLine]]

IDENTITY = ("entryId", "raceNumber", "crew", "vehicle", "classCode")
UNKNOWN: dict[str, Any] = {
    "timeMs": None, "penaltyMs": 0, "totalMs": None, "rank": None, "classRank": None, "lastControl": "",
    "completedStages": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """A board topic as one audience sees it; audiences who see the same share one."""

    topic: str
    delay_ms: int = 0
    own: frozenset[str] = frozenset()

    @property
    def is_masked(self) -> bool:
        return bool(self.own)


def view(topic: str, audience: Audience) -> View:
    """The event's board says nothing of the inside of a running stage, so that only a stage's is masked."""
    is_stage = topic.count(":") == 2
    return View(topic, audience.delay_ms, audience.own if is_stage else frozenset())


def released_board(seen: View) -> Numbered:
    """The board's number and lines, as old as the view's delay asks."""
    seq, lines = board(seen.topic)
    if seen.delay_ms:
        seq, lines = _put_back(seen, lines)
    return seq, masked(lines, seen)


def masked(lines: list[BoardLine], seen: View) -> list[BoardLine]:
    """The same lines, others under way without times, ranks and controls where the view hides them."""
    if not seen.is_masked:
        return lines
    return [_hidden(line) if _is_hidden(line, seen) else line for line in lines]


def _is_hidden(line: BoardLine, seen: View) -> bool:
    return line["status"] == ResultStatus.RUNNING and line["entryId"] not in seen.own


def _hidden(line: BoardLine) -> BoardLine:
    return {**line, **{key: value for key, value in UNKNOWN.items() if key in line}}


# The number before the first that is not yet due: the instants of rows may be out of order, as each is the begin of
# its transaction. Then the entries with later changes, each with its last line that was due.
NOT_YET_DUE = """
    with due as (
        select coalesce(
            (select min(seq) - 1 from outbox
             where topic = %(topic)s and created_at > now() - %(delay)s * interval '1 ms'),
            (select max(seq) from outbox where topic = %(topic)s), 0
        ) as seq
    ), later as (
        select distinct line ->> 'entryId' as entry
        from outbox o, jsonb_array_elements(o.payload -> 'changes') line
        where o.topic = %(topic)s and o.seq > (select seq from due)
    )
    select due.seq, later.entry, (
        select line::text from outbox o, jsonb_array_elements(o.payload -> 'changes') line
        where o.topic = %(topic)s and o.seq <= due.seq and line ->> 'entryId' = later.entry
        order by o.seq desc limit 1
    )
    from due left join later on true
"""


def _put_back(seen: View, lines: Sequence[BoardLine]) -> Numbered:
    """Lines that changed since as they were; an entry without an older line had not begun.

    Read after the board: what comes in between is later than due, and put back with the rest.
    """
    with connection.cursor() as cursor:
        cursor.execute(NOT_YET_DUE, {"topic": seen.topic, "delay": seen.delay_ms})
        rows = cursor.fetchall()
    older = {entry: line for _, entry, line in rows if entry}
    found = [_older(line, older[line["entryId"]]) if line["entryId"] in older else line for line in lines]
    return rows[0][0], sorted(found, key=lambda line: (line["rank"] is None, line["rank"], line["raceNumber"]))


def _older(line: BoardLine, text: str | None) -> BoardLine:
    if text is not None:
        older: BoardLine = orjson.loads(text)
        return older
    identity = {key: value for key, value in line.items() if key in IDENTITY}
    return {**line, **UNKNOWN, **identity, "status": ResultStatus.REGISTERED.value}


RUNNING = """
    select distinct r.entry_id::text from stage_results r join stages s on s.id = r.stage_id
    where s.event_id = %s::uuid and r.status = 'running'
"""


def running_entries(event: str) -> frozenset[str]:
    """Those inside a running stage: of them a crew sees only its own."""
    with connection.cursor() as cursor:
        cursor.execute(RUNNING, [event])
        return frozenset(row[0] for row in cursor.fetchall())
