"""By which tracker's fixes a stay in a zone is judged: the first by priority, and another where that has none."""

from collections.abc import Iterator

import numpy as np

from apps.course.domain.fixes import Fixes
from apps.timing.domain.zone_intervals import GAP_LIMIT_MS, ZoneInterval

END_OF_TIME = 2**62


def judged(fixes: Fixes, interval: ZoneInterval) -> tuple[Fixes, ...]:
    """The fixes that count in an interval, one set a tracker, by priority.

    Those of the first one that recorded any of it, and of the next ones in its gaps: what two of them saw is judged
    once.
    """
    within = _within(fixes, interval)
    if not len(within):
        return ()
    codes = within.codes()
    if len(codes) == 1:
        return (within,)
    end = int(within.ts.max()) if interval.to_ts is None else interval.to_ts
    found = [within.of_device(codes[0])]
    for code in codes[1:]:
        holes = list(_holes(found, (interval.from_ts, end)))
        fill = _inside(within.of_device(code), holes)
        found += [fill] if len(fill) else []
    return tuple(found)


def others(fixes: Fixes, interval: ZoneInterval) -> tuple[Fixes, ...]:
    """The fixes of the other trackers in the interval: to be compared, not to be priced."""
    within = _within(fixes, interval)
    return tuple(within.of_device(code) for code in within.codes()[1:])


def _within(fixes: Fixes, interval: ZoneInterval) -> Fixes:
    return fixes.between(interval.from_ts, END_OF_TIME if interval.to_ts is None else interval.to_ts)


def _holes(found: list[Fixes], span: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The stretches (open at both ends) without a fix, longer than the gap limit."""
    ts = np.sort(np.concatenate([one.ts for one in found]))
    edges = np.concatenate(([span[0]], ts, [span[1]]))
    for n in np.flatnonzero(np.diff(edges) > GAP_LIMIT_MS):
        yield int(edges[n]), int(edges[n + 1])


def _inside(fixes: Fixes, holes: list[tuple[int, int]]) -> Fixes:
    keep = np.zeros(len(fixes), dtype=bool)
    for low, high in holes:
        keep |= (fixes.ts > low) & (fixes.ts < high)
    return Fixes.build(fixes.device, fixes.ts, fixes.lat, fixes.lon, fixes.speed, usable=keep)
