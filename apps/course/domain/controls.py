"""Controls: what a chord can enter, leave or cut."""

from dataclasses import dataclass
from enum import StrEnum

from apps.common.said import Said

LatLon = tuple[float, float]


class Shape(StrEnum):
    POLYGON = "polygon"
    CIRCLE = "circle"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class Control:
    """A polygon, a circle, or a line gate. Points are (lat, lon) in degrees, radius in metres.

    A gate with a `bearing` (degrees) counts only chords that head within 90° of it.
    Raises ValueError, with the reason, for a shape that cannot be.
    """

    id: str
    shape: Shape
    points: tuple[LatLon, ...]
    holes: tuple[tuple[LatLon, ...], ...] = ()
    radius_m: float = 0.0
    bearing: float | None = None

    def __post_init__(self) -> None:
        for lat, lon in (*self.points, *(point for hole in self.holes for point in hole)):
            if not (-90 <= lat <= 90 and -180 <= lon <= 180):
                text = Said(
                    "(%(lat)s, %(lon)s) is not on Earth: latitude, longitude in degrees are needed", lat=lat, lon=lon
                )
                raise ValueError(text)
        _CHECKS[self.shape](self)

    @classmethod
    def circle(cls, id: str, lat: float, lon: float, radius_m: float) -> "Control":
        return cls(id, Shape.CIRCLE, ((lat, lon),), radius_m=radius_m)

    @classmethod
    def gate(cls, id: str, a: LatLon, b: LatLon, bearing: float | None = None) -> "Control":
        return cls(id, Shape.GATE, (a, b), bearing=bearing)

    @classmethod
    def polygon(cls, id: str, ring: tuple[LatLon, ...], holes: tuple[tuple[LatLon, ...], ...] = ()) -> "Control":
        return cls(id, Shape.POLYGON, tuple(ring), tuple(tuple(hole) for hole in holes))


def _check_circle(control: Control) -> None:
    if len(control.points) != 1 or not control.radius_m > 0:
        raise ValueError(
            Said("a circle needs one centre and a radius above 0 m, not %(radius)s", radius=control.radius_m)
        )


def _check_gate(control: Control) -> None:
    if len(control.points) != 2 or control.points[0] == control.points[1]:
        raise ValueError(Said("a gate needs two different points"))
    if control.bearing is not None and not 0 <= control.bearing <= 360:
        raise ValueError(Said("a bearing is from 0 to 360 degrees, not %(bearing)s", bearing=control.bearing))


def _check_polygon(control: Control) -> None:
    for ring in (control.points, *control.holes):
        if len(set(ring)) < 3:
            raise ValueError(Said("a polygon's ring needs three different points or more"))


_CHECKS = {Shape.CIRCLE: _check_circle, Shape.GATE: _check_gate, Shape.POLYGON: _check_polygon}
