"""Which waypoints of a special stage an entry validated, and which it missed (rulebook 2.2)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from apps.course.domain.crossings import Crossing
from apps.course.domain.visits import Visit, visits
from apps.timing.domain.passages import Record
from apps.timing.domain.plan import SegmentPlan, WaypointPlan
from apps.timing.domain.segment_times import SegmentTime


@dataclass(frozen=True, slots=True)
class Validation:
    """A waypoint validated at an instant, epoch ms: the first one proven inside its circle."""

    waypoint: WaypointPlan
    ts: int


@dataclass(frozen=True, slots=True)
class WaypointReading:
    """The waypoints of one segment for one entry, in the order of the road book."""

    validated: tuple[Validation, ...] = ()
    missed: tuple[WaypointPlan, ...] = ()


@dataclass(frozen=True, slots=True)
class _Arrival:
    ts: int
    index: int


def read_waypoints(
    segment: SegmentPlan, crossings: Record, time: SegmentTime, *, allow_back: bool = False
) -> WaypointReading:
    """Validated and missed waypoints between the segment's start and its finish, or so far.

    While the entry is on the segment a waypoint beyond the furthest validated one is not missed yet. With
    `allow_back` one that was skipped may be validated later (2.2).
    """
    waypoints = segment.counted()
    if time.start_ts is None or not waypoints:
        return WaypointReading()
    running = time.finish_ts is None
    arrivals = sorted(_arrivals(waypoints, crossings, time), key=lambda a: (a.ts, a.index))
    taken = _each_first(arrivals) if allow_back else _in_sequence(arrivals, running)
    furthest = max((a.index for a in taken), default=-1) if running else len(waypoints) - 1
    got = {a.index for a in taken}
    return WaypointReading(
        tuple(Validation(waypoints[a.index], a.ts) for a in taken),
        tuple(w for i, w in enumerate(waypoints) if i <= furthest and i not in got),
    )


def missed_spans(
    segment: SegmentPlan, reading: WaypointReading, time: SegmentTime, *, allow_back: bool = False
) -> dict[str, tuple[int, int]]:
    """When each missed waypoint (by its id) would have been passed, epoch ms: between those validated before and after
    it in the order of the road book, else the segment's start and finish. With `allow_back` at any time."""
    order = {waypoint.id: n for n, waypoint in enumerate(segment.counted())}
    passed = [(order[v.waypoint.id], v.ts) for v in reading.validated]
    start = time.start_ts or 0
    end = max((ts for _, ts in passed), default=start) if time.finish_ts is None else time.finish_ts
    found = {}
    for waypoint in reading.missed:
        before = [ts for n, ts in passed if n < order[waypoint.id] and not allow_back]
        after = [ts for n, ts in passed if n > order[waypoint.id] and not allow_back]
        found[waypoint.id] = max(before, default=start), min(after, default=end)
    return found


def stays(crossings: Iterable[Crossing]) -> list[Visit]:
    """The visits of all devices at one control: a visit is of one device, either device validates (2.2)."""
    by_device = groupby(sorted(crossings, key=lambda c: c.device), key=lambda c: c.device)
    return [visit for _, group in by_device for visit in visits(list(group))]


def _arrivals(waypoints: Sequence[WaypointPlan], crossings: Record, time: SegmentTime) -> Iterator[_Arrival]:
    for index, waypoint in enumerate(waypoints):
        for visit in stays(crossings.get(waypoint.control, ())):
            ts = _inside_at(visit, time)
            if ts is not None:
                yield _Arrival(ts, index)


def _inside_at(visit: Visit, time: SegmentTime) -> int | None:
    """The first instant of the segment at which the visit is proven inside, or None.

    Where the record begins inside, the fix before leaving is the proof; where it ends inside, the fix
    after entering.
    """
    assert time.start_ts is not None
    first, last = _proven(visit)
    ts = max(first, time.start_ts)
    return ts if ts <= last and (time.finish_ts is None or ts <= time.finish_ts) else None


def _proven(visit: Visit) -> tuple[int, int]:
    if visit.enter is not None and visit.leave is not None:
        return visit.enter.ts, visit.leave.ts
    if visit.enter is not None:
        return visit.enter.ts, visit.enter.after_ts
    assert visit.leave is not None
    return visit.leave.before_ts, visit.leave.ts


def _each_first(arrivals: Sequence[_Arrival]) -> list[_Arrival]:
    """The first arrival at each waypoint, whatever came before."""
    first: dict[int, _Arrival] = {}
    for arrival in arrivals:
        first.setdefault(arrival.index, arrival)
    return list(first.values())


def _in_sequence(arrivals: Sequence[_Arrival], running: bool) -> list[_Arrival]:
    """Greedy in time with a pointer: what is reached after a later one is not validated."""
    taken: list[_Arrival] = []
    pointer = -1
    for position, arrival in enumerate(arrivals):
        if arrival.index > pointer and not _passing_by(arrival, pointer, arrivals[position + 1 :], running):
            taken.append(arrival)
            pointer = arrival.index
    return taken


def _passing_by(arrival: _Arrival, pointer: int, later: Sequence[_Arrival], running: bool) -> bool:
    """Whether a circle ahead was only passed by, as on a course that crosses itself.

    It was if the entry went on to one of the skipped waypoints and, later, came back to this one; while
    it is on the way the coming back is awaited.
    """
    skipped = [a.ts for a in later if pointer < a.index < arrival.index]
    if not skipped:
        return False
    return running or any(a.index == arrival.index and a.ts > skipped[0] for a in later)
