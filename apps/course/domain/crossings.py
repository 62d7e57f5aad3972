"""Crossings: where the chords between neighbouring fixes enter, leave or cut a control (design §4).

Each crossing depends on its chord alone, so any window of fixes with one neighbour on each side gives the
same crossings as the whole record. The boundary belongs to the control: shapes are grown by `TOUCH_M`, a
tenth of what trackers can write (1e-7° is 1 cm), so that "on the line" hangs on no last bit of a float.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from math import isnan

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.boxes import Chords, Hits, Ints, joined
from apps.course.domain.circles import Circle, Circles
from apps.course.domain.controls import Control
from apps.course.domain.fixes import Fixes
from apps.course.domain.nearness import near
from apps.course.domain.plane import distance_m, unwrapped
from apps.course.domain.shapes import PreparedShape, prepare

GAP_LIMIT_MS = 10_000
IMPOSSIBLE_KMH = 400.0  # faster than any rally car or its helicopter


class Direction(StrEnum):
    ENTER = "enter"
    LEAVE = "leave"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Crossing:
    """One chord crossing one control.

    `ts` is interpolated along the chord, epoch ms, rounded to the nearest; `before_ts` and `after_ts` are its
    two fixes; `fraction` is where on the chord, 0 to 1. `occurrence` counts crossings of the same chord,
    control and direction. `min_distance_m`, for circles, is the chord's smallest distance to the centre.
    `uncertainty_ms`: see `uncertainty`.
    """

    control: str
    device: int
    direction: Direction
    ts: int
    uncertainty_ms: int
    before_ts: int
    after_ts: int
    fraction: float
    occurrence: int = 0
    min_distance_m: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A chord too long in time to interpolate on, and the controls it would have crossed: for review."""

    device: int
    before_ts: int
    after_ts: int
    controls: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Detection:
    """What a stretch of fixes shows. `suspicious` are (device, ts) of fixes no vehicle could have reached."""

    crossings: tuple[Crossing, ...]
    gaps: tuple[Gap, ...]
    suspicious: tuple[tuple[int, int], ...]


class Course:
    """The controls of an event, each prepared once on its own tangent plane."""

    def __init__(self, controls: Iterable[Control]) -> None:
        """Raises ValueError, naming the control, for a shape that cannot be."""
        self.controls = tuple(controls)
        # Longitudes are compared around the course, so that the date line is never inside it.
        self.reference_lon = self.controls[0].points[0][1] if self.controls else 0.0
        self.shapes: tuple[PreparedShape, ...] = tuple(prepare(c, self.reference_lon) for c in self.controls)
        self.bounds = tuple(shape.bounds for shape in self.shapes)
        self._circles = Circles({n: shape for n, shape in enumerate(self.shapes) if isinstance(shape, Circle)})

    def hits(self, chords: Chords) -> tuple[Ints, Hits]:
        """Where chords cross controls, and the number of each one's control."""
        found = dict(near(chords, self.bounds))
        parts = [self._circles.hits(chords, {n: rows for n, rows in found.items() if n in self._circles.numbers})]
        for n in found.keys() - self._circles.numbers:
            hits = self.shapes[n].hits(chords, found[n])
            parts.append((np.full(len(hits.chord), n), hits))
        return np.concatenate([numbers for numbers, _ in parts]), joined([hits for _, hits in parts])


def detect(fixes: Fixes, course: Course, gap_limit_ms: int = GAP_LIMIT_MS) -> Detection:
    """All crossings of all devices with all controls, sorted; gaps; suspicious fixes.

    A chord longer than `gap_limit_ms` gives no crossing but a gap, if it would have crossed anything.
    """
    chords = chords_of(fixes, course.reference_lon)
    numbers, hits = course.hits(chords)
    names = [course.controls[n].id for n in numbers.tolist()]
    short = chords.duration_ms(hits.chord) <= gap_limit_ms
    crossings = _crossings(list(compress(names, short)), chords, hits.take(short))
    in_order = sorted(crossings, key=lambda c: (c.device, c.ts, c.control, c.direction, c.occurrence))
    touched: dict[int, set[str]] = {}
    for chord, name in zip(hits.chord[~short].tolist(), compress(names, ~short), strict=True):
        touched.setdefault(chord, set()).add(name)
    gaps = tuple(_gap(chords, chord, controls) for chord, controls in sorted(touched.items()))
    return Detection(tuple(in_order), gaps, suspicious(fixes))


def chords_of(fixes: Fixes, reference_lon: float) -> Chords:
    """The chords of neighbouring fixes of one device."""
    first = np.flatnonzero(fixes.device[1:] == fixes.device[:-1])
    second = first + 1
    lon = unwrapped(fixes.lon, reference_lon)
    return Chords(
        device=fixes.device[first],
        before_ts=fixes.ts[first],
        after_ts=fixes.ts[second],
        lat=(fixes.lat[first], fixes.lat[second]),
        lon=(lon[first], lon[second]),
    )


def uncertainty(duration_ms: NDArray[np.int64], sine: NDArray[np.float64]) -> NDArray[np.int64]:
    """Half the chord's duration over the sine of the angle at which it cuts the boundary, ms.

    A chord that cuts squarely is uncertain by the half second either side of its middle; one that grazes the
    boundary is less certain, but never by more than its whole duration: it lies between its two fixes.
    """
    weight = 1.0 / np.maximum(sine, 0.5)
    # A nanosecond less, lest the last bit of a sine near 1, which differs between processors, adds a millisecond.
    return np.ceil(duration_ms / 2 * weight - 1e-6).astype(np.int64)


def suspicious(fixes: Fixes) -> tuple[tuple[int, int], ...]:
    """(device, ts) of fixes that jump impossibly from the one before and to the one after.

    They are flagged, not dropped: an official decides (design §4).
    """
    a = _hurry(fixes)
    b = a + 1
    metres = distance_m(fixes.lat[a], fixes.lon[a], fixes.lat[b], fixes.lon[b])
    jump = np.zeros(max(len(fixes) - 1, 0), bool)
    jump[a] = metres / np.maximum(fixes.ts[b] - fixes.ts[a], 1) * 3600 > IMPOSSIBLE_KMH
    middle = np.flatnonzero(jump[:-1] & jump[1:]) + 1
    return tuple((int(fixes.device[i]), int(fixes.ts[i])) for i in middle)


def _hurry(fixes: Fixes) -> NDArray[np.int64]:
    """The chords that may be impossibly fast: a cheap look at degrees, of which none is longer than 112 km."""
    same = fixes.device[1:] == fixes.device[:-1]
    degrees = np.abs(np.diff(fixes.lat)) + np.abs(np.diff(fixes.lon))
    return np.flatnonzero(same & (degrees * 112_000 * 3600 > IMPOSSIBLE_KMH * np.diff(fixes.ts)))


def _crossings(controls: Sequence[str], chords: Chords, hits: Hits) -> Iterable[Crossing]:
    before, after = chords.before_ts[hits.chord], chords.after_ts[hits.chord]
    instants = before + np.rint(hits.fraction * (after - before)).astype(np.int64)
    doubts = uncertainty(after - before, hits.sine)
    # Python's own numbers, made a column at a time: one by one they cost more than all the geometry.
    columns = (
        column.tolist()
        for column in (chords.device[hits.chord], instants, doubts, before, after, hits.fraction, hits.occurrence)
    )
    rows = zip(controls, map(Direction, hits.direction), hits.min_distance_m.tolist(), *columns, strict=True)
    for control, direction, distance, device, ts, doubt, before_ts, after_ts, fraction, occurrence in rows:
        nearest = None if isnan(distance) else distance
        yield Crossing(control, device, direction, ts, doubt, before_ts, after_ts, fraction, occurrence, nearest)


def _gap(chords: Chords, chord: int, names: Iterable[str]) -> Gap:
    return Gap(
        int(chords.device[chord]),
        int(chords.before_ts[chord]),
        int(chords.after_ts[chord]),
        tuple(sorted(names)),
    )
