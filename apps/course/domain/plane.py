"""A local tangent plane: metres east and north of a centre, near which it is as good as exact.

Points go to the WGS 84 ellipsoid, from there straight onto the plane that touches it at the centre. A point
at distance d appears short by about d³ / (6 R²): 0.5 mm at 5 km, at every latitude and across the date line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

SEMI_MAJOR_M = 6_378_137.0
ECCENTRICITY_2 = 6.69437999014e-3

Metres = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Plane:
    """The plane that touches the Earth at (lat, lon), degrees."""

    lat: float
    lon: float

    def project(self, lat: ArrayLike, lon: ArrayLike) -> tuple[Metres, Metres]:
        """Metres (east, north) of points in degrees."""
        centre, east, north = _frame(self.lat, self.lon)
        x, y, z = (along - origin for along, origin in zip(_earth_centred(lat, lon), centre, strict=True))
        return east[0] * x + east[1] * y, north[0] * x + north[1] * y + north[2] * z


class Planes:
    """Many planes, to project each point onto its own."""

    def __init__(self, planes: Sequence[Plane]) -> None:
        frames = np.array([_frame(plane.lat, plane.lon) for plane in planes]).reshape(-1, 9)
        self._frames: NDArray[np.float64] = frames.T.copy()

    def project(self, which: NDArray[np.int64], lat: ArrayLike, lon: ArrayLike) -> tuple[Metres, Metres]:
        """As `Plane.project`, each point by the plane of its number."""
        x0, y0, z0, east_x, east_y, _, north_x, north_y, north_z = self._frames[:, which]
        x, y, z = _earth_centred(lat, lon)
        x, y, z = x - x0, y - y0, z - z0
        return east_x * x + east_y * y, north_x * x + north_y * y + north_z * z


Triple = tuple[float, float, float]


@lru_cache(maxsize=4096)
def _frame(lat: float, lon: float) -> tuple[Triple, Triple, Triple]:
    """A plane's centre, earth-centred, and its directions east and north."""
    x, y, z = (float(along[0]) for along in _earth_centred(lat, lon))
    sin_lat, cos_lat = float(np.sin(np.radians(lat))), float(np.cos(np.radians(lat)))
    sin_lon, cos_lon = float(np.sin(np.radians(lon))), float(np.cos(np.radians(lon)))
    return (x, y, z), (-sin_lon, cos_lon, 0.0), (-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat)


def _earth_centred(lat: ArrayLike, lon: ArrayLike) -> tuple[Metres, Metres, Metres]:
    """Earth-centred coordinates, metres."""
    phi = np.radians(np.atleast_1d(np.asarray(lat, np.float64)))
    theta = np.radians(np.atleast_1d(np.asarray(lon, np.float64)))
    sin_phi = np.sin(phi)
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2 * sin_phi**2)
    across = normal * np.cos(phi)
    return across * np.cos(theta), across * np.sin(theta), normal * (1 - ECCENTRICITY_2) * sin_phi


def unwrapped(lon: ArrayLike, reference: float) -> NDArray[np.float64]:
    """Longitudes within 180° of a reference, so that plain comparison works across the date line."""
    return reference + (np.asarray(lon, np.float64) - reference + 180.0) % 360.0 - 180.0


def distance_m(lat_a: ArrayLike, lon_a: ArrayLike, lat_b: ArrayLike, lon_b: ArrayLike) -> Metres:
    """Straight distance between points, metres; short of the surface distance by d³ / (24 R²)."""
    x, y, z = (a - b for a, b in zip(_earth_centred(lat_a, lon_a), _earth_centred(lat_b, lon_b), strict=True))
    return np.asarray(np.sqrt(x**2 + y**2 + z**2))
