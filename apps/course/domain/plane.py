"""A local tangent plane: metres east and north of a centre, near which it is as good as exact.

Points go to the WGS 84 ellipsoid, from there straight onto the plane that touches it at the centre. A point
at distance d appears short by about d³ / (6 R²): 0.5 mm at 5 km, at every latitude and across the date line.
"""

from dataclasses import dataclass

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
        offset = _earth_centred(lat, lon) - _earth_centred(self.lat, self.lon).reshape(3, 1)
        sin_lat, cos_lat = np.sin(np.radians(self.lat)), np.cos(np.radians(self.lat))
        sin_lon, cos_lon = np.sin(np.radians(self.lon)), np.cos(np.radians(self.lon))
        x, y, z = offset
        east = -sin_lon * x + cos_lon * y
        north = -sin_lat * cos_lon * x - sin_lat * sin_lon * y + cos_lat * z
        return east, north


def _earth_centred(lat: ArrayLike, lon: ArrayLike) -> Metres:
    """Earth-centred coordinates, metres, shape (3, n)."""
    phi = np.radians(np.atleast_1d(np.asarray(lat, np.float64)))
    theta = np.radians(np.atleast_1d(np.asarray(lon, np.float64)))
    normal = SEMI_MAJOR_M / np.sqrt(1 - ECCENTRICITY_2 * np.sin(phi) ** 2)
    return np.stack(
        [
            normal * np.cos(phi) * np.cos(theta),
            normal * np.cos(phi) * np.sin(theta),
            normal * (1 - ECCENTRICITY_2) * np.sin(phi),
        ]
    )


def unwrapped(lon: ArrayLike, reference: float) -> NDArray[np.float64]:
    """Longitudes within 180° of a reference, so that plain comparison works across the date line."""
    return reference + (np.asarray(lon, np.float64) - reference + 180.0) % 360.0 - 180.0


def distance_m(lat_a: ArrayLike, lon_a: ArrayLike, lat_b: ArrayLike, lon_b: ArrayLike) -> Metres:
    """Straight distance between points, metres; short of the surface distance by d³ / (24 R²)."""
    delta = _earth_centred(lat_a, lon_a) - _earth_centred(lat_b, lon_b)
    return np.asarray(np.sqrt((delta**2).sum(axis=0)))
