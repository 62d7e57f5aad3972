"""An event scored in memory, from the fixes up, without writing or locking anything (dry run, verification, replay).

The same pure functions as the scorer's, on the same evidence: so what a projection shows is what the scorer would
write.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from apps.course.domain.crossings import Crossing, detect
from apps.scoring import fix_queries
from apps.scoring.accounts import Accounts, with_later_stages
from apps.scoring.detection import sliced
from apps.scoring.domain.classification import Line, Ranked, classify
from apps.scoring.domain.lines import Reading, stage_line
from apps.scoring.domain.outcome import StageOutcome, reading
from apps.scoring.domain.overall import of_event
from apps.scoring.evidence import Archive, CrossingsOf, StageOfEntry, carried_units, crossings_on_record
from apps.scoring.inputs import EntryInputs, Inputs, load
from apps.scoring.plans import EventPlan
from apps.scoring.queries import Unit
from apps.scoring.results import scored
from apps.timing.domain.plan import StagePlan

ENTRIES_AT_ONCE = 25  # bounds memory
Key = tuple[str, str]  # entry, stage


@dataclass(frozen=True, slots=True)
class Projection:
    """Outcomes by (entry, stage), and the lines with their ranks: of each stage by its id, of the event."""

    outcomes: Mapping[Key, StageOutcome]
    stages: Mapping[str, tuple["Placed", ...]]
    event: tuple["Placed", ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A line and where it stands."""

    line: Line
    ranked: Ranked


def project(plan: EventPlan, inputs: Inputs, *, detecting: bool = True) -> Projection:
    """Score every entry of the inputs in every stage of the plan; `detecting` looks at the fixes for crossings,
    otherwise those on record are taken."""
    return _ranked(plan, inputs, project_outcomes(plan, inputs, detecting=detecting))


def project_outcomes(plan: EventPlan, inputs: Inputs, *, detecting: bool = True) -> dict[Key, StageOutcome]:
    """What every stage comes to for every entry of the inputs, not yet ranked."""
    outcomes: dict[Key, StageOutcome] = {}
    entries = sorted(inputs.entries)
    for first in range(0, len(entries), ENTRIES_AT_ONCE):
        some = {entry: inputs.entries[entry] for entry in entries[first : first + ENTRIES_AT_ONCE]}
        outcomes |= _outcomes(plan, Inputs(some, inputs.decisions), detecting)
    return outcomes


def _outcomes(plan: EventPlan, inputs: Inputs, detecting: bool) -> dict[Key, StageOutcome]:
    pairs = with_later_stages(plan, [(entry, stage) for entry in inputs.entries for stage in plan.stages])
    crossings = crossings_by_fixes(plan, inputs) if detecting else crossings_on_record
    found = scored(plan, pairs, Archive(inputs, pairs, crossings), Accounts(plan, {}))
    return {(one.outcome.entry, one.stage.id): one.outcome for one in found}


def outcome_from_fixes(plan: EventPlan, entry: str, stage: StagePlan) -> StageOutcome:
    """One entry in one stage, from its fixes up; earlier stages count as they are on record."""
    inputs, pairs = load(plan.event, [entry]), [(entry, stage)]
    archive = Archive(inputs, pairs, crossings_by_fixes(plan, inputs))
    return scored(plan, pairs, archive, Accounts.on_record(plan, [entry]))[0].outcome


def crossings_by_fixes(plan: EventPlan, inputs: Inputs) -> CrossingsOf:
    """Detects the crossings of (entry, stage) pairs, as they would be on record."""

    def find(of: Sequence[StageOfEntry]) -> dict[Key, Sequence[Crossing]]:
        stages = list({stage.id: stage for _, stage in of}.values())
        found: dict[Key, set[Crossing]] = {}
        for units in sliced(carried_units(plan, inputs.entries, stages)):
            detected = detect(fix_queries.unit_fixes(units), plan.course, plan.gap_limit_ms).crossings
            _sort_in(found, detected, (units, stages, inputs.entries))
        return {key: sorted(crossings, key=lambda c: (c.ts, c.device)) for key, crossings in found.items()}

    return find


def _sort_in(
    found: dict[Key, set[Crossing]],
    detected: Iterable[Crossing],
    of: tuple[Sequence[Unit], Sequence[StagePlan], Mapping[str, EntryInputs]],
) -> None:
    """Put each crossing to its entry and stage; the code of its device becomes its place among the entry's own."""
    units, stages, entries = of
    for crossing in detected:
        unit = units[crossing.device]
        own = replace(crossing, device=entries[unit.entry].devices().index(unit.device))
        for stage in stages:
            if stage.contains(crossing.ts):
                found.setdefault((unit.entry, stage.id), set()).add(own)


def _ranked(plan: EventPlan, inputs: Inputs, outcomes: Mapping[Key, StageOutcome]) -> Projection:
    lines = {stage.id: _lines(stage, inputs, outcomes) for stage in plan.stages}
    return Projection(
        outcomes,
        {stage: _placed(plan, of_stage) for stage, of_stage in lines.items()},
        _placed(plan, of_event(plan.stages, list(lines.values()))),
    )


def _lines(stage: StagePlan, inputs: Inputs, outcomes: Mapping[Key, StageOutcome]) -> list[Line]:
    """The lines of the competing entries that have done anything, or had anything decided about them."""
    return [
        stage_line(_reading(outcome, stage), known.who)
        for entry, known in inputs.entries.items()
        if known.competing and (outcome := outcomes[entry, stage.id]).status != "registered"
    ]


def _reading(outcome: StageOutcome, stage: StagePlan) -> Reading:
    return replace(reading(outcome), super_special=stage.super_special, overall_factor=stage.overall_factor)


def _placed(plan: EventPlan, lines: Sequence[Line]) -> tuple[Placed, ...]:
    by_entry = {line.entry: line for line in lines}
    ranking = classify(lines, plan.tie_rule, plan.complete_first)
    return tuple(Placed(by_entry[ranked.entry], ranked) for ranked in ranking)
