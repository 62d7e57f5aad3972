"""The evidence of many entries and what was decided about them, read with a fixed number of queries."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from django.db.models import Q

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.events.models import Entry
from apps.penalties import models as penalties
from apps.penalties.domain.decisions import Decision, overlay
from apps.penalties.domain.registry import Before, Incident
from apps.scoring import fix_queries, queries
from apps.scoring.domain.stage import Evidence
from apps.scoring.plans import END_OF_TIME, EventPlan
from apps.timing.domain.marks import Grade, Mark, Source
from apps.timing.domain.plan import StagePlan
from apps.timing.models import EntrySegmentStart, TimingRecord

StageOfEntry = tuple[str, StagePlan]
CrossingsOf = Callable[[Sequence[StageOfEntry]], Mapping[tuple[str, str], Sequence[Crossing]]]
T = TypeVar("T")


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
        self, plan: EventPlan, of: Sequence[StageOfEntry], crossings: CrossingsOf = crossings_on_record
    ) -> None:
        entries = sorted({entry for entry, _ in of})
        rows = Entry.objects.filter(id__in=entries).values_list("id", "race_class_id", "status")
        self._entries = {str(row[0]): (str(row[1]), row[2]) for row in rows}
        self._crossings = crossings(of)
        self._starts = _starts(entries)
        self._marks = _marks(entries)
        self._incidents = _incidents(entries)
        self._decisions = decisions_in_force(plan.event, entries)
        self._fixes = self._zone_fixes(of, queries.entry_devices(entries))

    def of(self, entry: str, stage: StagePlan, before: Before) -> Evidence:
        """What is known of one entry in one stage; `before` is what earlier stages put on its account."""
        race_class, status = self._entries[entry]
        decided = [d for d in self._decisions if d.binds(entry, race_class, stage.id)]
        return Evidence(
            entry=entry,
            race_class=race_class,
            crossings=tuple(self._crossings.get((entry, stage.id), ())),
            fixes=self._fixes[entry, stage.id],
            assigned_starts=self._starts.get(entry, {}),
            status=status,
            overlay=overlay(decided),
            marks=tuple(mark for mark in self._marks.get(entry, ()) if stage.contains(mark.ts)),
            incidents=tuple(self._incidents.get((entry, stage.id), ())),
            before=before,
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
            stretch = zone_span(stage, self._crossings.get((entry, stage.id), ()))
            if stretch:
                imeis = devices.get(entry, ())
                spans += [(first + n, imei, *stretch) for n, imei in enumerate(imeis)]
            slices[entry, stage.id] = range(first, len(spans))
        fixes = fix_queries.span_fixes(spans)
        return {key: _of_devices(fixes, codes) for key, codes in slices.items()}


def span(entry: str, stage: StagePlan) -> tuple[str, int, int]:
    """(entry, from ms, to ms) of a stage's window."""
    return entry, stage.from_ts, END_OF_TIME if stage.to_ts is None else stage.to_ts


def zone_span(stage: StagePlan, crossings: Iterable[Crossing]) -> tuple[int, int] | None:
    """The instants (ms) between which a speed limit may have bound the entry in the stage, if one ever did.

    From the first crossing of a zone's control to the last one; from the stage's beginning where the record
    begins inside, to its end while the crew is still inside. The whole stage where a segment has a limit of its own.
    """
    seen = list(crossings)
    if seen and any(segment.limit_kmh or segment.class_limits for segment in stage.segments):
        return span("", stage)[1:]
    zones = [zone for segment in stage.segments for zone in segment.zones]
    spans = [found for zone in zones if (found := _one_span(stage, zone.controls(), seen))]
    return (min(s[0] for s in spans), max(s[1] for s in spans)) if spans else None


def _one_span(stage: StagePlan, controls: Sequence[str], crossings: Iterable[Crossing]) -> tuple[int, int] | None:
    seen = sorted((c for c in crossings if c.control in controls), key=lambda c: c.ts)
    if not seen:
        return None
    begins_inside = len(controls) == 1 and seen[0].direction is Direction.LEAVE
    closed = seen[-1].control == controls[-1] and seen[-1].direction is Direction.LEAVE
    end = span("", stage)[2]
    return stage.from_ts if begins_inside else seen[0].ts, seen[-1].ts if closed else end


def _of_devices(fixes: Fixes, codes: range) -> Fixes:
    mine = (fixes.device >= codes.start) & (fixes.device < codes.stop)
    return Fixes.build(
        fixes.device[mine] - codes.start, fixes.ts[mine], fixes.lat[mine], fixes.lon[mine], fixes.speed[mine]
    )


def _starts(entries: Sequence[str]) -> dict[str, dict[str, int]]:
    """Assigned starts per entry: segment → ms."""
    starts: dict[str, dict[str, int]] = {}
    rows = EntrySegmentStart.objects.filter(entry_id__in=entries)
    for entry, segment, at in rows.values_list("entry_id", "segment_id", "target_at"):
        starts.setdefault(str(entry), {})[str(segment)] = milliseconds(at)
    return starts


def _marks(entries: Sequence[str]) -> dict[str, list[Mark]]:
    """Times recorded beside GPS; a GPS row among them is no evidence of its own but a crossing somebody graded."""
    marks: dict[str, list[Mark]] = {}
    for row in TimingRecord.objects.filter(entry_id__in=entries):
        mark = Mark(
            str(row.id), str(row.control), milliseconds(row.ts), Source(row.source), Grade(row.status), row.reason
        )
        marks.setdefault(str(row.entry_id), []).append(mark)
    return marks


def _incidents(entries: Sequence[str]) -> dict[tuple[str, str], list[Incident]]:
    incidents: dict[tuple[str, str], list[Incident]] = {}
    for row in penalties.EntryIncident.objects.filter(entry_id__in=entries, withdrawn_at=None):
        incident = Incident(str(row.id), row.kind, milliseconds(row.at), row.value_ms, row.note)
        incidents.setdefault((str(row.entry_id), str(row.stage_id)), []).append(incident)
    return incidents


def decisions_in_force(event: str, entries: Sequence[str]) -> list[Decision]:
    """The event's decisions that bind any of these entries, revoked ones left out, by number."""
    mine = Q(entry_id__in=entries) | Q(entry=None)
    rows = penalties.Decision.objects.filter(mine, event_id=event, revoked_at=None).order_by("number")
    return [as_decision(row) for row in rows]


def as_decision(row: penalties.Decision) -> Decision:
    """A decision as the pure domain knows it."""
    return Decision(
        id=str(row.id),
        number=row.number,
        kind=row.kind,
        params=row.params,
        entry=_identity(row.entry_id),
        race_class=_identity(row.race_class_id),
        stage=_identity(row.stage_id),
        article=row.article,
        reason=row.reason,
    )


def _identity(value: object) -> str:
    return "" if value is None else str(value)


def milliseconds(at: datetime) -> int:
    """Epoch ms; exact, where multiplying a float of seconds may fall one short."""
    return round(at.timestamp() * 1000)
