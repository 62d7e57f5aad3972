"""What ranks of a special stage: maximum, time given back, closeness to a target, bonus (rulebook 1.1, 5.4, 7.3)."""

import pytest

from apps.timing.domain.adjustments import Adjustment
from apps.timing.domain.passages import record
from apps.timing.domain.plan import TARGET_DEVIATION, SegmentPlan, SegmentType
from apps.timing.domain.segment_times import OVER_MAXIMUM, Facts, SegmentTime, segment_times
from apps.timing.tests.domain.build import at, cut, gate, special, stage

MINUTE = 60_000


def driven(segment: SegmentPlan, minutes: float, race_class: str = "C-2", **decided: int) -> SegmentTime:
    """The special stage driven in so many minutes, with what was decided about it."""
    plan = stage(segment)
    crossings = record([cut("start", 0), cut("finish", minutes * 60)], plan)
    facts = Facts(adjustments={"ss": Adjustment(**decided)}, race_class=race_class)  # type: ignore[arg-type]
    return segment_times(plan, crossings, facts)[0]


@pytest.mark.parametrize(
    ("minutes", "credit", "net", "note"),
    [
        (55, 0, 55, ""),
        (60, 10, 50, ""),
        (70, 0, 60, OVER_MAXIMUM),
        (70, 10, 50, OVER_MAXIMUM),  # the maximum first, what was given back after that
        (90, 100, 0, OVER_MAXIMUM),
    ],
)
def test_the_maximum_comes_before_what_is_given_back(minutes: float, credit: int, net: int, note: str) -> None:
    """5.4: ss_time = clamped ss_raw; ss_net = ss_time − time credit."""
    time = driven(special(maximum_ms=60 * MINUTE), minutes, credit_ms=credit * MINUTE)
    assert (time.net_ms, time.note) == (net * MINUTE, note)


CLOSEST = special(target_ms=60 * MINUTE, class_scoring={"C-2": TARGET_DEVIATION})


@pytest.mark.parametrize(
    ("minutes", "deviation"), [(60, 0), (58, 2), (62.5, 2.5), (0.5, 59.5), (60 + 1.9 / 60, 1 / 60)]
)
def test_closeness_to_the_given_time(minutes: float, deviation: float) -> None:
    """1.1 (Ihnilatis): cars by closeness to the given time, early as late, from the truncated time."""
    assert driven(CLOSEST, minutes).net_ms == round(deviation * MINUTE)


def test_another_class_on_the_same_stage_races_for_the_fastest_time() -> None:
    """1.1: bikes and ATV."""
    assert driven(CLOSEST, 58, "M-1").net_ms == 58 * MINUTE
    assert driven(special(target_ms=60 * MINUTE, scoring=TARGET_DEVIATION), 58, "M-1").net_ms == 2 * MINUTE


def test_what_is_given_back_is_part_of_the_time_that_is_compared() -> None:
    """Ten minutes of help: driven 68, counted 58, two off; a notional time is held against the target too."""
    assert driven(CLOSEST, 68, credit_ms=10 * MINUTE).net_ms == 2 * MINUTE
    assert driven(CLOSEST, 68, notional_ms=61 * MINUTE).net_ms == MINUTE


def test_only_a_special_stage_has_a_target_that_ranks() -> None:
    """On the road the target is the time allowed (4.1)."""
    assert SegmentPlan("l", SegmentType.LIAISON, 0, target_ms=1, scoring=TARGET_DEVIATION).deviation_from("") is None


@pytest.mark.parametrize(
    ("bonus", "net"), [(335_000, 54 * MINUTE + 25_000), (145_950, 57 * MINUTE + 35_000), (0, 60 * MINUTE)]
)
def test_the_openers_bonus_comes_off_last_in_the_unit_of_the_stage(bonus: int, net: int) -> None:
    """7.3: 5:35 at the Dakar 2025; 97.3 km at 1.5 s are 145.95 s."""
    time = driven(special(), 60, bonus_ms=bonus)
    assert (time.net_ms, time.bonus_ms) == (net, bonus - bonus % 1000)


def test_a_road_section_without_a_start_control_departs_at_the_stop_point() -> None:
    """4.1: after a special stage the finish is the departure; what a neutralisation shows in between is not."""
    road = SegmentPlan("road", SegmentType.LIAISON, 3, finish=gate("tc"))
    neutral = SegmentPlan("n", SegmentType.NEUTRALISATION, 2, gate("dn"), gate("fn"))
    plan = stage(special(), neutral, road)
    crossings = [cut("start", 0), cut("dn", 10), cut("fn", 20), cut("finish", 100.7), cut("tc", 400)]
    *_, found = segment_times(plan, record(crossings, plan), Facts())
    assert (found.start_ts, found.finish_ts, found.start_source) == (at(100.7), at(400), "gps")
    *_, early = segment_times(plan, record(crossings[:3], plan), Facts())
    assert (early.start_ts, early.finish_ts) == (None, None)
