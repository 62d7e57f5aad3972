"""The engine against an exact implementation by another method, on ten thousand random trajectories.

The engine computes in doubles and rounds each instant once, to a whole millisecond: half a millisecond off the
exact instant is the rounding, anything beyond is what doubles lose on a boundary cut at a flat angle.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest

from apps.course.domain import crossings as engine
from apps.course.domain.controls import Control
from apps.course.domain.crossings import Detection
from apps.course.domain.fixes import Fixes
from apps.course.domain.plane import Plane
from apps.course.tests.domain.oracle import DIGITS, UNIT, Fix, Slack, Solver, Tangent, neighbours, solver
from apps.course.tests.domain.trajectories import PLACES, Frame, Scene, scene

SEED = 20260607
SCENES, DEVICES = 50, 200
GAP_LIMIT_MS = 10_000
DOUBLES_MS = Fraction(1, 100)
ALLOWED_MS = Fraction(1, 2) + DOUBLES_MS  # half by rounding to whole milliseconds, the rest for what doubles lose
PUSH_M = Decimal("1e-7")  # what a boundary is pushed by, either way, to learn whether a case is too close to call

Pair = tuple[Fix, Fix]
Case = tuple[str, int, int, int]  # control, device, ts of the two fixes
Key = tuple[str, int]  # direction, occurrence


@pytest.fixture(autouse=True)
def _digits() -> Iterator[None]:
    with localcontext() as context:
        context.prec = DIGITS
        yield


class Exact:
    """What one control sees by the oracle."""

    def __init__(self, control: Control, push_m: Decimal = Decimal(0)) -> None:
        self._solver: Solver = solver(control, Slack(push_m, push_m))
        self._points: dict[tuple[float, float], tuple[int, int]] = {}

    def instants(self, pair: Pair) -> dict[Key, Fraction]:
        """Epoch ms, not rounded, of the crossings of one chord."""
        first, second = pair
        seen: Counter[str] = Counter()
        found = {}
        for direction, at in self._solver.meetings(self._point(first), self._point(second)):
            found[direction, seen[direction]] = first.ts + at * (second.ts - first.ts)
            seen[direction] += 1
        return found

    def _point(self, fix: Fix) -> tuple[int, int]:
        place = fix.lat, fix.lon
        if place not in self._points:
            self._points[place] = self._solver.point(*place)
        return self._points[place]


@dataclass(slots=True)
class Seen:
    """What the engine sees, by control and chord."""

    crossings: dict[Case, dict[Key, int]]
    gaps: set[Case]

    @classmethod
    def of(cls, found: Detection) -> "Seen":
        crossings: dict[Case, dict[Key, int]] = {}
        for c in found.crossings:
            case = c.control, c.device, c.before_ts, c.after_ts
            crossings.setdefault(case, {})[c.direction.value, c.occurrence] = c.ts
        assert sum(map(len, crossings.values())) == len(found.crossings), "two crossings of one key"
        return cls(crossings, {(name, g.device, g.before_ts, g.after_ts) for g in found.gaps for name in g.controls})


@dataclass(slots=True)
class Tally:
    """What was compared, what was too close to call, and what the engine has wrong."""

    cases: int = 0
    crossings: Counter[str] = field(default_factory=Counter)
    gaps: int = 0
    close: list[Case] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    worst_ms: Fraction = Fraction(0)

    def compare(self, one: Scene) -> None:
        seen, pairs = run(one), list(neighbours(one.rows))
        for control in one.controls:
            exact = Exact(control)
            for pair in pairs:
                self._judge(control, pair, exact.instants(pair), seen)
        self.wrong += [f"{case}: no such chord" for case in (*seen.crossings, *seen.gaps)]

    def _judge(self, control: Control, pair: Pair, expected: Mapping[Key, Fraction], seen: Seen) -> None:
        case = control.id, pair[0].device, pair[0].ts, pair[1].ts
        gap, crossings = case in seen.gaps, seen.crossings.pop(case, {})
        seen.gaps.discard(case)
        self.cases += 1
        if pair[1].ts - pair[0].ts > GAP_LIMIT_MS:
            agrees = not crossings and gap is bool(expected)
            self.gaps += gap
        else:
            agrees = not gap and self._near(expected, crossings)
            self.crossings.update({control.id: len(expected)})
        if not agrees and too_close(control, pair):
            self.close.append(case)
        elif not agrees:
            self.wrong.append(f"{control} {pair}: {crossings or gap}, exactly {as_floats(expected)}")

    def _near(self, expected: Mapping[Key, Fraction], crossings: Mapping[Key, int]) -> bool:
        if expected.keys() != crossings.keys():
            return False
        off = max((abs(expected[key] - crossings[key]) for key in expected), default=Fraction(0))
        self.worst_ms = max(off, self.worst_ms) if off <= ALLOWED_MS else self.worst_ms
        return off <= ALLOWED_MS


def run(one: Scene) -> Seen:
    """The engine on all devices at once, as the scorer calls it; looked up late, so that it can be spoiled."""
    columns = zip(*((r.device, r.ts, r.lat, r.lon, r.usable) for r in one.rows), strict=True)
    device, ts, lat, lon, usable = (list(column) for column in columns)
    fixes = Fixes.build(device, ts, lat, lon, usable=usable)
    return Seen.of(engine.detect(fixes, engine.Course(one.controls), GAP_LIMIT_MS))


def too_close(control: Control, pair: Pair) -> bool:
    """Whether a tenth of a micrometre changes what the oracle finds, or moves it further than doubles may."""
    less, more = (Exact(control, push).instants(pair) for push in (-PUSH_M, PUSH_M))
    return less.keys() != more.keys() or any(abs(less[key] - more[key]) > DOUBLES_MS for key in less)


def as_floats(instants: Mapping[Key, Fraction]) -> dict[Key, float]:
    return {key: float(instant) for key, instant in instants.items()}


def check_agreement(seed: int, scenes: int, devices: int) -> Tally:
    """Fail on the first scene that disagrees; `test_mutations` runs this against spoiled engines."""
    tally, rng = Tally(), random.Random(seed)
    for _ in range(scenes):
        tally.compare(scene(rng, devices))
        assert not tally.wrong, f"seed {seed}: {len(tally.wrong)} of {tally.cases}, as {tally.wrong[:3]}"
    assert len(tally.close) < 0.005 * scenes * devices, f"seed {seed}: {len(tally.close)} too close to call"
    return tally


def test_the_engine_agrees_with_exact_arithmetic_on_ten_thousand_trajectories(
    record_property: Callable[[str, object], None],
) -> None:
    """The same crossings and gaps, each instant exact but for its rounding; too close to call below 0.5 %."""
    tally = check_agreement(SEED, SCENES, DEVICES)
    record_property("seed", SEED)
    record_property("crossings", dict(tally.crossings))
    record_property("worst_ms", float(tally.worst_ms))
    assert min(tally.crossings.values()) > 1000 and tally.gaps > 3000, f"too little compared: {tally}"


@pytest.mark.parametrize("place", PLACES)
def test_the_plane_is_the_one_of_the_oracle(place: tuple[float, float]) -> None:
    """Thirty digits by another formula: the engine's doubles lose no more than nanometres within 20 km."""
    rng, exact, plane, frame = random.Random(SEED), Tangent([place]), Plane(*place), Frame(*place)
    for _ in range(50):
        lat, lon = frame.place(rng.uniform(-20_000, 20_000), rng.uniform(-20_000, 20_000))
        east, north = plane.project(lat, lon)
        assert exact.point(lat, lon) == pytest.approx((east[0] * UNIT, north[0] * UNIT), rel=0, abs=5e-9 * UNIT)


@pytest.mark.parametrize(("first_m", "second_m"), [(3.0, -0.3), (2.0, -1.0), (-1.0, 4.0)])
@pytest.mark.parametrize("lat", [65.0, -65.0])
def test_a_long_edge_bulges_towards_the_pole(lat: float, first_m: float, second_m: float) -> None:
    """Between corners 19 km apart on one parallel the straight edge lies 15 m beyond it: chords there count."""
    inner = lat - 0.1 * (1 if lat > 0 else -1)
    control = Control.polygon("area", ((lat, 24.8), (lat, 25.2), (inner, 25.2), (inner, 24.8)))
    frame = Frame((lat + inner) / 2, 25.0)
    edge, outwards = frame.metres((lat, 24.8))[1], 1 if lat > 0 else -1
    rows = [Fix(0, 1000 * n, *frame.place(n, edge + outwards * m)) for n, m in enumerate((first_m, second_m, -30.0))]
    tally = Tally()
    tally.compare(Scene((control,), tuple(rows)))
    assert not tally.wrong and tally.crossings["area"] >= 1


@pytest.mark.parametrize(
    ("offset", "along", "fractions"),
    [
        (22.0, (-21.0, 9.556), [0.020]),
        (28.0, (-15.278, 15.278), [0.148, 0.852]),
        (30.01, (-15.278, 15.278), []),
        (30.0, (-15.278, 15.278), [0.5, 0.5]),
    ],
)
def test_the_oracle_knows_worked_example_6(offset: float, along: tuple[float, float], fractions: list[float]) -> None:
    """Rulebook §10 example 6: the oracle is held to the same numbers as the engine."""
    place, frame = PLACES[0], Frame(*PLACES[0])
    first, second = (Fix(0, n, *frame.place(x, offset)) for n, x in enumerate(along))
    found = Exact(Control.circle("wps", *place, 30)).instants((first, second))
    assert [float(at) for at in found.values()] == pytest.approx(fractions, abs=0.0006)
