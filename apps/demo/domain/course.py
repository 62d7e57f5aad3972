"""The demo rally's course: a prologue and two stages in the mountains of northern Albania."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

import numpy as np

from apps.demo.domain.road import Road, winding_road

MINUTE_MS = 60_000
FIRST_DAY = date(2026, 6, 6)  # contracts §7
FIRST_TS = int(datetime.combine(FIRST_DAY, time(7), UTC).timestamp() * 1000)
HALT_BEFORE_START_M = 40.0  # where a crew waits for its time
TO_THE_START_MS = 10 * MINUTE_MS  # from a stage's beginning to the first start of its special stage
# From a crew's start of the special stage until even the slowest is at the end of the road.
DRIVE_MS = (15 * MINUTE_MS, 50 * MINUTE_MS, 50 * MINUTE_MS)


@dataclass(frozen=True, slots=True)
class Point:
    """A waypoint on the road; radii in metres."""

    type: str
    name: str
    at_m: float
    radius_m: float
    opening_m: float | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """A speed zone: a stretch of road drawn as a polygon, or the stretch between a DZ and an FZ point."""

    name: str
    from_m: float
    to_m: float
    limit_kmh: float
    drawn: bool


@dataclass(frozen=True, slots=True, eq=False)
class StageCourse:
    """A stage on one road: liaison to `start_m`, special stage to `finish_m`, liaison to the end."""

    name: str
    role: str
    starts_ts: int
    road: Road
    start_m: float
    finish_m: float
    points: tuple[Point, ...]
    zones: tuple[Zone, ...]
    start_is_gate: bool = False
    finish_is_gate: bool = False
    neutral_s: int = 0
    maximum_s: int = 3 * 3600
    halts: tuple[tuple[float, float], ...] = field(default=())  # (at m, for s)

    @property
    def first_start_ts(self) -> int:
        """When the first crew leaves the special stage's start."""
        return self.starts_ts + TO_THE_START_MS


# Rulebook §2.1; the radius of a WPP is not in the regulations and is the event's own choice.
RADII = {
    "WPV": (200.0, None),
    "WPE": (90.0, 1000.0),
    "WPM": (90.0, 800.0),
    "WPS": (30.0, 1000.0),
    "WPC": (300.0, None),
    "WPN": (200.0, 800.0),
    "WPP": (90.0, None),
    "PC": (90.0, None),
}
ALONG = ("WPV", "WPM", "WPE", "WPC", "WPN", "WPS", "WPM", "WPP", "PC")


def build_course(seed: int, begins: int = FIRST_TS, spread_ms: int = 0) -> tuple[StageCourse, ...]:
    """The three stages, one after the other; the same seed gives the same course, whenever it begins (epoch ms).

    `spread_ms` lies between the first start of a stage and the last: nobody starts a stage before all are home.
    """
    rng = np.random.default_rng([seed, 1])
    first = begins + TO_THE_START_MS + spread_ms + DRIVE_MS[0]
    second = first + TO_THE_START_MS + spread_ms + DRIVE_MS[1]
    return (_prologue(rng, begins), _first_stage(rng, first), _second_stage(rng, second))


def _prologue(rng: np.random.Generator, starts_ts: int) -> StageCourse:
    start, finish = 1500.0, 5500.0
    road = winding_road((41.3106, 19.8203), 140, 7000, rng)
    points = [*_ends(start, finish), *_along(("WPV", "WPM"), start, finish), *_time_controls(road)]
    zone = Zone("Petrelë village", 2700, 3100, 50, drawn=True)
    return StageCourse("Prologue", "prologue", starts_ts, road, start, finish, tuple(points), (zone,), maximum_s=1200)


def _first_stage(rng: np.random.Generator, starts_ts: int) -> StageCourse:
    start, finish = 4000.0, 26_000.0
    road = winding_road((41.3760, 19.9010), 48, 29_000, rng)
    pair = Zone("Bulqizë bridge", 18_000, 18_900, 30, drawn=False)
    return StageCourse(
        name="Stage 1: Tirana – Burrel",
        role="stage",
        starts_ts=starts_ts,
        road=road,
        start_m=start,
        finish_m=finish,
        points=(*_ends(start, finish), *_along(ALONG, start, finish), *_pair(pair), *_time_controls(road)),
        zones=(Zone("Shkopet village", 9000, 9800, 50, drawn=True), pair),
        start_is_gate=True,
    )


def _second_stage(rng: np.random.Generator, starts_ts: int) -> StageCourse:
    start, finish, neutral_s = 3500.0, 21_500.0, 300
    road = winding_road((41.6110, 20.0090), 74, 24_000, rng)
    pair = Zone("Zerqan school", 15_600, 16_400, 30, drawn=False)
    neutralisation = (
        Point("DN", "DN road crossing", 11_900, 90),
        Point("FN", "FN road crossing", 12_500, 90),
    )
    return StageCourse(
        name="Stage 2: Burrel – Peshkopi",
        role="stage",
        starts_ts=starts_ts,
        road=road,
        start_m=start,
        finish_m=finish,
        points=(
            *_ends(start, finish),
            *_along(ALONG, start, finish),
            *_pair(pair),
            *neutralisation,
            *_time_controls(road),
        ),
        zones=(Zone("Klos market", 7300, 8000, 50, drawn=True), pair),
        finish_is_gate=True,
        neutral_s=neutral_s,
        halts=((12_480.0, float(neutral_s) - 45),),  # the drive from DN to FN takes the rest
    )


def _ends(start: float, finish: float) -> list[Point]:
    return [Point("DSS", "DSS", start, 30), Point("ASS", "ASS", finish, 30)]


def _along(types: tuple[str, ...], start: float, finish: float) -> list[Point]:
    """Waypoints at even distances, so that a detour round one leaves its neighbours alone."""
    places = np.linspace(start, finish, len(types) + 2)[1:-1]
    return [
        Point(type_, f"{type_} {n}", float(at), *RADII[type_])
        for n, (type_, at) in enumerate(zip(types, places, strict=True), start=1)
    ]


def _pair(zone: Zone) -> list[Point]:
    return [Point("DZ", f"DZ {zone.name}", zone.from_m, 90), Point("FZ", f"FZ {zone.name}", zone.to_m, 90)]


def _time_controls(road: Road) -> list[Point]:
    return [Point("TC", "TC out", 100, 50), Point("TC", "TC in", road.length_m - 100, 50)]
