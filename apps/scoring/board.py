"""Ranks and leaderboards: who stands where, and which lines of which board have news."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from apps.events.models import Entry
from apps.scoring import queries
from apps.scoring.domain.classification import Line, Ranked, classify
from apps.scoring.domain.overall import overall
from apps.scoring.domain.status import DECIDED, Status
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
    rows = list(StageResult.objects.filter(stage_id=stage.id, entry__competing=True).select_related("entry"))
    ranked = classify([_line(row) for row in rows], plan.tie_rule, plan.complete_first)
    moved = _move(rows, ranked)
    StageResult.objects.bulk_update(moved, ["rank", "class_rank"])
    return {str(row.entry_id) for row in moved}


def _rank_event(plan: EventPlan) -> set[str]:
    """Sum the stages of every competing entry and rank them. Returns the entries whose line changed."""
    stages = [_stage_lines(stage) for stage in plan.stages]
    lines = [_on_the_way(line, len(stages)) for line in overall([lines for lines in stages if lines])]
    held = {str(row.entry_id): row for row in EventResult.objects.filter(event_id=plan.event)}
    rows = [held.get(line.entry) or EventResult(entry_id=line.entry, event_id=plan.event) for line in lines]
    penalties = _penalties(plan)
    written = {row.entry_id for row, line in zip(rows, lines, strict=True) if _fill(row, line, penalties[line.entry])}
    moved = _move(rows, classify(lines, plan.tie_rule, plan.complete_first))
    dirty = [row for row in rows if row.entry_id in written or row in moved]
    EventResult.objects.bulk_create([row for row in dirty if row._state.adding])
    EventResult.objects.bulk_update([row for row in dirty if not row._state.adding], EVENT_FIELDS)
    return {str(row.entry_id) for row in dirty}


def _on_the_way(line: Line, stages: int) -> Line:
    """A crew between two stages has finished what there was so far, and not yet the event."""
    if line.status is Status.FINISHED and line.completed < stages:
        return replace(line, status=Status.RUNNING)
    return line


EVENT_FIELDS = ["status", "time_ms", "penalty_ms", "total_ms", "completed_stages", "rank", "class_rank"]


def _stage_lines(stage: StagePlan) -> list[Line]:
    rows = StageResult.objects.filter(stage_id=stage.id, entry__competing=True).select_related("entry")
    return [_line(row) for row in rows]


def _line(row: StageResult) -> Line:
    entry: Entry = row.entry
    return Line(
        entry=str(row.entry_id),
        race_number=entry.race_number,
        race_class=str(entry.race_class_id),
        status=Status(row.status),
        total_ms=row.total_ms,
        splits=tuple(row.splits),
        complete=Status(row.status) not in DECIDED,
        team=entry.team,
        completed=int(row.status == Status.FINISHED),
        overall_extra_ms=row.overall_penalty_ms - row.penalty_ms,
    )


def _penalties(plan: EventPlan) -> dict[str, int]:
    """Penalty time that counts overall, per entry."""
    sums: dict[str, int] = {}
    rows = StageResult.objects.filter(stage__event_id=plan.event)
    for entry, ms in rows.values_list("entry_id", "overall_penalty_ms"):
        sums[str(entry)] = sums.get(str(entry), 0) + ms
    return sums


def _fill(row: EventResult, line: Line, penalty_ms: int) -> bool:
    """Put the line's sums into the row; True when that changed anything."""
    total = line.total_ms
    new = (
        line.status.value, None if total is None else total - penalty_ms, penalty_ms, total, line.completed
    )  # fmt: skip
    old = (row.status, row.time_ms, row.penalty_ms, row.total_ms, row.completed_stages)
    row.status, row.time_ms, row.penalty_ms, row.total_ms, row.completed_stages = new
    return row._state.adding or new != old


def _move(rows: Iterable[R], ranked: Sequence[Ranked]) -> list[R]:
    """Set the ranks; returns the rows that moved."""
    places = {r.entry: (r.rank, r.class_rank) for r in ranked}
    moved = [row for row in rows if (row.rank, row.class_rank) != places[str(row.entry_id)]]
    for row in moved:
        row.rank, row.class_rank = places[str(row.entry_id)]
    return moved
