"""A zone driven with two trackers: the first judges, the second falls in where it is silent, and never adds up."""

import numpy as np
import pytest

from apps.course.domain.crossings import Crossing
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.formulas import Formula
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.reach import zone_stretches
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.timing.domain.plan import SpeedZonePlan, WaypointPlan
from apps.timing.domain.zone_intervals import DZ_LATE, DZ_MISSED
from apps.timing.tests.domain.build import at, cut, special, stage, stay, steady

MINUTE = 60_000
RULES = [
    Formula("a", "speed_zone", offence_min=1, offence_max=20, penalty_ms=MINUTE),
    Formula("b", "speed_zone", offence_min=21, penalty_ms=2 * MINUTE),
]
PAIR = SpeedZonePlan("z", 50, dz="dz", fz="fz")
AREA = SpeedZonePlan("z", 50, polygon="area")
ENDS = [cut("start", 0), cut("finish", 400)]


def track(device: int, *, fast: tuple[int, int, float] | None = None, silent: tuple[int, int] | None = None) -> Fixes:
    """45 km/h from 0 to 300 s; faster and silent in seconds from..to."""
    speeds = [fast[2] if fast and fast[0] <= second < fast[1] else 45.0 for second in range(301)]
    fixes = steady(speeds, device)
    if silent is None:
        return fixes
    heard = (fixes.ts < at(silent[0])) | (fixes.ts >= at(silent[1]))
    return Fixes.build(fixes.device, fixes.ts, fixes.lat, fixes.lon, fixes.speed, heard)


def score(zone: SpeedZonePlan, crossings: list[Crossing], *tracks: Fixes) -> StageOutcome:
    names = ("device", "ts", "lat", "lon", "speed")
    fixes = Fixes.build(*(np.concatenate([getattr(one, name) for one in tracks]) for name in names))
    plan = stage(special(zones=(zone,)))
    return score_stage(plan, RULES, Evidence("e", "C-2", (*ENDS, *crossings), fixes))


def told(outcome: StageOutcome) -> list[tuple[int, list[str]]]:
    """(minutes, reviews) of what was issued."""
    return [(p.ms // MINUTE, p.inputs["review"]) for p in outcome.penalties]


def through(zone: SpeedZonePlan, begin: float, end: float, device: int = 0) -> list[Crossing]:
    if zone is AREA:
        return stay("area", begin, end, device)
    return [*stay("dz", begin - 5, begin, device), *stay("fz", end, end + 5, device)]


@pytest.mark.parametrize("zone", [PAIR, AREA], ids=["pair", "area"])
@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (track(0, fast=(150, 160, 65)), track(1, fast=(150, 160, 65)), [(1, [])]),  # one offence, seen twice
        (track(0, fast=(150, 160, 65)), track(1, fast=(150, 160, 66)), [(1, [])]),
        (track(0, silent=(140, 200)), track(1, fast=(150, 160, 65)), [(1, [])]),  # in a gap of the first
        (track(0, silent=(90, 210)), track(1, fast=(150, 160, 65)), [(1, [])]),  # where it has no fix at all
        (track(0, fast=(120, 125, 65), silent=(140, 200)), track(1, fast=(150, 160, 75)), [(2, [])]),
        (track(0), track(1, fast=(150, 160, 65)), [(0, ["tracker 2 differs: 15 km/h over, not 0"])]),
        (track(0, fast=(150, 160, 65)), track(1), [(1, ["tracker 2 differs: 0 km/h over, not 15"])]),
        (track(0, fast=(150, 160, 65)), track(1, silent=(100, 200)), [(1, [])]),  # it saw nothing to differ by
        (track(0, fast=(150, 160, 68)), track(1, fast=(150, 160, 71)), [(1, [])]),  # another bracket, 3 km/h
        (
            track(0, fast=(150, 160, 68)),
            track(1, fast=(150, 160, 75)),
            [(1, ["tracker 2 differs: 25 km/h over, not 18"])],
        ),
    ],
)
def test_who_judges(zone: SpeedZonePlan, first: Fixes, second: Fixes, expected: list[tuple[int, list[str]]]) -> None:
    crossings = [*through(zone, 100.5, 200.5), *through(zone, 100.9, 200.9, 1)]
    assert told(score(zone, crossings, first, second)) == expected


@pytest.mark.parametrize("zone", [PAIR, AREA], ids=["pair", "area"])
def test_a_passage_only_the_second_tracker_saw(zone: SpeedZonePlan) -> None:
    """A zone driven twice: the first tracker was silent all through the second time."""
    first, second = track(0, silent=(180, 290)), track(1, fast=(220, 230, 65))
    crossings = [*through(zone, 50.5, 100.5), *through(zone, 50.9, 100.9, 1), *through(zone, 210.9, 260.9, 1)]
    assert told(score(zone, crossings, first, second)) == [(1, [])]
    outcome = score(zone, crossings[: len(crossings) // 3], first, second)
    assert told(outcome) == []


def test_a_stay_whose_beginning_the_first_tracker_did_not_see() -> None:
    """It woke up in the middle: before that the second one judges, and what both saw is one stay."""
    first, second = track(0, silent=(90, 150)), track(1, fast=(120, 130, 65))
    leaves = stay("area", 0, 200.5)[1:]
    (penalty,) = score(AREA, [*leaves, *stay("area", 100.9, 200.9, 1)], first, second).penalties
    assert penalty.ms == MINUTE
    assert penalty.inputs["intervals"] == [[at(100.9), at(150)], [at(150), at(200.5)]]


def test_an_edge_seen_some_tenths_earlier_is_no_stay_of_its_own() -> None:
    """The crew brakes at the edge: the second tracker, which enters first, must not judge what lies before."""
    first, second = track(0), track(1, fast=(0, 101, 90))
    crossings = [*stay("area", 101.5, 200.5), *stay("area", 98.2, 203.9, 1)]
    assert told(score(AREA, crossings, first, second)) == []


@pytest.mark.parametrize(
    ("inside", "fast", "expected"),
    [
        ([120], (150, 160, 65), [(1, [DZ_LATE])]),  # for certain inside from w2 on
        ([170], (150, 160, 65), []),
        ([], (150, 160, 65), [(0, [DZ_MISSED])]),
    ],
)
def test_a_missed_dz_binds_from_the_next_waypoint(
    inside: list[int], fast: tuple[int, int, float], expected: list[tuple[int, list[str]]]
) -> None:
    """3.1: missed, but demonstrably inside; what lies before that is not judged."""
    points = tuple(
        WaypointPlan(name, kind, n, name) for n, (name, kind) in enumerate((("dz", "DZ"), ("w2", "WPV"), ("fz", "FZ")))
    )
    plan = stage(special(zones=(PAIR,), waypoints=points))
    crossings = [*ENDS, *(c for second in inside for c in stay("w2", second, second + 2)), *stay("fz", 200.5, 210)]
    fixes = track(0, fast=fast)
    stretches = zone_stretches(plan, crossings, at(43_200))
    read = Fixes.build(
        fixes.device,
        fixes.ts,
        fixes.lat,
        fixes.lon,
        fixes.speed,
        [any(a <= t <= b for a, b in stretches) for t in fixes.ts.tolist()],
    )
    for of in (fixes, read):
        assert told(score_stage(plan, RULES, Evidence("e", "C-2", tuple(crossings), of))) == expected
