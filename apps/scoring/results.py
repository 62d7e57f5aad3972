"""From crossings to stage results: read the evidence, ask the domain, write what differs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.events.models import Entry
from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.models import EntryPenalty, PenaltyStatus
from apps.scoring import queries
from apps.scoring.domain.stage import Evidence, StageOutcome, score_stage
from apps.scoring.models import StageResult
from apps.scoring.plans import END_OF_TIME, EventPlan
from apps.scoring.queries import Unit
from apps.timing.domain.plan import StagePlan
from apps.timing.models import EntrySegmentStart

StageOfEntry = tuple[str, StagePlan]


@dataclass(frozen=True, slots=True)
class Scored:
    stage: StagePlan
    outcome: StageOutcome


def score(plan: EventPlan, of: Sequence[StageOfEntry]) -> list[Scored]:
    """The outcome of each (entry, stage), from all evidence on record."""
    evidence = _Evidence(plan, of)
    return [Scored(stage, score_stage(stage, plan.formulas, evidence.of(entry, stage))) for entry, stage in of]


class _Evidence:
    """The evidence of many entries, read with a fixed number of queries."""

    def __init__(self, plan: EventPlan, of: Sequence[StageOfEntry]) -> None:
        self._plan = plan
        entries = sorted({entry for entry, _ in of})
        rows = Entry.objects.filter(id__in=entries).values_list("id", "race_class_id", "status")
        self._entries = {str(row[0]): (str(row[1]), row[2]) for row in rows}
        self._crossings = {
            stage.id: queries.entry_crossings([_span(e, stage) for e, s in of if s is stage])
            for stage in {stage.id: stage for _, stage in of}.values()
        }
        self._starts = _starts(entries)
        self._waived = _waived(entries)
        self._fixes = self._zone_fixes(of, queries.entry_devices(entries))

    def of(self, entry: str, stage: StagePlan) -> Evidence:
        race_class, status = self._entries[entry]
        return Evidence(
            entry=entry,
            race_class=race_class,
            crossings=self._crossings[stage.id].get(entry, ()),
            fixes=self._fixes[entry, stage.id],
            assigned_starts=self._starts.get(entry, {}),
            status=status,
            waived=self._waived.get((entry, stage.id), frozenset()),
        )

    def _zone_fixes(
        self, of: Sequence[StageOfEntry], devices: Mapping[str, Sequence[str]]
    ) -> dict[tuple[str, str], Fixes]:
        """The fixes from an entry's first zone crossing to its last: all that the speed zones can need.

        One query: a device code of its own for each device of each (entry, stage).
        """
        spans: list[tuple[int, str, int, int]] = []
        slices: dict[tuple[str, str], range] = {}
        for entry, stage in of:
            first = len(spans)
            span = zone_span(stage, self._crossings[stage.id].get(entry, ()))
            if span:
                imeis = devices.get(entry, ())
                spans += [(first + n, imei, *span) for n, imei in enumerate(imeis)]
            slices[entry, stage.id] = range(first, len(spans))
        fixes = queries.span_fixes(spans)
        return {key: _of_devices(fixes, codes) for key, codes in slices.items()}


def _span(entry: str, stage: StagePlan) -> tuple[str, int, int]:
    return entry, stage.from_ts, END_OF_TIME if stage.to_ts is None else stage.to_ts


def _of_devices(fixes: Fixes, codes: range) -> Fixes:
    mine = (fixes.device >= codes.start) & (fixes.device < codes.stop)
    return Fixes.build(
        fixes.device[mine] - codes.start, fixes.ts[mine], fixes.lat[mine], fixes.lon[mine], fixes.speed[mine]
    )


def zone_span(stage: StagePlan, crossings: Iterable[Crossing]) -> tuple[int, int] | None:
    """The instants (ms) between which the entry may have been in a speed zone of the stage, if it ever was.

    From the first crossing of a zone's control to the last one; from the stage's beginning where the record
    begins inside, to its end while the crew is still inside.
    """
    spans = [
        span
        for segment in stage.segments
        for zone in segment.zones
        if (span := _one_span(stage, zone.controls(), crossings))
    ]
    return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None


def _one_span(stage: StagePlan, controls: Sequence[str], crossings: Iterable[Crossing]) -> tuple[int, int] | None:
    seen = sorted((c for c in crossings if c.control in controls), key=lambda c: c.ts)
    if not seen:
        return None
    begins_inside = len(controls) == 1 and seen[0].direction is Direction.LEAVE
    closed = seen[-1].control == controls[-1] and seen[-1].direction is Direction.LEAVE
    end = END_OF_TIME if stage.to_ts is None else stage.to_ts
    return stage.from_ts if begins_inside else seen[0].ts, seen[-1].ts if closed else end


def in_zones(plan: EventPlan, units: Sequence[Unit]) -> set[str]:
    """The entries with a window inside a speed zone: their speeds count though no crossing changed."""
    inside: set[str] = set()
    for stage in plan.stages:
        mine = [u for u in units if stage in plan.stages_between(u.from_ts, u.to_ts)]
        found = queries.entry_crossings([_span(e, stage) for e in sorted({u.entry for u in mine})])
        for unit in mine:
            span = zone_span(stage, found.get(unit.entry, ()))
            if span and unit.from_ts <= span[1] and unit.to_ts >= span[0]:
                inside.add(unit.entry)
    return inside


def _starts(entries: Sequence[str]) -> dict[str, dict[str, int]]:
    """Assigned starts per entry: segment → ms."""
    starts: dict[str, dict[str, int]] = {}
    rows = EntrySegmentStart.objects.filter(entry_id__in=entries)
    for entry, segment, at in rows.values_list("entry_id", "segment_id", "target_at"):
        starts.setdefault(str(entry), {})[str(segment)] = int(at.timestamp() * 1000)
    return starts


def _waived(entries: Sequence[str]) -> dict[tuple[str, str], frozenset[str]]:
    keys: dict[tuple[str, str], frozenset[str]] = {}
    rows = EntryPenalty.objects.filter(entry_id__in=entries, status=PenaltyStatus.WAIVED)
    for entry, stage, key in rows.values_list("entry_id", "stage_id", "key"):
        keys[str(entry), str(stage)] = keys.get((str(entry), str(stage)), frozenset()) | {key}
    return keys


def save(plan: EventPlan, scored: Sequence[Scored]) -> dict[str, set[str]]:
    """Write the outcomes that differ from what is on record. Returns the changed entries per stage."""
    entries = {s.outcome.entry for s in scored}
    held = {(str(r.entry_id), str(r.stage_id)): r for r in StageResult.objects.filter(entry_id__in=entries)}
    fresh = [s for s in scored if _differs(held.get((s.outcome.entry, s.stage.id)), s.outcome)]
    rows = [_result(plan, s, held.get((s.outcome.entry, s.stage.id))) for s in fresh]
    StageResult.objects.bulk_create([r for r in rows if r._state.adding])
    StageResult.objects.bulk_update([r for r in rows if not r._state.adding], FIELDS)
    _save_penalties(plan, fresh)
    changed: dict[str, set[str]] = {}
    for one in fresh:
        changed.setdefault(one.stage.id, set()).add(one.outcome.entry)
    return changed


FIELDS = [
    "status", "time_ms", "penalty_ms", "total_ms", "overall_penalty_ms", "splits", "last_control",
    "outcome", "inputs_hash",
]  # fmt: skip


def _differs(held: StageResult | None, outcome: StageOutcome) -> bool:
    if held is None:
        # Nothing driven and nothing on record: no row, or every stage would list every entry at once.
        return outcome.status.value != "registered"
    return held.inputs_hash != outcome.inputs_hash


def _result(plan: EventPlan, scored: Scored, held: StageResult | None) -> StageResult:
    outcome = scored.outcome
    row = held or StageResult(entry_id=outcome.entry, stage_id=scored.stage.id)
    row.status = outcome.status.value
    row.time_ms = outcome.time_ms
    row.penalty_ms = outcome.penalty_ms
    row.overall_penalty_ms = outcome.overall_penalty_ms
    row.total_ms = outcome.total_ms
    row.splits = list(outcome.splits)
    row.last_control = plan.names.get(outcome.last_control, "")
    row.outcome = outcome.to_json()
    row.inputs_hash = outcome.inputs_hash
    return row


def _save_penalties(plan: EventPlan, scored: Sequence[Scored]) -> None:
    """Replace the readings among the penalties; a row an official has signed stays as it is."""
    formulas = {formula.id: formula for formula in plan.formulas}
    for one in scored:
        mine = EntryPenalty.objects.filter(entry_id=one.outcome.entry, stage_id=one.stage.id)
        mine.filter(status=PenaltyStatus.PROPOSED).delete()
        signed = set(mine.values_list("key", flat=True))
        EntryPenalty.objects.bulk_create(
            _penalty(one, issued, formulas) for issued in one.outcome.penalties if issued.key not in signed
        )


def _penalty(scored: Scored, issued: Issued, formulas: Mapping[str, Formula]) -> EntryPenalty:
    return EntryPenalty(
        entry_id=scored.outcome.entry,
        stage_id=scored.stage.id,
        key=issued.key,
        type=issued.type,
        formula_id=issued.formula if issued.formula in formulas else None,
        formula_snapshot=_snapshot(formulas.get(issued.formula)),
        inputs=json.loads(json.dumps({**issued.inputs, "fixes": issued.fixes})),
        seconds=Decimal(issued.ms) / 1000,
        applies_to=sorted(issued.applies_to),
    )


def _snapshot(formula: Formula | None) -> dict[str, Any]:
    if formula is None:
        return {}
    return {
        "type": formula.type,
        "target": formula.target,
        "race_class": formula.race_class,
        "offence_min": formula.offence_min,
        "offence_max": formula.offence_max,
        "penalty_ms": formula.penalty_ms,
        "mode": formula.mode,
        "article": formula.article,
    }
