"""A penalty drawn to scale, north up, in the units of an SVG's view box: plain shapes a template writes out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import cos, floor, hypot, log10, pi, sin

from apps.course.domain.controls import Control, Shape
from apps.course.domain.plane import Plane
from apps.scoring.domain.tracks import TrackFix, chords

WIDTH = 800.0
LOWEST, HIGHEST = 480.0, 900.0
PADDING = 90.0
# A map of one spot would show less than the trackers' own error.
LEAST_METRES = 60.0
# Numbers nearer to each other than this cannot be read on a phone.
NUMBER_EVERY = 46.0
LINE = 30.0
LETTER = 13.5
CROSS = 8.0
BESIDE = 26.0

Point = tuple[float, float]
LatLon = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Label:
    """Words to put near a place: what is said, and of which kind (a class of the style sheet)."""

    text: str
    kind: str
    place: LatLon


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is to be drawn; `over` are the instants of the `device` whose fixes are over the limit.

    `numbers` give the fixes of the table their numbers; `reach` draws a line between two places, e.g. from a
    waypoint to the closest approach. `times` tells an instant.
    """

    fixes: Sequence[TrackFix]
    controls: Sequence[Control]
    over: frozenset[int] = frozenset()
    device: int = 0
    labels: Sequence[Label] = ()
    numbers: Mapping[tuple[int, int], int] = field(default_factory=dict)
    times: Callable[[int], str] = str
    reach: tuple[LatLon, LatLon] | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A fix on the map; `kind` is over, fix, other (another device's) or void (does not count)."""

    x: float
    y: float
    kind: str
    fix: TrackFix
    number: int | None = None
    number_at: Point | None = None
    time: str = ""

    # The ends of the cross that strikes a fix out.
    @property
    def left(self) -> float:
        return round(self.x - CROSS, 1)

    @property
    def right(self) -> float:
        return round(self.x + CROSS, 1)

    @property
    def top(self) -> float:
        return round(self.y - CROSS, 1)

    @property
    def bottom(self) -> float:
        return round(self.y + CROSS, 1)


@dataclass(frozen=True, slots=True)
class Callout:
    """A label with the line that leads to its place; `anchor` is SVG's text-anchor."""

    text: str
    kind: str
    place: Point
    at: Point
    anchor: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything in view-box units; outlines and lines are SVG path data."""

    width: float
    height: float
    areas: tuple[str, ...]
    gates: tuple[str, ...]
    chords: tuple[tuple[str, str], ...]  # kind, path
    dots: tuple[Dot, ...]
    callouts: tuple[Callout, ...]
    reach: str
    scale_metres: int
    scale_units: float

    @property
    def scale_y(self) -> float:
        return self.height - 24

    @property
    def others(self) -> bool:
        """Whether another tracker's fixes are on it."""
        return any(dot.kind == "other" for dot in self.dots)


@dataclass(frozen=True, slots=True)
class _Frame:
    """From degrees to the view box."""

    plane: Plane
    west: float
    north: float
    units: float  # per metre
    height: float

    def points(self, places: Iterable[LatLon]) -> list[Point]:
        found = list(places)
        if not found:
            return []
        east, north = self.plane.project([p[0] for p in found], [p[1] for p in found])
        return [
            (float((e - self.west) * self.units), float((self.north - n) * self.units))
            for e, n in zip(east, north, strict=True)
        ]

    def holds(self, point: Point) -> bool:
        return 0 <= point[0] <= WIDTH and 0 <= point[1] <= self.height


def draw(sketch: Sketch) -> Drawing | None:
    """The drawing, or None when there is nothing with a place."""
    outlines = [_outline(control) for control in sketch.controls]
    places = [(f.lat, f.lon) for f in sketch.fixes if f.counts] + [place for line in outlines for place in line]
    if not places:
        return None
    frame = _framed(places)
    dots = _dots(sketch, frame)
    metres = _round_length(190 / frame.units)
    return Drawing(
        width=WIDTH,
        height=frame.height,
        areas=tuple(_path(frame.points(o), closed=True) for o, c in _pairs(outlines, sketch) if c.shape != Shape.GATE),
        gates=tuple(_path(frame.points(o)) for o, c in _pairs(outlines, sketch) if c.shape == Shape.GATE),
        chords=tuple(_chords(sketch, frame)),
        dots=dots,
        callouts=_callouts(sketch.labels, frame, dots),
        reach=_path(frame.points(sketch.reach)) if sketch.reach else "",
        scale_metres=metres,
        scale_units=round(metres * frame.units, 1),
    )


def _pairs(outlines: Sequence[list[LatLon]], sketch: Sketch) -> Iterable[tuple[list[LatLon], Control]]:
    return zip(outlines, sketch.controls, strict=True)


def _outline(control: Control) -> list[LatLon]:
    """The points of a shape; a circle as a polygon of 72 corners, drawn in degrees as it lies on the ground."""
    if control.shape is not Shape.CIRCLE:
        return list(control.points)
    (lat, lon) = control.points[0]
    north = control.radius_m / 111_195
    east = north / max(cos(lat * pi / 180), 1e-6)
    turns = (2 * pi * n / 72 for n in range(72))
    return [(lat + north * cos(t), lon + east * sin(t)) for t in turns]


def _framed(places: Sequence[LatLon]) -> _Frame:
    plane = Plane(*places[0])
    east, north = plane.project([p[0] for p in places], [p[1] for p in places])
    wide = max(float(east.max() - east.min()), LEAST_METRES)
    high = max(float(north.max() - north.min()), LEAST_METRES / 2)
    height = min(HIGHEST, max(LOWEST, high * (WIDTH - 2 * PADDING) / wide + 2 * PADDING))
    units = min((WIDTH - 2 * PADDING) / wide, (height - 2 * PADDING) / high)
    middle = (float(east.max() + east.min()) / 2, float(north.max() + north.min()) / 2)
    return _Frame(plane, middle[0] - WIDTH / units / 2, middle[1] + height / units / 2, units, round(height, 1))


def _dots(sketch: Sketch, frame: _Frame) -> tuple[Dot, ...]:
    points = frame.points((fix.lat, fix.lon) for fix in sketch.fixes)
    dots: list[Dot] = []
    shown: list[Point] = []
    for n, (fix, point) in enumerate(zip(sketch.fixes, points, strict=True)):
        if not frame.holds(point):
            continue  # a fix that does not count may lie anywhere on Earth
        number = sketch.numbers.get((fix.device, fix.ts))
        room = number is not None and all(_far(point, other, NUMBER_EVERY) for other in shown)
        shown += [point] if room else []
        beside = _beside(points[max(0, n - 1) : n + 2], point) if room else None
        dots.append(Dot(*_rounded(point), _kind(fix, sketch), fix, number, beside, sketch.times(fix.ts)))
    # What matters lies on top.
    return tuple(sorted(dots, key=lambda dot: ("other", "fix", "void", "over").index(dot.kind)))


def _beside(near: Sequence[Point], point: Point) -> Point:
    """Where a fix's number goes: to the right of the way the crew drives."""
    along = near[-1][0] - near[0][0], near[-1][1] - near[0][1]
    length = hypot(*along) or 1.0
    return _rounded((point[0] - along[1] / length * BESIDE, point[1] + along[0] / length * BESIDE))


def _kind(fix: TrackFix, sketch: Sketch) -> str:
    if not fix.counts:
        return "void"
    if fix.device != sketch.device:
        return "other"
    return "over" if fix.ts in sketch.over else "fix"


def _chords(sketch: Sketch, frame: _Frame) -> Iterable[tuple[str, str]]:
    for a, b in chords(sketch.fixes):
        both = {_kind(a, sketch), _kind(b, sketch)}
        kind = "other" if "other" in both else "over" if both == {"over"} else "fix"
        yield kind, _path(frame.points([(a.lat, a.lon), (b.lat, b.lon)]))


def _path(points: Sequence[Point], *, closed: bool = False) -> str:
    steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    return f"M{steps}{'Z' if closed else ''}"


def _callouts(labels: Sequence[Label], frame: _Frame, dots: Sequence[Dot]) -> tuple[Callout, ...]:
    """Each label where it covers the fewest dots and no other label."""
    taken: list[tuple[float, float, float, float]] = [
        (WIDTH - 70, 0, WIDTH, 90),
        (0, frame.height - 70, 270, frame.height),
    ]
    found: list[Callout] = []
    for label, place in zip(labels, frame.points(label.place for label in labels), strict=True):
        options = [_option(label, place, turn, away) for away in (60, 100, 150, 210) for turn in range(12)]
        best = min(options, key=lambda option: _cost(option, frame, dots, taken))
        taken.append(_box(best))
        found.append(best)
    return tuple(found)


def _option(label: Label, place: Point, turn: int, away: float) -> Callout:
    x = place[0] + away * cos(turn * pi / 6)
    y = place[1] + away * sin(turn * pi / 6)
    anchor = "start" if x >= place[0] else "end"
    return Callout(label.text, label.kind, _rounded(place), _rounded((x, y)), anchor)


def _cost(
    option: Callout, frame: _Frame, dots: Sequence[Dot], taken: Sequence[tuple[float, float, float, float]]
) -> float:
    left, top, right, bottom = _box(option)
    outside = max(0.0, -left) + max(0.0, right - WIDTH) + max(0.0, -top) + max(0.0, bottom - frame.height)
    covered = sum(left - 8 <= dot.x <= right + 8 and top - 8 <= dot.y <= bottom + 8 for dot in dots)
    clashes = sum(left < r and l < right and top < b and t < bottom for l, t, r, b in taken)  # noqa: E741
    away = abs(option.at[0] - option.place[0]) + abs(option.at[1] - option.place[1])
    return outside * 1000 + clashes * 5000 + covered * 60 + away / 4


def _box(callout: Callout) -> tuple[float, float, float, float]:
    wide = LETTER * len(callout.text) + 10
    left = callout.at[0] if callout.anchor == "start" else callout.at[0] - wide
    return left, callout.at[1] - LINE / 2, left + wide, callout.at[1] + LINE / 2


def _round_length(metres: float) -> int:
    """The longest of 1, 2, 5, 10, 20, … metres that is not longer."""
    longest = max(metres, 1.0)
    power: int = 10 ** floor(log10(longest))
    return max(step * power for step in (1, 2, 5) if step * power <= longest)


def _far(a: Point, b: Point, units: float) -> bool:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2 >= units**2


def _rounded(point: Point) -> Point:
    return round(point[0], 1), round(point[1], 1)
