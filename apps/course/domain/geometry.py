"""GeoJSON geometry, as the course tables hold it, to controls."""

from collections.abc import Mapping, Sequence
from typing import Any

from apps.common.said import Said
from apps.course.domain.controls import Control, LatLon, Shape
from apps.course.domain.shapes import prepare


def geometry_control(identity: object, geometry: Mapping[str, Any], bearing: float | None = None) -> Control:
    """The control of a GeoJSON Polygon, or of a LineString of two points.

    `identity` becomes the control's id by str(). Raises ValueError with the reason for what is no such geometry.
    """
    if not isinstance(geometry, Mapping):
        raise ValueError(Said("a geometry is an object with type and coordinates"))
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "LineString":
        return _gate(str(identity), _ring(coordinates), bearing)
    if kind == "Polygon":
        return _polygon(str(identity), [_ring(ring) for ring in _list(coordinates, Said("a polygon's rings"))])
    raise ValueError(Said("a Polygon or a LineString is needed, not %(found)s", found=shown(kind)))


def check_geometry(geometry: Mapping[str, Any], bearing: float | None = None) -> Control:
    """As `geometry_control`; raises ValueError also for what detection could not use, as a ring that cuts itself."""
    control = geometry_control("", geometry, bearing)
    prepare(control, control.points[0][1])
    return control


def control_geometry(control: Control) -> dict[str, Any]:
    """The inverse of `geometry_control`: GeoJSON with longitude and latitude alone."""
    rings = [[[lon, lat] for lat, lon in ring] for ring in (control.points, *control.holes)]
    if control.shape is Shape.GATE:
        return {"type": "LineString", "coordinates": rings[0]}
    return {"type": "Polygon", "coordinates": rings}


def shown(value: object) -> str:
    """A value for a message: short, and never the inside of a container, which may be deep beyond printing."""
    if isinstance(value, str | int | float | None):
        return f"{value!r:.60}"
    return Said("a %(kind)s", kind=type(value).__name__)


def _gate(identity: str, points: tuple[LatLon, ...], bearing: float | None) -> Control:
    if len(points) != 2:
        raise ValueError(Said("a line gate has two points, not %(count)s", count=len(points)))
    return Control.gate(identity, points[0], points[1], bearing)


def _polygon(identity: str, rings: Sequence[tuple[LatLon, ...]]) -> Control:
    if not rings:
        raise ValueError(Said("a polygon needs an outer ring"))
    return Control.polygon(identity, rings[0], tuple(rings[1:]))


def _ring(points: Any) -> tuple[LatLon, ...]:
    return tuple(_lat_lon(point) for point in _list(points, Said("points")))


def _lat_lon(point: Any) -> LatLon:
    """From GeoJSON's [longitude, latitude, …]."""
    pair = _list(point, Said("a point"))[:2]
    if len(pair) != 2 or not all(isinstance(n, int | float) and not isinstance(n, bool) for n in pair):
        raise ValueError(Said("a point is [longitude, latitude] in numbers, not %(found)s", found=shown(point)))
    # Held within ±1000, off Earth still: float() of a longer integer would raise OverflowError.
    lon, lat = (float(max(-1000, min(1000, n))) for n in pair)
    return lat, lon


def _list(value: Any, what: Said) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise ValueError(Said("%(what)s: a list is needed, not %(found)s", what=what, found=shown(value)))
    return value
