"""Times of segments from passages, recorded times and decisions (rulebook 5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from apps.course.domain.crossings import Direction
from apps.timing.domain.acceptance import Accepted, accept
from apps.timing.domain.adjustments import Adjustment, Exclusion
from apps.timing.domain.marks import Grade, Marks
from apps.timing.domain.passages import Record, Window, passage
from apps.timing.domain.plan import ControlPoint, SegmentPlan, SegmentType, StagePlan

NO_ASSIGNED_START = "no assigned start"
OVER_MAXIMUM = "over maximum"
# They begin at a control of their own.
_CONTROLLED = frozenset({SegmentType.SPECIAL_STAGE, SegmentType.NEUTRALISATION})


@dataclass(frozen=True, slots=True)
class SegmentTime:
    """A segment as driven by one entry: instants in epoch ms, durations in ms.

    `raw_ms` = finish − start − neutralised − taken out; `net_ms` = raw truncated once, clamped (5.3, 5.4), or the
    notional time awarded instead, minus the time given back; where closeness to a target ranks, how far that is from
    it (1.1); minus the opener's bonus. `driven_ts` is when the start control was passed, whatever the clock starts
    from. `note` says what an official should know, `reviews` what to look at.
    """

    segment: str
    start_ts: int | None
    finish_ts: int | None
    raw_ms: int | None
    net_ms: int | None
    note: str = ""
    driven_ts: int | None = None
    start_source: str = ""
    finish_source: str = ""
    excluded_ms: int = 0
    credit_ms: int = 0
    notional: bool = False
    reviews: tuple[str, ...] = ()
    bonus_ms: int = 0
    target_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What segment times are read from beside the crossings: assigned starts by segment (epoch ms), recorded times,
    decisions by segment, and the class."""

    assigned: Mapping[str, int] = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)
    adjustments: Mapping[str, Adjustment] = field(default_factory=dict)
    race_class: str = ""


@dataclass(frozen=True, slots=True)
class _Start:
    ts: int | None
    found: Accepted | None = None
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class _Search:
    """Where the passages of a segment are looked for, the time before it, and the segments that come after it."""

    crossings: Record
    marks: Marks
    window: Window
    later: Sequence[SegmentPlan]
    discrepancy_ms: int
    before: SegmentTime | None = None

    def find(self, point: ControlPoint, window: Window, following: Iterable[str]) -> Accepted | None:
        """The time taken at a control within a window."""
        marks = [m for m in self.marks.get(point.control, ()) if window.holds_instant(m.ts)]
        return accept(passage(self.crossings, point, window, following), marks, point, self.discrepancy_ms)


def segment_times(plan: StagePlan, crossings: Record, facts: Facts) -> tuple[SegmentTime, ...]:
    """One time per segment, in driving order; None where there is no passage yet.

    A segment begins no earlier than the last special stage before it ended, so that a loop driven twice
    is told apart. A neutralisation lies inside its special stage and is searched from its start. A road section
    without a start control departs when the segment before it was finished (4.1).
    """
    times: list[SegmentTime] = []
    floor = inner_floor = plan.from_ts
    before: SegmentTime | None = None
    segments = plan.ordered()
    for position, segment in enumerate(segments):
        neutral = segment.type is SegmentType.NEUTRALISATION
        window = Window(inner_floor if neutral else floor, plan.to_ts)
        search = _Search(crossings, facts.marks, window, segments[position + 1 :], plan.discrepancy_ms, before)
        time = _segment_time(segment, search, facts)
        times.append(time)
        before = before if neutral else time
        if segment.special:
            inner_floor = time.start_ts or inner_floor
            floor = time.finish_ts or floor
    return tuple(times)


def duration(segment: SegmentPlan, start_ts: int, finish_ts: int, excluded_ms: int = 0) -> tuple[int, int]:
    """(raw, net) ms: the allotment subtracted (8.1), truncated once (5.3), clamped by maximum and bogey (5.4)."""
    raw = finish_ts - start_ts - segment.neutral_ms - excluded_ms
    net = truncated(raw, segment)
    net = net if segment.maximum_ms is None else min(net, segment.maximum_ms)
    return raw, max(net, segment.bogey_ms)


def truncated(raw_ms: int, segment: SegmentPlan) -> int:
    """A duration cut to the preceding second or tenth, never below 0 (5.3)."""
    return max(0, raw_ms - raw_ms % segment.rounding_ms)


def _segment_time(segment: SegmentPlan, search: _Search, facts: Facts) -> SegmentTime:
    start = _start(segment, search, facts.assigned.get(segment.id))
    finish = _finish(segment, search, start) if start.ts is not None else None
    return _decided(segment, _driven(segment, search, start, finish), facts, search)


def _driven(segment: SegmentPlan, search: _Search, start: _Start, finish: Accepted | None) -> SegmentTime:
    """The segment as the evidence shows it, before decisions."""
    return SegmentTime(
        segment=segment.id,
        start_ts=start.ts,
        finish_ts=finish.ts if finish else None,
        raw_ms=None,
        net_ms=None,
        note=start.note,
        driven_ts=start.found.ts if start.found else None,
        start_source=start.source,
        finish_source=finish.source.value if finish else "",
        reviews=(*_reviews("start", start.found), *_reviews("finish", finish)),
    )


def _decided(segment: SegmentPlan, time: SegmentTime, facts: Facts, search: _Search) -> SegmentTime:
    """The time with what officials took out, gave back or awarded."""
    decided = facts.adjustments.get(segment.id, Adjustment())
    excluded, missing = _excluded(decided.excluded, time, search.crossings)
    raw = net = None
    if time.start_ts is not None and time.finish_ts is not None:
        raw, net = duration(segment, time.start_ts, time.finish_ts, excluded)
    over = raw is not None and segment.maximum_ms is not None and truncated(raw, segment) > segment.maximum_ms
    awarded = decided.notional_ms is not None and (not decided.for_all or bool(search.crossings or search.marks))
    if awarded:
        net, over = decided.notional_ms, False
    target = segment.deviation_from(facts.race_class)
    bonus = decided.bonus_ms - decided.bonus_ms % segment.rounding_ms
    return replace(
        time,
        raw_ms=raw,
        net_ms=None if net is None else ranked(net - decided.credit_ms, target, bonus),
        note=OVER_MAXIMUM if over else time.note,
        excluded_ms=excluded,
        credit_ms=decided.credit_ms,
        notional=awarded,
        reviews=(*time.reviews, *missing),
        bonus_ms=bonus,
        target_ms=target,
    )


def ranked(net_ms: int, target_ms: int | None, bonus_ms: int) -> int:
    """What ranks of a time with what was given back: itself, or how far it is from the target; minus the bonus (ms)."""
    time = max(0, net_ms)
    return max(0, (time if target_ms is None else abs(time - target_ms)) - bonus_ms)


def _start(segment: SegmentPlan, search: _Search, assigned: int | None) -> _Start:
    """A standing start is the assigned instant, whatever GPS says; a rolling one the crossing (5.1).

    A confirmed time beats both. The stop point of what came before gives the start of a road section (4.1).
    """
    if segment.start is None and segment.type not in _CONTROLLED and search.before is not None:
        return _Start(search.before.finish_ts, source=search.before.finish_source)
    found = search.find(segment.start, search.window, _after_start(segment)) if segment.start else None
    if segment.start_from == "crossing" or (found and found.grade is Grade.CONFIRMED):
        return _Start(found.ts if found else None, found, source=found.source.value if found else "")
    note = NO_ASSIGNED_START if assigned is None else ""
    return _Start(assigned, found, note, "" if assigned is None else "assigned")


def _finish(segment: SegmentPlan, search: _Search, start: _Start) -> Accepted | None:
    if segment.finish is None or start.ts is None:
        return None
    after = start.found.per_device if start.found else {}
    window = Window(start.ts + 1, search.window.to_ts, after)
    return search.find(segment.finish, window, _after_finish(segment, search.later))


def _excluded(exclusions: Iterable[Exclusion], time: SegmentTime, crossings: Record) -> tuple[int, tuple[str, ...]]:
    """The ms between the pairs of controls as this entry drove them (8.2), and what could not be taken out."""
    taken, missing = 0, []
    for exclusion in exclusions:
        begin = _first_pass(crossings, exclusion.from_control, time.start_ts, time.finish_ts)
        end = _first_pass(crossings, exclusion.to_control, begin, time.finish_ts)
        if begin is not None and end is not None:
            taken += end - begin
        elif time.finish_ts is not None:
            missing.append(f"{exclusion.from_control} to {exclusion.to_control} not taken out: not passed")
    return taken, tuple(missing)


def _first_pass(crossings: Record, control: str, from_ts: int | None, to_ts: int | None) -> int | None:
    """When a control was first entered or cut, by the device that counts first."""
    if from_ts is None:
        return None
    window = Window(from_ts, to_ts)
    for direction in (Direction.ENTER, Direction.CUT):
        found = passage(crossings, ControlPoint(control, direction), window)
        if found:
            return found.ts
    return None


def _reviews(end: str, found: Accepted | None) -> tuple[str, ...]:
    return tuple(f"{end}: {review}" for review in found.reviews) if found else ()


def _after_start(segment: SegmentPlan) -> set[str]:
    controls = {waypoint.control for waypoint in segment.counted()}
    if segment.finish:
        controls.add(segment.finish.control)
    return controls - {segment.start.control if segment.start else ""}


def _after_finish(segment: SegmentPlan, later: Sequence[SegmentPlan]) -> set[str]:
    following = next((s for s in later if s.type is not SegmentType.NEUTRALISATION), None)
    controls = set(following.controls()) if following else set()
    return controls - {segment.finish.control if segment.finish else ""}
