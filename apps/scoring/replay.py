"""Stored positions through the scoring domain again, in memory: nothing is written, nothing locked.

A replay takes the evidence of a tape (entries of an event with all people said of them, or bare trackers) and the
course and rules of an event: the same one, after an edit, or another one, to prove a new course with a past race. Over
another course the tape counts as if it had been recorded at the time of that course (`shift_ms`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from apps.events.models import Entry, RaceClass
from apps.scoring import queries
from apps.scoring.board import event_values
from apps.scoring.domain.classification import Line, Ranked, classify
from apps.scoring.domain.lines import Competitor, Reading, stage_line
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.overall import of_event
from apps.scoring.domain.status import Status
from apps.scoring.dry_run import Difference, compare, held
from apps.scoring.inputs import Carried, EntryInputs, Inputs, load
from apps.scoring.models import EventResult, StageResult
from apps.scoring.plans import END_OF_TIME, EventPlan, load_plan
from apps.scoring.projection import ENTRIES_AT_ONCE, project_outcomes
from apps.timing.domain.plan import StagePlan


@dataclass(frozen=True, slots=True)
class Tape:
    """What is replayed over the course of the event `course`: entries of `source`, or else `devices` by IMEI.

    `low` and `high` bound the recorded instants (epoch ms, inclusive). `shift_ms` is added to them. Plain values, so
    that a part of a tape can travel to a worker.
    """

    course: str
    source: str = ""
    entries: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    low: int = 0
    high: int = END_OF_TIME
    shift_ms: int = 0

    def parts(self, size: int = ENTRIES_AT_ONCE) -> "Iterator[Tape]":
        """The tape in pieces of some entries or devices each."""
        for name in ("entries", "devices"):
            whole = getattr(self, name)
            for first in range(0, len(whole), size):
                none = {"entries": (), "devices": ()}
                yield replace(self, **none | {name: whole[first : first + size]})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "Tape":
        return Tape(**{**values, "entries": tuple(values["entries"]), "devices": tuple(values["devices"])})


@dataclass(frozen=True, slots=True)
class Run:
    """What a stage came to for one entry; times in ms; `missed` are ids of waypoints, `who` a Competitor."""

    entry: str
    race_number: int
    stage: str
    status: str
    time_ms: int | None
    penalty_ms: int
    overall_penalty_ms: int
    start_order_penalty_ms: int
    total_ms: int | None
    splits: tuple[int | None, ...]
    missed: tuple[str, ...]
    who: Mapping[str, Any] = field(default_factory=dict)

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> "Run":
        return Run(**{**values, "splits": tuple(values["splits"]), "missed": tuple(values["missed"])})


def run(tape: Tape) -> list[Run]:
    """The runs of every stage in which an entry of the tape did anything. Raises ValueError for a broken course."""
    plan = shifted(load_plan(tape.course), tape.shift_ms)
    inputs = _inputs(tape)
    found = project_outcomes(plan, inputs)
    return [
        _run(outcome, stage, inputs.entries[entry].who)
        for (entry, stage), outcome in found.items()
        if outcome.status != Status.REGISTERED and inputs.entries[entry].competing
    ]


def shifted(plan: EventPlan, shift_ms: int) -> EventPlan:
    """The same course at another time: instead of every fix the few instants of the course are moved."""
    if not shift_ms:
        return plan
    stages = tuple(
        replace(
            stage,
            from_ts=stage.from_ts - shift_ms,
            to_ts=None if stage.to_ts is None else stage.to_ts - shift_ms,
            segments=tuple(
                replace(
                    segment,
                    waypoints=tuple(
                        replace(point, closes_ts=None if point.closes_ts is None else point.closes_ts - shift_ms)
                        for point in segment.waypoints
                    ),
                )
                for segment in stage.segments
            ),
        )
        for stage in plan.stages
    )
    return replace(plan, stages=stages)


def _inputs(tape: Tape) -> Inputs:
    """The evidence of a tape. What people said names stages and controls of the source: it counts on its own course."""
    if tape.devices:
        return Inputs({device: _bare(n, device, tape) for n, device in enumerate(tape.devices, start=1)}, ())
    inputs = load(tape.source, tape.entries)
    own = tape.course == tape.source
    classes = {} if own else _classes(tape)
    entries = {
        entry: replace(known if own else _foreign(known, classes), carried=tuple(_cut(known.carried, tape)))
        for entry, known in inputs.entries.items()
    }
    return Inputs(entries, inputs.decisions if own else ())


def _bare(number: int, device: str, tape: Tape) -> EntryInputs:
    who = Competitor(entry=device, race_number=number, race_class="")
    return EntryInputs(who, competing=True, carried=(Carried(device, tape.low, tape.high, 1),))


def _foreign(known: EntryInputs, classes: Mapping[str, str]) -> EntryInputs:
    who = replace(known.who, race_class=classes.get(known.who.race_class, ""), word="")
    return EntryInputs(who, known.competing, known.carried)


def _classes(tape: Tape) -> dict[str, str]:
    """The classes of the source by those of the course with the same code."""
    here = dict(RaceClass.objects.filter(event_id=tape.course).values_list("code", "id"))
    rows = RaceClass.objects.filter(event_id=tape.source).values_list("id", "code")
    return {str(id): str(here[code]) for id, code in rows if code in here}


def _cut(carried: Sequence[Carried], tape: Tape) -> Iterator[Carried]:
    for one in carried:
        low, high = max(one.low, tape.low), min(one.high, tape.high)
        if low <= high:
            yield replace(one, low=low, high=high)


def _run(outcome: StageOutcome, stage: str, who: Competitor) -> Run:
    return Run(
        entry=who.entry,
        race_number=who.race_number,
        stage=stage,
        status=outcome.status.value,
        time_ms=outcome.time_ms,
        penalty_ms=outcome.penalty_ms,
        overall_penalty_ms=outcome.overall_penalty_ms,
        start_order_penalty_ms=outcome.start_order_penalty_ms,
        total_ms=outcome.total_ms,
        splits=outcome.splits,
        missed=outcome.missed,
        who=asdict(who),
    )


@dataclass(frozen=True, slots=True)
class Board:
    """Runs with their ranks: of each stage in driving order, by its id; and the event's lines with theirs."""

    plan: EventPlan
    stages: Mapping[str, tuple[tuple[Ranked, Run], ...]]
    event: tuple[tuple[Ranked, Line], ...]


def board(course: str, runs: Sequence[Run]) -> Board:
    """Rank runs, however many parts of a tape they come from."""
    plan = load_plan(course)
    stages: dict[str, tuple[tuple[Ranked, Run], ...]] = {}
    tables = []
    for stage in plan.stages:
        mine = {one.entry: one for one in runs if one.stage == stage.id}
        lines = [_line(one, stage) for one in mine.values()]
        stages[stage.id] = tuple((ranked, mine[ranked.entry]) for ranked in _ranked(plan, lines))
        tables.append(lines)
    event = {line.entry: line for line in of_event(plan.stages, tables)}
    return Board(plan, stages, tuple((ranked, event[ranked.entry]) for ranked in _ranked(plan, list(event.values()))))


def _ranked(plan: EventPlan, lines: Sequence[Line]) -> tuple[Ranked, ...]:
    return classify(lines, plan.tie_rule, plan.complete_first)


def _line(one: Run, stage: StagePlan) -> Line:
    reading = Reading(
        Status(one.status), one.total_ms, one.splits, one.penalty_ms, one.overall_penalty_ms,
        one.start_order_penalty_ms, stage.super_special, stage.overall_factor,
    )  # fmt: skip
    return stage_line(reading, Competitor(**one.who))


def differences(seen: Board, entries: Sequence[str]) -> Iterator[Difference]:
    """Where a replay over the tape's own course differs from the results on record of these entries."""
    rows = Entry.objects.filter(id__in=entries).values_list("id", "race_number")
    numbers = {str(entry): number for entry, number in rows}
    for stage in seen.plan.stages:
        old = held(StageResult.objects.filter(stage_id=stage.id, entry_id__in=entries))
        new = {one.entry: _ranks(ranked) | _values(one) for ranked, one in seen.stages[stage.id]}
        yield from compare(stage.name, numbers, old, new)
    old = held(EventResult.objects.filter(event_id=seen.plan.event, entry_id__in=entries))
    new = {line.entry: _ranks(ranked) | event_values(line) for ranked, line in seen.event}
    yield from compare("", numbers, old, new)


def _ranks(ranked: Ranked) -> dict[str, Any]:
    return {"rank": ranked.rank, "class_rank": ranked.class_rank}


def _values(one: Run) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ("status", "time_ms", "penalty_ms", "total_ms")}


def competing_entries(event: str, numbers: Sequence[int] = ()) -> tuple[str, ...]:
    """The entries of an event, or those of some race numbers. Raises LookupError naming the numbers it has not."""
    if not numbers:
        return tuple(queries.event_entries(event))
    rows = dict(Entry.objects.filter(event_id=event, race_number__in=numbers).values_list("race_number", "id"))
    missing = sorted(set(numbers) - rows.keys())
    if missing:
        raise LookupError(f"no race number {', '.join(map(str, missing))}")
    return tuple(str(rows[number]) for number in numbers)
