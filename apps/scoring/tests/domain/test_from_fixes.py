"""From fixes to an outcome: detection and scoring together, on a straight road north."""

import math
from dataclasses import replace

import numpy as np
import pytest

from apps.course.domain.controls import Control
from apps.course.domain.crossings import Course, Direction, detect
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.formulas import Formula
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.scoring.domain.status import Status
from apps.timing.domain.plan import (
    ControlPoint,
    SegmentPlan,
    SegmentType,
    SpeedZonePlan,
    StagePlan,
    WaypointPlan,
)
from apps.timing.tests.domain.build import T0, at

LAT, LON = 41.0, 20.0
METRE_LAT = 1 / 111_195.0
METRE_LON = METRE_LAT / math.cos(math.radians(LAT))


def place(north_m: float, east_m: float = 0.0) -> tuple[float, float]:
    """(lat, lon) of a point of the road's own plane."""
    return LAT + north_m * METRE_LAT, LON + east_m * METRE_LON


def gate(name: str, north_m: float) -> Control:
    """A line across the road, crossed northwards."""
    return Control.gate(name, place(north_m, -40), place(north_m, 40), bearing=0.0)


def circle(name: str, north_m: float, radius_m: float, east_m: float = 0.0) -> Control:
    """A circle beside the road."""
    return Control.circle(name, *place(north_m, east_m), radius_m)


COURSE = Course(
    [
        gate("start", 95),
        circle("w1", 500, 30, east_m=28),
        circle("w2", 700, 30, east_m=31),
        circle("dz", 1000, 90),
        circle("fz", 1800, 90),
        gate("finish", 2195),
    ]
)
PLAN = StagePlan(
    "stage",
    "Stage 1",
    1,
    T0,
    None,
    (
        SegmentPlan(
            "ss",
            SegmentType.SPECIAL_STAGE,
            1,
            ControlPoint("start", Direction.CUT),
            ControlPoint("finish", Direction.CUT),
            (WaypointPlan("w1", "WPS", 1, "w1"), WaypointPlan("w2", "WPS", 2, "w2")),
            (SpeedZonePlan("z", 50, dz="dz", fz="fz"),),
        ),
    ),
)
RULES = [
    Formula("wp", "missed_waypoint", penalty_ms=900_000),
    Formula("sz", "speed_zone", offence_min=1, penalty_ms=60_000),
]


def drive(fast_from_m: float = -1.0, device: int = 0) -> Fixes:
    """36 km/h at 1 Hz from the origin to 2300 m, but three fixes at 70 km/h from somewhere on."""
    position, fast, rows = 0.0, 0, []
    while position < 2300:
        over = fast_from_m >= 0 and position >= fast_from_m and fast < 2
        fast += over
        speed = 70.0 if over else 36.0
        rows.append((*place(position), speed))
        position += speed / 3.6
    lat, lon, speed_column = np.array(rows).T
    return Fixes.build(device, [at(i) for i in range(len(rows))], lat, lon, speed_column)


SEGMENT = PLAN.segments[0]
OPEN_ZONE = replace(SEGMENT.zones[0], nearest_to=(place(1000), place(1800)))
WITHOUT_MARGINS = replace(PLAN, segments=(replace(SEGMENT, zones=(OPEN_ZONE,)),))


def score(fixes: Fixes, plan: StagePlan = PLAN) -> StageOutcome:
    """The outcome of these fixes."""
    evidence = Evidence("e", "C-2", detect(fixes, COURSE).crossings, fixes)
    return score_stage(plan, RULES, evidence)


def test_a_straight_drive() -> None:
    """2100 m at 10 m/s; w1 is passed at 28 m of 30 between fixes, w2 at 31 m."""
    outcome = score(drive())
    assert outcome.status is Status.FINISHED
    assert outcome.time_ms == 210_000
    assert outcome.missed == ("w2",)
    assert outcome.total_ms == 210_000 + 900_000


@pytest.mark.parametrize(("metres", "excess"), [(1040, None), (1100, 20), (1740, None)])
def test_worked_example_3b_from_fixes(metres: float, excess: int | None) -> None:
    """DZ at 1000 m, FZ at 1800 m, 90 m circles: enforced from 1090 m to 1710 m only."""
    outcome = score(drive(metres))
    found = [p.inputs["excess_kmh"] for p in outcome.penalties if p.type == "speed_zone"]
    assert found == ([] if excess is None else [excess])


@pytest.mark.parametrize(("metres", "excess"), [(960, None), (1040, 20), (1100, 20), (1740, 20), (1810, None)])
def test_worked_example_3b_without_margins(metres: float, excess: int | None) -> None:
    """`buffer=false`: enforced from the nearest point to DZ, 1000 m, to the nearest to FZ, 1800 m."""
    found = [p.inputs["excess_kmh"] for p in score(drive(metres), WITHOUT_MARGINS).penalties if p.type == "speed_zone"]
    assert found == ([] if excess is None else [excess])


def test_worked_example_3b_without_margins_is_one_infringement() -> None:
    """At 1050, 1100 and 1750 m: one zone, one penalty."""
    whole = drive()
    north = (whole.lat - LAT) / METRE_LAT
    fast = np.isin(np.floor_divide(north, 10), (105, 106, 110, 111, 175, 176))
    fixes = Fixes.build(0, whole.ts, whole.lat, whole.lon, np.where(fast, 70.0, whole.speed))
    assert [p.ms for p in score(fixes, WITHOUT_MARGINS).penalties if p.type == "speed_zone"] == [60_000]


@pytest.mark.parametrize("count", range(0, 230, 10))
def test_a_live_prefix_never_misses_what_lies_ahead(count: int) -> None:
    """However far the drive is known, nothing ahead is missed and no total is claimed before the finish."""
    whole = drive()
    outcome = score(whole.between(T0, at(count)))
    assert (outcome.total_ms is not None) == (count >= 220)
    assert set(outcome.missed) <= ({"w2"} if count >= 220 else set())


def test_two_devices_of_one_vehicle_give_the_times_of_the_first() -> None:
    """The second tracker is evidence, not a second drive."""
    first, second = drive(), drive(device=1)
    both = Fixes.build(
        np.concatenate((second.device, first.device)),
        np.concatenate((second.ts + 300, first.ts)),
        np.concatenate((second.lat, first.lat)),
        np.concatenate((second.lon, first.lon)),
        np.concatenate((second.speed, first.speed)),
    )
    assert score(both).segments == score(first).segments
    assert score(both).penalties == score(first).penalties
