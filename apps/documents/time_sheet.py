"""The time sheet of a stage: for the timekeepers, with what is on record and room for what is written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from apps.course.models import Segment, SegmentType, Stage
from apps.documents.paper import Column, Head, Paper, Section, duration, head_of, sealed
from apps.events.models import Entry, EntryStatus
from apps.scoring.inputs import milliseconds
from apps.scoring.models import StageResult
from apps.scoring.printed import crew_of, with_names
from apps.timing.models import EntrySegmentStart

_Starts = Mapping[tuple[str, str], tuple[int, int]]  # (entry, segment) → position, assigned instant
_Times = Mapping[tuple[str, str], Mapping[str, Any]]  # (entry, segment) → the segment as driven


@dataclass(frozen=True, slots=True)
class _Known:
    entries: Sequence[Entry]
    starts: _Starts
    times: _Times


def time_sheet(stage: Stage, now: datetime) -> Paper:
    """A table for each special stage, in order of the assigned starts; times as they are on record at `now`."""
    head = head_of(stage.event)
    segments = Segment.objects.filter(stage=stage, type=SegmentType.SPECIAL_STAGE)
    known = _Known(_field(stage), _starts(stage), _times(stage))
    return sealed(
        Paper(
            kind="time-sheet",
            title=_("Time sheet"),
            head=head,
            stage=stage.name,
            badge=_("working paper"),
            issued=now,
            columns=_columns(),
            sections=tuple(_section(head, segment, known) for segment in segments) or (Section("", ()),),
            facts=((_("Entries"), str(len(known.entries))), (_("Start of the stage"), head.at(stage.starts_at))),
            notes=(_("A time written by hand counts once it is entered at the timing desk."),),
            signatures=(_("Timekeeper"), _("Chief timekeeper")),
        )
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("position", _("Pos."), 5, wraps=False),
        Column("race_number", _("No."), 6, wraps=False, strong=True),
        Column("crew", _("Crew"), 28),
        Column("class", _("Class"), 7),
        Column("assigned_start", _("Assigned start"), 13, wraps=False),
        Column("actual_start", _("Start"), 13, wraps=False),
        Column("finish", _("Finish"), 13, wraps=False),
        Column("time", _("Time"), 12, wraps=False, strong=True),
        Column("remark", _("By hand"), 16),
    )


def _field(stage: Stage) -> list[Entry]:
    gone = (EntryStatus.WITHDRAWN, EntryStatus.RETIRED, EntryStatus.DSQ)
    return [entry for entry in with_names(str(stage.event_id)) if entry.competing and entry.status not in gone]


def _starts(stage: Stage) -> _Starts:
    rows = EntrySegmentStart.objects.filter(segment__stage=stage)
    found = rows.values_list("entry_id", "segment_id", "start_position", "target_at")
    return {(str(entry), str(segment)): (position, milliseconds(at)) for entry, segment, position, at in found}


def _times(stage: Stage) -> _Times:
    rows = StageResult.objects.filter(stage=stage).values_list("entry_id", "outcome__segments")
    return {(str(entry), one["segment"]): one for entry, segments in rows for one in segments or ()}


def _section(head: Head, segment: Segment, known: _Known) -> Section:
    last = len(known.entries) + 1
    order = {str(e.id): known.starts.get((str(e.id), str(segment.id)), (last, 0))[0] for e in known.entries}
    lined_up = sorted(known.entries, key=lambda e: (order[str(e.id)], e.race_number))
    return Section(str(segment), tuple(_row(head, entry, str(segment.id), known) for entry in lined_up))


def _row(head: Head, entry: Entry, segment: str, known: _Known) -> tuple[str, ...]:
    key = (str(entry.id), segment)
    position, assigned = known.starts.get(key, (None, None))
    driven = known.times.get(key, {})
    return (
        "" if position is None else str(position),
        str(entry.race_number),
        crew_of(entry),
        entry.race_class.code,
        head.time(assigned),
        head.time(driven.get("driven_ts") or driven.get("start_ts")),
        head.time(driven.get("finish_ts")),
        duration(driven.get("net_ms")),
        "",
    )
