"""A track as it was recorded: every fix of the devices an entry carried, also those that do not count."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

import numpy as np

from apps.course.domain.controls import Control, Shape
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import Plane
from apps.penalties.domain.pulses import speeds


@dataclass(frozen=True, slots=True)
class TrackFix:
    """A fix of a device (by its rank in the entry, from 0); `speed` in km/h, None where nothing tells it.

    `counts` is False for one that was flagged faulty or cannot be used. `chord`: it and the fix before it, of the
    same device, make a chord.
    """

    device: int
    ts: int
    lat: float
    lon: float
    speed: float | None
    counts: bool = True
    chord: bool = False


@dataclass(frozen=True, slots=True)
class Closest:
    """Where a track came closest to a circle: metres from its centre, the instant, the place, the device."""

    metres: float
    ts: int
    lat: float
    lon: float
    device: int


def joined(fixes: Sequence[TrackFix], gap_ms: int) -> list[TrackFix]:
    """The fixes by device and instant, with the speeds scoring takes and the chords it draws."""
    found: list[TrackFix] = []
    for device in sorted({fix.device for fix in fixes}):
        found += _of_one([fix for fix in fixes if fix.device == device], gap_ms)
    return found


def _of_one(fixes: Sequence[TrackFix], gap_ms: int) -> list[TrackFix]:
    counting = [fix for fix in fixes if fix.counts]
    used = Fixes.build(
        device=[fix.device for fix in counting],
        ts=[fix.ts for fix in counting],
        lat=[fix.lat for fix in counting],
        lon=[fix.lon for fix in counting],
        speed=[np.nan if fix.speed is None else fix.speed for fix in counting],
    )
    value = dict(zip(used.ts.tolist(), speeds(used).tolist(), strict=True))
    before = {b for a, b in pairwise(used.ts.tolist()) if b - a <= gap_ms}
    return [_told(fix, value, before) for fix in sorted(fixes, key=lambda fix: fix.ts)]


def _told(fix: TrackFix, value: dict[int, float], before: set[int]) -> TrackFix:
    if not fix.counts:
        return fix
    speed = value[fix.ts]
    told = None if np.isnan(speed) else round(speed, 1)
    return TrackFix(fix.device, fix.ts, fix.lat, fix.lon, told, counts=True, chord=fix.ts in before)


def chords(fixes: Sequence[TrackFix]) -> Iterator[tuple[TrackFix, TrackFix]]:
    """Neighbouring fixes of one device, near enough in time."""
    counting = [fix for fix in fixes if fix.counts]
    return ((a, b) for a, b in pairwise(counting) if b.chord and a.device == b.device)


def at(fixes: Sequence[TrackFix], ts: int) -> tuple[float, float] | None:
    """Where the first device that recorded it was at an instant: on its chord; None when no chord holds it."""
    for a, b in chords(fixes):
        if a.ts <= ts <= b.ts:
            part = (ts - a.ts) / (b.ts - a.ts)
            return a.lat + (b.lat - a.lat) * part, a.lon + (b.lon - a.lon) * part
    return None


def closest(fixes: Sequence[TrackFix], control: Control) -> Closest | None:
    """The closest approach of any device to the centre of a circle; None for another shape or without a chord."""
    if control.shape is not Shape.CIRCLE:
        return None
    plane = Plane(*control.points[0])
    found = (_closest_of(a, b, plane) for a, b in chords(fixes))
    return min(found, key=lambda c: (c.metres, c.ts), default=None)


def _closest_of(a: TrackFix, b: TrackFix, plane: Plane) -> Closest:
    east, north = plane.project([a.lat, b.lat], [a.lon, b.lon])
    along = (float(east[1] - east[0]), float(north[1] - north[0]))
    square = along[0] ** 2 + along[1] ** 2
    part = 0.0 if not square else min(1.0, max(0.0, -(east[0] * along[0] + north[0] * along[1]) / square))
    metres = hypot(east[0] + along[0] * part, north[0] + along[1] * part)
    lat, lon = a.lat + (b.lat - a.lat) * part, a.lon + (b.lon - a.lon) * part
    return Closest(metres, round(a.ts + (b.ts - a.ts) * part), lat, lon, a.device)
