"""Times of segments from passages (rulebook 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.timing.domain.passages import Passage, Record, Window, passage
from apps.timing.domain.plan import SegmentPlan, SegmentType, StagePlan

NO_ASSIGNED_START = "no assigned start"
OVER_MAXIMUM = "over maximum"


@dataclass(frozen=True, slots=True)
class SegmentTime:
    """A segment as driven by one entry: instants in epoch ms, durations in ms.

    `raw_ms` = finish − start − neutralised; `net_ms` = raw truncated once and clamped (5.3, 5.4).
    `note` says what an official should know, "" when nothing.
    """

    segment: str
    start_ts: int | None
    finish_ts: int | None
    raw_ms: int | None
    net_ms: int | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Start:
    ts: int | None
    per_device: Mapping[int, int]
    note: str = ""


@dataclass(frozen=True, slots=True)
class _Search:
    """Where the passages of a segment are looked for, and the segments that come after it."""

    crossings: Record
    from_ts: int
    to_ts: int | None
    later: Sequence[SegmentPlan]


def segment_times(plan: StagePlan, crossings: Record, assigned_starts: Mapping[str, int]) -> tuple[SegmentTime, ...]:
    """One time per segment, in driving order; None where there is no passage yet.

    A segment begins no earlier than the last special stage before it ended, so that a loop driven twice
    is told apart. A neutralisation lies inside its special stage and is searched from its start.
    """
    times: list[SegmentTime] = []
    floor = inner_floor = plan.from_ts
    segments = plan.ordered()
    for position, segment in enumerate(segments):
        neutral = segment.type is SegmentType.NEUTRALISATION
        search = _Search(crossings, inner_floor if neutral else floor, plan.to_ts, segments[position + 1 :])
        time = _segment_time(segment, search, assigned_starts.get(segment.id))
        times.append(time)
        if segment.special:
            inner_floor = time.start_ts or inner_floor
            floor = time.finish_ts or floor
    return tuple(times)


def duration(segment: SegmentPlan, start_ts: int, finish_ts: int) -> tuple[int, int]:
    """(raw, net) ms: the allotment subtracted (8.1), truncated once (5.3), clamped by the maximum (5.4)."""
    raw = finish_ts - start_ts - segment.neutral_ms
    net = max(0, raw - raw % segment.rounding_ms)
    return raw, net if segment.maximum_ms is None else min(net, segment.maximum_ms)


def _segment_time(segment: SegmentPlan, search: _Search, assigned: int | None) -> SegmentTime:
    start = _start(segment, search, assigned)
    if start.ts is None:
        return SegmentTime(segment.id, None, None, None, None, start.note)
    finish = _finish(segment, search, start.ts, start.per_device)
    if finish is None:
        return SegmentTime(segment.id, start.ts, None, None, None)
    raw, net = duration(segment, start.ts, finish.ts)
    over = segment.maximum_ms is not None and raw > segment.maximum_ms
    return SegmentTime(segment.id, start.ts, finish.ts, raw, net, OVER_MAXIMUM if over else "")


def _start(segment: SegmentPlan, search: _Search, assigned: int | None) -> _Start:
    """A standing start is the assigned instant, whatever GPS says; a rolling one the crossing (5.1)."""
    found = None
    if segment.start is not None:
        window = Window(search.from_ts, search.to_ts)
        found = passage(search.crossings, segment.start, window, _after_start(segment))
    per_device = found.per_device() if found else {}
    if segment.start_from == "assigned":
        return _Start(assigned, per_device, NO_ASSIGNED_START if assigned is None else "")
    return _Start(found.ts if found else None, per_device)


def _finish(segment: SegmentPlan, search: _Search, start_ts: int, per_device: Mapping[int, int]) -> Passage | None:
    if segment.finish is None:
        return None
    window = Window(start_ts + 1, search.to_ts, per_device)
    return passage(search.crossings, segment.finish, window, _after_finish(segment, search.later))


def _after_start(segment: SegmentPlan) -> set[str]:
    controls = {waypoint.control for waypoint in segment.counted()}
    if segment.finish:
        controls.add(segment.finish.control)
    return controls - {segment.start.control if segment.start else ""}


def _after_finish(segment: SegmentPlan, later: Sequence[SegmentPlan]) -> set[str]:
    following = next((s for s in later if s.type is not SegmentType.NEUTRALISATION), None)
    controls = set(following.controls()) if following else set()
    return controls - {segment.finish.control if segment.finish else ""}
