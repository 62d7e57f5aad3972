"""Crossings: every kind of control, every edge, against hand-made cases, properties and an independent oracle."""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.course.domain import circles
from apps.course.domain import crossings as engine
from apps.course.domain.controls import Control
from apps.course.domain.crossings import Course, Crossing, Detection, detect, uncertainty
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import Plane
from apps.course.tests.domain.metres import degrees

CENTRE = (41.3, 20.1)
PLACES = pytest.mark.parametrize("centre", [CENTRE, (70.0, 25.0), (0.0, 0.0), (-65.0, 179.9999), (12.0, -180.0)])
Metres = Sequence[tuple[float, float]]


def track(points: Metres, centre: tuple[float, float] = CENTRE, step_ms: int = 1000, device: int = 0) -> Fixes:
    """Fixes at (east, north) metres of a centre, one a step."""
    places = [degrees(centre, x, y) for x, y in points]
    ts = [n * step_ms for n in range(len(points))]
    return Fixes.build(device, ts, [p[0] for p in places], [p[1] for p in places])


def polygon(ring: Metres, holes: Sequence[Metres] = (), centre: tuple[float, float] = CENTRE) -> Control:
    return Control.polygon(
        "area", tuple(degrees(centre, *p) for p in ring), tuple(tuple(degrees(centre, *p) for p in h) for h in holes)
    )


def gate(a: tuple[float, float], b: tuple[float, float], bearing: float | None = None) -> Control:
    return Control.gate("gate", degrees(CENTRE, *a), degrees(CENTRE, *b), bearing)


def seen(found: Detection) -> list[tuple[str, int]]:
    return [(c.direction.value, c.ts) for c in found.crossings]


SQUARE = ((-50, -50), (50, -50), (50, 50), (-50, 50), (-50, -50))
COMB = ((-100, 0), (100, 0), (100, 100), (60, 100), (60, 20), (20, 20), (20, 100), (-100, 100), (-100, 0))
HOLE = ((-20, -20), (20, -20), (20, 20), (-20, 20), (-20, -20))


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([(-100, 0), (0, 0)], [("enter", 500)]),
        ([(0, 0), (100, 0)], [("leave", 500)]),
        ([(-100, 0), (100, 0)], [("enter", 250), ("leave", 750)]),  # both ends outside
        ([(-100, 0), (-50, 0), (0, 0)], [("enter", 1000)]),  # a fix on the boundary is inside
        ([(-20, 0), (20, 0)], []),  # both inside
        ([(-100, 60), (100, 60)], []),  # passes by
        ([(-100, 50), (100, 50)], [("enter", 250), ("leave", 750)]),  # along the edge
        ([(-100, 0), (0, 100)], [("enter", 500), ("leave", 500)]),  # touches a corner
        ([(0, 0), (0, 0)], []),  # stands still
        ([(200, 200), (200, 200)], []),
    ],
)
def test_a_square(points: Metres, expected: list[tuple[str, int]]) -> None:
    assert near(seen(detect(track(points), Course([polygon(SQUARE)]))), expected)


def near(found: list[tuple[str, int]], expected: list[tuple[str, int]]) -> bool:
    """The same up to a millisecond: degrees and back are not exact."""
    if len(found) != len(expected):
        return False
    return all(a[0] == b[0] and abs(a[1] - b[1]) <= 1 for a, b in zip(found, expected, strict=True))


def test_a_concave_polygon_is_entered_twice_by_one_chord() -> None:
    found = detect(track([(-200, 60), (200, 60)]), Course([polygon(COMB)])).crossings
    assert [(c.direction.value, c.occurrence) for c in found] == [
        ("enter", 0),
        ("leave", 0),
        ("enter", 1),
        ("leave", 1),
    ]
    assert [round(c.fraction * 400 - 200) for c in found] == [-100, 20, 60, 100]


def test_a_hole_is_outside() -> None:
    found = detect(track([(-100, 0), (100, 0)]), Course([polygon(SQUARE, [HOLE])]))
    assert near(seen(found), [("enter", 250), ("leave", 400), ("enter", 600), ("leave", 750)])


@pytest.mark.parametrize(
    ("bearing", "points", "expected"),
    [
        (None, [(0, -10), (0, 10)], [("cut", 500)]),
        (None, [(0, 10), (0, -10)], [("cut", 500)]),
        (0, [(0, -10), (0, 10)], [("cut", 500)]),
        (0, [(0, 10), (0, -10)], []),  # against the bearing
        (80, [(0, -10), (5, 10)], [("cut", 500)]),
        (None, [(21, -10), (21, 10)], []),  # past the end
        (None, [(20, -10), (20, 10)], [("cut", 500)]),  # over the end itself
        (None, [(0, -10), (0, 0), (0, 10)], [("cut", 1000)]),  # a fix on the line: one crossing, not two
        (None, [(-10, 0), (10, 0)], []),  # along the line
        (None, [(0, -10), (0, -1)], []),
    ],
)
def test_a_gate(bearing: float | None, points: Metres, expected: list[tuple[str, int]]) -> None:
    assert near(seen(detect(track(points), Course([gate((-20, 0), (20, 0), bearing)]))), expected)


@PLACES
@pytest.mark.parametrize(
    ("offset", "along", "fractions"),
    [
        (22.0, (-21.0, 9.556), [0.020]),  # 6a: one fix inside
        (28.0, (-15.278, 15.278), [0.148, 0.852]),  # 6b: no fix inside
        (30.01, (-15.278, 15.278), []),  # 6c
        (30.0, (-15.278, 15.278), [0.5, 0.5]),  # 6d: the boundary validates
    ],
)
def test_worked_example_6(
    centre: tuple[float, float], offset: float, along: tuple[float, float], fractions: list[float]
) -> None:
    """Rulebook §10 example 6, at home, far north, on the equator and across the date line."""
    found = detect(track([(x, offset) for x in along], centre), Course([Control.circle("wps", *centre, 30)])).crossings
    assert [c.fraction for c in found] == pytest.approx(fractions, abs=0.0006)
    assert all(c.min_distance_m == pytest.approx(offset if len(fractions) > 1 else 22, abs=0.002) for c in found)


@pytest.mark.parametrize(("step_ms", "crosses"), [(10_000, True), (10_001, False)])
def test_the_gap_limit(step_ms: int, crosses: bool) -> None:
    """A chord of exactly the limit counts; a longer one is a gap that names what it touches (design §4)."""
    fixes = track([(-100, 0), (100, 0)], step_ms=step_ms)
    found = detect(fixes, Course([Control.circle("wp", *CENTRE, 30), gate((500, 0), (510, 0))]))
    assert bool(found.crossings) is crosses
    assert [gap.controls for gap in found.gaps] == ([] if crosses else [("wp",)])


def test_devices_are_not_joined() -> None:
    """The last fix of one device and the first of the next are no chord."""
    one, two = track([(-100, 0)], device=0), track([(100, 0)], device=1)
    both = Fixes.build(
        np.concatenate([one.device, two.device]), [0, 1000], [one.lat[0], two.lat[0]], [one.lon[0], two.lon[0]]
    )
    assert detect(both, Course([Control.circle("wp", *CENTRE, 30)])).crossings == ()


def test_an_impossible_jump_is_flagged_and_kept() -> None:
    fixes = track([(0, 0), (20, 0), (5000, 0), (60, 0), (80, 0)])
    found = detect(fixes, Course([Control.circle("wp", *degrees(CENTRE, 5000, 0), 30)]))
    assert found.suspicious == ((0, 2000),)
    assert len(found.crossings) == 2


def test_uncertainty_is_half_the_chord_for_a_square_cut_and_never_more_than_all_of_it() -> None:
    duration = np.array([1000, 1000, 1000, 4000])
    sine = np.array([1.0, np.sin(np.radians(45)), 0.01, 1.0])
    assert uncertainty(duration, sine).tolist() == [500, 708, 1000, 2000]


def test_uncertainty_does_not_hang_on_the_last_bits_of_a_sine() -> None:
    """They differ between processors, and would make another hash of the same evidence."""
    sine = np.array([1.0, 1 - 1e-15, 1 - 1e-12])
    assert uncertainty(np.full(3, 3000), sine).tolist() == [1500, 1500, 1500]


def test_no_fixes_and_no_controls_are_no_fault() -> None:
    nothing = Fixes.build([], [], [], [])
    assert detect(nothing, Course([Control.circle("wp", *CENTRE, 30)])) == Detection((), (), ())
    assert detect(track([(0, 0), (1, 1)]), Course([])).crossings == ()


# A course with every shape, and tracks that wander over it.
COURSE = Course(
    [
        Control.circle("circle", *CENTRE, 60),
        replace(polygon(COMB), id="comb"),
        replace(polygon(SQUARE, [HOLE]), id="ring"),
        gate((-80, -80), (80, 80)),
        replace(gate((-80, 80), (80, -80), 45), id="one way"),
    ]
)


def wander(rng: random.Random, length: int = 40) -> Metres:
    x, y = rng.uniform(-150, 150), rng.uniform(-150, 150)
    points = []
    for _ in range(length):
        x, y = x + rng.gauss(-x / 20, 40), y + rng.gauss(-y / 20, 40)
        points.append((x, y))
    return points


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_order_and_duplicates_do_not_matter(seed: int) -> None:
    check_order_and_duplicates(seed)


def check_order_and_duplicates(seed: int) -> None:
    rng = random.Random(seed)
    fixes = track(wander(rng))
    rows = [*range(len(fixes)), *rng.choices(range(len(fixes)), k=10)]
    rng.shuffle(rows)
    mixed = Fixes.build(fixes.device[rows], fixes.ts[rows], fixes.lat[rows], fixes.lon[rows])
    assert detect(mixed, COURSE) == detect(fixes, COURSE)


@given(seed=st.integers(0, 10_000), cut=st.integers(1, 38))
@settings(max_examples=60, deadline=None)
def test_windows_with_a_neighbour_each_side_give_the_whole(seed: int, cut: int) -> None:
    """Rule 1 of design §1: a crossing depends on its chord alone."""
    fixes = track(wander(random.Random(seed)))
    middle = int(fixes.ts[cut])
    parts = [fixes.between(0, middle), fixes.between(middle, int(fixes.ts[-1]))]
    together = [crossing for part in parts for crossing in detect(part, COURSE).crossings]
    assert set(together) == set(detect(fixes, COURSE).crossings)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_enters_and_leaves_of_an_area_take_turns(seed: int) -> None:
    found = detect(track(wander(random.Random(seed))), COURSE).crossings
    for control in ("circle", "comb", "ring"):
        mine = sorted((c for c in found if c.control == control), key=along)
        assert all(a.direction != b.direction for a, b in zip(mine, mine[1:], strict=False))


def along(crossing: Crossing) -> tuple[int, float]:
    return crossing.before_ts, crossing.fraction


def test_the_engine_agrees_with_an_oracle_that_samples_and_halves() -> None:
    """Membership asked of shapely at 400 points of each chord, each change narrowed by halving: no algebra shared."""
    rng = random.Random(20260607)
    compared = 0
    for _ in range(120):
        fixes = track(wander(rng, 25))
        found = detect(fixes, COURSE).crossings
        for control, area in AREAS.items():
            mine = sorted((c for c in found if c.control == control), key=along)
            expected = oracle(fixes, area)
            assert [(c.direction.value, c.before_ts) for c in mine] == [(way, before) for way, before, _ in expected]
            for crossing, (_, _, ts) in zip(mine, expected, strict=True):
                assert abs(crossing.ts - ts) <= 1
            compared += len(mine)
    assert compared > 1000


PLANE = Plane(*CENTRE)
AREAS = {
    "circle": shapely.Point(0, 0).buffer(60, quad_segs=20_000),
    "comb": shapely.Polygon(COMB),
    "ring": shapely.Polygon(SQUARE, [HOLE]),
}
for _area in AREAS.values():
    shapely.prepare(_area)


def oracle(fixes: Fixes, area: shapely.Geometry) -> list[tuple[str, int, int]]:
    x, y = PLANE.project(fixes.lat, fixes.lon)
    found = []
    for n in range(len(fixes) - 1):

        def inside(s: float, n: int = n) -> bool:
            return bool(shapely.intersects_xy(area, x[n] + s * (x[n + 1] - x[n]), y[n] + s * (y[n + 1] - y[n])))

        steps = np.linspace(0, 1, 401)
        states = shapely.intersects_xy(area, x[n] + steps * (x[n + 1] - x[n]), y[n] + steps * (y[n + 1] - y[n]))
        for k in np.flatnonzero(states[1:] != states[:-1]):
            s = halve(inside, float(steps[k]), float(steps[k + 1]))
            ts = int(fixes.ts[n]) + round(s * int(fixes.ts[n + 1] - fixes.ts[n]))
            found.append(("enter" if states[k + 1] else "leave", int(fixes.ts[n]), ts))
    return found


def halve(inside: Callable[[float], bool], low: float, high: float) -> float:
    before = inside(low)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) == before else (low, middle)
    return high


# The engine spoiled in one place: each must be caught by a test above.
def without_interpolation(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    original = engine._crossings
    monkeypatch.setattr(engine, "_crossings", lambda *a: (replace(c, ts=c.after_ts) for c in original(*a)))
    return test_the_engine_agrees_with_an_oracle_that_samples_and_halves


def without_the_boundary(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    monkeypatch.setattr(circles, "TOUCH_M", -0.0001)
    return lambda: test_worked_example_6(CENTRE, 30.0, (-15.278, 15.278), [0.5, 0.5])


def without_the_gap_limit(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    original = engine.detect
    monkeypatch.setitem(globals(), "detect", lambda fixes, course, *_: original(fixes, course, 10**12))
    return lambda: test_the_gap_limit(10_001, False)


def in_order_of_arrival(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def build(device: Any, ts: Any, lat: Any, lon: Any) -> Fixes:
        columns = np.broadcast_to(device, np.shape(ts)), ts, lat, lon, np.full(np.shape(ts), np.nan)
        return Fixes(*(np.asarray(column) for column in columns))

    monkeypatch.setattr(Fixes, "build", build)
    return lambda: check_order_and_duplicates(1)


@pytest.mark.parametrize(
    "spoil", [without_interpolation, without_the_boundary, without_the_gap_limit, in_order_of_arrival]
)
def test_a_spoiled_engine_is_caught(
    spoil: Callable[[pytest.MonkeyPatch], Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    check = spoil(monkeypatch)
    with pytest.raises(AssertionError):
        check()
