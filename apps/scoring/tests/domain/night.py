"""A stage driven over midnight: a course, an edit of it, rules, decisions, and crews with two trackers each."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from apps.course.domain.controls import Control, LatLon
from apps.course.domain.crossings import Course, Direction
from apps.penalties.domain.decisions import Decision
from apps.penalties.domain.formulas import Formula
from apps.timing.domain.marks import Mark, Source
from apps.timing.domain.plan import ControlPoint, SegmentPlan, SegmentType, SpeedZonePlan, StagePlan, WaypointPlan

MIDNIGHT = 1_780_790_400_000  # 2026-06-07T00:00:00Z
START = MIDNIGHT - 150_000
LAT, LON = 41.0, 20.0
METRE_LAT = 1 / 111_195.0
METRE_LON = METRE_LAT / math.cos(math.radians(LAT))
CREWS = ("swift", "lost", "speeding", "aside", "stopped")

Tracker = tuple[str, int]  # crew, priority


@dataclass(frozen=True, slots=True)
class Row:
    """A record of a tracker; epoch ms, degrees, km/h."""

    tracker: Tracker
    ts: int
    lat: float
    lon: float
    speed: float


def place(north_m: float, east_m: float = 0.0) -> LatLon:
    return LAT + north_m * METRE_LAT, LON + east_m * METRE_LON


def _gate(name: str, north_m: float) -> Control:
    return Control.gate(name, place(north_m, -200), place(north_m, 200), bearing=0.0)


def _zone(from_m: float, to_m: float) -> Control:
    corners = ((from_m, -90), (from_m, 90), (to_m, 90), (to_m, -90))
    return Control.polygon("zone", tuple(place(*corner) for corner in corners))


def course(edited: bool = False) -> Course:
    """The edit moves a waypoint out of reach, the zone a little on, and the finish nearer."""
    return Course(
        [
            _gate("start", 95),
            Control.circle("w1", *place(500, 80 if edited else 0), 30),
            Control.circle("w2", *place(900), 90),
            _zone(*((1300, 1900) if edited else (1200, 1700))),
            Control.circle("dz", *place(2000), 50),
            Control.circle("fz", *place(2500), 50),
            Control.circle("w3", *place(2800), 30),
            _gate("finish", 3150 if edited else 3195),
        ]
    )


STAGE = StagePlan(
    "stage",
    "Night",
    1,
    START - 3_600_000,
    START + 3_600_000,
    (
        SegmentPlan(
            "ss",
            SegmentType.SPECIAL_STAGE,
            1,
            ControlPoint("start", Direction.CUT),
            ControlPoint("finish", Direction.CUT),
            (
                WaypointPlan("w1", "WPS", 1, "w1"),  # the edit moves it
                WaypointPlan("w2", "WPS", 2, "w2", circle=(*place(900), 90)),
                WaypointPlan("w3", "WPS", 3, "w3", circle=(*place(2800), 30)),
            ),
            (SpeedZonePlan("drawn", 60, polygon="zone"), SpeedZonePlan("pair", 70, dz="dz", fz="fz")),
        ),
    ),
)
RULES = [
    Formula("wp", "missed_waypoint", penalty_ms=900_000),
    Formula("slow", "speed_zone", offence_min=1, offence_max=20, penalty_ms=60_000),
    Formula("fast", "speed_zone", offence_min=21, penalty_ms=300_000),
]
DECISIONS = [
    Decision("d1", 1, "waive_penalty", {"key": "missed_waypoint:w2"}, entry="aside"),
    Decision("d2", 2, "time_credit", {"segment": "ss", "ms": 30_000}, entry="swift"),
    Decision("d3", 3, "impose_penalty", {"ms": 120_000}, entry="lost"),
    Decision("d4", 4, "edit_penalty", {"key": "speed_zone:drawn", "ms": 10_000}, entry="speeding"),
    Decision("d5", 5, "set_status", {"status": "dnf"}, entry="stopped"),
]
MARKS = {"swift": (Mark("beam", "finish", MIDNIGHT + 60_000, Source.BEAM),)}


def drive(rng: random.Random) -> list[Row]:
    """Every crew's two trackers, a third of a second apart; each has holes where the other may have none."""
    return [row for n, crew in enumerate(CREWS) for row in _crew(crew, START + n * 7_000, rng)]


def _crew(crew: str, start: int, rng: random.Random) -> Iterator[Row]:
    pace, step = rng.uniform(14, 18), rng.choice([1000, 1000, 2000])
    end = 2300.0 if crew == "stopped" else 3400.0
    holes = {priority: _holes(rng) for priority in (0, 1)}
    metres, ts = 0.0, start
    while metres < end:
        speed = _speed(crew, metres, pace)
        for priority in (0, 1):
            later = priority * 330
            if not any(low < metres < high for low, high in holes[priority]):
                lat, lon = place(metres + speed * later / 1000, _aside(crew, metres) + rng.gauss(0, 2))
                yield Row((crew, priority), ts + later, round(lat, 7), round(lon, 7), round(speed * 3.6))
        metres += speed * step / 1000
        ts += step


def _holes(rng: random.Random) -> list[tuple[float, float]]:
    """Stretches without record: some shorter than the gap limit, some longer."""
    return [(at, at + rng.uniform(20, 400)) for at in (rng.uniform(0, 3300) for _ in range(3))]


def _speed(crew: str, metres: float, pace: float) -> float:
    return 24.0 if crew == "speeding" and 1350 < metres < 2450 else pace


def _aside(crew: str, metres: float) -> float:
    if crew == "lost" and 400 < metres < 1050:
        return 160.0
    return 120.0 if crew == "aside" and 700 < metres < 1100 else 0.0
