"""What the evidence of one entry shows in one stage, before rules and statuses."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.decisions import Overlay
from apps.penalties.domain.registry import Before, Incident
from apps.scoring.domain.offences import Driven, driven
from apps.scoring.domain.reach import Stretch, apart
from apps.scoring.domain.status import Status
from apps.timing.domain.exits import left_for_good, unproven
from apps.timing.domain.marks import Mark, Marks, by_control
from apps.timing.domain.passages import Record, record
from apps.timing.domain.plan import StagePlan, WaypointPlan
from apps.timing.domain.segment_times import Facts, SegmentTime, segment_times
from apps.timing.domain.silences import Unproved, silences, unproved
from apps.timing.domain.waypoints import missed_spans


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of one entry in one stage, and what was decided about it.

    `fixes` holds all devices of the entry (what the speed zones need is enough); device codes are in order
    of priority, lowest first. `assigned_starts` maps segment id to epoch ms. `status` is an official's
    word on the whole event or "". `before` is what earlier stages put on the entry's account. `around_missed` holds the
    fixes of the stretches in which missed waypoints would have been passed (`missed_stretches`); where nobody looked,
    it is None and what was missed is missed.
    """

    entry: str
    race_class: str
    crossings: tuple[Crossing, ...]
    fixes: Fixes
    assigned_starts: Mapping[str, int] = field(default_factory=dict)
    status: str = ""
    overlay: Overlay = field(default_factory=Overlay)
    marks: tuple[Mark, ...] = ()
    incidents: tuple[Incident, ...] = ()
    before: Before = field(default_factory=Before)
    around_missed: Fixes | None = None


@dataclass(frozen=True, slots=True, eq=False)
class StageReading:
    """What the evidence shows, before rules and statuses."""

    plan: StagePlan
    crossings: Record
    marks: Marks
    segments: tuple[Driven, ...]
    drifted: tuple[str, ...]  # neutralisations left by too few fixes
    unproved: Mapping[str, Unproved]  # why missed waypoints, by id, are not proved missed

    def times(self) -> tuple[SegmentTime, ...]:
        return tuple(one.time for one in self.segments)

    def missed(self) -> tuple[WaypointPlan, ...]:
        return tuple(waypoint for one in self.segments for waypoint in one.waypoints.missed)

    def not_validated(self) -> tuple[WaypointPlan, ...]:
        """All that a crew which drives no further has left out."""
        got = {v.waypoint.id for one in self.segments for v in one.waypoints.validated}
        return tuple(w for s in self.plan.ordered() if s.special for w in s.counted() if w.id not in got)

    def validated(self) -> int:
        return sum(len(one.waypoints.validated) for one in self.segments)

    def splits(self) -> tuple[int | None, ...]:
        return tuple(one.time.net_ms for one in self.segments if one.segment.special)

    def finished(self) -> bool:
        """All special stages finished; of a stage without any, all segments that have a finish."""
        splits = self.splits()
        if splits:
            return None not in splits
        ends = [one.time.finish_ts for one in self.segments if one.segment.finish is not None]
        return bool(ends) and None not in ends

    def time_ms(self) -> int | None:
        """The special stages finished so far; None before the first."""
        known = [split for split in self.splits() if split is not None]
        return sum(known) if known or self.finished() else None

    def last(self) -> tuple[str, int | None]:
        """The control passed last, and when."""
        every: list[Crossing | Mark] = [c for of_control in self.crossings.values() for c in of_control]
        every += [mark for of_control in self.marks.values() for mark in of_control]
        latest = max(every, key=lambda c: (c.ts, c.control), default=None)
        return (latest.control, latest.ts) if latest else ("", None)

    def status(self) -> Status:
        """Where the evidence puts the entry."""
        if self.finished():
            return Status.FINISHED
        return Status.RUNNING if self.crossings or self.marks else Status.REGISTERED


def read_stage(plan: StagePlan, evidence: Evidence) -> StageReading:
    """Read the crossings and recorded times of one entry, and the fixes where crossings do not tell."""
    adjustments = evidence.overlay.adjustments
    taken_out = [name for a in adjustments.values() for e in a.excluded for name in (e.from_control, e.to_control)]
    crossings = record(evidence.crossings, plan, also=taken_out)
    of_plan = plan.controls()
    usable = [m for m in (*evidence.marks, *evidence.overlay.marks) if m.control in of_plan and plan.contains(m.ts)]
    marks = by_control(usable)
    proven = left_for_good(plan, crossings, evidence.fixes)
    times = segment_times(plan, proven, Facts(evidence.assigned_starts, marks, adjustments, evidence.race_class))
    drifted = tuple(unproven(plan, crossings, proven))
    segments = driven(plan, crossings, times)
    doubts = {} if evidence.around_missed is None else _doubts(plan, segments, evidence.around_missed)
    return StageReading(plan, crossings, marks, segments, drifted, doubts)


def missed_stretches(plan: StagePlan, evidence: Evidence) -> list[Stretch]:
    """The stretches whose fixes tell whether the missed waypoints may have been passed, in order and apart."""
    if not any(segment.special and segment.counted() for segment in plan.segments):
        return []
    return apart(span for _, span in _missed(plan, read_stage(plan, evidence).segments))


def _missed(plan: StagePlan, segments: Sequence[Driven]) -> Iterator[tuple[WaypointPlan, Stretch]]:
    """The missed waypoints, each with when it would have been passed."""
    for one in segments:
        spans = missed_spans(one.segment, one.waypoints, one.time, allow_back=plan.allow_back)
        yield from ((waypoint, spans[waypoint.id]) for waypoint in one.waypoints.missed)


def _doubts(plan: StagePlan, segments: Sequence[Driven], fixes: Fixes) -> dict[str, Unproved]:
    missed = list(_missed(plan, segments))
    silent = {span: silences(fixes, span, plan.gap_limit_ms) for span in {span for _, span in missed}}
    doubts = ((waypoint.id, unproved(waypoint, silent[span])) for waypoint, span in missed)
    return {waypoint: doubt for waypoint, doubt in doubts if doubt is not None}
