"""What all shapes share: chords in columns, hits in columns, and the box of degrees around a control."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.controls import LatLon
from apps.course.domain.plane import Plane, unwrapped

TOUCH_M = 0.001  # shapes are grown by this much: the boundary belongs to them

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Chords:
    """Chords in columns; `lat` and `lon` hold (first fix, second fix), longitudes unwrapped."""

    device: NDArray[np.int32]
    before_ts: Ints
    after_ts: Ints
    lat: tuple[Floats, Floats]
    lon: tuple[Floats, Floats]

    def duration_ms(self, rows: Ints) -> Ints:
        """How long these chords last."""
        return np.asarray(self.after_ts[rows] - self.before_ts[rows])


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """Crossings of one control in columns: which chord, which way, where on it, how squarely."""

    chord: Ints
    direction: list[str]
    fraction: Floats
    sine: Floats  # of the angle between chord and boundary
    occurrence: Ints
    min_distance_m: Floats  # NaN where the shape has no centre

    def take(self, rows: NDArray[np.bool_]) -> "Hits":
        return Hits(
            self.chord[rows],
            [way for way, keep in zip(self.direction, rows, strict=True) if keep],
            self.fraction[rows],
            self.sine[rows],
            self.occurrence[rows],
            self.min_distance_m[rows],
        )


def joined(parts: Sequence[Hits]) -> Hits:
    """All hits of some parts, of which there is one at least."""
    return Hits(
        chord=np.concatenate([part.chord for part in parts]),
        direction=[way for part in parts for way in part.direction],
        fraction=np.concatenate([part.fraction for part in parts]),
        sine=np.concatenate([part.sine for part in parts]),
        occurrence=np.concatenate([part.occurrence for part in parts]),
        min_distance_m=np.concatenate([part.min_distance_m for part in parts]),
    )


@dataclass(frozen=True, slots=True)
class Bounds:
    """Degrees that a chord touches if it touches the control; longitudes unwrapped."""

    south: float
    north: float
    west: float
    east: float


class Box:
    """Degrees no chord can miss and still touch the control: the cheap test before the exact one."""

    def __init__(self, points: tuple[LatLon, ...], margin_m: float, reference_lon: float) -> None:
        lats = np.array([lat for lat, _ in points])
        lons = unwrapped([lon for _, lon in points], reference_lon)
        self.plane = Plane(float(lats.min() + lats.max()) / 2, float(lons.min() + lons.max()) / 2)
        up = (margin_m + _bulge_m(lats, lons)) / 110_000
        highest = min(float(np.abs(lats).max()) + up, 89.99)
        aside = up / float(np.cos(np.radians(highest)))
        south, north = float(lats.min()) - up, float(lats.max()) + up
        self.bounds = Bounds(south, north, float(lons.min()) - aside, float(lons.max()) + aside)

    def project(self, chords: Chords, rows: Ints) -> tuple[Floats, Floats, Floats, Floats]:
        """(x, y) of the first fix and (dx, dy) to the second, metres."""
        lat, lon = (np.concatenate([first[rows], second[rows]]) for first, second in (chords.lat, chords.lon))
        x, y = self.plane.project(lat, lon)
        x0, y0 = x[: len(rows)], y[: len(rows)]
        return x0, y0, x[len(rows) :] - x0, y[len(rows) :] - y0


def _bulge_m(lats: Floats, lons: Floats) -> float:
    """How far an edge between two of the points, straight on the plane, may lie poleward of their latitudes, metres:
    width² · tan(latitude) / (8 · radius). That is a metre for 8 km at 40°."""
    low, high = (float(np.radians(edge(np.abs(lats)))) for edge in (np.min, np.max))
    width = float(np.ptp(lons)) * 111_400 * np.cos(low)
    return float(width**2 * np.tan(min(high, 1.57)) / 5e7)
