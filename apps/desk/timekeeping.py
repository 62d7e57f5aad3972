"""What the timing desk reads and writes: the field of a control, the doubts about a typed time, the record."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.common.position import instant
from apps.course.models import Stage
from apps.desk import queries
from apps.desk.domain import clock
from apps.desk.domain.field import OUT_WORDS
from apps.desk.domain.ordering import Doubt, Known, Typed, doubts
from apps.desk.road import Spot, spots, stage_plan
from apps.events.models import Entry, TimingSource
from apps.racelog.domain.log import stage_state
from apps.racelog.queries import state_lines
from apps.scoring.inputs import milliseconds
from apps.timing.models import EntryCrossing, EntrySegmentStart, TimingRecord

SOURCES = (TimingSource.TIMEKEEPER, TimingSource.MARSHAL, TimingSource.CARD, TimingSource.BEAM)
SHOWN = 40

WORDS: dict[str, Any] = {
    "out": gettext_lazy("%(number)s is out of the event."),
    "future": gettext_lazy("That time has not come yet."),
    "outside": gettext_lazy("That is outside the time of this stage."),
    "before-earlier": gettext_lazy("%(number)s passed %(control)s only at %(time)s, which comes before this control."),
    "after-later": gettext_lazy("%(number)s was at %(control)s, which comes after this control, already at %(time)s."),
    "before-start": gettext_lazy("%(number)s is to start at %(time)s."),
    "held": gettext_lazy("The starts are held since %(time)s."),
    "again": gettext_lazy("%(number)s has a time here already: %(time)s."),
    "far-from-gps": gettext_lazy("GPS saw %(number)s here at %(time)s."),
}


class RefusedError(ValueError):
    """An entry of the desk that cannot be written; the message says why and names the field."""


@dataclass(frozen=True, slots=True)
class Said:
    """What an official typed: a number and a time of day at a control; `at` (epoch ms) is when they did."""

    id: UUID
    number: str
    time: str
    control: str
    source: str
    at: int
    accepted: frozenset[str] = frozenset()  # codes of the doubts they were shown, and wrote it all the same


@dataclass(frozen=True, slots=True)
class Read:
    """The same, understood."""

    said: Said
    entry: Entry
    ts: int
    doubts: Mapping[str, str] = field(default_factory=dict)  # code → sentence

    @property
    def instant(self) -> datetime:
        return instant(self.ts)

    @property
    def to_ask(self) -> dict[str, str]:
        """The doubts that were not shown yet."""
        return {code: text for code, text in self.doubts.items() if code not in self.said.accepted}


def understand(stage: Stage, said: Said) -> Read:
    """What was typed as an entry and an instant, with every doubt in words. Raises RefusedError."""
    entry = Entry.objects.filter(event=stage.event_id, race_number=_number(said.number)).first()
    if entry is None:
        raise RefusedError(_("number: there is no entry %(number)s.") % {"number": said.number})
    plan, road = stage_plan(stage), spots(stage)
    if said.control not in {spot.id for spot in road}:
        raise RefusedError(_("control: %(stage)s has no such control.") % {"stage": stage.name})
    if said.source not in SOURCES:
        raise RefusedError(_("source: %(source)s is none of this desk.") % {"source": said.source})
    ts = _instant(said, plan.from_ts, plan.to_ts)
    typed = Typed(said.control, ts, [spot.id for spot in road], (plan.from_ts, plan.to_ts))
    found = doubts(typed, known(stage, entry, plan.from_ts, plan.to_ts), milliseconds(timezone.now()))
    names = {spot.id: spot.name for spot in road}
    found = [*found, *_held(stage, said, road, ts)]
    return Read(said, entry, ts, {doubt.code: tell(doubt, entry.race_number, names) for doubt in found})


def _held(stage: Stage, said: Said, road: Sequence[Spot], ts: int) -> Iterator[Doubt]:
    """Whether it would be a start while nobody may start."""
    at_start = any(spot.id == said.control and spot.end == "start" for spot in road)
    since = stage_state(state_lines(stage.event_id), str(stage.pk)).since if at_start else None
    if since is not None and ts >= since:
        yield Doubt("held", said.control, since)


def tell(doubt: Doubt, number: int, names: Mapping[str, str]) -> str:
    """A doubt as a sentence."""
    at = "" if doubt.ts is None else f"{timezone.localtime(instant(doubt.ts)):%H:%M:%S.%f}"[:-5].removesuffix(".0")
    return str(WORDS[doubt.code]) % {"number": number, "control": names.get(doubt.control, ""), "time": at}


def known(stage: Stage, entry: Entry, from_ts: int, to_ts: int | None) -> Known:
    """What is on record of an entry in a stage's window."""
    crossings = EntryCrossing.objects.filter(entry=entry, ts__gte=from_ts).exclude(direction="leave")
    records = TimingRecord.objects.filter(entry=entry, withdrawn_at=None, ts__gte=instant(from_ts))
    if to_ts is not None:
        crossings, records = crossings.filter(ts__lte=to_ts), records.filter(ts__lte=instant(to_ts))
    starts = EntrySegmentStart.objects.filter(entry=entry, segment__stage=stage).order_by("target_at")
    target = starts.values_list("target_at", flat=True).first()
    return Known(
        gps=_by_control(crossings.values_list("control", "ts")),
        recorded=_by_control((control, milliseconds(at)) for control, at in records.values_list("control", "ts")),
        target_ts=None if target is None else milliseconds(target),
        out=entry.status in OUT_WORDS,
    )


def recent(stage: Stage, control: str) -> list[TimingRecord]:
    """What was last written at a control in a stage, newest first, withdrawn ones too."""
    plan = stage_plan(stage)
    rows = TimingRecord.objects.filter(entry__event=stage.event_id, control=control, ts__gte=instant(plan.from_ts))
    if plan.to_ts is not None:
        rows = rows.filter(ts__lte=instant(plan.to_ts))
    return list(rows.select_related("entry", "author").order_by("-created_at")[:SHOWN])


def as_row(record: TimingRecord) -> dict[str, Any]:
    """A record as the desk's list shows it."""
    return {
        "id": str(record.pk),
        "state": "withdrawn" if record.withdrawn_at else "written",
        "number": record.entry.race_number,
        "ts": milliseconds(record.ts),
        "time": f"{timezone.localtime(record.ts):%H:%M:%S.%f}"[:-5].removesuffix(".0"),
        "day": f"{timezone.localtime(record.ts):%d.%m.}",
        "source": str(TimingSource(record.source).label),
        "author": str(record.author or ""),
        "reason": record.withdrawn_reason,
    }


def due(stage: Stage, control: Spot) -> list[dict[str, Any]]:
    """Who is still to come to a control, in the order of start: not home, not out, and not seen there yet."""
    return [
        {"number": row.number, "crew": row.crew, "target": row.target_ts}
        for row in queries.due(str(stage.pk), control.id)
    ]


def _instant(said: Said, from_ts: int, to_ts: int | None) -> int:
    """The typed time on the day that brings it nearest to when it was typed, or to the stage when that is over."""
    try:
        typed = clock.read(said.time)
    except ValueError as error:
        raise RefusedError(
            _("time: %(text)s is no time; type 10:23:45.6 or 102345.") % {"text": said.time or "–"}
        ) from error
    last = to_ts if to_ts is not None else from_ts + 24 * 3_600_000
    around = min(max(said.at, from_ts), last)
    return clock.nearest(typed, around, timezone.get_current_timezone())


def _number(text: str) -> int:
    try:
        return int(text.strip())
    except ValueError as error:
        raise RefusedError(_("number: %(text)s is no race number.") % {"text": text or "–"}) from error


def _by_control(pairs: Any) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for control, ts in pairs:
        found.setdefault(str(control), []).append(ts)
    return found
