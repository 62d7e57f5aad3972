"""Geofences: where chords meet the boundary of an area, in metres on the area's own plane."""

import numpy as np
import shapely
from numpy.typing import NDArray

from apps.common.said import Said, about, phrased
from apps.course.domain.boxes import TOUCH_M, Box, Chords, Floats, Hits, Ints, joined
from apps.course.domain.controls import Control, LatLon

# What shapely finds wrong, before the point where.
REASONS = (
    Said("Self-intersection"),
    Said("Ring Self-intersection"),
    Said("Hole lies outside shell"),
    Said("Holes are nested"),
    Said("Interior is disconnected"),
)


class Polygon:
    """A geofence. The chords that meet the boundary are few: those are walked from state to state."""

    def __init__(self, control: Control, reference_lon: float) -> None:
        self._box = Box(control.points, 1.0, reference_lon)
        self.bounds = self._box.bounds
        shape = shapely.Polygon(self._ring(control.points), [self._ring(hole) for hole in control.holes])
        if not shape.is_valid:
            why = phrased(shapely.is_valid_reason(shape), REASONS)
            text = Said("the polygon is not valid: %(why)s", why=why)
            raise ValueError(about(control.id, text) if control.id else text)
        self._area = shape.buffer(TOUCH_M, join_style="mitre")
        self._edge = self._area.boundary
        shapely.prepare(self._area)
        shapely.prepare(self._edge)
        sides = [shapely.get_coordinates(part) for part in shapely.get_parts(self._edge)]
        self._corners = np.concatenate([side[:-1] for side in sides])
        self._sides = np.concatenate([np.diff(side, axis=0) for side in sides])

    def _ring(self, points: tuple[LatLon, ...]) -> Floats:
        corners = np.array(points)
        return np.column_stack(self._box.plane.project(corners[:, 0], corners[:, 1]))

    def hits(self, chords: Chords, rows: Ints) -> Hits:
        x, y, dx, dy = self._box.project(chords, rows)
        starts, ways = np.column_stack([x, y]), np.column_stack([dx, dy])
        lines = np.atleast_1d(np.asarray(shapely.linestrings(np.stack([starts, starts + ways], 1))))
        meets = np.flatnonzero(shapely.intersects(self._edge, lines) & (dx * dx + dy * dy > 0))
        met, of = shapely.get_coordinates(shapely.intersection(lines[meets], self._edge), return_index=True)
        counts = np.bincount(of, minlength=len(meets))
        found = [_no_hits()]
        for count in sorted(set(counts[counts > 0].tolist())):
            these = counts == count
            walk = meets[these]
            found.append(self._walk(rows[walk], starts[walk], ways[walk], met[these[of]].reshape(-1, count, 2)))
        return joined(found)

    def _walk(self, rows: Ints, starts: Floats, ways: Floats, met: Floats) -> Hits:
        """Each change of state along chords that meet the edge equally often.

        States are asked at the ends and between the meetings with the edge; the meetings are inside.
        """
        lengths_2 = (ways**2).sum(axis=1)
        fractions = np.sort(((met - starts[:, None]) * ways[:, None]).sum(axis=2) / lengths_2[:, None], axis=1)
        places = np.pad(np.clip(fractions, 0.0, 1.0), ((0, 0), (1, 1)), constant_values=(0.0, 1.0))
        states = np.ones((len(rows), 2 * places.shape[1] - 1), bool)
        states[:, 1::2] = self._inside(starts, ways, (places[:, 1:] + places[:, :-1]) / 2)
        states[:, [0, -1]] = self._inside(starts, ways, places[:, [0, -1]])
        n, step = np.nonzero(states[:, 1:] != states[:, :-1])
        # Even states are places, odd ones the spans between: the place is the even one of the two.
        fraction = places[n, (step + 1) // 2]
        return Hits(
            chord=rows[n],
            direction=["enter" if into else "leave" for into in states[n, step + 1]],
            fraction=fraction,
            sine=self._sine(starts[n] + fraction[:, None] * ways[n], ways[n]),
            # Entering and leaving take turns.
            occurrence=np.asarray((np.arange(len(n)) - np.searchsorted(n, n)) // 2, np.int64),
            min_distance_m=np.full(len(n), np.nan),
        )

    def _inside(self, starts: Floats, ways: Floats, fractions: Floats) -> NDArray[np.bool_]:
        points = starts[:, None] + fractions[..., None] * ways[:, None]
        return np.asarray(shapely.intersects_xy(self._area, points[..., 0], points[..., 1]))

    def _sine(self, points: Floats, ways: Floats) -> Floats:
        """Of the angle between each chord and the edge that passes by its point."""
        corners, sides = self._corners, self._sides
        length_2 = np.maximum((sides**2).sum(axis=1), 1e-12)
        offset = points[:, None] - corners
        along = np.clip((offset * sides).sum(axis=2) / length_2, 0.0, 1.0)
        nearest = ((offset - along[..., None] * sides) ** 2).sum(axis=2).argmin(axis=1)
        side = sides[nearest] / np.sqrt(length_2[nearest])[:, None]
        across = np.abs(ways[:, 0] * side[:, 1] - ways[:, 1] * side[:, 0])
        return np.asarray(np.minimum(across / np.hypot(ways[:, 0], ways[:, 1]), 1.0))


def _no_hits() -> Hits:
    none = np.empty(0)
    return Hits(np.empty(0, np.int64), [], none, none, np.empty(0, np.int64), none)
