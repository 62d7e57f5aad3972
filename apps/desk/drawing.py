"""Fixes and controls as an SVG: metres on the local plane of the place, north up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.course.domain.controls import Control, Shape
from apps.course.domain.plane import Plane

WIDTH, HEIGHT, MARGIN = 800, 460, 40
SCALES_M = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000)

LatLon = tuple[float, float]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Dot:
    """A fix to be drawn: what it is ("own", "faulty" or ""), and what it says when touched."""

    lat: float
    lon: float
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a template draws, in pixels."""

    track: str
    dots: Sequence[tuple[str, float, float, str]]
    polygons: Sequence[str]
    circles: Sequence[tuple[float, float, float]]
    gates: Sequence[str]
    chord: Sequence[float]
    cross: Sequence[float]
    scale_px: float
    scale_m: int
    width: int = WIDTH
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Frame:
    """From degrees to pixels: a plane at the middle, pixels a metre, and the pixel of the middle."""

    plane: Plane
    per_m: float
    centre: Point

    @classmethod
    def around(cls, points: Sequence[LatLon], least_m: float = 60.0) -> "Frame":
        """A frame that shows all points, and no less than `least_m` metres."""
        plane = Plane(sum(lat for lat, _ in points) / len(points), points[0][1])
        east, north = plane.project([lat for lat, _ in points], [lon for _, lon in points])
        wide, high = max(float(east.max() - east.min()), least_m), max(float(north.max() - north.min()), least_m)
        per_m = min((WIDTH - 2 * MARGIN) / wide, (HEIGHT - 2 * MARGIN) / high)
        return cls(plane, per_m, (float(east.max() + east.min()) / 2, float(north.max() + north.min()) / 2))

    def pixels(self, points: Iterable[LatLon]) -> list[Point]:
        points = list(points)
        if not points:
            return []
        east, north = self.plane.project([lat for lat, _ in points], [lon for _, lon in points])
        return [
            (round(WIDTH / 2 + (float(e) - self.centre[0]) * self.per_m, 1),
             round(HEIGHT / 2 - (float(n) - self.centre[1]) * self.per_m, 1))
            for e, n in zip(east, north, strict=True)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scene:
    """What is to be drawn; `chord` are the two fixes of a crossing, `at` the place where it cuts the control."""

    dots: Sequence[Dot]
    controls: Sequence[Control] = ()
    chord: tuple[LatLon, LatLon] | None = None
    at: LatLon | None = None


def draw(scene: Scene) -> Drawing | None:
    """The scene as pixels; None where there is nothing in it."""
    places = [(dot.lat, dot.lon) for dot in scene.dots]
    places += [point for control in scene.controls for point in _extent(control)]
    if not places:
        return None
    frame = Frame.around(places)
    pixels = frame.pixels((dot.lat, dot.lon) for dot in scene.dots)
    metres = max((m for m in SCALES_M if m * frame.per_m <= WIDTH / 4), default=SCALES_M[0])
    return Drawing(
        track=_joined(pixels),
        dots=[(dot.kind, x, y, dot.title) for dot, (x, y) in zip(scene.dots, pixels, strict=True)],
        polygons=[_joined(frame.pixels(c.points)) for c in scene.controls if c.shape is Shape.POLYGON],
        circles=[_circle(frame, c) for c in scene.controls if c.shape is Shape.CIRCLE],
        gates=[_joined(frame.pixels(c.points)) for c in scene.controls if c.shape is Shape.GATE],
        chord=[value for point in frame.pixels(scene.chord or ()) for value in point],
        cross=[value for point in frame.pixels([scene.at] if scene.at else ()) for value in point],
        scale_px=metres * frame.per_m,
        scale_m=metres,
    )


def _circle(frame: Frame, control: Control) -> tuple[float, float, float]:
    [(x, y)] = frame.pixels(control.points)
    return x, y, round(control.radius_m * frame.per_m, 1)


def _extent(control: Control) -> Iterable[LatLon]:
    """Points that bound a control, roughly."""
    if control.shape is not Shape.CIRCLE:
        return control.points
    lat, lon = control.points[0]
    up = control.radius_m / 111_000
    return [(lat + up, lon), (lat - up, lon)]


def _joined(points: Sequence[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
