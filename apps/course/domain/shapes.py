"""The exact part of detection: chords against one prepared shape, in metres on the shape's own plane."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from apps.course.domain.controls import Control, LatLon, Shape
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

    @property
    def duration_ms(self) -> Ints:
        return self.after_ts - self.before_ts


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


@dataclass(frozen=True, slots=True)
class Bounds:
    """Degrees that a chord touches if it touches the control; longitudes unwrapped."""

    south: float
    north: float
    west: float
    east: float


class PreparedShape(Protocol):
    @property
    def bounds(self) -> Bounds: ...

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        """The crossings of those chords that `rows` names: all that touch the bounds, at the least."""


def prepare(control: Control, reference_lon: float) -> PreparedShape:
    """The control on its own plane. Raises ValueError, naming it, for a polygon that is not valid."""
    return _KINDS[control.shape](control, reference_lon)


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
        x0, y0 = self.plane.project(chords.lat[0][rows], chords.lon[0][rows])
        x1, y1 = self.plane.project(chords.lat[1][rows], chords.lon[1][rows])
        return x0, y0, x1 - x0, y1 - y0


def _bulge_m(lats: Floats, lons: Floats) -> float:
    """How far an edge between two of the points, straight on the plane, may lie poleward of their latitudes, metres:
    width² · tan(latitude) / (8 · radius). That is a metre for 8 km at 40°."""
    low, high = (float(np.radians(edge(np.abs(lats)))) for edge in (np.min, np.max))
    width = float(np.ptp(lons)) * 111_400 * np.cos(low)
    return float(width**2 * np.tan(min(high, 1.57)) / 5e7)


class Circle:
    """A waypoint: the chord's points at the radius solve a quadratic."""

    def __init__(self, control: Control, reference_lon: float) -> None:
        self._radius = control.radius_m
        self._box = Box(control.points, self._radius * 1.01 + TOUCH_M, reference_lon)
        self.bounds = self._box.bounds

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        x, y, dx, dy = self._box.project(chords, rows)
        a, b, c = dx * dx + dy * dy, x * dx + y * dy, x * x + y * y - self._radius**2
        nearest = np.clip(-b / np.where(a > 0, a, 1.0), 0.0, 1.0)
        smallest = np.hypot(x + nearest * dx, y + nearest * dy)
        touch = 2 * self._radius * TOUCH_M  # what the boundary that belongs to the circle adds to c
        first_in, last_in = c <= touch, c + 2 * b + a <= touch
        root = np.sqrt(np.maximum(b * b - a * c, 0.0))
        step = np.where(a > 0, a, 1.0)
        passes = (smallest <= self._radius + TOUCH_M) & (a > 0)
        enters, leaves = passes & ~first_in, passes & ~last_in
        # The chord's distance from the centre over the radius is the cosine of the angle at the boundary.
        line = np.abs(x * dy - y * dx) / np.sqrt(step)
        sine = np.sqrt(np.maximum(1 - (line / self._radius) ** 2, 0.0))
        found = [("enter", enters, (-b - root) / step), ("leave", leaves, (-b + root) / step)]
        return Hits(
            chord=np.concatenate([rows[mask] for _, mask, _ in found]),
            direction=[way for way, mask, _ in found for _ in range(int(mask.sum()))],
            fraction=np.clip(np.concatenate([s[mask] for _, mask, s in found]), 0.0, 1.0),
            sine=np.concatenate([sine[mask] for _, mask, _ in found]),
            occurrence=np.zeros(int(enters.sum() + leaves.sum()), np.int64),
            min_distance_m=np.concatenate([smallest[mask] for _, mask, _ in found]),
        )


class Gate:
    """A line of two points. The chord that arrives on the line crosses it, the one that departs does not:
    a fix exactly on the line gives one crossing."""

    def __init__(self, control: Control, reference_lon: float) -> None:
        self._box = Box(control.points, 1.0, reference_lon)
        self.bounds = self._box.bounds
        ends = np.array(control.points)
        x, y = self._box.plane.project(ends[:, 0], ends[:, 1])
        self._x, self._y = float(x[0]), float(y[0])
        self._length = float(np.hypot(x[1] - x[0], y[1] - y[0]))
        self._ux, self._uy = float(x[1] - x[0]) / self._length, float(y[1] - y[0]) / self._length
        self._bearing = None if control.bearing is None else np.radians(control.bearing)

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        x, y, dx, dy = self._box.project(chords, rows)
        before = self._side(x, y)
        after = self._side(x + dx, y + dy)
        arrives = (np.sign(before) != 0) & (np.sign(before) != np.sign(after))
        fraction = before / np.where(arrives, before - after, 1.0)
        along = (x + fraction * dx - self._x) * self._ux + (y + fraction * dy - self._y) * self._uy
        cuts = arrives & (along >= -TOUCH_M) & (along <= self._length + TOUCH_M)
        if self._bearing is not None:
            cuts &= dx * np.sin(self._bearing) + dy * np.cos(self._bearing) > 0
        across = np.abs(after - before) / np.maximum(np.hypot(dx, dy), 1e-9)
        count = int(cuts.sum())
        return Hits(
            chord=rows[cuts],
            direction=["cut"] * count,
            fraction=np.clip(fraction[cuts], 0.0, 1.0),
            sine=np.minimum(across[cuts], 1.0),
            occurrence=np.zeros(count, np.int64),
            min_distance_m=np.full(count, np.nan),
        )

    def _side(self, x: Floats, y: Floats) -> Floats:
        """Signed distance from the line, metres; within a micrometre counts as on it."""
        side = (y - self._y) * self._ux - (x - self._x) * self._uy
        return np.where(np.abs(side) < 1e-6, 0.0, side)


class Polygon:
    """A geofence. The chords that meet the boundary are few: those are walked from state to state."""

    def __init__(self, control: Control, reference_lon: float) -> None:
        self._box = Box(control.points, 1.0, reference_lon)
        self.bounds = self._box.bounds
        shape = shapely.Polygon(self._ring(control.points), [self._ring(hole) for hole in control.holes])
        if not shape.is_valid:
            raise ValueError(f"{control.id}: the polygon is not valid: {shapely.is_valid_reason(shape)}")
        self._area = shape.buffer(TOUCH_M, join_style="mitre")
        self._edge = self._area.boundary
        shapely.prepare(self._area)
        shapely.prepare(self._edge)

    def _ring(self, points: tuple[LatLon, ...]) -> Floats:
        corners = np.array(points)
        return np.column_stack(self._box.plane.project(corners[:, 0], corners[:, 1]))

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        x, y, dx, dy = self._box.project(chords, rows)
        ends = np.stack([np.stack([x, y], 1), np.stack([x + dx, y + dy], 1)], 1)
        lines = np.atleast_1d(np.asarray(shapely.linestrings(ends)))
        meets = np.flatnonzero(shapely.intersects(self._edge, lines) & (dx * dx + dy * dy > 0))
        found = [
            (int(rows[n]), *hit)
            for n in meets
            for hit in self._walk(lines[n], np.array([x[n], y[n]]), np.array([dx[n], dy[n]]))
        ]
        return Hits(
            chord=np.array([f[0] for f in found], np.int64),
            direction=[f[1] for f in found],
            fraction=np.array([f[2] for f in found], np.float64),
            sine=np.array([f[3] for f in found], np.float64),
            occurrence=np.array([f[4] for f in found], np.int64),
            min_distance_m=np.full(len(found), np.nan),
        )

    def _walk(self, line: shapely.LineString, start: Floats, way: Floats) -> list[tuple[str, float, float, int]]:
        """(direction, fraction, sine, occurrence) along one chord.

        States are asked at the ends and between the meetings with the edge; the meetings are inside.
        """
        met = shapely.get_coordinates(shapely.intersection(line, self._edge))
        fractions = np.unique(np.clip((met - start) @ way / (way @ way), 0.0, 1.0))
        places = np.concatenate([[0.0], fractions, [1.0]])
        middles = (places[1:] + places[:-1]) / 2
        spans = self._inside(start + np.outer(middles, way))
        states = np.ones(2 * len(places) - 1, bool)
        states[1::2] = spans
        states[[0, -1]] = self._inside(np.array([start, start + way]))
        return self._changes(states, places, start, way)

    def _changes(
        self, states: NDArray[np.bool_], places: Floats, start: Floats, way: Floats
    ) -> list[tuple[str, float, float, int]]:
        """Each change of state, at the meeting beside it."""
        seen = {"enter": 0, "leave": 0}
        changes = []
        for n in np.flatnonzero(states[1:] != states[:-1]):
            direction = "enter" if states[n + 1] else "leave"
            # Even states are places, odd ones the spans between: the place is the even one of the two.
            fraction = float(places[(n + 1) // 2])
            changes.append((direction, fraction, self._sine(start + fraction * way, way), seen[direction]))
            seen[direction] += 1
        return changes

    def _inside(self, points: Floats) -> NDArray[np.bool_]:
        return np.asarray(shapely.intersects_xy(self._area, points[:, 0], points[:, 1]))

    def _sine(self, point: Floats, way: Floats) -> float:
        """Of the angle between the chord and the edge that passes by the point."""
        corners = shapely.get_coordinates(self._edge)
        a, edge = corners[:-1], np.diff(corners, axis=0)
        length_2 = np.maximum((edge**2).sum(axis=1), 1e-12)
        along = np.clip(((point - a) * edge).sum(axis=1) / length_2, 0.0, 1.0)
        nearest = int(np.argmin(((a + along[:, None] * edge - point) ** 2).sum(axis=1)))
        ux, uy = edge[nearest] / np.sqrt(length_2[nearest])
        return float(min(abs(way[0] * uy - way[1] * ux) / np.hypot(*way), 1.0))


_KINDS: dict[Shape, Callable[[Control, float], PreparedShape]] = {
    Shape.CIRCLE: Circle,
    Shape.GATE: Gate,
    Shape.POLYGON: Polygon,
}
