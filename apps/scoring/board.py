"""Ranks and leaderboards: who stands where, and which lines of which board have news."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.scoring import queries
from apps.scoring.board_queries import Placed, Ranks, stage_table
from apps.scoring.bulk import insert_rows, update_rows
from apps.scoring.domain.classification import Line, classify
from apps.scoring.domain.overall import of_event
from apps.scoring.models import EventResult, StageResult
from apps.scoring.plans import EventPlan


def event_topic(event: str) -> str:
    return f"leaderboard:{event}"


def stage_topic(event: str, stage: str) -> str:
    return f"leaderboard:{event}:{stage}"


def publish(plan: EventPlan, changed: Mapping[str, set[str]]) -> list[str]:
    """Rank the changed stages and the event, write the changed lines to the outbox.

    `changed` maps a stage to the entries whose result there was written. The caller holds the event's lock.
    Returns the topics that have news.
    """
    if not changed:
        return []
    topics, tables = [], []
    for stage in plan.stages:
        table = list(stage_table(stage))
        tables.append([placed.line for placed in table])
        if stage.id in changed:
            moved = _rank_stage(plan, table) | changed[stage.id]
            topics += _announce(stage_topic(plan.event, stage.id), plan.event, stage.id, moved)
    topics += _announce(event_topic(plan.event), plan.event, None, _rank_event(plan, of_event(plan.stages, tables)))
    return topics


def _announce(topic: str, event: str, stage: str | None, entries: set[str]) -> list[str]:
    changes = queries.board_lines(event, stage, sorted(entries)) if entries else []
    if not changes:
        return []
    queries.write_outbox(topic, changes)
    return [topic]


def _rank_stage(plan: EventPlan, table: Sequence[Placed]) -> set[str]:
    """Write the ranks that changed. Returns whose."""
    ranks = _ranks(plan, [placed.line for placed in table])
    moved = [placed for placed in table if ranks[placed.line.entry] != placed.ranks]
    rows = [(placed.id, *ranks[placed.line.entry]) for placed in moved]
    update_rows([StageResult(id=id, rank=rank, class_rank=in_class) for id, rank, in_class in rows], RANKS)
    return {placed.line.entry for placed in moved}


def _ranks(plan: EventPlan, lines: Sequence[Line]) -> dict[str, Ranks]:
    return {r.entry: (r.rank, r.class_rank) for r in classify(lines, plan.tie_rule, plan.complete_first)}


RANKS = ("rank", "class_rank")
EVENT_FIELDS = ("status", "time_ms", "penalty_ms", "total_ms", "completed_stages", *RANKS)
# Of whom nothing counts in the event any more.
NOTHING = ["registered", None, 0, None, 0, None, None]


def _rank_event(plan: EventPlan, lines: Sequence[Line]) -> set[str]:
    """Rank the sums of every competing entry. Returns the entries whose line changed."""
    ranks = _ranks(plan, lines)
    held = EventResult.objects.filter(event_id=plan.event).values_list("entry_id", "id", *EVENT_FIELDS)
    stored = {str(entry): (id, values) for entry, id, *values in held}
    fresh, dirty = [], []
    for line in lines:
        values = event_values(line) | dict(zip(RANKS, ranks[line.entry], strict=True))
        id, old = stored.get(line.entry, (None, None))
        if id is None:
            fresh.append(EventResult(entry_id=line.entry, event_id=plan.event, **values))
        elif old != [values[name] for name in EVENT_FIELDS]:
            dirty.append(EventResult(id=id, entry_id=line.entry, **values))
    seen = {line.entry for line in lines}
    gone = [(id, entry) for entry, (id, old) in stored.items() if entry not in seen and old != NOTHING]
    dirty += [EventResult(id=id, entry_id=entry, **dict(zip(EVENT_FIELDS, NOTHING, strict=True))) for id, entry in gone]
    insert_rows(fresh)
    update_rows(dirty, EVENT_FIELDS)
    return {str(row.entry_id) for row in (*fresh, *dirty)}


def event_values(line: Line) -> dict[str, Any]:
    """What an event result says of a line, by the names of its fields."""
    return {
        "status": line.status.value,
        "time_ms": None if line.total_ms is None else line.total_ms - line.penalty_ms,
        "penalty_ms": line.penalty_ms,
        "total_ms": line.total_ms,
        "completed_stages": line.completed,
    }
