"""Random courses and short trajectories that look for trouble: boundaries, corners, tangents, standstills, gaps."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, hypot, pi, radians, sin, sqrt

from apps.course.domain.controls import Control, LatLon, Shape
from apps.course.tests.domain.oracle import Fix

PLACES = [(41.3, 20.1), (70.0, 25.0), (0.0, 0.0), (-65.0, 179.9999), (12.0, -180.0), (84.5, -3.0), (-33.0, 0.0001)]
SCALES = (1.0, 1.0, 1.0, 60.0)  # of the drawing: some areas are as long as a valley
STEPS_MS = (1000, 1000, 1000, 1000, 999, 1, 100, 5000, 10_000, 10_001, 60_000)
BARB = 4.5  # how far a corner may stick out when grown, in millimetres: GEOS cuts off at 5
COMB = ((-90, 0), (90, 0), (90, 90), (60, 90), (60, 20), (20, 20), (20, 80), (0, 80), (0, 80.5), (-90, 90))
METRES_A_DEGREE = 111_200.0

Xy = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scene:
    controls: tuple[Control, ...]
    rows: tuple[Fix, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """Metres around a place, good to a nanometre: by search, so that points can be put on a boundary."""

    lat: float
    lon: float

    def metres(self, place: LatLon) -> Xy:
        phi, phi0 = radians(place[0]), radians(self.lat)
        turn = radians((place[1] - self.lon + 180) % 360 - 180)
        e2, major = 0.00669437999014, 6_378_137.0
        normal, normal0 = (major / sqrt(1 - e2 * sin(angle) ** 2) for angle in (phi, phi0))
        chord = 2 * sin(turn / 2) ** 2 * sin(phi0) * cos(phi)
        north = normal * (sin(phi - phi0) + chord)
        return normal * cos(phi) * sin(turn), north - e2 * cos(phi0) * (normal * sin(phi) - normal0 * sin(phi0))

    def place(self, x: float, y: float) -> LatLon:
        lat, lon = self.lat, self.lon
        for _ in range(6):
            east, north = self.metres((lat, lon))
            lat += (y - north) / METRES_A_DEGREE
            lon += (x - east) / (METRES_A_DEGREE * cos(radians(lat)))
        return lat, (lon + 180) % 360 - 180


@dataclass(frozen=True, slots=True)
class Spot:
    """A point of a boundary: on which frame, where, and the unit vector across it."""

    frame: Frame
    at: Xy
    across: Xy

    def off(self, across_m: float, along_m: float = 0.0) -> LatLon:
        (x, y), (u, v) = self.at, self.across
        return self.frame.place(x + across_m * u - along_m * v, y + across_m * v + along_m * u)


def scene(rng: random.Random, devices: int) -> Scene:
    """A course at a random place, and so many devices on it; rows in order of arrival, some twice."""
    frame, scale = Frame(*rng.choice(PLACES)), rng.choice(SCALES)
    controls = _controls(rng, frame, scale)
    rows = [row for device in range(devices) for row in _rows(rng, device, _points(rng, controls, frame, scale))]
    rng.shuffle(rows)
    return Scene(controls, tuple(rows))


def _controls(rng: random.Random, frame: Frame, scale: float) -> tuple[Control, ...]:
    """A circle, a geofence and a gate; half of the gates count one way only."""

    def somewhere() -> Xy:
        return rng.uniform(-60, 60) * scale, rng.uniform(-60, 60) * scale

    (x, y), size, turn = somewhere(), rng.uniform(5, 150), rng.uniform(0, 2 * pi)
    ends = frame.place(x, y), frame.place(x + size * cos(turn), y + size * sin(turn))
    one_way = rng.choice([0, 90, 360, rng.uniform(0, 360)])
    return (
        Control.circle("circle", *frame.place(*somewhere()), rng.choice([5, 30, 90, rng.uniform(3, 150)])),
        rng.choice([_plain, _with_hole])(rng, frame, somewhere(), scale),
        Control.gate("gate", *ends) if rng.random() < 0.3 else Control.gate("one way", *ends, one_way),
    )


def _plain(rng: random.Random, frame: Frame, middle: Xy, scale: float) -> Control:
    return Control.polygon("area", _places(rng, frame, _area(rng, middle, scale)))


def _with_hole(rng: random.Random, frame: Frame, middle: Xy, scale: float) -> Control:
    """A star and a smaller copy of it cut out."""
    while not _round_about(ring := _star(rng, middle, 70 * scale), middle):
        pass
    hole = [(middle[0] + (x - middle[0]) * 0.4, middle[1] + (y - middle[1]) * 0.4) for x, y in ring]
    return Control.polygon("ring", _places(rng, frame, ring), (_places(rng, frame, hole),))


def _places(rng: random.Random, frame: Frame, ring: Sequence[Xy]) -> tuple[LatLon, ...]:
    """Either way round, closed or open."""
    places = [frame.place(*point) for point in (ring if rng.random() < 0.5 else ring[::-1])]
    return (*places, places[0]) if rng.random() < 0.5 else tuple(places)


def _area(rng: random.Random, middle: Xy, scale: float) -> list[Xy]:
    """Half of them combs of teeth and notches, turned or with edges due east; the others stars."""
    if rng.random() < 0.5:
        return _star(rng, middle, 80 * scale)
    turn = rng.choice([0, rng.uniform(0, 2 * pi)])
    c, s = cos(turn) * scale, sin(turn) * scale
    return [(middle[0] + x * c - y * s, middle[1] + x * s + y * c) for x, y in COMB]


def _star(rng: random.Random, middle: Xy, reach: float) -> list[Xy]:
    while True:
        count = rng.randint(3, 9)
        angles = [(n + rng.uniform(-0.4, 0.4)) * 2 * pi / count for n in range(count)]
        points = [(reach * rng.uniform(0.35, 1), angle) for angle in angles]
        ring = [(middle[0] + r * cos(angle), middle[1] + r * sin(angle)) for r, angle in points]
        if _blunt(ring):
            return ring


def _blunt(ring: Sequence[Xy]) -> bool:
    ways = [_unit(b[0] - a[0], b[1] - a[1]) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)]
    turns = (u[0] * v[0] + u[1] * v[1] for u, v in zip(ways, [*ways[1:], ways[0]], strict=True))
    return all(BARB**2 * (1 + turn) > 2 for turn in turns)


def _round_about(ring: Sequence[Xy], middle: Xy) -> bool:
    """Whether the ring is a star seen from the middle, so that its small copy lies within it."""
    arms = [(x - middle[0], y - middle[1]) for x, y in ring]
    return all(a[0] * b[1] - a[1] * b[0] > 0 for a, b in zip(arms, [*arms[1:], arms[0]], strict=True))


def _unit(x: float, y: float) -> Xy:
    return x / hypot(x, y), y / hypot(x, y)


def _spot(rng: random.Random, control: Control) -> Spot:
    if control.shape is Shape.CIRCLE:
        turn = rng.uniform(0, 2 * pi)
        out = cos(turn), sin(turn)
        return Spot(Frame(*control.points[0]), (control.radius_m * out[0], control.radius_m * out[1]), out)
    lats = [lat for lat, _ in control.points]
    lons = [(lon - control.points[0][1] + 180) % 360 - 180 + control.points[0][1] for _, lon in control.points]
    frame = Frame((min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2)
    ring = [frame.metres(place) for place in rng.choice([control.points, *control.holes])]
    n, part = rng.randrange(len(ring) - 1), rng.choice([0.0, 1.0, 0.5, rng.random()])
    (ax, ay), (bx, by) = ring[n], ring[n + 1]
    u, v = _unit(bx - ax, by - ay)
    return Spot(frame, (ax + part * (bx - ax), ay + part * (by - ay)), (v, -u))


def _points(rng: random.Random, controls: Sequence[Control], frame: Frame, scale: float) -> list[LatLon]:
    """2 to 8 points, half of the trajectories as a tracker writes them: to 1e-7 of a degree."""
    length, points = rng.randint(2, 8), list[LatLon]()
    while len(points) < length:
        spot = _spot(rng, rng.choice(controls))
        points += rng.choice(MOTIFS)(rng, spot) if rng.random() < 0.6 else _wander(rng, frame, scale)
    digits = rng.choice([7, 20])
    return [(round(lat, digits), round(lon, digits)) for lat, lon in points[:length]]


def _wander(rng: random.Random, frame: Frame, scale: float) -> list[LatLon]:
    return [frame.place(rng.gauss(0, 70) * scale, rng.gauss(0, 70) * scale) for _ in range(rng.randint(1, 4))]


def _either_side(rng: random.Random, spot: Spot) -> list[LatLon]:
    side = rng.choice([-1, 1])
    near, far = (10 ** rng.uniform(-2, 2) for _ in range(2))
    return [spot.off(side * near, rng.gauss(0, 10)), spot.off(-side * far, rng.gauss(0, 10))]


def _onto(rng: random.Random, spot: Spot) -> list[LatLon]:
    """To the boundary exactly, and on or back."""
    return [spot.off(rng.gauss(0, 20)), spot.off(0), spot.off(rng.gauss(0, 20), rng.gauss(0, 20))]


def _tangent(rng: random.Random, spot: Spot) -> list[LatLon]:
    beside = rng.choice([0, 0.0005, -0.0005, 0.002, -0.002, 0.01, -0.01, rng.uniform(-0.02, 0.02)])
    return [spot.off(beside, -rng.uniform(0, 40)), spot.off(beside, rng.uniform(0, 40))]


def _stand(rng: random.Random, spot: Spot) -> list[LatLon]:
    return [spot.off(rng.choice([0, rng.gauss(0, 5)]))] * rng.randint(2, 3)


MOTIFS: list[Callable[[random.Random, Spot], list[LatLon]]] = [_either_side, _onto, _tangent, _stand]


def _rows(rng: random.Random, device: int, points: Sequence[LatLon]) -> list[Fix]:
    """The points one step after another; now and then junk, a fix twice, or another of the same instant."""
    ts, rows = rng.randrange(10**12, 2 * 10**12), list[Fix]()
    for lat, lon in points:
        ts += rng.choice(STEPS_MS)
        rows.append(Fix(device, ts, lat, lon))
        rows += [Fix(device, ts, lat, lon)] * (rng.random() < 0.1)
        rows += [Fix(device, ts, lat + 1e-5, lon)] * (rng.random() < 0.03)
        rows += [Fix(device, ts + 1, *rng.choice([(0.0, 0.0), (91.0, lon), (lat, 180.5)]))] * (rng.random() < 0.03)
        rows += [Fix(device, ts + 2, lat, lon, usable=False)] * (rng.random() < 0.03)
    return rows
