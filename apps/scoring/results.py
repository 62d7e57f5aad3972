"""From evidence to stage results: ask the domain, write what differs."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid5

from apps.penalties.domain.formulas import Formula, Issued
from apps.penalties.models import Decision, EntryPenalty, PenaltyStatus
from apps.scoring.accounts import Accounts, with_later_stages
from apps.scoring.bulk import insert_rows, update_rows
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.stage import score_stage
from apps.scoring.evidence import Archive, FixesOf, StageOfEntry
from apps.scoring.fix_queries import span_fixes
from apps.scoring.inputs import load
from apps.scoring.models import StageResult
from apps.scoring.plans import EventPlan
from apps.scoring.queries import delete_penalties
from apps.timing.domain.plan import StagePlan


@dataclass(frozen=True, slots=True)
class Scored:
    stage: StagePlan
    outcome: StageOutcome


def score(plan: EventPlan, of: Sequence[StageOfEntry], fixes: FixesOf = span_fixes) -> list[Scored]:
    """The outcome of each (entry, stage), from all evidence on record; of later stages too where they depend on it."""
    pairs = with_later_stages(plan, of)
    entries = sorted({entry for entry, _ in of})
    archive = Archive(load(plan.event, entries), pairs, fixes=fixes)
    return scored(plan, pairs, archive, Accounts.on_record(plan, entries))


def scored(plan: EventPlan, pairs: Sequence[StageOfEntry], archive: Archive, accounts: Accounts) -> list[Scored]:
    """Score the pairs, given in driving order: each stage adds to the account the next one begins with."""
    found = []
    for entry, stage in pairs:
        outcome = score_stage(stage, plan.formulas, archive.of(entry, stage, accounts.before(entry, stage)))
        accounts.put(entry, stage, outcome.counts)
        found.append(Scored(stage, outcome))
    return found


def save(plan: EventPlan, scored: Sequence[Scored]) -> dict[str, set[str]]:
    """Write the outcomes that differ from what is on record. Returns the changed entries per stage."""
    entries = {s.outcome.entry for s in scored}
    held = {(str(r.entry_id), str(r.stage_id)): r for r in _held_results(entries)}
    fresh = [s for s in scored if _differs(held.get((s.outcome.entry, s.stage.id)), s.outcome)]
    rows = [_result(plan, s, held.get((s.outcome.entry, s.stage.id))) for s in fresh]
    insert_rows([r for r in rows if r._state.adding])
    update_rows([r for r in rows if not r._state.adding], FIELDS)
    _save_penalties(plan, fresh)
    changed: dict[str, set[str]] = {}
    for one in fresh:
        changed.setdefault(one.stage.id, set()).add(one.outcome.entry)
    return changed


def _held_results(entries: Collection[str]) -> Iterable[StageResult]:
    """Of what is on record, what tells whether it differs: the rest is written, never read."""
    return StageResult.objects.filter(entry_id__in=entries).only("entry_id", "stage_id", "inputs_hash")


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
    """Make the penalties of these entries and stages what was found. Only what differs is written: each write is told
    to the world (sql/560_domain_events.sql)."""
    formulas = {formula.id: formula for formula in plan.formulas}
    signed = {identity for one in scored for identity in one.outcome.signed.values()}
    decisions = {str(row.id): row for row in Decision.objects.filter(id__in=signed)}
    found = [_penalty(one, issued, formulas) for one in scored for issued in one.outcome.penalties]
    for row, key in found:
        _sign(row, decisions.get(key))
    rows = {_identity(row): row for row, _ in found}
    held = _held_penalties([(one.outcome.entry, one.stage.id) for one in scored])
    delete_penalties([row.pk for key, row in held.items() if key not in rows])
    insert_rows(
        [row for key, row in rows.items() if key not in held or _told(row) != _told(held[key])],
        once=IDENTITY,
        renewed=(*TOLD, *TOLD_KEYS, "updated_at"),
    )


IDENTITY = ("entry", "stage", "key")
TOLD = ("seconds", "type", "formula_snapshot", "inputs", "applies_to", "status", "reason", "article")
TOLD_KEYS = ("formula", "author", "decision")


def _held_penalties(of: Sequence[tuple[str, str]]) -> dict[tuple[str, str, str], EntryPenalty]:
    """The penalties on record of pairs (entry, stage)."""
    if not of:
        return {}
    rows = EntryPenalty.objects.filter(entry_id__in={entry for entry, _ in of}, stage_id__in={stage for _, stage in of})
    wanted = set(of)
    return {_identity(row): row for row in rows if _identity(row)[:2] in wanted}


def _identity(row: EntryPenalty) -> tuple[str, str, str]:
    return str(row.entry_id), str(row.stage_id), row.key


def _told(row: EntryPenalty) -> list[Any]:
    """What a penalty says, keys as text: a row that is not stored yet holds them so."""
    return [*(getattr(row, name) for name in TOLD), *(str(getattr(row, f"{name}_id")) for name in TOLD_KEYS)]


STATUS_BY_KIND = {
    "waive_penalty": PenaltyStatus.WAIVED,
    "impose_penalty": PenaltyStatus.IMPOSED,
    "confirm_penalty": PenaltyStatus.CONFIRMED,
    "edit_penalty": PenaltyStatus.CONFIRMED,
}


def _sign(row: EntryPenalty, decision: Decision | None) -> None:
    """Show on the penalty what was decided about it, by whom and why."""
    if decision is not None:
        row.status = STATUS_BY_KIND[decision.kind]
        row.decision = decision
        row.author_id = decision.author_id
        row.reason = decision.reason


# An offence keeps its id through every recompute, so that the address of its page holds.
PENALTY_IDS = UUID("6f0f8a52-5a8c-4c5e-9d0f-2f2c1b6c7a11")


def _penalty(scored: Scored, issued: Issued, formulas: Mapping[str, Formula]) -> tuple[EntryPenalty, str]:
    """The row of an issued penalty, and the id of the decision on it ("" when none)."""
    row = EntryPenalty(
        id=uuid5(PENALTY_IDS, f"{scored.outcome.entry}/{scored.stage.id}/{issued.key}"),
        entry_id=scored.outcome.entry,
        stage_id=scored.stage.id,
        key=issued.key,
        type=issued.type,
        formula_id=issued.formula if issued.formula in formulas else None,
        formula_snapshot=_snapshot(formulas.get(issued.formula)),
        inputs=json.loads(json.dumps({**issued.inputs, "fixes": issued.fixes})),
        seconds=Decimal(issued.ms) / 1000,
        applies_to=sorted(issued.applies_to),
        article=issued.article,
    )
    return row, scored.outcome.signed.get(issued.key, "")


def _snapshot(formula: Formula | None) -> dict[str, Any]:
    return {} if formula is None else formula.to_json()
