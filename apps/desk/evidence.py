"""From a number shown to what it rests on: a result's times, the crossings and records behind them, their fixes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from apps.common.position import instant
from apps.course.domain.controls import Control
from apps.course.models import Stage
from apps.desk import fix_queries
from apps.desk.drawing import Dot, Drawing, Scene, draw
from apps.desk.fix_queries import FixRow
from apps.desk.telling import told
from apps.desk.templatetags.desk import exactly
from apps.events.models import Entry, TimingSource
from apps.scoring.inputs import milliseconds
from apps.scoring.models import StageResult
from apps.scoring.plans import EventPlan, event_plan
from apps.timing.domain.plan import SegmentPlan, StagePlan
from apps.timing.models import EntryCrossing, TimingRecord

AROUND_MS = 30_000
MOST_FIXES = 400


@dataclass(frozen=True, slots=True)
class Passing:
    """A crossing or a recorded time at a control, on one line of the same list."""

    ts: int
    control: str
    name: str
    crossing: EntryCrossing | None = None
    record: TimingRecord | None = None


@dataclass(frozen=True, slots=True)
class End:
    """An end of a segment: its instant, where that comes from in words, and what it was read from.

    Neither a crossing nor a record where it was `assigned` by the start list, or decided.
    """

    ts: int | None
    source: str
    proof: Passing | None = None
    assigned: bool = False


@dataclass(frozen=True, slots=True)
class Time:
    """A segment as an entry drove it."""

    name: str
    special: bool
    start: End
    finish: End
    net_ms: int | None
    words: Sequence[str]


def plan_of(stage: Stage) -> tuple[EventPlan, StagePlan]:
    """The event's plan and the stage in it. Raises ValueError for a course that cannot be read."""
    plan = event_plan(str(stage.event_id))
    return plan, next(one for one in plan.stages if one.id == str(stage.pk))


def times(result: StageResult | None, stage: Stage, passed: Sequence[Passing]) -> list[Time]:
    """The segments of a result with the instants their times come from, among what was `passed`; none without one."""
    plan, of_stage = plan_of(stage)
    names = {str(segment.pk): str(segment) for segment in stage.segments.all()}
    segments = {segment.id: segment for segment in of_stage.segments}
    told = (result.outcome.get("segments") or []) if result else []
    return [_time(one, segments.get(one["segment"]), (names, plan.names), passed) for one in told]


def passings(entry: Entry, stage: Stage) -> list[Passing]:
    """Every crossing and every record of an entry in a stage's window, by time; withdrawn records too."""
    plan, of_stage = plan_of(stage)
    crossings = EntryCrossing.objects.filter(entry=entry, ts__gte=of_stage.from_ts)
    records = TimingRecord.objects.filter(entry=entry, ts__gte=instant(of_stage.from_ts)).select_related("author")
    if of_stage.to_ts is not None:
        crossings, records = crossings.filter(ts__lte=of_stage.to_ts), records.filter(ts__lte=instant(of_stage.to_ts))
    found = [*_of_crossings(crossings, plan.names), *_of_records(records, plan.names)]
    return sorted(found, key=lambda one: one.ts)


def fixes_around(crossing: EntryCrossing) -> list[FixRow]:
    """The fixes of the crossing's device, half a minute on each side of its chord."""
    return fix_queries.fixes(
        crossing.device, crossing.before_ts - AROUND_MS, crossing.after_ts + AROUND_MS, MOST_FIXES
    )  # fmt: skip


def drawn(crossing: EntryCrossing, fixes: Sequence[FixRow]) -> Drawing | None:
    """The crossing on a plan: its control, its chord, the place it cuts, and the fixes around."""
    ends = {crossing.before_ts, crossing.after_ts}
    dots = [dot(fix, own=fix.ts in ends) for fix in fixes]
    chord = {fix.ts: (fix.lat, fix.lon) for fix in fixes if fix.ts in ends}
    whole = (chord[crossing.before_ts], chord[crossing.after_ts]) if len(chord) == 2 else None
    control = control_of(crossing)
    return draw(Scene(dots, [control] if control else [], whole, _between(whole, crossing.fraction)))


def dot(fix: FixRow, *, own: bool = False) -> Dot:
    """A fix to be drawn, with what it says when touched."""
    title = _("%(at)s, %(speed)s km/h, %(satellites)s satellites") % {
        "at": exactly(fix.ts), "speed": f"{fix.speed:g}", "satellites": fix.satellites,
    }  # fmt: skip
    return Dot(fix.lat, fix.lon, "faulty" if fix.faulty else "own" if own else "", title)


def control_of(crossing: EntryCrossing) -> Control | None:
    """The control as the course has it now; None where it is gone."""
    plan = event_plan(str(crossing.entry.event_id))
    return next((one for one in plan.controls if one.id == str(crossing.control)), None)


def _time(
    one: Mapping[str, Any],
    segment: SegmentPlan | None,
    names: tuple[Mapping[str, str], ...],
    passed: Sequence[Passing],
) -> Time:
    of_segments, of_controls = names
    return Time(
        name=of_segments.get(str(one["segment"]), ""),
        special=bool(segment and segment.special),
        start=_end(one, "start", segment.start if segment else None, passed),
        finish=_end(one, "finish", segment.finish if segment else None, passed),
        net_ms=one.get("net_ms"),
        words=[_word(str(text), of_controls) for text in (one.get("note"), *(one.get("reviews") or ())) if text],
    )


def _end(one: Mapping[str, Any], end: str, point: Any, passed: Sequence[Passing]) -> End:
    ts, source = one.get(f"{end}_ts"), str(one.get(f"{end}_source") or "")
    control = point.control if point else ""
    here = [passing for passing in passed if passing.ts == ts and passing.control == control]
    proof = next((passing for passing in here if (passing.crossing is None) == (source != "gps")), None)
    label = dict(TimingSource.choices).get(source, _("assigned") if source == "assigned" else source)
    return End(ts, str(label), proof, source == "assigned")


def _word(text: str, names: Mapping[str, str]) -> str:
    """A note or a review of a segment in words, with the end it is about in front."""
    end, _colon, rest = text.partition(": ")
    ends = {"start": _("start"), "finish": _("finish")}
    return f"{ends[end]}: {told(rest, names)}" if end in ends and rest else told(text, names)


def _of_crossings(crossings: Any, names: Mapping[str, str]) -> Iterator[Passing]:
    for row in crossings:
        yield Passing(row.ts, str(row.control), names.get(str(row.control), _("a control that is gone")), crossing=row)


def _of_records(records: Any, names: Mapping[str, str]) -> Iterator[Passing]:
    for row in records:
        name = names.get(str(row.control), _("a control that is gone"))
        yield Passing(milliseconds(row.ts), str(row.control), name, record=row)


def _between(chord: tuple[tuple[float, float], tuple[float, float]] | None, part: float) -> tuple[float, float] | None:
    if chord is None:
        return None
    (lat_a, lon_a), (lat_b, lon_b) = chord
    return lat_a + part * (lat_b - lat_a), lon_a + part * (lon_b - lon_a)
