"""Metres to degrees for tests, by search: independent of how the engine projects."""

from math import cos, radians

from apps.course.domain.plane import Plane


def degrees(centre: tuple[float, float], east_m: float, north_m: float) -> tuple[float, float]:
    """(lat, lon) of a point so many metres from the centre on its tangent plane."""
    plane, (lat, lon) = Plane(*centre), centre
    for _ in range(6):
        east, north = plane.project(lat, lon)
        lat += (north_m - float(north[0])) / 111_000
        lon += (east_m - float(east[0])) / (111_000 * cos(radians(centre[0])))
    return (lat, lon) if abs(lon) <= 180 else (lat, lon - 360 if lon > 0 else lon + 360)
