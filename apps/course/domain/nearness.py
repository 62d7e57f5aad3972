"""The spatial index of a course: which chords may touch which control, told by boxes of degrees alone.

Chords that follow each other lie near each other. So stretches of them are looked at first, as one box each,
against the boxes of all controls at once; only the chords of a stretch that comes near are looked at singly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apps.course.domain.boxes import Bounds, Chords

STRETCH = 32  # chords to a stretch: half a minute at 1 Hz
FEW = 4096  # chords that are compared with every control singly, as fast as any stretch

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Boxes:
    """Boxes of degrees in columns."""

    south: Floats
    north: Floats
    west: Floats
    east: Floats

    def take(self, rows: Ints) -> "_Boxes":
        return _Boxes(self.south[rows], self.north[rows], self.west[rows], self.east[rows])

    def stretches(self) -> "_Boxes":
        """The boxes around STRETCH neighbours each."""
        starts = np.arange(0, len(self.south), STRETCH)
        low, high = np.minimum.reduceat, np.maximum.reduceat
        return _Boxes(
            low(self.south, starts), high(self.north, starts), low(self.west, starts), high(self.east, starts)
        )

    def touch(self, bounds: Bounds) -> NDArray[np.bool_]:
        beside = (self.west <= bounds.east) & (self.east >= bounds.west)
        return beside & (self.south <= bounds.north) & (self.north >= bounds.south)


def near(chords: Chords, all_bounds: Sequence[Bounds]) -> Iterator[tuple[int, Ints]]:
    """(number of the bounds, ascending rows of the chords whose own box touches them), where there are any."""
    if not len(chords.before_ts):
        return
    (a, b), (c, d) = chords.lat, chords.lon
    boxes = _Boxes(np.minimum(a, b), np.maximum(a, b), np.minimum(c, d), np.maximum(c, d))
    stretch = STRETCH if len(a) > FEW else 1
    coarse = boxes.stretches() if stretch > 1 else boxes
    touched = _touched(coarse, all_bounds)
    for n in np.flatnonzero(touched.any(axis=1)):
        rows = np.flatnonzero(touched[n])
        if stretch > 1:
            rows = _singly(boxes, rows, all_bounds[int(n)])
        if len(rows):
            yield int(n), rows


def _touched(boxes: _Boxes, all_bounds: Sequence[Bounds]) -> NDArray[np.bool_]:
    """Which bounds (rows) touch which boxes (columns)."""
    edges = np.array([(b.south, b.north, b.west, b.east) for b in all_bounds]).reshape(-1, 4, 1)
    south, north, west, east = (edges[:, n] for n in range(4))
    touched: NDArray[np.bool_] = (boxes.south <= north) & (boxes.north >= south)
    touched &= boxes.west <= east
    touched &= boxes.east >= west
    return touched


def _singly(boxes: _Boxes, stretches: Ints, bounds: Bounds) -> Ints:
    """The chords of these stretches that touch the bounds themselves."""
    rows = (stretches[:, None] * STRETCH + np.arange(STRETCH)).ravel()
    rows = rows[rows < len(boxes.south)]
    return np.asarray(rows[boxes.take(rows).touch(bounds)], np.int64)
