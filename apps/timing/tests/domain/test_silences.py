"""Where no tracker recorded, and whether a waypoint may have been passed there (rulebook 2.2)."""

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest

from apps.course.domain.fixes import Fixes
from apps.timing.domain.plan import WaypointPlan
from apps.timing.domain.segment_times import SegmentTime
from apps.timing.domain.silences import Edge, Silence, silences, unproved
from apps.timing.domain.waypoints import Validation, WaypointReading, missed_spans
from apps.timing.tests.domain.build import at, special, waypoint

LIMIT_MS = 10_000
METRE_LAT = 1 / 111_195.0
SPAN = (at(0), at(100))


def track(*devices: Sequence[float]) -> Fixes:
    """Fixes at these seconds, device by device, 10 m northwards each second."""
    rows = [(code, at(s), 41 + 10 * s * METRE_LAT, 20.0) for code, seconds in enumerate(devices) for s in seconds]
    return Fixes.build(*np.array(rows).T) if rows else Fixes.build([], [], [], [])


def found(fixes: Fixes) -> list[tuple[float, bool, float, bool]]:
    """Each silence as (seconds, is a fix, seconds, is a fix)."""
    edges = [(one.begin, one.end) for one in silences(fixes, SPAN, LIMIT_MS)]
    return [((a.ts - at(0)) / 1000, a.place is not None, (b.ts - at(0)) / 1000, b.place is not None) for a, b in edges]


ALL = list(range(101))
CASES = [
    ([ALL], []),
    ([[*range(41), *range(50, 101)]], []),  # 10 s are still interpolated
    ([[*range(40), *range(50, 101)]], [(39, True, 50, True)]),
    ([range(20, 101)], [(0, False, 20, True)]),
    ([range(90)], [(89, True, 100, False)]),
    ([], [(0, False, 100, False)]),
    ([[*range(40), *range(50, 101)], ALL], []),  # the other tracker saw it
    ([[*range(40), *range(60, 101)], [*range(50), *range(70, 101)]], [(49, True, 60, True)]),
    ([range(0, 101, 12), range(6, 101, 12)], [(n, True, n + 6, True) for n in range(6, 90, 6)]),
]


@pytest.mark.parametrize(("devices", "wanted"), CASES)
def test_what_no_tracker_recorded(
    devices: Sequence[Sequence[float]], wanted: list[tuple[float, bool, float, bool]]
) -> None:
    """A stretch is silent where no tracker has two fixes at most a gap limit apart around it."""
    assert [one for one in found(track(*devices)) if 0 < one[0] < 90 or len(devices) < 2] == wanted


@pytest.mark.parametrize("seed", range(20))
def test_a_silence_is_what_no_short_chord_covers(seed: int) -> None:
    """Against a plain reading of each second; in any order of the devices, and with fixes that come twice."""
    rng = random.Random(seed)
    devices = [sorted(rng.sample(range(101), rng.choice([3, 12, 40]))) for _ in range(rng.randint(1, 3))]
    silent = silences(track(*devices), SPAN, LIMIT_MS)
    for second in np.arange(0.5, 100, 1):
        edges = [[0, *seconds, 100] for seconds in devices]
        covered = any(
            a <= second <= b and b - a <= LIMIT_MS / 1000
            for of_one in edges
            for a, b in zip(of_one, of_one[1:], strict=False)
        )
        told = any(one.begin.ts <= at(second) <= one.end.ts for one in silent)
        assert told != covered, f"seed {seed}: {second} s of {devices}"
    again = [*devices[::-1], devices[0]]
    assert [(s.begin.ts, s.end.ts) for s in silences(track(*again), SPAN, LIMIT_MS)] == [
        (s.begin.ts, s.end.ts) for s in silent
    ]


def at_north(metres: float) -> tuple[float, float]:
    return 41 + metres * METRE_LAT, 20.0


@pytest.mark.parametrize(
    ("aside_m", "kmh"),
    [(0, 0), (90, 0), (290, 48), (1000, 219), (1750, 399), (1760, None)],
)
def test_a_waypoint_out_of_reach_of_the_gap_was_missed(aside_m: float, kmh: int | None) -> None:
    """30 s from a place back to it: a detour of at most 400 km/h, faster than any car, may have been driven."""
    lon = 20 + aside_m * METRE_LAT / math.cos(math.radians(41))
    point = WaypointPlan("w", "WPM", 1, "w", circle=(41.0, lon, 90.0))
    gap = Silence(Edge(at(10), at_north(0)), Edge(at(40), at_north(0)))
    doubt = unproved(point, [gap])
    assert doubt == kmh if doubt is None else kmh is not None and abs(doubt.needed_kmh - kmh) <= 1


def test_the_gap_in_which_it_was_passed_the_easiest_is_told() -> None:
    """Of two gaps the one that needed the lower speed; an end that is no fix may have been at the waypoint itself."""
    point = WaypointPlan("w", "WPM", 1, "w", circle=(*at_north(0), 90.0))
    far = Silence(Edge(at(10), at_north(-500)), Edge(at(40), at_north(500)))
    near = Silence(Edge(at(50), at_north(-200)), Edge(at(80), at_north(100)))
    doubt = unproved(point, [far, near])
    assert doubt is not None and doubt.told() == {
        "gap_begins_ts": at(50),
        "gap_ends_ts": at(80),
        "last_fix_ts": at(50),
        "next_fix_ts": at(80),
        "needed_kmh": 15,
    }
    dead = unproved(point, [Silence(Edge(at(0)), Edge(at(100)))])
    assert dead is not None and dead.told() == {"gap_begins_ts": at(0), "gap_ends_ts": at(100), "needed_kmh": 0}


@pytest.mark.parametrize(
    ("passed", "finish", "back", "wanted"),
    [
        ({1: 10, 4: 40}, 60, False, {2: (10, 40), 3: (10, 40)}),
        ({2: 20}, 60, False, {1: (0, 20), 3: (20, 60), 4: (20, 60)}),
        ({2: 20}, None, False, {1: (0, 20)}),
        ({1: 10, 4: 40}, 60, True, {2: (0, 60), 3: (0, 60)}),
        ({}, 60, False, {1: (0, 60), 2: (0, 60), 3: (0, 60), 4: (0, 60)}),
    ],
)
def test_a_missed_waypoint_had_its_turn_between_its_neighbours(
    passed: dict[int, float], finish: float | None, back: bool, wanted: dict[int, tuple[float, float]]
) -> None:
    """Between those validated before and after it, else from the start to the finish; anywhere if crews may go back."""
    points = {n: waypoint(n) for n in range(1, 5)}
    reading = WaypointReading(
        tuple(Validation(points[n], at(s)) for n, s in passed.items()), tuple(points[n] for n in wanted)
    )
    time = SegmentTime("ss", at(0), None if finish is None else at(finish), None, None)
    spans = missed_spans(special(waypoints=tuple(points.values())), reading, time, allow_back=back)
    assert spans == {f"w{n}": (at(a), at(b)) for n, (a, b) in wanted.items()}
