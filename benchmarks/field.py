"""A course of 200 km and a field of cars that drive it: the same for the same seed, in metres and numpy alone.

The cars brake for the villages, some of them not enough; now and then one passes a control far aside, though never
a DZ or an FZ; who has arrived stands still. Fixes are what a tracker sends: one a second, 1e-7 degrees, whole km/h.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks.records import SEED

Floats = NDArray[np.float64]

LENGTH_M, STEP_M = 200_000, 10.0
CONTROLS, ZONES = 60, 8
FIRST_M, APART_M = 3_000.0, 194_000.0 / (CONTROLS - 1)
PAIRED = (2, 6)  # zones from control 7n + 1 to 7n + 2
ZONE_LIMIT_KMH = 50.0
ORIGIN = (41.0, 20.0)
METRES_LAT = 111_050.0
METRES_LON = 84_300.0  # a degree at 41° north
SPEEDING, ASIDE, NOISE_M = 0.1, 0.03, 1.5


@dataclass(frozen=True, slots=True, eq=False)
class Drives:
    """Fixes of many cars, arrays of shape (cars, seconds); degrees, whole km/h."""

    lat: Floats
    lon: Floats
    speed: Floats


def control_m(n: int) -> float:
    """How far into the course the control lies."""
    return FIRST_M + n * APART_M


def zone_m(n: int) -> tuple[float, float]:
    """From where to where the zone reaches: a village between two controls, or all the way from a DZ to its FZ."""
    if n in PAIRED:
        return control_m(7 * n + 1), control_m(7 * n + 2)
    begin = control_m(7 * n + 4) + 1_000
    return begin, begin + 1_000


def degrees(metres: Floats, aside: Floats | float = 0.0) -> tuple[Floats, Floats]:
    """(lat, lon) of places on the course, so many metres left of it."""
    x, y = _at(metres)
    ahead_x, ahead_y = _at(np.asarray(metres) + STEP_M)
    length = np.maximum(np.hypot(ahead_x - x, ahead_y - y), 1e-6)
    x, y = x - aside * (ahead_y - y) / length, y + aside * (ahead_x - x) / length
    return ORIGIN[0] + y / METRES_LAT, ORIGIN[1] + x / METRES_LON


def corridor(from_m: float, to_m: float, half_width_m: float) -> list[tuple[float, float]]:
    """The ring (lat, lon) around a part of the course."""
    x, y = _at(np.arange(from_m, to_m + 1, 25.0))
    area = shapely.LineString(np.column_stack([x, y])).buffer(half_width_m, quad_segs=4)
    ring = shapely.get_coordinates(area.exterior)
    return [(ORIGIN[0] + float(b) / METRES_LAT, ORIGIN[1] + float(a) / METRES_LON) for a, b in ring]


def drive(cars: int, seconds: int) -> Drives:
    """All cars from 300 m before the course on, each by its own clock."""
    rng = np.random.default_rng(SEED)
    pace = rng.uniform(0.92, 1.08, cars)
    hurry = np.where(rng.random((ZONES, cars)) < SPEEDING, rng.uniform(52, 75, (ZONES, cars)), 46.0) / 3.6
    metres, speed = _roll(pace, hurry, seconds)
    strays = rng.random((CONTROLS, cars)) < ASIDE
    strays[[7 * n + at for n in PAIRED for at in (1, 2)]] = False
    offset = _aside(metres, strays)
    lat, lon = degrees(metres, offset)
    lat += rng.normal(0, NOISE_M / METRES_LAT, lat.shape)
    lon += rng.normal(0, NOISE_M / METRES_LON, lon.shape)
    return Drives(lat.round(7), lon.round(7), np.rint(speed * 3.6))


def _roll(pace: Floats, hurry: Floats, seconds: int) -> tuple[Floats, Floats]:
    """Metres along the course and m/s, each second."""
    metres = np.empty((seconds, len(pace)))
    speed = np.empty((seconds, len(pace)))
    now = np.full(len(pace), -300.0)
    for second in range(seconds):
        speed[second] = _speed(now, pace, hurry)
        metres[second] = now
        now = now + speed[second]
    return metres.T.copy(), speed.T.copy()


def _speed(metres: Floats, pace: Floats, hurry: Floats) -> Floats:
    speed = pace * (17 + 5 * np.sin(2 * np.pi * metres / 5_000))
    for n in range(ZONES):
        begin, end = zone_m(n)
        speed = np.where((metres > begin - 60) & (metres < end), hurry[n], speed)
    return np.where(metres >= LENGTH_M - 100, 0.0, speed)


def _aside(metres: Floats, strays: NDArray[np.bool_]) -> Floats:
    """Metres beside the course: a bulge where a car passes a control far off."""
    offset = np.zeros(metres.shape)
    for n, car in zip(*np.nonzero(strays), strict=True):
        near = np.clip(1 - np.abs(metres[car] - control_m(int(n))) / 600, 0, 1)
        offset[car] += 400 * near
    return offset


def _course() -> tuple[Floats, Floats, Floats]:
    """Metres along, x, y: one wide loop that winds."""
    along = np.arange(-1_000, LENGTH_M + 1_000, STEP_M)
    heading = 2 * np.pi * along / LENGTH_M + 0.9 * np.sin(2 * np.pi * along / 7_000)
    heading += 0.5 * np.sin(2 * np.pi * along / 1_900)
    return along, np.cumsum(np.cos(heading)) * STEP_M, np.cumsum(np.sin(heading)) * STEP_M


COURSE = _course()


def _at(metres: Floats) -> tuple[Floats, Floats]:
    along, x, y = COURSE
    return np.interp(metres, along, x), np.interp(metres, along, y)
