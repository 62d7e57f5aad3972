"""When an entry was subject to a speed zone: membership is by time, not by place (rulebook 3.1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import Plane
from apps.course.domain.visits import Visit, visits
from apps.timing.domain.passages import Record, Window
from apps.timing.domain.plan import SpeedZonePlan

# Fixes further apart say nothing of what lies between (design: the gap limit).
GAP_LIMIT_MS = 10_000

FZ_MISSED = "FZ missed: closed at the next waypoint or the finish"
DZ_MISSED = "DZ missed: zone not enforced"
DZ_LATE = "DZ missed: enforced from the next waypoint"


@dataclass(frozen=True, slots=True)
class ZoneInterval:
    """Enforced from..to, epoch ms inclusive; `to_ts` None = still inside. `review` asks for a look."""

    from_ts: int
    to_ts: int | None
    review: str = ""


def zone_intervals(zone: SpeedZonePlan, crossings: Record, span: Window, fixes: Fixes) -> tuple[ZoneInterval, ...]:
    """The intervals of one zone within the span of its segment, by time.

    A polygon binds during its visits. A DZ/FZ pair binds from leaving the DZ circle to entering the FZ
    circle: the two radii are the margin, unless the zone has none. A crew that came to an FZ without a DZ gets an empty
    interval flagged for review.
    """
    if zone.polygon is not None:
        found = _polygon(crossings.get(zone.polygon, ()), fixes)
        return tuple(i for i in (_clip(interval, span) for interval in found) if i is not None)
    return tuple(_pairs(_of_pair(zone, crossings, span, fixes), span))


def _polygon(crossings: Sequence[Crossing], fixes: Fixes) -> list[ZoneInterval]:
    """The stays by the first tracker; by another one what the trackers before it did not record."""
    found: list[ZoneInterval] = []
    for device in sorted({c.device for c in crossings}):
        ts = fixes.of_device(device).ts
        stays = [_stay(visit, ts) for visit in visits([c for c in crossings if c.device == device])]
        earlier = [interval for interval in found if interval.to_ts is not None]
        found += stays if not found else [part for stay in stays for part in _unseen(stay, earlier, (fixes, device))]
    return sorted(found, key=lambda interval: interval.from_ts)


def _unseen(stay: ZoneInterval, found: Sequence[ZoneInterval], record: tuple[Fixes, int]) -> Iterator[ZoneInterval]:
    """The parts of a stay outside those found, of which no tracker before this one has a fix.

    Two trackers see an edge some tenths of a second apart: less than a gap beside a stay is no part of its own.
    """
    fixes, device = record
    begin, end = stay.from_ts, stay.to_ts or stay.from_ts
    within = sorted((i for i in found if i.from_ts <= end and (i.to_ts or i.from_ts) >= begin), key=lambda i: i.from_ts)
    edges = [begin, *(edge for i in within for edge in (i.from_ts, i.to_ts or i.from_ts)), end]
    for low, high in zip(edges[::2], edges[1::2], strict=True):
        whole = not within
        if (whole or high - low > GAP_LIMIT_MS) and not _recorded(fixes, device, (low + 1, high - 1)):
            yield ZoneInterval(low, high)


def _recorded(fixes: Fixes, device: int, span: tuple[int, int]) -> bool:
    """Whether a tracker before this one has a fix between two instants, both included."""
    return bool((fixes.between(*span).device < device).any())


def _stay(visit: Visit, ts: NDArray[np.int64]) -> ZoneInterval:
    """A visit whose one end was not seen reaches as far as the fixes go on without a gap."""
    if visit.enter is None:
        assert visit.leave is not None
        return ZoneInterval(_unbroken(ts, visit.leave.before_ts)[0], visit.leave.ts)
    if visit.leave is not None:
        return ZoneInterval(visit.enter.ts, visit.leave.ts)
    return ZoneInterval(visit.enter.ts, _unbroken(ts, visit.enter.after_ts)[1])


def _unbroken(ts: NDArray[np.int64], anchor: int) -> tuple[int, int]:
    """First and last instant of the run of fixes without a gap that holds the anchor."""
    if len(ts) == 0:
        return anchor, anchor
    breaks = np.flatnonzero(np.diff(ts) > GAP_LIMIT_MS)
    starts = np.concatenate(([0], breaks + 1))
    ends = np.concatenate((breaks, [len(ts) - 1]))
    run = max(0, int(np.searchsorted(ts[starts], anchor, side="right")) - 1)
    return min(anchor, int(ts[starts[run]])), max(anchor, int(ts[ends[run]]))


def _clip(interval: ZoneInterval, span: Window) -> ZoneInterval | None:
    from_ts = max(interval.from_ts, span.from_ts)
    ends = [ts for ts in (interval.to_ts, span.to_ts) if ts is not None]
    to_ts = min(ends, default=None)
    return None if to_ts is not None and to_ts < from_ts else ZoneInterval(from_ts, to_ts, interval.review)


def _of_pair(zone: SpeedZonePlan, crossings: Record, span: Window, fixes: Fixes) -> list[Crossing]:
    """Leavings of the DZ and enterings of the FZ, each by the first device that saw any, or recorded then.

    Without margins each bears the instant of the nearest point instead.
    """
    of_dz, of_fz = crossings.get(zone.dz or "", ()), crossings.get(zone.fz or "", ())
    opening = _first_seen(of_dz, Direction.LEAVE, span, fixes)
    closing = _first_seen(of_fz, Direction.ENTER, span, fixes)
    if zone.nearest_to is not None:
        dz, fz = zone.nearest_to
        opening = [_at_nearest(c, of_dz, Plane(*dz), fixes) for c in opening]
        closing = [_at_nearest(c, of_fz, Plane(*fz), fixes) for c in closing]
    return sorted((*opening, *closing), key=lambda c: c.ts)


def _at_nearest(crossing: Crossing, of_control: Sequence[Crossing], centre: Plane, fixes: Fixes) -> Crossing:
    """The crossing at the instant of its visit when the device was nearest to the centre."""
    seen = fixes.of_device(crossing.device)
    for visit in visits([c for c in of_control if c.device == crossing.device]):
        if crossing in (visit.enter, visit.leave):
            stay = _stay(visit, seen.ts)
            low = visit.enter.before_ts if visit.enter else stay.from_ts
            high = visit.leave.after_ts if visit.leave else stay.to_ts
            return replace(crossing, ts=_nearest(seen.between(low, high or low), centre, crossing.ts))
    return crossing


def _nearest(fixes: Fixes, centre: Plane, default: int) -> int:
    """When the line through the fixes was nearest to the centre, epoch ms; `default` where there is no line."""
    if len(fixes) < 2:
        return default
    places = np.stack(centre.project(fixes.lat, fixes.lon), axis=1)
    begin, along = places[:-1], np.diff(places, axis=0)
    squared = (along**2).sum(axis=1)
    share = np.clip(-(begin * along).sum(axis=1) / np.where(squared > 0, squared, 1.0), 0.0, 1.0)
    chord = int(np.argmin(((begin + share[:, None] * along) ** 2).sum(axis=1)))
    return int(fixes.ts[chord]) + round(float(share[chord]) * int(fixes.ts[chord + 1] - fixes.ts[chord]))


def _first_seen(crossings: Sequence[Crossing], direction: Direction, span: Window, fixes: Fixes) -> list[Crossing]:
    """Those of the first device that has any; of another one those near which no device before it has a fix."""
    usable = sorted((c for c in crossings if c.direction is direction and span.holds(c)), key=lambda c: c.device)
    found: list[Crossing] = []
    for device, group in groupby(usable, key=lambda c: c.device):
        near = [(c, (c.before_ts - GAP_LIMIT_MS, c.after_ts + GAP_LIMIT_MS)) for c in group]
        found += [c for c, around in near if not found or not _recorded(fixes, device, around)]
    return found


def _pairs(marks: Sequence[Crossing], span: Window) -> Iterator[ZoneInterval]:
    """A zone is open from the first DZ to the next FZ; circling back to the DZ does not reopen it."""
    opened: int | None = None
    for mark in marks:
        if mark.direction is Direction.LEAVE:
            opened = mark.ts if opened is None else opened
        elif opened is not None:
            yield ZoneInterval(opened, mark.ts)
            opened = None
        elif mark is marks[0]:
            yield ZoneInterval(mark.ts, mark.ts, DZ_MISSED)
    if opened is not None:
        yield ZoneInterval(opened, span.to_ts, FZ_MISSED if span.to_ts is not None else "")
