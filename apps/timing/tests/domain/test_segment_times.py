"""Times of segments: rounding, clamping, starts, loops and two devices."""

import random
from dataclasses import replace

import pytest

from apps.course.domain.crossings import Crossing, Direction
from apps.timing.domain.adjustments import Adjustment
from apps.timing.domain.passages import record
from apps.timing.domain.plan import ControlPoint, Pick, SegmentPlan, SegmentType, StagePlan
from apps.timing.domain.segment_times import (
    NO_ASSIGNED_START,
    OVER_MAXIMUM,
    Facts,
    SegmentTime,
    duration,
    segment_times,
)
from apps.timing.tests.domain.build import T0, at, cut, gate, special, stage, stay, waypoint


def times(plan: StagePlan, crossings: list[Crossing], **assigned: int) -> tuple[SegmentTime, ...]:
    """The times of all segments."""
    return segment_times(plan, record(crossings, plan), Facts(assigned))


@pytest.mark.parametrize(
    ("rounding_ms", "finish_s", "net_ms"),
    [(1000, 100.999, 100_000), (100, 100.999, 100_900), (1000, 100.0, 100_000)],
)
def test_net_is_truncated_once_never_rounded(rounding_ms: int, finish_s: float, net_ms: int) -> None:
    """5.3: to the preceding second or tenth."""
    plan = stage(special(rounding_ms=rounding_ms))
    (time,) = times(plan, [cut("start", 0), cut("finish", finish_s)])
    assert time.net_ms == net_ms
    assert time.raw_ms == round(finish_s * 1000)


def test_truncation_is_on_the_duration_not_on_the_crossings() -> None:
    """5.3: 0.9 s to 11.8 s is 10.9 s, truncated 10 s; truncated instants would give 11 s."""
    (time,) = times(stage(special()), [cut("start", 0.9), cut("finish", 11.8)])
    assert time.net_ms == 10_000


def test_worked_example_13_neutralisation_subtracts_the_allotment() -> None:
    """09:40:00 to 13:02:11 with 15 min of neutralisation: 3:07:11, also for a crew that stayed 17 min."""
    segment = special(neutral_ms=15 * 60_000)
    start, finish = at(0), at(3 * 3600 + 22 * 60 + 11)
    assert duration(segment, start, finish) == (11_231_000, (3 * 3600 + 7 * 60 + 11) * 1000)


def test_maximum_clamps_and_says_so() -> None:
    """5.4: beyond the maximum the time is the maximum; at it, it is one's own."""
    plan = stage(special(maximum_ms=60_000))
    (over,) = times(plan, [cut("start", 0), cut("finish", 61)])
    (just,) = times(plan, [cut("start", 0), cut("finish", 60)])
    assert (over.net_ms, over.raw_ms, over.note) == (60_000, 61_000, OVER_MAXIMUM)
    assert (just.net_ms, just.note) == (60_000, "")


def test_nobody_is_credited_with_less_than_the_bogey_time() -> None:
    """5.4 (MSUK 11.1a): faster counts as the bogey time, slower as driven; time given back comes off after that."""
    plan = stage(special(bogey_ms=60_000))
    for finish, net in ((50, 60_000), (60, 60_000), (61, 61_000)):
        (time,) = times(plan, [cut("start", 0), cut("finish", finish)])
        assert time.net_ms == net
    given = Facts(adjustments={"ss": Adjustment(credit_ms=5000)})
    (time,) = segment_times(plan, record([cut("start", 0), cut("finish", 50)], plan), given)
    assert time.net_ms == 55_000


def test_a_standing_start_is_the_assigned_instant_whatever_gps_says() -> None:
    """5.1: standing start; without an assignment there is no time and a note."""
    plan = stage(special(start_from="assigned"))
    crossings = [cut("start", 12), cut("finish", 100)]
    (time,) = times(plan, crossings, ss=at(10))
    assert (time.start_ts, time.net_ms) == (at(10), 90_000)
    (without,) = times(plan, crossings)
    assert (without.start_ts, without.note) == (None, NO_ASSIGNED_START)


def test_crossings_outside_the_stage_window_are_not_used() -> None:
    """A reconnaissance the day before starts nothing."""
    plan = stage(special(), hours=1)
    (time,) = times(plan, [cut("start", -10), cut("start", 20), cut("finish", 3601)])
    assert (time.start_ts, time.finish_ts) == (at(20), None)


def test_a_finish_before_the_start_is_not_a_finish() -> None:
    """The clock stops only after it began."""
    (time,) = times(stage(special()), [cut("finish", 5), cut("start", 10), cut("finish", 90)])
    assert time.net_ms == 80_000


@pytest.mark.parametrize(("pick", "start_s"), [(Pick.FIRST, 1), (Pick.LAST, 200), (Pick.LAST_BEFORE_NEXT, 9)])
def test_pick_of_several_starts(pick: Pick, start_s: int) -> None:
    """First, last, or last before the crew went on to the next control."""
    segment = special(start=gate("start", pick), waypoints=(waypoint(1),))
    crossings = [cut("start", 1), cut("start", 9), *stay("w1", 50, 55), cut("start", 200)]
    (time,) = times(stage(segment), crossings)
    assert time.start_ts == at(start_s)


def test_the_lowest_device_code_gives_the_passage() -> None:
    """Two devices: priority decides, the other stays as evidence; alone, the second device counts."""
    plan = stage(special())
    both = [cut("start", 1.0, 0), cut("start", 0.6, 1), cut("finish", 60.5, 1), cut("finish", 61.0, 0)]
    (time,) = times(plan, both)
    assert (time.start_ts, time.finish_ts) == (at(1.0), at(61.0))
    (fallback,) = times(plan, [c for c in both if (c.control, c.device) != ("finish", 0)])
    assert fallback.finish_ts == at(60.5)


def test_the_second_device_does_not_finish_a_loop_at_its_own_start() -> None:
    """One gate is start and finish: the other device's later cut of the start is no finish."""
    plan = stage(special(finish=gate("start")))
    started = [cut("start", 10.0, 0), cut("start", 10.4, 1)]
    assert times(plan, started)[0].finish_ts is None
    assert times(plan, [*started, cut("start", 70.4, 1)])[0].finish_ts == at(70.4)


def test_a_loop_driven_twice_is_two_special_stages() -> None:
    """The second special stage of the same controls begins after the first ended."""
    plan = stage(special(id="a", order=1), special(id="b", order=2))
    crossings = [cut("start", 0), cut("finish", 100), cut("start", 200), cut("finish", 290)]
    first, second = times(plan, crossings)
    assert (first.net_ms, second.net_ms) == (100_000, 90_000)


def test_a_neutralisation_inside_a_special_stage_has_its_own_instants() -> None:
    """8.1: its time is recorded; what the special stage subtracts is the allotment."""
    neutral = SegmentPlan(
        "dn",
        SegmentType.NEUTRALISATION,
        2,
        ControlPoint("dn", Direction.ENTER),
        ControlPoint("fn", Direction.LEAVE),
    )
    plan = stage(special(neutral_ms=60_000), neutral)
    crossings = [cut("start", 0), *stay("dn", 100, 110), *stay("fn", 180, 190), cut("finish", 300)]
    ss, dn = times(plan, crossings)
    assert (ss.net_ms, dn.start_ts, dn.finish_ts) == (240_000, at(100), at(190))


def test_the_order_of_crossings_does_not_matter() -> None:
    """Design §4: late uploads change nothing."""
    seed = random.randrange(2**32)
    plan = stage(special(start=gate("start", Pick.LAST_BEFORE_NEXT), waypoints=(waypoint(1),)))
    crossings = [cut("start", s, d) for s in (1, 5, 80) for d in (0, 1)]
    crossings += [*stay("w1", 30, 35), *stay("w1", 31, 36, 1), cut("finish", 99), cut("finish", 98, 1)]
    expected = times(plan, crossings)
    for turn in range(20):
        shuffled = list(crossings)
        random.Random(seed + turn).shuffle(shuffled)
        assert times(plan, shuffled) == expected, f"seed {seed}"


def test_the_window_is_inclusive() -> None:
    """A crossing at the very opening of the stage counts."""
    plan = replace(stage(special()), to_ts=at(60))
    (time,) = times(plan, [cut("start", 0), cut("finish", 60)])
    assert (time.start_ts, time.net_ms) == (T0, 60_000)
