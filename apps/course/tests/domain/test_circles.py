"""Circles looked at together: each chord must meet its own circle, on that circle's plane."""

import random

from apps.course.domain.controls import Control
from apps.course.domain.crossings import Course, Crossing, detect
from apps.course.domain.fixes import Fixes
from apps.course.tests.domain.metres import degrees

CENTRE = (41.3, 20.1)


def controls(rng: random.Random) -> list[Control]:
    """Circles that overlap, of many sizes, an area and a gate between them."""
    at = [degrees(CENTRE, rng.uniform(-3_000, 3_000), rng.uniform(-3_000, 3_000)) for _ in range(40)]
    circles = [Control.circle(f"c{n}", *place, rng.uniform(5, 900)) for n, place in enumerate(at)]
    ring = tuple(degrees(CENTRE, x, y) for x, y in ((-500, -500), (500, -500), (500, 500), (-500, 500)))
    gate = Control.gate("gate", degrees(CENTRE, -2_000, 0), degrees(CENTRE, 2_000, 10))
    return [*circles[:20], Control.polygon("area", ring), *circles[20:], gate]


def fixes(rng: random.Random) -> Fixes:
    """Three cars, now and then with a gap."""
    rows = []
    for car in range(3):
        ts, x, y = 0, rng.uniform(-3_000, 3_000), rng.uniform(-3_000, 3_000)
        for _ in range(200):
            ts, x, y = ts + rng.choice([1_000, 1_000, 1_000, 30_000]), x + rng.gauss(0, 200), y + rng.gauss(0, 200)
            rows.append((car, ts, *degrees(CENTRE, x, y)))
    device, instants, lat, lon = zip(*rows, strict=True)
    return Fixes.build(device, instants, lat, lon)


def test_together_they_are_crossed_as_each_alone() -> None:
    rng = random.Random(20260607)
    every, driven = controls(rng), fixes(rng)
    crossings: set[Crossing] = set()
    gaps: dict[tuple[int, int], set[str]] = {}
    for control in every:
        # With the first one always: longitudes are compared around it.
        found = detect(driven, Course([every[0], control]))
        crossings |= set(found.crossings)
        for gap in found.gaps:
            gaps.setdefault((gap.device, gap.before_ts), set()).update(gap.controls)
    together = detect(driven, Course(every))
    assert len(crossings) > 100
    assert set(together.crossings) == crossings
    assert len(gaps) > 20
    assert {(gap.device, gap.before_ts): set(gap.controls) for gap in together.gaps} == gaps
