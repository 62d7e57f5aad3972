"""The evidence of many entries: what was recorded of them, and what was decided about them."""

from collections.abc import Callable, Mapping, Sequence

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.decisions import overlay
from apps.penalties.domain.registry import Before
from apps.scoring import queries
from apps.scoring.domain.reach import Stretch, zone_stretches
from apps.scoring.domain.readings import Evidence, missed_stretches
from apps.scoring.fix_queries import Span, span_fixes
from apps.scoring.inputs import EntryInputs, Inputs
from apps.scoring.plans import END_OF_TIME, EventPlan
from apps.scoring.queries import Unit
from apps.timing.domain.plan import StagePlan

StageOfEntry = tuple[str, StagePlan]
CrossingsOf = Callable[[Sequence[StageOfEntry]], Mapping[tuple[str, str], Sequence[Crossing]]]
FixesOf = Callable[[Sequence[Span]], Fixes]
StretchesOf = Callable[[str, StagePlan], Sequence[Stretch]]


def crossings_on_record(of: Sequence[StageOfEntry]) -> dict[tuple[str, str], Sequence[Crossing]]:
    """The stored crossings of each (entry, stage)."""
    found: dict[tuple[str, str], Sequence[Crossing]] = {}
    for stage in {stage.id: stage for _, stage in of}.values():
        spans = [span(entry, stage) for entry, s in of if s is stage]
        found |= {(entry, stage.id): crossings for entry, crossings in queries.entry_crossings(spans).items()}
    return found


class Archive:
    """All that is known of some (entry, stage) pairs of one event."""

    def __init__(
        self,
        inputs: Inputs,
        of: Sequence[StageOfEntry],
        crossings: CrossingsOf = crossings_on_record,
        fixes: FixesOf = span_fixes,
    ) -> None:
        self._inputs = inputs
        self._crossings = crossings(of)
        self._around_missed: dict[tuple[str, str], Fixes] = {}
        self._fixes = self._read(of, self._zone_stretches, fixes)
        self._around_missed = self._read(of, self._missed_stretches, fixes)

    def of(self, entry: str, stage: StagePlan, before: Before) -> Evidence:
        """What is known of one entry in one stage; `before` is what earlier stages put on its account."""
        known = self._inputs.entries[entry]
        who = known.who
        decided = [d for d in self._inputs.decisions if d.binds(entry, who.race_class, stage.id)]
        return Evidence(
            entry=entry,
            race_class=who.race_class,
            crossings=tuple(self._crossings.get((entry, stage.id), ())),
            fixes=self._fixes[entry, stage.id],
            assigned_starts=known.starts,
            status=who.word,
            overlay=overlay(decided),
            marks=tuple(mark for mark in known.marks if stage.contains(mark.ts)),
            incidents=known.incidents.get(stage.id, ()),
            before=before,
            around_missed=self._around_missed.get((entry, stage.id)),
        )

    def _zone_stretches(self, entry: str, stage: StagePlan) -> list[Stretch]:
        """The entry's stays in speed zones: all that these can need."""
        return zone_stretches(stage, self._crossings.get((entry, stage.id), ()), span(entry, stage)[2])

    def _missed_stretches(self, entry: str, stage: StagePlan) -> list[Stretch]:
        return missed_stretches(stage, self.of(entry, stage, Before()))

    def _read(
        self, of: Sequence[StageOfEntry], stretches_of: StretchesOf, fixes_of: FixesOf
    ) -> dict[tuple[str, str], Fixes]:
        """The fixes of some stretches of each (entry, stage), by the trackers it carried then.

        Asked at once: a device code of its own for each device of each (entry, stage).
        """
        spans: list[Span] = []
        codes: dict[tuple[str, str], range] = {}
        first = 0
        for entry, stage in of:
            known = self._inputs.entries[entry]
            devices = {device: first + n for n, device in enumerate(known.devices())}
            spans += [
                (devices[c.device], c.device, max(low, c.low), min(high, c.high))
                for low, high in stretches_of(entry, stage)
                for c in known.carried
                if c.low <= high and c.high >= low
            ]
            codes[entry, stage.id] = range(first, first + len(devices))
            first += len(devices)
        fixes = fixes_of(spans)
        return {key: fixes.of_devices(mine) for key, mine in codes.items()}


def carried_units(plan: EventPlan, entries: Mapping[str, EntryInputs], stages: Sequence[StagePlan]) -> list[Unit]:
    """All that the entries' trackers recorded from the first of these stages to the end of the last."""
    if not stages:
        return []
    margin = plan.gap_limit_ms
    low = min(stage.from_ts for stage in stages) - margin
    high = END_OF_TIME if any(s.to_ts is None for s in stages) else max(s.to_ts or 0 for s in stages) + margin
    return [
        Unit(entry, plan.event, c.device, max(c.low, low), min(c.high, high), c.low, c.high)
        for entry, known in entries.items()
        for c in known.carried
        if c.low <= high and c.high >= low
    ]


def span(entry: str, stage: StagePlan) -> tuple[str, int, int]:
    """(entry, from ms, to ms) of a stage's window."""
    return entry, stage.from_ts, END_OF_TIME if stage.to_ts is None else stage.to_ts
