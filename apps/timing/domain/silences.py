"""Stretches of which no tracker of an entry tells: what lies there is not proved missed (rulebook 2.2)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil, hypot
from typing import Any

import numpy as np

from apps.course.domain.crossings import IMPOSSIBLE_KMH
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import Plane
from apps.timing.domain.plan import WaypointPlan

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Edge:
    """An end of a silence, epoch ms: a fix with its (lat, lon); without a place, where the looking ended."""

    ts: int
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """From the last fix before to the first one after, or to where the looking ended."""

    begin: Edge
    end: Edge

    def needed_kmh(self, circle: tuple[float, float, float]) -> int:
        """The least speed, whole km/h, at which the circle (lat, lon, radius in m) was passed meanwhile.

        An end without a place may have been inside it.
        """
        lat, lon, radius = circle
        plane = Plane(lat, lon)
        places = [plane.project(*edge.place) for edge in (self.begin, self.end) if edge.place]
        metres = sum(max(0.0, hypot(east.item(), north.item()) - radius) for east, north in places)
        # Up to a whole number, but for the last bits, which depend on the processor's sine.
        return ceil(metres / max(1, self.end.ts - self.begin.ts) * 3600 - 1e-6)


@dataclass(frozen=True, slots=True)
class Unproved:
    """Why a waypoint is not proved missed: the silence in which it may have been passed, and how fast it was then."""

    silence: Silence
    needed_kmh: int

    def told(self) -> dict[str, Any]:
        """As inputs of a penalty: the gap (epoch ms), which of its ends are fixes, the least speed."""
        begin, end = self.silence.begin, self.silence.end
        told = {"gap_begins_ts": begin.ts, "gap_ends_ts": end.ts}
        told |= {"last_fix_ts": begin.ts} if begin.place else {}
        told |= {"next_fix_ts": end.ts} if end.place else {}
        return told | {"needed_kmh": self.needed_kmh}


def silences(fixes: Fixes, span: Stretch, gap_limit_ms: int) -> list[Silence]:
    """Within a span (epoch ms, both included) the stretches on which no tracker has a chord that may be interpolated.

    Two fixes of a tracker further apart than the gap limit tell nothing of what lies between them (2.2).
    """
    within = fixes.between(*span)
    found = [Silence(Edge(span[0]), Edge(span[1]))]
    for code in within.codes():
        found = list(_both(found, list(_of_tracker(within.of_device(code), span, gap_limit_ms))))
    return found


def unproved(waypoint: WaypointPlan, among: Iterable[Silence]) -> Unproved | None:
    """The silence in which the waypoint was passed the easiest; None where no vehicle could have."""
    circle = waypoint.circle
    doubts = (Unproved(one, 0 if circle is None else one.needed_kmh(circle)) for one in among)
    easiest = min(doubts, key=lambda doubt: (doubt.needed_kmh, doubt.silence.begin.ts), default=None)
    return easiest if easiest and easiest.needed_kmh <= IMPOSSIBLE_KMH else None


def _of_tracker(fixes: Fixes, span: Stretch, gap_limit_ms: int) -> Iterator[Silence]:
    instants = np.concatenate(([span[0]], fixes.ts, [span[1]]))
    for n in np.flatnonzero(np.diff(instants) > gap_limit_ms).tolist():
        yield Silence(_edge(fixes, n - 1, span[0]), _edge(fixes, n, span[1]))


def _edge(fixes: Fixes, row: int, otherwise: int) -> Edge:
    if not 0 <= row < len(fixes):
        return Edge(otherwise)
    return Edge(int(fixes.ts[row]), (float(fixes.lat[row]), float(fixes.lon[row])))


def _both(some: Sequence[Silence], others: Sequence[Silence]) -> Iterator[Silence]:
    """Where one of each overlap; both are in order and apart."""
    a = b = 0
    while a < len(some) and b < len(others):
        begin = max(some[a].begin, others[b].begin, key=lambda e: (e.ts, e.place or ()))
        end = min(some[a].end, others[b].end, key=lambda e: (e.ts, e.place is None, e.place or ()))
        if begin.ts < end.ts:
            yield Silence(begin, end)
        if some[a].end.ts <= others[b].end.ts:
            a += 1
        else:
            b += 1
