"""The exact part of detection: chords against one prepared shape, in metres on the shape's own plane."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from apps.course.domain.boxes import TOUCH_M, Bounds, Box, Chords, Floats, Hits, Ints
from apps.course.domain.circles import Circle
from apps.course.domain.controls import Control, Shape
from apps.course.domain.polygons import Polygon


class PreparedShape(Protocol):
    @property
    def bounds(self) -> Bounds: ...

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        """The crossings of those chords that `rows` names: all that touch the bounds, at the least."""


def prepare(control: Control, reference_lon: float) -> PreparedShape:
    """The control on its own plane. Raises ValueError, naming it, for a polygon that is not valid."""
    return _KINDS[control.shape](control, reference_lon)


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


_KINDS: dict[Shape, Callable[[Control, float], PreparedShape]] = {
    Shape.CIRCLE: Circle,
    Shape.GATE: Gate,
    Shape.POLYGON: Polygon,
}
