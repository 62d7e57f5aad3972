"""Ranks and leaderboards: who stands where, and which lines of which board have news."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from apps.events.models import Entry
from apps.scoring import queries
from apps.scoring.bulk import update_rows
from apps.scoring.domain.classification import Line, Ranked, classify
from apps.scoring.domain.lines import Competitor, Reading, stage_line
from apps.scoring.domain.overall import overall
from apps.scoring.domain.status import Status
from apps.scoring.models import EventResult, StageResult
from apps.scoring.plans import EventPlan
from apps.timing.domain.plan import StagePlan

R = TypeVar("R", StageResult, EventResult)


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
    topics = []
    for stage in plan.stages:
        if stage.id in changed:
            moved = _rank_stage(plan, stage) | changed[stage.id]
            topics += _announce(stage_topic(plan.event, stage.id), plan.event, stage.id, moved)
    topics += _announce(event_topic(plan.event), plan.event, None, _rank_event(plan))
    return topics


def _announce(topic: str, event: str, stage: str | None, entries: set[str]) -> list[str]:
    changes = queries.board_lines(event, stage, sorted(entries)) if entries else []
    if not changes:
        return []
    queries.write_outbox(topic, changes)
    return [topic]


def _rank_stage(plan: EventPlan, stage: StagePlan) -> set[str]:
    rows = _competing(stage)
    ranked = classify([_line(row, stage) for row in rows], plan.tie_rule, plan.complete_first)
    moved = _move(rows, ranked)
    update_rows(moved, ["rank", "class_rank"])
    return {str(row.entry_id) for row in moved}


def _rank_event(plan: EventPlan) -> set[str]:
    """Sum the stages of every competing entry and rank them. Returns the entries whose line changed."""
    lines = overall([[_line(row, stage) for row in _competing(stage)] for stage in plan.stages])
    held = {str(row.entry_id): row for row in EventResult.objects.filter(event_id=plan.event)}
    rows = [held.get(line.entry) or EventResult(entry_id=line.entry, event_id=plan.event) for line in lines]
    written = {row.entry_id for row, line in zip(rows, lines, strict=True) if _fill(row, line)}
    moved = _move(rows, classify(lines, plan.tie_rule, plan.complete_first))
    dirty = [row for row in rows if row.entry_id in written or row in moved]
    EventResult.objects.bulk_create([row for row in dirty if row._state.adding])
    update_rows([row for row in dirty if not row._state.adding], EVENT_FIELDS)
    return {str(row.entry_id) for row in dirty}


EVENT_FIELDS = ["status", "time_ms", "penalty_ms", "total_ms", "completed_stages", "rank", "class_rank"]


def _competing(stage: StagePlan) -> list[StageResult]:
    """The results to be ranked, without the long story of how each came about."""
    rows = StageResult.objects.filter(stage_id=stage.id, entry__competing=True)
    return list(rows.select_related("entry").defer("outcome"))


def _line(row: StageResult, stage: StagePlan) -> Line:
    entry: Entry = row.entry
    reading = Reading(
        status=Status(row.status),
        total_ms=row.total_ms,
        splits=tuple(row.splits),
        penalty_ms=row.penalty_ms,
        overall_penalty_ms=row.overall_penalty_ms,
        super_special=stage.super_special,
    )
    identity, race_class = str(row.entry_id), str(entry.race_class_id)
    return stage_line(reading, Competitor(identity, entry.race_number, race_class, word=entry.status))


def _fill(row: EventResult, line: Line) -> bool:
    """Put the line's sums into the row; True when that changed anything."""
    new = event_values(line)
    old = {name: getattr(row, name) for name in new}
    for name, value in new.items():
        setattr(row, name, value)
    return row._state.adding or new != old


def event_values(line: Line) -> dict[str, Any]:
    """What an event result says of a line, by the names of its fields."""
    return {
        "status": line.status.value,
        "time_ms": None if line.total_ms is None else line.total_ms - line.penalty_ms,
        "penalty_ms": line.penalty_ms,
        "total_ms": line.total_ms,
        "completed_stages": line.completed,
    }


def _move(rows: Iterable[R], ranked: Sequence[Ranked]) -> list[R]:
    """Set the ranks; returns the rows that moved."""
    places = {r.entry: (r.rank, r.class_rank) for r in ranked}
    moved = [row for row in rows if (row.rank, row.class_rank) != places[str(row.entry_id)]]
    for row in moved:
        row.rank, row.class_rank = places[str(row.entry_id)]
    return moved
