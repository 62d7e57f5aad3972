"""Waypoints: where chords meet a circle, all circles of a course in one go, each on its own plane."""

from collections.abc import Mapping

import numpy as np

from apps.course.domain.boxes import TOUCH_M, Bounds, Box, Chords, Floats, Hits, Ints
from apps.course.domain.controls import Control
from apps.course.domain.plane import Plane, Planes


class Circle:
    """A waypoint: the chord's points at the radius solve a quadratic."""

    def __init__(self, control: Control, reference_lon: float) -> None:
        self.radius = control.radius_m
        box = Box(control.points, self.radius * 1.01 + TOUCH_M, reference_lon)
        self.plane: Plane = box.plane
        self.bounds: Bounds = box.bounds

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        return Circles({0: self}).hits(chords, {0: rows})[1]


class Circles:
    """Circles by number. Cars near one each are looked at as quickly as cars near the same one."""

    def __init__(self, circles: Mapping[int, Circle]) -> None:
        self.numbers = frozenset(circles)
        size = max(circles, default=-1) + 1
        self._radius = np.zeros(size)
        self._radius[list(circles)] = [circle.radius for circle in circles.values()]
        self._planes = Planes([circles[n].plane if n in circles else Plane(0, 0) for n in range(size)])

    def hits(self, chords: Chords, near: Mapping[int, Ints]) -> tuple[Ints, Hits]:
        """Where chords cross the circles they are near, and the number of each one's circle.

        `near` holds rows of `chords` by the number of the circle.
        """
        which = np.repeat(*np.array([(n, len(rows)) for n, rows in near.items()], np.int64).reshape(-1, 2).T)
        rows = np.concatenate([np.empty(0, np.int64), *near.values()])
        x, y = self._planes.project(which, chords.lat[0][rows], chords.lon[0][rows])
        x1, y1 = self._planes.project(which, chords.lat[1][rows], chords.lon[1][rows])
        found, hits = _solved((x, y, x1 - x, y1 - y), self._radius[which], rows)
        return which[found], hits


def _solved(at: tuple[Floats, Floats, Floats, Floats], radius: Floats, rows: Ints) -> tuple[Ints, Hits]:
    """The crossings of chords from (x, y) by (dx, dy) with circles about the origin, and which chord each is of."""
    x, y, dx, dy = at
    a, b, c = dx * dx + dy * dy, x * dx + y * dy, x * x + y * y - radius**2
    step = np.where(a > 0, a, 1.0)
    nearest = np.clip(-b / step, 0.0, 1.0)
    smallest = np.hypot(x + nearest * dx, y + nearest * dy)
    touch = 2 * radius * TOUCH_M  # what the boundary that belongs to the circle adds to c
    first_in, last_in = c <= touch, c + 2 * b + a <= touch
    passes = (smallest <= radius + TOUCH_M) & (a > 0)
    enters, leaves = np.flatnonzero(passes & ~first_in), np.flatnonzero(passes & ~last_in)
    found = np.concatenate([enters, leaves])
    root = np.sqrt(np.maximum(b * b - a * c, 0.0))
    fraction = np.concatenate([(-b - root)[enters], (-b + root)[leaves]]) / step[found]
    # The chord's distance from the centre over the radius is the cosine of the angle at the boundary.
    line = np.abs(x * dy - y * dx) / np.sqrt(step)
    sine = np.sqrt(np.maximum(1 - (line / radius) ** 2, 0.0))
    return found, Hits(
        chord=rows[found],
        direction=["enter"] * len(enters) + ["leave"] * len(leaves),
        fraction=np.clip(fraction, 0.0, 1.0),
        sine=sine[found],
        occurrence=np.zeros(len(found), np.int64),
        min_distance_m=smallest[found],
    )
