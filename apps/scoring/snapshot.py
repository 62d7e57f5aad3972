"""Everything a result was made of, frozen: course, rules, what people said, decisions, and what came of it.

Recomputed from a snapshot and the positions it names, on whatever machine, the result is the same to the hash.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from apps.course.domain.controls import Control
from apps.penalties.domain.formulas import Formula, Issued
from apps.scoring import queries
from apps.scoring.domain.classification import TieRule
from apps.scoring.domain.outcome import StageOutcome, canonical
from apps.scoring.inputs import Inputs, load
from apps.scoring.plans import EventPlan, load_plan
from apps.scoring.printed import printed
from apps.scoring.projection import Placed, Projection, project
from apps.timing.domain.plan import StagePlan

# The version of the way results are computed: raised whenever the same evidence would give another result.
ENGINE = "trm 4"

Snapshot = dict[str, Any]


# A batch of positions is written within a second of the instant it says it came in. So long after that instant no
# writer can still be at it, and what was received until then is the same for everybody who looks later.
SETTLED = timedelta(seconds=10)


def take(event: str, stage: str | None) -> Snapshot:
    """The event as it stands, scored from the fixes received until some seconds ago; results of one stage or of all.

    Raises ValueError for a course that cannot be read.
    """
    with transaction.atomic():
        plan, inputs = load_plan(event), load(event, queries.event_entries(event))
    taken: Snapshot = {
        "engine": ENGINE,
        "scope": stage or "event",
        "positions_until": (timezone.now() - SETTLED).astimezone(UTC).isoformat(),
        "plan": _plan_json(_until(plan, stage)),
        "inputs": msgspec.to_builtins(inputs),
    }
    seen = _projected(taken)
    return taken | {
        "results": results_json(seen, stage),
        "penalties": penalties_json(seen, stage),
        "printed": printed(event, stage),
    }


def _until(plan: EventPlan, stage: str | None) -> EventPlan:
    """The plan without the stages that come after one: they cannot matter to it."""
    if stage is None:
        return plan
    last = next(n for n, one in enumerate(plan.stages) if one.id == stage)
    return replace(plan, stages=plan.stages[: last + 1])


def results_json(seen: Projection, stage: str | None) -> list[dict[str, Any]]:
    """The lines of a stage or of the event in the order of their ranks, each with the hash of its evidence."""
    placed = seen.event if stage is None else seen.stages[stage]
    return [_line_json(seen, one, stage) for one in placed]


def _line_json(seen: Projection, placed: Placed, stage: str | None) -> dict[str, Any]:
    line, ranked = placed.line, placed.ranked
    hashes = {s: o.inputs_hash for (entry, s), o in seen.outcomes.items() if entry == line.entry and stage in (None, s)}
    return {
        "entry": line.entry,
        "number": line.race_number,
        "class": line.race_class,
        "group": line.group,
        "team": line.team,
        "complete": line.complete,
        "lumped": line.lumped,
        "status": line.status.value,
        "total_ms": line.total_ms,
        "penalty_ms": line.penalty_ms,
        "splits": list(line.splits),
        "completed": line.completed,
        "rank": ranked.rank,
        "class_rank": ranked.class_rank,
        "gap_ms": ranked.gap_ms,
        "hashes": dict(sorted(hashes.items())),
    }


def penalties_json(seen: Projection, stage: str | None) -> list[dict[str, Any]]:
    """The penalties of a stage or of the event, waived ones too: entry, stage, what was issued, and the decision on it.

    Lists among the inputs are left out: they are in the readings, and can be long.
    """
    return [
        _penalty_json(outcome, of, issued)
        for (_entry, of), outcome in sorted(seen.outcomes.items())
        if stage in (None, of)
        for issued in outcome.penalties
    ]


def _penalty_json(outcome: StageOutcome, stage: str, issued: Issued) -> dict[str, Any]:
    inputs = {name: value for name, value in issued.inputs.items() if not isinstance(value, list | tuple | dict)}
    told = {name: value for name, value in issued.to_json().items() if name not in ("fixes", "counter", "formula")}
    return told | {
        "entry": outcome.entry,
        "stage": stage,
        "inputs": inputs,
        "waived": issued.key in outcome.waived,
        "decision": outcome.signed.get(issued.key, ""),
    }


def digest(snapshot: Mapping[str, Any]) -> str:
    """sha256 of the whole snapshot as canonical JSON."""
    return hashlib.sha256(canonical(snapshot).encode()).hexdigest()


def recompute(snapshot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The results computed anew from the snapshot and the positions that were there then.

    Raises msgspec.ValidationError for a snapshot of another shape.
    """
    stage = None if snapshot["scope"] == "event" else str(snapshot["scope"])
    return results_json(_projected(snapshot), stage)


def _projected(snapshot: Mapping[str, Any]) -> Projection:
    plan, inputs = _plan_of(snapshot["plan"]), msgspec.convert(snapshot["inputs"], Inputs)
    with positions_then(snapshot["positions_until"], _faulty_windows(inputs)):
        return project(plan, inputs)


# A view of that name goes before the table, for this transaction's eyes alone: the positions as they were, flagged
# faulty by the decisions that were in force. Nothing is locked, and the same queries read it.
POSITIONS_THEN = """
    create temp view positions as
    select p.device_id, p.ts, p.ingested_at, p.latitude, p.longitude, p.altitude, p.angle, p.speed, p.satellites,
           p.priority, p.codec, p.attributes, p.decoded_attributes,
           exists (
               select from faulty_then f where f.device_id = p.device_id and p.ts between f.low and f.high
           ) as faulty
    from public.positions p where p.ingested_at <= '{until}'::timestamptz
"""


@contextmanager
def positions_then(until: str, faulty: list[tuple[str, int, int]]) -> Iterator[None]:
    """Within: `positions` holds what had been received by `until` (ISO-8601), and nothing is written."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "create temp table faulty_then (device_id text, low timestamptz, high timestamptz) on commit drop"
        )
        cursor.executemany(
            "insert into faulty_then values (%s, to_timestamp(%s / 1000.0), to_timestamp(%s / 1000.0))", faulty
        )
        # A view takes no parameters; the instant is read and written again, so that nothing else gets in.
        cursor.execute(POSITIONS_THEN.format(until=datetime.fromisoformat(until).isoformat()))
        yield
        transaction.set_rollback(True)


def _faulty_windows(inputs: Inputs) -> list[tuple[str, int, int]]:
    flags = [d.params for d in inputs.decisions if d.kind == "faulty_fixes"]
    return [(p["device"], p["from_ts"], p["to_ts"]) for p in flags]


def _plan_json(plan: EventPlan) -> dict[str, Any]:
    parts = (
        "event", "controls", "stages", "formulas", "names", "gap_limit_ms", "tie_rule", "complete_first",
        "team_size",
    )  # fmt: skip
    return {name: msgspec.to_builtins(getattr(plan, name)) for name in parts}


def _plan_of(content: Mapping[str, Any]) -> EventPlan:
    return EventPlan(
        event=content["event"],
        controls=msgspec.convert(content["controls"], tuple[Control, ...]),
        stages=msgspec.convert(content["stages"], tuple[StagePlan, ...]),
        formulas=msgspec.convert(content["formulas"], tuple[Formula, ...]),
        names=content["names"],
        gap_limit_ms=content["gap_limit_ms"],
        tie_rule=TieRule(content["tie_rule"]),
        complete_first=content["complete_first"],
        team_size=content.get("team_size", 2),  # snapshots of before the event could say
    )
