"""Winding mountain roads: a line in metres, laid on the map."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

STEP_M = 5.0
METRES_PER_DEGREE = 111_320.0

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Road:
    """A road sampled every `STEP_M` metres: metres east and north of (lat, lon), heading in radians from north."""

    lat: float
    lon: float
    x: Floats
    y: Floats
    heading: Floats

    @property
    def length_m(self) -> float:
        return (len(self.x) - 1) * STEP_M

    def curvature(self) -> Floats:
        """1/m at each sample."""
        return np.abs(np.gradient(self.heading, STEP_M))

    def place(self, at_m: float) -> tuple[float, float]:
        """(lat, lon) at a distance along the road."""
        lat, lon = self.places(np.array([at_m]), np.zeros(1))
        return float(lat[0]), float(lon[0])

    def places(self, at_m: Floats, aside_m: Floats) -> tuple[Floats, Floats]:
        """Latitudes and longitudes at distances along the road, so many metres to its right."""
        samples = np.arange(len(self.x)) * STEP_M
        heading = np.interp(at_m, samples, self.heading)
        x = np.interp(at_m, samples, self.x) + aside_m * np.cos(heading)
        y = np.interp(at_m, samples, self.y) - aside_m * np.sin(heading)
        return self._degrees(x, y)

    def bearing(self, at_m: float) -> float:
        """Degrees, 0 to 360."""
        samples = np.arange(len(self.x)) * STEP_M
        return float(np.degrees(np.interp(at_m, samples, self.heading)) % 360)

    def gate(self, at_m: float, half_width_m: float = 40.0) -> tuple[tuple[float, float], tuple[float, float]]:
        """The two ends, (lat, lon), of a line across the road."""
        lat, lon = self.places(np.array([at_m, at_m]), np.array([-half_width_m, half_width_m]))
        return (float(lat[0]), float(lon[0])), (float(lat[1]), float(lon[1]))

    def area(self, from_m: float, to_m: float, half_width_m: float = 60.0) -> list[list[float]]:
        """A closed GeoJSON ring, (lon, lat), round a stretch of the road."""
        first, last = int(from_m / STEP_M), int(to_m / STEP_M) + 1
        line = shapely.LineString(np.column_stack([self.x[first:last:4], self.y[first:last:4]]))
        ring = shapely.get_coordinates(line.buffer(half_width_m, quad_segs=4, cap_style="flat").simplify(5))
        lat, lon = self._degrees(ring[:, 0], ring[:, 1])
        return [[float(e), float(n)] for e, n in zip(lon.round(6), lat.round(6), strict=True)]

    def _degrees(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        lat = self.lat + y / METRES_PER_DEGREE
        return lat, self.lon + x / (METRES_PER_DEGREE * np.cos(np.radians(self.lat)))


def winding_road(start: tuple[float, float], bearing: float, length_m: float, rng: np.random.Generator) -> Road:
    """A road that winds round a general bearing (degrees), tight and wide bends mixed, never back on itself."""
    metres = np.arange(0, length_m + STEP_M, STEP_M)
    heading = np.full(len(metres), np.radians(bearing))
    for wavelength, swing in ((5000, 35), (1700, 28), (620, 20), (260, 10)):
        phase, stretch = rng.uniform(0, 2 * np.pi), rng.uniform(0.85, 1.15)
        heading += np.radians(swing) * np.sin(2 * np.pi * metres / (wavelength * stretch) + phase)
    x = np.concatenate([[0.0], np.cumsum(np.sin(heading[:-1]) * STEP_M)])
    y = np.concatenate([[0.0], np.cumsum(np.cos(heading[:-1]) * STEP_M)])
    return Road(start[0], start[1], x, y, heading)
