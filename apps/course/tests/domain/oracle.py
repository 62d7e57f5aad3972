"""An independent oracle of detection: every crossing by exact arithmetic, nothing shared with the engine.

Only the contract is common to both: the plane that touches WGS 84 at the middle of the control's points, chords
straight on it, shapes grown by a millimetre (the boundary belongs to them), a gate crossed by the chord that
arrives on its line. Points are projected with 30 digits by an angle-addition formula and kept as whole
femtometres; all that follows is exact in integers and fractions: circles by a quadratic whose root is `isqrt`,
polygons by parity, gates by the sign of a cross product. Slow and plain on purpose.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from math import isqrt
from typing import Protocol

from apps.course.domain.controls import Control, LatLon, Shape

UNIT = 10**15  # of a metre
DIGITS = 30  # the Decimal context the oracle wants
TOUCH_M = Decimal("0.001")  # by contract, not by import
ON_LINE_M = Decimal("0.000001")
RADIAN = Decimal("3.1415926535897932384626433832795028841971693993751") / 180
SEMI_MAJOR_M = Decimal(6_378_137)
ECCENTRICITY_2 = Decimal("0.00669437999014")
TINY = Decimal(10) ** -DIGITS

Point = tuple[int, int]
Meeting = tuple[str, Fraction]


@dataclass(frozen=True, slots=True)
class Fix:
    """A row as it arrives: degrees, epoch ms."""

    device: int
    ts: int
    lat: float
    lon: float
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Slack:
    """Metres by which boundaries and gate lines are pushed out: what moves with them is too close to call."""

    boundary: Decimal = Decimal(0)
    line: Decimal = Decimal(0)


class Solver(Protocol):
    def point(self, lat: float, lon: float) -> Point: ...

    def meetings(self, start: Point, end: Point) -> list[Meeting]: ...


def neighbours(rows: Iterable[Fix]) -> Iterator[tuple[Fix, Fix]]:
    """The chords of each device: rows by time, of the same instant the first to arrive, junk left out."""
    kept: dict[int, dict[int, Fix]] = {}
    for row in rows:
        if row.usable and abs(row.lat) <= 90 and abs(row.lon) <= 180 and (row.lat, row.lon) != (0, 0):
            kept.setdefault(row.device, {}).setdefault(row.ts, row)
    for of_device in kept.values():
        yield from pairwise(of_device[ts] for ts in sorted(of_device))


def solver(control: Control, slack: Slack = Slack()) -> Solver:  # noqa: B008 - frozen
    if control.shape is Shape.CIRCLE:
        return Circle(control, slack)
    return Polygon(control, slack) if control.shape is Shape.POLYGON else Gate(control, slack)


def sine_cosine(angle: Decimal) -> tuple[Decimal, Decimal]:
    """By Taylor's series, which is short for the small angles of a course."""
    sums, term, order = [Decimal(0), Decimal(1)], Decimal(1), 0
    while abs(term) > TINY:
        order += 1
        term = term * angle / order
        sums[order % 2 == 0] += term if order % 4 < 2 else -term
    return sums[0], sums[1]


class Tangent:
    """The tangent plane at the middle of some points."""

    def __init__(self, points: Sequence[LatLon]) -> None:
        lats = [Decimal(lat) for lat, _ in points]
        lons = [self._around(Decimal(points[0][1]), Decimal(lon)) for _, lon in points]
        self._lat, self._lon = (min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2
        self._sin, self._cos = sine_cosine(self._lat * RADIAN)
        self._lift = ECCENTRICITY_2 * self._normal(self._sin) * self._sin * self._cos

    def point(self, lat: float, lon: float) -> Point:
        """Whole units east and north."""
        sin_up, cos_up = sine_cosine((Decimal(lat) - self._lat) * RADIAN)
        sin_aside, cos_aside = sine_cosine((self._around(self._lon, Decimal(lon)) - self._lon) * RADIAN)
        sin_lat = self._sin * cos_up + self._cos * sin_up
        cos_lat = self._cos * cos_up - self._sin * sin_up
        normal = self._normal(sin_lat)
        polar = (1 - ECCENTRICITY_2) * sin_lat * self._cos - cos_lat * self._sin * cos_aside
        return units(normal * cos_lat * sin_aside), units(normal * polar + self._lift)

    @staticmethod
    def _normal(sin_lat: Decimal) -> Decimal:
        return SEMI_MAJOR_M / (1 - ECCENTRICITY_2 * sin_lat * sin_lat).sqrt()

    @staticmethod
    def _around(reference: Decimal, lon: Decimal) -> Decimal:
        turns = ((lon - reference) / 360).to_integral_value()
        return lon - 360 * turns


def units(metres: Decimal) -> int:
    return int((metres * UNIT).to_integral_value())


class Circle:
    """Inside by the grown radius; the instant is where the chord meets the radius itself, or comes nearest."""

    def __init__(self, control: Control, slack: Slack) -> None:
        self.point = Tangent(control.points).point
        self._radius = units(Decimal(control.radius_m) + slack.boundary)
        self._grown_2 = (self._radius + units(TOUCH_M)) ** 2

    def meetings(self, start: Point, end: Point) -> list[Meeting]:
        (x, y), dx, dy = start, end[0] - start[0], end[1] - start[1]
        a, b, c = dx * dx + dy * dy, x * dx + y * dy, x * x + y * y
        first_in, last_in = c <= self._grown_2, end[0] ** 2 + end[1] ** 2 <= self._grown_2
        passes = first_in or last_in or (0 < -b < a and (x * dy - y * dx) ** 2 <= self._grown_2 * a)
        if a == 0 or not passes:
            return []
        root = isqrt(max(0, b * b - a * (c - self._radius**2)))
        enter, leave = (min(max(Fraction(-b + sign * root, a), Fraction(0)), Fraction(1)) for sign in (-1, 1))
        return [("enter", enter)] * (not first_in) + [("leave", leave)] * (not last_in)


class Gate:
    """Crossed by the chord that arrives on the line, not by the one that departs from it."""

    def __init__(self, control: Control, slack: Slack) -> None:
        self.point = Tangent(control.points).point
        self._a, b = (self.point(*place) for place in control.points)
        self._way = b[0] - self._a[0], b[1] - self._a[1]
        self._length = isqrt(dot(self._way, self._way))
        self._on_line = units(ON_LINE_M + slack.line) * self._length
        self._beyond = units(TOUCH_M + slack.boundary) * self._length
        self._heading = None if control.bearing is None else heading(control.bearing)
        self._ahead = units(slack.line)

    def meetings(self, start: Point, end: Point) -> list[Meeting]:
        before, after = self._side(start), self._side(end)
        if before == 0 or (before > 0) == (after > 0) and after != 0:
            return []
        at = Fraction(before, before - after)
        chord = end[0] - start[0], end[1] - start[1]
        along = dot((start[0] - self._a[0], start[1] - self._a[1]), self._way) + at * dot(chord, self._way)
        over = -self._beyond <= along <= self._length**2 + self._beyond
        ahead = self._heading is None or dot(chord, self._heading) > self._ahead * UNIT
        return [("cut", at)] if over and ahead else []

    def _side(self, point: Point) -> int:
        side = cross(self._way, (point[0] - self._a[0], point[1] - self._a[1]))
        return 0 if abs(side) < self._on_line else side


def heading(bearing: float) -> Point:
    sine, cosine = sine_cosine(Decimal(bearing) * RADIAN)
    return units(sine), units(cosine)


class Polygon:
    """The area between the grown rings: a chord changes sides at every edge it cuts."""

    def __init__(self, control: Control, slack: Slack) -> None:
        self.point = Tangent(control.points).point
        grow = TOUCH_M + slack.boundary
        rings = [self._ring(control.points, outer=True)] + [self._ring(h, outer=False) for h in control.holes]
        self._edges = [edge for ring in rings for edge in edges(grown(ring, grow))]
        corners = [corner for corner, _ in self._edges]
        self._low = min(x for x, _ in corners), min(y for _, y in corners)
        self._high = max(x for x, _ in corners), max(y for _, y in corners)

    def meetings(self, start: Point, end: Point) -> list[Meeting]:
        if start == end or self._beside(start, end):
            return []
        cuts = sorted(cut for edge in self._edges if (cut := cutting(start, end, edge)) is not None)
        inside = self._inside(start)
        assert self._inside(end) is (inside ^ (len(cuts) % 2 == 1)), "the oracle contradicts itself"
        ways = ("leave", "enter") if inside else ("enter", "leave")
        return [(ways[n % 2], cut) for n, cut in enumerate(cuts)]

    def _ring(self, places: Sequence[LatLon], outer: bool) -> list[Point]:
        """Corners, once each, with the area on the left hand of every edge."""
        open_ring = places[:-1] if places[0] == places[-1] else places
        ring = [self.point(*place) for place in open_ring]
        turns_left = sum(cross(a, b) for a, b in edges(ring)) > 0
        return ring if turns_left is outer else ring[::-1]

    def _beside(self, start: Point, end: Point) -> bool:
        return any(max(start[n], end[n]) < self._low[n] or min(start[n], end[n]) > self._high[n] for n in (0, 1))

    def _inside(self, point: Point) -> bool:
        """Even-odd, by a ray to the east."""
        inside = False
        for a, b in self._edges:
            if (a[1] > point[1]) != (b[1] > point[1]):
                left = cross((b[0] - a[0], b[1] - a[1]), (point[0] - a[0], point[1] - a[1])) > 0
                inside ^= left == (b[1] > a[1])
        return inside


def cutting(start: Point, end: Point, edge: tuple[Point, Point]) -> Fraction | None:
    """Where on the chord it cuts the edge; each end of an edge belongs to one side of the chord's line."""
    way = end[0] - start[0], end[1] - start[1]
    sides = [cross(way, (corner[0] - start[0], corner[1] - start[1])) for corner in edge]
    if (sides[0] > 0) == (sides[1] > 0):
        return None
    a, b = edge
    line = b[0] - a[0], b[1] - a[1]
    above, below = cross(line, (start[0] - a[0], start[1] - a[1])), -cross(line, way)
    if below < 0:
        above, below = -above, -below
    return Fraction(above, below) if 0 <= above < below else None


def grown(ring: Sequence[Point], metres: Decimal) -> list[Point]:
    """The ring with every edge moved to its right, and the moved edges prolonged till they meet."""
    normals = [outward(a, b) for a, b in edges(ring)]
    corners = []
    for n, (x, y) in enumerate(ring):
        (ax, ay), (bx, by) = normals[n - 1], normals[n]
        reach = metres / (1 + ax * bx + ay * by)
        corners.append((x + units((ax + bx) * reach), y + units((ay + by) * reach)))
    return corners


def outward(a: Point, b: Point) -> tuple[Decimal, Decimal]:
    dx, dy = Decimal(b[0] - a[0]), Decimal(b[1] - a[1])
    length = (dx * dx + dy * dy).sqrt()
    return dy / length, -dx / length


def edges(ring: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(ring, [*ring[1:], ring[0]], strict=True)


def cross(a: Point, b: Point) -> int:
    return a[0] * b[1] - a[1] * b[0]


def dot(a: Point, b: Point) -> int:
    return a[0] * b[0] + a[1] * b[1]
