"""All that scoring needs beside the course, the rules and the fixes: read at once, and plain enough to be frozen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from apps.events.models import Entry
from apps.penalties import models as penalties
from apps.penalties.domain.decisions import Decision
from apps.penalties.domain.registry import Incident
from apps.scoring import queries
from apps.scoring.domain.lines import Competitor
from apps.timing.domain.marks import Grade, Mark, Source
from apps.timing.models import EntrySegmentStart, TimingRecord


@dataclass(frozen=True, slots=True)
class Carried:
    """A tracker an entry carried, by IMEI, from `low` to `high` (epoch ms, inclusive); the lowest priority first."""

    device: str
    low: int
    high: int
    priority: int


@dataclass(frozen=True, slots=True)
class EntryInputs:
    """What people said of one entry: who it is, what it carried, when it was to start, what was recorded by hand."""

    who: Competitor
    competing: bool
    carried: tuple[Carried, ...] = ()
    starts: Mapping[str, int] = field(default_factory=dict)
    marks: tuple[Mark, ...] = ()
    incidents: Mapping[str, tuple[Incident, ...]] = field(default_factory=dict)

    def devices(self) -> list[str]:
        """IMEIs in order of priority; the index of a device is its code."""
        first: dict[str, int] = {}
        for carried in self.carried:
            first[carried.device] = min(carried.priority, first.get(carried.device, carried.priority))
        return sorted(first, key=lambda device: (first[device], device))


@dataclass(frozen=True, slots=True)
class Inputs:
    """The entries by id, and the decisions in force, by number."""

    entries: Mapping[str, EntryInputs]
    decisions: tuple[Decision, ...]


def load(event: str, entries: Sequence[str]) -> Inputs:
    """The inputs of some entries of an event, with a fixed number of queries."""
    carried, starts, marks, incidents = _carried(event, entries), _starts(entries), _marks(entries), _incidents(entries)
    rows = Entry.objects.filter(id__in=entries, event_id=event).select_related("race_class")
    found = {
        str(row.id): EntryInputs(
            who=competitor(row),
            competing=row.competing,
            carried=tuple(carried.get(str(row.id), ())),
            starts=starts.get(str(row.id), {}),
            marks=tuple(marks.get(str(row.id), ())),
            incidents={stage: tuple(of) for stage, of in incidents.get(str(row.id), {}).items()},
        )
        for row in rows
    }
    return Inputs(found, tuple(decisions_in_force(event, entries)))


def competitor(row: Entry) -> Competitor:
    """Who an entry is, for the rankings."""
    return Competitor(
        entry=str(row.id),
        race_number=row.race_number,
        race_class=str(row.race_class_id),
        team=row.team,
        group=row.race_class.group,
        word=row.status,
    )


def _carried(event: str, entries: Sequence[str]) -> dict[str, list[Carried]]:
    found: dict[str, list[Carried]] = {}
    for entry, device, low, high, priority in queries.assignments(event, entries):
        found.setdefault(entry, []).append(Carried(device, low, high, priority))
    return found


def _starts(entries: Sequence[str]) -> dict[str, dict[str, int]]:
    """Assigned starts per entry: segment → ms."""
    starts: dict[str, dict[str, int]] = {}
    rows = EntrySegmentStart.objects.filter(entry_id__in=entries)
    for entry, segment, at in rows.values_list("entry_id", "segment_id", "target_at"):
        starts.setdefault(str(entry), {})[str(segment)] = milliseconds(at)
    return starts


def _marks(entries: Sequence[str]) -> dict[str, list[Mark]]:
    marks: dict[str, list[Mark]] = {}
    for row in TimingRecord.objects.filter(entry_id__in=entries, withdrawn_at=None).order_by("ts", "id"):
        mark = Mark(
            str(row.id), str(row.control), milliseconds(row.ts), Source(row.source), Grade(row.status), row.reason
        )
        marks.setdefault(str(row.entry_id), []).append(mark)
    return marks


def _incidents(entries: Sequence[str]) -> dict[str, dict[str, list[Incident]]]:
    incidents: dict[str, dict[str, list[Incident]]] = {}
    for row in penalties.EntryIncident.objects.filter(entry_id__in=entries, withdrawn_at=None).order_by("at", "id"):
        incident = Incident(str(row.id), row.kind, milliseconds(row.at), row.value_ms, row.note)
        incidents.setdefault(str(row.entry_id), {}).setdefault(str(row.stage_id), []).append(incident)
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
    """Epoch ms, to the nearest: a float of seconds may fall one short."""
    return round(at.timestamp() * 1000)
