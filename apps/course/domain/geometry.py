"""GeoJSON geometry, as the course tables hold it, to controls."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.course.domain.controls import Control, LatLon
from apps.course.domain.shapes import prepare


def geometry_control(identity: object, geometry: Mapping[str, Any], bearing: float | None = None) -> Control:
    """The control of a GeoJSON Polygon, or of a LineString of two points.

    `identity` becomes the control's id by str(). Raises ValueError with the reason for what is no such geometry.
    """
    if not isinstance(geometry, Mapping):
        raise ValueError("a geometry is an object with type and coordinates")
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "LineString":
        return _gate(str(identity), _ring(coordinates), bearing)
    if kind == "Polygon":
        return _polygon(str(identity), [_ring(ring) for ring in _list(coordinates, "a polygon's rings")])
    raise ValueError(f"a Polygon or a LineString is needed, not {kind!r}")


def check_geometry(geometry: Mapping[str, Any], bearing: float | None = None) -> None:
    """Raises ValueError with the reason for a geometry that detection could not use."""
    control = geometry_control("geometry", geometry, bearing)
    prepare(control, control.points[0][1])


def _gate(identity: str, points: tuple[LatLon, ...], bearing: float | None) -> Control:
    if len(points) != 2:
        raise ValueError(f"a line gate has two points, not {len(points)}")
    return Control.gate(identity, points[0], points[1], bearing)


def _polygon(identity: str, rings: Sequence[tuple[LatLon, ...]]) -> Control:
    if not rings:
        raise ValueError("a polygon needs an outer ring")
    return Control.polygon(identity, rings[0], tuple(rings[1:]))


def _ring(points: Any) -> tuple[LatLon, ...]:
    return tuple(_lat_lon(point) for point in _list(points, "points"))


def _lat_lon(point: Any) -> LatLon:
    """From GeoJSON's [longitude, latitude, …]."""
    pair = _list(point, "a point")[:2]
    if len(pair) != 2 or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in pair):
        raise ValueError(f"a point is [longitude, latitude] in numbers, not {point!r:.60}")
    # Held within ±1000, off Earth still: float() of a longer integer would raise OverflowError.
    lon, lat = (float(max(-1000, min(1000, n))) for n in pair)
    return lat, lon


def _list(value: Any, what: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what}: a list is needed, not {value!r:.60}")
    return value
