"""An exit of FN counts once three fixes in a row are outside: a parked receiver drifts (rulebook 8.1)."""

import random

import pytest

from apps.course.domain.crossings import Crossing, Direction
from apps.course.domain.fixes import Fixes
from apps.penalties.domain.formulas import Formula
from apps.scoring.domain.outcome import StageOutcome
from apps.scoring.domain.reach import zone_stretches
from apps.scoring.domain.readings import Evidence
from apps.scoring.domain.stage import score_stage
from apps.timing.domain.exits import UNPROVEN
from apps.timing.domain.plan import ControlPoint, SegmentPlan, SegmentType
from apps.timing.tests.domain.build import at, cross, cut, special, stage, stay, steady

MINUTE = 60_000
NEUTRAL = SegmentPlan(
    "n",
    SegmentType.NEUTRALISATION,
    2,
    ControlPoint("dn", Direction.ENTER),
    ControlPoint("fn", Direction.LEAVE),
    neutral_ms=15 * MINUTE,
)
PLAN = stage(special(neutral_ms=15 * MINUTE), NEUTRAL)
RULES = [Formula("n", "neutralisation", offence_min=1, mode="marginal")]
DRIVEN = [cut("start", 0), *stay("dn", 20.5, 25.5), cross("fn", Direction.ENTER, 80.5), cut("finish", 2000)]


def drift(*instants: float, device: int = 0) -> list[Crossing]:
    """Out and in again in turn, from the inside, at these seconds."""
    ways = (Direction.LEAVE, Direction.ENTER)
    return [cross("fn", ways[n % 2], second, device) for n, second in enumerate(instants)]


def record(until_s: int, device: int = 0) -> Fixes:
    """A fix each second from T0."""
    return steady([0.0] * (until_s + 1), device)


def score(crossings: list[Crossing], fixes: Fixes) -> StageOutcome:
    return score_stage(PLAN, RULES, Evidence("e", "C-2", (*DRIVEN, *crossings), fixes))


EXITS = [
    ("left once", (1000.5,), 1100, 1000.5),
    ("two fixes outside are drift", (400.5, 402.5, 1000.5), 1100, 1000.5),
    ("three are an exit", (400.5, 403.5, 1000.5), 1100, 400.5),
    ("drift twice", (400.5, 401.5, 500.5, 502.5, 1000.5), 1100, 1000.5),
    ("came back at last", (400.5, 402.5), 1100, None),
    ("the record ends with two fixes outside", (1000.5,), 1002, None),
    ("and with three", (1000.5,), 1003, 1000.5),
]


@pytest.mark.parametrize(("exits", "until", "left"), [e[1:] for e in EXITS], ids=[e[0] for e in EXITS])
def test_what_counts_as_left(exits: tuple[float, ...], until: int, left: float | None) -> None:
    outcome = score(drift(*exits), record(until))
    neutral = outcome.segments[1]
    assert neutral.finish_ts == (None if left is None else at(left))
    told = left is None and len(exits) % 2 == 1
    assert outcome.conflicts == ((f"n: {UNPROVEN}",) if told else ())


def test_worked_example_13_drift_is_no_early_exit() -> None:
    """DN 10:15:20, 15 min; drifting out at 10:20, leaving at 10:29:05 is 75 s early, at 10:30:20 in time."""
    allotted = 20.5 + 15 * 60
    for left, early in ((allotted - 75, 75_000), (allotted, 0)):
        outcome = score(drift(300.5, 302.5, left), record(1200))
        assert (outcome.penalty_ms, outcome.conflicts) == (early, ())


def test_each_tracker_proves_its_own_exit() -> None:
    """The first one fell silent while it drifted: the second tells when the crew left."""
    both = [*record(401).ts.tolist()], [*record(1100, 1).ts.tolist()]
    fixes = Fixes.build(
        [0] * len(both[0]) + [1] * len(both[1]), both[0] + both[1], *([[41.0] * sum(map(len, both))] * 2)
    )
    outcome = score([*drift(400.5), cross("fn", Direction.ENTER, 80.5, 1), *drift(1000.5, device=1)], fixes)
    assert outcome.segments[1].finish_ts == at(1000.5)


def test_the_fixes_that_scoring_reads_are_enough() -> None:
    """Only stretches are read from the database: by them the outcome is that of the whole record."""
    seed = random.randrange(2**32)
    rng = random.Random(seed)
    for _ in range(30):
        exits = sorted(rng.sample(range(300, 400), rng.randrange(1, 8)))
        crossings = drift(*[second + 0.5 for second in exits])
        whole, end = record(rng.choice((exits[-1] + rng.randrange(1, 5), 1100))), at(43_200)
        stretches = zone_stretches(PLAN, [*DRIVEN, *crossings], end)
        keep = [any(low <= ts <= high for low, high in stretches) for ts in whole.ts.tolist()]
        read = Fixes.build(whole.device, whole.ts, whole.lat, whole.lon, whole.speed, keep)
        assert score(crossings, read) == score(crossings, whole), f"seed {seed}"
